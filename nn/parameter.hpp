// Tensors that belong to a module: Parameter is trained, Buffer is only kept.
#pragma once

#include <concepts>
#include <memory>
#include <type_traits>
#include <utility>

#include "autodiff/tensor.hpp"

namespace cadena::nn {

namespace detail {
struct Extras;

/// While it lives, tensors that were one before being copied by this thread are one afterwards, too.
class CloneScope {
 public:
  CloneScope();
  ~CloneScope();
  CloneScope(const CloneScope&) = delete;
  CloneScope& operator=(const CloneScope&) = delete;

  static bool active();
  /// A leaf with the values and requires_grad of `t`, without its gradient; undefined stays undefined.
  static Tensor copy(const Tensor& t);

 private:
  struct Memo;
  std::unique_ptr<Memo> memo_;
  CloneScope* outer_;
};

/// A Tensor in every expression; but copying it copies the values, so that modules can be ordinary values.
class Owned : public Tensor {
 protected:
  Owned() = default;
  explicit Owned(Tensor t) noexcept : Tensor(std::move(t)) {}
  explicit Owned(const Owned& o) : Tensor(CloneScope::copy(o)) {}
  Owned(Owned&&) noexcept = default;
  Owned& operator=(const Owned&) = delete;
  Owned& operator=(Owned&&) noexcept = default;
  ~Owned() = default;
};

template <class T>
concept PlainTensor = std::same_as<std::remove_cvref_t<T>, Tensor>;

}  // namespace detail

/// A trainable tensor of a module, made from its first values: `Parameter scale = ones({n});`.
///
/// Used as a Tensor it is the tensor itself (`Tensor w = layer.weight;` is a handle on it). Copying a
/// Parameter as such copies the values; so that nobody does this by accident, `auto w = layer.weight;` and
/// `a.weight = b.weight;` do not compile: write `auto& w`, `a.weight.tie(b.weight)`, or, for the values alone
/// (in a NoGrad), `a.weight.copy_(b.weight)`. Optimizers hold handles: assigning another tensor after making
/// one leaves it with the old.
class Parameter : public detail::Owned {
 public:
  Parameter() = default;  ///< absent, like the bias of `Linear(2, 3, {.bias = false})`; skipped everywhere
  /// Shares the storage of `values`, outside their graph. @throws DtypeError unless floating-point
  template <detail::PlainTensor T>
  Parameter(T&& values, bool requires_grad = true)  // NOLINT(google-explicit-constructor): a tensor is meant
      : Owned(adopt(values, requires_grad)) {}
  explicit Parameter(const Parameter&) = default;
  Parameter(Parameter&&) noexcept = default;
  Parameter& operator=(const Parameter&) = delete;
  Parameter& operator=(Parameter&&) noexcept = default;
  Parameter& operator=(const Tensor& values) {
    Tensor::operator=(adopt(values, true));
    return *this;
  }
  ~Parameter() = default;

  /// From now on both are one tensor with one gradient, which parameters() lists once.
  void tie(const Parameter& other) { Tensor::operator=(other); }

 private:
  friend struct detail::Extras;
  static Tensor adopt(const Tensor& values, bool requires_grad);
  /// A parametrization sets it to what it computed, graph and all.
  void set_computed(const Tensor& values) { Tensor::operator=(values); }
};

/// A tensor of a module that is kept with it (saved, copied, converted) but not trained: running means,
/// masks.
class Buffer : public detail::Owned {
 public:
  Buffer() = default;  ///< absent
  /// Shares the storage of `values`, outside their graph. Any dtype.
  template <detail::PlainTensor T>
  Buffer(T&& values)  // NOLINT(google-explicit-constructor): a tensor is meant
      : Owned(adopt(values)) {}
  explicit Buffer(const Buffer&) = default;
  Buffer(Buffer&&) noexcept = default;
  Buffer& operator=(const Buffer&) = delete;
  Buffer& operator=(Buffer&&) noexcept = default;
  Buffer& operator=(const Tensor& values) {
    Tensor::operator=(adopt(values));
    return *this;
  }
  ~Buffer() = default;

 private:
  static Tensor adopt(const Tensor& values);
};

}  // namespace cadena::nn
