#include "autodiff/kernels/class_loss.hpp"

#include <algorithm>
#include <cmath>
#include <type_traits>

#include "autodiff/kernels/softmax_parts.hpp"

namespace cadena::kernels {

template <class T>
std::optional<std::int64_t> find_bad_target(std::int64_t rows, std::int64_t n,
                                            const CrossEntropyTargets<T>& t) {
  const auto wrong = [&](std::int64_t c) {
    return (static_cast<std::uint64_t>(c) >= static_cast<std::uint64_t>(n)) & (c != t.ignore_index);
  };
  bool any = false;  // without an exit the loop is vectorised
  for (std::int64_t r = 0; r < rows; ++r) any |= wrong(t.target[r]);
  if (!any) return std::nullopt;
  return *std::find_if(t.target, t.target + rows, wrong);
}

template <class T>
double total_weight(std::int64_t rows, const CrossEntropyTargets<T>& t) {
  if (!t.weight) return static_cast<double>(rows - std::count(t.target, t.target + rows, t.ignore_index));
  double sum = 0;
  for (std::int64_t r = 0; r < rows; ++r)
    if (t.target[r] != t.ignore_index) sum += static_cast<double>(t.weight[t.target[r]]);
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

namespace {

template <class T>
void cross_entropy_columns(std::int64_t outer, std::int64_t n, std::int64_t inner, const T* x,
                           const CrossEntropyTargets<T>& t, const RowSums<T>& sums, T* loss) {
  const Smoothing<T> s(n, t);
  for_columns<T>(outer, n, inner, [&](std::int64_t at, std::int64_t count) {
    const std::int64_t row = row_of_column(at, n, inner);
    const Column<const T> in{x + at, inner, count};
    const Batch<T> m = top_of<T>(n, in);
    const Batch<T> sum = sum_of<T>(n, [&](std::int64_t k) { return exp_of_gap<T>(in[k] - m); });
    const Batch<T> log_sum = log_of<T>(sum);
    Batch<T> gaps(T(0));
    for (std::int64_t k = 0; k < n && s.soft != 0; ++k)
      gaps += (m - in[k]) * Batch<T>(t.weight ? t.weight[k] : T(1));
    alignas(64) T tops[width<T>], logs[width<T>], soft[width<T>], all[width<T>];
    m.store_aligned(tops), log_sum.store_aligned(logs), sum.store_aligned(all);
    (Batch<T>(s.soft) * (gaps + log_sum * Batch<T>(s.all_weights))).store_aligned(soft);
    for (std::int64_t i = 0; i < count; ++i) {
      const std::int64_t c = t.target[row + i];
      sums.top[row + i] = sums.sum[row + i] = loss[row + i] = 0;
      if (c == t.ignore_index) continue;
      sums.top[row + i] = tops[i], sums.sum[row + i] = all[i];
      loss[row + i] = s.hard * (t.weight ? t.weight[c] : T(1)) * (tops[i] - x[at + i + c * inner] + logs[i]);
      if (s.soft != 0) loss[row + i] += soft[i];
    }
  });
}

template <class T>
void cross_entropy_vjp_columns(std::int64_t outer, std::int64_t n, std::int64_t inner, const T* x,
                               const RowSums<T>& sums, const CrossEntropyTargets<T>& t, const T* g,
                               std::int64_t g_stride, T factor, T* gx) {
  const Smoothing<T> s(n, t);
  for_columns<T>(outer, n, inner, [&](std::int64_t at, std::int64_t count) {
    const std::int64_t row = row_of_column(at, n, inner);
    alignas(64) T scales[width<T>] = {}, hards[width<T>] = {}, parts[width<T>] = {};
    for (std::int64_t i = 0; i < count; ++i) {
      const std::int64_t c = t.target[row + i];
      if (c == t.ignore_index) continue;
      scales[i] = g[(row + i) * g_stride] * factor;
      hards[i] = s.hard * (t.weight ? t.weight[c] : T(1));
      parts[i] = scales[i] * (hards[i] + s.soft * s.all_weights) / sums.sum[row + i];
    }
    const Column<const T> in{x + at, inner, count};
    Column<T> out{gx + at, inner, count};
    const Batch<T> m = Partial<T>(count).load(sums.top + row), p = Batch<T>::load_aligned(parts);
    const Batch<T> soft = Batch<T>::load_aligned(scales) * Batch<T>(s.soft);
    for (std::int64_t k = 0; k < n; ++k) {
      Batch<T> d = p * exp_of_gap<T>(in[k] - m);
      if (s.soft != 0) d -= soft * Batch<T>(t.weight ? t.weight[k] : T(1));
      out.set(k, d);
    }
    for (std::int64_t i = 0; i < count; ++i)
      if (const std::int64_t c = t.target[row + i]; c != t.ignore_index)
        gx[at + i + c * inner] -= scales[i] * hards[i];
      else
        for (std::int64_t k = 0; k < n; ++k) gx[at + i + k * inner] = 0;
  });
}

}  // namespace

template <class T>
void cross_entropy(std::int64_t outer, std::int64_t n, std::int64_t inner, const T* x,
                   const CrossEntropyTargets<T>& t, const RowSums<T>& sums, T* loss) {
  if (inner > 1 && n > 0) return cross_entropy_columns(outer, n, inner, x, t, sums, loss);
  const std::int64_t rows = outer * inner;
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
void cross_entropy_vjp(std::int64_t outer, std::int64_t n, std::int64_t inner, const T* x,
                       const RowSums<T>& sums, const CrossEntropyTargets<T>& t, const T* g,
                       std::int64_t g_stride, T factor, T* gx) {
  if (inner > 1 && n > 0)
    return cross_entropy_vjp_columns(outer, n, inner, x, sums, t, g, g_stride, factor, gx);
  const std::int64_t rows = outer * inner;
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

namespace {

// f(o, inner as a constant if it is 1) for all outer ones, in blocks.
template <class F>
void for_class_blocks(std::int64_t outer, std::int64_t each, std::int64_t inner, const F& f) {
  const std::int64_t group = std::max<std::int64_t>(1, 16384 / std::max<std::int64_t>(each, 1));
  for_blocks((outer + group - 1) / group, outer * each >= 4 * 16384, [&](std::int64_t b) {
    const std::int64_t first = b * group, last = std::min(outer, first + group);
    if (inner == 1)
      for (std::int64_t o = first; o < last; ++o) f(o, std::integral_constant<std::int64_t, 1>());
    else
      for (std::int64_t o = first; o < last; ++o) f(o, inner);
  });
}

// The factor of a class, 0 where the target does not count.
template <class T>
T class_weight(const CrossEntropyTargets<T>& t, std::int64_t c) {
  return c == t.ignore_index ? T(0) : t.weight ? t.weight[c] : T(1);
}

}  // namespace

template <class T>
void nll(std::int64_t outer, std::int64_t n, std::int64_t inner, const T* x, const CrossEntropyTargets<T>& t,
         T* loss) {
  for_class_blocks(outer, inner, inner, [&](std::int64_t o, auto count) {
    for (std::int64_t i = 0; i < count; ++i) {
      const std::int64_t r = o * count + i, c = t.target[r];
      const T w = class_weight(t, c);
      loss[r] = w == 0 ? T(0) : -x[(o * n + c) * count + i] * w;
    }
  });
}

template <class T>
void nll_vjp(std::int64_t outer, std::int64_t n, std::int64_t inner, const CrossEntropyTargets<T>& t,
             const T* g, std::int64_t g_stride, T factor, T* gx) {
  for_class_blocks(outer, n * inner, inner, [&](std::int64_t o, auto count) {
    T* out = gx + o * n * count;
    std::fill_n(out, n * count, T(0));
    for (std::int64_t i = 0; i < count; ++i) {
      const std::int64_t r = o * count + i, c = t.target[r];
      const T w = class_weight(t, c);
      if (w != 0) out[c * count + i] = -(g[r * g_stride] * factor) * w;
    }
  });
}

#define CADENA_INSTANTIATE(T)                                                                               \
  template std::optional<std::int64_t> find_bad_target(std::int64_t, std::int64_t,                          \
                                                       const CrossEntropyTargets<T>&);                      \
  template double total_weight(std::int64_t, const CrossEntropyTargets<T>&);                                \
  template void cross_entropy(std::int64_t, std::int64_t, std::int64_t, const T*,                           \
                              const CrossEntropyTargets<T>&, const RowSums<T>&, T*);                        \
  template void cross_entropy_vjp(std::int64_t, std::int64_t, std::int64_t, const T*, const RowSums<T>&,    \
                                  const CrossEntropyTargets<T>&, const T*, std::int64_t, T, T*);            \
  template void nll(std::int64_t, std::int64_t, std::int64_t, const T*, const CrossEntropyTargets<T>&, T*); \
  template void nll_vjp(std::int64_t, std::int64_t, std::int64_t, const CrossEntropyTargets<T>&, const T*,  \
                        std::int64_t, T, T*)

CADENA_INSTANTIATE(float);
CADENA_INSTANTIATE(double);

}  // namespace cadena::kernels
