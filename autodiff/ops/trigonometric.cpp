#include "autodiff/formulas/trigonometric.hpp"

#include "autodiff/core/elementwise_family.hpp"
#include "autodiff/ops/trigonometric.hpp"

namespace cadena {

CADENA_TRIGONOMETRIC_UNARY_OPS(CADENA_UNARY_FUNCTION)
CADENA_TRIGONOMETRIC_BINARY_OPS(CADENA_BINARY_FUNCTION)

namespace detail {

OpList trigonometric_ops() {
  constexpr auto family = "trigonometric";
  return {CADENA_TRIGONOMETRIC_UNARY_OPS(CADENA_UNARY_ROW)  //
          CADENA_TRIGONOMETRIC_BINARY_OPS(CADENA_BINARY_ROW)};
}

}  // namespace detail
}  // namespace cadena
