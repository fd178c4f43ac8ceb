// Functions from functions.
#include "autodiff/transforms.hpp"

#include "errors/errors.hpp"

namespace cadena::errors {
namespace {
Tensor twice(const Tensor& x) { return 2 * x; }
Tensor total(const Tensor& x) { return sum(x * x); }
Tensor square_both(const Tensor& a, const Tensor& b) { return a * a + b * b; }
Tensor doubled(const Tensor& x, const TensorList&) { return cat({x, x}); }
}  // namespace

Rows transforms_rows() {
  return {
      {"value_and_grad", Kind::shape, {"one element", "(2,)"}, [] { value_and_grad(twice, m({2})); }},
      {"value_and_grad", Kind::shape, {"(2,)"}, [] { grad(twice)(m({2})); }},
      {"hessian", Kind::shape, {"one element", "(2,)"}, [] { hessian(twice, m({2})); }},
      {"hessian",
       Kind::shape,
       {"8 dimensions", "(1, 1, 1, 1, 1)"},
       [] {
         hessian(total, ones({1, 1, 1, 1, 1}));
       }},
      {"jacobian",
       Kind::shape,
       {"8 dimensions"},
       [] {
         jacobian(twice, ones({1, 1, 1, 1, 1}));
       }},
      {"laplacian", Kind::shape, {"(2,)"}, [] { laplacian(twice, m({2})); }},
      {"hvp", Kind::shape, {"(2,)", "(3,)"}, [] { hvp(total, m({2}), m({3})); }},
      {"vhp", Kind::dtype, {"f32", "f64"}, [] { vhp(total, m({2}), ones({2}, f64)); }},
      {"vmap",
       Kind::shape,
       {"3", "(2, 2)"},
       [] {
         vmap(square_both)(m({3, 2}), m({2, 2}));
       }},
      {"vmap", Kind::value, {"2", "1"}, [] { vmap(square_both, {.in_axes = {0}})(m({3}), m({3})); }},
      {"vmap",
       Kind::index,
       {"[-1, 1)", "1"},
       [] {
         vmap(square_both, {.in_axes = {0, 1}})(m({3}), m({3}));
       }},
      {"checkpoint_sequential",
       Kind::value,
       {"between 1 and 0", "3"},
       [] { checkpoint_sequential({}, 3, m({})); }},
      {"fixed_point", Kind::shape, {"(2,)", "(1,)"}, [] { fixed_point(doubled, m({1})); }},
      {"root", Kind::value, {"tol >= 0", "-1"}, [] { root(doubled, m({1}), {}, {.tol = -1}); }},
  };
}

}  // namespace cadena::errors
