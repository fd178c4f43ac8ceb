#include "autodiff/formulas/arithmetic.hpp"

#include <cmath>
#include <limits>
#include <string>

#include "autodiff/core/elementwise_family.hpp"
#include "autodiff/core/tape.hpp"
#include "autodiff/error.hpp"
#include "autodiff/ops/arithmetic.hpp"
#include "autodiff/ops/choice.hpp"
#include "autodiff/ops/movement.hpp"
#include "autodiff/ops/reduce.hpp"

namespace cadena {

CADENA_ARITHMETIC_UNARY_OPS(CADENA_UNARY_FUNCTION)
CADENA_ARITHMETIC_PAIR_OPS(CADENA_BINARY_FUNCTION)

Tensor pow(const Operand& a, const Operand& b) {
  if (a.tensor() && !b.tensor() && is_floating(a.tensor()->dtype())) {
    const auto exponent = b.scalar().to<double>();
    if (std::isfinite(exponent) && exponent != 0)
      return detail::elementwise_call(formulas::PowNumber{exponent}, *a.tensor());
  }
  return detail::elementwise_call(formulas::Pow{}, a, b);
}

Tensor lerp(const Operand& a, const Operand& b, const Operand& weight) {
  return detail::elementwise_call(formulas::Lerp{}, a, b, weight);
}
Tensor addcmul(const Operand& x, const Operand& a, const Operand& b, double value) {
  return detail::elementwise_call(formulas::Addcmul{value}, x, a, b);
}
Tensor addcdiv(const Operand& x, const Operand& a, const Operand& b, double value) {
  return detail::elementwise_call(formulas::Addcdiv{value}, x, a, b);
}

Tensor clamp(const Tensor& x, std::optional<Scalar> min, std::optional<Scalar> max) {
  if (min && max && min->to<double>() > max->to<double>())
    throw ValueError("[clamp] expected min <= max, got " + std::to_string(min->to<double>()) + " and " +
                     std::to_string(max->to<double>()));
  if (is_floating(x.dtype())) {
    formulas::Clamp op;
    if (min) op.low = min->to<double>();
    if (max) op.high = max->to<double>();
    return detail::elementwise_call(op, x);
  }
  // Whole numbers keep all their digits, and have no derivative to get right at the bounds.
  Tensor y = min ? maximum(x, *min) : x;
  if (max) y = minimum(y, *max);
  return min || max ? y : clone(x);
}

Tensor clamp(const Tensor& x, const Tensor& min, const Tensor& max) {
  broadcast("clamp", broadcast("clamp", x.shape(), min.shape()), max.shape());
  detail::repeatable("clamp", [low = min.detach(), high = max.detach()] {
    if (sum(gt(low, high)).item<std::int64_t>() > 0)
      throw ValueError("[clamp] expected min <= max everywhere, got bounds of shapes " +
                       to_string(low.shape()) + " and " + to_string(high.shape()) + " that cross");
  });
  if (!is_floating(x.dtype()) && !is_floating(min.dtype()) && !is_floating(max.dtype()))
    return minimum(maximum(x, min), max);
  return detail::elementwise_call(formulas::ClampTensor{}, x, min, max);
}

Tensor nan_to_num(const Tensor& x, double nan, std::optional<double> posinf, std::optional<double> neginf) {
  if (!is_floating(x.dtype())) return clone(x);
  const double largest = x.dtype() == f32 ? static_cast<double>(std::numeric_limits<float>::max())
                                          : std::numeric_limits<double>::max();
  return detail::elementwise_call(
      formulas::NanToNum{nan, posinf.value_or(largest), neginf.value_or(-largest)}, x);
}

namespace detail {

Tensor absorbing_mul(const Tensor& g, const Operand& d) {
  return elementwise_call(formulas::AbsorbingMul{}, g, d);
}

namespace {

OpInfo absorbing_mul_row(const char* family) {
  return elementwise_row(formulas::AbsorbingMul::meta, family,
                         [](const Operand& a, const Operand& b) { return absorbing_mul(*a.tensor(), b); });
}

OpList rows_with_attributes(const char* family) {
  return {
      elementwise_row(formulas::Lerp::meta, family, 3,
                      {{"", [](const TensorList& x) { return lerp(x[0], x[1], x[2]); }}}),
      elementwise_row(formulas::Addcmul::meta, family, 3,
                      {{"", [](const TensorList& x) { return addcmul(x[0], x[1], x[2]); }},
                       {"value=-0.7", [](const TensorList& x) { return addcmul(x[0], x[1], x[2], -0.7); }}}),
      elementwise_row(formulas::Addcdiv::meta, family, 3,
                      {{"", [](const TensorList& x) { return addcdiv(x[0], x[1], x[2]); }},
                       {"value=-0.7", [](const TensorList& x) { return addcdiv(x[0], x[1], x[2], -0.7); }}}),
      elementwise_row(formulas::Clamp::meta, family, 1,
                      {{"min=-1 max=1", [](const TensorList& x) { return clamp(x[0], -1, 1); }},
                       {"min=-1", [](const TensorList& x) { return clamp(x[0], -1); }},
                       {"max=1", [](const TensorList& x) { return clamp(x[0], {}, 1); }}}),
      elementwise_row(formulas::ClampTensor::meta, family, 3,
                      {{"", [](const TensorList& x) { return clamp(x[0], x[1], x[2]); }}}),
      elementwise_row(formulas::NanToNum::meta, family, 1,
                      {{"", [](const TensorList& x) { return nan_to_num(x[0]); }}}),
  };
}

}  // namespace

OpList arithmetic_ops() {
  constexpr auto family = "arithmetic";
  OpList list = {CADENA_ARITHMETIC_UNARY_OPS(CADENA_UNARY_ROW)  //
                 CADENA_ARITHMETIC_BINARY_OPS(CADENA_BINARY_ROW) absorbing_mul_row(family)};
  for (auto& row : rows_with_attributes(family)) list.push_back(std::move(row));
  return list;
}

}  // namespace detail
}  // namespace cadena
