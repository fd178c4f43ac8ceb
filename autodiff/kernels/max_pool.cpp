// The largest elements of windows themselves, and their gradient, without a list of positions.
#include <algorithm>
#include <span>

#include "autodiff/kernels/pairs.hpp"
#include "autodiff/kernels/pooling.hpp"
#include "autodiff/kernels/rows.hpp"
#include "autodiff/kernels/scratch.hpp"

namespace cadena::kernels {
namespace {

// The rows of a plane of x that its lines of outputs are made of.
class WindowRows {
 public:
  explicit WindowRows(const std::array<Windows, 3>& w) {
    for (std::size_t i = 0; i < w[0].first.size(); ++i)
      for (std::size_t j = 0; j < w[1].first.size(); ++j) {
        for (std::int64_t a = 0; a < w[0].count[i]; ++a)
          for (std::int64_t b = 0; b < w[1].count[j]; ++b)
            row_.push_back(((w[0].first[i] + a * w[0].step) * w[1].in + w[1].first[j] + b * w[1].step) *
                           w[2].in);
        end_.push_back(row_.size());
      }
  }
  std::int64_t lines() const { return static_cast<std::int64_t>(end_.size()) - 1; }
  /// Where each of them begins.
  std::span<const std::int64_t> of(std::int64_t line) const {
    const auto at = static_cast<std::size_t>(line);
    return {row_.data() + end_[at], end_[at + 1] - end_[at]};
  }

 private:
  std::vector<std::int64_t> row_;
  std::vector<std::size_t> end_{0};
};

// The windows of most lines: `outputs` of them, each `stride` behind the one before, all of `count` elements.
struct EvenWindows {
  std::int64_t begin = 0, outputs = 0, stride = 1, first = 0, count = 0;

  explicit EvenWindows(const Windows& w) {
    const auto at = [](std::int64_t i) { return static_cast<std::size_t>(i); };
    for (std::int64_t i = 0; i < w.out();) {
      const std::int64_t size = w.count[at(i)];
      const std::int64_t distance = i + 1 < w.out() ? w.first[at(i + 1)] - w.first[at(i)] : 1;
      std::int64_t end = i + 1;
      while (end < w.out() && w.count[at(end)] == size && w.first[at(end)] - w.first[at(end - 1)] == distance)
        ++end;
      if (end - i > outputs)
        begin = i, outputs = end - i, stride = distance, first = w.first[at(i)], count = size;
      i = end;
    }
  }
};

// Where the elements of a line of windows stand: columns of some rows, whose maximum is theirs.
template <class T>
struct Source {
  const T* plane;
  std::span<const std::int64_t> rows;
  std::int64_t n;  // columns

