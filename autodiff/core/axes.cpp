#include "autodiff/core/axes.hpp"

#include <algorithm>
#include <string>

#include "autodiff/error.hpp"
#include "autodiff/grad.hpp"
#include "autodiff/ops/arithmetic.hpp"
#include "autodiff/ops/choice.hpp"
#include "autodiff/ops/indexing.hpp"
#include "autodiff/ops/movement.hpp"
#include "autodiff/ops/reduce.hpp"

namespace cadena::detail {

Shape reduced_shape(const Shape& in, const Axes& axes, bool keepdim) {
  Shape out;
  for (int i = 0; i < in.rank(); ++i) {
    if (std::find(axes.begin(), axes.end(), i) == axes.end())
      out.push_back(in[i]);
    else if (keepdim)
      out.push_back(1);
  }
  return out;
}

Tensor restore_axes(const Tensor& reduced, const Shape& in, const Axes& axes) {
  return reshape(reduced, reduced_shape(in, axes, true));
}

std::int64_t count_along(const Shape& shape, const Axes& axes) {
  std::int64_t n = 1;
  for (auto a : axes) n *= shape[static_cast<int>(a)];
  return n;
}

Tensor flattened_last(const Tensor& x, const Axes& axes) {
  Axes order;
  for (int i = 0; i < x.dim(); ++i)
    if (std::find(axes.begin(), axes.end(), i) == axes.end()) order.push_back(i);
  for (auto a : axes) order.push_back(a);
  Shape shape = reduced_shape(x.shape(), axes, false);
  shape.push_back(count_along(x.shape(), axes));
  return reshape(permute(x, order), shape);
}

Tensor axis_last(const Tensor& x, int axis) {
  Axes order;
  for (int i = 0; i < x.dim(); ++i)
    if (i != axis) order.push_back(i);
  order.push_back(axis);
  return permute(x, order);
}

Tensor axis_back(const Tensor& x, int axis) {
  Axes order;
  for (int i = 0; i + 1 < x.dim(); ++i) order.push_back(i);
  order.insert(axis, x.dim() - 1);
  return permute(x, order);
}

kernels::Lines lines_of(const Shape& shape, int axis) {
  kernels::Lines lines{1, shape.empty() ? 1 : shape[axis], 1};
  for (int i = 0; i < axis; ++i) lines.outer *= shape[i];
  for (int i = axis + 1; i < shape.rank(); ++i) lines.inner *= shape[i];
  return lines;
}

int axis_or_vector(const char* op, std::int64_t axis, int rank) {
  return normalize_axis(op, axis, std::max(rank, 1));
}

void check_not_empty(const char* op, const Tensor& x, const Axes& axes) {
  for (auto a : axes)
    if (x.shape()[static_cast<int>(a)] == 0)
      throw ValueError("[" + std::string(op) + "] expected at least one element along axis " +
                       std::to_string(a) + ", got shape " + to_string(x.shape()));
}

void check_floating(const char* op, const Tensor& x) {
  if (!is_floating(x.dtype()))
    throw DtypeError("[" + std::string(op) + "] expected f32 or f64, got " + std::string(name(x.dtype())));
}

Tensor numeric(const Tensor& x) { return x.dtype() == boolean ? to(x, i64) : x; }

Tensor root(const Tensor& x) {
  Tensor zero;
  {
    NoGrad guard;
    zero = eq(x, 0);
  }
  return where(zero, 0, sqrt(where(zero, 1, x)));
}

Tensor cast_to(const char* op, const Tensor& x, const Tensor& src) {
  if (promote(src.dtype(), x.dtype()) != x.dtype())
    throw DtypeError("[" + std::string(op) + "] expected values that " + std::string(name(x.dtype())) +
                     " can hold, got " + std::string(name(src.dtype())));
  return to(src, x.dtype());
}

}  // namespace cadena::detail
