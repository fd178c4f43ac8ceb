#include "autodiff/kernels/scan.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <type_traits>

#include "autodiff/kernels/parallel.hpp"
#include "autodiff/kernels/partial.hpp"
#include "autodiff/kernels/transpose.hpp"

namespace cadena::kernels {
namespace {

// Neighbouring lines are scanned side by side, up to 64. A line that has no neighbours keeps its state in a
// register; short ones, which lie one after the other, go together, so that no one waits for its own sums.
constexpr std::int64_t piece = 64, together = 16, short_line = 64, tiny_line = 16;

struct LinesInARow {
  std::int64_t count;
};

// What a line carries along: spare bits for float, wrapping for i64.
template <class T>
using Carry = std::conditional_t<std::is_floating_point_v<T>, double, std::uint64_t>;

// f(position of the first element of the first line, number of lines side by side, a constant that bounds it)
template <class F>
void for_lines(const Lines& l, const F& f) {
  const bool grouped = l.inner == 1 && l.n <= short_line;
  const std::int64_t pieces = (l.inner + piece - 1) / piece,
                     tasks = grouped ? (l.outer + together - 1) / together : l.outer * pieces;
  const std::int64_t work = l.n * (grouped ? together : std::min(l.inner, piece));
  if (tasks == 0 || work == 0) return;
  const std::int64_t group = std::max<std::int64_t>(1, 16384 / work);
  const bool parallel = l.outer * l.n * l.inner * 8 >= parallel_bytes;
  for_blocks((tasks + group - 1) / group, parallel, [&](std::int64_t b) {
    for (std::int64_t t = b * group; t < std::min(tasks, (b + 1) * group); ++t) {
      if (grouped) {
        f(t * together * l.n, LinesInARow{std::min(together, l.outer - t * together)},
          std::integral_constant<std::int64_t, together>{});
        continue;
      }
      const std::int64_t i = t % pieces * piece;
      const std::int64_t at = t / pieces * l.n * l.inner + i;
      if (l.inner == 1)
        f(at, std::integral_constant<std::int64_t, 1>{}, std::integral_constant<std::int64_t, 1>{});
      else
        f(at, std::min(piece, l.inner - i), std::integral_constant<std::int64_t, piece>{});
    }
  });
}

// step(j, position, i): the j-th element of line i of a piece, from the end if `reverse`
template <class Width, class Step>
void walk(const Lines& l, std::int64_t at, Width width, bool reverse, const Step& step) {
  const std::int64_t inner = std::is_same_v<Width, std::int64_t> ? l.inner : 1,
                     hop = reverse ? -inner : inner;
  std::int64_t row = at + (reverse ? (l.n - 1) * inner : 0);
  for (std::int64_t j = 0; j < l.n; ++j, row += hop) {
    for (std::int64_t i = 0; i < width; ++i) step(j, row + i, i);
  }
}

template <class Step>
void walk(const Lines& l, std::int64_t at, LinesInARow lines, bool reverse, const Step& step) {
  const std::int64_t hop = reverse ? -1 : 1;
  std::int64_t row = at + (reverse ? l.n - 1 : 0);
  for (std::int64_t j = 0; j < l.n; ++j, row += hop) {
    for (std::int64_t i = 0; i < lines.count; ++i) step(j, row + i * l.n, i);
  }
}

// Lines so short that the processor works on several of them by itself.
template <class T, class Combine>
void cumulate_tiny(const Lines& l, const T* x, T* out, bool reverse, Carry<T> identity,
                   const Combine& combine) {
  const std::int64_t group = std::max<std::int64_t>(1, 16384 / std::max<std::int64_t>(l.n, 1));
  for_blocks((l.outer + group - 1) / group, l.outer * l.n * 8 >= parallel_bytes, [&](std::int64_t b) {
    const std::int64_t end = std::min(l.outer, (b + 1) * group), n = l.n;
    const T* from = x + b * group * n;
    T* to = out + b * group * n;
    for (std::int64_t r = b * group; r < end; ++r, from += n, to += n) {
      Carry<T> state = identity;
      for (std::int64_t j = 0; j < n; ++j) {
        const std::int64_t k = reverse ? n - 1 - j : j;
        state = combine(state, static_cast<Carry<T>>(from[k]));
        to[k] = static_cast<T>(state);
      }
    }
  });
}

template <class T, class Combine>
void cumulate_typed(const Lines& l, const T* x, T* out, bool reverse, Carry<T> identity,
                    const Combine& combine) {
  if (l.inner == 1 && l.n <= tiny_line) return cumulate_tiny(l, x, out, reverse, identity, combine);
  for_lines(l, [&](std::int64_t at, auto width, auto bound) {
    Carry<T> state[bound];
    std::fill_n(state, static_cast<std::int64_t>(bound), identity);
    walk(l, at, width, reverse, [&](std::int64_t, std::int64_t p, std::int64_t i) {
      state[i] = combine(state[i], static_cast<Carry<T>>(x[p]));
      out[p] = static_cast<T>(state[i]);
    });
  });
}

template <class T>
void recurrence_typed(const Lines& l, const T* a, const T* b, T* h, bool reverse) {
  for_lines(l, [&](std::int64_t at, auto width, auto bound) {
    double state[bound];
    walk(l, at, width, reverse, [&](std::int64_t j, std::int64_t p, std::int64_t i) {
      const double factor = a[p], term = b[p];
      state[i] = j == 0 || factor == 0 ? term : factor * state[i] + term;
      h[p] = static_cast<T>(state[i]);
    });
  });
}

// exp(x[0]) + ... + exp(x[j]) = sum * exp(top)
struct ScaledSum {
  double top = -std::numeric_limits<double>::infinity(), sum = 0;

