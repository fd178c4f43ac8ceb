#include "autodiff/core/elementwise_sum.hpp"

#include <algorithm>

#include "autodiff/ops/movement.hpp"
#include "autodiff/ops/reduce.hpp"

namespace cadena::detail {

namespace {

constexpr int no_attributes = 0;
/// Rows of so many elements are worth a call of a loop each.
constexpr std::int64_t long_enough = 64;

/// Whether `axes`, which are sorted, are the last dimensions of `shape`, but for extents of 1 behind them.
/// @return the first of these dimensions, or -1
int first_of_rows(const Shape& shape, const Axes& axes) {
  int d = shape.rank(), left = axes.rank();
  while (left > 0 && d > 0) {
    --d;
    if (axes[left - 1] == d)
      --left;
    else if (shape[d] != 1)
      return -1;
  }
  return d;
}

/// An operand over `shape`, whose dimensions from `first` on are summed.
struct Rows {
  bool fit = true;  ///< they lie contiguously, or are one element repeated
  bool splat = false;
  Strides steps = {};  ///< over the dimensions before
};

Rows rows_of(const TensorImpl* t, const Shape& shape, int first) {
  Rows r;
  const Strides strides = kernels::broadcast_strides(t->shape, t->strides, shape);
  bool dense = true, still = true;
  std::int64_t step = 1;
  for (int d = shape.rank() - 1; d >= first; step *= shape[d--]) {
    if (shape[d] == 1) continue;
    dense = dense && strides[d] == step;
    still = still && strides[d] == 0;
  }
  r.splat = still && !dense;
  r.fit = dense || (still && step >= long_enough);
  for (int d = 0; d < first; ++d) r.steps.push_back(strides[d]);
  return r;
}

}  // namespace

Tensor elementwise_sum_value(const ElementwiseSumRules& rules, const void* op, const Tensor* inputs,
                             const Axes& axes, bool keepdim) {
  const Unrecorded guard;
  const int n = rules.each->arity;
  const DType dtype = raw_impl(inputs[0])->dtype;
  Shape full = raw_impl(inputs[0])->shape;
  for (int i = 1; i < n; ++i)
    full = broadcast(rules.each->meta.name.data(), full, raw_impl(inputs[i])->shape);
  const std::int64_t count = count_along(full, axes);
  const int first = first_of_rows(full, axes);
  bool fit = first >= 0 && count > 0;
  unsigned splat = 0;
  kernels::MapInput in[max_arity];
  for (int i = 0; fit && i < n; ++i) {
    const TensorImpl* t = raw_impl(inputs[i]);
    check_readable(t);
    const Rows rows = rows_of(t, full, first);
    fit = rows.fit;
    if (rows.splat) splat |= 1U << i;
    in[i] = {t->data, itemsize(dtype), rows.steps};
  }
  if (!fit) return sum(elementwise_value(*rules.each, op, inputs), axes, keepdim);
  Shape outer;
  for (int d = 0; d < first; ++d) outer.push_back(full[d]);
  const Shape shape = reduced_shape(full, axes, keepdim);
  Tensor out = make_tensor(shape, shape.numel(), dtype);
  kernels::map_sum(rules.sum[dtype == f64], op, dtype, outer, in, n, splat, count, raw_data(out));
  return out;
}

void ElementwiseSumNode::vjp(const Tensor& g, const bool* need, Tensor* gin) {
  ElementwiseNode::vjp(expand(keepdim ? g : restore_axes(g, full, axes), full), need, gin);
}

Tensor ElementwiseSumNode::jvp(const Tensor* tangents) {
  const Tensor each = ElementwiseNode::jvp(tangents);
  return !each.defined() || axes.empty() ? each : sum(expand(each, full), axes, keepdim);
}

SymbolicOp ElementwiseSumNode::symbolic() const { return {}; }

Tensor ElementwiseSumNode::replay(std::span<const Tensor> inputs) const {
  return elementwise_sum_value(sum_rules, op() ? op() : &no_attributes, inputs.data(), axes, keepdim);
}

}  // namespace cadena::detail
