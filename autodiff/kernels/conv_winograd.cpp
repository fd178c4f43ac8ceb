#include "autodiff/kernels/conv_winograd.hpp"

#include <algorithm>

#include "autodiff/kernels/conv_tile.hpp"
#include "autodiff/kernels/pairs.hpp"
#include "autodiff/kernels/parallel.hpp"
#include "autodiff/kernels/scratch.hpp"
#include "autodiff/kernels/transpose.hpp"

namespace cadena::kernels {
namespace {

constexpr std::int64_t parallel_work = 1 << 20;  // multiplications
constexpr std::int64_t windows_size =
    1 << 17;  // transformed elements at once, to stay in the second-level cache

template <class T>
using Batch = xsimd::batch<T>;
template <class T>
constexpr auto width = static_cast<std::int64_t>(xsimd::batch<T>::size);

// Arrays that lie a multiple of a page apart would compete for the same places of the caches.
template <class T>
constexpr std::int64_t spread = width<T>;

std::int64_t blocks_of(std::int64_t n, std::int64_t size) { return (n + size - 1) / size; }

bool is_parallel(const ConvForm& f) {
  return f.batch * f.groups * f.sources * f.targets * f.target_size() >= parallel_work / 4;
}

// Rows of windows, those of all samples one behind the other, and how they lie in transformed arrays:
// [16][channels][windows].
struct Windows {
  std::int64_t down, across, rows;  // windows of a sample; rows of all samples
  std::int64_t at_once;             // rows in a transformed array
  std::int64_t ld;                  // places for the windows of so many rows

