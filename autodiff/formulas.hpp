// All elementwise formulas, for who needs every one: the duals of elementwise.hpp and what prints formulas.
#pragma once

#include "autodiff/formulas/activation.hpp"
#include "autodiff/formulas/arithmetic.hpp"
#include "autodiff/formulas/exponential.hpp"
#include "autodiff/formulas/rounding.hpp"
#include "autodiff/formulas/special.hpp"
#include "autodiff/formulas/trigonometric.hpp"

/// Lists all ops (struct, function) to whoever defines CADENA_OP, by their number of arguments. Those with
/// attributes have one argument, and numbers behind it.
// clang-format off
#define CADENA_UNARY_OPS(CADENA_OP) \
  CADENA_ARITHMETIC_UNARY_OPS(CADENA_OP) \
  CADENA_EXPONENTIAL_UNARY_OPS(CADENA_OP) \
  CADENA_TRIGONOMETRIC_UNARY_OPS(CADENA_OP) \
  CADENA_ACTIVATION_UNARY_OPS(CADENA_OP) \
  CADENA_ROUNDING_UNARY_OPS(CADENA_OP) \
  CADENA_SPECIAL_UNARY_OPS(CADENA_OP)
#define CADENA_BINARY_OPS(CADENA_OP) \
  CADENA_ARITHMETIC_BINARY_OPS(CADENA_OP) \
  CADENA_EXPONENTIAL_BINARY_OPS(CADENA_OP) \
  CADENA_TRIGONOMETRIC_BINARY_OPS(CADENA_OP) \
  CADENA_ACTIVATION_BINARY_OPS(CADENA_OP) \
  CADENA_ROUNDING_BINARY_OPS(CADENA_OP) \
  CADENA_SPECIAL_BINARY_OPS(CADENA_OP)
#define CADENA_TERNARY_OPS(CADENA_OP) CADENA_OP(Lerp, lerp)
#define CADENA_ATTRIBUTE_OPS(CADENA_OP) \
  CADENA_ARITHMETIC_ATTRIBUTE_OPS(CADENA_OP) \
  CADENA_ACTIVATION_ATTRIBUTE_OPS(CADENA_OP)
// clang-format on
