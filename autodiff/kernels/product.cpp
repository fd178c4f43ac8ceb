#include "autodiff/kernels/product.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "autodiff/kernels/parallel.hpp"
#include "autodiff/kernels/rows.hpp"
#include "autodiff/kernels/scratch.hpp"
#include "autodiff/kernels/short_rows.hpp"

namespace cadena::kernels {
namespace {

// Whether y / x[j] is the product of the others: nothing is 0, infinite, or has lost digits.
template <class T>
bool divides(T y) {
  return std::isnormal(y);
}

constexpr std::int64_t block = 2048;

// gx[j] = before x[0] ... x[j - 1] x[j + 1] ... behind, of one block, from both ends. In pieces side by side,
// so that none waits for its own products.
template <class T>
void multiply_block(std::int64_t n, const T* x, T before, T behind, T* gx) {
  constexpr std::int64_t pieces = 8;
  const std::int64_t each = n / pieces, rest = n - pieces * each;  // a shorter, last one beside them
  T left[pieces + 1], right[pieces + 1];
  const auto walk = [&](const auto& f) {
    for (std::int64_t j = 0; j < each; ++j)
      for (std::int64_t p = 0; p < pieces; ++p) f(p, j, each);
    for (std::int64_t j = 0; j < rest; ++j) f(pieces, j, rest);
  };
  std::fill_n(right, pieces + 1, T(1));
  walk([&](std::int64_t p, std::int64_t j, std::int64_t) { right[p] *= x[p * each + j]; });
  left[0] = before;
  for (std::int64_t p = 0; p < pieces; ++p) left[p + 1] = left[p] * right[p];
  for (std::int64_t p = pieces; p >= 0; --p) behind *= std::exchange(right[p], behind);
  walk([&](std::int64_t p, std::int64_t j, std::int64_t) {
    gx[p * each + j] = left[p];
    left[p] *= x[p * each + j];
  });
  walk([&](std::int64_t p, std::int64_t j, std::int64_t length) {
    const std::int64_t i = p * each + length - 1 - j;
    gx[i] *= right[p];
    right[p] *= x[i];
  });
}

// The same of a row, without a division.
template <class T>
void multiply_others(std::int64_t n, const T* x, T g, T* gx) {
  if (n <= block) return multiply_block(n, x, T(1), g, gx);
  const std::int64_t blocks = (n + block - 1) / block;
  const Scratch<T> product(blocks), behind(blocks);
  for (std::int64_t b = 0; b < blocks; ++b)
    product[b] = fold_lanes<Product>(fold_tile<T>(
        std::min(block, n - b * block) / width<T>, Batch<T>(T(1)), [](auto p, auto v) { return p * v; },
        [&](std::int64_t k) { return Batch<T>::load_unaligned(x + b * block + k * width<T>); }));
  for (std::int64_t i = n / width<T> * width<T>; i < n; ++i) product[blocks - 1] *= x[i];
  for (std::int64_t b = blocks - 1; b >= 0; --b) behind[b] = g, g *= product[b];
  T before = 1;
  for (std::int64_t b = 0; b < blocks; ++b) {
    const std::int64_t at = b * block, count = std::min(block, n - at);
    multiply_block(count, x + at, before, behind[b], gx + at);
    before *= product[b];
  }
}

// The same of columns side by side. `state` has room for one row.
template <class T>
void multiply_others_of_columns(std::int64_t n, std::int64_t width, std::int64_t step, const T* x, const T* g,
                                T* state, T* gx) {
  std::fill_n(state, width, T(1));
  for (std::int64_t j = 0; j < n; ++j)
    for (std::int64_t i = 0; i < width; ++i) {
      gx[j * step + i] = state[i];
      state[i] *= x[j * step + i];
    }
  std::copy_n(g, width, state);
  for (std::int64_t j = n - 1; j >= 0; --j)
    for (std::int64_t i = 0; i < width; ++i) {
      gx[j * step + i] *= state[i];
      state[i] *= x[j * step + i];
    }
}

template <class T>
void in_rows(const Lines& l, const T* x, const T* y, const T* g, T* gx) {
  for_rows<T>(l.outer, l.n, [&](std::int64_t r) {
    const T *in = x + r * l.n, *from = g + r;
    T* out = gx + r * l.n;
    if (!divides(y[r])) return multiply_others(l.n, in, *from, out);
    const Batch<T> all(y[r]), factor(*from);
    for_vectors<T>(l.n, T(1), [&](std::int64_t i, auto load, auto store) {
      store(out + i, all / load(in + i) * factor);
    });
  });
}

template <class T>
void in_columns(const Lines& l, const T* x, const T* y, const T* g, T* gx) {
  constexpr std::int64_t strip = 1024;
  const std::int64_t strips = (l.inner + strip - 1) / strip;
  for_rows<T>(l.outer * strips, l.n * std::min(l.inner, strip), [&](std::int64_t task) {
    const std::int64_t o = task / strips, first = task % strips * strip, n = std::min(strip, l.inner - first);
    const T *all = y + o * l.inner + first, *factor = g + o * l.inner + first;
    const std::int64_t at = o * l.n * l.inner + first;
    if (!std::all_of(all, all + n, divides<T>)) {
      T state[strip];
      return multiply_others_of_columns(l.n, n, l.inner, x + at, factor, state, gx + at);
    }
    for (std::int64_t j = 0; j < l.n; ++j) {
      const T* in = x + at + j * l.inner;
      T* out = gx + at + j * l.inner;
      for_vectors<T>(n, T(1), [&](std::int64_t i, auto load, auto store) {
        store(out + i, load(all + i) / load(in + i) * load(factor + i));
      });
    }
  });
}

}  // namespace

template <class T>
void product_of_others(const Lines& l, const T* x, const T* y, const T* g, T* gx) {
  l.inner == 1 ? in_rows(l, x, y, g, gx) : in_columns(l, x, y, g, gx);
}

template void product_of_others(const Lines&, const float*, const float*, const float*, float*);
template void product_of_others(const Lines&, const double*, const double*, const double*, double*);

}  // namespace cadena::kernels
