#include "autodiff/formulas/arithmetic.hpp"

#include "autodiff/core/elementwise_family.hpp"

namespace cadena {

CADENA_ARITHMETIC_UNARY_OPS(CADENA_UNARY_FUNCTION)
CADENA_ARITHMETIC_BINARY_OPS(CADENA_BINARY_FUNCTION)

namespace detail {

Tensor absorbing_mul(const Tensor& g, const Operand& d) {
  return elementwise_call<formulas::AbsorbingMul>(g, d);
}

OpList arithmetic_ops() {
  constexpr auto family = "arithmetic";
  OpList list = {CADENA_ARITHMETIC_UNARY_OPS(CADENA_ELEMENTWISE_ROW)  //
                 CADENA_ARITHMETIC_BINARY_OPS(CADENA_ELEMENTWISE_ROW)};
  list.push_back(
      elementwise_row(formulas::AbsorbingMul::meta, family,
                      [](const Operand& a, const Operand& b) { return absorbing_mul(*a.tensor(), b); }));
  return list;
}

}  // namespace detail
}  // namespace cadena
