// The proof of an operation: the checks that our own suite makes of every op in the library, for any op.
// Opt-in. `autodiff/testing.hpp` makes GoogleTest tests of them; docs/testing.md shows how.
#pragma once

#include <concepts>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "autodiff/core/table.hpp"
#include "autodiff/grad.hpp"
#include "autodiff/gradcheck.hpp"
#include "autodiff/tensor.hpp"

namespace cadena {

using detail::Domain;  // {.low, .high, .kinks, .margin, .distinct}: where inputs are drawn

using TensorFunction = std::function<Tensor(const TensorList&)>;
/// One call: {.label, .inputs (f64), .call, .reference (may be empty)}.
using OpSample = detail::Sample;

/// An operation as the checks see it: who calls it, and what is asked of it.
struct OpUnderTest {
  /// Small inputs, other ones for every seed.
  std::function<std::vector<OpSample>(std::uint64_t seed)> samples;
  /// One call with about n elements in f32, for memory and threads.
  std::function<OpSample(std::uint64_t seed, std::int64_t n)> large;
  int wanted = 20;  ///< samples at least, from as many seeds as that takes
  int orders = 2;   ///< of derivatives, 1 to 3
  bool reorders =
      false;  ///< sums may be taken in another order for another memory layout: 1e-13, else the bits
  double single = 1e-5;  ///< f32 against f64, of the largest element
  /// Bits of the inputs (1, 2, 4) and the output (8) that may live on after the call; unknown if not given.
  std::optional<unsigned> keeps = {};
  GradcheckOptions options = {};
};

struct OpReport {
  bool ok = true;
  std::string text;  ///< the first failure: sample, element, both values
  int samples = 0;   ///< that were checked
  int third = 0;     ///< those of them whose third derivatives were checked
};

struct OpCheck {
  const char* name;  ///< as a GoogleTest name
  OpReport (*run)(const OpUnderTest& op);
};

/// All there is to check.
///   Value                     against the reference, with its gradients; and the same bits again
///   FirstOrderAndForwardMode  full Jacobians by differences, linearity, duality with forward mode
///   HigherOrders              the same of recorded derivatives, of inputs with at most 30 elements
///   Layouts                   transposed, strided and reversed inputs
///   RepeatedInputs            one element expanded to all (stride 0), one tensor in two places
///   FloatAgreesWithDouble     values, gradients and dtypes of f32
///   Memory                    what lives after the forward pass, and that nothing does in the end
///   ThreadsDoNotChangeBits    one to three threads
/// With CADENA_THOROUGH in the environment the derivatives are checked on ten times as many samples.
std::span<const OpCheck> op_checks();

/// What the author of an op says about it, for `op_under_test` and CADENA_TEST_OP.
struct OpTest {
  /// Shapes of the inputs, one list for each sample. If empty, those that an elementwise op takes: ranks 0 to
  /// 5, extents 0 and 1, whole and broken registers, and all broadcasts.
  std::vector<std::vector<Shape>> shapes = {};
  /// Where the inputs are drawn, one by one; the last one serves further inputs too. Random points lie almost
  /// never on a kink; `.kinks` and `.margin` keep away from them, `.distinct` makes no two elements alike.
  std::vector<Domain> domain = {};
  /// The value in other operations, or computed without the library.
  TensorFunction reference = {};
  /// Shapes of a large call, for memory and threads; if empty, 2^17 elements where `shapes` is empty too,
  /// else the last of `shapes`.
  std::vector<Shape> large = {};
  int samples = 20;      ///< at least
  int orders = 2;        ///< of derivatives, 1 to 3
  double single = 1e-5;  ///< f32 against f64, of the largest element
  GradcheckOptions options = {};
};

namespace detail {

/// All elements of several outputs in one line.
Tensor join_outputs(const TensorList& outputs);

/// Calls f with as many tensors as it takes.
template <class F>
struct Callable {
  static constexpr int arity = std::is_invocable_v<const F&, const Tensor&>                  ? 1
                               : std::is_invocable_v<const F&, const Tensor&, const Tensor&> ? 2
                               : std::is_invocable_v<const F&, const Tensor&, const Tensor&, const Tensor&>
                                   ? 3
                                   : 0;
  static TensorFunction wrap(F f) {
    if constexpr (arity == 1) {
      return [f](const TensorList& x) -> Tensor { return f(x[0]); };
    } else if constexpr (arity == 2) {
      return [f](const TensorList& x) -> Tensor { return f(x[0], x[1]); };
    } else if constexpr (arity == 3) {
      return [f](const TensorList& x) -> Tensor { return f(x[0], x[1], x[2]); };
    } else {
      static_assert(std::is_invocable_v<const F&, const TensorList&>,
                    "expected a function of one to three Tensors, or of a TensorList");
      if constexpr (std::is_invocable_r_v<Tensor, const F&, const TensorList&>)
        return [f](const TensorList& x) -> Tensor { return f(x); };
      else
        return [f](const TensorList& x) { return join_outputs(f(x)); };
    }
  }
};

/// A row of the op table, which is a user's op, too.
OpUnderTest op_under_test(const OpInfo& row);
OpUnderTest op_under_test(const TensorFunction& f, int arity, const OpTest& test);

}  // namespace detail

/// @param f takes one, two or three Tensors, or a TensorList; returns a Tensor, or (from a TensorList) a
/// TensorList: a lambda, a Function, a CustomOp, what `elementwise` returns
/// @throws ValueError if f takes a TensorList and test.shapes is empty (nothing says how long it is), for
/// lists of shapes of another length than f has arguments, and for numbers out of range
template <class F>
OpUnderTest op_under_test(F f, const OpTest& test = {}) {
  return detail::op_under_test(detail::Callable<F>::wrap(f), detail::Callable<F>::arity, test);
}

}  // namespace cadena
