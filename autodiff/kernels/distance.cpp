#include "autodiff/kernels/distance.hpp"

#include <algorithm>
#include <cmath>

#include "autodiff/kernels/lane.hpp"
#include "autodiff/kernels/parallel.hpp"
#include "autodiff/kernels/rows.hpp"
#include "autodiff/kernels/scratch.hpp"
#include "autodiff/kernels/transpose.hpp"
#include "autodiff/kernels/unroll.hpp"

namespace cadena::kernels {
namespace {

// A norm by its order. `with` puts a coordinate's difference to what stands for the others, `joined` joins
// two such, `finished` is the norm. Its derivative is weight(g, y) slope(d), both 0 where a zero stays apart.
template <class T>
struct Euclid {
  static Lane<T> with(Lane<T> sum, Lane<T> d) { return xsimd::fma(d.v, d.v, sum.v); }
  static Lane<T> joined(Lane<T> a, Lane<T> b) { return a + b; }
  static Lane<T> finished(Lane<T> sum) { return sqrt(sum); }
  static Lane<T> slope(Lane<T> d) { return d; }
  static Lane<T> weight(Lane<T> g, Lane<T> y) { return where(eq(y, 0), 0, g / y); }
};
template <class T>
struct Manhattan {
  static Lane<T> with(Lane<T> sum, Lane<T> d) { return sum + abs(d); }
  static Lane<T> joined(Lane<T> a, Lane<T> b) { return a + b; }
  static Lane<T> finished(Lane<T> sum) { return sum; }
  static Lane<T> slope(Lane<T> d) { return where(d > 0, 1, where(d < 0, -1, d)); }
  static Lane<T> weight(Lane<T> g, Lane<T>) { return g; }
};
template <class T>
struct Largest {
  static Lane<T> with(Lane<T> top, Lane<T> d) { return maximum(top, abs(d)); }
  static Lane<T> joined(Lane<T> a, Lane<T> b) { return maximum(a, b); }
  static Lane<T> finished(Lane<T> top) { return top; }
};
template <class T>
struct Power {
  double p;
  Lane<T> with(Lane<T> sum, Lane<T> d) const { return sum + where(eq(d, 0), 0, pow(abs(d), p)); }
  static Lane<T> joined(Lane<T> a, Lane<T> b) { return a + b; }
  Lane<T> finished(Lane<T> sum) const { return where(eq(sum, 0), 0, pow(sum, 1 / p)); }
  Lane<T> slope(Lane<T> d) const { return where(eq(d, 0), 0, copysign(pow(abs(d), p - 1), d)); }
  Lane<T> weight(Lane<T> g, Lane<T> y) const { return where(eq(y, 0), 0, g * pow(y, 1 - p)); }
};

template <class T, class F>
void with_smooth_norm(double p, const F& f) {
  if (p == 2)
    f(Euclid<T>{});
  else if (p == 1)
    f(Manhattan<T>{});
  else
    f(Power<T>{p});
}
template <class T, class F>
void with_norm(double p, const F& f) {
  std::isinf(p) ? f(Largest<T>{}) : with_smooth_norm<T>(p, f);
}

template <class T>
constexpr std::int64_t lanes = Lane<T>::size;
constexpr int registers =
    sizeof(Batch<float>) == 64 ? 4 : 2;  // of a panel: with four rows as many sums as fit
template <class T>
constexpr std::int64_t panel_width = registers* lanes<T>;

/// Vectors side by side, so that a register holds one coordinate of many: panels of `panel_width` vectors,
/// [coordinate][vector], the last one filled with zeros.
template <class T>
class Panels {
 public:
  Panels(std::int64_t batch, std::int64_t count, std::int64_t size, const T* x)
      : count_((count + panel_width<T> - 1) / panel_width<T>),
        extent_(size * panel_width<T>),
        data_(batch * count_ * extent_) {
    for_blocks(batch * count_, batch * count * size >= 65536, [&](std::int64_t i) {
      const std::int64_t first = i % count_ * panel_width<T>, n = std::min(panel_width<T>, count - first);
      T* to = data_ + i * extent_;
      if (n < panel_width<T>) std::fill_n(to, extent_, T(0));
      transpose_block(x + (i / count_ * count + first) * size, size, to, panel_width<T>, n, size);
    });
  }
  std::int64_t count() const { return count_; }
  const T* of(std::int64_t batch, std::int64_t panel) const {
    return data_ + (batch * count_ + panel) * extent_;
  }

