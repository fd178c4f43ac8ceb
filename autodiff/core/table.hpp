// The op table: what the gradient suite, the benchmarks and the documentation enumerate. Every family hands
// in its rows by a plain function (self-registering statics would be dropped by the linker of a static
// library).
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "autodiff/core/meta.hpp"
#include "autodiff/grad.hpp"
#include "autodiff/random.hpp"
#include "autodiff/tensor.hpp"

namespace cadena::detail {

/// Draws inputs for an op.
class Sampler {
 public:
  explicit Sampler(std::uint64_t seed, DType dtype = f64) : generator(seed), dtype_(dtype) {}

  /// Uniform on the domain, away from its kinks.
  Tensor draw(const Shape& shape, const Domain& domain = real);
  /// All different, at least 1/(2n) apart, in random order: for ops that compare elements.
  Tensor distinct(const Shape& shape);
  Tensor index(const Shape& shape, std::int64_t extent);
  std::int64_t below(std::int64_t n) {
    return static_cast<std::int64_t>(generator.below(static_cast<std::uint64_t>(n)));
  }

  Generator generator;

 private:
  DType dtype_;
};

/// A function of tensors. Those without captures, which most are, share the code that holds them.
class SampleCall : public std::function<Tensor(const TensorList&)> {
  using Pointer = Tensor (*)(const TensorList&);

 public:
  SampleCall() = default;
  template <class F>
  requires std::is_invocable_r_v<Tensor, F&, const TensorList&> SampleCall(
      F f)  // NOLINT(google-explicit-constructor)
      : function(holdable(std::move(f))) {}

 private:
  template <class F>
  static auto holdable(F f) {
    if constexpr (std::is_convertible_v<F, Pointer>)
      return static_cast<Pointer>(f);
    else
      return f;
  }
};

/// One call of an op: floating inputs, all of them differentiable, and the attributes inside `call`.
struct Sample {
  std::string label;
  TensorList inputs;
  SampleCall call;
  /// The same value in plain operations; empty unless the op is a fused kernel.
  SampleCall reference = {};
};

struct OpInfo {
  Meta meta;
  std::string_view family;
  /// Small inputs of many shapes, also empty ones and all broadcasts.
  std::function<std::vector<Sample>(Sampler&)> samples;
  /// One input of about `n` elements, for the benchmarks.
  std::function<Sample(Sampler&, std::int64_t n)> large;
  /// Built from other rows: records nothing of its own.
  bool composite = false;
};

using OpList = std::vector<OpInfo>;

/// A sample before its inputs are drawn.
struct Case {
  std::vector<Shape> shapes;
  SampleCall call;
  std::string label = {};  ///< what the shapes do not say
  SampleCall reference = {};
};

/// A row whose inputs come from the op's domains; input 3 and later ones from the third.
OpInfo case_row(const Meta& meta, std::string_view family, std::vector<Case> cases,
                std::function<Case(std::int64_t n)> large);
inline OpInfo composite(OpInfo row) {
  row.composite = true;
  return row;
}

OpInfo elementwise_row(const Meta& meta, std::string_view family, Tensor (*f)(const Tensor&));
OpInfo elementwise_row(const Meta& meta, std::string_view family,
                       Tensor (*f)(const Operand&, const Operand&));
/// A call with certain attributes.
struct Variant {
  std::string label;
  SampleCall call;
};
/// An op with attributes, or with three arguments: the samples take the variants in turn.
OpInfo elementwise_row(const Meta& meta, std::string_view family, int arity, std::vector<Variant> variants);

OpList arithmetic_ops();
OpList exponential_ops();
OpList trigonometric_ops();
OpList activation_ops();
OpList rounding_ops();
OpList special_ops();
OpList choice_ops();
OpList movement_ops();
OpList slicing_ops();
OpList reduce_ops();
OpList softmax_ops();
OpList product_ops();
OpList contraction_ops();
OpList einsum_ops();
OpList linalg_ops();
OpList index_ops();
OpList statistics_ops();
OpList scan_ops();
OpList calculus_ops();
OpList sort_ops();
OpList quantile_ops();
OpList search_ops();
OpList arrange_ops();
OpList joining_ops();
OpList diagonal_ops();
OpList padding_ops();
OpList window_ops();
OpList rearrange_ops();
OpList indexing_ops();
OpList scatter_ops();
OpList loss_ops();
OpList ctc_ops();
OpList recurrent_ops();
OpList regression_ops();
OpList margin_ops();
OpList similarity_ops();
OpList attention_ops();
OpList embedding_ops();
OpList convolution_ops();
OpList resample_ops();
OpList pooling_ops();
OpList fractional_pooling_ops();
OpList normalization_ops();
OpList distance_ops();
OpList vision_ops();
OpList random_ops();

/// All differentiable operations.
const OpList& op_table();

}  // namespace cadena::detail
