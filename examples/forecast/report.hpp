// What forecast prints and leaves behind.
#pragma once

#include <vector>

#include "examples/forecast/models.hpp"
#include "examples/support/left_files.hpp"

namespace cadena::examples {

/// A network and how it was trained.
struct Trained {
  std::string name;
  Forecaster* net;
  train::FitResult result;
};

plot::Table describe(const Series& series, const Parts& parts, const ForecastOptions& o);

void print_errors(const Parts& parts, const std::vector<Forecast>& forecasts, const ForecastOptions& o);

std::vector<LeftFile> leave_files(const Series& series, const Parts& parts, const ForecastOptions& o,
                                  const std::vector<Trained>& trained,
                                  const std::vector<Forecast>& forecasts);

}  // namespace cadena::examples
