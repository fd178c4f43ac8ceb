// Tensor: a value handle on {storage, dtype, shape, strides, offset, graph edge}. Copying a Tensor copies the
// handle; views share storage. Operations live in ops.hpp, differentiation in grad.hpp.
#pragma once

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <iosfwd>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "autodiff/core/refcount.hpp"
#include "autodiff/dtype.hpp"
#include "autodiff/shape.hpp"

namespace cadena {

class Generator;
class HookHandle;
class Operand;
class Tensor;

namespace detail {
/// What every look at a tensor reads; the rest of it is in core/node.hpp.
struct TensorHead : RefCounted {
  DType dtype;
  bool contiguous;
  bool batched = false;       ///< stands for many samples inside vmap and has no memory, see batch.hpp
  bool view = false;          ///< shares storage with a tensor that was there before
  std::uint32_t version = 0;  ///< storage version that the tensor's node describes
  std::int64_t numel;
  Shape shape;
  Strides strides;
};
struct TensorImpl;
}  // namespace detail

/// One position of `x.index({...})`: an integer, a Slice, `ellipsis`, `newaxis`, a mask or an index tensor.
using Index = std::variant<std::int64_t, Slice, Ellipsis, NewAxis, Tensor>;

struct BackwardOptions {
  bool retain_graph = false;  ///< keep saved values so that the graph can be walked again
  bool create_graph = false;  ///< record the backward pass itself; implies retain_graph
};

class Tensor {
 public:
  /// An undefined tensor: `defined()` is false and every other use throws GraphError.
  Tensor() noexcept : p_(nullptr) {}
  Tensor(const Tensor& o) noexcept : p_(o.p_) {
    if (p_) p_->retain();
  }
  Tensor(Tensor&& o) noexcept : p_(std::exchange(o.p_, nullptr)) {}
  Tensor& operator=(const Tensor& o) noexcept {
    Tensor copy(o);
    std::swap(p_, copy.p_);
    return *this;
  }
  Tensor& operator=(Tensor&& o) noexcept {
    Tensor taken(std::move(o));
    std::swap(p_, taken.p_);
    return *this;
  }
  ~Tensor() {
    if (p_ && p_->release()) destroy(p_);
  }

  // What it is.
  bool defined() const { return p_ != nullptr; }
  DType dtype() const { return head().dtype; }
  const Shape& shape() const { return head().shape; }
  const Strides& strides() const { return head().strides; }  ///< in elements
  int dim() const { return head().shape.rank(); }            ///< number of dimensions
  std::int64_t size(int axis) const;  ///< extent along `axis`, which may be negative. @throws IndexError
  std::int64_t numel() const { return head().numel; }       ///< number of elements
  bool is_contiguous() const { return head().contiguous; }  ///< row-major without gaps
  bool shares_storage(const Tensor& other) const;
  std::uint32_t version() const;  ///< number of in-place writes to the storage, shared by all views

  // What it holds.
  /// The only element, converted to T. @throws ShapeError unless numel() == 1
  template <Element T>
  T item() const;
  double item() const;  ///< as item<double>()
  /// Pointer to the first element (others lie at `strides()`). @throws DtypeError if T is not the dtype
  template <Element T>
  const T* data() const;
  /// Pointer for writing; counts as an in-place write, so saved values become stale.
  /// The write is not recorded. @throws DtypeError
  template <Element T>
  T* mutable_data();
  /// All elements in row-major order, converted to T.
  template <Element T>
  std::vector<T> to_vector() const;
  /// NumPy-style text with dtype, shape and whether it is recorded.
  std::string to_string() const;

  // Differentiation.
  bool requires_grad()
      const;  ///< true for leaves that ask for a gradient and for everything computed from them
  /// Marks a leaf. @throws DtypeError for integer and bool tensors, GraphError for non-leaves
  Tensor& requires_grad_(bool on = true);
  bool is_leaf() const;       ///< true unless it was computed by a recorded op
  const Tensor grad() const;  ///< the accumulated gradient; undefined before the first backward
  void set_grad(
      const Tensor& g);   ///< @throws ShapeError, DtypeError, GraphError if it is not a leaf with grad
  void zero_grad();       ///< forgets the gradient (it becomes undefined)
  Tensor& retain_grad();  ///< keep `.grad()` of a non-leaf, too
  /// Accumulates d(this)/d(leaf) into every leaf's `.grad()`; all leaves change or, if anything throws, none.
  /// @param seed cotangent of this tensor's shape; may be left out for a single element
  /// @throws GraphError if not recorded, already freed, or no seed for several elements; ShapeError,
  /// DtypeError
  void backward(const Tensor& seed = Tensor(), BackwardOptions options = {}) const;
  /// Calls `hook(gradient)` when this tensor's gradient is complete; a defined result replaces it.
  HookHandle register_hook(std::function<Tensor(const Tensor&)> hook) const;
  Tensor detach() const;        ///< same storage, outside the graph
  std::string grad_fn() const;  ///< name of the op that made it, "" for leaves