  Windows(const ConvForm& f, std::int64_t size, std::int64_t lanes)
      : down(blocks_of(f.axes[1].target, 2)), across(blocks_of(f.axes[2].target, 2)), rows(f.batch * down) {
    const std::int64_t fitting = std::clamp<std::int64_t>(size / (16 * f.sources) / 48 * 48, 48, 144);
    at_once = std::clamp<std::int64_t>(fitting / across, 1, rows);
    at_once = blocks_of(rows, blocks_of(rows, at_once));
    ld = blocks_of(at_once * across, lanes) * lanes;
  }
};

// The windows of one row and one channel: B' d B, to[(4 a + b) * step].
template <class T>
void transform_windows(const ConvForm& f, const T* source, std::int64_t row, std::int64_t across, T* to,
                       std::int64_t step) {
  const ConvAxis &down = f.axes[1], &along = f.axes[2];
  const auto low = [](const ConvAxis& a) { return std::min(a.taps.front().shift, a.taps.back().shift); };
  const std::int64_t top = 2 * row + low(down);
  for (std::int64_t j = 0; j < across; j += width<T>) {
    const std::int64_t at = 2 * j + low(along), left = along.source - at;
    const Between<T> some[4] = {{-at, left},
                                {-at - width<T>, left - width<T>},
                                {-at - 2, left - 2},
                                {-at - 2 - width<T>, left - 2 - width<T>}};
    Batch<T> h[4][4];
    unroll<4>([&](auto a) {
      if (top + a < 0 || top + a >= down.source) {
        unroll<4>([&](auto b) { h[a][b] = Batch<T>(T(0)); });
        return;
      }
      const T* line = source + (top + a) * along.source + at;
      const auto [d0, d1] = part_pairs(some[0].load(line), some[1].load(line + width<T>));
      const auto [d2, d3] = part_pairs(some[2].load(line + 2), some[3].load(line + 2 + width<T>));
      h[a][0] = d0 - d2, h[a][1] = d1 + d2, h[a][2] = d2 - d1, h[a][3] = d1 - d3;
    });
    const auto each = [&](auto store) __attribute__((always_inline)) {
      unroll<4>([&](auto b) {
        T* column = to + b * step + j;
        store(column, h[0][b] - h[2][b]), store(column + 4 * step, h[1][b] + h[2][b]);
        store(column + 8 * step, h[2][b] - h[1][b]), store(column + 12 * step, h[1][b] - h[3][b]);
      });
    };
    const Partial<T> last(std::min(width<T>, across - j));
    if (across - j >= width<T>)
      each([](T * p, Batch<T> v) __attribute__((always_inline)) { v.store_unaligned(p); });
    else
      each([&](T * p, Batch<T> v) __attribute__((always_inline)) { last.store(p, v); });
  }
}

// The results of one row of windows and one channel: A' m A + bias.
template <class T>
void results(const ConvForm& f, const T* m, std::int64_t step, std::int64_t row, std::int64_t across, T bias,
             T* target) {
  const std::int64_t n = f.axes[2].target;
  for (std::int64_t j = 0; j < across; j += width<T>) {
    Batch<T> s[2][4];
    unroll<4>([&](auto b) {
      const auto at = [&](auto a) { return Batch<T>::load_unaligned(m + (4 * a + b) * step + j); };
      const Batch<T> m1 = at(1), m2 = at(2);
      s[0][b] = at(0) + m1 + m2, s[1][b] = m1 - m2 - at(3);
    });
    unroll<2>([&](auto r) {
      if (2 * row + r >= f.axes[1].target) return;
      const auto [low, high] = join_pairs(s[r][0] + s[r][1] + s[r][2] + Batch<T>(bias),
                                          s[r][1] - s[r][2] - s[r][3] + Batch<T>(bias));
      T* to = target + (2 * row + r) * n + 2 * j;
      const std::int64_t count = std::min(2 * width<T>, n - 2 * j);
      Partial<T>(std::min(count, width<T>)).store(to, low);
      if (count > width<T>) Partial<T>(count - width<T>).store(to + width<T>, high);
    });
  }
}

// G g G' of MR target channels and one source channel: to[(4 a + b) * step + r].
template <int MR, class T>
void transform_kernels(const ConvForm& f, const T* w, T* to, std::int64_t step) {
  const bool flipped = f.axes[1].taps[0].shift > f.axes[1].taps[2].shift,
             mirrored = f.axes[2].taps[0].shift > f.axes[2].taps[2].shift;
  T turned[9][MR], h[4][3][MR];
  transpose_block(w, f.w_target, &turned[0][0], MR, MR, 9);
  const auto g = [&](int a, int b) { return turned[(flipped ? 2 - a : a) * 3 + (mirrored ? 2 - b : b)]; };
  const auto expand = [](const T* g0, const T* g1, const T* g2, auto at) {
    for (int r = 0; r < MR; ++r) {
      const T outer = (g0[r] + g2[r]) * T(0.5), inner = g1[r] * T(0.5);
      at(0)[r] = g0[r], at(1)[r] = outer + inner, at(2)[r] = outer - inner, at(3)[r] = g2[r];
    }
  };
  for (int b = 0; b < 3; ++b) expand(g(0, b), g(1, b), g(2, b), [&](int a) { return h[a][b]; });
  for (int a = 0; a < 4; ++a)
    expand(h[a][0], h[a][1], h[a][2], [&](int b) { return to + (4 * a + b) * step; });
}

// From one element of the transformed kernels of a group to the next.
template <class T>
std::int64_t kernels_step(const ConvForm& f) {
  return f.sources * f.targets + spread<T>;
}

// For each group and element of the transformed kernels: tiles as conv_tile reads them.
template <class T>
void pack_kernels(const ConvForm& f, const T* w, T* to) {
  const std::int64_t blocks = blocks_of(f.targets, conv_tile_rows), step = kernels_step<T>(f);
  for_blocks(f.groups * blocks, f.groups * step >= 1 << 15, [&](std::int64_t b) {
    const std::int64_t group = b / blocks, first = b % blocks * conv_tile_rows;
    for_conv_tiles(std::min<std::int64_t>(conv_tile_rows, f.targets - first), [&](auto rows, std::int64_t r) {
      const T* from = w + group * f.w_group + (first + r) * f.w_target;
      T* tile = to + 16 * group * step + (first + r) * f.sources;
      for (std::int64_t c = 0; c < f.sources; ++c)
        transform_kernels<rows>(f, from + c * f.w_source, tile + c * rows, step);
    });
  });
}

// m = u v for one element of the transformed arrays and MR target channels.
template <int MR, class T>
void multiply(std::int64_t sources, const std::vector<std::int64_t>& offset, const T* u, const T* v,
              std::int64_t vectors, std::int64_t ld, T* m) {
  for (std::int64_t i = 0, n = 0; i < vectors; i += n) {
    ConvVector<T> now[conv_tile_vectors];
    n = blocks_of(vectors - i, blocks_of(vectors - i, conv_tile_vectors));  // 2 + 2 rather than 3 + 1
    for (std::int64_t k = 0; k < n; ++k) now[k] = {v + (i + k) * width<T>, m + (i + k) * width<T>, width<T>};
    with_conv_vectors(n, [&](auto nv) {
      conv_tile<MR, nv>(sources, u, offset.data(), static_cast<const T*>(nullptr), now, ld);
    });
  }
}

// A g A' of one row of windows, whose results' channels lie last in `rows`: to[(4 a + b) * step + window *
// ld]. Where A is -1 alone the sign is left to `kernel_gradient`.
template <class T>
void transform_results(const T* rows, std::int64_t columns, bool two_rows, std::int64_t across,
                       std::int64_t ld, T* to, std::int64_t step) {
  const auto expand = [](const auto& g0, const auto& g1, auto store) __attribute__((always_inline)) {
    store(0, g0), store(1, g0 + g1), store(2, g0 - g1), store(3, g1);
  };
  for (std::int64_t j = 0; j < across; ++j)
    for (std::int64_t c = 0; c < ld; c += width<T>) {
      const auto at = [&](std::int64_t row, std::int64_t column) __attribute__((always_inline)) {
        const bool inside = (row == 0 || two_rows) && column < columns;
        return inside ? Batch<T>::load_unaligned(rows + (row * columns + column) * ld + c) : Batch<T>(T(0));
      };
      Batch<T> h[4][2];
      unroll<2>([&](auto b) {
        expand(
            at(0, 2 * j + b),
            at(1, 2 * j + b), [&](int a, Batch<T> v) __attribute__((always_inline)) { h[a][b] = v; });
      });
      T* window = to + j * ld + c;
      unroll<4>([&](auto a) {
        expand(
            h[a][0], h[a][1], [&](int b, Batch<T> v) __attribute__((always_inline)) {
              v.store_unaligned(window + (4 * a + b) * step);
            });
      });
    }
}

// G' m G, where element (a, b) of m is m[(4 a + b) * step], for a vector of target channels: g[3 a + b].
template <class T>
void kernel_gradient(const T* m, std::int64_t step, Batch<T> (&g)[9]) {
  const Batch<T> half(T(0.5));
  const auto reduce = [&](auto at, auto store) __attribute__((always_inline)) {
    const Batch<T> m1 = at(1), m2 = at(2), inner = (m1 + m2) * half;
    store(0, at(0) + inner), store(1, (m1 - m2) * half), store(2, inner - at(3));
  };
  Batch<T> h[3][4];
  unroll<4>([&](auto b) {
    reduce(
        [&](int a)
            __attribute__((always_inline)) { return Batch<T>::load_unaligned(m + (4 * a + b) * step); },
        [&](int a, Batch<T> v) __attribute__((always_inline)) { h[a][b] = v; });
  });
  unroll<3>([&](auto a) {
    reduce(
        [&](int b) __attribute__((always_inline)) { return h[a][b]; },
        [&](int b, Batch<T> v) __attribute__((always_inline)) { g[3 * a + b] = v; });
  });
}

// The gradient of the weights: windows of x and of y are transformed some rows at a time, and their products
// summed up for each of the 16 elements.
template <class T>
class WinogradWeights {
 public:
  explicit WinogradWeights(const ConvForm& form)
      : f_(form),
        windows_(form, 2 * windows_size, width<T>),
        channels_(blocks_of(form.targets, width<T>) * width<T>),
        x_step_(form.sources * windows_.ld + spread<T>),
        y_step_(windows_.ld * channels_ + spread<T>),
        sum_step_(form.sources * channels_ + spread<T>),
        v_(form.groups * 16 * x_step_),
        m_(form.groups * 16 * y_step_),
        sums_(form.groups * 16 * sum_step_) {
    for (std::int64_t c = 0; c < f_.sources; ++c) row_.push_back(c * windows_.ld);
    for (std::int64_t i = 0; i < windows_.ld; ++i) offset_.push_back(i);
  }

