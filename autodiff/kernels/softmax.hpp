// Row kernels around softmax over contiguous [rows, n] memory, T = float or double. Stable for any finite
// input. Rows of all -inf: logsumexp is -inf with gradient 0, softmax is NaN. Rows with +inf: logsumexp is
// +inf and its gradient is shared evenly by the +inf entries; softmax is NaN. NaN stays NaN.
#pragma once

#include <cstdint>
#include <optional>

#include "autodiff/kernels/view.hpp"

namespace cadena::kernels {

// y and x (or gx and g) may be the same memory.
template <class T>
void softmax(std::int64_t rows, std::int64_t n, const T* x, T* y);
template <class T>
void log_softmax(std::int64_t rows, std::int64_t n, const T* x, T* y);
/// y[rows] = log(sum(exp(x), row)); -inf for n == 0
template <class T>
void logsumexp(std::int64_t rows, std::int64_t n, const T* x, T* y);

/// gx = y * (g - sum(g * y)) @param y the softmax
template <class T>
void softmax_vjp(std::int64_t rows, std::int64_t n, const T* y, const T* g, T* gx);
/// gx = g - exp(y) * sum(g) @param y the log_softmax
template <class T>
void log_softmax_vjp(std::int64_t rows, std::int64_t n, const T* y, const T* g, T* gx);
/// gx = g * exp(x - y) @param y the logsumexp @param g one number per row
template <class T>
void logsumexp_vjp(std::int64_t rows, std::int64_t n, const T* x, const T* y, const T* g, T* gx);

// The same along the middle axis of contiguous (outer, n, inner); the sums are taken in order, so for short
// axes.
template <class T>
void softmax_columns(std::int64_t outer, std::int64_t n, std::int64_t inner, const T* x, T* y);
template <class T>
void log_softmax_columns(std::int64_t outer, std::int64_t n, std::int64_t inner, const T* x, T* y);
template <class T>
void softmax_vjp_columns(std::int64_t outer, std::int64_t n, std::int64_t inner, const T* y, const T* g,
                         T* gx);
template <class T>
void log_softmax_vjp_columns(std::int64_t outer, std::int64_t n, std::int64_t inner, const T* y, const T* g,
                             T* gx);

template <class T>
struct CrossEntropyTargets {
  const std::int64_t* target;  ///< rows classes
  std::int64_t ignore_index = -100;
  const T* weight = nullptr;  ///< n factors, or none
  double label_smoothing = 0;
};

/// The first target that is neither in [0, n) nor `ignore_index`.
template <class T>
std::optional<std::int64_t> find_bad_target(std::int64_t rows, std::int64_t n,
                                            const CrossEntropyTargets<T>& t);

/// Sum of the weights of all targets that count (their number without weights): what the mean divides by.
template <class T>
double total_weight(std::int64_t rows, const CrossEntropyTargets<T>& t);

/// What the vjp needs of each row beside x: its largest element and sum(exp(x - largest)). The logsumexp
/// would cost digits: with logits around 1000 it rounds to 6e-5 in f32.
template <class T>
struct RowSums {
  T *top, *sum;  ///< [rows]
};

/// loss[rows] = cross entropy of each row, 0 for ignored ones; the targets were checked. @param sums computed
template <class T>
void cross_entropy(std::int64_t rows, std::int64_t n, const T* x, const CrossEntropyTargets<T>& t,
                   const RowSums<T>& sums, T* loss);

/// gx = gradient of sum(g * loss) @param g factor of row r at g[r * g_stride] (stride 0: one for all)
/// @param factor multiplies all of them, 1/total_weight for a mean
template <class T>
void cross_entropy_vjp(std::int64_t rows, std::int64_t n, const T* x, const RowSums<T>& sums,
                       const CrossEntropyTargets<T>& t, const T* g, std::int64_t g_stride, T factor, T* gx);

}  // namespace cadena::kernels
