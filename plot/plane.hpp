#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "plot/panel.hpp"

namespace cadena::plot {

/// Points of one kind.
struct PlanePoints {
  std::string name = {};
  std::vector<Point> at = {};
  Mark mark = {.kind = Mark::Kind::disc};
  double size = 7;
};

/// A line through points, for example the way of an optimizer.
struct PlanePath {
  std::string name = {};
  std::vector<Point> at = {};
  Mark mark = {};  ///< colour and dashes
  double width = 2;
  double dots = 0;  ///< radius of a dot at each point; 0 for none
};

/// A function over the plane: lines of equal value, and the part above a value shaded.
struct PlaneField {
  std::function<double(double, double)> f = {};
  std::vector<double> levels = {};
  Mark line = {.colour = palette::axis};
  std::string line_name = {};
  double line_width = 1;
  std::optional<double> shade_above = {};
  std::string shade = "#dbeaf5";
  std::string shade_name = {};
  std::size_t resolution = 61;  ///< grid points in each direction
};

/// A part of the plane with points, paths and fields in it.
struct Plane {
  std::string title = {};
  std::string subtitle = {};
  std::string x_label = {};
  std::string y_label = {};
  Point low = {0, 0};
  Point high = {1, 1};
  std::vector<PlaneField> fields = {};
  std::vector<PlanePath> paths = {};
  std::vector<PlanePoints> points = {};
  double width = 460;  ///< pixels; at least 240
  double height = 460;
};

/// Planes in rows of `per_row` in one SVG document. Throws cadena::ValueError where one is too small to hold
/// anything or has no extent.
std::string render_planes(std::span<const Plane> planes, std::size_t per_row = 2);
std::string render_plane(const Plane& plane);

}  // namespace cadena::plot
