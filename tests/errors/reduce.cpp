// Reductions, statistics and scans.
#include <limits>

#include "errors/errors.hpp"

namespace cadena::errors {

// clang-format off
Rows reduce_rows() {
  constexpr double nan = std::numeric_limits<double>::quiet_NaN();
  return {
      {"cov", Kind::shape, {"(observations)", "()"}, [] { cov(m({})); }},
      {"cov", Kind::shape, {"aweights (3)", "(2,)"}, [] { cov(m({2, 3}), {.aweights = m({2})}); }},
      {"cov", Kind::value, {"fweights >= 0", "-1"}, [] { cov(m({2, 1}), {.fweights = tensor({-1})}); }},
      {"corrcoef", Kind::dtype, {"i64"}, [] { corrcoef(zeros({2, 3}, i64)); }},
      {"prod", Kind::index, {"[-2, 2)", "2"}, [] { prod(m({2, 3}), 2); }},
      {"nansum", Kind::index, {"[-1, 1)"}, [] { nansum(m({2}), 1); }},
      {"nanmean", Kind::dtype, {"i64"}, [] { nanmean(arange(3)); }},
      {"count_nonzero", Kind::value, {"(0, 0)"}, [] { count_nonzero(m({2, 3}), {0, 0}); }},
      {"any", Kind::index, {"1"}, [] { any(m({2}), 1); }},
      {"all", Kind::index, {"-2"}, [] { all(m({2}), -2); }},
      {"aminmax", Kind::value, {"axis 0", "(0,)"}, [] { aminmax(m({0})); }},
      {"var", Kind::dtype, {"i64"}, [] { var(arange(3)); }},
      {"var", Kind::value, {"correction"}, [=] { var(m({3}), {}, {.correction = nan}); }},
      {"std", Kind::dtype, {"bool"}, [] { std(zeros({2}, boolean)); }},
      {"var_mean", Kind::index, {"3"}, [] { var_mean(m({2}), 3); }},
      {"std_mean", Kind::dtype, {"i64"}, [] { std_mean(arange(3)); }},
      {"vector_norm", Kind::value, {"NaN"}, [=] { vector_norm(m({3}), nan); }},
      {"vector_norm", Kind::value, {"axis 1", "(2, 0)"}, [] { vector_norm(m({2, 0}), -1, 1); }},
      {"vector_norm", Kind::dtype, {"i64"}, [] { vector_norm(arange(3)); }},
      {"norm", Kind::dtype, {"i64"}, [] { norm(arange(3)); }},
      {"cumsum", Kind::index, {"2"}, [] { cumsum(m({2, 3}), 2); }},
      {"cumprod", Kind::index, {"1"}, [] { cumprod(m({}), 1); }},
      {"logcumsumexp", Kind::dtype, {"i64"}, [] { logcumsumexp(arange(3), 0); }},
      {"cummax", Kind::index, {"-2"}, [] { cummax(m({2}), -2); }},
      {"cummin", Kind::index, {"1"}, [] { cummin(m({2}), 1); }},
      {"linear_recurrence", Kind::shape, {"(2,)", "(3,)"}, [] { linear_recurrence(m({2}), m({3}), 0); }},
      {"linear_recurrence", Kind::dtype, {"i64"}, [] { linear_recurrence(arange(2), arange(2), 0); }},
      {"diff", Kind::index, {"0"}, [] { diff(m({})); }},
      {"diff", Kind::value, {"-1"}, [] { diff(m({3}), -1); }},
  };
}
// clang-format on

}  // namespace cadena::errors
