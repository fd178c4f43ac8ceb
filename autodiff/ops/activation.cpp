#include "autodiff/formulas/activation.hpp"

#include "autodiff/core/elementwise_family.hpp"

namespace cadena {

CADENA_ACTIVATION_UNARY_OPS(CADENA_UNARY_FUNCTION)
CADENA_ACTIVATION_BINARY_OPS(CADENA_BINARY_FUNCTION)

namespace detail {

OpList activation_ops() {
  constexpr auto family = "activation";
  return {CADENA_ACTIVATION_UNARY_OPS(CADENA_ELEMENTWISE_ROW)  //
          CADENA_ACTIVATION_BINARY_OPS(CADENA_ELEMENTWISE_ROW)};
}

}  // namespace detail
}  // namespace cadena
