// What the files of the linear algebra family share.
#pragma once

#include <initializer_list>
#include <string>
#include <vector>

#include "autodiff/core/op.hpp"
#include "autodiff/core/table.hpp"
#include "autodiff/error.hpp"
#include "autodiff/kernels/batch.hpp"
#include "autodiff/ops/arithmetic.hpp"
#include "autodiff/ops/diagonal.hpp"
#include "autodiff/ops/movement.hpp"
#include "autodiff/ops/product.hpp"
#include "autodiff/ops/slicing.hpp"

namespace cadena::detail {

/// g * d where an exactly zero g wins over an infinite d (core/elementwise.hpp).
Tensor absorbing_mul(const Tensor& g, const Operand& d);

/// @throws DtypeError, ShapeError naming `op`
void check_matrix(const char* op, const Tensor& a);
void check_square(const char* op, const Tensor& a);

/// Shape of the matrices' batch.
Shape batch_of(const Tensor& a);
/// `batch` with further extents.
Shape with(Shape batch, std::initializer_list<std::int64_t> extents);
std::int64_t matrices_in(const Tensor& a);
/// "" for a single matrix, else " of matrix (1, 0)".
std::string which_matrix(const Shape& batch, std::int64_t index);
/// A contiguous tensor of x's matrices, repeated to `batch`.
Tensor over_batch(const Tensor& x, const Shape& batch);

// Recorded.
inline Tensor mt(const Tensor& x) { return transpose(x, -2, -1); }
/// The lower triangle and its mirror image.
inline Tensor mirrored(const Tensor& x) { return add(tril(x), mt(tril(x, -1))); }
inline Tensor symmetric_part(const Tensor& x) { return mul(add(x, mt(x)), 0.5); }
inline Tensor skew_part(const Tensor& x) { return mul(sub(x, mt(x)), 0.5); }
inline Tensor main_diagonal(const Tensor& x) { return diagonal(x, 0, -2, -1); }
inline Tensor rows(const Tensor& x, std::int64_t from, std::int64_t to) { return slice(x, -2, {from, to}); }
inline Tensor columns(const Tensor& x, std::int64_t from, std::int64_t to) {
  return slice(x, -1, {from, to});
}

/// A^-1 without a check: infinities or NaN for singular matrices.
Tensor inverse(const Tensor& a);

/// Several results of one decomposition, as one vector that a single node can stand for: every derivative
/// rule needs all of them and all their cotangents at once.
struct Packing {
  std::vector<Shape> shapes;

  std::int64_t size() const {
    std::int64_t n = 0;
    for (const auto& s : shapes) n += s.numel();
    return n;
  }
  std::int64_t start(std::size_t i) const {
    std::int64_t n = 0;
    for (std::size_t k = 0; k < i; ++k) n += shapes[k].numel();
    return n;
  }
  Tensor part(const Tensor& packed, std::size_t i) const {
    return reshape(slice(packed, 0, {start(i), start(i) + shapes[i].numel()}), shapes[i]);
  }
  /// What vmap's samples packed together, as one vector each.
  Tensor by_sample(const Tensor& all, std::int64_t samples) const {
    std::vector<Tensor> rows;
    for (std::size_t i = 0; i < shapes.size(); ++i) rows.push_back(reshape(part(all, i), {samples, -1}));
    return cat(rows, 1);
  }
  static Tensor packed(const std::vector<Tensor>& parts) {
    std::vector<Tensor> flat;
    for (const auto& p : parts) flat.push_back(reshape(p, {-1}));
    return cat(flat);
  }
};

/// f with a value of x's floating type.
template <class F>
void with_type(const Tensor& x, const F& f) {
  if (x.dtype() == f32)
    f(float{});
  else
    f(double{});
}

// Samples: matrices made from free numbers inside the call, so that every difference stays among them.
inline Tensor scaled_eye(const Tensor& x, double factor) {
  return mul(eye(x.size(-2), x.size(-1), x.dtype()), factor);
}
/// Regular and far from singular.
inline Tensor regular(const Tensor& x) { return add(mul(x, 0.4), scaled_eye(x, 2)); }
inline Tensor positive_definite(const Tensor& x) { return add(mul(matmul(x, mt(x)), 0.3), scaled_eye(x, 1)); }
/// Singular values (and the symmetric part's eigenvalues) well apart.
inline Tensor spread(const Tensor& x) {
  const Tensor steps = add(mul(arange(0, x.size(-1), 1, x.dtype()), 1.5), 1);
  return add(mul(x, 0.2), mul(scaled_eye(x, 1), steps));
}

using Call = std::function<Tensor(const TensorList&)>;
/// A row of the family, whose large sample is many 8 x 8 matrices, one or two of each.
OpInfo linalg_row(const Meta& meta, std::vector<Case> cases, Call large, int inputs = 1);
/// The call on each list of shapes.
std::vector<Case> cases_of(const Call& call, const std::vector<std::vector<Shape>>& shapes,
                           const std::string& label = {});
std::vector<Case> joined(std::vector<std::vector<Case>> lists);
/// Shapes of square matrices that every square function is tried on.
const std::vector<std::vector<Shape>>& square_shapes();

OpList linalg_solve_ops();
OpList linalg_lu_ops();
OpList linalg_qr_ops();
OpList linalg_spectral_ops();
OpList linalg_norm_ops();
OpList linalg_det_ops();
OpList linalg_function_ops();

}  // namespace cadena::detail
