#include "autodiff/kernels/conv_columns.hpp"

#include <algorithm>
#include <optional>

#include "autodiff/kernels/gemm.hpp"
#include "autodiff/kernels/parallel.hpp"
#include "autodiff/kernels/scratch.hpp"

namespace cadena::kernels {
namespace {

constexpr std::int64_t parallel_work = 1 << 20;  // multiplications
constexpr std::int64_t columns_size = 1 << 17;   // elements at once, to stay in the second-level cache
constexpr std::int64_t weight_parts = 8;         // sums of their own for the gradient of the weights

std::int64_t blocks_of(std::int64_t n, std::int64_t size) { return (n + size - 1) / size; }
std::int64_t ceil_div(std::int64_t a, std::int64_t b) { return a > 0 ? (a + b - 1) / b : -(-a / b); }

// One group of one sample, and the positions of y that are worked on at once.
template <class T>
struct Patch {
  const ConvShape& s;
  std::int64_t first, last;  // positions of y, in row-major order

  std::int64_t size() const { return last - first; }
  // Calls f(row of the columns, offset in it, count, offset in x, step in x) for every run of positions whose
  // elements of x lie evenly, and gap(row, offset, count) where they lie outside of x.
  template <class F, class G>
  void for_runs(const F& f, const G& gap) const {
    const std::int64_t channels = s.in / s.groups;
    std::int64_t row = 0;
    for (std::int64_t c = 0; c < channels; ++c)
      for (std::int64_t k0 = 0; k0 < s.kernel[0]; ++k0)
        for (std::int64_t k1 = 0; k1 < s.kernel[1]; ++k1)
          for (std::int64_t k2 = 0; k2 < s.kernel[2]; ++k2, ++row) row_runs(row, c, {k0, k1, k2}, f, gap);
  }

