#include "examples/forecast/report.hpp"

#include <algorithm>
#include <iostream>
#include <numeric>

#include "autodiff/autodiff.hpp"
#include "data/files/csv.hpp"
#include "data/files/file.hpp"
#include "data/files/safetensors.hpp"
#include "optim/options.hpp"
#include "plot/chart.hpp"
#include "plot/format.hpp"
#include "train/curves.hpp"

namespace cadena::examples {
namespace {

using plot::format_grouped, plot::format_number;

constexpr std::int64_t shown = 8;  // forecasts one behind the other, up to the end of the series

std::vector<double> numbers(std::int64_t from, std::int64_t count) {
  std::vector<double> list(static_cast<std::size_t>(count));
  std::iota(list.begin(), list.end(), static_cast<double>(from));
  return list;
}

/// The end of the held-out part: each forecast begins where the one before it ends.
std::string draw_forecasts(const Series& series, const Parts& parts, const ForecastOptions& o,
                           const std::vector<Forecast>& forecasts) {
  const std::int64_t windows = parts.test.size();
  const std::int64_t n = std::min(shown, (windows - 1) / o.horizon + 1);
  const std::int64_t first = windows - 1 - (n - 1) * o.horizon, begin = parts.test.first(first);
  plot::Chart chart{.title = "Forecasts of what was held out",
                    .subtitle = "a new one every " + std::to_string(o.horizon) + " values, from the " +
                                std::to_string(o.window) + " before it",
                    .x_label = "value number",
                    .x_integer = true,
                    .show_last = false,
                    .width = 1100,
                    .height = 460};
  const auto at = series.values.begin() + begin;
  chart.series.push_back(
      {.name = "truth", .x = numbers(begin, n * o.horizon), .y = {at, at + n * o.horizon}, .colour = 7});
  for (std::size_t f = 0; f < forecasts.size(); ++f) {
    if (forecasts[f].name == "last value") continue;  // a staircase over everything else
    const Tensor rows = forecasts[f].held_out.slice(0, {first, {}, o.horizon});
    chart.series.push_back({.name = forecasts[f].name,
                            .x = numbers(begin, n * o.horizon),
                            .y = rows.to_vector<double>(),
                            .dashed = f < 3,
                            .colour = f});
  }
  return plot::render_chart(chart);
}

/// Mean error of each value of the forecast, from the next one to the farthest.
std::string draw_errors(const Parts& parts, const ForecastOptions& o,
                        const std::vector<Forecast>& forecasts) {
  const Tensor truth = parts.test.spread(parts.test.size()).y;
  plot::Chart chart{.title = "How far ahead",
                    .subtitle = "mean absolute error of the first value of a forecast, the second, ...",
                    .x_label = "values ahead",
                    .y_label = "mean absolute error",
                    .x_integer = true,
                    .y_min = 0,
                    .width = 760};
  for (std::size_t f = 0; f < forecasts.size(); ++f)
    chart.series.push_back({.name = forecasts[f].name,
                            .x = numbers(1, o.horizon),
                            .y = abs(forecasts[f].held_out - truth).mean({0}).to_vector<double>(),
                            .dashed = f < 3,
                            .colour = f});
  return plot::render_chart(chart);
}

std::string draw_curves(const std::vector<Trained>& trained) {
  std::vector<plot::Chart> charts;
  for (const auto& t : trained)
    for (auto& chart : train::curves(t.result.history, {"loss"})) {
      chart.title = t.name;
      chart.y_label = "mean squared error, in variances of the series";
      chart.y_scale = plot::Scale::log;
      charts.push_back(std::move(chart));
    }
  return plot::render_charts(charts);
}

data::Table next_values(const Series& series, const ForecastOptions& o,
                        const std::vector<Forecast>& forecasts) {
  std::vector<data::Column> columns{{.name = "value number", .numbers = numbers(series.size(), o.horizon)}};
  for (const auto& f : forecasts) columns.push_back({.name = f.name, .numbers = f.next.to_vector<double>()});
  return data::Table(std::move(columns));
}

}  // namespace

plot::Table describe(const Series& series, const Parts& parts, const ForecastOptions& o) {
  const auto n = [](std::int64_t value) { return format_grouped(value); };
  plot::Table table{{"series", series.origin + ", " + n(series.size()) + " values"}};
  if (series.filled > 0)
    table.emplace_back("", n(series.filled) + " missing ones are taken to be as the one before");
  table.emplace_back(
      "forecast", n(o.horizon) + " values from the " + n(o.window) + " before them; season " + n(o.season));
  table.emplace_back("windows", n(parts.train.size()) + " to train on, " + n(parts.validation.size()) +
                                    " to validate, " + n(parts.test.size()) + " held out, from the end");
  table.emplace_back("training", "AdamW, learning rate " + optim::to_text(o.lr) +
                                     " falling to 0, batches of " + n(o.batch_size) + ", " + n(o.epochs) +
                                     (o.epochs == 1 ? " epoch" : " epochs") + " each");
  return table;
}

void print_errors(const Parts& parts, const std::vector<Forecast>& forecasts, const ForecastOptions& o) {
  const auto padded = [](std::string text, std::size_t width) {
    text.resize(std::max(text.size() + 2, width), ' ');
    return text;
  };
  std::cout << "\nerrors of " << format_grouped(parts.test.size()) << " forecasts of " << o.horizon
            << " values that were held out\n"
            << padded("", 14) << padded("MAE", 10) << "RMSE\n";
  for (const auto& f : forecasts)
    std::cout << padded(f.name, 14) << padded(format_number(f.mae), 10) << format_number(f.rmse) << '\n';
  std::cout << '\n';
}

std::vector<LeftFile> leave_files(const Series& series, const Parts& parts, const ForecastOptions& o,
                                  const std::vector<Trained>& trained,
                                  const std::vector<Forecast>& forecasts) {
  data::write_file(o.out / "forecasts.svg", draw_forecasts(series, parts, o, forecasts));
  data::write_file(o.out / "errors.svg", draw_errors(parts, o, forecasts));
  data::write_file(o.out / "curves.svg", draw_curves(trained));
  data::write_csv(o.out / "next.csv", next_values(series, o, forecasts));
  std::vector<LeftFile> files{
      {o.out / "forecasts.svg", "the end of what was held out, and the forecasts of it"},
      {o.out / "errors.svg", "errors by how far ahead"},
      {o.out / "curves.svg", "loss over the epochs"},
      {o.out / "next.csv", "what comes after the end of the series"}};
  for (const auto& t : trained) {
    const auto path = o.out / (t.name + ".safetensors");
    data::write_safetensors(path, {.tensors = t.net->state_dict(), .metadata = {{"format", "pt"}}});
    files.push_back({path, "the trained " + t.name});
  }
  return files;
}

}  // namespace cadena::examples
