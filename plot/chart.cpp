#include "plot/chart.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "autodiff/error.hpp"
#include "plot/format.hpp"
#include "plot/svg.hpp"
#include "plot/ticks.hpp"

namespace cadena::plot {
namespace {

using namespace panel;

constexpr std::size_t most_last_labels = 6;
constexpr std::size_t crowded =
    400;  // points of a series, from where on a broad line would hide its own shape

Axis make_axis(std::vector<double> values, Scale scale, const TickStyle& style,
               std::optional<double> fixed_lo, std::optional<double> fixed_hi) {
  if (fixed_lo) values.push_back(*fixed_lo);
  if (fixed_hi) values.push_back(*fixed_hi);
  double lo = scale == Scale::log ? 0.1 : 0;
  double hi = 1;
  finite_range(values, scale == Scale::log, lo, hi);
  return {.ticks = scale == Scale::log ? log_ticks(lo, hi, style) : linear_ticks(lo, hi, style),
          .scale = scale};
}

std::vector<double> gather(const Chart& chart, std::vector<double> Series::*values) {
  std::vector<double> all;
  for (const Series& series : chart.series)
    all.insert(all.end(), (series.*values).begin(), (series.*values).end());
  return all;
}

/// Three or four digits: a last value is for reading off, not for copying.
std::string short_number(double value) {
  const double size = std::abs(value);
  if (size >= 1000 && size < 1e15) return format_si(value);
  if (size != 0 && (size < 1e-3 || size >= 1e15)) return format_number(value);
  return format_fixed(value, size >= 100 ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : 4);
}

/// Of a run of points at most four in each pixel column (first, lowest, highest, last): the same picture, but
/// a curve over a million steps stays a small file.
std::vector<Point> thin(const std::vector<Point>& points) {
  std::vector<Point> kept;
  for (std::size_t begin = 0; begin < points.size();) {
    std::size_t end = begin;
    while (end < points.size() && std::floor(points[end].x) == std::floor(points[begin].x)) ++end;
    const auto by_y = [&](std::size_t a, std::size_t b) { return points[a].y < points[b].y; };
    std::vector<std::size_t> chosen{begin, end - 1, begin, begin};
    for (std::size_t i = begin; i < end; ++i) {
      chosen[2] = std::min(i, chosen[2], by_y);
      chosen[3] = std::max(i, chosen[3], by_y);
    }
    std::sort(chosen.begin(), chosen.end());
    chosen.erase(std::unique(chosen.begin(), chosen.end()), chosen.end());
    for (const std::size_t i : chosen) kept.push_back(points[i]);
    begin = end;
  }
  return kept;
}

/// A chart being drawn with its top left corner at (left, top).
class Panel {
 public:
  Panel(const Chart& chart, Svg& svg, double left, double top)
      : chart_(chart), svg_(svg), left_(left), y_(top) {}

  void draw() {
    const double bottom = y_ + chart_.height;
    y_ = draw_heading(svg_, left_, y_ + margin, chart_.width, chart_.title, chart_.subtitle);
    legend();
    axes(bottom);
    grid();
    for (std::size_t i = 0; i < chart_.series.size(); ++i) series(i);
    last_values();
  }

 private:
  double right() const { return left_ + chart_.width - margin; }
  double inner_width() const { return chart_.width - 2 * margin; }

  std::string_view colour(std::size_t i) const {
    return palette::series(chart_.series[i].colour.value_or(i));
  }

  /// Names in rows below the heading, where no curve can run through them.
  void legend() {
    std::vector<LegendItem> items;
    for (std::size_t i = 0; i < chart_.series.size(); ++i)
      items.push_back(
          {chart_.series[i].name, {.colour = colour(i), .dashes = chart_.series[i].dashed ? "6 4" : ""}});
    y_ = draw_legend(svg_, left_, y_, chart_.width, items);
  }

  void axes(double bottom) {
    const TickStyle x_style{.target = 7, .integer = chart_.x_integer, .outward = false};
    x_axis_ = make_axis(gather(chart_, &Series::x), chart_.x_scale, x_style, chart_.x_min, chart_.x_max);
    const TickStyle y_style{
        .target = 5, .percent = chart_.y_percent, .outward = !(chart_.y_min && chart_.y_max)};
    y_axis_ = make_axis(gather(chart_, &Series::y), chart_.y_scale, y_style, chart_.y_min, chart_.y_max);
    double widest = 0;
    for (const std::string& label : y_axis_.ticks.labels)
      widest = std::max(widest, text_width(label, tick_size));
    double last = 0;
    if (labels_last()) {
      for (const Series& series : chart_.series)
        last = std::max(last, text_width(last_label(series), tick_size, true) + 10);
    }
    x_axis_.from = left_ + margin + widest + 8;
    x_axis_.to = right() - std::max(last, 8.0);
    y_ += 16 + (chart_.y_label.empty() ? 0 : line_height);
    y_axis_.from = bottom - margin - 20 - (chart_.x_label.empty() ? 0 : line_height + 2);
    y_axis_.to = y_;
    if (x_axis_.to - x_axis_.from < 40 || y_axis_.from - y_axis_.to < 40) {
      throw ValueError("[render_chart] no room for a plot in " + format_fixed(chart_.width, 0) + " x " +
                       format_fixed(chart_.height, 0) + " pixels");
    }
  }

