// The charts of a training.
#pragma once

#include <vector>

#include "examples/digits/training.hpp"
#include "plot/chart.hpp"

namespace cadena::examples {

/// Loss and accuracy over the epochs so far.
std::vector<plot::Chart> curves(const History& history);

}  // namespace cadena::examples
