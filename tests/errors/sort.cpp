// Sorting, quantiles and searching.
#include <limits>

#include "errors/errors.hpp"

namespace cadena::errors {

// clang-format off
Rows sort_rows() {
  constexpr double inf = std::numeric_limits<double>::infinity();
  return {
      {"sort", Kind::index, {"2"}, [] { sort(m({2, 3}), 2); }},
      {"argsort", Kind::index, {"1"}, [] { argsort(m({2}), 1); }},
      {"topk", Kind::value, {"[0, 3]", "(2, 3)", "4"}, [] { topk(m({2, 3}), 4); }},
      {"kthvalue", Kind::value, {"[1, 3]", "0"}, [] { kthvalue(m({3}), 0); }},
      {"median", Kind::value, {"(0,)"}, [] { median(m({0})); }},
      {"nanmedian", Kind::value, {"axis 1", "(2, 0)"}, [] { nanmedian(m({2, 0}), 1); }},
      {"mode", Kind::value, {"(0,)"}, [] { mode(m({0})); }},
      {"quantile", Kind::value, {"[0, 1]", "1.5"}, [] { quantile(m({3}), 1.5); }},
      {"quantile", Kind::shape, {"(2, 2)"}, [] { quantile(m({3}), m({2, 2})); }},
      {"quantile", Kind::value, {"(0,)"}, [] { quantile(m({0}), 0.5); }},
      {"quantile", Kind::dtype, {"i64"}, [] { quantile(arange(3), 0.5); }},
      {"nanquantile", Kind::index, {"1"}, [] { nanquantile(m({3}), 0.5, {.axis = 1}); }},
      {"searchsorted", Kind::shape, {"(2, 3)", "(4,)"}, [] { searchsorted(m({2, 3}), m({4})); }},
      {"bucketize", Kind::shape, {"(2, 3)"}, [] { bucketize(1, m({2, 3})); }},
      {"histc", Kind::value, {"bins", "0"}, [] { histc(m({3}), 0); }},
      {"histc", Kind::value, {"ascending"}, [] { histc(m({3}), 2, 1, 0); }},
      {"histc", Kind::value, {"finite"}, [=] { histc(full({2}, inf), 2); }},
      {"histc", Kind::dtype, {"i64"}, [] { histc(arange(3)); }},
      {"histogram", Kind::shape, {"weight", "(3,)", "(2,)"}, [] { histogram(m({3}), 2, {.weight = m({2})}); }},
      {"histogram", Kind::value, {"ascending"}, [] { histogram(m({3}), tensor({1., 0.}, f32)); }},
      {"histogram", Kind::shape, {"(1,)"}, [] { histogram(m({3}), m({1})); }},
      {"histogram", Kind::dtype, {"f64"}, [] { histogram(m({3}), zeros({2}, f64)); }},
      {"bincount", Kind::value, {"-1"}, [] { bincount(tensor({1, -1})); }},
      {"bincount", Kind::dtype, {"f32"}, [] { bincount(m({2})); }},
      {"bincount", Kind::shape, {"(2,)", "(3,)"}, [] { bincount(tensor({1, 1}), m({3})); }},
  };
}
// clang-format on

}  // namespace cadena::errors