  void grid() {
    if (!chart_.y_label.empty()) {
      svg_.text({left_ + margin, y_axis_.to - 15}, fit_text(chart_.y_label, inner_width(), tick_size),
                {.size = tick_size, .colour = palette::muted});
    }
    draw_y_axis(svg_, x_axis_, y_axis_);
    draw_x_axis(svg_, x_axis_, y_axis_, chart_.x_label, inner_width());
  }

  void series(std::size_t index) {
    const Series& data = chart_.series[index];
    const double width = data.y.size() > crowded ? 1.25 : 2.25;
    const Stroke stroke{colour(index), width, data.dashed ? "6 4" : ""};
    std::vector<Point> run;
    const auto flush = [&] {
      if (run.size() == 1) svg_.circle(run.front(), 3.5, stroke.colour);
      if (run.size() > 1) svg_.polyline(thin(run), stroke);
      run.clear();
    };
    for (std::size_t i = 0; i < data.y.size(); ++i) {
      if (!x_axis_.shows(data.x[i]) || !y_axis_.shows(data.y[i])) {
        flush();
      } else {
        run.push_back({x_axis_(data.x[i]), y_axis_(data.y[i])});
        drawn_ = true;
      }
    }
    flush();
  }

  bool labels_last() const { return chart_.show_last && chart_.series.size() <= most_last_labels; }

  std::string last_label(const Series& series) const {
    for (std::size_t i = series.y.size(); i-- > 0;) {
      if (!x_axis_.shows(series.x[i]) || !y_axis_.shows(series.y[i])) continue;
      return chart_.y_percent ? format_percent(series.y[i]) : short_number(series.y[i]);
    }
    return "";
  }

  /// The last values at the right ends, pushed apart where the curves end close to one another.
  void last_values() {
    if (!drawn_) {
      svg_.text({(x_axis_.from + x_axis_.to) / 2, (y_axis_.from + y_axis_.to) / 2}, "no data",
                {.size = text_size, .colour = palette::muted, .anchor = Anchor::middle});
    }
    if (!labels_last()) return;
    struct Label {
      double y;
      std::size_t series;
    };
    std::vector<Label> labels;
    for (std::size_t i = 0; i < chart_.series.size(); ++i) {
      const Series& data = chart_.series[i];
      for (std::size_t k = data.y.size(); k-- > 0;) {
        if (!x_axis_.shows(data.x[k]) || !y_axis_.shows(data.y[k])) continue;
        const Point end{x_axis_(data.x[k]), y_axis_(data.y[k])};
        svg_.circle(end, 3.5, colour(i));
        labels.push_back({end.y, i});
        break;
      }
    }
    spread(labels);
    for (const Label& label : labels) {
      svg_.text({x_axis_.to + 9, label.y + 4}, last_label(chart_.series[label.series]),
                {.size = tick_size, .colour = colour(label.series), .bold = true});
    }
  }

  /// Down from the top at least a line apart, then up from the axis for what was pushed below it.
  template <class Labels>
  void spread(Labels& labels) const {
    constexpr double apart = tick_size + 3;
    std::sort(labels.begin(), labels.end(), [](const auto& a, const auto& b) { return a.y < b.y; });
    double limit = -std::numeric_limits<double>::infinity();
    for (auto& label : labels) limit = (label.y = std::max(label.y, limit)) + apart;
    limit = y_axis_.from;
    for (auto it = labels.rbegin(); it != labels.rend(); ++it)
      limit = (it->y = std::min(it->y, limit)) - apart;
  }

  const Chart& chart_;
  Svg& svg_;
  double left_;
  double y_;  // the page is filled down to here
  Axis x_axis_;
  Axis y_axis_;
  bool drawn_ = false;
};

void check(const Chart& chart) {
  if (!(chart.width >= 240 && chart.height >= 200)) {
    throw ValueError("[render_chart] at least 240 x 200 pixels are needed, got " +
                     format_fixed(chart.width, 0) + " x " + format_fixed(chart.height, 0));
  }
  for (const Series& series : chart.series) {
    if (series.x.size() == series.y.size()) continue;
    throw ValueError("[render_chart] series \"" + series.name + "\" has " + std::to_string(series.x.size()) +
                     " x values and " + std::to_string(series.y.size()) + " y values");
  }
}

}  // namespace

std::string render_chart(const Chart& chart) { return render_charts({&chart, 1}); }

std::string render_charts(std::span<const Chart> charts) {
  double width = 0;
  double height = 0;
  std::string title;
  for (const Chart& chart : charts) {
    check(chart);
    width += chart.width;
    height = std::max(height, chart.height);
    title += (title.empty() ? "" : ", ") + chart.title;
  }
  Svg svg(std::max(width, 240.0), std::max(height, 200.0), title);
  double left = 0;
  for (const Chart& chart : charts) {
    Panel(chart, svg, left, 0).draw();
    left += chart.width;
  }
  return svg.str();
}

}  // namespace cadena::plot
