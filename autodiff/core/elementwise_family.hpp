// What every ops/THEME.cpp of elementwise operations does with the list of its ops: the public functions and
// the rows.
#pragma once

#include "autodiff/core/elementwise.hpp"
#include "autodiff/core/table.hpp"

#define CADENA_UNARY_FUNCTION(Op, function) \
  Tensor function(const Tensor& x) { return detail::elementwise_call<formulas::Op>(x); }
#define CADENA_BINARY_FUNCTION(Op, function) \
  Tensor function(const Operand& a, const Operand& b) { return detail::elementwise_call<formulas::Op>(a, b); }
/// Inside a list of rows, in the function that defines `family`.
#define CADENA_ELEMENTWISE_ROW(Op, function) elementwise_row(formulas::Op::meta, family, cadena::function),
