// The charts of a training.
#pragma once

#include <vector>

#include "examples/digits/training.hpp"
#include "examples/support/chart.hpp"

namespace cadena::examples {

/// Loss and accuracy over the epochs so far.
std::vector<Chart> curves(const History& history);

}  // namespace cadena::examples
