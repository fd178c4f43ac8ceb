#include "autodiff/formulas/exponential.hpp"

#include <string>

#include "autodiff/core/elementwise_family.hpp"
#include "autodiff/error.hpp"

namespace cadena {

CADENA_EXPONENTIAL_UNARY_OPS(CADENA_UNARY_FUNCTION)
CADENA_EXPONENTIAL_BINARY_OPS(CADENA_BINARY_FUNCTION)

Tensor logit(const Tensor& x, std::optional<double> eps) {
  if (!eps) return detail::elementwise_call(formulas::Logit{}, x);
  if (!(*eps >= 0 && *eps <= 0.5))
    throw ValueError("[logit] expected 0 <= eps <= 0.5, got " + std::to_string(*eps));
  return detail::elementwise_call(formulas::Logit{*eps, 1 - *eps}, x);
}

namespace detail {

OpList exponential_ops() {
  constexpr auto family = "exponential";
  return {CADENA_EXPONENTIAL_UNARY_OPS(CADENA_UNARY_ROW)    //
          CADENA_EXPONENTIAL_BINARY_OPS(CADENA_BINARY_ROW)  //
          elementwise_row(formulas::Logit::meta, family, 1,
                          {{"", [](const TensorList& x) { return logit(x[0]); }},
                           {"eps=0.02", [](const TensorList& x) { return logit(x[0], 0.02); }}})};
}

}  // namespace detail
}  // namespace cadena
