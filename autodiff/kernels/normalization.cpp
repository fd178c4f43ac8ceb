#include "autodiff/kernels/normalization.hpp"

#include <cmath>
#include <vector>

#include "autodiff/kernels/rows.hpp"
#include "autodiff/kernels/scratch.hpp"

namespace cadena::kernels {
namespace {

template <class T>
T reciprocal_root(T variance, double eps) {
  return static_cast<T>(1 / std::sqrt(static_cast<double>(variance) + eps));
}

// Sum of (x - shift)^2, where lanes behind the row load as `shift`.
template <class T>
T squares(std::int64_t n, const T* x, T shift) {
  const Batch<T> s(shift);
  return row_sum_of<T>(n, shift, [&](std::int64_t i, auto load, auto) {
    const Batch<T> d = load(x + i) - s;
    return d * d;
  });
}
template <class T>
T total(std::int64_t n, const T* x) {
  return row_sum_of<T>(n, T(0), [&](std::int64_t i, auto load, auto) { return load(x + i); });
}

// y = (x - mean) * rstd * w + b, where w and b are one number each.
template <class T>
void scale_piece(std::int64_t n, const T* x, T mean, T factor, T b, T* y) {
  const Batch<T> m(mean), f(factor), shift(b);
  for_vectors<T>(n, T(0), [&](std::int64_t i, auto load, auto store) {
    store(y + i, xsimd::fma(load(x + i) - m, f, shift));
  });
}

template <class T>
struct RowGradient {
  std::int64_t n;
  bool centered;
  const T* weight;
  T *gw, *gb;  // sums so far, or null

