#include "examples/forecast/options.hpp"

#include <CLI/CLI.hpp>

namespace cadena::examples {
namespace {

std::string check_window(const std::string& text) {
  std::int64_t value = 0;
  if (CLI::detail::lexical_cast(text, value) && value >= token_size && value <= 100'000 &&
      value % token_size == 0)
    return {};
  return "expected a multiple of " + std::to_string(token_size) + ", got " + text;
}

}  // namespace

void add_options(CommandLine& line, ForecastOptions& o) {
  CLI::App& app = line.app();
  const auto add = [&](const char* option, std::int64_t& value, const char* description) {
    return app.add_option(option, value, description)->type_name("N")->capture_default_str();
  };
  app.add_option("--data", o.data,
                 "CSV file with a header, a row for each moment, the oldest\n"
                 "first (otherwise a series that is made up)")
      ->type_name("FILE");
  app.add_option("--column", o.column, "Column to forecast (otherwise the last one of numbers)")
      ->type_name("NAME")
      ->needs("--data");
  add("--window", o.window, "Values that a forecast is made from; a multiple of 8")
      ->check(CLI::Validator(check_window, ""));
  add("--horizon", o.horizon, "Values that are forecast")->check(whole_number(1, 10'000));
  add("--season", o.season, "Values after which the series repeats itself, about;\nfor the seasonal forecast")
      ->check(whole_number(1, 1'000'000));
  line.add_training(o);
}

}  // namespace cadena::examples
