#include "plot/bars.hpp"

#include <algorithm>
#include <cmath>

#include "autodiff/error.hpp"
#include "plot/format.hpp"
#include "plot/panel.hpp"
#include "plot/svg.hpp"

namespace cadena::plot {
namespace {

using namespace panel;

constexpr double row_height = 26, bar_height = 16, widest_name = 200, narrowest = 320;

void check(const Bars& bars) {
  if (bars.names.empty() || bars.names.size() != bars.values.size())
    throw ValueError("[render_bars] expected as many values as names and at least one, got " +
                     std::to_string(bars.values.size()) + " values for " + std::to_string(bars.names.size()) +
                     " names");
  if (!std::all_of(bars.values.begin(), bars.values.end(), [](double v) { return std::isfinite(v); }))
    throw ValueError("[render_bars] expected finite values, got others");
  if (bars.width < narrowest)
    throw ValueError("[render_bars] expected a width of " + format_fixed(narrowest, 0) +
                     " pixels or more, got " + format_fixed(bars.width, 0));
}

/// Room for the longest of `texts`.
double widest(const std::vector<std::string>& texts) {
  double room = 0;
  for (const std::string& text : texts) room = std::max(room, text_width(text, text_size));
  return room;
}

}  // namespace

std::string render_bars(const Bars& bars) {
  check(bars);
  const auto n = bars.names.size();
  const double heading = (bars.title.empty() ? 0 : 26) + (bars.subtitle.empty() ? 0 : 22);
  const double top = margin + heading + 10, bottom = top + static_cast<double>(n) * row_height;
  Svg svg(bars.width, bottom + 2 * line_height + 2 * margin, bars.title);
  draw_heading(svg, 0, margin, bars.width, bars.title, bars.subtitle);

  std::vector<std::string> names, texts;
  for (std::size_t i = 0; i < n; ++i) {
    names.push_back(fit_text(bars.names[i], widest_name, text_size));
    texts.push_back(format_fixed(bars.values[i], bars.decimals));
  }
  const auto [least, most] = std::minmax_element(bars.values.begin(), bars.values.end());
  const double room = widest(texts) + 8;
  const double left = margin + widest(names) + 10 + (*least < 0 ? room : 0);
  const Axis x{.ticks = linear_ticks(std::min(*least, 0.0), std::max(*most, 0.0), {.outward = false}),
               .from = left,
               .to = bars.width - margin - room};
  for (const double at : x.ticks.at) svg.line({x(at), top}, {x(at), bottom}, {palette::grid});
  for (std::size_t i = 0; i < n; ++i) {
    const double y = top + (static_cast<double>(i) + 0.5) * row_height, value = bars.values[i];
    const double from = std::min(x(0), x(value)), to = std::max(x(0), x(value));
    svg.text({margin, y + 4}, names[i], {.size = text_size});
    svg.rect(from, y - bar_height / 2, to - from, bar_height, value < 0 ? palette::bad : palette::good, 2);
    svg.text(
        {value < 0 ? from - 6 : to + 6, y + 4}, texts[i],
        {.size = text_size, .colour = palette::muted, .anchor = value < 0 ? Anchor::end : Anchor::start});
  }
  draw_x_axis(svg, x, {.from = bottom, .to = top}, bars.x_label, bars.width - 2 * margin);
  return svg.str();
}

}  // namespace cadena::plot
