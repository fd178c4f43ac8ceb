// Cross entropies of rows and of columns, T = float or double.
#pragma once

#include <cstdint>
#include <optional>

namespace cadena::kernels {

/// Of rows or of columns, contiguous (outer, n, inner), whose classes are the middle axis.
template <class T>
struct CrossEntropyTargets {
  const std::int64_t* target;  ///< classes (outer, inner)
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
  T *top, *sum;  ///< (outer, inner)
};

/// loss (outer, inner) = cross entropy of each row, 0 for ignored ones; the targets were checked.
/// @param sums computed
template <class T>
void cross_entropy(std::int64_t outer, std::int64_t n, std::int64_t inner, const T* x,
                   const CrossEntropyTargets<T>& t, const RowSums<T>& sums, T* loss);

/// gx = gradient of sum(g * loss) @param g factor of row r at g[r * g_stride] (stride 0: one for all)
/// @param factor multiplies all of them, 1/total_weight for a mean
template <class T>
void cross_entropy_vjp(std::int64_t outer, std::int64_t n, std::int64_t inner, const T* x,
                       const RowSums<T>& sums, const CrossEntropyTargets<T>& t, const T* g,
                       std::int64_t g_stride, T factor, T* gx);

/// loss (outer, inner) = -weight x of the target's class, 0 for ignored ones and where the weight is 0
template <class T>
void nll(std::int64_t outer, std::int64_t n, std::int64_t inner, const T* x, const CrossEntropyTargets<T>& t,
         T* loss);
/// gx = gradient of sum(factor * g * loss) @param g as above
template <class T>
void nll_vjp(std::int64_t outer, std::int64_t n, std::int64_t inner, const CrossEntropyTargets<T>& t,
             const T* g, std::int64_t g_stride, T factor, T* gx);

}  // namespace cadena::kernels
