#include "autodiff/kernels/index.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <type_traits>

#include "autodiff/kernels/collapse.hpp"
#include "autodiff/kernels/parallel.hpp"

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

// move(count, data, d_step, other, o_step) for one value of the index, or element by element. Additions at
// equal positions have equal coordinates but the axis, so a task that owns whole axes (`cut_axis` false) adds
// them in order.
template <class T, class Move>
void run(const Walk& w, bool cut_axis, const View& data, const View& index, const View& other,
         const Move& move) {
  const std::int64_t count = w.outer.shape.numel(), work = count * w.n * w.width;
  if (work == 0) return;
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
      if (w.width == 1 && w.d_axis == 1 && w.i_axis == 1 && w.o_axis == 1) {
        for (std::int64_t j = first; j < last; ++j) move(1, d + i[j], 1, o + j, 1);
        continue;
      }
      for (std::int64_t j = first; j < last; ++j) {
        if (w.width == 1) {  // a constant, which leaves no loop
          move(1, d + i[j * w.i_axis] * w.d_axis, 1, o + j * w.o_axis, 1);
        } else if (w.i_step == 0) {
          move(width, d + i[j * w.i_axis] * w.d_axis, w.d_step, o + j * w.o_axis, w.o_step);
        } else {
          for (std::int64_t m = 0; m < width; ++m)
            move(1, d + i[j * w.i_axis + m * w.i_step] * w.d_axis + m * w.d_step, 1,
                 o + j * w.o_axis + m * w.o_step, 1);
        }
      }
    }
  });
}

