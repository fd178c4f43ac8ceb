#include "autodiff/kernels/index.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstring>
#include <limits>
#include <type_traits>
#include <utility>

#include "autodiff/kernels/collapse.hpp"
#include "autodiff/kernels/parallel.hpp"
#include "autodiff/kernels/scratch.hpp"

namespace cadena::kernels {
namespace {

constexpr std::int64_t task_work = 16384;  // elements

// All loops walk the index: its axis (j), one more dimension (k), and the rest (outer). Strides are those of
// {data, index, other}, where data moves along the axis by d_axis per index value.
struct Walk {
  Loops<3> outer;
  std::int64_t n, d_axis, i_axis, o_axis;
  std::int64_t width = 1, d_step = 0, i_step = 0, o_step = 0;
};

Walk walk_of(const View& data, int axis, const View& index, const View& other) {
  Walk w{{}, 1, 0, 0, 0};
  if (index.shape.empty()) {
    w.d_axis = 1;
    return w;
  }
  w.n = index.shape[axis], w.d_axis = data.strides[axis], w.i_axis = index.strides[axis];
  w.o_axis = other.strides[axis];
  Loops<3> lines{index.shape, {data.strides, index.strides, other.strides}};
  lines.shape.erase(axis);
  for (auto& s : lines.strides) s.erase(axis);
  w.outer = collapse(lines);
  // Short axes get a long loop over another dimension; a long last axis is one itself.
  if (w.outer.shape.empty() || (axis == index.shape.rank() - 1 && w.n >= 16)) return w;
  const int last = w.outer.shape.rank() - 1;
  w.width = w.outer.shape[last];
  w.d_step = w.outer.strides[0][last], w.i_step = w.outer.strides[1][last],
  w.o_step = w.outer.strides[2][last];
  w.outer.shape.erase(last);
  for (auto& s : w.outer.strides) s.erase(last);
  return w;
}

constexpr std::int64_t unchecked = -1;

// Whether all of n steps of `width` indices are in [0, extent).
bool all_within(std::int64_t extent, const std::int64_t* i, std::int64_t n, std::int64_t step,
                std::int64_t width, std::int64_t w_step) {
  std::uint64_t largest = 0;  // also of negative ones; without an exit the loops are vectorised
  const auto see = [&](std::int64_t v) { largest = std::max(largest, static_cast<std::uint64_t>(v)); };
  for (std::int64_t j = 0; j < (w_step == 0 || width == 1 ? 0 : n); ++j)
    for (std::int64_t m = 0; m < width; ++m) see(i[j * step + m * w_step]);
  if (w_step != 0 && width > 1) return largest < static_cast<std::uint64_t>(extent);
  if (step == 1)
    for (std::int64_t j = 0; j < n; ++j) see(i[j]);
  else
    for (std::int64_t j = 0; j < n; ++j) see(i[j * step]);
  return largest < static_cast<std::uint64_t>(extent);
}

// The steps of a task. Loops of their own, which keep to registers what they use.
template <class T, class Move>
[[gnu::noinline]] void move_line(std::int64_t n, T* d, const std::int64_t* i, T* o, const Move& move) {
#pragma GCC unroll 4
  for (std::int64_t j = 0; j < n; ++j) move(1, d + i[j], 1, o + j, 1);
}
template <class T, class Move>
[[gnu::noinline]] void move_elements(std::int64_t n, T* d, std::int64_t d_axis, const std::int64_t* i,
                                     std::int64_t i_axis, T* o, std::int64_t o_axis, const Move& move) {
#pragma GCC unroll 4
  for (std::int64_t j = 0; j < n; ++j) move(1, d + i[j * i_axis] * d_axis, 1, o + j * o_axis, 1);
}
template <class T, class Move>
void move_rows(const Walk& w, std::int64_t n, std::int64_t width, T* d, const std::int64_t* i, T* o,
               const Move& move) {
  const std::int64_t d_axis = w.d_axis, d_step = w.d_step, i_step = w.i_step, o_step = w.o_step;
  for (std::int64_t j = 0; j < n; ++j, i += w.i_axis, o += w.o_axis) {
    if (i_step == 0)
      move(width, d + *i * d_axis, d_step, o, o_step);
    else
      for (std::int64_t m = 0; m < width; ++m)
        move(1, d + i[m * i_step] * d_axis + m * d_step, 1, o + m * o_step, 1);
  }
}

// move(count, data, d_step, other, o_step) for one value of the index, or element by element. Additions at
// equal positions have equal coordinates but the axis, so a task that owns whole axes (`cut_axis` false) adds
// them in order. Each task looks at its indices first, while it brings them into the cache, and stops if one
// is outside the extent; false if any did.
template <class T, class Move>
bool run(const Walk& w, bool cut_axis, std::int64_t extent, const View& data, const View& index,
         const View& other, const Move& move) {
  const std::int64_t count = w.outer.shape.numel(), work = count * w.n * w.width;
  if (work == 0) return true;
  std::atomic<bool> good = true;
  const std::int64_t k_piece = std::min<std::int64_t>(w.width, 2048),
                     k_pieces = (w.width + k_piece - 1) / k_piece;
  const std::int64_t j_piece = cut_axis ? std::clamp<std::int64_t>(task_work / k_piece, 1, w.n) : w.n;
  const std::int64_t j_pieces = (w.n + j_piece - 1) / j_piece, tasks = count * k_pieces * j_pieces;
  const std::int64_t group = std::max<std::int64_t>(1, task_work / (k_piece * j_piece));
  for_blocks((tasks + group - 1) / group, work >= 4 * task_work, [&](std::int64_t block) {
    for (std::int64_t t = block * group; t < std::min(tasks, (block + 1) * group); ++t) {
      const auto at = offsets_of(w.outer.shape, w.outer.strides, t / (k_pieces * j_pieces));
      const std::int64_t k = t / j_pieces % k_pieces * k_piece, width = std::min(k_piece, w.width - k);
      const std::int64_t first = t % j_pieces * j_piece, last = std::min(w.n, first + j_piece);
      T* d = data.as<T>() + at[0] + k * w.d_step;
      const std::int64_t* i = index.as<std::int64_t>() + at[1] + k * w.i_step;
      T* o = other.as<T>() + at[2] + k * w.o_step;
      if (extent != unchecked &&
          !all_within(extent, i + first * w.i_axis, last - first, w.i_axis, width, w.i_step)) {
        good.store(false, std::memory_order_relaxed);
        continue;
      }
      const std::int64_t *i_first = i + first * w.i_axis, n = last - first;
      T* o_first = o + first * w.o_axis;
      if (w.width == 1 && w.d_axis == 1 && w.i_axis == 1 && w.o_axis == 1)
        move_line(n, d, i_first, o_first, move);
      else if (w.width == 1)
        move_elements(n, d, w.d_axis, i_first, w.i_axis, o_first, w.o_axis, move);
      else
        move_rows(w, n, width, d, i_first, o_first, move);
    }
  });
  return good;
}

template <class T>
void read(std::int64_t n, const T* data, std::int64_t d_step, T* out, std::int64_t o_step) {
  if (d_step == 1 && o_step == 1 && n > 1)
    std::memcpy(out, data, static_cast<std::size_t>(n) * sizeof(T));
  else if (d_step == 0 && o_step == 1)
    std::fill_n(out, n, *data);
  else
    for (std::int64_t i = 0; i < n; ++i) out[i * o_step] = data[i * d_step];
}

template <class T>
void add(std::int64_t n, T* data, std::int64_t d_step, const T* src, std::int64_t s_step) {
  const auto one = [](T& to, T v) {
    if constexpr (std::is_same_v<T, std::int64_t>)  // wraps around
      to = static_cast<T>(static_cast<std::uint64_t>(to) + static_cast<std::uint64_t>(v));
    else
      to += v;
  };
  if (d_step == 1 && s_step == 1)
    for (std::int64_t i = 0; i < n; ++i) one(data[i], src[i]);
  else
    for (std::int64_t i = 0; i < n; ++i) one(data[i * d_step], src[i * s_step]);
}

// f with a type of the element's size
template <class F>
void as_bits(DType dtype, const F& f) {
  switch (itemsize(dtype)) {
    case 1:
      return f(std::uint8_t{});
    case 4:
      return f(std::uint32_t{});
    default:
      return f(std::uint64_t{});
  }
}
template <class F>
void as_numbers(DType dtype, const F& f) {
  if (dtype == f32)
    f(float{});
  else if (dtype == f64)
    f(double{});
  else
    f(std::int64_t{});
}

// f(a constant) for the short, even rows that embeddings and colours have; whether it was one.
template <class F>
bool with_short_width(const Walk& w, const F& f) {
  if (w.i_step != 0 || w.d_step != 1 || w.o_step != 1) return false;
  const auto known = [&]<int... width>(std::integer_sequence<int, width...>) {
    return ((w.width == width && (f(std::integral_constant<std::size_t, width>()), true)) || ...);
  };
  return known(std::integer_sequence<int, 2, 3, 4, 8, 16, 32>());
}

bool read_all(const View& x, int axis, std::int64_t extent, const View& index, const View& out) {
  const Walk w = walk_of(x, axis, index, out);
  bool good = true;
  as_bits(x.dtype, [&]<class T>(T) {
    const auto short_rows = [&](auto width) {
      good = run<T>(w, true, extent, x, index, out,
                    [](std::int64_t, const T* d, std::int64_t, T* o, std::int64_t) {
                      std::memcpy(o, d, decltype(width)::value * sizeof(T));
                    });
    };
    if (with_short_width(w, short_rows)) return;
    good = run<T>(
        w, true, extent, x, index, out,
        [](std::int64_t n, const T* d, std::int64_t ds, T* o, std::int64_t os) { read(n, d, ds, o, os); });
  });
  return good;
}

bool write_all(const View& into, int axis, std::int64_t extent, const View& index, const View& src) {
  const Walk w = walk_of(into, axis, index, src);
  bool good = true;
  as_bits(into.dtype, [&]<class T>(T) {
    good = run<T>(
        w, false, extent, into, index, src,
        [](std::int64_t n, T* d, std::int64_t ds, const T* s, std::int64_t ss) { read(n, s, ss, d, ds); });
  });
  return good;
}

template <Combine op, class T>
void combine_into(T& a, T b) {
  if constexpr (op == Combine::prod && std::is_same_v<T, std::int64_t>)
    a = static_cast<T>(static_cast<std::uint64_t>(a) * static_cast<std::uint64_t>(b));
  else if constexpr (op == Combine::prod)
    a *= b;
  else if (!(a != a ||
             (op == Combine::max ? a > b : a < b)))  // rarely: what is not written is not waited for
    a = b;
}

bool combine_all(Combine op, const View& into, int axis, std::int64_t extent, const View& index,
                 const View& src) {
  const Walk w = walk_of(into, axis, index, src);
  bool good = true;
  as_numbers(into.dtype, [&]<class T>(T) {
    const auto by = [&]<Combine known>(std::integral_constant<Combine, known>) {
      good = run<T>(w, false, extent, into, index, src,
                    [](std::int64_t n, T* d, std::int64_t ds, const T* s, std::int64_t ss) {
                      for (std::int64_t i = 0; i < n; ++i) combine_into<known>(d[i * ds], s[i * ss]);
                    });
    };
    if (op == Combine::max) return by(std::integral_constant<Combine, Combine::max>());
    if (op == Combine::min) return by(std::integral_constant<Combine, Combine::min>());
    by(std::integral_constant<Combine, Combine::prod>());
  });
  return good;
}

bool add_all(const View& into, int axis, std::int64_t extent, const View& index, const View& src) {
  const Walk w = walk_of(into, axis, index, src);
  bool good = true;
  as_numbers(into.dtype, [&]<class T>(T) {
    good = run<T>(
        w, false, extent, into, index, src,
        [](std::int64_t n, T* d, std::int64_t ds, const T* s, std::int64_t ss) { add(n, d, ds, s, ss); });
  });
  return good;
}

// A vector of indices seen from every position of `shape`: its step is 0 along all other dimensions.
View spread(const View& index, int axis, const Shape& shape) {
  View v{index.data, index.dtype, shape, {}};
  for (int d = 0; d < shape.rank(); ++d)
    v.strides.push_back(d == axis && !index.shape.empty() ? index.strides[0] : 0);
  if (!shape.empty()) v.shape[axis] = index.shape.numel();
  return v;
}

// f(coordinates but the last, number of the line's first element, its length) for all lines along the last
// dimension.
template <class F>
void for_each_line(const Shape& shape, const F& f) {
  const std::int64_t n = shape.empty() ? 1 : shape.back(), lines = n == 0 ? 0 : shape.numel() / n;
  std::array<std::int64_t, max_rank> at{};
  for (std::int64_t line = 0; line < lines; ++line) {
    f(at, line * n, n);
    for (int d = shape.rank() - 2; d >= 0; --d) {
      if (++at[static_cast<std::size_t>(d)] < shape[d]) break;
      at[static_cast<std::size_t>(d)] = 0;
    }
  }
}

// f(number of the first, i, n, step) for all stretches of evenly stepping indices, in row-major order.
template <class F>
void for_each_run(const View& index, const F& f) {
  Loops<1> loops = collapse(Loops<1>{index.shape, {index.strides}});
  std::int64_t n = 1, step = 0, at = 0;
  if (const int last = loops.shape.rank() - 1; last >= 0) {
    n = loops.shape[last], step = loops.strides[0][last];
    loops.shape.erase(last);
    loops.strides[0].erase(last);
  }
  if (n == 0) return;
  for_each_index(loops.shape, loops.strides, [&](const auto& offset) {
    f(at, index.as<std::int64_t>() + offset[0], n, step);
    at += n;
  });
}

std::int64_t extent_of(const View& x, int axis) { return x.shape.empty() ? 1 : x.shape[axis]; }

}  // namespace

std::optional<std::int64_t> find_bad_index(const View& index, std::int64_t extent) {
  std::optional<std::int64_t> bad;
  View once = index;  // along dimensions in which it repeats
  for (int d = 0; d < once.shape.rank(); ++d)
    if (once.strides[d] == 0) once.shape[d] = std::min<std::int64_t>(once.shape[d], 1);
  for_each_run(once, [&](std::int64_t, const std::int64_t* i, std::int64_t n, std::int64_t step) {
    if (bad) return;
    std::uint64_t largest = 0;  // also of negative ones; without an exit the loop is vectorised
    if (step == 1)
      for (std::int64_t j = 0; j < n; ++j) largest = std::max(largest, static_cast<std::uint64_t>(i[j]));
    else
      for (std::int64_t j = 0; j < n; ++j)
        largest = std::max(largest, static_cast<std::uint64_t>(i[j * step]));
    for (std::int64_t j = 0; largest >= static_cast<std::uint64_t>(extent) && !bad; ++j)
      if (static_cast<std::uint64_t>(i[j * step]) >= static_cast<std::uint64_t>(extent)) bad = i[j * step];
  });
  return bad;
}

namespace {

// Looks for the bad index that a run came across. A run over nothing looks at no index.
std::optional<std::int64_t> bad_index_after(bool good, const View& moved, const View& index,
                                            std::int64_t extent) {
  if (good && moved.shape.numel() > 0) return std::nullopt;
  return find_bad_index(index, extent);
}

}  // namespace

std::optional<std::int64_t> gather(const View& x, int axis, const View& index, const View& out) {
  const std::int64_t extent = extent_of(x, axis);
  return bad_index_after(read_all(x, axis, extent, index, out), out, index, extent);
}

std::optional<std::int64_t> scatter_add(const View& into, int axis, const View& index, const View& src) {
  const std::int64_t extent = extent_of(into, axis);
  return bad_index_after(add_all(into, axis, extent, index, src), index, index, extent);
}

std::optional<std::int64_t> index_select(const View& x, int axis, const View& index, const View& out) {
  const std::int64_t extent = extent_of(x, axis);
  return bad_index_after(read_all(x, axis, extent, spread(index, axis, out.shape), out), out, index, extent);
}

std::optional<std::int64_t> index_add(const View& into, int axis, const View& index, const View& src) {
  const std::int64_t extent = extent_of(into, axis);
  return bad_index_after(add_all(into, axis, extent, spread(index, axis, src.shape), src), src, index,
                         extent);
}

std::optional<std::int64_t> scatter(const View& into, int axis, const View& index, const View& src) {
  const std::int64_t extent = extent_of(into, axis);
  return bad_index_after(write_all(into, axis, extent, index, src), index, index, extent);
}

std::optional<std::int64_t> scatter_combine(Combine op, const View& into, int axis, const View& index,
                                            const View& src) {
  const std::int64_t extent = extent_of(into, axis);
  return bad_index_after(combine_all(op, into, axis, extent, index, src), index, index, extent);
}

std::optional<BadIndex> index_offsets(const View& index, std::int64_t extent, std::int64_t stride, bool add,
                                      std::int64_t* offsets) {
  std::optional<BadIndex> bad;
  const auto positive = [extent](std::int64_t v) {
    return static_cast<std::uint64_t>(v) + (v < 0 ? static_cast<std::uint64_t>(extent) : 0);
  };
  const auto factor = static_cast<std::uint64_t>(stride);
  for_each_run(index, [&](std::int64_t at, const std::int64_t* i, std::int64_t n, std::int64_t step) {
    std::uint64_t largest = 0;
    const auto all = [&](auto s) {
      for (std::int64_t j = 0; j < n; ++j) {
        const std::uint64_t p = positive(i[j * s]);
        largest = std::max(largest, p);
        offsets[at + j] = static_cast<std::int64_t>(
            p * factor + (add ? static_cast<std::uint64_t>(offsets[at + j]) : std::uint64_t{0}));
      }
    };
    step == 1 ? all(std::integral_constant<std::int64_t, 1>()) : all(step);
    for (std::int64_t j = 0; largest >= static_cast<std::uint64_t>(extent) && !bad && j < n; ++j)
      if (positive(i[j * step]) >= static_cast<std::uint64_t>(extent)) bad = BadIndex{at + j, i[j * step]};
  });
  return bad;
}

void read_offsets(const View& x, int axis, const View& offsets, const View& out) {
  read_all(x, axis, unchecked, spread(offsets, axis, out.shape), out);
}
void write_offsets(const View& x, int axis, const View& offsets, const View& src) {
  write_all(x, axis, unchecked, spread(offsets, axis, src.shape), src);
}
void add_offsets(const View& x, int axis, const View& offsets, const View& src) {
  add_all(x, axis, unchecked, spread(offsets, axis, src.shape), src);
}

namespace {

template <class Number, class Inner>
void mark_last_of_line(std::int64_t n, Inner inner, const std::int64_t* index, Number* latest, bool* last) {
  for (std::int64_t j = 0; j < n; ++j)
    for (std::int64_t k = 0; k < inner; ++k)
      latest[index[j * inner + k] * inner + k] = static_cast<Number>(j);
  for (std::int64_t j = 0; j < n; ++j)
    for (std::int64_t k = 0; k < inner; ++k)
      last[j * inner + k] = latest[index[j * inner + k] * inner + k] == static_cast<Number>(j);
}

template <class Number>
void mark_last(std::int64_t outer, std::int64_t n, std::int64_t inner, std::int64_t extent,
               const std::int64_t* index, bool* last) {
  const std::int64_t each = n * inner,
                     group = std::max<std::int64_t>(1, task_work / std::max<std::int64_t>(each, 1));
  for_blocks((outer + group - 1) / group, outer * each >= 4 * task_work, [&](std::int64_t block) {
    const Scratch<Number> latest(extent * inner);  // read only where it was written for the same line
    for (std::int64_t o = block * group; o < std::min(outer, (block + 1) * group); ++o) {
      if (inner == 1)
        mark_last_of_line(n, std::integral_constant<std::int64_t, 1>(), index + o * each, latest.get(),
                          last + o * each);
      else
        mark_last_of_line(n, inner, index + o * each, latest.get(), last + o * each);
    }
  });
}

}  // namespace

void last_of_equals(std::int64_t outer, std::int64_t n, std::int64_t inner, std::int64_t extent,
                    const std::int64_t* index, bool* last) {
  if (n <= std::numeric_limits<std::uint32_t>::max())
    mark_last<std::uint32_t>(outer, n, inner, extent, index, last);
  else
    mark_last<std::int64_t>(outer, n, inner, extent, index, last);
}

void nonzero(const Shape& shape, const bool* x, std::int64_t* out) {
  for_each_line(shape, [&](const auto& at, std::int64_t first, std::int64_t n) {
    const int last = shape.rank() - 1;
    for (std::int64_t j = 0; j < n; ++j) {
      if (!x[first + j]) continue;
      for (int d = 0; d < last; ++d) out[d] = at[static_cast<std::size_t>(d)];
      if (last >= 0) out[last] = j;
      out += shape.rank();
    }
  });
}

void nonzero_offsets(const Shape& shape, const bool* x, const Strides& strides, std::int64_t* out) {
  for_each_line(shape, [&](const auto& at, std::int64_t first, std::int64_t n) {
    std::int64_t offset = 0;
    for (int d = 0; d + 1 < shape.rank(); ++d) offset += at[static_cast<std::size_t>(d)] * strides[d];
    const std::int64_t step = shape.empty() ? 0 : strides.back();
    // Written in any case, and kept where there is an element: no branch that could be mispredicted.
    for (std::int64_t j = 0; j < n; ++j) {
      *out = offset + j * step;
      out += x[first + j];
    }
  });
}

}  // namespace cadena::kernels
