// The public one- and two-argument functions. Formulas: ../formulas.hpp.
#include "autodiff/core/elementwise.hpp"

#include "autodiff/core/table.hpp"

namespace cadena {

#define CADENA_OP(Op, function) \
  Tensor function(const Tensor& x) { return detail::elementwise_call<formulas::Op>(x); }
CADENA_UNARY_OPS(CADENA_OP)
#undef CADENA_OP

#define CADENA_OP(Op, function) \
  Tensor function(const Operand& a, const Operand& b) { return detail::elementwise_call<formulas::Op>(a, b); }
CADENA_BINARY_OPS(CADENA_OP)
#undef CADENA_OP

namespace detail {

Tensor absorbing_mul(const Tensor& g, const Operand& d) {
  return elementwise_call<formulas::AbsorbingMul>(g, d);
}

OpList elementwise_ops() {
  OpList list;
#define CADENA_OP(Op, function) list.push_back(elementwise_row(formulas::Op::meta, cadena::function));
  CADENA_UNARY_OPS(CADENA_OP)
  CADENA_BINARY_OPS(CADENA_OP)
#undef CADENA_OP
  list.push_back(elementwise_row(formulas::AbsorbingMul::meta, [](const Operand& a, const Operand& b) {
    return absorbing_mul(*a.tensor(), b);
  }));
  return list;
}

}  // namespace detail
}  // namespace cadena
