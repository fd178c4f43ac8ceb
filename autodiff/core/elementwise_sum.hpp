// The sum of an elementwise formula as one operation: sum(f(a, b), axes) reads its operands once, and keeps
// no values of f, neither while it adds nor for the derivative.
#pragma once

#include "autodiff/core/axes.hpp"
#include "autodiff/core/elementwise.hpp"
#include "autodiff/kernels/map_sum.hpp"

namespace cadena::detail {

struct ElementwiseSumRules {
  const ElementwiseRules* each;
  kernels::SumLoop sum[2];  ///< f32, f64
};

/// The rules of the formula, whose cotangent is the sum's, repeated.
struct ElementwiseSumNode : ElementwiseNode {
  const ElementwiseSumRules& sum_rules;
  Axes axes;
  bool keepdim;
  Shape full;  ///< of the formula's values

  ElementwiseSumNode(const ElementwiseSumRules& r, const Axes& a, bool k, const Shape& f)
      : ElementwiseNode(*r.each), sum_rules(r), axes(a), keepdim(k), full(f) {}
  void vjp(const Tensor& g, const bool* need, Tensor* gin) override;
  Tensor jvp(const Tensor* tangents) override;
  SymbolicOp symbolic() const override;
  Tensor replay(std::span<const Tensor> inputs) const override;
  Tensor rerun(std::span<const Tensor> inputs) override { return replay(inputs); }
  bool is_elementwise() const override { return false; }
};

/// Over `axes`, which are sorted; none of them: each value by itself.
Tensor elementwise_sum_value(const ElementwiseSumRules& rules, const void* op, const Tensor* inputs,
                             const Axes& axes, bool keepdim);

/// Evaluates and, where needed, records with the node that `make(axes, shape of the values)` returns.
template <class Make>
Tensor recorded_sum(const ElementwiseSumRules& rules, const void* op, const Tensor* inputs, const Axes& axes,
                    bool keepdim, const Make& make) {
  const std::string_view name = rules.each->meta.name;
  const auto n = static_cast<std::size_t>(rules.each->arity);
  Shape full = inputs[0].shape();
  for (std::size_t i = 1; i < n; ++i) full = broadcast(name.data(), full, inputs[i].shape());
  Tensor out;
  if (any_batched(inputs, n)) [[unlikely]] {
    const BatchedCall call(inputs, n);
    out =
        call.wrap(recorded_sum(rules, op, call.aligned().data(), BatchedCall::shifted(axes), keepdim, make));
  } else if (on_tape()) [[unlikely]] {
    return apply_on_tape(Ref<RecordedNode>::adopt(make(axes, full)), inputs, n);
  } else {
    out = elementwise_sum_value(rules, op, inputs, axes, keepdim);
  }
  if (recording(name, inputs, n))
    elementwise_attach(Ref<ElementwiseNode>::adopt(make(axes, full)), out, inputs);
  return out;
}

template <class Op, class T, int N>
void sum_loop(const void* op, void* out, const void* const* in, unsigned splat, std::int64_t n,
              std::int64_t rows) {
  const Op& formula = *static_cast<const Op*>(op);
  kernels::lane_sum<T>([&](auto... x) { return formula.f(x...); }, out, in, splat, n, rows,
                       std::make_index_sequence<N>{});
}

template <class Op, int N>
inline constexpr ElementwiseSumRules sum_rules_of{&rules_of<Op, N>,
                                                  {sum_loop<Op, float, N>, sum_loop<Op, double, N>}};

template <class Op>
struct AttributeSumNode final : ElementwiseSumNode {
  Op attributes;
  AttributeSumNode(const ElementwiseSumRules& r, const Axes& a, bool k, const Shape& full, const Op& o)
      : ElementwiseSumNode(r, a, k, full), attributes(o) {}
  const void* op() const override { return &attributes; }
};

/// sum(elementwise_call(op, in...), axes, keepdim); `axes` are normalized over the broadcast shape. The
/// derivatives of `op` must not read its value.
template <class Op, class... In>
Tensor elementwise_sum(const Op& op, const Axes& axes, bool keepdim, const In&... in) {
  constexpr int n = sizeof...(In);
  constexpr const ElementwiseSumRules& rules = sum_rules_of<Op, n>;
  static_assert(((Op::meta.reads[0] | Op::meta.reads[1] | Op::meta.reads[2]) & Y) == 0 && !Op::meta.integral);
  const Operand operands[] = {Operand(in)...};
  Tensor inputs[n];
  promote_operands(Op::meta, operands, inputs, n);
  return recorded_sum(rules, &op, inputs, axes, keepdim, [&](const Axes& a, const Shape& full) {
    return new AttributeSumNode<Op>(rules, a, keepdim, full, op);
  });
}

}  // namespace cadena::detail
