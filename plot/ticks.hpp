#pragma once

#include <span>
#include <string>
#include <vector>

namespace cadena::plot {

/// The range of an axis with its marks: round values, in order, inside [lo, hi], each with its label. Labels
/// of one axis share their unit and their number of decimals, and no two are alike.
struct Ticks {
  double lo = 0;
  double hi = 1;
  std::vector<double> at;
  std::vector<std::string> labels;
};

struct TickStyle {
  int target = 6;        ///< about so many ticks
  bool integer = false;  ///< no ticks between whole numbers
  bool percent = false;  ///< values are shares, labels percentages
  bool outward = true;   ///< widen the range to the next tick on both sides
};

/// Smallest and largest finite value; false where there is none. With `positive_only`, of those above zero.
bool finite_range(std::span<const double> values, bool positive_only, double& lo, double& hi);

/// Ticks at multiples of 1, 2 or 5 times a power of ten. A range of no length is widened around its value, a
/// reversed one turned round, one that is not finite replaced by [0, 1].
Ticks linear_ticks(double lo, double hi, const TickStyle& style = {});

/// Ticks at powers of ten, or at 1, 2 and 5 times these where the range spans few. Bounds that are not
/// positive and finite are replaced (both: by [0.1, 1]).
Ticks log_ticks(double lo, double hi, const TickStyle& style = {});

}  // namespace cadena::plot
