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

// Channels that are columns: `samples` rows of so many numbers, a channel in each lane. Sums run over chunks
// of rows, whose parts are added in order: many chains, none of them long.
template <class T>
struct Columns {
  static constexpr std::int64_t chunk = 256;
  std::int64_t samples, channels;

  // out[k * channels + j] = sum over samples of term(k, i, j, load), where x and the like stand at i.
  template <int K, class F>
  void sums(const F& term, T* out) const {
    const std::int64_t chunks = (samples + chunk - 1) / chunk, n = K * channels;
    const Scratch<T> parts(chunks * n);
    for_blocks(chunks, samples * channels >= 4 * 16384, [&](std::int64_t b) {
      const auto group = [&](auto vectors, std::int64_t j, auto load, auto store) {
        Batch<T> sum[K][vectors];
        for (auto& row : sum)
          for (auto& v : row) v = Batch<T>(T(0));
        for (std::int64_t r = b * chunk; r < std::min(samples, (b + 1) * chunk); ++r)
          unroll<K>([&](auto k) {
            unroll<vectors>([&](auto v) {
              const std::int64_t at = j + v * width<T>;
              sum[k][v] += term(k, r * channels + at, at, load);
            });
          });
        unroll<K>([&](auto k) {
          unroll<vectors>([&](auto v) { store(parts + b * n + k * channels + j + v * width<T>, sum[k][v]); });
        });
      };
      const auto load = [](const T* p) { return Batch<T>::load_unaligned(p); };
      const auto store = [](T* p, Batch<T> v) { v.store_unaligned(p); };
      std::int64_t j = 0;
      for (; j + 4 * width<T> <= channels; j += 4 * width<T>)
        group(std::integral_constant<int, 4>{}, j, load, store);
      for (; j + width<T> <= channels; j += width<T>) group(std::integral_constant<int, 1>{}, j, load, store);
      if (j == channels) return;
      const Partial<T> some(channels - j);
      group(
          std::integral_constant<int, 1>{}, j, [&](const T* p) { return some.load(p); },
          [&](T* p, Batch<T> v) { some.store(p, v); });
    });
    add_rows<T>(chunks, n, n, parts, out);
  }

  // f(i, j, load, store) for all vectors of all rows.
  template <class F>
  void each(const F& f) const {
    for_rows<T>(samples, channels, [&](std::int64_t r) {
      for_vectors<T>(channels, T(0),
                     [&](std::int64_t j, auto load, auto store) { f(r * channels + j, j, load, store); });
    });
  }
};

template <class T>
void norm_columns(const ChannelShape& s, double eps, const T* x, const T* weight, const T* bias, T* mean,
                  T* var, T* y) {
  const std::int64_t n = s.channels;
  const Columns<T> columns{s.outer, n};
  const T count = static_cast<T>(s.outer);
  columns.template sums<1>([&](auto, std::int64_t i, std::int64_t, auto load) { return load(x + i); }, mean);
  for (std::int64_t j = 0; j < n; ++j) mean[j] /= count;
  columns.template sums<1>(
      [&](auto, std::int64_t i, std::int64_t j, auto load) {
        const Batch<T> d = load(x + i) - load(mean + j);
        return d * d;
      },
      var);
  const Scratch<T> factor(n);
  for (std::int64_t j = 0; j < n; ++j) {
    var[j] /= count;
    factor[j] = reciprocal_root(var[j], eps) * (weight ? weight[j] : T(1));
  }
  columns.each([&](std::int64_t i, std::int64_t j, auto load, auto store) {
    const Batch<T> shift = bias ? Batch<T>(load(bias + j)) : Batch<T>(T(0));
    store(y + i, xsimd::fma(load(x + i) - load(mean + j), Batch<T>(load(factor + j)), shift));
  });
}

template <class T>
void norm_columns_vjp(const ChannelShape& s, double eps, const T* x, const T* weight, const T* mean,
                      const T* var, const T* g, T* gx, T* gw, T* gb) {
  const std::int64_t n = s.channels;
  const Columns<T> columns{s.outer, n};
  const T count = static_cast<T>(s.outer);
  const Scratch<T> both(2 * n), factor(n), a(n), b(n);
  columns.template sums<2>(
      [&](auto k, std::int64_t i, std::int64_t j, auto load) {
        const Batch<T> gi = load(g + i);
        if constexpr (k == 0)
          return gi;
        else
          return Batch<T>(gi * (load(x + i) - load(mean + j)));
      },
      both.get());
  for (std::int64_t j = 0; j < n; ++j) {
    const T rstd = reciprocal_root(var[j], eps);
    gb[j] = both[j], gw[j] = both[n + j] * rstd;
    factor[j] = rstd * (weight ? weight[j] : T(1));
    a[j] = gb[j] / count, b[j] = gw[j] / count * rstd;
  }
  columns.each([&](std::int64_t i, std::int64_t j, auto load, auto store) {
    const Batch<T> d = load(x + i) - load(mean + j);
    store(gx + i, load(factor + j) * (load(g + i) - load(a + j) - d * load(b + j)));
  });
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
  if (s.pieces * s.size == 1 && s.weights == s.channels)
    return norm_columns(s, eps, x, weight, bias, mean, var, y);
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
  if (s.pieces * s.size == 1 && s.weights == s.channels)
    return norm_columns_vjp(s, eps, x, weight, mean, var, g, gx, gw, gb);
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
