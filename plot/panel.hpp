// The parts that charts and planes share: heading, legend, axes with their marks.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "plot/svg.hpp"
#include "plot/ticks.hpp"

namespace cadena::plot {

enum class Scale { linear, log };

namespace panel {
inline constexpr double margin = 24;
inline constexpr double tick_size = 12;
inline constexpr double text_size = 13;
inline constexpr double title_size = 17;
inline constexpr double line_height = 18;
}  // namespace panel

/// An axis on the page: from values to pixels.
struct Axis {
  Ticks ticks = {};
  Scale scale = Scale::linear;
  double from = 0;  ///< pixel of ticks.lo
  double to = 1;    ///< pixel of ticks.hi

  bool shows(double value) const;
  /// Clamped to just outside the plot, because SVG viewers compute in floats.
  double operator()(double value) const;
};

/// What marks a thing in the plot and in the legend.
struct Mark {
  enum class Kind { line, disc, ring, square, cross };
  Kind kind = Kind::line;
  std::string_view colour = palette::ink;
  std::string_view dashes = {};
};

struct LegendItem {
  std::string name;
  Mark mark;
};

/// A mark other than a line, about `size` pixels to each side of `at`.
void draw_mark(Svg& svg, Point at, const Mark& mark, double size);

// Each of these begins at `y`, keeps `width` pixels from `left`, margins included, and returns where it ends.
double draw_heading(Svg& svg, double left, double y, double width, const std::string& title,
                    const std::string& subtitle);
double draw_legend(Svg& svg, double left, double y, double width, std::span<const LegendItem> items);

/// Grid lines and marks of the y axis beside the plot that the two axes span.
void draw_y_axis(Svg& svg, const Axis& x, const Axis& y);
/// The line of the x axis with its marks, and its name below.
void draw_x_axis(Svg& svg, const Axis& x, const Axis& y, const std::string& label, double room);

}  // namespace cadena::plot