  void run(const T* x, const T* y, T* w) const {
    const bool parallel = is_parallel(f_);
    for (std::int64_t first = 0; first < windows_.rows; first += windows_.at_once) {
      const std::int64_t rows = std::min(windows_.at_once, windows_.rows - first);
      for_blocks<Schedule::stealing>(rows * f_.groups, parallel, [&](std::int64_t b) {
        transform(x, y, b % f_.groups, first + b / f_.groups, b / f_.groups * windows_.across);
      });
      for_blocks<Schedule::stealing>(f_.groups * 16, parallel,
                                     [&](std::int64_t b) { add(b, rows * windows_.across, first > 0); });
    }
    for_blocks(f_.groups * f_.sources, parallel,
               [&](std::int64_t b) { finish(b / f_.sources, b % f_.sources, w); });
  }

 private:
  static constexpr std::int64_t block = conv_tile_vectors * width<T>;  // channels at once

  void transform(const T* x, const T* y, std::int64_t group, std::int64_t row, std::int64_t at) const {
    const std::int64_t unit = row / windows_.down * f_.groups + group, i = row % windows_.down;
    for (std::int64_t c = 0; c < f_.sources; ++c)
      transform_windows(f_, x + (unit * f_.sources + c) * f_.source_size(), i, windows_.across,
                        v_ + group * 16 * x_step_ + c * windows_.ld + at, x_step_);
    const std::int64_t columns = f_.axes[2].target;
    const bool two = 2 * i + 1 < f_.axes[1].target;
    const Scratch<T> turned(2 * columns * channels_);
    if (channels_ > f_.targets) std::fill_n(turned.get(), 2 * columns * channels_, T(0));
    transpose_block(y + unit * f_.targets * f_.target_size() + 2 * i * columns, f_.target_size(),
                    turned.get(), channels_, f_.targets, two ? 2 * columns : columns);
    transform_results<T>(turned, columns, two, windows_.across, channels_,
                         m_ + group * 16 * y_step_ + at * channels_, y_step_);
  }

