#include "autodiff/kernels/map.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <optional>

#include "autodiff/kernels/collapse.hpp"
#include "autodiff/kernels/copy.hpp"
#include "autodiff/kernels/expand.hpp"
#include "autodiff/kernels/parallel.hpp"
#include "autodiff/kernels/scratch.hpp"

namespace cadena::kernels {

namespace {

constexpr std::int64_t chunk = 1 << 13;     // elements of a task
constexpr std::int64_t piece_limit = 1024;  // elements that are written out at a time
constexpr std::int64_t long_row = 512;      // rows from this length on are worked on where they lie
constexpr std::int64_t plain_row = 64;      // the same where no operand has to be written out

const unsigned char* at(const void* p, std::int64_t element, std::size_t itemsize) {
  return static_cast<const unsigned char*>(p) + element * static_cast<std::int64_t>(itemsize);
}

/// f(T()) for a T of so many bytes.
template <class F>
void with_item(std::size_t itemsize, const F& f) {
  if (itemsize == 4)
    f(std::uint32_t());
  else if (itemsize == 8)
    f(std::uint64_t());
  else
    f(std::uint8_t());
}

/// How an operand reaches the loop: where it lies, as a register full of its one value, or written out.
enum class Way : std::uint8_t { absent, direct, splat, written };

struct Part {
  Way way = Way::absent;
  const void* data = nullptr;
  std::size_t itemsize = 0;
  Strides outer = {};       ///< over the dimensions outside of a row
  Loops<1> row = {};        ///< the dimensions of a row, merged as far as this operand allows
  std::int64_t period = 0;  ///< elements of a row after which it repeats; the row's length if it does not
};

/// A map over rows, which are the innermost dimensions, as many as make a row long enough. Rows are cut into
/// pieces; a piece that is written out has at most `piece_limit` elements and ends where inner dimensions
/// end.
struct Rows {
  Shape outer;
  std::int64_t row = 1, rows = 1, piece = chunk;
  Part parts[map_max_inputs];
  int count;

  Rows(const Shape& shape, const MapInput* in, int n_inputs, bool splats, std::int64_t least)
      : count(n_inputs) {
    int first = shape.rank();
    while (first > 0 && row < least) row *= shape[--first];
    std::int64_t unit = 1;  // the largest product of inner dimensions that a piece can hold
    for (int d = shape.rank() - 1; d >= first && unit * shape[d] <= piece_limit; --d) unit *= shape[d];
    for (int d = 0; d < first; ++d) outer.push_back(shape[d]), rows *= shape[d];
    for (int i = 0; i < n_inputs; ++i) {
      if (!in[i].data) continue;
      Part& p = parts[i];
      p = {Way::written, in[i].data, in[i].itemsize, {}, {}, row};
      for (int d = 0; d < first; ++d) p.outer.push_back(in[i].strides[d]);
      Loops<1> inner;
      for (int d = first; d < shape.rank(); ++d) {
        inner.shape.push_back(shape[d]);
        inner.strides[0].push_back(in[i].strides[d]);
      }
      p.row = collapse(inner);
      if (p.row.shape.rank() == 0) p.row = {{1}, {Strides{1}}};
      if (p.row.shape.rank() == 1 && p.row.strides[0][0] == 1) p.way = Way::direct;
      if (p.row.shape.rank() == 1 && p.row.strides[0][0] == 0 && splats) p.way = Way::splat;
      if (p.row.strides[0][0] == 0) p.period = p.row.shape.rank() == 1 ? 1 : row / p.row.shape[0];
      if (p.way == Way::written) piece = piece_limit / unit * unit;
    }
  }
};

/// Rows of operands that are all read where they lie or repeat one value: a call of the loop each, with
/// little around it. @return false, and nothing is done, if these are no such rows
bool map_plain_rows(MapLoop loop, const void* op, void* out, std::size_t out_itemsize, const Rows& map,
                    std::int64_t n) {
  if (map.outer.rank() == 0 || map.row > chunk) return false;
  constexpr auto most = static_cast<std::size_t>(map_max_inputs);
  std::array<Strides, most> steps;
  unsigned splat = 0;
  for (std::size_t i = 0; i < most; ++i) {
    const Part& p = map.parts[i];
    const bool used = i < static_cast<std::size_t>(map.count) && p.way != Way::absent;
    if (used && p.way == Way::written) return false;
    if (used && p.way == Way::splat) splat |= 1U << i;
    for (int d = 0; d < map.outer.rank(); ++d) steps[i].push_back(used ? p.outer[d] : 0);
  }
  const int last = map.outer.rank() - 1;
  const std::int64_t group = std::max<std::int64_t>(1, chunk / map.row);
  for_blocks((map.rows + group - 1) / group, n >= map_parallel_from, [&](std::int64_t b) {
    alignas(64) unsigned char repeated[most][64];
    const std::int64_t end = std::min(map.rows, (b + 1) * group);
    for (std::int64_t r = b * group; r < end;) {
      const auto start = offsets_of(map.outer, steps, r);
      const std::int64_t run = std::min(end - r, map.outer[last] - r % map.outer[last]);
      const void* at_row[most] = {};
      const void* operands[most] = {};
      for (std::size_t i = 0; i < static_cast<std::size_t>(map.count); ++i)
        if (map.parts[i].data)
          at_row[i] = operands[i] = at(map.parts[i].data, start[i], map.parts[i].itemsize);
      for (std::int64_t k = 0; k < run; ++k, ++r) {
        for (std::size_t i = 0; i < static_cast<std::size_t>(map.count); ++i) {
          const auto bytes = map.parts[i].itemsize;
          if (splat >> i & 1U && (k == 0 || steps[i][last] != 0)) {
            with_item(bytes, [&]<class T>(T) {
              splat_row(*static_cast<const T*>(at_row[i]), reinterpret_cast<T*>(repeated[i]), 64 / sizeof(T));
            });
            operands[i] = repeated[i];
          } else if (!(splat >> i & 1U)) {
            operands[i] = at_row[i];
          }
          if (at_row[i]) at_row[i] = at(at_row[i], steps[i][last], bytes);
        }
        loop(op, static_cast<unsigned char*>(out) + r * map.row * static_cast<std::int64_t>(out_itemsize),
             operands, splat, map.row);
      }
    }
  });
  return true;
}

/// The pieces of one task, in order, with what is written out for one and may serve the next.
class Task {
 public:
  Task(const Rows& map, std::int64_t first) : map_(map), pieces_((map.row + map.piece - 1) / map.piece) {
    part_ = first % pieces_;
    std::int64_t rest = first / pieces_;
    for (int d = map.outer.rank() - 1; d >= 0; rest /= map.outer[d--]) {
      index_[static_cast<std::size_t>(d)] = rest % map.outer[d];
      for (int i = 0; i < map.count; ++i)
        if (map.parts[i].data) offset_[i] += rest % map.outer[d] * map.parts[i].outer[d];
    }
    std::fill_n(written_, map_max_inputs, nothing);
  }

