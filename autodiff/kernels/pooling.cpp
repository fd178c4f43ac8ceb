#include "autodiff/kernels/pooling.hpp"

#include <algorithm>
#include <limits>
#include <type_traits>

#include "autodiff/kernels/parallel.hpp"
#include "autodiff/kernels/scratch.hpp"

namespace cadena::kernels {
namespace {

// Lanes of values and of positions are equally wide where positions allow it, so that loops over both are
// vectorised.
template <class T, class P>
struct Best {
  T* value;
  P* position;
};

// Whether v comes before b in the order of maxima: NaN is largest, of equals the least position.
template <class T, class P>
bool is_better(T v, P at, T b, P best_at) {
  const bool v_nan = v != v, b_nan = b != b;
  return (v > b) | (v_nan & !b_nan) | (((v == b) | (v_nan & b_nan)) & (at < best_at));
}

// best = the largest of every column of one row, of two, or of one more row. Columns are neighbours, so this
// is done in registers; picking strided elements would take one load each.
template <class T, class P>
void take_row(const T* x, P n, P row, const Best<T, P>& best) {
  for (P c = 0; c < n; ++c) best.value[c] = x[row + c], best.position[c] = row + c;
}
template <class T, class P>
void take_rows(const T* x, P n, P row, P next, const Best<T, P>& best) {
  for (P c = 0; c < n; ++c) {
    const T v = x[next + c], b = x[row + c];
    const bool better = (v > b) | ((v != v) & (b == b));
    best.value[c] = better ? v : b;
    best.position[c] = (better ? next : row) + c;
  }
}
template <class T, class P>
void add_row(const T* x, P n, P row, const Best<T, P>& best) {
  for (P c = 0; c < n; ++c) {
    const T v = x[row + c], b = best.value[c];
    const bool better = (v > b) | ((v != v) & (b == b));
    best.value[c] = better ? v : b;
    best.position[c] = better ? row + c : best.position[c];
  }
}

// The windows along a line that lie evenly: from `begin` to `end`, each `stride` > 0 behind the one before.
struct Run {
  std::int64_t begin = 0, end = 0, stride = 1, count = 0;
};
Run even_run(const Windows& w) {
  Run longest;
  for (std::int64_t begin = 0; begin < w.out();) {
    const auto at = [&](std::int64_t i) { return static_cast<std::size_t>(i); };
    const auto step = [&](std::int64_t i) { return w.first[at(i)] - w.first[at(i - 1)]; };
    Run r{begin, begin + 1, 1, w.count[at(begin)]};
    if (r.end < w.out() && step(r.end) > 0) r.stride = step(r.end);
    while (r.end < w.out() && w.count[at(r.end)] == r.count && step(r.end) == r.stride) ++r.end;
    if (r.end - r.begin > longest.end - longest.begin) longest = r;
    begin = r.end;
  }
  return longest;
}

// result[k] = best of the columns first + k * stride + {0, step, ..., (count - 1) * step}.
template <class T, class P, class Stride>
void best_columns(const Best<T, P>& columns, P first, Stride stride, P step, P count, P n,
                  const Best<T, P>& result) {
  for (P c = 0; c < count; ++c) {
    const T* value = columns.value + first + c * step;
    const P* position = columns.position + first + c * step;
    const auto take = [&](auto is_first) {
      for (P k = 0; k < n; ++k) {
        const T v = value[k * stride];
        const P at = position[k * stride];
        const bool better = is_first || is_better(v, at, result.value[k], result.position[k]);
        result.value[k] = better ? v : result.value[k];
        result.position[k] = better ? at : result.position[k];
      }
    };
    c == 0 ? take(std::true_type{}) : take(std::false_type{});
  }
}

// Several lines of outputs at once: one after the other with a gap that keeps the even windows even, they are
// one long line.
template <class T, class P>
class Lines {
 public:
  Lines(const std::array<Windows, 3>& windows, std::int64_t planes)
      : w_(windows),
        size_(planes * w_[0].in * w_[1].in * w_[2].in),
        run_(even_run(w_[2])),
        stride_(static_cast<P>(std::clamp<std::int64_t>(run_.stride, 1, w_[2].in))),
        n_(static_cast<P>(w_[2].in)),
        whole_((n_ + lanes - 1) / lanes * lanes),
        pitch_((whole_ + stride_ - 1) / stride_ * stride_),
        capacity_(std::clamp<std::int64_t>(1024 / pitch_, 1, 64)),
        values_((capacity_ + 1) * 2 * pitch_),
        positions_((capacity_ + 1) * 2 * pitch_),
        columns_{values_.get(), positions_.get()},
        results_{values_ + (capacity_ + 1) * pitch_, positions_ + (capacity_ + 1) * pitch_} {
    std::fill_n(values_.get(), (capacity_ + 1) * pitch_, T(0));  // the gaps
    std::fill_n(positions_.get(), (capacity_ + 1) * pitch_, P(0));
  }

