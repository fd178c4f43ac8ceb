#include "autodiff/kernels/resample.hpp"

#include <algorithm>

#include "autodiff/kernels/parallel.hpp"
#include "autodiff/kernels/partial.hpp"
#include "autodiff/kernels/scratch.hpp"
#include "autodiff/kernels/transpose.hpp"

namespace cadena::kernels {

void Taps::push_back(std::int64_t start, const std::vector<double>& weights) {
  std::size_t low = 0, high = weights.size();
  while (high > low && weights[high - 1] == 0) --high;
  while (low < high && weights[low] == 0) ++low;
  first.push_back(start + static_cast<std::int64_t>(low));
  for (std::size_t i = low; i < high; ++i) weight.push_back(weights[i]);
  offset.push_back(static_cast<std::int64_t>(weight.size()));
}

Taps Taps::transposed() const {
  const auto n = static_cast<std::size_t>(in);
  // The outputs that read input j lie from low[j] to high[j].
  std::vector<std::int64_t> low(n, out()), high(n, 0);
  const auto for_all = [&](const auto& f) {
    for (std::size_t i = 0; i < first.size(); ++i)
      for (std::int64_t k = offset[i]; k < offset[i + 1]; ++k)
        f(static_cast<std::int64_t>(i), static_cast<std::size_t>(first[i] + k - offset[i]),
          weight[static_cast<std::size_t>(k)]);
  };
  for_all([&](std::int64_t i, std::size_t j, double) {
    low[j] = std::min(low[j], i), high[j] = std::max(high[j], i + 1);
  });
  Taps t(out());
  for (std::size_t j = 0; j < n; ++j) {
    t.first.push_back(std::min(low[j], high[j]));
    t.offset.push_back(t.offset.back() + std::max<std::int64_t>(0, high[j] - low[j]));
  }
  t.weight.assign(static_cast<std::size_t>(t.offset.back()), 0);
  for_all([&](std::int64_t i, std::size_t j, double w) {
    t.weight[static_cast<std::size_t>(t.offset[j] + i - t.first[j])] = w;
  });
  return t;
}

namespace {

template <class T>
struct Rows {
  const std::int64_t *first, *offset;
  const T* weight;
};

// One output of `inner` neighbours.
template <class T>
void weighted_rows(const Rows<T>& r, std::int64_t i, std::int64_t inner, const T* x, T* y) {
  const std::int64_t taps = r.offset[i + 1] - r.offset[i];
  const T* w = r.weight + r.offset[i];
  x += r.first[i] * inner;
  if (taps == 0) std::fill_n(y, inner, T(0));
  if (taps == 1)
    for (std::int64_t j = 0; j < inner; ++j) y[j] = w[0] * x[j];
  if (taps < 2) return;
  for (std::int64_t j = 0; j < inner; ++j) y[j] = w[0] * x[j] + w[1] * x[inner + j];
  for (std::int64_t k = 2; k < taps; ++k)
    for (std::int64_t j = 0; j < inner; ++j) y[j] += w[k] * x[k * inner + j];
}

// Outputs begin ... end of a line, which all have so many taps; `any_taps` where they change all the time.
constexpr std::int64_t any_taps = -1;
struct Stretch {
  std::int64_t begin, end, taps;
};
std::vector<Stretch> stretches_of(const Taps& t) {
  std::vector<Stretch> list;
  for (std::int64_t i = 0; i < t.out(); ++i) {
    const auto at = static_cast<std::size_t>(i);
    const std::int64_t taps = t.offset[at + 1] - t.offset[at];
    if (list.empty() || list.back().taps != taps) list.push_back({i, i, taps});
    ++list.back().end;
  }
  if (static_cast<std::int64_t>(list.size()) * 8 > t.out() + 24) return {{0, t.out(), any_taps}};
  return list;
}

// With the number of taps known when this is compiled, loops over outputs are vectorised.
template <std::int64_t taps, class T>
void even_stretch(const Rows<T>& r, const Stretch& s, const T* x, T* y) {
  const T* w = r.weight + r.offset[s.begin];
  for (std::int64_t i = s.begin; i < s.end; ++i, w += taps) {
    T sum = 0;
    for (std::int64_t k = 0; k < taps; ++k) sum += w[k] * x[r.first[i] + k];
    y[i] = sum;
  }
}

// Outputs of a line whose elements are neighbours.
template <class T>
void weighted_stretch(const Rows<T>& r, const Stretch& s, const T* x, T* y) {
  if (s.taps == 1) return even_stretch<1>(r, s, x, y);
  if (s.taps == 2) return even_stretch<2>(r, s, x, y);
  if (s.taps == 3) return even_stretch<3>(r, s, x, y);
  if (s.taps == 4) return even_stretch<4>(r, s, x, y);
  for (std::int64_t i = s.begin; i < s.end; ++i) {
    T sum = 0;
    const T* from = x + r.first[i];
    for (std::int64_t k = r.offset[i]; k < r.offset[i + 1]; ++k) sum += r.weight[k] * *from++;
    y[i] = sum;
  }
}

// The same for up to line_of<T> lines of `in` elements, which become lanes: any number of taps is quick.
template <class T>
void weighted_lanes(const Rows<T>& r, std::int64_t in, std::int64_t out, std::int64_t lines, const T* x,
                    T* y) {
  using Batch = xsimd::batch<T>;
  constexpr std::int64_t lanes = line_of<T>, step = static_cast<std::int64_t>(Batch::size);
  const Scratch<T> columns((in + out) * lanes);
  T* sums = columns + in * lanes;
  if (lines < lanes) std::fill_n(columns.get(), in * lanes, T(0));
  transpose_block(x, in, columns.get(), lanes, lines, in);
  for (std::int64_t i = 0; i < out; ++i)
    for (std::int64_t l = 0; l < lanes; l += step) {
      const T* from = columns + r.first[i] * lanes + l;
      Batch sum(T(0));
      for (std::int64_t k = r.offset[i]; k < r.offset[i + 1]; ++k, from += lanes)
        sum = xsimd::fma(Batch(r.weight[k]), Batch::load_unaligned(from), sum);
      sum.store_unaligned(sums + i * lanes + l);
    }
  transpose_block(sums, lanes, y, out, out, lines);
}

}  // namespace

template <class T>
void resample(const Taps& taps, std::int64_t outer, std::int64_t inner, const T* x, T* y) {
  const std::vector<T> weight(taps.weight.begin(), taps.weight.end());
  const Rows<T> rows{taps.first.data(), taps.offset.data(), weight.data()};
  const std::int64_t in = taps.in, out = taps.out(), count = outer * out;
  if (count * inner == 0) return;
  const bool parallel = (count + outer * in) * inner * static_cast<std::int64_t>(sizeof(T)) >= parallel_bytes;
  const std::vector<Stretch> stretches = stretches_of(taps);
  constexpr std::int64_t task = 16384;
  const auto blocks = [&](std::int64_t n, std::int64_t size, const auto& f) {
    for_blocks((n + size - 1) / size, parallel, [&](std::int64_t b) {
      for (std::int64_t i = b * size; i < std::min(n, (b + 1) * size); ++i) f(i);
    });
  };
  constexpr std::int64_t lanes = line_of<T>;
  if (inner == 1 && outer >= lanes / 2 && in + out <= task / 2)
    blocks((outer + lanes - 1) / lanes, std::max<std::int64_t>(1, task / (out + in) / lanes),
           [&](std::int64_t b) {
             const std::int64_t o = b * lanes;
             weighted_lanes(rows, in, out, std::min(lanes, outer - o), x + o * in, y + o * out);
           });
  else if (inner == 1)
    blocks(outer, std::max<std::int64_t>(1, task / (out + in)), [&](std::int64_t o) {
      for (const Stretch& s : stretches) weighted_stretch(rows, s, x + o * in, y + o * out);
    });
  else
    blocks(count, std::max<std::int64_t>(1, task / inner), [&](std::int64_t i) {
      weighted_rows(rows, i % out, inner, x + i / out * in * inner, y + i * inner);
    });
}

template void resample(const Taps&, std::int64_t, std::int64_t, const float*, float*);
template void resample(const Taps&, std::int64_t, std::int64_t, const double*, double*);

}  // namespace cadena::kernels
