// The elementwise operations.
#include "errors/errors.hpp"

namespace cadena::errors {

Rows elementwise_rows() {
  return {
      {"hypot",
       Kind::shape,
       {"(2, 3)", "(4,)"},
       [] {
         hypot(m({2, 3}), m({4}));
       }},
      {"logaddexp",
       Kind::shape,
       {"(2, 3)", "(4,)"},
       [] {
         logaddexp(m({2, 3}), m({4}));
       }},
      {"logaddexp2",
       Kind::shape,
       {"(2, 3)", "(4,)"},
       [] {
         logaddexp2(m({2, 3}), m({4}));
       }},
      {"xlogy",
       Kind::shape,
       {"(2, 3)", "(4,)"},
       [] {
         xlogy(m({2, 3}), m({4}));
       }},
      {"xlog1py",
       Kind::shape,
       {"(2, 3)", "(4,)"},
       [] {
         xlog1py(m({2, 3}), m({4}));
       }},
      {"atan2",
       Kind::shape,
       {"(2, 3)", "(4,)"},
       [] {
         atan2(m({2, 3}), m({4}));
       }},
      {"fmod",
       Kind::shape,
       {"(2, 3)", "(4,)"},
       [] {
         fmod(m({2, 3}), m({4}));
       }},
      {"remainder",
       Kind::shape,
       {"(2, 3)", "(4,)"},
       [] {
         remainder(m({2, 3}), m({4}));
       }},
      {"floor_divide",
       Kind::shape,
       {"(2, 3)", "(4,)"},
       [] {
         floor_divide(m({2, 3}), m({4}));
       }},
      {"fmod",
       Kind::value,
       {"0", "(2,)"},
       [] {
         fmod(tensor({5, 6}), tensor({2, 0}));
       }},
      {"remainder",
       Kind::value,
       {"0", "(2,)"},
       [] {
         remainder(tensor({5, 6}), tensor({2, 0}));
       }},
      {"floor_divide",
       Kind::value,
       {"0", "(2,)"},
       [] {
         floor_divide(tensor({5, 6}), tensor({2, 0}));
       }},
      {"lerp",
       Kind::shape,
       {"(2, 3)", "(4,)"},
       [] {
         lerp(m({2, 3}), m({2, 3}), m({4}));
       }},
      {"addcmul",
       Kind::shape,
       {"(2, 3)", "(4,)"},
       [] {
         addcmul(m({2, 3}), m({4}), m({2, 3}));
       }},
      {"addcdiv",
       Kind::shape,
       {"(2, 3)", "(4,)"},
       [] {
         addcdiv(m({2, 3}), m({4}), m({2, 3}));
       }},
      {"clamp", Kind::value, {"2", "1"}, [] { clamp(m({2}), 2, 1); }},
      {"clamp", Kind::value, {"(2,)", "()"}, [] { clamp(m({2}), m({2}), full({}, -1)); }},
      {"clamp", Kind::shape, {"(2,)", "(3,)"}, [] { clamp(m({2}), m({2}), m({3})); }},
      {"logit", Kind::value, {"0.7"}, [] { logit(m({2}), 0.7); }},
      {"softplus", Kind::value, {"beta", "0"}, [] { softplus(m({2}), 0); }},
      {"celu", Kind::value, {"alpha"}, [] { celu(m({2}), 0); }},
      {"gelu", Kind::value, {"tan", "none"}, [] { gelu(m({2}), "tan"); }},
      {"hardtanh", Kind::value, {"1", "-1"}, [] { hardtanh(m({2}), 1, -1); }},
      {"softshrink", Kind::value, {"lambd", "-1"}, [] { softshrink(m({2}), -1); }},
      {"prelu",
       Kind::shape,
       {"(3,)", "(2, 4)"},
       [] {
         prelu(m({2, 4}), m({3}));
       }},
      {"prelu", Kind::shape, {"(3,)", "(3,)"}, [] { prelu(m({3}), m({3})); }},
      {"polygamma", Kind::value, {"-1"}, [] { polygamma(-1, m({2})); }},
      {"glu",
       Kind::shape,
       {"even", "(2, 3)"},
       [] {
         glu(m({2, 3}));
       }},
      {"swiglu",
       Kind::shape,
       {"even", "(2, 3)"},
       [] {
         swiglu(m({2, 3}));
       }},
      {"geglu",
       Kind::shape,
       {"even", "(2, 3)"},
       [] {
         geglu(m({2, 3}));
       }},
      {"reglu",
       Kind::shape,
       {"even", "(2, 3)"},
       [] {
         reglu(m({2, 3}));
       }},
      {"glu", Kind::shape, {"even", "()"}, [] { glu(m({})); }},
      {"glu",
       Kind::index,
       {"2"},
       [] {
         glu(m({2, 4}), 2);
       }},
      {"bitwise_and",
       Kind::dtype,
       {"f32"},
       [] {
         bitwise_and(tensor({1, 2}), m({2}));
       }},
      {"bitwise_or",
       Kind::dtype,
       {"f32"},
       [] {
         bitwise_or(tensor({1, 2}), m({2}));
       }},
      {"bitwise_xor",
       Kind::dtype,
       {"f32"},
       [] {
         bitwise_xor(tensor({1, 2}), m({2}));
       }},
      {"bitwise_and", Kind::shape, {"(2,)", "(3,)"}, [] { bitwise_and(zeros({2}, i64), zeros({3}, i64)); }},
      {"bitwise_not", Kind::dtype, {"f32"}, [] { bitwise_not(m({2})); }},
  };
}

}  // namespace cadena::errors