  // Adds what a row says about weight and bias, and finds the row's own gradient.
  void operator()(const T* x, T mean, T rstd, const T* g, T* gx) const {
    const Batch<T> m(mean), r(rstd);
    const auto weighted = [&](std::int64_t i, auto load) {
      return weight ? Batch<T>(load(g + i) * load(weight + i)) : Batch<T>(load(g + i));
    };
    constexpr std::int64_t chunk = 256 * width<T>;
    T first = 0, second = 0;
    for (std::int64_t start = 0; start < n; start += chunk) {
      Batch<T> sum(T(0)), sum_of_products(T(0));
      for_vectors<T>(std::min(chunk, n - start), T(0), [&](std::int64_t k, auto load, auto store) {
        const std::int64_t i = start + k;
        // Lanes behind the row hold g = 0.
        const Batch<T> hat = (load(x + i) - m) * r, gi = load(g + i), wg = weighted(i, load);
        if (gw) store(gw + i, load(gw + i) + gi * hat);
        if (gb) store(gb + i, load(gb + i) + gi);
        sum += wg, sum_of_products += wg * hat;
      });
      first += sum_lanes(sum), second += sum_lanes(sum_of_products);
    }
    const Batch<T> a(centered ? first / static_cast<T>(n) : T(0)), b(second / static_cast<T>(n));
    for_vectors<T>(n, T(0), [&](std::int64_t i, auto load, auto store) {
      const Batch<T> hat = (load(x + i) - m) * r;
      store(gx + i, r * (weighted(i, load) - a - hat * b));
    });
  }
};

// out[j] = parts[0][j] + parts[1][j] + ..., in order.
template <class T>
void add_rows(std::int64_t count, std::int64_t n, std::int64_t step, const T* parts, T* out) {
  for (std::int64_t j = 0; j < n; ++j) out[j] = 0;
  for (std::int64_t p = 0; p < count; ++p)
    for (std::int64_t j = 0; j < n; ++j) out[j] += parts[p * step + j];
}

}  // namespace

template <class T>
void norm_rows(std::int64_t rows, std::int64_t n, bool centered, double eps, const T* x, const T* weight,
               const T* bias, T* mean, T* rstd, T* y) {
  for_rows<T>(rows, n, [&](std::int64_t r) {
    const T* in = x + r * n;
    const T m = centered ? total(n, in) / static_cast<T>(n) : T(0);
    const T s = reciprocal_root(squares(n, in, m) / static_cast<T>(n), eps);
    mean[r] = m, rstd[r] = s;
    const Batch<T> shift(m), factor(s);
    for_vectors<T>(n, T(0), [&](std::int64_t i, auto load, auto store) {
      Batch<T> v = (load(in + i) - shift) * factor;
      if (weight) v *= load(weight + i);
      if (bias) v += load(bias + i);
      store(y + r * n + i, v);
    });
  });
}

template <class T>
void norm_rows_vjp(std::int64_t rows, std::int64_t n, bool centered, const T* x, const T* weight,
                   const T* mean, const T* rstd, const T* g, T* gx, T* gw, T* gb) {
  // Blocks of rows have sums of their own, which are added in order.
  const std::int64_t least = std::max<std::int64_t>(1, 16384 / std::max<std::int64_t>(n, 1));
  const std::int64_t size = std::max(least, (rows + 63) / 64), blocks = (rows + size - 1) / size;
  const bool sums = gw || gb;
  const Scratch<T> parts(sums ? blocks * 2 * n : 0);
  for_blocks(blocks, rows * n >= 4 * 16384, [&](std::int64_t b) {
    T* part = sums ? parts + b * 2 * n : nullptr;
    if (sums) std::fill_n(part, 2 * n, T(0));
    const RowGradient<T> gradient{n, centered, weight, gw ? part : nullptr, gb ? part + n : nullptr};
    for (std::int64_t r = b * size; r < std::min(rows, (b + 1) * size); ++r)
      gradient(x + r * n, mean[r], rstd[r], g + r * n, gx + r * n);
  });
  if (gw) add_rows<T>(blocks, n, 2 * n, parts, gw);
  if (gb) add_rows<T>(blocks, n, 2 * n, parts + n, gb);
}

template <class T>
void norm_channels(const ChannelShape& s, double eps, const T* x, const T* weight, const T* bias, T* mean,
                   T* var, T* y) {
  const std::int64_t run = s.pieces * s.size;
  for_rows<T>(s.channels, s.count(), [&](std::int64_t c) {
    const auto sum_of = [&](const auto& f) {
      T sum = 0;
      for (std::int64_t o = 0; o < s.outer; ++o) sum += f(x + s.piece(o, c, 0));
      return sum / static_cast<T>(s.count());
    };
    const T m = mean[c] = sum_of([&](const T* from) { return total(run, from); });
    const T v = var[c] = sum_of([&](const T* from) { return squares(run, from, m); });
    const T rstd = reciprocal_root(v, eps);
    for (std::int64_t o = 0; o < s.outer; ++o)
      for (std::int64_t p = 0; p < s.pieces; ++p) {
        const std::int64_t at = s.piece(o, c, p), w = s.weight_of(c, p);
        scale_piece(s.size, x + at, m, weight ? rstd * weight[w] : rstd, bias ? bias[w] : T(0), y + at);
      }
  });
}

template <class T>
void norm_channels_vjp(const ChannelShape& s, double eps, const T* x, const T* weight, const T* mean,
                       const T* var, const T* g, T* gx, T* gw, T* gb) {
  for_rows<T>(s.channels, s.count(), [&](std::int64_t c) {
    const T rstd = reciprocal_root(var[c], eps), m = mean[c];
    const Batch<T> shift(m), factor(rstd);
    T first = 0, second = 0;
    for (std::int64_t p = 0; p < s.pieces; ++p) {
      T plain = 0, times_hat = 0;
      for (std::int64_t o = 0; o < s.outer; ++o) {
        const T *gp = g + s.piece(o, c, p), *xp = x + s.piece(o, c, p);
        plain += total(s.size, gp);
        times_hat += row_sum_of<T>(s.size, T(0), [&](std::int64_t i, auto load, auto) {
          return load(gp + i) * (load(xp + i) - shift);  // g is 0 behind the piece
        });
      }
      times_hat *= rstd;
      gb[c * s.pieces + p] = plain, gw[c * s.pieces + p] = times_hat;
      const T w = weight ? weight[s.weight_of(c, p)] : T(1);
      first += w * plain, second += w * times_hat;
    }
    const T count = static_cast<T>(s.count());
    const Batch<T> a(first / count), b(second / count * rstd);
    for (std::int64_t o = 0; o < s.outer; ++o)
      for (std::int64_t p = 0; p < s.pieces; ++p) {
        const std::int64_t at = s.piece(o, c, p);
        const Batch<T> w(weight ? weight[s.weight_of(c, p)] : T(1));
        for_vectors<T>(s.size, T(0), [&](std::int64_t i, auto load, auto store) {
          store(gx + at + i, factor * (w * load(g + at + i) - a - (load(x + at + i) - shift) * b));
        });
      }
  });
}

#define CADENA_INSTANTIATE(T)                                                                             \
  template void norm_rows(std::int64_t, std::int64_t, bool, double, const T*, const T*, const T*, T*, T*, \
                          T*);                                                                            \
  template void norm_rows_vjp(std::int64_t, std::int64_t, bool, const T*, const T*, const T*, const T*,   \
                              const T*, T*, T*, T*);                                                      \
  template void norm_channels(const ChannelShape&, double, const T*, const T*, const T*, T*, T*, T*);     \
  template void norm_channels_vjp(const ChannelShape&, double, const T*, const T*, const T*, const T*,    \
                                  const T*, T*, T*, T*);
CADENA_INSTANTIATE(float)
CADENA_INSTANTIATE(double)
#undef CADENA_INSTANTIATE

}  // namespace cadena::kernels
