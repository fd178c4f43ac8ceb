#include "plot/contour.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <utility>

#include "autodiff/error.hpp"

namespace cadena::plot {
namespace {

/// Where a line crosses an edge of the grid. The number of the edge says which crossings are one.
struct Crossing {
  std::size_t edge;
  Point at;
};

using Segment = std::pair<Crossing, Crossing>;

/// The corners of a cell, counterclockwise from its origin.
struct Corner {
  Point at;
  double above;      // the field less the level
  std::size_t edge;  // from this corner to the next one
};
using Cell = std::array<Corner, 4>;

Cell cell_of(const ScalarField& field, std::size_t column, std::size_t row, double level) {
  // Edge 2n leads from grid point n to the right, edge 2n + 1 to the next row.
  const auto point = [&](std::size_t c, std::size_t r) { return r * field.columns() + c; };
  const auto corner = [&](std::size_t c, std::size_t r, std::size_t edge) {
    return Corner{field.at(c, r), field.value(c, r) - level, edge};
  };
  const std::size_t c = column, r = row;
  return {corner(c, r, 2 * point(c, r)), corner(c + 1, r, 2 * point(c + 1, r) + 1),
          corner(c + 1, r + 1, 2 * point(c, r + 1)), corner(c, r + 1, 2 * point(c, r) + 1)};
}

bool is_above(const Corner& corner) { return corner.above > 0; }

Point between(const Corner& a, const Corner& b) {
  // From the same end whichever cell asks, so that neighbours agree to the last bit.
  const bool swap = std::pair(b.at.x, b.at.y) < std::pair(a.at.x, a.at.y);
  const Corner &from = swap ? b : a, &to = swap ? a : b;
  const double share = from.above / (from.above - to.above);
  return {std::lerp(from.at.x, to.at.x, share), std::lerp(from.at.y, to.at.y, share)};
}

std::vector<Crossing> crossings(const Cell& cell) {
  std::vector<Crossing> found;
  for (std::size_t i = 0; i < 4; ++i) {
    const Corner &a = cell[i], &b = cell[(i + 1) % 4];
    if (is_above(a) != is_above(b)) found.push_back({a.edge, between(a, b)});
  }
  return found;
}

std::vector<Segment> segments_of(const ScalarField& field, double level) {
  std::vector<Segment> segments;
  for (std::size_t row = 0; row + 1 < field.rows(); ++row) {
    for (std::size_t column = 0; column + 1 < field.columns(); ++column) {
      const Cell cell = cell_of(field, column, row, level);
      const auto on = crossings(cell);
      if (on.size() == 2) segments.emplace_back(on[0], on[1]);
      if (on.size() != 4) continue;
      const double middle = cell[0].above + cell[1].above + cell[2].above + cell[3].above;
      const bool joined = (middle > 0) == is_above(cell[0]);  // corner 0 and corner 2 belong together
      segments.emplace_back(on[0], on[joined ? 1 : 3]);
      segments.emplace_back(on[2], on[joined ? 3 : 1]);
    }
  }
  return segments;
}

}  // namespace

ScalarField::ScalarField(Point low, Point high, std::size_t columns, std::size_t rows,
                         const std::function<double(double, double)>& f)
    : low_(low), high_(high), columns_(columns), rows_(rows) {
  if (columns < 2 || rows < 2)
    throw ValueError("[ScalarField] expected at least 2 x 2 values, got " + std::to_string(columns) + " x " +
                     std::to_string(rows));
  values_.reserve(columns * rows);
  for (std::size_t row = 0; row < rows; ++row)
    for (std::size_t column = 0; column < columns; ++column) {
      const Point p = at(column, row);
      values_.push_back(f(p.x, p.y));
    }
}

Point ScalarField::at(std::size_t column, std::size_t row) const {
  const auto share = [](std::size_t i, std::size_t n) {
    return static_cast<double>(i) / static_cast<double>(n - 1);
  };
  return {std::lerp(low_.x, high_.x, share(column, columns_)), std::lerp(low_.y, high_.y, share(row, rows_))};
}

std::vector<std::vector<Point>> contour_lines(const ScalarField& field, double level) {
  const auto segments = segments_of(field, level);
  std::map<std::size_t, std::vector<std::size_t>> meeting;  // segments at an edge: one at the rim, else two
  for (std::size_t i = 0; i < segments.size(); ++i) {
    meeting[segments[i].first.edge].push_back(i);
    meeting[segments[i].second.edge].push_back(i);
  }
  std::vector<bool> used(segments.size());
  const auto walk = [&](std::size_t edge) {
    std::vector<Point> line;
    while (true) {
      const auto& here = meeting[edge];
      const auto next = std::find_if(here.begin(), here.end(), [&](std::size_t i) { return !used[i]; });
      if (next == here.end()) return line;
      const auto& [first, second] = segments[*next];
      used[*next] = true;
      const bool forwards = first.edge == edge;
      if (line.empty()) line.push_back(forwards ? first.at : second.at);
      line.push_back(forwards ? second.at : first.at);
      edge = forwards ? second.edge : first.edge;
    }
  };
  std::vector<std::vector<Point>> lines;
  const auto collect = [&](std::size_t edge) {
    if (auto line = walk(edge); !line.empty()) lines.push_back(std::move(line));
  };
  for (const auto& [edge, here] : meeting)
    if (here.size() == 1) collect(edge);  // from the rim first; what is left then is closed
  for (const auto& [edge, here] : meeting) collect(edge);
  return lines;
}

std::vector<std::vector<Point>> area_above(const ScalarField& field, double level) {
  std::vector<std::vector<Point>> area;
  for (std::size_t row = 0; row + 1 < field.rows(); ++row) {
    bool growing = false;  // the last polygon is a run of whole cells of this row
    for (std::size_t column = 0; column + 1 < field.columns(); ++column) {
      const Cell cell = cell_of(field, column, row, level);
      const bool whole = std::all_of(cell.begin(), cell.end(), is_above);
      if (whole && growing) {
        area.back()[1] = cell[1].at;
        area.back()[2] = cell[2].at;
        continue;
      }
      growing = whole;
      std::vector<Point> polygon;
      for (std::size_t i = 0; i < 4; ++i) {
        const Corner &a = cell[i], &b = cell[(i + 1) % 4];
        if (is_above(a)) polygon.push_back(a.at);
        if (is_above(a) != is_above(b)) polygon.push_back(between(a, b));
      }
      if (!polygon.empty()) area.push_back(std::move(polygon));
    }
  }
  return area;
}

}  // namespace cadena::plot
