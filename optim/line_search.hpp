// A step length that satisfies the strong Wolfe conditions. Private to the .cpp files.
#pragma once

#include <functional>

#include "autodiff/tensor.hpp"

namespace cadena::optim {

/// A point of the line: the loss at distance t, its slope along the line, and the gradient.
struct LinePoint {
  double t, loss, slope;
  Tensor grad;
};

/// Looks for t with loss(t) <= loss(0) + 1e-4 t slope(0) and |slope(t)| <= 0.9 |slope(0)|: first for an
/// interval that holds one, then within it, guided by cubics. A loss that is NaN counts as too large. After
/// 25 evaluations, or in an interval that moves no element by more than 1e-9, the best point so far is taken.
/// @param at evaluates the line @param start t = 0, with a negative slope @param t first length to try
/// @param longest largest absolute element of the direction
LinePoint strong_wolfe(const std::function<LinePoint(double t)>& at, const LinePoint& start, double t,
                       double longest);

}  // namespace cadena::optim
