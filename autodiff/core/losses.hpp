// What the losses of several files share.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "autodiff/core/elementwise_sum.hpp"
#include "autodiff/core/table.hpp"
#include "autodiff/error.hpp"
#include "autodiff/ops/loss.hpp"
#include "autodiff/ops/reduce.hpp"

namespace cadena::detail {

inline Tensor reduced(const Tensor& losses, Reduction reduction) {
  return reduction == Reduction::none ? losses : reduction == Reduction::sum ? sum(losses) : mean(losses);
}

/// The same for the losses that an elementwise formula gives, which are never written out to be summed.
template <class Op, class... In>
Tensor reduced_elementwise(const Op& op, Reduction reduction, const In&... in) {
  if (reduction == Reduction::none) return elementwise_call(op, in...);
  const Tensor* const inputs[] = {&in...};
  const Shape& shape = inputs[0]->shape();
  const Tensor total =
      elementwise_sum(op, normalize_axes(Op::meta.name.data(), {}, shape.rank()), false, in...);
  return reduction == Reduction::sum ? total : div(total, static_cast<double>(shape.numel()));
}

inline void check_same_shape(const char* op, const Tensor& input, const Tensor& target) {
  if (!(input.shape() == target.shape()))
    throw ShapeError("[" + std::string(op) + "] expected input and target of one shape, got " +
                     to_string(input.shape()) + " and " + to_string(target.shape()));
}

inline void check_real(const char* op, const Tensor& t) {
  if (!is_floating(t.dtype()))
    throw DtypeError("[" + std::string(op) + "] expected f32 or f64, got " + std::string(name(t.dtype())));
}

using PairLoss = std::function<Tensor(const Tensor& a, const Tensor& b, Reduction)>;

/// A loss of two tensors of one shape, under each reduction.
OpInfo pair_loss_row(const Meta& meta, const PairLoss& loss);

}  // namespace cadena::detail
