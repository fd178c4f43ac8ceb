#include "autodiff/kernels/pooling.hpp"

#include <algorithm>

#include "autodiff/kernels/parallel.hpp"
#include "autodiff/kernels/scratch.hpp"

namespace cadena::kernels {
namespace {

// The largest of every column among the rows of a window so far, and in which row it stands. Columns are
// neighbours, so this is done in registers; picking strided elements would take one load each.
template <class T>
void take_row(const T* x, std::int64_t n, std::int64_t row, T* best, std::int64_t* at) {
  x += row;
  for (std::int64_t c = 0; c < n; ++c) {
    const T v = x[c], b = best[c];
    const bool better = (v > b) | ((v != v) & (b == b));
    best[c] = better ? v : b;
    at[c] = better ? row : at[c];
  }
}

// Position of the largest of the columns first, first + step, ...: the least position of equals. Without
// branches, for which one it will be cannot be foreseen.
template <class T>
std::int64_t best_column(const T* best, const std::int64_t* at, std::int64_t first, std::int64_t step,
                         std::int64_t count) {
  std::int64_t position = at[first] + first, column = first;
  for (std::int64_t k = 1, c = first + step; k < count; ++k, c += step) {
    const T v = best[c], b = best[column];
    const std::int64_t p = at[c] + c;
    const bool before = p < position, both_nan = (v != v) & (b != b);
    const bool better = (v > b) | ((v != v) & (b == b)) | (((v == b) | both_nan) & before);
    const std::int64_t mask = -static_cast<std::int64_t>(better);
    position = (p & mask) | (position & ~mask);
    column = (c & mask) | (column & ~mask);
  }
  return position;
}

// The line (i, j) of outputs of a plane.
template <class T>
void take_line(const std::array<Windows, 3>& w, std::size_t i, std::size_t j, const T* x, T* best,
               std::int64_t* at, std::int64_t* out) {
  const std::int64_t n = w[2].in;
  for (std::int64_t a = 0; a < w[0].count[i]; ++a)
    for (std::int64_t b = 0; b < w[1].count[j]; ++b) {
      const std::int64_t row =
          ((w[0].first[i] + a * w[0].step) * w[1].in + w[1].first[j] + b * w[1].step) * n;
      if (a + b == 0) {
        std::copy_n(x + row, n, best);
        std::fill_n(at, n, row);
      } else {
        take_row(x, n, row, best, at);
      }
    }
  for (std::size_t k = 0; k < w[2].first.size(); ++k)
    out[k] = best_column(best, at, w[2].first[k], w[2].step, w[2].count[k]);
}

Windows windows_at(const FractionalAxis& a, double u) {
  Windows w{a.in, 1, {}, {}};
  const std::int64_t room = a.in - a.kernel;
  const double step = a.out > 1 ? static_cast<double>(room) / static_cast<double>(a.out - 1) : 0;
  for (std::int64_t i = 0; i + 1 < a.out; ++i)
    w.first.push_back(static_cast<std::int64_t>((static_cast<double>(i) + u) * step) -
                      static_cast<std::int64_t>(u * step));
  w.first.push_back(room);
  w.count.assign(w.first.size(), a.kernel);
  return w;
}

}  // namespace

std::int64_t Windows::longest() const {
  return count.empty() ? 0 : *std::max_element(count.begin(), count.end());
}

template <class T>
void max_positions(const std::array<Windows, 3>& w, std::int64_t planes, const T* x, std::int64_t* index) {
  const std::int64_t out = w[0].out() * w[1].out() * w[2].out(), in = w[0].in * w[1].in * w[2].in;
  if (planes * out == 0) return;
  const std::int64_t work = out * w[0].longest() * w[1].longest() * w[2].longest();
  const std::int64_t group = std::max<std::int64_t>(1, 65536 / work);
  for_blocks((planes + group - 1) / group, planes * work >= 4 * 65536, [&](std::int64_t block) {
    const Scratch<T> best(w[2].in);
    const Scratch<std::int64_t> rows(w[2].in);
    for (std::int64_t p = block * group; p < std::min(planes, (block + 1) * group); ++p) {
      std::int64_t* at = index + p * out;
      for (std::size_t i = 0; i < w[0].first.size(); ++i)
        for (std::size_t j = 0; j < w[1].first.size(); ++j, at += w[2].out())
          take_line<T>(w, i, j, x + p * in, best, rows, at);
    }
  });
}

template <class T>
void fractional_max_positions(const std::array<FractionalAxis, 3>& axes, std::int64_t planes, const T* x,
                              const FractionalSamples& samples, std::int64_t* index) {
  std::int64_t in = 1, out = 1, work = 1;
  for (const auto& a : axes) in *= a.in, out *= a.out, work *= a.out * a.kernel;
  for_blocks(planes, planes * work >= 4 * 65536, [&](std::int64_t p) {
    const double* u = samples.values + p % samples.planes * samples.rank;
    const std::array<Windows, 3> w = {windows_at(axes[0], u[axes[0].sample]),
                                      windows_at(axes[1], u[axes[1].sample]),
                                      windows_at(axes[2], u[axes[2].sample])};
    max_positions(w, 1, x + p * in, index + p * out);
  });
}

void last_of_equals(std::int64_t planes, std::int64_t n, std::int64_t extent, const std::int64_t* index,
                    bool* keep) {
  const std::int64_t group = std::max<std::int64_t>(1, 16384 / std::max<std::int64_t>(1, n + extent));
  for_blocks((planes + group - 1) / group, planes * (n + extent) >= 4 * 16384, [&](std::int64_t block) {
    const Scratch<std::int64_t> last(extent);
    for (std::int64_t p = block * group; p < std::min(planes, (block + 1) * group); ++p) {
      const std::int64_t* at = index + p * n;
      for (std::int64_t i = 0; i < n; ++i) last[at[i]] = i;
      for (std::int64_t i = 0; i < n; ++i) keep[p * n + i] = last[at[i]] == i;
    }
  });
}

template void max_positions(const std::array<Windows, 3>&, std::int64_t, const float*, std::int64_t*);
template void max_positions(const std::array<Windows, 3>&, std::int64_t, const double*, std::int64_t*);
template void fractional_max_positions(const std::array<FractionalAxis, 3>&, std::int64_t, const float*,
                                       const FractionalSamples&, std::int64_t*);
template void fractional_max_positions(const std::array<FractionalAxis, 3>&, std::int64_t, const double*,
                                       const FractionalSamples&, std::int64_t*);

}  // namespace cadena::kernels
