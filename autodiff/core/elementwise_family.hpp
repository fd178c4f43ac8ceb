// What every ops/THEME.cpp of elementwise operations does with the lists of its ops: the public functions and
// the rows.
#pragma once

#include "autodiff/core/elementwise.hpp"
#include "autodiff/core/table.hpp"

#define CADENA_UNARY_FUNCTION(Op, function) \
  Tensor function(const Tensor& x) { return detail::elementwise_call(formulas::Op{}, x); }
#define CADENA_BINARY_FUNCTION(Op, function)               \
  Tensor function(const Operand& a, const Operand& b) {    \
    return detail::elementwise_call(formulas::Op{}, a, b); \
  }
/// An element of the list of rows, where `family` is its name.
#define CADENA_UNARY_ROW(Op, function) \
  elementwise_row(formulas::Op::meta, family, static_cast<Tensor (*)(const Tensor&)>(cadena::function)),
#define CADENA_BINARY_ROW(Op, function) elementwise_row(formulas::Op::meta, family, cadena::function),
