// Index lists, masks and scatter.
#include "errors/errors.hpp"

namespace cadena::errors {

// clang-format off
Rows indexing_rows() {
  const Tensor at = tensor({0, 5}), mask = tensor({true, false});
  return {
      {"index", Kind::index, {"[-3, 3)", "axis 0", "(3, 2)", "got 5", "(1,)"}, [=] { m({3, 2}).index({at}); }},
      {"index", Kind::index, {"[-2, 2)", "axis 1", "got 2"}, [=] { m({3, 2}).index({at, 2}); }},
      {"index", Kind::index, {"mask", "(3, 2)", "(2,)"}, [=] { m({3, 2}).index({mask}); }},
      {"index", Kind::dtype, {"f32"}, [] { m({3}).index({m({2})}); }},
      {"index", Kind::shape, {"(2,)", "(3,)"}, [] { m({3, 3}).index({tensor({0, 1}), tensor({0, 1, 2})}); }},
      {"index", Kind::index, {"at most 1", "2"}, [=] { m({3}).index({at, at}); }},
      {"index", Kind::value, {"step", "0"}, [] { m({3}).index({Slice{0, 1, 0}}); }},
      {"index_put", Kind::index, {"5"}, [=] { index_put(m({3}), {at}, 1); }},
      {"index_put", Kind::shape, {"(2,)", "(3,)"}, [] { index_put(m({3}), {tensor({0, 1})}, m({3})); }},
      {"index_put", Kind::dtype, {"i64", "f32"}, [] { index_put(arange(3), {0}, m({})); }},
      {"index_put", Kind::dtype, {"bool"}, [] { index_put(zeros({2}, boolean), {0}, true, true); }},
      {"index_put_", Kind::index, {"5"}, [=] { m({3}).index_put_({at}, 1); }},
      {"take", Kind::index, {"5"}, [=] { take(m({3}), at); }},
      {"take", Kind::dtype, {"bool"}, [=] { take(m({3}), mask); }},
      {"put", Kind::shape, {"(3,)", "(2,)"}, [=] { put(m({3}), at, m({3})); }},
      {"masked_select", Kind::dtype, {"i64"}, [=] { masked_select(m({2}), at); }},
      {"masked_select", Kind::shape, {"(3,)", "(2,)"}, [=] { masked_select(m({3}), mask); }},
      {"masked_fill", Kind::shape, {"(1,)"}, [=] { masked_fill(m({2}), mask, m({1})); }},
      {"masked_fill", Kind::dtype, {"f32"}, [=] { masked_fill(arange(2), mask, m({})); }},
      {"masked_scatter", Kind::value, {"1", "(0,)"}, [=] { masked_scatter(m({2}), mask, m({0})); }},
      {"masked_scatter", Kind::shape, {"(1,)", "(2,)"}, [=] { masked_scatter(m({1}), mask, m({2})); }},
      {"scatter", Kind::index, {"[0, 3)", "5"}, [=] { scatter(m({3}), 0, at, 1); }},
      {"scatter", Kind::index, {"-1"}, [] { scatter(m({3}), 0, tensor({-1}), 1); }},
      {"scatter", Kind::shape, {"(2,)", "(3,)"}, [=] { scatter(m({3}), 0, at, m({3})); }},
      {"scatter", Kind::dtype, {"f64"}, [=] { scatter(m({6}), 0, at, zeros({2}, f64)); }},
      {"scatter_reduce", Kind::index, {"5"}, [=] { scatter_reduce(m({3}), 0, at, m({2}), ScatterReduction::amax); }},
      {"scatter_reduce", Kind::dtype, {"i64"}, [=] { scatter_reduce(arange(6), 0, at, at, ScatterReduction::mean); }},
      {"take_along_dim", Kind::shape, {"rank 2", "(2,)"}, [=] { take_along_dim(m({2, 2}), at, 0); }},
      {"index_copy", Kind::index, {"5"}, [=] { index_copy(m({3}), 0, at, m({2})); }},
      {"index_copy", Kind::shape, {"(2,)", "(3,)"}, [=] { index_copy(m({6}), 0, at, m({3})); }},
      {"select_scatter", Kind::index, {"[-3, 3)", "3"}, [] { select_scatter(m({3}), m({}), 0, 3); }},
      {"select_scatter", Kind::shape, {"(2,)", "(3,)"}, [] { select_scatter(m({3, 2}), m({3}), 0, 0); }},
      {"select_scatter", Kind::dtype, {"i64", "f32"}, [] { select_scatter(zeros({3}, i64), ones({}), 0, 0); }},
      {"slice_scatter", Kind::dtype, {"i64", "f32"}, [] { slice_scatter(zeros({3}, i64), ones({3}), 0); }},
      {"slice_scatter", Kind::shape, {"(2, 2)", "(3, 2)"}, [] { slice_scatter(m({3, 2}), m({3, 2}), 0, {1, {}}); }},
      {"index_fill", Kind::shape, {"()"}, [] { index_fill(m({3}), 0, tensor(1), 1); }},
      {"index_fill", Kind::index, {"5"}, [=] { index_fill(m({3}), 0, at, 1); }},
  };
}
// clang-format on

}  // namespace cadena::errors
