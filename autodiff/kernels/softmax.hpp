// Row kernels around softmax over contiguous [rows, n] memory, T = float or double. Stable for any finite
// input. Rows of all -inf: logsumexp is -inf with gradient 0, softmax is NaN. Rows with +inf: logsumexp is
// +inf and its gradient is shared evenly by the +inf entries; softmax is NaN. NaN stays NaN.
#pragma once

#include <cstdint>

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
void logsumexp_columns(std::int64_t outer, std::int64_t n, std::int64_t inner, const T* x, T* y);
template <class T>
void logsumexp_vjp_columns(std::int64_t outer, std::int64_t n, std::int64_t inner, const T* x, const T* y,
                           const T* g, T* gx);

}  // namespace cadena::kernels