  void add(std::int64_t element, std::int64_t count, bool more) const {
    const T *v = v_ + element * x_step_, *m = m_ + element * y_step_;
    T* sums = sums_ + element * sum_step_;
    for (std::int64_t o = 0; o < channels_; o += block)
      with_conv_vectors(std::min<std::int64_t>(conv_tile_vectors, (channels_ - o) / width<T>), [&](auto n) {
        for_conv_tiles(f_.sources, [&](auto rows, std::int64_t r) {
          T* to = sums + o * f_.sources + r * n * width<T>;
          conv_channel_tile<rows, n>(count, v, row_.data() + r, offset_.data(), m + o, channels_,
                                     more ? to : nullptr, n * width<T>, to);
        });
      });
  }

  void finish(std::int64_t group, std::int64_t c, T* w) const {
    for (std::int64_t o = 0; o < f_.targets; o += width<T>) {
      // Where `add` has put these channels' sums.
      const std::int64_t first = o / block * block, columns = std::min(block, channels_ - first);
      Batch<T> g[9];
      kernel_gradient(sums_ + group * 16 * sum_step_ + first * f_.sources + c * columns + o - first,
                      sum_step_, g);
      alignas(64) T lanes[9][width<T>];
      for (std::size_t k = 0; k < 9; ++k) g[k].store_aligned(lanes[k]);
      for (std::int64_t i = 0; i < std::min(width<T>, f_.targets - o); ++i)
        for (std::int64_t k = 0; k < 9; ++k)
          w[group * f_.w_group + (o + i) * f_.w_target + c * f_.w_source + k] = lanes[k][i];
    }
  }

