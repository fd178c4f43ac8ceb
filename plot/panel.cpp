#include "plot/panel.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

namespace cadena::plot {

using namespace panel;

bool Axis::shows(double value) const { return std::isfinite(value) && (scale == Scale::linear || value > 0); }

double Axis::operator()(double value) const {
  const auto along = [this](double v) { return scale == Scale::log ? std::log(v) : v; };
  // Halves, because hi - lo may be more than the largest double.
  const double lo = along(ticks.lo) / 2;
  const double hi = along(ticks.hi) / 2;
  return std::lerp(from, to, std::clamp((along(value) / 2 - lo) / (hi - lo), -1.0, 2.0));
}

void draw_mark(Svg& svg, Point at, const Mark& mark, double size) {
  switch (mark.kind) {
    case Mark::Kind::line:
      break;
    case Mark::Kind::disc:
      svg.circle(at, size, mark.colour);
      break;
    case Mark::Kind::ring:
      svg.circle(at, size, mark.colour);
      svg.circle(at, size - 2.5, palette::ground);
      break;
    case Mark::Kind::square:
      svg.rect(at.x - size, at.y - size, 2 * size, 2 * size, mark.colour);
      break;
    case Mark::Kind::cross:
      svg.line({at.x - size, at.y - size}, {at.x + size, at.y + size}, {mark.colour, 2.5});
      svg.line({at.x - size, at.y + size}, {at.x + size, at.y - size}, {mark.colour, 2.5});
      break;
  }
}

double draw_heading(Svg& svg, double left, double y, double width, const std::string& title,
                    const std::string& subtitle) {
  const double x = left + margin;
  const double inner = width - 2 * margin;
  if (!title.empty()) {
    y += title_size;
    svg.text({x, y - 3}, fit_text(title, inner, title_size, true), {.size = title_size, .bold = true});
  }
  if (!subtitle.empty()) {
    y += line_height + 2;
    svg.text({x, y - 3}, fit_text(subtitle, inner, text_size), {.size = text_size, .colour = palette::muted});
  }
  return y;
}

double draw_legend(Svg& svg, double left, double y, double width, std::span<const LegendItem> items) {
  constexpr double gap = 20;
  const double right = left + width - margin;
  double x = left + margin;
  bool first = true;
  for (const LegendItem& item : items) {
    const bool is_line = item.mark.kind == Mark::Kind::line;
    const double swatch = is_line ? 22 : 10;
    const std::string name = fit_text(item.name, width - 2 * margin - swatch - 8, text_size);
    const double taken = swatch + 8 + text_width(name, text_size);
    if (first || x + taken > right) {
      y += first ? line_height + 8 : line_height;
      x = left + margin;
      first = false;
    }
    if (is_line)
      svg.line({x, y - 8}, {x + swatch, y - 8}, {item.mark.colour, 2.5, item.mark.dashes});
    else
      draw_mark(svg, {x + 5, y - 8}, item.mark, 5);
    svg.text({x + swatch + 8, y - 3.5}, name, {.size = text_size});
    x += taken + gap;
  }
  return y;
}

void draw_y_axis(Svg& svg, const Axis& x, const Axis& y) {
  for (std::size_t i = 0; i < y.ticks.at.size(); ++i) {
    const double at = y(y.ticks.at[i]);
    svg.line({x.from, at}, {x.to, at}, {palette::grid});
    svg.text({x.from - 8, at + 4}, y.ticks.labels[i],
             {.size = tick_size, .colour = palette::muted, .anchor = Anchor::end});
  }
}

void draw_x_axis(Svg& svg, const Axis& x, const Axis& y, const std::string& label, double room) {
  svg.line({x.from, y.from}, {x.to, y.from}, {palette::axis});
  double free_from = -std::numeric_limits<double>::infinity();
  for (std::size_t i = 0; i < x.ticks.at.size(); ++i) {
    const double at = x(x.ticks.at[i]);
    svg.line({at, y.from}, {at, y.from + 5}, {palette::axis});
    const double half = text_width(x.ticks.labels[i], tick_size) / 2;
    if (at - half < free_from) continue;  // a mark without a label is better than two labels on one another
    free_from = at + half + 6;
    svg.text({at, y.from + 19}, x.ticks.labels[i],
             {.size = tick_size, .colour = palette::muted, .anchor = Anchor::middle});
  }
  if (label.empty()) return;
  svg.text({(x.from + x.to) / 2, y.from + 19 + line_height}, fit_text(label, room, tick_size),
           {.size = tick_size, .colour = palette::muted, .anchor = Anchor::middle});
}

}  // namespace cadena::plot
