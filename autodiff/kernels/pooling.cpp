#include "autodiff/kernels/pooling.hpp"

#include <algorithm>

#include "autodiff/kernels/parallel.hpp"
#include "autodiff/kernels/scratch.hpp"

namespace cadena::kernels {
namespace {

// position[k][i] is element k of window i; beyond a window's end its last one, which changes no maximum.
std::vector<std::int64_t> position_table(const Windows& w) {
  std::vector<std::int64_t> table;
  for (std::int64_t k = 0; k < w.longest(); ++k)
    for (std::size_t i = 0; i < w.first.size(); ++i)
      table.push_back(w.first[i] + std::min(k, w.count[i] - 1) * w.step);
  return table;
}

// Takes a row of a plane into the maxima found so far. `column[j]` is the element that window j looks at.
template <class T>
void take_row(const T* x, std::int64_t row, const std::int64_t* column, std::int64_t n, T* best,
              std::int64_t* at) {
  x += row;
  for (std::int64_t j = 0; j < n; ++j) {
    const T v = x[column[j]];
    const bool better = v > best[j] || (v != v && best[j] == best[j]);
    best[j] = better ? v : best[j];
    at[j] = better ? row + column[j] : at[j];
  }
}

// The line (i, j) of outputs of a plane.
template <class T>
void take_line(const std::array<Windows, 3>& w, std::size_t i, std::size_t j,
               const std::vector<std::int64_t>& columns, const T* x, T* best, std::int64_t* at) {
  const std::int64_t n = w[2].out();
  const std::int64_t corner = (w[0].first[i] * w[1].in + w[1].first[j]) * w[2].in;
  for (std::int64_t t = 0; t < n; ++t) {
    at[t] = corner + columns[static_cast<std::size_t>(t)];
    best[t] = x[at[t]];
  }
  for (std::int64_t a = 0; a < w[0].count[i]; ++a)
    for (std::int64_t b = 0; b < w[1].count[j]; ++b) {
      const std::int64_t row =
          ((w[0].first[i] + a * w[0].step) * w[1].in + w[1].first[j] + b * w[1].step) * w[2].in;
      for (std::int64_t k = 0; k < w[2].longest(); ++k) take_row(x, row, columns.data() + k * n, n, best, at);
    }
}

}  // namespace

std::int64_t Windows::longest() const {
  return count.empty() ? 0 : *std::max_element(count.begin(), count.end());
}

template <class T>
void max_positions(const std::array<Windows, 3>& w, std::int64_t planes, const T* x, std::int64_t* index) {
  const std::int64_t out = w[0].out() * w[1].out() * w[2].out(), in = w[0].in * w[1].in * w[2].in;
  if (planes * out == 0) return;
  const std::vector<std::int64_t> columns = position_table(w[2]);
  const std::int64_t work = out * w[0].longest() * w[1].longest() * w[2].longest();
  const std::int64_t group = std::max<std::int64_t>(1, 65536 / work);
  for_blocks((planes + group - 1) / group, planes * work >= 4 * 65536, [&](std::int64_t block) {
    const Scratch<T> best(w[2].out());
    for (std::int64_t p = block * group; p < std::min(planes, (block + 1) * group); ++p) {
      std::int64_t* at = index + p * out;
      for (std::size_t i = 0; i < w[0].first.size(); ++i)
        for (std::size_t j = 0; j < w[1].first.size(); ++j, at += w[2].out())
          take_line<T>(w, i, j, columns, x + p * in, best, at);
    }
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

}  // namespace cadena::kernels
