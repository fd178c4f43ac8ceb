#include "autodiff/kernels/count.hpp"

#include <algorithm>
#include <optional>

#include "autodiff/kernels/copy.hpp"
#include "autodiff/kernels/parallel.hpp"
#include "autodiff/kernels/scratch.hpp"

namespace cadena::kernels {
namespace {

using Byte = std::uint8_t;  // 0 or 1

constexpr std::int64_t strip = 4096, most_rows = 255;  // as many as a byte can count

std::int64_t count_row(const Byte* x, std::int64_t n) {
  std::int64_t total = 0;
  for (std::int64_t i = 0; i < n; i += strip) {
    std::uint32_t sum = 0;  // of few enough for the loop to be vectorised in narrow lanes
    for (std::int64_t k = i; k < std::min(n, i + strip); ++k) sum += x[k];
    total += sum;
  }
  return total;
}

template <std::int64_t n>
void count_rows_of(std::int64_t rows, const Byte* x, std::int64_t* out) {
  for (std::int64_t r = 0; r < rows; ++r) {
    std::int64_t sum = 0;
    for (std::int64_t k = 0; k < n; ++k) sum += x[r * n + k];
    out[r] = sum;
  }
}

void count_rows(std::int64_t rows, std::int64_t n, const Byte* x, std::int64_t* out) {
  using Short = void (*)(std::int64_t, const Byte*, std::int64_t*);
  constexpr Short short_rows[] = {count_rows_of<1>, count_rows_of<2>, count_rows_of<3>, count_rows_of<4>,
                                  count_rows_of<5>, count_rows_of<6>, count_rows_of<7>, count_rows_of<8>};
  if (n <= 8) return short_rows[n - 1](rows, x, out);
  for (std::int64_t r = 0; r < rows; ++r) out[r] = count_row(x + r * n, n);
}

// out[j] = sum of x[r * step + j] over r < n, for j < width <= strip
void count_columns(std::int64_t n, std::int64_t step, std::int64_t width, const Byte* x, std::int64_t* out) {
  std::fill_n(out, width, 0);
  Byte sums[strip];
  for (std::int64_t r = 0; r < n; r += most_rows) {
    std::copy_n(x + r * step, width, sums);
    for (std::int64_t k = r + 1; k < std::min(n, r + most_rows); ++k)
      for (std::int64_t j = 0; j < width; ++j) sums[j] = static_cast<Byte>(sums[j] + x[k * step + j]);
    for (std::int64_t j = 0; j < width; ++j) out[j] += sums[j];
  }
}

}  // namespace

void count_true(const View& mask, const Axes& axes, std::int64_t* out) {
  // Kept dimensions, summed ones and kept ones, where the axes allow; else the summed ones are moved last.
  View dense{nullptr, boolean, {}, {}};
  const auto append = [&](std::int64_t d) {
    dense.shape.push_back(mask.shape[static_cast<int>(d)]);
    dense.strides.push_back(mask.strides[static_cast<int>(d)]);
  };
  const auto summed = [&](std::int64_t d) { return std::find(axes.begin(), axes.end(), d) != axes.end(); };
  const bool together = axes.empty() || axes.back() - axes[0] + 1 == axes.rank();
  std::int64_t outer = 1, n = 1, inner = 1;
  for (std::int64_t d = 0; d < mask.shape.rank(); ++d) {
    const std::int64_t extent = mask.shape[static_cast<int>(d)];
    (summed(d) ? n : together && !axes.empty() && d > axes[0] ? inner : outer) *= extent;
    if (together || !summed(d)) append(d);
  }
  if (!together)
    for (auto d : axes) append(d);
  if (outer * inner == 0) return;
  if (n == 0) return void(std::fill_n(out, outer * inner, 0));

  const Byte* x = mask.as<Byte>();
  std::optional<Scratch<Byte>> copied;
  const Strides wanted = contiguous_strides(dense.shape);
  bool contiguous = true;
  for (int d = 0; d < dense.shape.rank(); ++d)
    contiguous = contiguous && (dense.shape[d] == 1 || dense.strides[d] == wanted[d]);
  if (!contiguous) {
    copied.emplace(outer * n * inner);
    dense.data = mask.data;
    copy(dense, {copied->get(), boolean, dense.shape, wanted});
    x = copied->get();
  }
  const bool parallel = outer * n * inner >= parallel_bytes;
  if (inner == 1) {
    const std::int64_t group = std::max<std::int64_t>(1, (std::int64_t{1} << 16) / n);
    return for_blocks((outer + group - 1) / group, parallel, [&](std::int64_t b) {
      count_rows(std::min(group, outer - b * group), n, x + b * group * n, out + b * group);
    });
  }
  const std::int64_t strips = (inner + strip - 1) / strip;
  for_blocks(outer * strips, parallel, [&](std::int64_t t) {
    const std::int64_t i = t / strips, j = t % strips * strip;
    count_columns(n, inner, std::min(strip, inner - j), x + i * n * inner + j, out + i * inner + j);
  });
}

}  // namespace cadena::kernels