template <class T>
void read(std::int64_t n, const T* data, std::int64_t d_step, T* out, std::int64_t o_step) {
  if (d_step == 1 && o_step == 1 && n > 1)
    std::memcpy(out, data, static_cast<std::size_t>(n) * sizeof(T));
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

void read_all(const View& x, int axis, const View& index, const View& out) {
  const Walk w = walk_of(x, axis, index, out);
  as_bits(x.dtype, [&]<class T>(T) {
    run<T>(w, true, x, index, out,
           [](std::int64_t n, const T* d, std::int64_t ds, T* o, std::int64_t os) { read(n, d, ds, o, os); });
  });
}

void write_all(const View& into, int axis, const View& index, const View& src) {
  const Walk w = walk_of(into, axis, index, src);
  as_bits(into.dtype, [&]<class T>(T) {
    run<T>(w, false, into, index, src,
           [](std::int64_t n, T* d, std::int64_t ds, const T* s, std::int64_t ss) { read(n, s, ss, d, ds); });
  });
}

template <class T>
T combined(Combine op, T a, T b) {
  if (op == Combine::max) return a != a || a > b ? a : b;
  if (op == Combine::min) return a != a || a < b ? a : b;
  if constexpr (std::is_same_v<T, std::int64_t>)
    return static_cast<T>(static_cast<std::uint64_t>(a) * static_cast<std::uint64_t>(b));
  else
    return a * b;
}

void combine_all(Combine op, const View& into, int axis, const View& index, const View& src) {
  const Walk w = walk_of(into, axis, index, src);
  as_numbers(into.dtype, [&]<class T>(T) {
    run<T>(w, false, into, index, src,
           [op](std::int64_t n, T* d, std::int64_t ds, const T* s, std::int64_t ss) {
             for (std::int64_t i = 0; i < n; ++i) d[i * ds] = combined(op, d[i * ds], s[i * ss]);
           });
  });
}

void add_all(const View& into, int axis, const View& index, const View& src) {
  const Walk w = walk_of(into, axis, index, src);
  as_numbers(into.dtype, [&]<class T>(T) {
    run<T>(w, false, into, index, src,
           [](std::int64_t n, T* d, std::int64_t ds, const T* s, std::int64_t ss) { add(n, d, ds, s, ss); });
  });
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

std::int64_t extent_of(const View& x, int axis) { return x.shape.empty() ? 1 : x.shape[axis]; }

}  // namespace

std::optional<std::int64_t> find_bad_index(const View& index, std::int64_t extent) {
  Loops<1> loops = collapse(Loops<1>{index.shape, {index.strides}});
  for (auto e : index.shape)
    if (e == 0) return std::nullopt;
  std::int64_t n = 1, step = 0;
  if (const int last = loops.shape.rank() - 1; last >= 0) {
    n = loops.shape[last], step = loops.strides[0][last];
    loops.shape.erase(last);
    loops.strides[0].erase(last);
  }
  std::optional<std::int64_t> bad;
  const auto outside = [&](std::int64_t v) {
    return static_cast<std::uint64_t>(v) >= static_cast<std::uint64_t>(extent);
  };
  for_each_index(loops.shape, loops.strides, [&](const auto& at) {
    if (bad) return;
    const std::int64_t* i = index.as<std::int64_t>() + at[0];
    std::uint64_t largest = 0;  // also of negative ones; without an exit the loop is vectorised
    if (step == 1)
      for (std::int64_t j = 0; j < n; ++j) largest = std::max(largest, static_cast<std::uint64_t>(i[j]));
    else
      for (std::int64_t j = 0; j < n; ++j)
        largest = std::max(largest, static_cast<std::uint64_t>(i[j * step]));
    for (std::int64_t j = 0; largest >= static_cast<std::uint64_t>(extent) && !bad; ++j)
      if (outside(i[j * step])) bad = i[j * step];
  });
  return bad;
}

std::optional<std::int64_t> gather(const View& x, int axis, const View& index, const View& out) {
  if (auto bad = find_bad_index(index, extent_of(x, axis))) return bad;
  read_all(x, axis, index, out);
  return std::nullopt;
}

std::optional<std::int64_t> scatter_add(const View& into, int axis, const View& index, const View& src) {
  if (auto bad = find_bad_index(index, extent_of(into, axis))) return bad;
  add_all(into, axis, index, src);
  return std::nullopt;
}

std::optional<std::int64_t> index_select(const View& x, int axis, const View& index, const View& out) {
  if (auto bad = find_bad_index(index, extent_of(x, axis))) return bad;
  read_all(x, axis, spread(index, axis, out.shape), out);
  return std::nullopt;
}

std::optional<std::int64_t> index_add(const View& into, int axis, const View& index, const View& src) {
  if (auto bad = find_bad_index(index, extent_of(into, axis))) return bad;
  add_all(into, axis, spread(index, axis, src.shape), src);
  return std::nullopt;
}

std::optional<std::int64_t> scatter(const View& into, int axis, const View& index, const View& src) {
  if (auto bad = find_bad_index(index, extent_of(into, axis))) return bad;
  write_all(into, axis, index, src);
  return std::nullopt;
}

std::optional<std::int64_t> scatter_combine(Combine op, const View& into, int axis, const View& index,
                                            const View& src) {
  if (auto bad = find_bad_index(index, extent_of(into, axis))) return bad;
  combine_all(op, into, axis, index, src);
  return std::nullopt;
}

std::optional<BadIndex> add_index_offsets(const View& index, std::int64_t extent, std::int64_t stride,
                                          std::int64_t* offsets) {
  std::optional<BadIndex> bad;
  std::int64_t at = 0;
  const Loops<1> loops = collapse(Loops<1>{index.shape, {index.strides}});
  for (auto e : index.shape)
    if (e == 0) return bad;
  for_each_index(loops.shape, loops.strides, [&](const auto& offset) {
    const std::int64_t value = index.as<std::int64_t>()[offset[0]], i = value < 0 ? value + extent : value;
    if (!bad && (i < 0 || i >= extent)) bad = BadIndex{at, value};
    if (!bad) offsets[at] += i * stride;
    ++at;
  });
  return bad;
}

void read_offsets(const View& x, int axis, const View& offsets, const View& out) {
  read_all(x, axis, spread(offsets, axis, out.shape), out);
}
void write_offsets(const View& x, int axis, const View& offsets, const View& src) {
  write_all(x, axis, spread(offsets, axis, src.shape), src);
}
void add_offsets(const View& x, int axis, const View& offsets, const View& src) {
  add_all(x, axis, spread(offsets, axis, src.shape), src);
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
