#pragma once

#include <span>

namespace cadena::data::detail {

struct StrokePoint {
  double x, y;
};

/// Points that a pen passes without being lifted. A point that is given twice in a row is a corner; elsewhere
/// the curve is smooth.
using PenPath = std::span<const StrokePoint>;

/// One way of writing a digit.
struct DigitStyle {
  double weight;  ///< how often, among the styles of its digit; they sum to 1
  std::span<const PenPath> paths;
};

/// The ways of writing `digit` (0 to 9). Digits are one unit high and centred on the origin, y pointing down.
std::span<const DigitStyle> digit_styles(int digit);

}  // namespace cadena::data::detail
