// What a classifier says where in the plane.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "autodiff/tensor.hpp"
#include "plot/plane.hpp"

namespace cadena::plot {

/// The regions of the classes, each shaded, with their borders, and points with their true classes in it;
/// title and labels are the caller's. The picture reaches a little beyond the points.
/// @param scores (n, 2) f32 -> (n, C), the class with the highest score wins; or -> (n) or (n, 1), class 1
/// above 0. Not recorded
/// @param points (n, 2) @param labels (n) integers @param names of the classes; their numbers if there are
/// none
/// @throws ShapeError, ValueError for what does not fit
Plane decision_plane(const std::function<Tensor(const Tensor&)>& scores, const Tensor& points,
                     const Tensor& labels, const std::vector<std::string>& names = {});

}  // namespace cadena::plot
