// The vocabulary: every operation, once. Names and semantics are PyTorch's where PyTorch has the operation.
//
// Unless a line says otherwise: arguments broadcast under NumPy's rules, dtypes are promoted first
// (bool < i64 < f32 < f64), integer input to a real-valued function is converted to f32, the result is a
// fresh contiguous tensor, every derivative order exists, and what throws is ShapeError, DtypeError,
// IndexError or ValueError with the op's name and the shapes. Values and derivatives at singular points:
// docs/design.md.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "autodiff/tensor.hpp"

namespace cadena {

// Arithmetic.
Tensor add(const Operand& a, const Operand& b);
Tensor sub(const Operand& a, const Operand& b);
Tensor mul(const Operand& a, const Operand& b);
Tensor div(const Operand& a, const Operand& b);  ///< true division; integers give f32
Tensor pow(const Operand& base, const Operand& exponent);
Tensor maximum(const Operand& a, const Operand& b);  ///< NaN if either is; gradient halves at ties
Tensor minimum(const Operand& a, const Operand& b);  ///< as maximum
/// 0 for x < 0, `at_zero` for x == 0, 1 for x > 0; NaN stays NaN. Its derivative is zero.
Tensor heaviside(const Operand& x, const Operand& at_zero);
inline Tensor operator+(const Operand& a, const Operand& b) { return add(a, b); }
inline Tensor operator-(const Operand& a, const Operand& b) { return sub(a, b); }
inline Tensor operator*(const Operand& a, const Operand& b) { return mul(a, b); }
inline Tensor operator/(const Operand& a, const Operand& b) { return div(a, b); }

// One argument.
Tensor neg(const Tensor& x);
inline Tensor operator-(const Tensor& x) { return neg(x); }
Tensor abs(const Tensor& x);  ///< derivative 0 at 0
Tensor exp(const Tensor& x);
Tensor expm1(const Tensor& x);
Tensor log(const Tensor& x);
Tensor log1p(const Tensor& x);
Tensor sqrt(const Tensor& x);
Tensor square(const Tensor& x);
Tensor sin(const Tensor& x);
Tensor cos(const Tensor& x);
Tensor tanh(const Tensor& x);
Tensor sigmoid(const Tensor& x);
Tensor log_sigmoid(const Tensor& x);
Tensor softplus(const Tensor& x);  ///< log(1 + exp(x)), without overflow
Tensor relu(const Tensor& x);      ///< derivative 0 at 0

// Choice and comparison (results of comparisons are bool and carry no gradient).
Tensor where(const Tensor& condition, const Operand& a, const Operand& b);
Tensor eq(const Operand& a, const Operand& b);
Tensor ne(const Operand& a, const Operand& b);
Tensor lt(const Operand& a, const Operand& b);
Tensor le(const Operand& a, const Operand& b);
Tensor gt(const Operand& a, const Operand& b);
Tensor ge(const Operand& a, const Operand& b);
inline Tensor operator<(const Operand& a, const Operand& b) { return lt(a, b); }
inline Tensor operator<=(const Operand& a, const Operand& b) { return le(a, b); }
inline Tensor operator>(const Operand& a, const Operand& b) { return gt(a, b); }
inline Tensor operator>=(const Operand& a, const Operand& b) { return ge(a, b); }
Tensor isnan(const Tensor& x);
/// True if dtype, shape and every element agree (NaN equals nothing).
bool equal(const Tensor& a, const Tensor& b);
/// True if |a - b| <= atol + rtol * |b| everywhere; shapes must be equal. Infinities of one sign are close.
bool allclose(const Tensor& a, const Tensor& b, double rtol = 1e-5, double atol = 1e-8,
              bool equal_nan = false);

// Reductions over `axes` (all when empty). `keepdim` leaves extents of 1 behind.
Tensor sum(const Tensor& x, const Axes& axes = {}, bool keepdim = false);  ///< 0 for empty; integers give i64
Tensor mean(const Tensor& x, const Axes& axes = {}, bool keepdim = false);  ///< NaN for empty
/// Largest value; ties share the gradient evenly. @throws ValueError on an empty axis
Tensor amax(const Tensor& x, const Axes& axes = {}, bool keepdim = false);
Tensor amin(const Tensor& x, const Axes& axes = {}, bool keepdim = false);
Tensor max(const Tensor& x);  ///< amax over everything
Tensor min(const Tensor& x);
struct ValuesIndices {
  Tensor values, indices;
};
/// Largest value along `axis` and where it stands (the first of equals, which alone gets the gradient).
ValuesIndices max(const Tensor& x, int axis, bool keepdim = false);
ValuesIndices min(const Tensor& x, int axis, bool keepdim = false);
/// Position (i64) of the first largest value; NaN counts as largest. Without an axis, in the flattened
/// tensor.
Tensor argmax(const Tensor& x);
Tensor argmax(const Tensor& x, int axis, bool keepdim = false);
Tensor argmin(const Tensor& x);
Tensor argmin(const Tensor& x, int axis, bool keepdim = false);
Tensor logsumexp(const Tensor& x, const Axes& axes, bool keepdim = false);
Tensor softmax(const Tensor& x, int axis);
Tensor log_softmax(const Tensor& x, int axis);
/// Sums over broadcast dimensions, so that the result has `shape`: the transpose of expand.
Tensor sum_to(const Tensor& x, const Shape& shape);

// Shape. Views where the layout allows it (always, except for reshape, pad, cat and stack).
Tensor reshape(const Tensor& x, const Shape& shape);  ///< one extent may be -1
Tensor flatten(const Tensor& x, int start = 0, int end = -1);
Tensor permute(const Tensor& x, const Axes& axes);
Tensor transpose(const Tensor& x, int a, int b);
Tensor t(const Tensor& x);  ///< matrix transpose; vectors and numbers stay
Tensor expand(const Tensor& x,
              const Shape& shape);  ///< repeats extents of 1 without copying; -1 keeps an extent
Tensor squeeze(const Tensor& x, const Axes& axes = {});
Tensor unsqueeze(const Tensor& x, int axis);
Tensor select(const Tensor& x, int axis, std::int64_t index);
Tensor slice(const Tensor& x, int axis, Slice range);
Tensor flip(const Tensor& x, const Axes& axes);
Tensor cat(const std::vector<Tensor>& parts, int axis = 0);
Tensor stack(const std::vector<Tensor>& parts, int axis = 0);
struct Padding {
  std::int64_t before, after;
};
/// Constant padding, one Padding per axis counted from the last (PyTorch's order).
Tensor pad(const Tensor& x, const std::vector<Padding>& paddings, Scalar value = 0);

// Products.
/// Vectors, matrices and batches of matrices as in NumPy: (n)(n), (m,k)(k), (k)(k,n), (...,m,k)(...,k,n).
Tensor matmul(const Tensor& a, const Tensor& b);
/// x W^T + b. @param x (..., in) @param weight (out, in) @param bias (out) or undefined
Tensor linear(const Tensor& x, const Tensor& weight, const Tensor& bias = {});

// Indexing with i64 tensors (not broadcast; indices must lie in [0, extent)).
/// out[i][j][k] = x[i][index[i][j][k]][k] for axis 1; `index` has x's rank and its extents are at most x's
/// outside `axis`.
Tensor gather(const Tensor& x, int axis, const Tensor& index);
/// Adds `src` into a copy of x at gather's positions; repeated positions add up.
Tensor scatter_add(const Tensor& x, int axis, const Tensor& index, const Tensor& src);
/// Whole slices of x along `axis`, picked by a vector of indices.
Tensor index_select(const Tensor& x, int axis, const Tensor& index);
/// Adds whole slices of `src` into a copy of x; the transpose of index_select.
Tensor index_add(const Tensor& x, int axis, const Tensor& index, const Tensor& src);
/// i64 (...) of classes -> i64 (..., classes); `classes` of -1 takes 1 + the largest.
Tensor one_hot(const Tensor& labels, std::int64_t classes = -1);

// Losses.
enum class Reduction : std::uint8_t { none, mean, sum };
Tensor mse_loss(const Tensor& input, const Tensor& target, Reduction reduction = Reduction::mean);
/// @param p probabilities in [0, 1]; logarithms are clamped at -100 and the gradient agrees. @throws
/// ValueError
Tensor binary_cross_entropy(const Tensor& p, const Tensor& target, Reduction reduction = Reduction::mean);
Tensor binary_cross_entropy_with_logits(const Tensor& logits, const Tensor& target,
                                        Reduction reduction = Reduction::mean);
struct NllLossOptions {
  Reduction reduction = Reduction::mean;
  std::int64_t ignore_index = -100;  ///< targets with this value contribute nothing
  Tensor weight = {};                ///< one factor per class; the mean divides by their sum
};
/// @param log_probs (N, C) or (C) @param target i64 (N) or (). @throws IndexError for a class outside [0, C)
Tensor nll_loss(const Tensor& log_probs, const Tensor& target, const NllLossOptions& options = {});
struct CrossEntropyOptions {
  Reduction reduction = Reduction::mean;
  std::int64_t ignore_index = -100;
  Tensor weight = {};
  double label_smoothing = 0.0;  ///< in [0, 1]
};
/// Softmax and negative log likelihood in one. @param logits (N, C) or (C) @param target i64 (N) or ()
Tensor cross_entropy(const Tensor& logits, const Tensor& target, const CrossEntropyOptions& options = {});

// Type and memory.
Tensor to(const Tensor& x, DType dtype);  ///< x itself if it has the dtype; gradients are cast back
Tensor contiguous(const Tensor& x);       ///< x itself if it is contiguous
Tensor clone(const Tensor& x);            ///< a contiguous copy, recorded
Tensor alias(const Tensor& x);            ///< the same storage under a graph node of its own

}  // namespace cadena
