// A function of one sample applied to many at once.
//
//   auto distances = vmap([](const Tensor& a, const Tensor& b) { return sum(square(a - b)); })(x, y);
//
// The function runs once, on tensors that stand for all samples: each operation in it becomes one on the
// whole batch. Where that is impossible (it looks at single values, draws random numbers, writes in place)
// it is called once per sample instead: slower, never different. vmap_report() tells which it was. The
// function must have no side effects, because a run that turns out to be impossible is given up halfway.
#pragma once

#include <concepts>
#include <limits>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "autodiff/grad.hpp"

namespace cadena {

/// In in_axes: an argument that all samples share; in out_axes: a result that is the same for all of them.
inline constexpr int unbatched = std::numeric_limits<int>::min();

struct VmapOptions {
  std::vector<int> in_axes = {};   ///< by argument: which axis counts the samples; none given: 0 for all
  std::vector<int> out_axes = {};  ///< by result: which axis does; none given: 0 for all
};

/// f for every sample: the results are those of the loop, stacked along out_axes. Random numbers, too: they
/// are drawn for each sample in turn, whatever the generator.
/// @throws ValueError, ShapeError, IndexError unless the arguments have equal numbers of samples, at least
/// one, and the axes fit; ValueError if a result that is said to be unbatched differs between samples
TensorList vmap(const Function& f, const TensorList& inputs, const VmapOptions& options = {});

/// f as a function of batches; f takes Tensors and returns a Tensor or a TensorList.
template <class F>
requires(!std::is_convertible_v<F, TensorList>) auto vmap(F f, VmapOptions options = {}) {
  return [ f = std::move(f), options = std::move(options) ]<std::same_as<Tensor>... X>(const X&... x) {
    using Result = std::remove_cvref_t<std::invoke_result_t<const F&, const X&...>>;
    constexpr bool single = std::is_convertible_v<Result, Tensor>;
    const Function list = [&f](const TensorList& in) -> TensorList {
      return [&]<std::size_t... I>(std::index_sequence<I...>)->TensorList {
        if constexpr (single)
          return {f(in[I]...)};
        else
          return f(in[I]...);
      }
      (std::index_sequence_for<X...>{});
    };
    TensorList out = vmap(list, TensorList{x...}, options);
    if constexpr (single)
      return std::move(out[0]);
    else
      return out;
  };
}

/// What became of this thread's last vmap.
struct VmapReport {
  bool batched = true;              ///< false: the function was called once per sample
  std::string reason = {};          ///< why
  std::vector<std::string> looped;  ///< operations without a rule, done sample by sample within the batch
};
const VmapReport& vmap_report();

}  // namespace cadena
