// Linear algebra.
#include <limits>

#include "errors/errors.hpp"

namespace cadena::errors {
namespace {

/// The 2 x 2 identity, a matrix of the given kind, and the identity again.
Tensor beside_identities(const NestedList& matrix) { return stack({eye(2), tensor(matrix, f32), eye(2)}); }

constexpr float nan = std::numeric_limits<float>::quiet_NaN();

}  // namespace

Rows linalg_rows() {
  return {
      {"cholesky",
       Kind::shape,
       {"square", "(2, 3)"},
       [] {
         cholesky(m({2, 3}));
       }},
      {"cholesky",
       Kind::value,
       {"order 2", "(1,)"},
       [] {
         cholesky(beside_identities({{1, 2}, {2, 1}}));
       }},
      {"cholesky", Kind::value, {"order 1"}, [] { cholesky(tensor({{nan}})); }},
      {"cholesky_inverse",
       Kind::shape,
       {"(2, 3)"},
       [] {
         cholesky_inverse(m({2, 3}));
       }},
      {"tensorinv",
       Kind::shape,
       {"first 2 axes", "(2, 3, 5)"},
       [] {
         tensorinv(m({2, 3, 5}));
       }},
      {"tensorinv",
       Kind::value,
       {"ind > 0", "0"},
       [] {
         tensorinv(m({2, 2}), 0);
       }},
      {"tensorsolve",
       Kind::shape,
       {"(2, 3, 5)"},
       [] {
         tensorsolve(m({2, 3, 5}), m({2, 3}));
       }},
      {"tensorsolve",
       Kind::shape,
       {"b's", "(3, 2)"},
       [] {
         tensorsolve(m({2, 3, 6}), m({3, 2}));
       }},
      {"cholesky_solve",
       Kind::shape,
       {"(3, 1)", "(2, 2)"},
       [] {
         cholesky_solve(m({3, 1}), m({2, 2}));
       }},
      {"solve",
       Kind::shape,
       {"(2, 3)"},
       [] {
         solve(m({2, 3}), m({2}));
       }},
      {"solve",
       Kind::shape,
       {"(2, 2)", "(3, 1)"},
       [] {
         solve(m({2, 2}), m({3, 1}));
       }},
      {"solve",
       Kind::shape,
       {"(2,)", "(3,)"},
       [] {
         solve(m({2, 1, 1}), m({3, 1, 1}));
       }},
      {"solve",
       Kind::dtype,
       {"i64"},
       [] {
         solve(arange(4).reshape({2, 2}), m({2}));
       }},
      {"solve",
       Kind::value,
       {"(1,)", "singular"},
       [] {
         solve(beside_identities({{1, 2}, {2, 4}}), m({3, 2, 1}));
       }},
      {"solve_triangular",
       Kind::shape,
       {"(2, 2)", "(1, 3)"},
       [] {
         solve_triangular(m({2, 2}), m({1, 3}), {.upper = true});
       }},
      {"inv", Kind::shape, {"(3,)"}, [] { inv(m({3})); }},
      {"inv",
       Kind::value,
       {"singular"},
       [] {
         inv(m({2, 2}));
       }},
      {"lu_factor", Kind::shape, {"(3,)"}, [] { lu_factor(m({3})); }},
      {"lu",
       Kind::dtype,
       {"i64"},
       [] {
         lu(arange(4).reshape({2, 2}));
       }},
      {"lu_solve",
       Kind::dtype,
       {"f32"},
       [] {
         lu_solve(m({2, 2}), m({2}), m({2, 1}));
       }},
      {"lu_solve",
       Kind::index,
       {"[1, 2]", "0"},
       [] {
         lu_solve(m({2, 2}), zeros({2}, i64), m({2, 1}));
       }},
      {"lu_solve",
       Kind::shape,
       {"(3,)"},
       [] {
         lu_solve(m({2, 2}), ones({3}, i64), m({2, 1}));
       }},
      {"qr", Kind::shape, {"(3,)"}, [] { qr(m({3})); }},
      {"qr",
       Kind::graph,
       {"(3, 2)", "reduced"},
       [] {
         qr(m({3, 2}).requires_grad_(), QRMode::complete);
       }},
      {"lstsq",
       Kind::shape,
       {"(3, 2)", "(2, 1)"},
       [] {
         lstsq(m({3, 2}), m({2, 1}));
       }},
      {"lstsq",
       Kind::value,
       {"full rank", "(1,)"},
       [] {
         lstsq(beside_identities({{1, 1}, {1, 1}}), m({2, 1}));
       }},
      {"eigh",
       Kind::shape,
       {"(2, 3)"},
       [] {
         eigh(m({2, 3}));
       }},
      {"eigh",
       Kind::value,
       {"'X'"},
       [] {
         eigh(m({2, 2}), 'X');
       }},
      {"eigh",
       Kind::value,
       {"finite", "(1,)"},
       [] {
         eigh(beside_identities({{1, 2}, {nan, 1}}));
       }},
      {"eigvalsh",
       Kind::shape,
       {"(2, 3)"},
       [] {
         eigvalsh(m({2, 3}));
       }},
      {"svd", Kind::shape, {"(3,)"}, [] { svd(m({3})); }},
      {"svd",
       Kind::value,
       {"finite", "(1,)"},
       [] {
         svd(beside_identities({{1, 2}, {nan, 1}}));
       }},
      {"svdvals",
       Kind::dtype,
       {"i64"},
       [] {
         svdvals(arange(4).reshape({2, 2}));
       }},
      {"pinv", Kind::shape, {"(3,)"}, [] { pinv(m({3})); }},
      {"matrix_rank", Kind::shape, {"()"}, [] { matrix_rank(m({})); }},
      {"matrix_norm",
       Kind::value,
       {"\"max\""},
       [] {
         matrix_norm(m({2, 2}), "max");
       }},
      {"matrix_norm",
       Kind::value,
       {"3"},
       [] {
         matrix_norm(m({2, 2}), 3);
       }},
      {"matrix_norm",
       Kind::value,
       {"(0, 2)"},
       [] {
         matrix_norm(m({0, 2}), 1);
       }},
      {"matrix_norm",
       Kind::value,
       {"(0, -2)"},
       [] {
         matrix_norm(m({2, 2}), "fro", {0, -2});
       }},
      {"matrix_norm",
       Kind::value,
       {"(0,)"},
       [] {
         matrix_norm(m({2, 2}), 1, {0});
       }},
      {"matrix_norm",
       Kind::index,
       {"2"},
       [] {
         matrix_norm(m({2, 2}), 1, {0, 2});
       }},
      {"cond",
       Kind::shape,
       {"(2, 3)"},
       [] {
         cond(m({2, 3}), 1);
       }},
      {"cond",
       Kind::value,
       {"(0, 0)"},
       [] {
         cond(m({0, 0}));
       }},
      {"det",
       Kind::shape,
       {"(2, 3)"},
       [] {
         det(m({2, 3}));
       }},
      {"slogdet", Kind::shape, {"(3,)"}, [] { slogdet(m({3})); }},
      {"logdet",
       Kind::dtype,
       {"i64"},
       [] {
         logdet(arange(4).reshape({2, 2}));
       }},
      {"matrix_power",
       Kind::shape,
       {"(2, 3)"},
       [] {
         matrix_power(m({2, 3}), 2);
       }},
      {"matrix_exp",
       Kind::shape,
       {"(2, 3)"},
       [] {
         matrix_exp(m({2, 3}));
       }},
  };
}

}  // namespace cadena::errors