 private:
  std::int64_t count_, extent_;
  Scratch<T> data_;
};

/// Distances of `rows` neighbouring vectors, of `size` coordinates, to those of a panel: put(row, register,
/// distances). Long sums are cut, so that no chain of additions is longer than a cut.
template <int rows, class T, class Norm, class Put>
[[gnu::always_inline]] inline void distances_of(const Norm& norm, std::int64_t size, const T* x,
                                                const T* panel, const Put& put) {
  constexpr std::int64_t cut = 512;
  Batch<T> total[rows][registers];
  unroll<rows>([&](auto r) { unroll<registers>([&](auto v) { total[r][v] = Batch<T>(T(0)); }); });
  for (std::int64_t from = 0; from < size; from += cut) {
    Batch<T> part[rows][registers];
    unroll<rows>([&](auto r) { unroll<registers>([&](auto v) { part[r][v] = Batch<T>(T(0)); }); });
    for (std::int64_t k = from; k < std::min(size, from + cut); ++k) {
      Batch<T> other[registers];
      unroll<registers>(
          [&](auto v) { other[v] = Batch<T>::load_unaligned(panel + k * panel_width<T> + v * lanes<T>); });
      unroll<rows>([&](auto r) {
        const Lane<T> own = x[r * size + k];
        unroll<registers>([&](auto v) { part[r][v] = norm.with(part[r][v], own - other[v]).v; });
      });
    }
    unroll<rows>([&](auto r) {
      unroll<registers>([&](auto v) { total[r][v] = norm.joined(total[r][v], part[r][v]).v; });
    });
  }
  unroll<rows>([&](auto r) { unroll<registers>([&](auto v) { put(r, v, norm.finished(total[r][v])); }); });
}

/// put(batch, row, column, distances) for a register of columns at a time, from column first(row) on at the
/// latest.
template <class T, class Norm, class First, class Put>
void all_distances(const Norm& norm, const Pairs& n, const T* a, const Panels<T>& b, const First& first,
                   const Put& put) {
  constexpr std::int64_t group = 64;  // rows to one panel, which then stays in the cache
  const std::int64_t groups = (n.rows + group - 1) / group;
  const bool parallel = n.batch * n.rows * n.columns * std::max<std::int64_t>(n.size, 1) >= 65536;
  for_blocks<Schedule::stealing>(n.batch * groups, parallel, [&](std::int64_t block) {
    const std::int64_t batch = block / groups, from = block % groups * group;
    const std::int64_t to = std::min(n.rows, from + group);
    const auto some = [&]<int rows>(std::integral_constant<int, rows>, std::int64_t i, std::int64_t panel) {
      distances_of<rows>(
          norm, n.size, a + (batch * n.rows + i) * n.size, b.of(batch, panel),
          [&](int r, int v, Lane<T> d) { put(batch, i + r, panel * panel_width<T> + v * lanes<T>, d); });
    };
    for (std::int64_t panel = first(from) / panel_width<T>; panel < b.count(); ++panel) {
      std::int64_t i = from;
      for (; i + 4 <= to; i += 4) some(std::integral_constant<int, 4>{}, i, panel);
      for (; i < to; ++i) some(std::integral_constant<int, 1>{}, i, panel);
      for (; i < to; ++i) some(std::integral_constant<int, 1>{}, i, panel);
    }
  });
}

template <class T>
void store(T* to, Lane<T> v, std::int64_t count) {
  if (count >= lanes<T>)
    v.store(to);
  else if (count > 0)
    v.store_first(to, count);
}

/// sum += weights[row][vector] slope(vector - row) for a piece of `rows` vectors: sum [coordinate][vector].
template <class T, class Norm>
void add_slopes(const Norm& norm, std::int64_t rows, std::int64_t size, const T* x, const T* panel,
                const T* weights, T* sum) {
  constexpr int depth = 2;  // coordinates at a time
  const auto some = [&]<int n>(std::integral_constant<int, n>, std::int64_t k) {
    Batch<T> own[n][registers], part[n][registers];
    unroll<n>([&](auto c) {
      unroll<registers>([&](auto v) {
        own[c][v] = Batch<T>::load_unaligned(panel + (k + c) * panel_width<T> + v * lanes<T>);
        part[c][v] = Batch<T>(T(0));
      });
    });
    for (std::int64_t r = 0; r < rows; ++r) {
      unroll<n>([&](auto c) {
        const Lane<T> other = x[r * size + k + c];
        unroll<registers>([&](auto v) {
          const Lane<T> w = Lane<T>::load(weights + r * panel_width<T> + v * lanes<T>);
          part[c][v] = xsimd::fma(w.v, norm.slope(own[c][v] - other).v, part[c][v]);
        });
      });
    }
    unroll<n>([&](auto c) {
      unroll<registers>([&](auto v) {
        T* to = sum + (k + c) * panel_width<T> + v * lanes<T>;
        (Lane<T>::load(to) + part[c][v]).store(to);
      });
    });
  };
  std::int64_t k = 0;
  for (; k + depth <= size; k += depth) some(std::integral_constant<int, depth>{}, k);
  for (; k < size; ++k) some(std::integral_constant<int, 1>{}, k);
}

/// gx[i] = sum over j of weights[j][i] slope(x[i] - other[j]); n.columns is the number of x, n.rows of other.
template <class T, class Norm>
void pull(const Norm& norm, const Pairs& n, const T* x, const T* other, const T* weights, T* gx) {
  constexpr std::int64_t piece = 128;  // rows to one panel
  const Panels<T> panels(n.batch, n.columns, n.size, x);
  const bool parallel = n.batch * n.rows * n.columns * std::max<std::int64_t>(n.size, 1) >= 65536;
  for_blocks<Schedule::stealing>(n.batch * panels.count(), parallel, [&](std::int64_t block) {
    const std::int64_t batch = block / panels.count(), panel = block % panels.count();
    const std::int64_t first = panel * panel_width<T>, count = std::min(panel_width<T>, n.columns - first);
    const Scratch<T> sum(n.size * panel_width<T>), w(piece * panel_width<T>);
    std::fill_n(sum.get(), n.size * panel_width<T>, T(0));
    std::fill_n(w.get(), piece * panel_width<T>, T(0));
    for (std::int64_t j = 0; j < n.rows; j += piece) {
      const std::int64_t rows = std::min(piece, n.rows - j);
      const T* from = weights + (batch * n.rows + j) * n.columns + first;
      for (std::int64_t r = 0; r < rows; ++r)
        std::copy_n(from + r * n.columns, count, w + r * panel_width<T>);
      add_slopes<T>(norm, rows, n.size, other + (batch * n.rows + j) * n.size, panels.of(batch, panel), w,
                    sum);
    }
    transpose_block(sum.get(), panel_width<T>, gx + (batch * n.columns + first) * n.size, n.size, n.size,
                    count);
  });
}

// to = weight(g, y) for n elements
template <class T, class Norm>
void weigh(const Norm& norm, std::int64_t n, const T* y, const T* g, T* to) {
  for_vectors<T>(n, T(1), [&](std::int64_t i, const auto& load, const auto& put) {
    put(to + i, norm.weight(load(g + i), load(y + i)).v);
  });
}

std::int64_t packed_row(std::int64_t rows, std::int64_t i) { return i * rows - i * (i + 1) / 2; }

/// The triangle above the diagonal, of a symmetric matrix (n, n) with zeros there.
template <class T>
void unfold_triangle(std::int64_t n, const T* packed, T* full) {
  constexpr std::int64_t square = 64;
  for (std::int64_t i = 0; i < n; ++i) {
    full[i * n + i] = T(0);
    std::copy_n(packed + packed_row(n, i), n - 1 - i, full + i * n + i + 1);
  }
  for (std::int64_t i = 0; i < n; i += square) {
    const std::int64_t end = std::min(n, i + square);
    for (std::int64_t r = i; r < end; ++r)
      for (std::int64_t c = r + 1; c < end; ++c) full[c * n + r] = full[r * n + c];
    if (end < n) transpose_block(full + i * n + end, n, full + end * n + i, n, end - i, n - end);
  }
}

}  // namespace

template <class T>
void pair_distances(const Pairs& n, const T* a, const T* b, T* out) {
  const Panels<T> panels(n.batch, n.columns, n.size, b);
  with_norm<T>(n.p, [&](const auto& norm) {
    all_distances(
        norm, n, a, panels, [](std::int64_t) { return 0; },
        [&](std::int64_t batch, std::int64_t i, std::int64_t j, Lane<T> d) {
          store(out + (batch * n.rows + i) * n.columns + j, d, n.columns - j);
        });
  });
}

template <class T>
void pair_distances_vjp(const Pairs& n, const T* a, const T* b, const T* y, const T* g, T* ga, T* gb) {
  const std::int64_t each = n.rows * n.columns, count = n.batch * each;
  const Scratch<T> weights(count);
  with_smooth_norm<T>(n.p, [&](const auto& norm) {
    constexpr std::int64_t block = 16384;
    for_blocks((count + block - 1) / block, count >= 4 * block, [&](std::int64_t i) {
      const std::int64_t from = i * block;
      weigh(norm, std::min(block, count - from), y + from, g + from, weights + from);
    });
    if (gb) pull(norm, n, b, a, weights.get(), gb);
    if (!ga) return;
    const Scratch<T> turned(count);
    constexpr std::int64_t strip = 64;
    const std::int64_t strips = (n.rows + strip - 1) / strip;
    for_blocks(n.batch * strips, count >= 65536, [&](std::int64_t i) {
      const std::int64_t from = i % strips * strip, at = i / strips * each;
      transpose_block(weights + at + from * n.columns, n.columns, turned + at + from, n.rows,
                      std::min(strip, n.rows - from), n.columns);
    });
    pull(norm, {n.batch, n.columns, n.rows, n.size, n.p}, a, b, turned.get(), ga);
  });
}

template <class T>
void own_distances(const Pairs& pairs, const T* x, T* out) {
  const Pairs n{1, pairs.rows, pairs.rows, pairs.size, pairs.p};
  const Panels<T> panels(1, n.rows, n.size, x);
  with_norm<T>(n.p, [&](const auto& norm) {
    all_distances(
        norm, n, x, panels, [](std::int64_t i) { return i; },
        [&](std::int64_t, std::int64_t i, std::int64_t j, Lane<T> d) {
          T* row = out + packed_row(n.rows, i) - i - 1;  // column j is at row[j]
          if (j > i) return store(row + j, d, n.rows - j);
          alignas(64) T some[lanes<T>];
          d.store(some);
          for (std::int64_t c = i + 1; c < std::min(j + lanes<T>, n.rows); ++c) row[c] = some[c - j];
        });
  });
}

template <class T>
void own_distances_vjp(const Pairs& pairs, const T* x, const T* y, const T* g, T* gx) {
  const Pairs n{1, pairs.rows, pairs.rows, pairs.size, pairs.p};
  const std::int64_t count = n.rows * (n.rows - 1) / 2;
  const Scratch<T> packed(count), full(n.rows * n.rows);
  with_smooth_norm<T>(n.p, [&](const auto& norm) {
    weigh(norm, count, y, g, packed.get());
    unfold_triangle(n.rows, packed.get(), full.get());
    pull(norm, n, x, x, full.get(), gx);
  });
}

#define CADENA_DISTANCES(T)                                                                          \
  template void pair_distances<T>(const Pairs&, const T*, const T*, T*);                             \
  template void pair_distances_vjp<T>(const Pairs&, const T*, const T*, const T*, const T*, T*, T*); \
  template void own_distances<T>(const Pairs&, const T*, T*);                                        \
  template void own_distances_vjp<T>(const Pairs&, const T*, const T*, const T*, T*);
CADENA_DISTANCES(float)
CADENA_DISTANCES(double)

}  // namespace cadena::kernels
