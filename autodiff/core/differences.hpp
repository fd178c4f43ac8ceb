// Derivatives of a function along a line, by differences of its values; and what can be said where it has a
// kink or a jump within reach of them.
#pragma once

#include <array>
#include <cstddef>
#include <functional>
#include <optional>
#include <vector>

namespace cadena::detail {

/// The numerical derivatives of all outputs along one line through 0, computed as they are asked for.
class Differences {
 public:
  using Vector = std::vector<double>;
  /// All outputs at an offset.
  using Line = std::function<Vector(double offset)>;
  enum class Verdict { agrees, kink, differs };

  Differences(Line line, double step) : line_(std::move(line)), step_(step) {}

  /// Five points, (f(-2h) - 8 f(-h) + 8 f(h) - f(2h)) / 12h, with the step times `factors[level]`.
  const Vector& central(int level);

  /// About an output whose derivative was found not to be `analytic` with the full step h.
  ///   agrees   with a smaller step, which does not reach the kink that the larger one crossed, it is
  ///   kink     closer than h / 200, where the smallest step ends, the two sides have two values or slopes,
  ///            each certain, and `analytic` is one of the slopes or lies between them
  ///   differs  all else: a wrong derivative stays one, beside a kink as well
  Verdict judge(std::size_t output, double analytic, double rtol, double atol);

 private:
  /// What f and f' are at 0 as seen from one side, by five points there.
  struct Side {
    double value, slope;
  };
  const std::array<Vector, 5>& one_sided(bool half, bool right);
  Side side(std::size_t output, bool half, bool right);
  /// What two steps say, if they say the same: they do not where a kink lies among the points.
  std::optional<Side> settled_side(std::size_t output, bool right);

  static constexpr std::array<double, 4> factors = {1, 0.1, 0.01, 0.0025};
  static constexpr double side_factor = 0.01;  // half of it is the reach of the smallest central difference
  Line line_;
  double step_;
  std::array<Vector, factors.size()> central_;
  std::array<std::array<Vector, 5>, 4> one_sided_;
};

}  // namespace cadena::detail
