#include "autodiff/formulas/exponential.hpp"

#include <string>

#include "autodiff/core/elementwise_family.hpp"
#include "autodiff/error.hpp"
#include "autodiff/ops/arithmetic.hpp"
#include "autodiff/ops/exponential.hpp"
#include "autodiff/ops/movement.hpp"

namespace cadena {

CADENA_EXPONENTIAL_UNARY_OPS(CADENA_UNARY_FUNCTION)
CADENA_EXPONENTIAL_BINARY_OPS(CADENA_BINARY_FUNCTION)

Tensor logit(const Tensor& x, std::optional<double> eps) {
  const auto plain = [](const Tensor& p) { return detail::elementwise_call(formulas::Logit{}, p); };
  if (!eps) return plain(x);
  if (!(*eps >= 0 && *eps <= 0.5))
    throw ValueError("[logit] expected 0 <= eps <= 0.5, got " + std::to_string(*eps));
  return plain(clamp(is_floating(x.dtype()) ? x : to(x, f32), *eps, 1 - *eps));
}

namespace detail {

OpList exponential_ops() {
  constexpr auto family = "exponential";
  return {CADENA_EXPONENTIAL_UNARY_OPS(CADENA_UNARY_ROW)    //
          CADENA_EXPONENTIAL_BINARY_OPS(CADENA_BINARY_ROW)  //
          elementwise_row(formulas::Logit::meta, family, [](const Tensor& x) { return logit(x); })};
}

}  // namespace detail
}  // namespace cadena
