#include "examples/forecast/options.hpp"

namespace cadena::examples {

void add_options(CommandLine& line, ForecastOptions& o) {
  const auto add = [&](const char* option, std::int64_t& value, const char* description) {
    return line.add(option, value, "N", description).shows_default();
  };
  line.add("--data", o.data, "FILE",
           "CSV file with a header, a row for each moment, the oldest\n"
           "first (otherwise a series that is made up)");
  line.add("--column", o.column, "NAME", "Column to forecast (otherwise the last one of numbers)")
      .needs("--data");
  add("--window", o.window, "Values that a forecast is made from; a multiple of 8")
      .check(multiple_of(token_size, 100'000));
  add("--horizon", o.horizon, "Values that are forecast").check(whole_number(1, 10'000));
  add("--season", o.season, "Values after which the series repeats itself, about;\nfor the seasonal forecast")
      .check(whole_number(1, 1'000'000));
  add_training(line, o);
}

}  // namespace cadena::examples
