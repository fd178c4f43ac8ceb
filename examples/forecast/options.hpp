// The command line of forecast.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "examples/support/program.hpp"

namespace cadena::examples {

/// Values that a token of the networks holds; the window is cut into them.
inline constexpr std::int64_t token_size = 8;

struct ForecastOptions : TrainingOptions {
  ForecastOptions() {
    epochs = 30;
    lr = 2e-3;
  }

  std::filesystem::path data = {};  ///< a series that is made up, if empty
  std::string column = {};          ///< the last one of numbers, if empty
  std::int64_t window = 96;         ///< values that a forecast sees; a multiple of token_size
  std::int64_t horizon = 24;        ///< values that it says
  std::int64_t season = 24;         ///< after how many values the series begins to repeat itself

  /// Where the second training is kept; the first one's place is checkpoint().
  std::filesystem::path second_checkpoint() const { return out / "transformer-checkpoint.safetensors"; }
};

void add_options(CommandLine& line, ForecastOptions& o);

}  // namespace cadena::examples
