// Hebb's rule over a table of points, shown update by update: for two slides.
#pragma once

#include <array>
#include <vector>

#include "autodiff/tensor.hpp"
#include "examples/course/board.hpp"

namespace cadena::examples::course {

struct Example {
  std::array<double, 2> x;
  double y;
};

/// Applies w += eta·x·y (optim::Hebb) for each point in turn, from w = [0, 0], and writes each update.
/// Returns w.
Tensor learn_hebb(Board& board, double eta, const std::vector<Example>& examples);

}  // namespace cadena::examples::course
