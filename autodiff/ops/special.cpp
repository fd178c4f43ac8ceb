#include "autodiff/formulas/special.hpp"

#include <string>

#include "autodiff/core/elementwise_family.hpp"
#include "autodiff/error.hpp"
#include "autodiff/ops/special.hpp"

namespace cadena {

CADENA_SPECIAL_UNARY_OPS(CADENA_UNARY_FUNCTION)

Tensor polygamma(int n, const Tensor& x) {
  if (n < 0) throw ValueError("[polygamma] expected n >= 0, got " + std::to_string(n));
  return n == 0 ? digamma(x) : detail::elementwise_call(formulas::Polygamma{n}, x);
}

namespace detail {

OpList special_ops() {
  constexpr auto family = "special";
  return {CADENA_SPECIAL_UNARY_OPS(CADENA_UNARY_ROW)  //
          elementwise_row(formulas::Polygamma::meta, family, 1,
                          {{"n=1", [](const TensorList& x) { return polygamma(1, x[0]); }},
                           {"n=2", [](const TensorList& x) { return polygamma(2, x[0]); }},
                           {"n=3", [](const TensorList& x) { return polygamma(3, x[0]); }}})};
}

}  // namespace detail
}  // namespace cadena
