// Shapes, strides and axes: up to eight extents, stored inline.
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>

#include "autodiff/error.hpp"

namespace cadena {

inline constexpr int max_rank = 8;

/// A short list of integers without heap storage; the base of Shape, Strides and Axes.
class Dims {
 public:
  constexpr Dims() = default;
  Dims(std::initializer_list<std::int64_t> values) : Dims(std::span(values.begin(), values.size())) {}
  explicit Dims(std::span<const std::int64_t> values) {
    for (auto v : values) push_back(v);
  }
  Dims(const Dims& o) : rank_(o.rank_) { copy_extents(o); }
  Dims& operator=(const Dims& o) {
    rank_ = o.rank_;
    copy_extents(o);
    return *this;
  }

  int rank() const { return rank_; }
  bool empty() const { return rank_ == 0; }
  std::int64_t operator[](int i) const { return d_[i]; }
  std::int64_t& operator[](int i) { return d_[i]; }
  const std::int64_t* begin() const { return d_; }
  const std::int64_t* end() const { return d_ + rank_; }
  std::int64_t* begin() { return d_; }
  std::int64_t* end() { return d_ + rank_; }
  std::int64_t back() const { return d_[rank_ - 1]; }

  /// @throws ShapeError beyond eight extents
  void push_back(std::int64_t v) {
    if (rank_ == max_rank) throw ShapeError("[shape] expected at most 8 dimensions, got more");
    d_[rank_++] = v;
  }
  void insert(int at, std::int64_t v);
  void erase(int at);

  friend bool operator==(const Dims& a, const Dims& b) {
    if (a.rank_ != b.rank_) return false;
    for (int i = 0; i < a.rank_; ++i)
      if (a.d_[i] != b.d_[i]) return false;
    return true;
  }

 private:
  // Halves of constant size are vector moves; a loop over the extents becomes a call of memmove.
  void copy_extents(const Dims& o) {
    constexpr int half = max_rank / 2;
    for (int i = 0; i < half; ++i) d_[i] = o.d_[i];
    if (rank_ > half)
      for (int i = half; i < max_rank; ++i) d_[i] = o.d_[i];
  }

  std::int32_t rank_ = 0;     // first, so that short lists stay within one cache line
  std::int64_t d_[max_rank];  // only the first rank_ mean anything
};

/// Extents of a tensor, each >= 0. Rank 0 is a single number.
class Shape : public Dims {
 public:
  using Dims::Dims;
  Shape() = default;

  /// Number of elements (1 for rank 0). Overflow was excluded when the tensor was made.
  std::int64_t numel() const {
    std::int64_t n = 1;
    for (auto d : *this) n *= d;
    return n;
  }
};

/// Steps between neighbours along each dimension, in elements; 0 repeats, negative runs backwards.
class Strides : public Dims {
 public:
  using Dims::Dims;
  Strides() = default;
};

/// Axes to work on: `sum(x, 1)`, `sum(x, {0, -1})`; none means all of them. Negative axes count from the end.
class Axes : public Dims {
 public:
  using Dims::Dims;
  Axes() = default;
  Axes(std::int64_t axis) : Dims({axis}) {}  // NOLINT(google-explicit-constructor): sum(x, 1)
  Axes(int axis) : Dims({axis}) {}           // NOLINT(google-explicit-constructor)
};

/// One number for each dimension of a window: `.stride = 2` for all of them or `.stride = {2, 1}`.
class PerAxis : public Dims {
 public:
  using Dims::Dims;
  PerAxis() = default;
  PerAxis(std::int64_t all) : Dims({all}) {}  // NOLINT(google-explicit-constructor): .stride = 2
  PerAxis(int all) : Dims({all}) {}           // NOLINT(google-explicit-constructor)
};

/// "(2, 3)", as NumPy prints it.
std::string to_string(const Dims& dims);

/// Row-major strides of a contiguous tensor.
Strides contiguous_strides(const Shape& shape);

/// Checks extents >= 0 and that the byte size of `itemsize`-byte elements fits 63 bits.
/// @return number of elements
/// @throws ShapeError naming `op` and the shape
std::int64_t checked_numel(const char* op, const Shape& shape, std::size_t itemsize);

/// Common shape under NumPy's broadcasting rules. @throws ShapeError naming `op` and both shapes
Shape broadcast(const char* op, const Shape& a, const Shape& b);

/// Maps axis in [-rank, rank) to [0, rank). @throws IndexError naming `op`
int normalize_axis(const char* op, std::int64_t axis, int rank);

/// Sorted, unique, non-negative axes; all axes when `axes` is empty. @throws IndexError, ValueError on
/// repeats
Axes normalize_axes(const char* op, const Axes& axes, int rank);

/// Half-open range with a positive step along one axis; bounds as in Python: negative from the end, clamped.
struct Slice {
  std::optional<std::int64_t> start, stop;
  std::int64_t step = 1;
};
struct Ellipsis {};
struct NewAxis {};
inline constexpr Ellipsis ellipsis{};
inline constexpr NewAxis newaxis{};

}  // namespace cadena
