#include "autodiff/kernels/embedding.hpp"

#include <algorithm>
#include <type_traits>

#include "autodiff/kernels/parallel.hpp"

namespace cadena::kernels {
namespace {

constexpr std::int64_t sum_width = 64;

// f(bag) for all bags, groups of them on the threads.
template <class T, class F>
void for_bags(const Bags<T>& b, const F& f) {
  constexpr std::int64_t group = 32;
  const std::int64_t bytes =
      (b.bags == 0 ? 0 : b.first[b.bags]) * b.width * static_cast<std::int64_t>(sizeof(T));
  for_blocks<Schedule::stealing>(
      (b.bags + group - 1) / group, bytes >= parallel_bytes, [&](std::int64_t block) {
        for (std::int64_t i = block * group; i < std::min(b.bags, (block + 1) * group); ++i) f(i);
      });
}

}  // namespace

namespace {

// Columns from `d` on of one bag's sum, in registers where their number is a constant.
template <class T, class Count>
void sum_columns(const Bags<T>& b, std::int64_t bag, const T* factors, std::int64_t d, Count count, T* out) {
  T sum[sum_width] = {};
  for (std::int64_t e = b.first[bag]; e < b.first[bag + 1]; ++e) {
    const T* row = b.table + b.index[e] * b.width + d;
    if (factors)
      for (std::int64_t c = 0; c < count; ++c) sum[c] += factors[e] * row[c];
    else
      for (std::int64_t c = 0; c < count; ++c) sum[c] += row[c];
  }
  for (std::int64_t c = 0; c < count; ++c) out[bag * b.width + d + c] = sum[c];
}

}  // namespace

template <class T>
void sum_bags(const Bags<T>& b, const T* factors, T* out) {
  for_bags(b, [&](std::int64_t bag) {
    std::int64_t d = 0;
    for (; d + sum_width <= b.width; d += sum_width)
      sum_columns(b, bag, factors, d, std::integral_constant<std::int64_t, sum_width>(), out);
    if (d < b.width) sum_columns(b, bag, factors, d, b.width - d, out);
  });
}

template <class T>
void argmax_bags(const Bags<T>& b, std::int64_t* rows) {
  for_bags(b, [&](std::int64_t bag) {
    std::int64_t* best = rows + bag * b.width;
    const std::int64_t begin = b.first[bag], end = b.first[bag + 1];
    std::fill_n(best, b.width, begin < end ? b.index[begin] : -1);
    for (std::int64_t e = begin + 1; e < end; ++e) {
      const T* row = b.table + b.index[e] * b.width;
      for (std::int64_t d = 0; d < b.width; ++d) {
        const T top = b.table[best[d] * b.width + d];
        if (top == top && !(row[d] <= top)) best[d] = b.index[e];
      }
    }
  });
}

template void sum_bags(const Bags<float>&, const float*, float*);
template void sum_bags(const Bags<double>&, const double*, double*);
template void argmax_bags(const Bags<float>&, std::int64_t*);
template void argmax_bags(const Bags<double>&, std::int64_t*);

}  // namespace cadena::kernels