  std::int64_t start() const { return part_ * map_.piece; }
  std::int64_t length() const { return std::min(map_.piece, map_.row - start()); }

  const void* operand(int i) {
    const Part& p = map_.parts[i];
    if (p.way == Way::absent) return nullptr;
    const void* row = at(p.data, offset_[i], p.itemsize);
    if (p.way == Way::direct) return at(row, start(), p.itemsize);
    const bool repeats = map_.piece % p.period == 0;
    if (written_[i] == offset_[i] && repeats) return buffer_[i];
    written_[i] = repeats ? offset_[i] : nothing;
    with_item(p.itemsize, [&]<class T>(T) {
      T* to = reinterpret_cast<T*>(buffer_[i]);
      if (p.way == Way::splat)
        splat_row(*static_cast<const T*>(row), to, 64 / static_cast<std::int64_t>(sizeof(T)));
      else
        expand(static_cast<const T*>(row), p.row, repeats ? 0 : start(),
               repeats ? std::min(map_.piece, map_.row) : length(), to);
    });
    return buffer_[i];
  }

  void next() {
    if (++part_ < pieces_) return;
    part_ = 0;
    for (int d = map_.outer.rank() - 1; d >= 0; --d) {
      const bool carry = ++index_[static_cast<std::size_t>(d)] == map_.outer[d];
      for (int i = 0; i < map_.count; ++i)
        if (map_.parts[i].data) offset_[i] += map_.parts[i].outer[d] * (carry ? 1 - map_.outer[d] : 1);
      if (!carry) return;
      index_[static_cast<std::size_t>(d)] = 0;
    }
  }

 private:
  static constexpr std::int64_t nothing = std::numeric_limits<std::int64_t>::min();

