#include "autodiff/kernels/softmax.hpp"

#include <algorithm>
#include <cmath>

#include "autodiff/kernels/exponential.hpp"
#include "autodiff/kernels/rows.hpp"
#include "autodiff/kernels/short_rows.hpp"

namespace cadena::kernels {
namespace {

template <class T>
T sum_exp(std::int64_t n, const T* x, T shift) {
  const Batch<T> s(shift);
  return row_sum_of<T>(n, -infinity<T>,
                       [&](std::int64_t i, auto load, auto) { return exp_of_gap<T>(load(x + i) - s); });
}

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
void share_among_infinite(std::int64_t n, const T* x, T lse, T g, T* gx) {
  const auto count = static_cast<T>(std::count(x, x + n, infinity<T>));
  for (std::int64_t i = 0; i < n; ++i) gx[i] = lse > 0 && x[i] == infinity<T> ? g / count : T(0);
}

// The same for as many rows as a register has lanes, element k of all of them in x[k]: tiles of short rows,
// or neighbouring columns.

template <class T, class X>
Batch<T> top_of(std::int64_t n, const X& x) {  // as row_top
  return fold_tile<T>(
      n, Batch<T>(-infinity<T>), [](auto a, auto v) { return xsimd::max(v, a); },
      [&](std::int64_t k) { return x[k]; });
}
template <class T, class F>
Batch<T> sum_of(std::int64_t n, const F& term) {
  return fold_tile<T>(
      n, Batch<T>(T(0)), [](auto a, auto v) { return a + v; }, term);
}
template <class T>
Batch<T> log_of(Batch<T> x) {
  alignas(64) T lanes[width<T>];
  x.store_aligned(lanes);
  for (auto& v : lanes) v = std::log(v);
  return Batch<T>::load_aligned(lanes);
}

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

template <class Op, class T, class... In>
void columns(std::int64_t outer, std::int64_t n, std::int64_t inner, T* out, const In*... in) {
  for_columns<T>(outer, n, inner, [&](std::int64_t at, std::int64_t count) {
    Column<T> result{out + at, inner, count};
    Op::template run<T>(n, Column<const T>{in + at, inner, count}..., result);
  });
}

template <class T>
void logsumexp_short(std::int64_t rows, std::int64_t n, const T* x, T* y) {
  for_tiles<T>(rows, n, [&](std::int64_t r, std::int64_t count) {
    Tile<T> t;
    t.read(count, n, x + r * n);
    const Batch<T> m = fold_tile<T>(
        n, Batch<T>(-infinity<T>), [](auto a, auto v) { return Max::combine(a, v); },
        [&](std::int64_t k) { return t[k]; });
    const Batch<T> sum = sum_of<T>(n, [&](std::int64_t k) { return exp_of_gap<T>(t[k] - m); });
    alignas(64) T tops[width<T>], sums[width<T>];
    m.store_aligned(tops), sum.store_aligned(sums);
    for (std::int64_t i = 0; i < count; ++i)
      y[r + i] = std::abs(tops[i]) < infinity<T> ? tops[i] + std::log(sums[i]) : tops[i];
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
      if (std::abs(y[i]) == infinity<T>) share_among_infinite(n, x + i * n, y[i], factors[i - r], gx + i * n);
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
    if (std::abs(y[r]) == infinity<T>) return share_among_infinite(n, x + at, y[r], g[r], gx + at);
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

template <class T>
std::optional<std::int64_t> find_bad_target(std::int64_t rows, std::int64_t n,
                                            const CrossEntropyTargets<T>& t) {
  for (std::int64_t r = 0; r < rows; ++r)
    if (t.target[r] != t.ignore_index && (t.target[r] < 0 || t.target[r] >= n)) return t.target[r];
  return std::nullopt;
}

template <class T>
double total_weight(std::int64_t rows, const CrossEntropyTargets<T>& t) {
  double sum = 0;
  for (std::int64_t r = 0; r < rows; ++r)
    if (t.target[r] != t.ignore_index) sum += t.weight ? static_cast<double>(t.weight[t.target[r]]) : 1.0;
  return sum;
}

namespace {

// loss = hard w[y] (lse - x[y]) + soft sum_c w[c] (lse - x[c])
template <class T>
struct Smoothing {
  T hard, soft;   // 1 - eps, eps / n
  T all_weights;  // sum of w

  Smoothing(std::int64_t n, const CrossEntropyTargets<T>& t)
      : hard(static_cast<T>(1 - t.label_smoothing)),
        soft(n == 0 ? T(0) : static_cast<T>(t.label_smoothing / static_cast<double>(n))),
        all_weights(static_cast<T>(n)) {
    if (t.weight)
      all_weights =
          row_sum_of<T>(n, T(0), [&](std::int64_t i, auto load, auto) { return load(t.weight + i); });
  }
};

// sum_c w[c] (lse - x[c]) with lse = m + log_sum. Lanes beyond the row load as m and 0.
template <class T>
T smooth_loss(std::int64_t n, const T* x, T m, T log_sum, const CrossEntropyTargets<T>& t, T all_weights) {
  const Batch<T> top(m);
  const T gaps = row_sum_of<T>(n, m, [&](std::int64_t i, auto load, auto) {
    const Batch<T> gap = top - load(x + i);
    return t.weight ? gap * load(t.weight + i) : gap;
  });
  return gaps + log_sum * all_weights;
}

}  // namespace

template <class T>
void cross_entropy(std::int64_t rows, std::int64_t n, const T* x, const CrossEntropyTargets<T>& t,
                   const RowSums<T>& sums, T* loss) {
  const Smoothing<T> s(n, t);
  for_rows<T>(rows, n, [&](std::int64_t r) {
    const T* in = x + r * n;
    const std::int64_t c = t.target[r];
    sums.top[r] = sums.sum[r] = loss[r] = 0;
    if (c == t.ignore_index) return;
    const T m = sums.top[r] = row_top(n, in);
    const T log_sum = std::log(sums.sum[r] = sum_exp(n, in, m));
    loss[r] = s.hard * (t.weight ? t.weight[c] : T(1)) * (m - in[c] + log_sum);
    if (s.soft != 0) loss[r] += s.soft * smooth_loss(n, in, m, log_sum, t, s.all_weights);
  });
}

// d loss / dx[c] = (hard w[y] + soft sum w) p[c] - hard w[y] [c == y] - soft w[c]
template <class T>
void cross_entropy_vjp(std::int64_t rows, std::int64_t n, const T* x, const RowSums<T>& sums,
                       const CrossEntropyTargets<T>& t, const T* g, std::int64_t g_stride, T factor, T* gx) {
  const Smoothing<T> s(n, t);
  for_rows<T>(rows, n, [&](std::int64_t r) {
    const T* in = x + r * n;
    T* out = gx + r * n;
    const std::int64_t c = t.target[r];
    if (c == t.ignore_index) {
      std::fill_n(out, n, T(0));
      return;
    }
    const T scale = g[r * g_stride] * factor, hard = s.hard * (t.weight ? t.weight[c] : T(1));
    const Batch<T> m(sums.top[r]), p(scale * (hard + s.soft * s.all_weights) / sums.sum[r]);
    const Batch<T> soft(scale * s.soft);
    for_vectors<T>(n, T(0), [&](std::int64_t i, auto load, auto store) {
      Batch<T> d = p * exp_of_gap<T>(load(in + i) - m);
      if (s.soft != 0) d -= t.weight ? soft * load(t.weight + i) : soft;
      store(out + i, d);
    });
    out[c] -= scale * hard;
  });
}

#define CADENA_INSTANTIATE(T)                                                                              \
  template void softmax_columns(std::int64_t, std::int64_t, std::int64_t, const T*, T*);                   \
  template void log_softmax_columns(std::int64_t, std::int64_t, std::int64_t, const T*, T*);               \
  template void softmax_vjp_columns(std::int64_t, std::int64_t, std::int64_t, const T*, const T*, T*);     \
  template void log_softmax_vjp_columns(std::int64_t, std::int64_t, std::int64_t, const T*, const T*, T*); \
  template void softmax(std::int64_t, std::int64_t, const T*, T*);                                         \
  template void log_softmax(std::int64_t, std::int64_t, const T*, T*);                                     \
  template void logsumexp(std::int64_t, std::int64_t, const T*, T*);                                       \
  template void softmax_vjp(std::int64_t, std::int64_t, const T*, const T*, T*);                           \
  template void log_softmax_vjp(std::int64_t, std::int64_t, const T*, const T*, T*);                       \
  template void logsumexp_vjp(std::int64_t, std::int64_t, const T*, const T*, const T*, T*);               \
  template std::optional<std::int64_t> find_bad_target(std::int64_t, std::int64_t,                         \
                                                       const CrossEntropyTargets<T>&);                     \
  template double total_weight(std::int64_t, const CrossEntropyTargets<T>&);                               \
  template void cross_entropy(std::int64_t, std::int64_t, const T*, const CrossEntropyTargets<T>&,         \
                              const RowSums<T>&, T*);                                                      \
  template void cross_entropy_vjp(std::int64_t, std::int64_t, const T*, const RowSums<T>&,                 \
                                  const CrossEntropyTargets<T>&, const T*, std::int64_t, T, T*)

CADENA_INSTANTIATE(float);
CADENA_INSTANTIATE(double);

}  // namespace cadena::kernels
