// A series, and the stretches of it that forecasts are made from and judged by.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "data/dataset.hpp"
#include "examples/forecast/options.hpp"

namespace cadena::examples {

struct Series {
  std::string origin;
  std::vector<double> values = {};
  std::int64_t filled = 0;  ///< missing ones, which became the value before

  std::int64_t size() const { return static_cast<std::int64_t>(values.size()); }
};

/// Trend, a day of 24 and a week of 168 values, noise, and a chaotic part that no linear forecast can follow
/// for long: the equation of Mackey and Glass, "Oscillation and chaos in physiological control systems",
/// Science 197 (1977) 287. Always the same.
Series make_series();

/// Reads the column, or makes the series.
/// @throws IoError, FormatError as data::read_csv, ValueError for a column that is not there or holds no
/// numbers
Series load_series(const ForecastOptions& o);

/// Windows and what comes behind each, for first values of the forecast from `begin` to below `end`:
/// x f64 (n, window), y f64 (n, horizon). Windows overlap and are cut out when they are asked for.
class Windows {
 public:
  Windows(const Series& series, std::int64_t begin, std::int64_t end, const ForecastOptions& o)
      : series_(&series), begin_(begin), size_(end - begin), window_(o.window), horizon_(o.horizon) {}

  std::int64_t size() const { return size_; }
  std::int64_t first(std::int64_t i) const { return begin_ + i; }  ///< place of the forecast's first value
  data::Batch batch(std::span<const std::int64_t> indices) const;
  /// At most `most` of them, evenly spread.
  data::Batch spread(std::int64_t most) const;

 private:
  const Series* series_;
  std::int64_t begin_, size_, window_, horizon_;
};

/// The first 70 % of the series to train on, 15 % to validate, the last 15 % held out. What is forecast lies
/// wholly in its part; what it is made from may reach back into the part before.
struct Parts {
  Windows train, validation, test;
  double deviation;  ///< of the values to train on
};
/// @throws ValueError if the series is too short, or constant where it is to be learnt from
Parts split(const Series& series, const ForecastOptions& o);

}  // namespace cadena::examples