  const Rows& map_;
  std::int64_t pieces_, part_;
  std::array<std::int64_t, max_rank> index_{};
  std::int64_t offset_[map_max_inputs] = {}, written_[map_max_inputs];
  alignas(64) unsigned char buffer_[map_max_inputs][piece_limit * 8 + expand_slack];
};

void map_rows(MapLoop loop, const void* op, void* out, std::size_t out_itemsize, const Rows& map,
              std::int64_t n) {
  const std::int64_t pieces = (map.row + map.piece - 1) / map.piece, all = map.rows * pieces;
  const std::int64_t group = std::max<std::int64_t>(1, chunk / std::min(map.row, map.piece));
  unsigned splat = 0;
  for (int i = 0; i < map.count; ++i)
    if (map.parts[i].way == Way::splat) splat |= 1U << i;
  for_blocks((all + group - 1) / group, n >= map_parallel_from, [&](std::int64_t b) {
    Task task(map, b * group);
    for (std::int64_t u = b * group; u < std::min(all, (b + 1) * group); ++u, task.next()) {
      const void* operands[map_max_inputs];
      for (int i = 0; i < map.count; ++i) operands[i] = task.operand(i);
      const std::int64_t start = u / pieces * map.row + task.start();
      loop(op, static_cast<unsigned char*>(out) + start * static_cast<std::int64_t>(out_itemsize), operands,
           splat, task.length());
    }
  });
}

}  // namespace

Strides broadcast_strides(const Shape& shape, const Strides& strides, const Shape& out) {
  Strides result;
  const int missing = out.rank() - shape.rank();
  for (int d = 0; d < out.rank(); ++d)
    result.push_back(d < missing || shape[d - missing] == 1 ? 0 : strides[d - missing]);
  return result;
}

void map_in_chunks(MapLoop loop, const void* op, void* out, std::size_t out_itemsize, const void* const* in,
                   const std::size_t* itemsizes, int n_inputs, unsigned splat, std::int64_t n) {
  for_blocks((n + chunk - 1) / chunk, n >= map_parallel_from, [&](std::int64_t b) {
    const void* operands[map_max_inputs];
    for (int i = 0; i < n_inputs; ++i)
      operands[i] = !in[i] || splat >> i & 1U ? in[i] : at(in[i], b * chunk, itemsizes[i]);
    loop(op, static_cast<unsigned char*>(out) + b * chunk * static_cast<std::int64_t>(out_itemsize), operands,
         splat, std::min(chunk, n - b * chunk));
  });
}

void map(MapLoop loop, Splats splats, const void* op, void* out, std::size_t out_itemsize, const Shape& shape,
         const MapInput* in, int n_inputs) {
  const std::int64_t n = shape.numel();
  if (n == 0) return;
  Loops<map_max_inputs + 1> loops{shape, {}};
  const Strides dense = contiguous_strides(shape);
  for (std::size_t i = 0; i <= map_max_inputs; ++i) {
    const bool used = i < static_cast<std::size_t>(n_inputs) && in[i].data;
    loops.strides[i] = used ? in[i].strides : dense;
  }
  loops = collapse(loops);
  if (loops.shape.rank() == 0) {
    loops.shape.push_back(1);
    for (auto& s : loops.strides) s.push_back(1);
  }
  MapInput operands[map_max_inputs];
  std::optional<Scratch<unsigned char>> copies[map_max_inputs];
  const Strides collapsed = contiguous_strides(loops.shape);
  for (int i = 0; i < n_inputs; ++i) {
    operands[i] = {in[i].data, in[i].itemsize, loops.strides[static_cast<std::size_t>(i)]};
    if (!operands[i].data) continue;
    // Walking a large operand against its memory order is slow; the tiled copy turns it around first.
    const Strides& steps = operands[i].strides;
    const bool against = std::any_of(steps.begin(), steps.end(), [&](std::int64_t s) {
      return s != 0 && std::abs(s) < std::abs(steps.back());
    });
    if (n > piece_limit && against && in[i].itemsize > 1) {
      copies[i].emplace(n * static_cast<std::int64_t>(in[i].itemsize));
      const DType unit = in[i].itemsize == 4 ? f32 : i64;
      copy({const_cast<void*>(operands[i].data), unit, loops.shape, operands[i].strides},
           {copies[i]->get(), unit, loops.shape, collapsed});
      operands[i] = {copies[i]->get(), in[i].itemsize, collapsed};
    }
  }
  const auto rows = [&](std::int64_t least) {
    return Rows(loops.shape, operands, n_inputs, splats == Splats::yes, least);
  };
  if (loops.shape.back() >= plain_row && loops.shape.back() < long_row &&
      map_plain_rows(loop, op, out, out_itemsize, rows(plain_row), n))
    return;
  map_rows(loop, op, out, out_itemsize, rows(long_row), n);
}

}  // namespace cadena::kernels
