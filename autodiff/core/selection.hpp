// An index list applied to a tensor: a strided view of the axes that stay, and offsets of what index tensors
// pick.
#pragma once

#include <span>
#include <vector>

#include "autodiff/core/op.hpp"
#include "autodiff/tensor.hpp"

namespace cadena::detail {

class Selection {
 public:
  /// @param op whom errors name. @throws IndexError, ShapeError, DtypeError
  Selection(const char* op, const Tensor& x, std::span<const Index> indices);

  const Shape& shape() const { return shape_; }  ///< of x[indices]
  /// How many axes stand before that of a slice which comes first.
  int axes_in_front() const { return place_ == 0 ? spread_.rank() : 0; }
  /// No element can be picked twice.
  bool distinct() const { return distinct_; }

  /// bool, to be broadcast to the selection's shape: whose value stays where several are written to one
  /// element. Of a contiguous x only.
  Tensor last_of_equals() const;

  Tensor read(const Tensor& x) const;
  /// x[indices] = values (of the selection's shape), or += ; x is written.
  void write(const Tensor& x, const Tensor& values, bool accumulate) const;

 private:
  /// An index along one axis, to be broadcast; or (axis -1) offsets.
  struct Vector {
    Tensor index;
    int axis;
    std::int64_t extent, stride;
  };

  void add_number(std::int64_t value, int axis);
  void add_slice(const Slice& range, int axis);
  int add_tensor(const Tensor& index, int axis);
  void add_mask(const Tensor& mask, int axis);
  void add_vector(const Tensor& index, int axis, std::int64_t extent, std::int64_t stride);
  void find_offsets();
  kernels::View source(const Tensor& x) const;
  kernels::View picked(const Tensor& values) const;

  const char* op_;
  Shape x_shape_;
  Strides x_strides_;
  std::int64_t start_ = 0;
  Shape kept_;
  Strides kept_strides_;
  std::vector<Vector> vectors_;
  Shape spread_;  // of the index tensors
  int place_ = 0;
  bool distinct_ = true;
  Shape shape_;
  Tensor offsets_;
};

/// x[indices] with op's name in errors, recorded.
Tensor index_by(const char* op, const Tensor& x, std::span<const Index> indices);
Tensor index_put_by(const char* op, const Tensor& x, std::span<const Index> indices, const Operand& values,
                    bool accumulate);
/// Writes into x's memory, outside the graph; the caller answers for versions.
void index_put_now(const char* op, const Tensor& x, std::span<const Index> indices, const Operand& values,
                   bool accumulate);

}  // namespace cadena::detail