  template <class Load>
  [[gnu::always_inline]] Batch<T> best(std::int64_t column, const Load& load) const {
    Batch<T> top = load(plane + rows[0] + column);
    for (std::size_t i = 1; i < rows.size(); ++i) top = Max::combine(load(plane + rows[i] + column), top);
    return top;
  }
};

// Many rows become one first.
template <class T>
Source<T> best_row(const Source<T>& s, T* to) {
  static constexpr std::int64_t none = 0;
  for_vectors<T>(s.n, T(0), [&](std::int64_t c, auto load, auto store) { store(to + c, s.best(c, load)); });
  return {to, {&none, 1}, s.n};
}

// The largest of the even windows, Stride = 1 or 2 apart.
template <int Stride, class T>
void best_of_even(const Source<T>& s, const EvenWindows& even, std::int64_t step, T* to) {
  std::int64_t k = 0;
  // One vector of outputs; column(from) is a vector of maxima of columns.
  const auto one = [&](auto column, auto store) __attribute__((always_inline)) {
    const std::int64_t at = even.first + k * Stride;
    Batch<T> best(-infinity<T>);
    const auto offer = [&](Batch<T> v) { best = Max::combine(v, best); };
    if constexpr (Stride == 1) {
      for (std::int64_t c = 0; c < even.count; ++c) offer(column(at + c * step));
    } else {
      for (std::int64_t c = 0; c < even.count; ++c) {
        const auto [evens, odds] = part_pairs(column(at + c * step), column(at + c * step + width<T>));
        offer(evens);
        if (step == 1 && c + 1 < even.count) offer(odds), ++c;
      }
    }
    store(to + k, best);
  };
  const std::int64_t reach = (even.count - 1) * step + Stride * width<T>;
  for (; k + width<T> <= even.outputs && even.first + k * Stride + reach <= s.n; k += width<T>)
    one(
        [&](std::int64_t from) __attribute__((always_inline)) {
          return s.best(from, [](const T* p) { return Batch<T>::load_unaligned(p); });
        },
        [](T * p, Batch<T> v) __attribute__((always_inline)) { v.store_unaligned(p); });
  for (; k < even.outputs; k += width<T>) {  // elements behind the row are not needed
    const Partial<T> some(std::min(width<T>, even.outputs - k));
    one(
        [&](std::int64_t from) __attribute__((always_inline)) {
          const Between<T> inside(0, s.n - from);
          return s.best(
              from, [&](const T* p) __attribute__((always_inline)) { return inside.load(p); });
        },
        [&](T * p, Batch<T> v) __attribute__((always_inline)) { some.store(p, v); });
  }
}

template <class T>
T best_of(const Source<T>& s, const Windows& w, std::int64_t k) {
  const auto at = static_cast<std::size_t>(k);
  T best = -infinity<T>;
  for (const std::int64_t row : s.rows)
    for (std::int64_t c = 0; c < w.count[at]; ++c)
      best = Max::combine(s.plane[row + w.first[at] + c * w.step], best);
  return best;
}

template <class T>
void best_of_line(const Source<T>& s, const Windows& w, const EvenWindows& even, T* to) {
  const auto singly = [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t k = begin; k < end; ++k) to[k] = best_of(s, w, k);
  };
  if (even.stride != 1 && even.stride != 2) return singly(0, w.out());
  singly(0, even.begin);
  if (even.stride == 1)
    best_of_even<1>(s, even, w.step, to + even.begin);
  else
    best_of_even<2>(s, even, w.step, to + even.begin);
  singly(even.begin + even.outputs, w.out());
}

// f(first plane, end) for blocks of planes of `size` elements.
template <class F>
void for_planes(std::int64_t planes, std::int64_t size, const F& f) {
  const std::int64_t group = std::max<std::int64_t>(1, 32768 / std::max<std::int64_t>(1, size));
  for_blocks((planes + group - 1) / group, planes * size >= 4 * 32768,
             [&](std::int64_t b) { f(b * group, std::min(planes, (b + 1) * group)); });
}

// Pairs of neighbours, and lines that share no row: no element lies in two windows.
bool are_pairs(const std::array<Windows, 3>& w) {
  for (std::size_t i = 0; i < w[2].first.size(); ++i)
    if (w[2].first[i] != 2 * static_cast<std::int64_t>(i) || w[2].count[i] != 2) return false;
  for (const Windows* a : {&w[0], &w[1]})
    for (std::size_t i = 1; i < a->first.size(); ++i)
      if (a->first[i] <= a->first[i - 1] + (a->count[i - 1] - 1) * a->step) return false;
  return w[2].step == 1;
}

// What stands in the first places of equal ones takes the gradient.
template <class T>
void pair_gradients(std::span<const std::int64_t> rows, std::int64_t outputs, const T* x, const T* g, T* gx) {
  for (std::int64_t k = 0; k < outputs; k += width<T>) {
    const std::int64_t count = std::min(width<T>, outputs - k), left = 2 * count;
    const Between<T> low(0, left), high(0, left - width<T>);
    const auto pairs = [&](std::int64_t row) {
      return part_pairs(low.load(x + row + 2 * k), high.load(x + row + 2 * k + width<T>));
    };
    Batch<T> best(-infinity<T>), winner(T(0));
    T place = 0;
    const auto offer = [&](Batch<T> v) {
      const auto better = Max::beats(v, best);
      best = xsimd::select(better, v, best), winner = xsimd::select(better, Batch<T>(place), winner);
      place += 1;
    };
    for (const std::int64_t row : rows) {
      const auto [even, odd] = pairs(row);
      offer(even), offer(odd);
    }
    const Batch<T> cotangent = Partial<T>(count).load(g + k), zero(T(0));
    place = 0;
    for (const std::int64_t row : rows) {
      const auto at = [&] { return xsimd::select(winner == Batch<T>(place++), cotangent, zero); };
      const Batch<T> even = at(), odd = at();
      const auto [a, b] = join_pairs(even, odd);
      T* to = gx + row + 2 * k;
      Partial<T>(std::min(left, width<T>)).store(to, a);
      if (left > width<T>) Partial<T>(left - width<T>).store(to + width<T>, b);
    }
  }
}

}  // namespace

template <class T>
void max_values(const std::array<Windows, 3>& w, std::int64_t planes, const T* x, T* y) {
  const WindowRows rows(w);
  const EvenWindows even(w[2]);
  const std::int64_t size = w[0].in * w[1].in * w[2].in, out = w[2].out();
  for_planes(planes, size, [&](std::int64_t first, std::int64_t end) {
    const Scratch<T> best(w[2].in);
    for (std::int64_t p = first; p < end; ++p)
      for (std::int64_t line = 0; line < rows.lines(); ++line) {
        Source<T> source{x + p * size, rows.of(line), w[2].in};
        if (source.rows.size() > 2) source = best_row(source, best.get());
        best_of_line(source, w[2], even, y + (p * rows.lines() + line) * out);
      }
  });
}

template <class T>
void max_gradient(const std::array<Windows, 3>& w, std::int64_t planes, const T* x, const T* g, T* gx) {
  const WindowRows rows(w);
  const std::int64_t size = w[0].in * w[1].in * w[2].in, out = w[2].out(), outputs = rows.lines() * out;
  const bool pairs = are_pairs(w);
  for_planes(planes, size, [&](std::int64_t first, std::int64_t end) {
    std::fill_n(gx + first * size, (end - first) * size, T(0));
    if (pairs) {
      for (std::int64_t p = first; p < end; ++p)
        for (std::int64_t line = 0; line < rows.lines(); ++line)
          pair_gradients(rows.of(line), out, x + p * size, g + p * outputs + line * out, gx + p * size);
      return;
    }
    const Scratch<std::int64_t> at((end - first) * outputs);
    max_positions(w, end - first, x + first * size, at.get());
    for (std::int64_t p = first; p < end; ++p)
      for (std::int64_t i = 0; i < outputs; ++i)
        gx[p * size + at[(p - first) * outputs + i]] += g[p * outputs + i];
  });
}

template void max_values(const std::array<Windows, 3>&, std::int64_t, const float*, float*);
template void max_values(const std::array<Windows, 3>&, std::int64_t, const double*, double*);
template void max_gradient(const std::array<Windows, 3>&, std::int64_t, const float*, const float*, float*);
template void max_gradient(const std::array<Windows, 3>&, std::int64_t, const double*, const double*,
                           double*);

}  // namespace cadena::kernels