  std::int64_t capacity() const { return capacity_; }
  // Lines first ... first + count of the outputs of all planes; count <= capacity().
  void take(const T* x, std::int64_t first, std::int64_t count, std::int64_t* index) const {
    for (std::int64_t l = 0; l < count; ++l) take_rows_of(x, first + l, l * pitch_);
    const auto even = [&](auto stride) {
      const auto begin = static_cast<P>(w_[2].first[static_cast<std::size_t>(run_.begin)]);
      best_columns(columns_, begin, stride, static_cast<P>(w_[2].step), static_cast<P>(run_.count),
                   static_cast<P>(count) * (pitch_ / stride_), results_);
    };
    if (stride_ == 1)
      even(std::integral_constant<P, 1>{});
    else if (stride_ == 2)
      even(std::integral_constant<P, 2>{});
    else
      even(stride_);
    for (std::int64_t l = 0; l < count; ++l) {
      std::int64_t* to = index + (first + l) * w_[2].out();
      const P* from = results_.position + l * (pitch_ / stride_);
      for (std::int64_t k = 0; k < run_.end - run_.begin; ++k) to[run_.begin + k] = from[k];
    }
    for (std::int64_t l = 0; l < count; ++l) {
      pick(l, 0, run_.begin, index + (first + l) * w_[2].out());
      pick(l, run_.end, w_[2].out(), index + (first + l) * w_[2].out());
    }
  }

 private:
  void take_rows_of(const T* x, std::int64_t line, std::int64_t at) const {
    const auto outs = w_[1].first.size();
    const auto group = static_cast<std::size_t>(line) / outs,
               j = static_cast<std::size_t>(line) - group * outs;
    const auto plane = group / w_[0].first.size(), i = group - plane * w_[0].first.size();
    const std::int64_t first = static_cast<std::int64_t>(plane) * w_[0].in * w_[1].in * w_[2].in;
    const std::int64_t across = w_[1].count[j];
    const std::int64_t corner = w_[0].first[i] * w_[1].in + w_[1].first[j];
    const auto row = [&](std::int64_t a, std::int64_t b) {
      return static_cast<P>((corner + a * w_[0].step * w_[1].in + b * w_[1].step) * n_);
    };
    const auto last = row(w_[0].count[i] - 1, across - 1);
    const P n = first + last + whole_ <= size_ ? whole_ : n_;  // what stands behind a row falls into the gap
    const Best<T, P> best{columns_.value + at, columns_.position + at};
    x += first;
    if (across == 1)
      take_row(x, n, row(0, 0), best);
    else
      take_rows(x, n, row(0, 0), row(0, 1), best);
    for (std::int64_t a = 0; a < w_[0].count[i]; ++a)
      for (std::int64_t b = a > 0 ? 0 : std::min<std::int64_t>(2, across); b < across; ++b)
        add_row(x, n, row(a, b), best);
  }
  // Windows begin ... end of a line, which lie or end otherwise than the even ones.
  void pick(std::int64_t line, std::int64_t begin, std::int64_t end, std::int64_t* to) const {
    for (std::int64_t k = begin; k < end; ++k) {
      const auto at = static_cast<std::size_t>(k);
      const auto first = static_cast<P>(line * pitch_ + w_[2].first[at]);
      best_columns(columns_, first, P(1), static_cast<P>(w_[2].step), static_cast<P>(w_[2].count[at]), P(1),
                   results_);
      to[k] = results_.position[0];
    }
  }

  static constexpr P lanes = 64 / static_cast<P>(sizeof(T));

  const std::array<Windows, 3>& w_;
  std::int64_t size_;
  Run run_;
  P stride_, n_, whole_, pitch_;  // whole_: n_ in whole vectors
  std::int64_t capacity_;
  Scratch<T> values_;
  Scratch<P> positions_;
  Best<T, P> columns_, results_;
};

template <class T, class P>
void positions_of(const std::array<Windows, 3>& w, std::int64_t planes, const T* x, std::int64_t* index) {
  const std::int64_t lines = planes * w[0].out() * w[1].out();
  const std::int64_t work = w[2].out() * w[0].longest() * w[1].longest() * w[2].longest();  // of a line
  const std::int64_t group = std::max<std::int64_t>(1, 65536 / work);
  for_blocks((lines + group - 1) / group, lines * work >= 4 * 65536, [&](std::int64_t block) {
    const Lines<T, P> several(w, planes);
    const std::int64_t end = std::min(lines, (block + 1) * group);
    for (std::int64_t l = block * group; l < end; l += several.capacity())
      several.take(x, l, std::min(several.capacity(), end - l), index);
  });
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
  if (planes * w[0].out() * w[1].out() * w[2].out() == 0) return;
  const bool narrow = w[0].in * w[1].in * w[2].in <= std::numeric_limits<std::int32_t>::max() / 4;
  if (std::is_same_v<T, float> && narrow)
    positions_of<T, std::int32_t>(w, planes, x, index);
  else
    positions_of<T, std::int64_t>(w, planes, x, index);
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
