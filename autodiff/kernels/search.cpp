#include "autodiff/kernels/search.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "autodiff/kernels/parallel.hpp"
#include "autodiff/kernels/scratch.hpp"

namespace cadena::kernels {
namespace {

/// How many of n elements, which come first, are `before` something. Nothing to predict, so nothing is
/// mispredicted.
template <class T, class P>
std::int64_t count_before(const T* first, std::int64_t n, const P& before) {
  if (n == 0) return 0;
  const T* base = first;
  while (n > 1) {
    const std::int64_t half = n / 2;
    base += -static_cast<std::int64_t>(before(base[half - 1])) & half;
    n -= half;
  }
  return base - first + before(*base);
}
// NaN is the largest.
template <class T>
std::int64_t lower_bound(const T* first, std::int64_t n, T v) {
  if (v != v) return count_before(first, n, [](T e) { return e == e; });
  return count_before(first, n, [v](T e) { return e < v; });
}
template <class T>
std::int64_t upper_bound(const T* first, std::int64_t n, T v) {
  return v != v ? n : count_before(first, n, [v](T e) { return e <= v; });
}

template <class T>
void search_typed(const Search& s, bool right, std::int64_t* out) {
  constexpr std::int64_t piece = 2048;
  const std::int64_t pieces = (s.m + piece - 1) / piece;
  for_blocks(s.rows * pieces, s.rows * s.m >= 1 << 14, [&](std::int64_t b) {
    const T* first = static_cast<const T*>(s.sorted) + b / pieces * s.n;
    const T* values = static_cast<const T*>(s.values) + b / pieces * s.m;
    const std::int64_t start = b % pieces * piece, end = std::min(s.m, start + piece);
    for (std::int64_t i = start; i < end; ++i)
      out[b / pieces * s.m + i] =
          right ? upper_bound(first, s.n, values[i]) : lower_bound(first, s.n, values[i]);
  });
}

template <class T>
void histogram_typed(std::int64_t n, const T* x, const T* weight, std::int64_t bins, const T* edges,
                     bool even, T* out) {
  std::fill_n(out, bins, T(0));
  const T low = edges[0], high = edges[bins];
  for (std::int64_t i = 0; i < n; ++i) {
    const T v = x[i];
    if (!(v >= low && v <= high)) continue;
    const std::int64_t bin = even ? static_cast<std::int64_t>((v - low) * static_cast<T>(bins) / (high - low))
                                  : std::upper_bound(edges, edges + bins + 1, v) - edges - 1;
    out[std::min(bin, bins - 1)] += weight ? weight[i] : T(1);
  }
}

// `at(i)` is the position of the i-th element. Without branches, which change at random.
template <class T, class At>
std::int64_t runs_typed(std::int64_t n, const T* values, const At& at, std::int64_t* starts,
                        std::int64_t* inverse) {
  std::int64_t runs = 0;
  for (std::int64_t i = 0; i < n; ++i) {
    starts[runs] = i;
    runs += i == 0 || values[at(i)] != values[at(i - 1)];
    inverse[at(i)] = runs - 1;
  }
  starts[runs] = n;
  return runs;
}

}  // namespace

void searchsorted(const Search& s, bool right, std::int64_t* out) {
  if (s.dtype == f32)
    search_typed<float>(s, right, out);
  else if (s.dtype == f64)
    search_typed<double>(s, right, out);
  else
    search_typed<std::int64_t>(s, right, out);
}

void histogram(DType dtype, std::int64_t n, const void* x, const void* weight, std::int64_t bins,
               const void* edges, bool even, void* out) {
  if (dtype == f32)
    histogram_typed(n, static_cast<const float*>(x), static_cast<const float*>(weight), bins,
                    static_cast<const float*>(edges), even, static_cast<float*>(out));
  else
    histogram_typed(n, static_cast<const double*>(x), static_cast<const double*>(weight), bins,
                    static_cast<const double*>(edges), even, static_cast<double*>(out));
}

std::int64_t find_runs(DType dtype, std::int64_t n, const void* values, const std::int64_t* order,
                       std::int64_t* starts, std::int64_t* inverse) {
  std::int64_t runs = 0;
  visit(dtype, [&]<class T>(T) {
    const auto* x = static_cast<const T*>(values);
    runs = order ? runs_typed(
                       n, x, [order](std::int64_t i) { return order[i]; }, starts, inverse)
                 : runs_typed(
                       n, x, [](std::int64_t i) { return i; }, starts, inverse);
  });
  return runs;
}

std::int64_t unique_in_range(std::int64_t n, const std::int64_t* x, std::int64_t low, std::int64_t range,
                             std::int64_t* values, std::int64_t* counts, std::int64_t* inverse) {
  const Scratch<std::int64_t> number(range);
  std::fill_n(number.get(), range, std::int64_t{0});
  for (std::int64_t i = 0; i < n; ++i) ++number[x[i] - low];
  std::int64_t found = 0;
  for (std::int64_t v = 0; v < range; ++v) {
    values[found] = low + v, counts[found] = number[v];
    const bool there = number[v] != 0;
    number[v] = found;
    found += there;
  }
  for (std::int64_t i = 0; i < n; ++i) inverse[i] = number[x[i] - low];
  return found;
}

void sort_rows(DType dtype, std::int64_t n, std::int64_t m, const void* x, std::int64_t* order) {
  std::iota(order, order + n, std::int64_t{0});
  visit(dtype, [&]<class T>(T) {
    const auto* rows = static_cast<const T*>(x);
    std::stable_sort(order, order + n, [=](std::int64_t i, std::int64_t j) {
      const T *a = rows + i * m, *b = rows + j * m;
      for (std::int64_t k = 0; k < m; ++k) {
        const bool below = a[k] < b[k] || (a[k] == a[k] && b[k] != b[k]);  // NaN is the largest
        const bool above = b[k] < a[k] || (b[k] == b[k] && a[k] != a[k]);
        if (below || above) return below;
      }
      return false;
    });
  });
}

}  // namespace cadena::kernels
