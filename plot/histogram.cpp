#include "plot/histogram.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "autodiff/error.hpp"
#include "plot/format.hpp"

namespace cadena::plot {
namespace {

using namespace panel;

/// The outline of a series, from the ground up and back to it.
std::vector<Point> outline(const Bins& bins, const std::vector<double>& counts, const Axis& x,
                           const Axis& y) {
  std::vector<Point> points{{x(bins.borders[0]), y(0)}};
  for (std::size_t b = 0; b < counts.size(); ++b) {
    points.push_back({x(bins.borders[b]), y(counts[b])});
    points.push_back({x(bins.borders[b + 1]), y(counts[b])});
  }
  points.push_back({x(bins.borders.back()), y(0)});
  return points;
}

double highest(const Bins& bins) {
  double value = 0;
  for (const auto& counts : bins.counts)
    value = std::max(value, *std::max_element(counts.begin(), counts.end()));
  return value;
}

void check(const Histogram& h) {
  if (!(h.width >= 240 && h.height >= 200))
    throw ValueError("[render_histogram] at least 240 x 200 pixels are needed, got " +
                     format_fixed(h.width, 0) + " x " + format_fixed(h.height, 0));
}

}  // namespace

Bins count_bins(const Histogram& h) {
  if (h.bins < 1) throw ValueError("[count_bins] expected at least one bin, got " + std::to_string(h.bins));
  double low = std::numeric_limits<double>::infinity(), high = -low;
  for (const auto& series : h.series)
    for (const double v : series.values) {
      if (!std::isfinite(v)) continue;
      low = std::min(low, v);
      high = std::max(high, v);
    }
  if (!(low <= high)) low = 0, high = 1;  // nothing to count
  if (low == high) low -= 0.5, high += 0.5;
  const auto n = static_cast<std::size_t>(h.bins);
  Bins bins;
  for (std::size_t b = 0; b <= n; ++b)
    bins.borders.push_back(low + (high - low) * static_cast<double>(b) / static_cast<double>(n));
  for (const auto& series : h.series) {
    auto& counts = bins.counts.emplace_back(n);
    double total = 0;
    for (const double v : series.values) {
      if (!std::isfinite(v)) continue;
      ++counts[std::min(static_cast<std::size_t>((v - low) / (high - low) * static_cast<double>(n)), n - 1)];
      ++total;
    }
    if (h.share)
      for (double& count : counts) count /= std::max(total, 1.0);
  }
  return bins;
}

std::string render_histogram(const Histogram& h) {
  check(h);
  const Bins bins = count_bins(h);
  Svg svg(h.width, h.height, h.title);
  double top = draw_heading(svg, 0, margin, h.width, h.title, h.subtitle);
  std::vector<LegendItem> items;
  if (h.series.size() > 1)
    for (std::size_t i = 0; i < h.series.size(); ++i)
      items.push_back({h.series[i].name, {.colour = palette::series(i)}});
  top = draw_legend(svg, 0, top, h.width, items) + 16;

  Axis x{.ticks = linear_ticks(bins.borders.front(), bins.borders.back(), {.outward = false})};
  Axis y{.ticks = linear_ticks(0, std::max(highest(bins), h.share ? 1e-6 : 1.0),
                               {.target = 5, .integer = !h.share, .percent = h.share})};
  double widest = 0;
  for (const auto& label : y.ticks.labels) widest = std::max(widest, text_width(label, tick_size));
  x.from = margin + widest + 8;
  x.to = h.width - margin;
  y.to = top;
  y.from = h.height - margin - 20 - (h.x_label.empty() ? 0 : line_height + 2);
  if (x.to - x.from < 40 || y.from - y.to < 40)
    throw ValueError("[render_histogram] no room for a plot in " + format_fixed(h.width, 0) + " x " +
                     format_fixed(h.height, 0) + " pixels");
  draw_y_axis(svg, x, y);
  for (std::size_t i = 0; i < bins.counts.size(); ++i) {
    const auto points = outline(bins, bins.counts[i], x, y);
    if (h.series.size() == 1)
      svg.polygon(points, palette::series(i));
    else
      svg.polyline(points, {palette::series(i), 2});
  }
  draw_x_axis(svg, x, y, h.x_label, h.width - 2 * margin);
  return svg.str();
}

}  // namespace cadena::plot
