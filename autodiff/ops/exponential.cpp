#include "autodiff/formulas/exponential.hpp"

#include "autodiff/core/elementwise_family.hpp"

namespace cadena {

CADENA_EXPONENTIAL_UNARY_OPS(CADENA_UNARY_FUNCTION)
CADENA_EXPONENTIAL_BINARY_OPS(CADENA_BINARY_FUNCTION)

namespace detail {

OpList exponential_ops() {
  constexpr auto family = "exponential";
  return {CADENA_EXPONENTIAL_UNARY_OPS(CADENA_ELEMENTWISE_ROW)  //
          CADENA_EXPONENTIAL_BINARY_OPS(CADENA_ELEMENTWISE_ROW)};
}

}  // namespace detail
}  // namespace cadena
