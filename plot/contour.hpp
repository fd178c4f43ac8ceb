#pragma once

#include <cstddef>
#include <functional>
#include <vector>

#include "plot/svg.hpp"

namespace cadena::plot {

/// A function of two variables on a regular grid, both ends included; at least 2 x 2 values, row by row.
class ScalarField {
 public:
  ScalarField(Point low, Point high, std::size_t columns, std::size_t rows,
              const std::function<double(double, double)>& f);

  std::size_t columns() const { return columns_; }
  std::size_t rows() const { return rows_; }
  double value(std::size_t column, std::size_t row) const { return values_[row * columns_ + column]; }
  Point at(std::size_t column, std::size_t row) const;

 private:
  Point low_, high_;
  std::size_t columns_, rows_;
  std::vector<double> values_;
};

/// The lines along which the field, linear along the edges of the grid, has the value `level`. A closed line
/// ends where it begins. Marching squares; at a saddle the mean of the four corners decides.
std::vector<std::vector<Point>> contour_lines(const ScalarField& field, double level);

/// Polygons that together cover where the field is above `level`; they do not overlap.
std::vector<std::vector<Point>> area_above(const ScalarField& field, double level);

}  // namespace cadena::plot
