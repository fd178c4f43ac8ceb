#include "plot/decision.hpp"

#include <algorithm>
#include <cmath>
#include <memory>

#include "autodiff/autodiff.hpp"

namespace cadena::plot {
namespace {

constexpr std::int64_t resolution = 101;  // grid points in each direction

void check(const Tensor& points, const Tensor& labels) {
  if (points.dim() != 2 || points.size(1) != 2 || labels.shape() != Shape{points.size(0)} ||
      points.size(0) == 0)
    throw ShapeError("[decision_plane] expected points (n, 2) and labels (n), n > 0, got " +
                     to_string(points.shape()) + " and " + to_string(labels.shape()));
}

/// Smallest and largest coordinates, with room around.
void set_range(Plane& plane, const Tensor& points) {
  constexpr double margin = 0.08;
  const auto low = amin(points, {0}).to_vector<double>(), high = amax(points, {0}).to_vector<double>();
  const auto room = [&](std::size_t axis) { return std::max(high[axis] - low[axis], 1e-6) * margin; };
  plane.low = {low[0] - room(0), low[1] - room(1)};
  plane.high = {high[0] + room(0), high[1] + room(1)};
}

/// Scores (resolution^2, C) on the grid of the plane, row by row.
Tensor on_grid(const Plane& plane, const std::function<Tensor(const Tensor&)>& scores) {
  const Tensor x = linspace(plane.low.x, plane.high.x, resolution),
               y = linspace(plane.low.y, plane.high.y, resolution);
  const Shape square{resolution, resolution};
  const Tensor grid = stack({x.unsqueeze(0).expand(square), y.unsqueeze(1).expand(square)}, 2);
  const NoGrad no_grad;
  Tensor result = scores(reshape(grid, {resolution * resolution, 2}));
  if (result.dim() == 1) result = result.unsqueeze(1);
  if (result.dim() != 2 || result.size(0) != resolution * resolution)
    throw ShapeError("[decision_plane] expected scores (n, C) or (n) of n points, got " +
                     to_string(result.shape()) + " of " + std::to_string(resolution * resolution));
  if (result.size(1) == 1) result = cat({zeros_like(result), result}, 1);
  return result;
}

/// By how much class c leads: above 0 where it wins.
Tensor lead_of(const Tensor& scores, std::int64_t c) {
  std::vector<std::int64_t> others;
  for (std::int64_t k = 0; k < scores.size(1); ++k)
    if (k != c) others.push_back(k);
  return scores.select(1, c) - amax(index_select(scores, 1, tensor(others)), {1});
}

PlaneField region(const Plane& plane, const Tensor& lead, std::size_t c) {
  constexpr double tint = 0.82;  // of white
  const auto values = std::make_shared<const std::vector<double>>(lead.to_vector<double>());
  const auto at = [](double v, double low, double high) {
    return static_cast<std::size_t>(std::lround((v - low) / (high - low) * (resolution - 1)));
  };
  PlaneField field{.f = [values, at, low = plane.low, high = plane.high](double x, double y) {
    return (*values)[at(y, low.y, high.y) * resolution + at(x, low.x, high.x)];
  }};
  const auto hex = std::string(palette::series(c));
  const auto part = [&hex](std::size_t i) { return std::stoi(hex.substr(i, 2), nullptr, 16) / 255.0; };
  field.shade = to_hex(mix({part(1), part(3), part(5)}, {1, 1, 1}, tint));
  field.shade_above = 0;
  field.levels = {0};
  field.resolution = resolution;
  return field;
}

}  // namespace

Plane decision_plane(const std::function<Tensor(const Tensor&)>& scores, const Tensor& points,
                     const Tensor& labels, const std::vector<std::string>& names) {
  check(points, labels);
  Plane plane;
  set_range(plane, points);
  const Tensor values = on_grid(plane, scores);
  const auto classes = static_cast<std::size_t>(values.size(1));
  for (std::size_t c = 0; c < classes; ++c) {
    plane.fields.push_back(region(plane, lead_of(values, static_cast<std::int64_t>(c)), c));
    plane.points.push_back({.name = c < names.size() ? names[c] : std::to_string(c),
                            .mark = {Mark::Kind::disc, palette::series(c)},
                            .size = 4});
  }
  const auto at = points.to_vector<double>();
  const auto label = labels.to_vector<std::int64_t>();
  for (std::size_t i = 0; i < label.size(); ++i) {
    if (label[i] < 0 || label[i] >= static_cast<std::int64_t>(classes))
      throw ValueError("[decision_plane] expected labels from 0 to " + std::to_string(classes - 1) +
                       ", got " + std::to_string(label[i]));
    plane.points[static_cast<std::size_t>(label[i])].at.push_back({at[2 * i], at[2 * i + 1]});
  }
  return plane;
}

}  // namespace cadena::plot