  const ConvForm& f_;
  Windows windows_;
  std::int64_t channels_, x_step_, y_step_, sum_step_;
  Scratch<T> v_, m_, sums_;
  std::vector<std::int64_t> row_, offset_;
};

}  // namespace

bool suits_winograd(const ConvForm& f) {
  if (f.axes[0].source != 1 || f.axes[0].target != 1 || f.axes[0].taps.size() != 1) return false;
  for (const ConvAxis* a : {&f.axes[1], &f.axes[2]}) {
    if (a->step != 1 || a->residues != 1 || a->taps.size() != 3) return false;
    if (std::abs(a->taps[2].shift - a->taps[0].shift) != 2) return false;
  }
  // Half of a window beyond the end is work for nothing.
  const std::int64_t windows = blocks_of(f.axes[1].target, 2) * blocks_of(f.axes[2].target, 2);
  return f.sources >= 12 && f.targets >= 12 && 4 * windows * 2 <= 3 * f.target_size();
}

template <class T>
void conv_by_winograd(const ConvForm& f, const T* source, const T* w, const T* bias, T* target) {
  const Windows windows(f, windows_size, width<T>);
  const std::int64_t size = kernels_step<T>(f), ld = windows.ld, step = f.sources * ld + spread<T>;
  const Scratch<T> kernels(f.groups * 16 * size);
  pack_kernels(f, w, kernels.get());
  std::vector<std::int64_t> offset;
  for (std::int64_t c = 0; c < f.sources; ++c) offset.push_back(c * ld);
  const std::int64_t chunks = blocks_of(windows.rows, windows.at_once);
  for_blocks<Schedule::stealing>(chunks * f.groups, is_parallel(f), [&](std::int64_t task) {
    const std::int64_t group = task % f.groups, first = task / f.groups * windows.at_once;
    const std::int64_t rows = std::min(windows.at_once, windows.rows - first);
    const std::int64_t count = rows * windows.across, vectors = blocks_of(count, width<T>);
    const Scratch<T> v(16 * step), m(16 * conv_tile_rows * ld + width<T>);
    // f(first channel of the group, row of windows, its place) for all rows
    const auto each_row = [&](auto f_row) {
      for (std::int64_t i = 0; i < rows; ++i)
        f_row((first + i) / windows.down * f.groups + group, (first + i) % windows.down, i * windows.across);
    };
    each_row([&](std::int64_t unit, std::int64_t row, std::int64_t at) {
      for (std::int64_t c = 0; c < f.sources; ++c)
        transform_windows(f, source + (unit * f.sources + c) * f.source_size(), row, windows.across,
                          v + c * ld + at, step);
    });
    for (std::int64_t i = 0; i < 16 && count < vectors * width<T>; ++i)
      for (std::int64_t c = 0; c < f.sources; ++c)
        std::fill(v + i * step + c * ld + count, v + i * step + c * ld + vectors * width<T>, T(0));
    for_conv_tiles(f.targets, [&](auto some, std::int64_t r) {
      for (std::int64_t e = 0; e < 16; ++e)
        multiply<some>(f.sources, offset, kernels + (group * 16 + e) * size + r * f.sources, v + e * step,
                       vectors, ld, m + e * some * ld);
      each_row([&](std::int64_t unit, std::int64_t row, std::int64_t at) {
        for (std::int64_t i = 0; i < some; ++i)
          results(f, m + i * ld + at, some * ld, row, windows.across,
                  bias ? bias[group * f.targets + r + i] : T(0),
                  target + (unit * f.targets + r + i) * f.target_size());
      });
    });
  });
}

template <class T>
void conv_weight_by_winograd(const ConvForm& f, const T* x, const T* y, T* w) {
  WinogradWeights<T>(f).run(x, y, w);
}

template void conv_weight_by_winograd(const ConvForm&, const float*, const float*, float*);
template void conv_weight_by_winograd(const ConvForm&, const double*, const double*, double*);
template void conv_by_winograd(const ConvForm&, const float*, const float*, const float*, float*);
template void conv_by_winograd(const ConvForm&, const double*, const double*, const double*, double*);

}  // namespace cadena::kernels
