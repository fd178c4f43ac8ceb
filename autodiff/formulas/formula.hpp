// How an elementwise operation is written: its value `f` and its partial derivatives, once, generically. They
// are read with SIMD lanes (the fused loops), with duals (derivatives of user formulas), with tensors
// (derivatives of derivatives) and with symbols (text; symbol.hpp lists the functions that may be called), so
// they use nothing but arithmetic, comparisons, `where` and functions found by their arguments.
//
// Scalar attributes are members of the struct. Each theme of this folder lists its ops at its end, for
// ops/THEME.cpp and for formulas.hpp.
#pragma once

#include "autodiff/core/meta.hpp"
#include "autodiff/kernels/lane.hpp"

namespace cadena::formulas {

using detail::Domain;
using detail::kink_at_zero;
using detail::Meta;
using detail::none;
using detail::nonzero;
using detail::positive;
using detail::real;
using detail::X1;
using detail::X2;
using detail::X3;
using detail::Y;

// Derivatives that need no arithmetic at all.
struct One {};   ///< the cotangent passes through
struct Zero {};  ///< nothing flows

inline constexpr double infinity = std::numeric_limits<double>::infinity();
inline constexpr double log_2 = 0.693147180559945309417;
inline constexpr double log_10 = 2.30258509299404568402;
inline constexpr double pi = 3.14159265358979323846;

// The one-argument rule is dx(x, y) with y = f(x); two arguments have dx1 and dx2(a, b, y), three dx1 to dx3.

}  // namespace cadena::formulas

// What lanes do not have as a machine operation, they have as a formula.
#define CADENA_LANE_FUNCTION(Op, function)  \
  template <class T, class Arch>            \
  Lane<T, Arch> function(Lane<T, Arch> x) { \
    return formulas::Op::f(x);              \
  }
#define CADENA_LANE_FUNCTION_OF_TWO(Op, function)                                  \
  template <class T, class Arch>                                                   \
  Lane<T, Arch> function(Lane<T, Arch> a, std::type_identity_t<Lane<T, Arch>> b) { \
    return formulas::Op::f(a, b);                                                  \
  }                                                                                \
  template <Literal S, class T, class Arch>                                        \
  Lane<T, Arch> function(S a, Lane<T, Arch> b) {                                   \
    return formulas::Op::f(Lane<T, Arch>(a), b);                                   \
  }
/// With the attributes behind the argument, as the public function has them.
#define CADENA_LANE_FUNCTION_WITH_ATTRIBUTES(Op, function)        \
  template <class T, class Arch, Literal... A>                    \
  Lane<T, Arch> function(Lane<T, Arch> x, A... attributes) {      \
    return formulas::Op{static_cast<double>(attributes)...}.f(x); \
  }
