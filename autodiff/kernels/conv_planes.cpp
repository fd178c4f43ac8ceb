#include "autodiff/kernels/conv_planes.hpp"

#include <algorithm>

#include "autodiff/kernels/pairs.hpp"
#include "autodiff/kernels/partial.hpp"

namespace cadena::kernels {
namespace {

std::int64_t ceil_div(std::int64_t a, std::int64_t b) { return a > 0 ? (a + b - 1) / b : -(-a / b); }

template <class T>
constexpr auto width = static_cast<std::int64_t>(xsimd::batch<T>::size);

template <class T>
void fill_zeros(T* to, std::int64_t n) {
  using Batch = xsimd::batch<T>;
  std::int64_t i = 0;
  for (; i + width<T> <= n; i += width<T>) Batch(T(0)).store_unaligned(to + i);
  Partial<T>(n - i).store(to + i, Batch(T(0)));
}

// Rows of a plane: to[i * to_row + j] = from[i * from_row + j * every] where begin <= j < end, else 0, for
// i < rows and j < n. What holds for a vector of columns is worked out once for all rows.
template <class T>
struct PaddedRows {
  std::int64_t rows, from_row, to_row, every, begin, end, n;

  void copy(const T* from, T* to) const {
    if (every > 2) return copy_elements(from, to);
    if (every == 1 && rows == 1) return copy_row(from, to);
    for (std::int64_t j = 0; j < n; j += width<T>) {
      const Partial<T> some(std::min(width<T>, n - j));
      const auto each = [&](auto load) __attribute__((always_inline)) {
        for (std::int64_t i = 0; i < rows; ++i) some.store(to + i * to_row + j, load(from + i * from_row));
      };
      if (every == 1) {
        const Between<T> one(begin - j, end - j);
        each([&](const T* p) __attribute__((always_inline)) { return one.load(p + j); });
      } else {
        const std::int64_t first = 2 * (begin - j), last = 2 * (end - j) - 1;
        const Between<T> one(first, last), two(first - width<T>, last - width<T>);
        each([&](const T* p) __attribute__((always_inline)) {
          return part_pairs(one.load(p + 2 * j), two.load(p + 2 * j + width<T>)).first;
        });
      }
    }
  }

