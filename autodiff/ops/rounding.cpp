#include "autodiff/formulas/rounding.hpp"

#include "autodiff/core/elementwise_family.hpp"

namespace cadena {

CADENA_ROUNDING_UNARY_OPS(CADENA_UNARY_FUNCTION)
CADENA_ROUNDING_BINARY_OPS(CADENA_BINARY_FUNCTION)

namespace detail {

OpList rounding_ops() {
  constexpr auto family = "rounding";
  return {CADENA_ROUNDING_UNARY_OPS(CADENA_ELEMENTWISE_ROW)  //
          CADENA_ROUNDING_BINARY_OPS(CADENA_ELEMENTWISE_ROW)};
}

}  // namespace detail
}  // namespace cadena
