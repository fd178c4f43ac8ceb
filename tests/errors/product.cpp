// Products and sums over chosen axes.
#include "errors/errors.hpp"

namespace cadena::errors {

Rows product_rows() {
  return {
      {"dot", Kind::shape, {"(2,)", "(3,)"}, [] { dot(m({2}), m({3})); }},
      {"dot", Kind::dtype, {"i64"}, [] { dot(arange(3), m({3})); }},
      {"bilinear",
       Kind::shape,
       {"(2, 3)", "(1, 4)"},
       [] {
         bilinear(m({2, 3}), m({1, 4}), m({5, 3, 4}));
       }},
      {"bilinear",
       Kind::shape,
       {"(6,)"},
       [] {
         bilinear(m({3}), m({4}), m({5, 3, 4}), m({6}));
       }},
      {"bilinear",
       Kind::dtype,
       {"i64"},
       [] {
         bilinear(arange(3), m({4}), m({5, 3, 4}));
       }},
      {"inner",
       Kind::shape,
       {"(2, 3)", "(2,)"},
       [] {
         inner(m({2, 3}), m({2}));
       }},
      {"outer",
       Kind::shape,
       {"(2, 3)", "(2,)"},
       [] {
         outer(m({2, 3}), m({2}));
       }},
      {"vecdot",
       Kind::index,
       {"2"},
       [] {
         vecdot(m({2, 3}), m({3}), 2);
       }},
      {"vecdot", Kind::shape, {"(2,)", "(3,)"}, [] { vecdot(m({2}), m({3})); }},
      {"cross", Kind::shape, {"(2,)"}, [] { cross(m({2}), m({2})); }},
      {"cross", Kind::index, {"1"}, [] { cross(m({3}), m({3}), 1); }},
      {"mv",
       Kind::shape,
       {"(2, 3)", "(2,)"},
       [] {
         mv(m({2, 3}), m({2}));
       }},
      {"mm",
       Kind::shape,
       {"(2, 3)", "(2, 3)"},
       [] {
         mm(m({2, 3}), m({2, 3}));
       }},
      {"mm",
       Kind::shape,
       {"(3,)"},
       [] {
         mm(m({2, 3}), m({3}));
       }},
      {"bmm",
       Kind::shape,
       {"(2, 1, 3)", "(3, 3, 1)"},
       [] {
         bmm(m({2, 1, 3}), m({3, 3, 1}));
       }},
      {"kron",
       Kind::shape,
       {"4", "(1, 1, 1, 1, 1)"},
       [] {
         kron(m({1, 1, 1, 1, 1}), m({2}));
       }},
      {"tensordot",
       Kind::shape,
       {"(2, 3)", "(3,)"},
       [] {
         tensordot(m({2, 3}), m({3}), 2);
       }},
      {"tensordot",
       Kind::shape,
       {"(2, 3)", "(2,)"},
       [] {
         tensordot(m({2, 3}), m({2}), 1);
       }},
      {"tensordot",
       Kind::value,
       {"(0,)", "(0, 1)"},
       [] {
         tensordot(m({2, 2}), m({2, 2}), {0}, {0, 1});
       }},
      {"tensordot",
       Kind::value,
       {"(0, 0)"},
       [] {
         tensordot(m({2, 2}), m({2, 2}), {0, 0}, {0, 1});
       }},
      {"tensordot",
       Kind::index,
       {"5"},
       [] {
         tensordot(m({2, 2}), m({2, 2}), Axes{5}, Axes{0});
       }},
      {"addmm",
       Kind::shape,
       {"(3,)", "(2, 2)"},
       [] {
         addmm(m({3}), m({2, 1}), m({1, 2}));
       }},
      {"addmm",
       Kind::shape,
       {"(2,)"},
       [] {
         addmm(m({3}), m({2, 2}), m({2}));
       }},
      {"addmm",
       Kind::shape,
       {"(1, 1, 1)"},
       [] {
         addmm(m({1, 1, 1}), m({2, 1}), m({1, 2}));
       }},
      {"addr",
       Kind::shape,
       {"(2, 2)", "(2,)"},
       [] {
         addr(m({2}), m({2, 2}), m({2}));
       }},
      {"addmv",
       Kind::shape,
       {"(3,)"},
       [] {
         addmv(m({3}), m({2, 2}), m({2}));
       }},
      {"baddbmm",
       Kind::shape,
       {"(2, 2)"},
       [] {
         baddbmm(m({1}), m({2, 2}), m({2, 2}));
       }},
      {"addbmm",
       Kind::shape,
       {"(3, 3)"},
       [] {
         addbmm(m({3, 3}), m({2, 2, 2}), m({2, 2, 2}));
       }},
      {"multi_dot",
       Kind::shape,
       {"(2, 3)"},
       [] {
         multi_dot({m({2, 3})});
       }},
      {"multi_dot",
       Kind::shape,
       {"(2, 3)", "(2, 2)"},
       [] {
         multi_dot({m({2, 3}), m({2, 2})});
       }},
      {"einsum",
       Kind::value,
       {"ij,jk", "2", "1"},
       [] {
         einsum("ij,jk", {m({2, 2})});
       }},
      {"einsum",
       Kind::value,
       {"i1", "'1'"},
       [] {
         einsum("i1", {m({2, 2})});
       }},
      {"einsum",
       Kind::value,
       {"i-j", "'-'"},
       [] {
         einsum("i-j", {m({2, 2})});
       }},
      {"einsum",
       Kind::value,
       {"......", "'.'"},
       [] {
         einsum("......", {m({2, 2})});
       }},
      {"einsum",
       Kind::value,
       {"ij->ik", "'k'"},
       [] {
         einsum("ij->ik", {m({2, 2})});
       }},
      {"einsum",
       Kind::value,
       {"ij->ii", "'i'", "twice"},
       [] {
         einsum("ij->ii", {m({2, 2})});
       }},
      {"einsum",
       Kind::shape,
       {"operand 0", "(2, 2)", "ijk"},
       [] {
         einsum("ijk", {m({2, 2})});
       }},
      {"einsum", Kind::shape, {"operand 0", "(2,)", "at least 2"}, [] { einsum("ij...", {m({2})}); }},
      {"einsum",
       Kind::shape,
       {"operand 1", "(4, 5)", "'j'", "3"},
       [] {
         einsum("ij,jk", {m({2, 3}), m({4, 5})});
       }},
      {"einsum",
       Kind::shape,
       {"operand 0", "(2, 3)", "'i'"},
       [] {
         einsum("ii", {m({2, 3})});
       }},
      {"einsum",
       Kind::dtype,
       {"operand 1", "i64"},
       [] {
         einsum("i,i", {m({3}), arange(3)});
       }},
      {"einsum",
       Kind::value,
       {"8 output axes", "abcde,fghij"},
       [] {
         einsum("abcde,fghij", {m({1, 1, 1, 1, 1}), m({1, 1, 1, 1, 1})});
       }},
  };
}

}  // namespace cadena::errors