 private:
  template <class F, class G>
  void row_runs(std::int64_t row, std::int64_t c, const ConvShape::Extents& k, const F& f,
                const G& gap) const {
    const std::int64_t step = s.stride[2], shift = k[2] * s.dilation[2] - s.padding[2];
    const std::int64_t low = std::clamp<std::int64_t>(ceil_div(-shift, step), 0, s.y[2]);
    const std::int64_t high = std::clamp<std::int64_t>(ceil_div(s.x[2] - shift, step), low, s.y[2]);
    std::int64_t line = first / s.y[2], t = first % s.y[2];
    for (std::int64_t at = 0; at < size(); ++line, t = 0) {
      const std::int64_t end = std::min(s.y[2], t + size() - at);
      const std::int64_t i0 = line / s.y[1] * s.stride[0] + k[0] * s.dilation[0] - s.padding[0];
      const std::int64_t i1 = line % s.y[1] * s.stride[1] + k[1] * s.dilation[1] - s.padding[1];
      const bool inside = i0 >= 0 && i0 < s.x[0] && i1 >= 0 && i1 < s.x[1];
      const std::int64_t from = inside ? std::clamp(low, t, end) : end, to = std::clamp(high, from, end);
      if (from > t) gap(row, at, from - t);
      if (to > from)
        f(row, at + from - t, to - from, ((c * s.x[0] + i0) * s.x[1] + i1) * s.x[2] + from * step + shift,
          step);
      if (end > to) gap(row, at + to - t, end - to);
      at += end - t;
    }
  }
};

// Windows are single elements in x's own order: x is its own columns.
bool is_pointwise(const ConvShape& s) {
  return s.x == s.y && s.w_size() == s.in / s.groups && s.stride == ConvShape::Extents{1, 1, 1} &&
         s.padding == ConvShape::Extents{0, 0, 0};
}

std::int64_t patch_size(const ConvShape& s) {
  return std::clamp<std::int64_t>(columns_size / s.w_size(), std::min<std::int64_t>(64, s.y_size()),
                                  s.y_size());
}

template <class T>
void to_columns(const Patch<T>& p, const T* x, T* columns) {
  const std::int64_t n = p.size();
  p.for_runs(
      [&](std::int64_t row, std::int64_t at, std::int64_t count, std::int64_t from, std::int64_t step) {
        T* to = columns + row * n + at;
        if (step == 1)
          std::copy_n(x + from, count, to);
        else
          for (std::int64_t i = 0; i < count; ++i) to[i] = x[from + i * step];
      },
      [&](std::int64_t row, std::int64_t at, std::int64_t count) {
        std::fill_n(columns + row * n + at, count, T(0));
      });
}

template <class T>
void add_columns(const Patch<T>& p, const T* columns, T* x) {
  const std::int64_t n = p.size();
  p.for_runs(
      [&](std::int64_t row, std::int64_t at, std::int64_t count, std::int64_t to, std::int64_t step) {
        const T* from = columns + row * n + at;
        if (step == 1)
          for (std::int64_t i = 0; i < count; ++i) x[to + i] += from[i];
        else
          for (std::int64_t i = 0; i < count; ++i) x[to + i * step] += from[i];
      },
      [](std::int64_t, std::int64_t, std::int64_t) {});
}

// The matrices of a group of a sample.
template <class P>
struct Parts {
  const ConvShape& s;
  P *x, *w, *y;
  Parts(const ConvShape& shape, std::int64_t sample, std::int64_t group, P* x0, P* w0, P* y0)
      : s(shape),
        x(x0 + (sample * s.in + group * (s.in / s.groups)) * s.x_size()),
        w(w0 + group * (s.out / s.groups) * s.w_size()),
        y(y0 + (sample * s.out + group * (s.out / s.groups)) * s.y_size()) {}
};

// f(sample, group) on all of them; several small ones are one task.
template <class F>
void for_groups(const ConvShape& s, const F& f) {
  const std::int64_t count = s.batch * s.groups, each = std::max<std::int64_t>(1, s.work() / count);
  const std::int64_t size = std::clamp<std::int64_t>(parallel_work / 8 / each, 1, count);
  for_blocks<Schedule::stealing>(blocks_of(count, size), s.work() >= parallel_work, [&](std::int64_t b) {
    for (std::int64_t i = b * size; i < std::min(count, (b + 1) * size); ++i) f(i / s.groups, i % s.groups);
  });
}

template <class T>
void fill_channels(std::int64_t samples, std::int64_t channels, std::int64_t size, const T* bias, T* to) {
  for (std::int64_t i = 0; i < samples * channels; ++i)
    std::fill_n(to + i * size, size, bias ? bias[i % channels] : T(0));
}

}  // namespace

template <class T>
void conv_by_columns(const ConvShape& s, const T* x, const T* w, const T* bias, T* y) {
  if (s.work() == 0) return fill_channels(s.batch, s.out, s.y_size(), bias, y);
  const std::int64_t out = s.out / s.groups, k = s.w_size(), size = patch_size(s);
  const bool pointwise = is_pointwise(s);
  for_groups(s, [&](std::int64_t sample, std::int64_t group) {
    const std::int64_t to = (sample * s.out + group * out) * s.y_size();
    const Parts<const T> part(s, sample, group, x, w, y);
    std::optional<Scratch<T>> columns;
    if (!pointwise) columns.emplace(k * size);
    if (bias) fill_channels(1, out, s.y_size(), bias + group * out, y + to);
    for (std::int64_t t = 0; t < s.y_size(); t += size) {
      const Patch<T> patch{s, t, std::min(s.y_size(), t + size)};
      if (columns) to_columns<T>(patch, part.x, *columns);
      const MatrixRef<T> b =
          columns ? MatrixRef<T>{*columns, patch.size(), 1} : MatrixRef<T>{part.x + t, s.x_size(), 1};
      gemm<T>(out, patch.size(), k, {part.w, k, 1}, b, y + to + t, s.y_size(),
              {.accumulate = bias != nullptr});
    }
  });
}

template <class T>
void conv_transpose_by_columns(const ConvShape& s, const T* y, const T* w, const T* bias, T* x) {
  if (s.work() == 0) return fill_channels(s.batch, s.in, s.x_size(), bias, x);
  const std::int64_t in = s.in / s.groups, out = s.out / s.groups, k = s.w_size(), size = patch_size(s);
  const bool pointwise = is_pointwise(s);
  for_groups(s, [&](std::int64_t sample, std::int64_t group) {
    T* to = x + (sample * s.in + group * in) * s.x_size();
    const Parts<const T> part(s, sample, group, x, w, y);
    if (!pointwise || bias) fill_channels(1, in, s.x_size(), bias ? bias + group * in : nullptr, to);
    const Scratch<T> columns(pointwise ? 0 : k * size);
    for (std::int64_t t = 0; t < s.y_size(); t += size) {
      const Patch<T> patch{s, t, std::min(s.y_size(), t + size)};
      gemm<T>(k, patch.size(), out, {part.w, 1, k}, {part.y + t, s.y_size(), 1},
              pointwise ? to + t : columns.get(), pointwise ? s.x_size() : patch.size(),
              {.accumulate = pointwise && bias});
      if (!pointwise) add_columns<T>(patch, columns, to);
    }
  });
}

template <class T>
void conv_weight_by_columns(const ConvShape& s, const T* x, const T* y, T* w) {
  const std::int64_t out = s.out / s.groups, k = s.w_size(), total = s.out * k;
  if (s.work() == 0) return fill_channels(1, s.out, k, static_cast<const T*>(nullptr), w);
  const std::int64_t size = patch_size(s), parts = std::min(s.batch, weight_parts);
  const bool pointwise = is_pointwise(s);
  const Scratch<T> sums(parts > 1 ? parts * total : 0);
  for_blocks<Schedule::stealing>(parts * s.groups, s.work() >= parallel_work, [&](std::int64_t b) {
    const std::int64_t i = b / s.groups, group = b % s.groups;
    T* to = (parts > 1 ? sums + i * total : w) + group * out * k;
    const Scratch<T> columns(pointwise ? 0 : k * size);
    bool accumulate = false;
    for (std::int64_t sample = i * s.batch / parts; sample < (i + 1) * s.batch / parts; ++sample) {
      const Parts<const T> part(s, sample, group, x, w, y);
      for (std::int64_t t = 0; t < s.y_size(); t += size) {
        const Patch<T> patch{s, t, std::min(s.y_size(), t + size)};
        if (!pointwise) to_columns<T>(patch, part.x, columns);
        const MatrixRef<T> windows =
            pointwise ? MatrixRef<T>{part.x + t, s.x_size(), 1} : MatrixRef<T>{columns, patch.size(), 1};
        gemm<T>(out, k, patch.size(), {part.y + t, s.y_size(), 1}, windows.transposed(), to, k,
                {.accumulate = accumulate});
        accumulate = true;
      }
    }
  });
  if (parts > 1) add_parts<T>(sums, parts, total, w);
}

template <class T>
void add_parts(const T* parts, std::int64_t count, std::int64_t n, T* out) {
  constexpr std::int64_t size = 4096;
  const bool parallel = count * n * static_cast<std::int64_t>(sizeof(T)) >= parallel_bytes;
  for_blocks(blocks_of(n, size), parallel, [&](std::int64_t b) {
    const std::int64_t first = b * size, last = std::min(n, first + size);
    for (std::int64_t i = first; i < last; ++i) out[i] = parts[i];
    for (std::int64_t p = 1; p < count; ++p)
      for (std::int64_t i = first; i < last; ++i) out[i] += parts[p * n + i];
  });
}

#define CADENA_INSTANTIATE(T)                                                                  \
  template void conv_by_columns(const ConvShape&, const T*, const T*, const T*, T*);           \
  template void conv_transpose_by_columns(const ConvShape&, const T*, const T*, const T*, T*); \
  template void conv_weight_by_columns(const ConvShape&, const T*, const T*, T*);              \
  template void add_parts(const T*, std::int64_t, std::int64_t, T*);
CADENA_INSTANTIATE(float)
CADENA_INSTANTIATE(double)
#undef CADENA_INSTANTIATE

}  // namespace cadena::kernels
