#include "autodiff/kernels/moments.hpp"

#include <algorithm>

#include "autodiff/kernels/parallel.hpp"
#include "autodiff/kernels/scratch.hpp"

namespace cadena::kernels {
namespace {

constexpr std::int64_t lanes = 32, block = 1024, segment = 16 * block;

// f(first) + ... + f(first + n - 1) for at most one block: interleaved chains, which the compiler keeps in
// registers.
template <class T, class F>
T block_sum(std::int64_t first, std::int64_t n, const F& f) {
  T sums[lanes] = {};
  std::int64_t i = 0;
  for (; i + lanes <= n; i += lanes)
    for (std::int64_t u = 0; u < lanes; ++u) sums[u] += f(first + i + u);
  for (std::int64_t u = 0; i + u < n; ++u) sums[u] += f(first + i + u);
  for (std::int64_t gap = lanes / 2; gap > 0; gap /= 2)
    for (std::int64_t u = 0; u < gap; ++u) sums[u] += sums[u + gap];
  return sums[0];
}

// The same for any n: halves at multiples of a block, down to blocks.
template <class T, class F>
T pairwise_sum(std::int64_t first, std::int64_t n, const F& f) {
  if (n <= block) return block_sum<T>(first, n, f);
  const std::int64_t half = (n / block + 1) / 2 * block;
  return pairwise_sum<T>(first, half, f) + pairwise_sum<T>(first + half, n - half, f);
}

// A long row, its segments among the threads.
template <class T, class F>
T segmented_sum(std::int64_t n, T* sums, const F& f) {
  const std::int64_t segments = (n + segment - 1) / segment;
  for_blocks(segments, n * static_cast<std::int64_t>(sizeof(T)) >= parallel_bytes, [&](std::int64_t s) {
    sums[s] = pairwise_sum<T>(s * segment, std::min(segment, n - s * segment), f);
  });
  return pairwise_sum<T>(0, segments, [&](std::int64_t s) { return sums[s]; });
}

// `sum(f)` adds f over the row.
template <class T, class Sum>
void row_moments(std::int64_t n, const T* x, T* mean, T* squares, const Sum& sum) {
  const T shift = x[0];
  const T center = sum([=](std::int64_t i) { return x[i] - shift; }) / static_cast<T>(n);
  *mean = shift + center;
  *squares = sum([=](std::int64_t i) {
    const T d = (x[i] - shift) - center;
    return d * d;
  });
}

}  // namespace

template <class T>
void moments(std::int64_t rows, std::int64_t n, const T* x, T* mean, T* squares) {
  if (n > segment) {
    const Scratch<T> sums((n + segment - 1) / segment);
    for (std::int64_t r = 0; r < rows; ++r)
      row_moments(n, x + r * n, mean + r, squares + r,
                  [&](const auto& f) { return segmented_sum<T>(n, sums.get(), f); });
    return;
  }
  const std::int64_t group = segment / n;
  for_blocks((rows + group - 1) / group, rows * n * static_cast<std::int64_t>(sizeof(T)) >= parallel_bytes,
             [&](std::int64_t b) {
               for (std::int64_t r = b * group; r < std::min(rows, (b + 1) * group); ++r)
                 row_moments(n, x + r * n, mean + r, squares + r,
                             [n](const auto& f) { return pairwise_sum<T>(0, n, f); });
             });
}

template void moments(std::int64_t, std::int64_t, const float*, float*, float*);
template void moments(std::int64_t, std::int64_t, const double*, double*, double*);

}  // namespace cadena::kernels
