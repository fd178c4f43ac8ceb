#include "autodiff/core/selection.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "autodiff/error.hpp"
#include "autodiff/kernels/index.hpp"
#include "autodiff/ops/arithmetic.hpp"
#include "autodiff/ops/movement.hpp"
#include "autodiff/ops/reduce.hpp"
#include "autodiff/ops/slicing.hpp"

namespace cadena::detail {

namespace {

std::string bracket(const char* op) { return "[" + std::string(op) + "] expected "; }

/// How many axes of x an item stands for.
int axes_of(const Index& item) {
  if (const auto* t = std::get_if<Tensor>(&item)) return t->dtype() == boolean ? t->dim() : 1;
  return std::holds_alternative<std::int64_t>(item) || std::holds_alternative<Slice>(item);
}

bool is_advanced(const Index& item, bool any_tensor) {
  return std::holds_alternative<Tensor>(item) || (any_tensor && std::holds_alternative<std::int64_t>(item));
}

/// A number that is expanded.
bool is_one_value(const Tensor& values) {
  return std::all_of(values.strides().begin(), values.strides().end(), [](auto s) { return s == 0; });
}

/// Coordinates of the i-th element in row-major order.
Shape coordinates(std::int64_t i, const Shape& shape) {
  Shape at = shape;
  for (int d = shape.rank() - 1; d >= 0; --d) at[d] = i % shape[d], i /= shape[d];
  return at;
}

}  // namespace

Selection::Selection(const char* op, const Tensor& x, std::span<const Index> indices)
    : op_(op), x_shape_(x.shape()), x_strides_(x.strides()) {
  int used = 0, ellipses = 0;
  bool any_tensor = false;
  for (const auto& item : indices) {
    used += axes_of(item);
    ellipses += std::holds_alternative<Ellipsis>(item);
    any_tensor |= std::holds_alternative<Tensor>(item);
  }
  if (used > x.dim() || ellipses > 1)
    throw IndexError(bracket(op) + "at most " + std::to_string(x.dim()) + " indices and one ellipsis for " +
                     to_string(x.shape()) + ", got " + std::to_string(used) + " and " +
                     std::to_string(ellipses));
  int axis = 0, first = -1, last = -1, advanced = 0, number = 0;
  const auto keep = [&](std::int64_t extent, std::int64_t stride) {
    kept_.push_back(extent), kept_strides_.push_back(stride);
  };
  for (const auto& item : indices) {
    if (is_advanced(item, any_tensor)) {
      if (first < 0) first = number, place_ = kept_.rank();
      last = number;
      ++advanced;
    }
    ++number;
    if (const auto* value = std::get_if<std::int64_t>(&item)) {
      add_number(*value, axis++);
    } else if (const auto* range = std::get_if<Slice>(&item)) {
      add_slice(*range, axis++);
    } else if (const auto* tensor = std::get_if<Tensor>(&item)) {
      axis = add_tensor(*tensor, axis);
    } else if (std::holds_alternative<NewAxis>(item)) {
      keep(1, 0);
    } else {
      for (int i = x.dim() - used; i > 0; --i, ++axis) keep(x_shape_[axis], x_strides_[axis]);
    }
  }
  for (; axis < x.dim(); ++axis) keep(x_shape_[axis], x_strides_[axis]);
  if (advanced > 0 && last - first + 1 != advanced) place_ = 0;
  for (int i = 0; i < place_; ++i) shape_.push_back(kept_[i]);
  for (auto e : spread_) shape_.push_back(e);
  for (int i = place_; i < kept_.rank(); ++i) shape_.push_back(kept_[i]);
  checked_numel(op, shape_, itemsize(x.dtype()));
  find_offsets();
}

void Selection::add_number(std::int64_t value, int axis) {
  const std::int64_t n = x_shape_[axis], i = value < 0 ? value + n : value;
  if (i < 0 || i >= n)
    throw IndexError(bracket(op_) + "an index in [" + std::to_string(-n) + ", " + std::to_string(n) +
                     ") for axis " + std::to_string(axis) + " of " + to_string(x_shape_) + ", got " +
                     std::to_string(value));
  start_ += i * x_strides_[axis];
}

void Selection::add_slice(const Slice& range, int axis) {
  if (range.step < 1) throw ValueError(bracket(op_) + "a step >= 1, got " + std::to_string(range.step));
  const std::int64_t n = x_shape_[axis];
  const auto bound = [n](std::int64_t v) { return std::clamp<std::int64_t>(v < 0 ? v + n : v, 0, n); };
  const std::int64_t from = bound(range.start.value_or(0)), to = bound(range.stop.value_or(n));
  const std::int64_t length = to > from ? (to - from - 1) / range.step + 1 : 0;
  if (length > 0) start_ += from * x_strides_[axis];
  kept_.push_back(length);
  kept_strides_.push_back(x_strides_[axis] * range.step);
}

int Selection::add_tensor(const Tensor& index, int axis) {
  if (index.dtype() == i64) {
    add_vector(index, axis, x_shape_[axis], x_strides_[axis]);
    distinct_ &= index.numel() <= 1;
    return axis + 1;
  }
  if (index.dtype() != boolean)
    throw DtypeError(bracket(op_) + "index tensors of i64 or bool, got " + std::string(name(index.dtype())));
  for (int i = 0; i < index.dim(); ++i)
    if (index.shape()[i] != x_shape_[axis + i])
      throw IndexError(bracket(op_) + "a mask of the extents from axis " + std::to_string(axis) + " of " +
                       to_string(x_shape_) + ", got " + to_string(index.shape()));
  add_mask(index, axis);
  return axis + index.dim();
}

/// A mask of rank 0 picks all of a new axis of one element, or nothing.
void Selection::add_mask(const Tensor& mask, int axis) {
  NoGrad guard;
  const Tensor hits = contiguous(mask);
  const auto count = sum(hits).item<std::int64_t>();
  const Tensor offsets = empty({count + 1}, i64);
  Strides strides;
  for (int i = 0; i < mask.dim(); ++i) strides.push_back(x_strides_[axis + i]);
  kernels::nonzero_offsets(mask.shape(), static_cast<const bool*>(raw_data(hits)), strides,
                           static_cast<std::int64_t*>(raw_data(offsets)));
  add_vector(slice(offsets, 0, {0, count}), -1, 0, 1);
}

void Selection::add_vector(const Tensor& index, int axis, std::int64_t extent, std::int64_t stride) {
  spread_ = broadcast(op_, spread_, index.shape());
  vectors_.push_back({index.detach(), axis, extent, stride});
}

void Selection::find_offsets() {
  NoGrad guard;
  const std::int64_t n = checked_numel(op_, spread_, sizeof(std::int64_t));
  // Offsets of masks, whose elements need no check, then those of index tensors.
  Tensor known;
  for (const auto& v : vectors_)
    if (v.axis < 0) known = known.defined() ? add(known, v.index) : v.index;
  if (vectors_.size() == 1 && known.defined()) {
    offsets_ = known;
    return;
  }
  if (vectors_.empty()) known = zeros({}, i64);
  offsets_ = known.defined() ? reshape(clone(expand(known, spread_)), {n}) : make_tensor({n}, n, i64);
  auto* to = static_cast<std::int64_t*>(raw_data(offsets_));
  bool add_to = known.defined();
  for (const auto& v : vectors_) {
    if (v.axis < 0) continue;
    const kernels::View index = view_of(expand(v.index, spread_));
    const auto bad = kernels::index_offsets(index, v.extent, v.stride, std::exchange(add_to, true), to);
    if (bad)
      throw IndexError(bracket(op_) + "indices in [" + std::to_string(-v.extent) + ", " +
                       std::to_string(v.extent) + ") for axis " + std::to_string(v.axis) + " of " +
                       to_string(x_shape_) + ", got " + std::to_string(bad->value) + " at position " +
                       to_string(coordinates(bad->at, spread_)) + " of the index");
  }
}

/// x as the axes that stay around one of step 1, along which the offsets point.
kernels::View Selection::source(const Tensor& x) const {
  kernels::View v = view_of(x);
  v.data = static_cast<unsigned char*>(v.data) + start_ * static_cast<std::int64_t>(itemsize(v.dtype));
  v.shape = kept_;
  v.strides = kept_strides_;
  v.shape.insert(place_, 1);
  v.strides.insert(place_, 1);
  return v;
}

/// Contiguous values of the selection's shape, or one value for all; the axes of the index tensors as one.
kernels::View Selection::picked(const Tensor& values) const {
  kernels::View v = view_of(values);
  const bool one = is_one_value(values);
  v.shape = kept_;
  v.shape.insert(place_, offsets_.numel());
  v.strides = contiguous_strides(v.shape);
  if (one) std::fill(v.strides.begin(), v.strides.end(), 0);
  return v;
}

Tensor Selection::read(const Tensor& x) const {
  Tensor out = make_tensor(shape_, shape_.numel(), x.dtype());
  kernels::read_offsets(source(x), place_, view_of(offsets_), picked(out));
  return out;
}

Tensor Selection::last_of_equals() const {
  Shape shape = spread_;
  for (int i = 0; i < kept_.rank(); ++i) shape.insert(i < place_ ? i : shape.rank(), 1);
  const std::int64_t n = offsets_.numel();
  Tensor last = make_tensor(shape, n, boolean);
  kernels::last_of_equals(1, n, 1, x_shape_.numel(), static_cast<const std::int64_t*>(raw_data(offsets_)),
                          static_cast<bool*>(raw_data(last)));
  return last;
}

void Selection::write(const Tensor& x, const Tensor& values, bool accumulate) const {
  const Tensor from = is_one_value(values) ? values : contiguous(values);
  if (accumulate)
    kernels::add_offsets(source(x), place_, view_of(offsets_), picked(from));
  else
    kernels::write_offsets(source(x), place_, view_of(offsets_), picked(from));
}

}  // namespace cadena::detail
