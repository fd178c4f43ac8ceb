#pragma once

#include <string>
#include <vector>

namespace cadena::plot {

/// A bar for each name, from zero to its value, in the order given.
struct Bars {
  std::string title = {};
  std::string subtitle = {};
  std::string x_label = {};
  std::vector<std::string> names = {};
  std::vector<double> values = {};
  int decimals = 3;    ///< of the values written beside the bars
  double width = 640;  ///< pixels; at least 320
};

/// The bars as an SVG document, one below the other, those below zero in another colour. Throws
/// cadena::ValueError if there are none, there are not as many values as names, a value is not finite, or the
/// picture is too narrow.
std::string render_bars(const Bars& bars);

}  // namespace cadena::plot
