#include "examples/forecast/series.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "autodiff/autodiff.hpp"
#include "data/files/csv.hpp"
#include "data/toy.hpp"
#include "plot/format.hpp"

namespace cadena::examples {
namespace {

constexpr std::int64_t made_length = 6000;
constexpr std::int64_t fewest_windows = 100;  // to train on

/// dx/dt = 0.2 x(t - 17) / (1 + x(t - 17)^10) - 0.1 x by Euler's steps, a value every 3 units of time. Chaos
/// makes the last bit count, so that every sum here is one rounding: the same series on any machine.
std::vector<double> mackey_glass(std::int64_t length) {
  constexpr std::int64_t per_unit = 10, delay = 17 * per_unit, per_value = 3 * per_unit,
                         warm_up = 1000 * per_unit;
  constexpr double step = 1.0 / static_cast<double>(per_unit);
  std::vector<double> x(static_cast<std::size_t>(delay) + 1, 1.2), values;
  const auto steps = static_cast<std::size_t>(warm_up + length * per_value);
  for (std::size_t t = delay; t < steps + static_cast<std::size_t>(delay); ++t) {
    const double late = x[t - static_cast<std::size_t>(delay)], p2 = late * late, p4 = p2 * p2, p8 = p4 * p4;
    const double rate = std::fma(-0.1, x[t], 0.2 * late / std::fma(p8, p2, 1.0));
    x.push_back(std::fma(step, rate, x[t]));
  }
  for (std::int64_t i = 0; i < length; ++i)
    values.push_back(x[static_cast<std::size_t>(delay + warm_up + i * per_value)]);
  return values;
}

const data::Column& choose_column(const data::Table& table, const ForecastOptions& o) {
  const data::Column* chosen = nullptr;
  for (const auto& column : table.columns())
    if (column.kind == data::ColumnKind::number) chosen = &column;
  if (!o.column.empty()) chosen = &table.column(o.column);
  if (!chosen) throw ValueError("[forecast] expected a column of numbers, got none in " + o.data.string());
  if (chosen->kind != data::ColumnKind::number)
    throw ValueError("[--column] expected a column of numbers, got \"" + chosen->name + "\" with \"" +
                     chosen->categories.front() + '"');
  return *chosen;
}

double deviation_of(std::span<const double> values) {
  const double n = static_cast<double>(values.size());
  const double mean = std::accumulate(values.begin(), values.end(), 0.0) / n;
  double squares = 0;
  for (const double v : values) squares += (v - mean) * (v - mean);
  return std::sqrt(squares / n);
}

}  // namespace

Series make_series() {
  const Tensor sines = data::make_sines(made_length, {.trend = 5e-4, .noise = 0.1});
  Series series{.origin = "made up: trend, day, week, noise, and a chaotic part",
                .values = sines.to_vector<double>()};
  const auto chaos = mackey_glass(made_length);
  for (std::size_t i = 0; i < chaos.size(); ++i)
    series.values[i] += 4 * (chaos[i] - 0.9);  // of deviation 1, too
  return series;
}

Series load_series(const ForecastOptions& o) {
  if (o.data.empty()) return make_series();
  const data::Table table = data::read_csv(o.data);
  const data::Column& column = choose_column(table, o);
  Series series{.origin = '"' + column.name + "\" of " + o.data.string()};
  for (const double v : column.numbers) {
    if (!std::isnan(v)) {
      series.values.push_back(v);
    } else if (!series.values.empty()) {  // the value before is all that was known then
      series.values.push_back(series.values.back());
      ++series.filled;
    }
  }
  return series;
}

data::Batch Windows::batch(std::span<const std::int64_t> indices) const {
  std::vector<double> x, y;
  const auto n = static_cast<std::int64_t>(indices.size());
  for (const auto i : indices) {
    const auto at = series_->values.begin() + first(i);
    x.insert(x.end(), at - window_, at);
    y.insert(y.end(), at, at + horizon_);
  }
  return {tensor(x, {n, window_}), tensor(y, {n, horizon_})};
}

data::Batch Windows::spread(std::int64_t most) const {
  std::vector<std::int64_t> indices;
  const std::int64_t n = std::min(most, size_);
  for (std::int64_t i = 0; i < n; ++i) indices.push_back(i * size_ / n);
  return batch(indices);
}

Parts split(const Series& series, const ForecastOptions& o) {
  const std::int64_t n = series.size(), held_out = n * 15 / 100, train = n - 2 * held_out;
  if (train < o.window + o.horizon + fewest_windows || held_out < 2 * o.horizon || train < o.season)
    throw ValueError("[forecast] expected a longer series for a window of " + std::to_string(o.window) +
                     ", a horizon of " + std::to_string(o.horizon) + " and a season of " +
                     std::to_string(o.season) + ", got " + plot::format_grouped(n) + " values");
  const double deviation = deviation_of(std::span(series.values).first(static_cast<std::size_t>(train)));
  if (!(deviation > 0) || !std::isfinite(deviation))
    throw ValueError("[forecast] expected a series that varies, got " +
                     std::string(deviation == 0 ? "a constant" : "numbers too large to compute with") +
                     " in " + series.origin);
  return {.train = {series, o.window, train - o.horizon + 1, o},
          .validation = {series, train, train + held_out - o.horizon + 1, o},
          .test = {series, train + held_out, n - o.horizon + 1, o},
          .deviation = deviation};
}

}  // namespace cadena::examples