  // Shape and type; see ops.hpp for the meaning. Views wherever possible.
  Tensor reshape(const Shape& shape) const;
  Tensor view(const Shape& shape) const;
  Tensor flatten(int start = 0, int end = -1) const;
  Tensor permute(const Axes& axes) const;
  Tensor transpose(int a, int b) const;
  Tensor t() const;
  Tensor expand(const Shape& shape) const;
  Tensor squeeze(const Axes& axes = {}) const;
  Tensor unsqueeze(int axis) const;
  Tensor select(int axis, std::int64_t index) const;
  Tensor slice(int axis, Slice range) const;
  Tensor operator[](std::int64_t index) const { return select(0, index); }
  Tensor unfold(int axis, std::int64_t size, std::int64_t step) const;
  /// Masks and index tensors as in NumPy, see ops/indexing.hpp; without them a view.
  Tensor index(std::span<const Index> indices) const;
  Tensor index(std::initializer_list<Index> indices) const;
  Tensor to(DType dtype) const;
  Tensor contiguous() const;
  Tensor clone() const;
  Tensor sum(const Axes& axes = {}, bool keepdim = false) const;
  Tensor mean(const Axes& axes = {}, bool keepdim = false) const;

  // In-place writes. Recorded when needed; @throws GraphError on leaves that require grad (outside NoGrad)
  // and on recorded writes to views.
  Tensor& copy_(const Tensor& src);
  Tensor& fill_(Scalar value);
  Tensor& zero_() { return fill_(0); }
  /// x[indices] = values, or += with `accumulate`; see index_put.
  Tensor& index_put_(std::initializer_list<Index> indices, const Operand& values, bool accumulate = false);
  Tensor& index_put_(std::span<const Index> indices, const Operand& values, bool accumulate = false);
  Tensor& add_(const Tensor& other, Scalar alpha = 1);
  Tensor& mul_(const Tensor& other);
  Tensor& mul_(Scalar factor);
  Tensor& operator+=(const Tensor& other) { return add_(other); }
  Tensor& operator-=(const Tensor& other) { return add_(other, -1); }
  Tensor& operator*=(const Tensor& other) { return mul_(other); }

  // For the library.
  explicit Tensor(detail::RefCounted* adopted) noexcept : p_(adopted) {}
  detail::TensorImpl* impl() const;  ///< @throws GraphError if undefined
  detail::RefCounted* raw() const noexcept { return p_; }

 private:
  [[noreturn]] static void refuse_undefined();
  static void destroy(detail::RefCounted* p) noexcept;
  const detail::TensorHead& head() const {
    if (!p_) [[unlikely]]
      refuse_undefined();
    return *static_cast<const detail::TensorHead*>(p_);
  }
  detail::RefCounted* p_;
};

inline Tensor Tensor::index(std::initializer_list<Index> indices) const {
  return index(std::span<const Index>(indices.begin(), indices.size()));
}

std::ostream& operator<<(std::ostream& out, const Tensor& t);

/// Removes its hook on `remove()`; dropping the handle leaves the hook in place.
class HookHandle {
 public:
  HookHandle() = default;
  HookHandle(Tensor owner, std::uint64_t id) : owner_(std::move(owner)), id_(id) {}
  void remove();

 private:
  Tensor owner_;
  std::uint64_t id_ = 0;
};

/// A tensor or a number, for the arguments of binary operations.
class Operand {
 public:
  Operand(const Tensor& t) : tensor_(&t), scalar_(0) {}  // NOLINT(google-explicit-constructor)
  template <class T>
  requires std::is_arithmetic_v<T> Operand(T v) : scalar_(v) {}  // NOLINT(google-explicit-constructor)
  Operand(Scalar s) : scalar_(s) {}                              // NOLINT(google-explicit-constructor)

