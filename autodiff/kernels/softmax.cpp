#include "autodiff/kernels/softmax.hpp"

#include <algorithm>
#include <cmath>

#include "autodiff/kernels/exponential.hpp"
#include "autodiff/kernels/rows.hpp"
#include "autodiff/kernels/short_rows.hpp"
#include "autodiff/kernels/softmax_parts.hpp"

namespace cadena::kernels {
namespace {

template <class T>
T row_logsumexp(std::int64_t n, const T* x) {
  const T m = row_top(n, x);
  if (!(std::abs(m) < infinity<T>))
    return row_max(n, x);  // -inf (also of nothing), +inf and NaN are the answer themselves
  return m + std::log(sum_exp(n, x, m));
}

// gx[i] = g * d lse / dx[i] where the logsumexp is infinite: nothing for -inf, equal shares of the +inf
// entries.
template <class T>
void share_among_infinite(std::int64_t n, std::int64_t step, const T* x, T lse, T g, T* gx) {
  std::int64_t count = 0;
  for (std::int64_t i = 0; i < n; ++i) count += x[i * step] == infinity<T>;
  for (std::int64_t i = 0; i < n; ++i)
    gx[i * step] = lse > 0 && x[i * step] == infinity<T> ? g / static_cast<T>(count) : T(0);
}

// For as many rows as a register has lanes: tiles of short rows, or neighbouring columns.

struct SoftmaxLanes {
  template <class T, class X, class Y>
  static void run(std::int64_t n, const X& x, Y& y) {
    const Batch<T> m = top_of<T>(n, x);
    const Batch<T> sum = sum_of<T>(n, [&](std::int64_t k) {
      const Batch<T> e = exp_of_gap<T>(x[k] - m);
      y.set(k, e);
      return e;
    });
    const Batch<T> factor = Batch<T>(T(1)) / sum;
    for (std::int64_t k = 0; k < n; ++k) y.set(k, y[k] * factor);
  }
};
struct LogSoftmaxLanes {
  template <class T, class X, class Y>
  static void run(std::int64_t n, const X& x, Y& y) {
    const Batch<T> m = top_of<T>(n, x);
    const Batch<T> log_sum = log_of<T>(sum_of<T>(n, [&](std::int64_t k) { return exp_of_gap<T>(x[k] - m); }));
    for (std::int64_t k = 0; k < n; ++k) y.set(k, x[k] - m - log_sum);
  }
};
struct SoftmaxVjpLanes {
  template <class T, class X, class Y>
  static void run(std::int64_t n, const X& y, const X& g, Y& gx) {
    const Batch<T> dot = sum_of<T>(n, [&](std::int64_t k) { return y[k] * g[k]; });
    for (std::int64_t k = 0; k < n; ++k) gx.set(k, y[k] * (g[k] - dot));
  }
};
struct LogSoftmaxVjpLanes {
  template <class T, class X, class Y>
  static void run(std::int64_t n, const X& y, const X& g, Y& gx) {
    const Batch<T> sum = sum_of<T>(n, [&](std::int64_t k) { return g[k]; });
    for (std::int64_t k = 0; k < n; ++k) gx.set(k, xsimd::fnma(exp_of_gap<T>(y[k]), sum, g[k]));
  }
};

template <class Op, class T, class... In>
void short_rows(std::int64_t rows, std::int64_t n, T* out, const In*... in) {
  for_tiles<T>(rows, n, [&](std::int64_t r, std::int64_t count) {
    Tile<T> result;
    const auto tile = [&](const T* x) {
      Tile<T> t;
      t.read(count, n, x + r * n);
      return t;
    };
    Op::template run<T>(n, tile(in)..., result);
    result.write(count, n, out + r * n);
  });
}

// Elements a page or more apart get into each other's way in the cache: each is touched once.
template <class Op, class T, class... In>
void columns(std::int64_t outer, std::int64_t n, std::int64_t inner, T* out, const In*... in) {
  const bool staged = n <= long_column && inner * static_cast<std::int64_t>(sizeof(T)) >= 4096;
  for_columns<T>(outer, n, inner, [&](std::int64_t at, std::int64_t count) {
    Column<T> result{out + at, inner, count};
    if (!staged) return Op::template run<T>(n, Column<const T>{in + at, inner, count}..., result);
    ColumnTile<T> local;
    Op::template run<T>(n, ColumnTile<T>(n, Column<const T>{in + at, inner, count})..., local);
    for (std::int64_t k = 0; k < n; ++k) result.set(k, local[k]);
  });
}

template <class T, class X>
Batch<T> logsumexp_of(std::int64_t n, const X& x) {
  const Batch<T> m = fold_tile<T>(
      n, Batch<T>(-infinity<T>), [](auto a, auto v) { return Max::combine(a, v); },
      [&](std::int64_t k) { return x[k]; });
  const Batch<T> sum = sum_of<T>(n, [&](std::int64_t k) { return exp_of_gap<T>(x[k] - m); });
  return xsimd::select(xsimd::abs(m) < Batch<T>(infinity<T>), m + log_of<T>(sum), m);
}

template <class T>
void logsumexp_short(std::int64_t rows, std::int64_t n, const T* x, T* y) {
  for_tiles<T>(rows, n, [&](std::int64_t r, std::int64_t count) {
    Tile<T> t;
    t.read(count, n, x + r * n);
    Partial<T>(count).store(y + r, logsumexp_of<T>(n, t));
  });
}

template <class T>
void logsumexp_vjp_short(std::int64_t rows, std::int64_t n, const T* x, const T* y, const T* g, T* gx) {
  for_tiles<T>(rows, n, [&](std::int64_t r, std::int64_t count) {
    Tile<T> t;
    t.read(count, n, x + r * n);
    const Partial<T> some(count);
    const Batch<T> lse = some.load(y + r), factor = some.load(g + r);
    for (std::int64_t k = 0; k < n; ++k) t.set(k, factor * exp_of_gap<T>(t[k] - lse));
    alignas(64) T factors[width<T>];
    factor.store_aligned(factors);  // g may be overwritten
    t.write(count, n, gx + r * n);
    for (std::int64_t i = r; i < r + count; ++i)
      if (std::abs(y[i]) == infinity<T>)
        share_among_infinite(n, 1, x + i * n, y[i], factors[i - r], gx + i * n);
  });
}

}  // namespace

template <class T>
void softmax(std::int64_t rows, std::int64_t n, const T* x, T* y) {
  if (n <= short_row) return short_rows<SoftmaxLanes>(rows, n, y, x);
  for_rows<T>(rows, n, [&](std::int64_t r) {
    T* out = y + r * n;
    const T m = row_top(n, x + r * n);
    const Batch<T> shift(m);
    const T sum = row_sum_of<T>(n, -infinity<T>, [&](std::int64_t i, auto load, auto store) {
      const Batch<T> e = exp_of_gap<T>(load(x + r * n + i) - shift);
      store(out + i, e);
      return e;
    });
    const Batch<T> factor(T(1) / sum);
    for_vectors<T>(n, T(0),
                   [&](std::int64_t i, auto load, auto store) { store(out + i, load(out + i) * factor); });
  });
}

template <class T>
void log_softmax(std::int64_t rows, std::int64_t n, const T* x, T* y) {
  if (n <= short_row) return short_rows<LogSoftmaxLanes>(rows, n, y, x);
  for_rows<T>(rows, n, [&](std::int64_t r) {
    const T* in = x + r * n;
    const T m = row_top(n, in);
    // x - m is exact near the maximum, where x - (m + log) would lose the digits of the logarithm.
    const Batch<T> shift(m), log_sum(std::log(sum_exp(n, in, m)));
    for_vectors<T>(n, T(0), [&](std::int64_t i, auto load, auto store) {
      store(y + r * n + i, load(in + i) - shift - log_sum);
    });
  });
}

template <class T>
void logsumexp(std::int64_t rows, std::int64_t n, const T* x, T* y) {
  if (n <= short_row) return logsumexp_short(rows, n, x, y);
  for_rows<T>(rows, n, [&](std::int64_t r) { y[r] = row_logsumexp(n, x + r * n); });
}

template <class T>
void logsumexp_columns(std::int64_t outer, std::int64_t n, std::int64_t inner, const T* x, T* y) {
  for_columns<T>(outer, n, inner, [&](std::int64_t at, std::int64_t count) {
    const Column<const T> in{x + at, inner, count};
    Column<T> out{y + row_of_column(at, n, inner), inner, count};
    out.set(0, n <= long_column ? logsumexp_of<T>(n, ColumnTile<T>(n, in)) : logsumexp_of<T>(n, in));
  });
}

template <class T>
void logsumexp_vjp_columns(std::int64_t outer, std::int64_t n, std::int64_t inner, const T* x, const T* y,
                           const T* g, T* gx) {
  for_columns<T>(outer, n, inner, [&](std::int64_t at, std::int64_t count) {
    const std::int64_t row = row_of_column(at, n, inner);
    const Column<const T> in{x + at, inner, count};
    Column<T> out{gx + at, inner, count};
    const Partial<T> some(count);
    const Batch<T> lse = some.load(y + row), factor = some.load(g + row);
    for (std::int64_t k = 0; k < n; ++k) out.set(k, factor * exp_of_gap<T>(in[k] - lse));
    for (std::int64_t i = 0; i < count; ++i)
      if (std::abs(y[row + i]) == infinity<T>)
        share_among_infinite(n, inner, x + at + i, y[row + i], g[row + i], gx + at + i);
  });
}

template <class T>
void softmax_vjp(std::int64_t rows, std::int64_t n, const T* y, const T* g, T* gx) {
  if (n <= short_row) return short_rows<SoftmaxVjpLanes>(rows, n, gx, y, g);
  for_rows<T>(rows, n, [&](std::int64_t r) {
    const std::int64_t at = r * n;
    const Batch<T> dot(row_sum_of<T>(
        n, T(0), [&](std::int64_t i, auto load, auto) { return load(y + at + i) * load(g + at + i); }));
    for_vectors<T>(n, T(0), [&](std::int64_t i, auto load, auto store) {
      store(gx + at + i, load(y + at + i) * (load(g + at + i) - dot));
    });
  });
}

template <class T>
void log_softmax_vjp(std::int64_t rows, std::int64_t n, const T* y, const T* g, T* gx) {
  if (n <= short_row) return short_rows<LogSoftmaxVjpLanes>(rows, n, gx, y, g);
  for_rows<T>(rows, n, [&](std::int64_t r) {
    const std::int64_t at = r * n;
    const Batch<T> sum(
        row_sum_of<T>(n, T(0), [&](std::int64_t i, auto load, auto) { return load(g + at + i); }));
    for_vectors<T>(n, T(0), [&](std::int64_t i, auto load, auto store) {
      store(gx + at + i, xsimd::fnma(exp_of_gap<T>(load(y + at + i)), sum, load(g + at + i)));
    });
  });
}

template <class T>
void logsumexp_vjp(std::int64_t rows, std::int64_t n, const T* x, const T* y, const T* g, T* gx) {
  if (n <= short_row) return logsumexp_vjp_short(rows, n, x, y, g, gx);
  for_rows<T>(rows, n, [&](std::int64_t r) {
    const std::int64_t at = r * n;
    if (std::abs(y[r]) == infinity<T>) return share_among_infinite(n, 1, x + at, y[r], g[r], gx + at);
    const Batch<T> lse(y[r]), factor(g[r]);
    for_vectors<T>(n, T(0), [&](std::int64_t i, auto load, auto store) {
      store(gx + at + i, factor * exp_of_gap<T>(load(x + at + i) - lse));
    });
  });
}

template <class T>
void softmax_columns(std::int64_t outer, std::int64_t n, std::int64_t inner, const T* x, T* y) {
  columns<SoftmaxLanes>(outer, n, inner, y, x);
}
template <class T>
void log_softmax_columns(std::int64_t outer, std::int64_t n, std::int64_t inner, const T* x, T* y) {
  columns<LogSoftmaxLanes>(outer, n, inner, y, x);
}
template <class T>
void softmax_vjp_columns(std::int64_t outer, std::int64_t n, std::int64_t inner, const T* y, const T* g,
                         T* gx) {
  columns<SoftmaxVjpLanes>(outer, n, inner, gx, y, g);
}
template <class T>
void log_softmax_vjp_columns(std::int64_t outer, std::int64_t n, std::int64_t inner, const T* y, const T* g,
                             T* gx) {
  columns<LogSoftmaxVjpLanes>(outer, n, inner, gx, y, g);
}

#define CADENA_INSTANTIATE(T)                                                                              \
  template void softmax_columns(std::int64_t, std::int64_t, std::int64_t, const T*, T*);                   \
  template void log_softmax_columns(std::int64_t, std::int64_t, std::int64_t, const T*, T*);               \
  template void logsumexp_columns(std::int64_t, std::int64_t, std::int64_t, const T*, T*);                 \
  template void softmax_vjp_columns(std::int64_t, std::int64_t, std::int64_t, const T*, const T*, T*);     \
  template void log_softmax_vjp_columns(std::int64_t, std::int64_t, std::int64_t, const T*, const T*, T*); \
  template void logsumexp_vjp_columns(std::int64_t, std::int64_t, std::int64_t, const T*, const T*,        \
                                      const T*, T*);                                                       \
  template void softmax(std::int64_t, std::int64_t, const T*, T*);                                         \
  template void log_softmax(std::int64_t, std::int64_t, const T*, T*);                                     \
  template void logsumexp(std::int64_t, std::int64_t, const T*, T*);                                       \
  template void softmax_vjp(std::int64_t, std::int64_t, const T*, const T*, T*);                           \
  template void log_softmax_vjp(std::int64_t, std::int64_t, const T*, const T*, T*);                       \
  template void logsumexp_vjp(std::int64_t, std::int64_t, const T*, const T*, const T*, T*)

CADENA_INSTANTIATE(float);
CADENA_INSTANTIATE(double);

}  // namespace cadena::kernels