  void add(double x) {
    if (x > top) {
      sum = sum * std::exp(top - x) + 1;
      top = x;
    } else if (x == top) {
      sum += std::isinf(x) && x < 0 ? 0 : 1;
    } else {
      sum += std::exp(x - top);
    }
  }
  double log() const { return top + std::log(sum); }
};

template <class T>
void logcumsumexp_typed(const Lines& l, const T* x, T* out) {
  for_lines(l, [&](std::int64_t at, auto width, auto bound) {
    ScaledSum state[bound];
    walk(l, at, width, false, [&](std::int64_t, std::int64_t p, std::int64_t i) {
      state[i].add(x[p]);
      out[p] = static_cast<T>(state[i].log());
    });
  });
}

template <class T>
bool is_nan(T v) {
  if constexpr (std::is_floating_point_v<T>)
    return v != v;
  else
    return false;
}

// Whether v takes the place of the extreme so far, unless it is the first; a NaN only leaves to another one.
template <bool largest, class T>
bool replaces(T v, T best) {
  return (largest ? v >= best : v <= best) | is_nan(v);
}

// For short lines side by side: the positions as numbers of type T, in registers.
template <bool largest, class T>
void extreme_side_by_side(std::int64_t n, const T (&in)[short_line][together],
                          T (&where)[short_line][together]) {
  using Batch = xsimd::batch<T>;
  for (std::size_t i = 0; i < together; i += Batch::size) {
    Batch best = Batch::load_aligned(in[0] + i), at(T(0));
    for (std::int64_t j = 0; j < n; ++j) {
      const Batch v = Batch::load_aligned(in[j] + i);
      auto take = largest ? v >= best : v <= best;
      if constexpr (std::is_floating_point_v<T>) take = take || nan_lanes(v);
      best = xsimd::select(take, v, best);
      at = xsimd::select(take, Batch(static_cast<T>(j)), at);
      at.store_aligned(where[j] + i);
    }
  }
}

template <bool largest, class T>
void extreme_of_short_lines(const Lines& l, const T* x, std::int64_t* indices) {
  const std::int64_t tasks = (l.outer + together - 1) / together,
                     group = std::max<std::int64_t>(1, 16384 / (l.n * together));
  using Bits = std::conditional_t<sizeof(T) == 4, float, double>;  // only moved
  for_blocks((tasks + group - 1) / group, l.outer * l.n * 8 >= parallel_bytes, [&](std::int64_t b) {
    alignas(64) T in[short_line][together] = {}, where[short_line][together];
    for (std::int64_t t = b * group; t < std::min(tasks, (b + 1) * group); ++t) {
      const std::int64_t at = t * together * l.n, count = std::min(together, l.outer - t * together);
      transpose_block(reinterpret_cast<const Bits*>(x + at), l.n, reinterpret_cast<Bits*>(in), together,
                      count, l.n);
      extreme_side_by_side<largest>(l.n, in, where);
      T lines[short_line * together];
      transpose_block(reinterpret_cast<const Bits*>(where), together, reinterpret_cast<Bits*>(lines), l.n,
                      l.n, count);
      for (std::int64_t i = 0; i < count * l.n; ++i) indices[at + i] = static_cast<std::int64_t>(lines[i]);
    }
  });
}

template <bool largest, class T>
void extreme_typed(const Lines& l, const T* x, std::int64_t* indices) {
  if (l.inner == 1 && l.n <= short_line && l.n > 0 && l.outer > 1)
    return extreme_of_short_lines<largest>(l, x, indices);
  for_lines(l, [&](std::int64_t at, auto width, auto bound) {
    T best[bound] = {};
    std::int64_t where[bound] = {};
    walk(l, at, width, false, [&](std::int64_t j, std::int64_t p, std::int64_t i) {
      const T v = x[p];
      if constexpr (std::is_same_v<decltype(width), std::integral_constant<std::int64_t, 1>>) {
        if (j == 0 || !(largest ? v < best[i] : v > best[i])) [[unlikely]]  // ever more rarely
          if (j == 0 || replaces<largest>(v, best[i])) best[i] = v, where[i] = j;
      } else {
        const bool take = (j == 0) | replaces<largest>(v, best[i]);
        best[i] = take ? v : best[i];
        where[i] = take ? j : where[i];
      }
      indices[p] = where[i];
    });
  });
}

}  // namespace

void cumulate(ScanOp op, const Lines& lines, DType dtype, const void* x, void* out, bool reverse) {
  const auto run = [&]<class T>(T) {
    const T* from = static_cast<const T*>(x);
    if (op == ScanOp::sum)
      cumulate_typed<T>(lines, from, static_cast<T*>(out), reverse, 0, [](auto a, auto b) { return a + b; });
    else
      cumulate_typed<T>(lines, from, static_cast<T*>(out), reverse, 1, [](auto a, auto b) { return a * b; });
  };
  if (dtype == f32)
    run(float{});
  else if (dtype == f64)
    run(double{});
  else
    run(std::int64_t{});
}

void linear_recurrence(const Lines& lines, DType dtype, const void* a, const void* b, void* h, bool reverse) {
  if (dtype == f32)
    recurrence_typed(lines, static_cast<const float*>(a), static_cast<const float*>(b),
                     static_cast<float*>(h), reverse);
  else
    recurrence_typed(lines, static_cast<const double*>(a), static_cast<const double*>(b),
                     static_cast<double*>(h), reverse);
}

void logcumsumexp(const Lines& lines, DType dtype, const void* x, void* out) {
  if (dtype == f32)
    logcumsumexp_typed(lines, static_cast<const float*>(x), static_cast<float*>(out));
  else
    logcumsumexp_typed(lines, static_cast<const double*>(x), static_cast<double*>(out));
}

void cumulative_extreme(bool largest, const Lines& lines, DType dtype, const void* x, std::int64_t* indices) {
  visit(dtype, [&]<class T>(T) {
    const auto* from = static_cast<const T*>(x);
    largest ? extreme_typed<true>(lines, from, indices) : extreme_typed<false>(lines, from, indices);
  });
}

}  // namespace cadena::kernels