  const Tensor* tensor() const { return tensor_; }
  const Scalar& scalar() const { return scalar_; }

 private:
  const Tensor* tensor_ = nullptr;
  Scalar scalar_;
};

/// Nested braces for `tensor({{1, 2}, {3, 4}})`.
class NestedList {
 public:
  template <class T>
  requires std::is_arithmetic_v<T> NestedList(T v) : scalar_(v) {}  // NOLINT(google-explicit-constructor)
  NestedList(std::initializer_list<NestedList> l) : scalar_(0), list_(l.begin(), l.end()), is_list_(true) {}

  const Scalar& scalar() const { return scalar_; }
  const std::vector<NestedList>& list() const { return list_; }
  bool is_list() const { return is_list_; }

 private:
  Scalar scalar_;
  std::vector<NestedList> list_;
  bool is_list_ = false;
};

// Factories. All take the dtype last (f32 by default) and return leaves that need no gradient.
// @throws ShapeError for negative or overflowing shapes.

/// From numbers; nested braces give the shape. All whole numbers give i64, all bool give bool, else f32.
/// @throws ShapeError when the rows are ragged
Tensor tensor(const NestedList& values);
Tensor tensor(const NestedList& values, DType dtype);
/// A copy of contiguous values, with the dtype of T, one dimension unless `shape` is given.
template <Element T>
Tensor tensor(std::span<const T> values, const Shape& shape);
template <Element T>
Tensor tensor(const std::vector<T>& values) {
  return tensor(std::span<const T>(values), Shape{static_cast<std::int64_t>(values.size())});
}
template <Element T>
Tensor tensor(const std::vector<T>& values, const Shape& shape) {
  return tensor(std::span<const T>(values), shape);
}

Tensor empty(const Shape& shape, DType dtype = f32);  ///< uninitialised
Tensor zeros(const Shape& shape, DType dtype = f32);
Tensor ones(const Shape& shape, DType dtype = f32);
Tensor full(const Shape& shape, Scalar value, DType dtype = f32);
// Of t's shape and dtype.
Tensor empty_like(const Tensor& t);
Tensor zeros_like(const Tensor& t);
Tensor ones_like(const Tensor& t);
Tensor full_like(const Tensor& t, Scalar value);
/// start, start + step, ... below `end` (above it for negative steps). dtype: i64 if all are whole, else f32.
Tensor arange(Scalar start, Scalar end, Scalar step = 1);
Tensor arange(Scalar end);
Tensor arange(Scalar start, Scalar end, Scalar step, DType dtype);
/// `steps` evenly spaced values, both ends included.
Tensor linspace(double start, double end, std::int64_t steps, DType dtype = f32);
Tensor eye(std::int64_t n, DType dtype = f32);
Tensor eye(std::int64_t rows, std::int64_t columns, DType dtype = f32);
/// Wraps memory owned by the caller, who keeps it alive; `deleter` (if any) runs when the last user is gone.
Tensor from_blob(void* data, const Shape& shape, DType dtype = f32, std::function<void(void*)> deleter = {});
Tensor from_blob(void* data, const Shape& shape, const Strides& strides, DType dtype = f32,
                 std::function<void(void*)> deleter = {});

// Random factories (Philox 4x32-10; see random.hpp). Same generator state, same numbers, on any machine and
// for any number of threads. The default generator is used unless one is given.
Tensor rand(const Shape& shape, DType dtype = f32);   ///< uniform on [0, 1)
Tensor randn(const Shape& shape, DType dtype = f32);  ///< standard normal
Tensor randint(std::int64_t low, std::int64_t high, const Shape& shape, DType dtype = i64);  ///< [low, high)
Tensor randperm(std::int64_t n);  ///< a permutation of 0 ... n-1, i64
Tensor rand_like(const Tensor& t);
Tensor randn_like(const Tensor& t);
Tensor rand(const Shape& shape, Generator& g, DType dtype = f32);
Tensor randn(const Shape& shape, Generator& g, DType dtype = f32);
Tensor randint(std::int64_t low, std::int64_t high, const Shape& shape, Generator& g, DType dtype = i64);
Tensor randperm(std::int64_t n, Generator& g);

}  // namespace cadena
