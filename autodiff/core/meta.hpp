// What every operation declares about itself.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace cadena::detail {

/// Values that a rule reads, as bits: inputs 1 to 3 and the output. What is not declared is not kept.
enum : std::uint8_t { none = 0, X1 = 1, X2 = 2, X3 = 4, Y = 8 };
using Reads = std::array<std::uint8_t, 3>;  // by input whose derivative it is

/// Where the gradient suite samples an input, and which points it keeps away from.
struct Domain {
  double low = -2, high = 2;
  std::array<double, 2> kinks = {1e300, 1e300};  ///< points without a derivative
  double margin = 0.05;                          ///< distance kept from them
  bool distinct = false;                         ///< no two elements alike, in random order, within [-1, 1]
};
inline constexpr Domain real{};
inline constexpr Domain positive{.low = 0.3, .high = 3};
inline constexpr Domain kink_at_zero{.kinks = {0, 1e300}};
inline constexpr Domain nonzero{.low = 0.4, .high = 2.5};
inline constexpr Domain unit{.low = 0.1, .high = 0.9};
inline constexpr Domain all_different{.distinct = true};

struct Meta {
  std::string_view name;
  Reads reads = {none, none, none};
  std::array<Domain, 3> domain = {real, real, real};  ///< by input
  bool singular =
      false;  ///< has points with an infinite or undefined derivative: a zero cotangent stays zero
  bool integral = false;  ///< also defined for i64
  double keeps = 0;  ///< what a kernel keeps beside `reads` for its own rule, in sizes of the first input
  std::string_view formula = {};  ///< the value as a reader writes it; elementwise ops print their own
  std::string_view derivative =
      {};  ///< likewise, G being the gradient of the result: "dA = G B^T, dB = A^T G"
  std::string_view conventions = {};  ///< at singular points and for empty input, for docs/operations.md
};

}  // namespace cadena::detail