 private:
  void copy_row(const T* from, T* to) const {
    using Batch = xsimd::batch<T>;
    fill_zeros(to, begin);
    std::int64_t j = begin;
    for (; j + width<T> <= end; j += width<T>) Batch::load_unaligned(from + j).store_unaligned(to + j);
    const Partial<T> rest(end - j);
    rest.store(to + j, rest.load(from + j));
    fill_zeros(to + end, n - end);
  }
  void copy_elements(const T* from, T* to) const {
    for (std::int64_t i = 0; i < rows; ++i, from += from_row, to += to_row) {
      fill_zeros(to, begin);
      for (std::int64_t j = begin; j < end; ++j) to[j] = from[j * every];
      fill_zeros(to + end, n - end);
    }
  }
};

}  // namespace

bool ConvForm::is_sparse() const {
  double spanned = 1;
  for (const ConvAxis* a : {&axes[1], &axes[2]}) {
    const auto [low, high] = std::minmax_element(
        a->taps.begin(), a->taps.end(), [](const auto& s, const auto& t) { return s.shift < t.shift; });
    spanned *= static_cast<double>((a->targets(0) - 1) * a->step + high->shift - low->shift + 1);
  }
  return spanned > 4096 + 8 * static_cast<double>(axes[1].source * axes[2].source);
}

ConvForm conv_form(const ConvShape& s) {
  const std::int64_t taps = ConvShape::product(s.kernel), in = s.in / s.groups, out = s.out / s.groups;
  ConvForm f{s.batch, s.groups, in, out, taps, in * taps, out * in * taps, {}};
  for (std::size_t d = 0; d < 3; ++d) {
    ConvAxis& a = f.axes[d];
    a = {s.x[d], s.y[d], s.stride[d], 1, {}};
    for (std::int64_t k = 0; k < s.kernel[d]; ++k) a.taps.push_back({0, k * s.dilation[d] - s.padding[d]});
  }
  return f;
}

ConvForm transposed_form(const ConvShape& s) {
  const std::int64_t taps = ConvShape::product(s.kernel), in = s.in / s.groups, out = s.out / s.groups;
  ConvForm f{s.batch, s.groups, out, in, in * taps, taps, out * in * taps, {}};
  for (std::size_t d = 0; d < 3; ++d) {
    ConvAxis& a = f.axes[d];
    a = {s.y[d], s.x[d], 1, s.stride[d], {}};
    for (std::int64_t k = 0; k < s.kernel[d]; ++k) {  // t stride + k dilation - padding = i stride + residue
      const std::int64_t from = k * s.dilation[d] - s.padding[d];
      const std::int64_t residue = ((from % s.stride[d]) + s.stride[d]) % s.stride[d];
      a.taps.push_back({residue, (residue - from) / s.stride[d]});
    }
  }
  return f;
}

ConvPlanes::Line::Line(const ConvAxis& a, bool parted)
    : low(a.taps.front().shift), every(parted ? a.step : 1), along(parted ? 1 : a.step) {
  for (const auto& t : a.taps) low = std::min(low, t.shift);
  for (const auto& t : a.taps) {
    const std::int64_t wanted = (t.shift - low) % every;
    const auto found = std::find(phase.begin(), phase.end(), wanted);
    piece.push_back(found - phase.begin());
    if (found == phase.end()) phase.push_back(wanted);
    at.push_back((t.shift - low) / every);
    reach = std::max(reach, at.back());
  }
}

bool ConvPlanes::fits_in_place() const {
  for (const auto& a : form_.axes)
    for (const auto& t : a.taps)
      if (t.shift < 0 || (a.targets(t.residue) - 1) * a.step + t.shift >= a.source) return false;
  return true;
}

ConvPlanes::ConvPlanes(const ConvForm& form, std::int64_t rows, Kind kind)
    : form_(form),
      rows_(rows),
      one_(form.axes[1], kind == Kind::parted),
      two_(form.axes[2], kind == Kind::parted),
      in_place_(kind == Kind::in_place && fits_in_place()) {
  const ConvAxis& last = form_.axes[2];
  if (in_place_) {
    pitch_ = last.source, plane_ = form_.axes[1].source * pitch_, channel_ = form_.source_size();
    return;
  }
  const std::int64_t need = two_.needs(last.targets(0));
  pitch_ = need;
  // Undivided, the zeros behind a row are those before the next.
  if (two_.every == 1 && two_.low < 0)
    pitch_ = std::max({std::min(need, last.source - two_.low), need + two_.low, last.targets(0)});
  plane_ = (one_.needs(rows) - 1) * pitch_ + need;
  channel_ =
      static_cast<std::int64_t>(form_.axes[0].taps.size() * one_.phase.size() * two_.phase.size()) * plane_;
  // Channels that lie a multiple of a page apart would compete for the same places of the caches.
  if (channel_ % 256 < 32 && channel_ >= 512) channel_ += 32 - channel_ % 256;
}

std::vector<std::int64_t> ConvPlanes::offsets(const std::array<std::int64_t, 3>& residue) const {
  std::vector<std::int64_t> list;
  const auto slots = static_cast<std::int64_t>(two_.phase.size());
  const auto& [first, middle, last] = form_.axes;
  for (std::int64_t c = 0; c < form_.sources; ++c)
    for (std::size_t i = 0, depth = 0; i < first.taps.size(); ++i) {
      if (first.taps[i].residue != residue[0]) continue;
      // What lies behind a tap of the first axis: a slice of the source, or planes of their own.
      const std::int64_t slice =
          in_place_ ? first.taps[i].shift * plane_
                    : static_cast<std::int64_t>(depth * one_.phase.size() * two_.phase.size()) * plane_;
      ++depth;
      for (std::size_t j = 0; j < middle.taps.size(); ++j)
        for (std::size_t k = 0; k < last.taps.size(); ++k) {
          if (middle.taps[j].residue != residue[1] || last.taps[k].residue != residue[2]) continue;
          const std::int64_t row = in_place_ ? middle.taps[j].shift : one_.at[j];
          const std::int64_t column = in_place_ ? last.taps[k].shift : two_.at[k];
          const std::int64_t plane = in_place_ ? 0 : (one_.piece[j] * slots + two_.piece[k]) * plane_;
          list.push_back(c * channel_ + slice + plane + row * pitch_ + column);
        }
    }
  return list;
}

template <class T>
void ConvPlanes::fill_plane(const T* slice, std::int64_t row, std::int64_t phase1, std::int64_t phase2,
                            T* to) const {
  const ConvAxis &lines = form_.axes[1], &along = form_.axes[2];
  const std::int64_t need = two_.needs(along.targets(0)), shift = phase2 + two_.low, every = two_.every;
  const std::int64_t begin = std::clamp<std::int64_t>(ceil_div(-shift, every), 0, need);
  const std::int64_t end = std::clamp<std::int64_t>(ceil_div(along.source - shift, every), begin, need);
  // Line number i is row i * every + top of the slice.
  const std::int64_t count = one_.needs(rows_), top = row * lines.step + phase1 + one_.low;
  const std::int64_t first = slice ? std::clamp<std::int64_t>(ceil_div(-top, one_.every), 0, count) : count;
  const std::int64_t last = std::clamp<std::int64_t>(ceil_div(lines.source - top, one_.every), first, count);
  for (std::int64_t i = 0; i < first; ++i) fill_zeros(to + i * pitch_, need);
  if (first < last) {
    const PaddedRows<T> rows{last - first, one_.every * along.source, pitch_, every, begin, end, need};
    rows.copy(slice + (top + first * one_.every) * along.source + shift, to + first * pitch_);
  }
  for (std::int64_t i = last; i < count; ++i) fill_zeros(to + i * pitch_, need);
}

template <class T>
const T* ConvPlanes::fill(const T* source, std::int64_t residue, std::int64_t slice, std::int64_t row,
                          T* to) const {
  const ConvAxis& first = form_.axes[0];
  const std::int64_t area = form_.axes[1].source * form_.axes[2].source;
  if (in_place_) return source + slice * first.step * area + row * form_.axes[1].step * pitch_;
  for (std::int64_t c = 0; c < form_.sources; ++c) {
    T* plane = to + c * channel_;
    for (const auto& tap : first.taps) {
      if (tap.residue != residue) continue;
      const std::int64_t at = slice * first.step + tap.shift;
      const T* from = at < 0 || at >= first.source ? nullptr : source + (c * first.source + at) * area;
      for (std::int64_t phase1 : one_.phase)
        for (std::int64_t phase2 : two_.phase) {
          fill_plane(from, row, phase1, phase2, plane);
          plane += plane_;
        }
    }
  }
  return to;
}

template const float* ConvPlanes::fill(const float*, std::int64_t, std::int64_t, std::int64_t, float*) const;
template const double* ConvPlanes::fill(const double*, std::int64_t, std::int64_t, std::int64_t,
                                        double*) const;

}  // namespace cadena::kernels
