#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "plot/panel.hpp"

namespace cadena::plot {

/// One line of a chart. `x` and `y` are equally long. A value that is not finite (or not positive on a log
/// axis) interrupts the line; a point between two interruptions is drawn as a dot.
struct Series {
  std::string name = {};
  std::vector<double> x = {};
  std::vector<double> y = {};
  bool dashed = false;
  /// Number of the colour; by position among the series when empty. For pairs such as training and test.
  std::optional<std::size_t> colour = {};
};

struct Chart {
  std::string title = {};
  std::string subtitle = {};
  std::string x_label = {};
  std::string y_label = {};
  std::vector<Series> series = {};
  Scale x_scale = Scale::linear;
  Scale y_scale = Scale::linear;
  bool x_integer = false;            ///< epochs: no marks between whole numbers
  bool y_percent = false;            ///< values are shares, the marks say percentages
  std::optional<double> x_min = {};  ///< where the axis shall begin; from the data when empty
  std::optional<double> x_max = {};
  std::optional<double> y_min = {};
  std::optional<double> y_max = {};
  bool show_last = true;  ///< writes each line's last value at its end
  double width = 640;     ///< pixels; at least 240
  double height = 420;    ///< pixels; at least 200
};

/// The chart as an SVG document. Throws cadena::ValueError if a series' x and y differ in length or the
/// picture is too small to hold a chart.
std::string render_chart(const Chart& chart);

/// Several charts side by side in one document.
std::string render_charts(std::span<const Chart> charts);

}  // namespace cadena::plot
