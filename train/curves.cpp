#include "train/curves.hpp"

#include <algorithm>
#include <optional>

#include "plot/format.hpp"
#include "plot/terminal_plot.hpp"

namespace cadena::train {
namespace {

/// The values of a figure; empty if no epoch has it.
std::optional<plot::Series> series(const History& history, const std::string& figure, std::string name,
                                   bool& percent) {
  plot::Series result{.name = std::move(name)};
  for (const auto& record : history)
    for (const auto& metric : record.metrics) {
      if (metric.name != figure) continue;
      result.x.push_back(static_cast<double>(record.epoch));
      result.y.push_back(metric.value);
      percent = percent || metric.format == Format::percent;
    }
  if (result.x.empty()) return {};
  return result;
}

}  // namespace

std::vector<plot::Chart> curves(const History& history, const std::vector<std::string>& figures) {
  std::vector<plot::Chart> charts;
  for (const auto& figure : figures) {
    plot::Chart chart{.title = figure, .x_label = "epoch", .y_label = figure, .x_integer = true};
    const auto add = [&](const std::string& of, const char* name) {
      if (auto s = series(history, of, name, chart.y_percent)) chart.series.push_back(std::move(*s));
    };
    add(figure, "training");
    add("val " + figure, "validation");
    if (!chart.series.empty()) charts.push_back(std::move(chart));
  }
  return charts;
}

std::vector<std::string> draw_curves(const History& history, const std::vector<std::string>& figures,
                                     std::int64_t epochs, const plot::Terminal& terminal) {
  constexpr int rows_of_epochs = 12, fewest_rows = 4, most_rows = 10, least_width_for_two = 76;
  const int rows = std::min(most_rows, terminal.height - rows_of_epochs);
  if (rows < fewest_rows) return {};
  auto charts = curves(history, figures);
  for (auto& chart : charts) {
    chart.x_min = 1;
    chart.x_max = static_cast<double>(std::max<std::int64_t>(epochs, 2));
  }
  if (charts.empty()) return {};
  if (terminal.width < least_width_for_two) charts.resize(1);  // else the second would stand below the first
  return plot::render_terminal_charts(charts, terminal, rows);
}

plot::Chart lr_chart(const optim::LrFindResult& found) {
  plot::Chart chart{.title = "loss by learning rate",
                    .subtitle = "suggested: " + plot::format_number(found.suggestion),
                    .x_label = "learning rate",
                    .y_label = "loss",
                    .series = {{.name = "loss", .x = found.lrs, .y = found.losses}},
                    .x_scale = plot::Scale::log,
                    .show_last = false};
  if (!found.losses.empty()) {
    const auto [least, most] = std::minmax_element(found.losses.begin(), found.losses.end());
    chart.series.push_back({.name = "suggested",
                            .x = {found.suggestion, found.suggestion},
                            .y = {*least, *most},
                            .dashed = true});
  }
  return chart;
}

}  // namespace cadena::train
