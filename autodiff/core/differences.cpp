#include "autodiff/core/differences.hpp"

#include <algorithm>
#include <cmath>

namespace cadena::detail {

const Differences::Vector& Differences::central(int level) {
  Vector& out = central_[static_cast<std::size_t>(level)];
  if (out.empty()) {
    const double h = step_ * factors[static_cast<std::size_t>(level)];
    const Vector a = line_(-2 * h), b = line_(-h), c = line_(h), d = line_(2 * h);
    out.resize(a.size());
    for (std::size_t i = 0; i < out.size(); ++i) out[i] = (a[i] - 8 * b[i] + 8 * c[i] - d[i]) / (12 * h);
  }
  return out;
}

const std::array<Differences::Vector, 5>& Differences::one_sided(bool half, bool right) {
  auto& points = one_sided_[static_cast<std::size_t>(2 * half + right)];
  const double h = step_ * side_factor * (half ? 0.5 : 1) * (right ? 1 : -1);
  for (std::size_t k = 0; k < 5; ++k)
    if (points[k].empty()) points[k] = line_(static_cast<double>(k + 1) * h);
  return points;
}

Differences::Side Differences::side(std::size_t output, bool half, bool right) {
  // The polynomial of degree four through h, 2h, ... 5h, and its derivative, at 0.
  static constexpr double value[] = {5, -10, 10, -5, 1};
  static constexpr double slope[] = {-77. / 12, 107. / 6, -39. / 2, 61. / 6, -25. / 12};
  const auto& points = one_sided(half, right);
  const double h = step_ * side_factor * (half ? 0.5 : 1) * (right ? 1 : -1);
  Side out{0, 0};
  for (std::size_t k = 0; k < 5; ++k) {
    out.value += value[k] * points[k][output];
    out.slope += slope[k] * points[k][output] / h;
  }
  return out;
}

std::optional<Differences::Side> Differences::settled_side(std::size_t output, bool right) {
  const Side a = side(output, false, right), b = side(output, true, right);
  const double size = std::max({1.0, std::abs(a.value), std::abs(a.slope)});
  if (std::abs(a.value - b.value) <= 1e-9 * size && std::abs(a.slope - b.slope) <= 1e-6 * size) return b;
  return {};
}

Differences::Verdict Differences::judge(std::size_t output, double analytic, double rtol, double atol) {
  for (std::size_t level = 1; level < factors.size(); ++level) {
    const double numerical = central(static_cast<int>(level))[output];
    if (std::abs(analytic - numerical) <= atol + rtol * std::max(std::abs(analytic), std::abs(numerical)))
      return Verdict::agrees;
  }
  const auto left = settled_side(output, false), right = settled_side(output, true);
  if (!left || !right) return Verdict::differs;
  const double size = std::max(
      {1.0, std::abs(left->value), std::abs(right->value), std::abs(left->slope), std::abs(right->slope)});
  const bool smooth = std::abs(left->value - right->value) <= 1e-8 * size &&
                      std::abs(left->slope - right->slope) <= 1e-5 * size;
  if (smooth) return Verdict::differs;
  const double slack = 1e-6 * size;
  const bool between = analytic >= std::min(left->slope, right->slope) - slack &&
                       analytic <= std::max(left->slope, right->slope) + slack;
  return between ? Verdict::kink : Verdict::differs;
}

}  // namespace cadena::detail
