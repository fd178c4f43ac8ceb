#include "autodiff/kernels/map.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>
#include <optional>

#include "autodiff/kernels/collapse.hpp"
#include "autodiff/kernels/copy.hpp"
#include "autodiff/kernels/parallel.hpp"
#include "autodiff/kernels/scratch.hpp"

namespace cadena::kernels {

namespace {

constexpr std::int64_t chunk = 1 << 13;
constexpr std::int64_t block = 1024;    // elements brought into contiguous form at a time
constexpr std::int64_t long_row = 128;  // rows from this length on are worked on where they lie

const unsigned char* at(const void* p, std::int64_t element, std::size_t itemsize) {
  return static_cast<const unsigned char*>(p) + element * static_cast<std::int64_t>(itemsize);
}

template <class T>
void copy_row(const T* from, std::int64_t stride, T* to, std::int64_t n) {
  if (stride == 1)
    std::memcpy(to, from, static_cast<std::size_t>(n) * sizeof(T));
  else if (stride == 0)
    std::fill_n(to, n, *from);
  else
    for (std::int64_t i = 0; i < n; ++i) to[i] = from[i * stride];
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

/// Elements [start, start + n) of an operand in row-major order, into `to`.
template <class T>
void gather(const MapInput& in, const Shape& shape, std::int64_t start, std::int64_t n, T* to) {
  const int last = shape.rank() - 1;
  std::array<std::int64_t, max_rank> index{};
  std::int64_t offset = 0;
  for (std::int64_t d = last, rest = start; d >= 0; --d) {
    const int i = static_cast<int>(d);
    index[static_cast<std::size_t>(i)] = rest % shape[i];
    rest /= shape[i];
    offset += index[static_cast<std::size_t>(i)] * in.strides[i];
  }
  auto& inner = index[static_cast<std::size_t>(last)];
  const std::int64_t row = shape[last], step = in.strides[last];
  while (n > 0) {
    const std::int64_t run = std::min(n, row - inner);
    copy_row(static_cast<const T*>(in.data) + offset, step, to, run);
    to += run;
    n -= run;
    offset += run * step;
    inner += run;
    for (int d = last; d > 0 && index[static_cast<std::size_t>(d)] == shape[d]; --d) {
      offset += in.strides[d - 1] - shape[d] * in.strides[d];
      index[static_cast<std::size_t>(d)] = 0;
      ++index[static_cast<std::size_t>(d) - 1];
    }
  }
}

/// How the output is cut into blocks: short rows are strung together, long ones cut.
struct Blocks {
  std::int64_t total, row, per_row, count;
  Blocks(std::int64_t n, std::int64_t inner) : total(n), row(inner) {
    per_row = row >= long_row ? (row + block - 1) / block : 0;
    count = per_row ? n / row * per_row : (n + block - 1) / block;
  }
  std::int64_t row_of(std::int64_t b) const { return per_row == 1 ? b : b / per_row; }
  std::int64_t start(std::int64_t b) const {
    return per_row ? row_of(b) * row + (b - row_of(b) * per_row) * block : b * block;
  }
  std::int64_t length(std::int64_t b) const {
    const std::int64_t end = per_row ? (row_of(b) + 1) * row : total;
    return std::min(block, end - start(b));
  }
  /// Where a block of a long row begins in an operand.
  std::int64_t offset(std::int64_t b, const Shape& shape, const Strides& strides) const {
    const int last = shape.rank() - 1;
    std::int64_t rest = row_of(b), offset = (b - rest * per_row) * block * strides[last];
    for (int d = last - 1; d > 0; rest /= shape[d--]) offset += rest % shape[d] * strides[d];
    return last > 0 ? offset + rest * strides[0] : offset;
  }
};

void map_strided(MapLoop loop, const void* op, void* out, std::size_t out_itemsize, const Shape& shape,
                 const MapInput* in, int n_inputs, std::int64_t n) {
  const int last = shape.rank() - 1;
  const Blocks blocks(n, shape[last]);
  const Strides dense = contiguous_strides(shape);
  auto run = [&](std::int64_t b) {
    alignas(64) unsigned char buffer[map_max_inputs][block * 8];
    const std::int64_t start = blocks.start(b), length = blocks.length(b);
    const void* operands[map_max_inputs];
    for (int i = 0; i < n_inputs; ++i) {
      operands[i] = in[i].data;
      if (!in[i].data) continue;
      if (in[i].strides == dense) {
        operands[i] = at(in[i].data, start, in[i].itemsize);
      } else if (blocks.per_row && in[i].strides[last] == 1) {
        operands[i] = at(in[i].data, blocks.offset(b, shape, in[i].strides), in[i].itemsize);
      } else {
        operands[i] = buffer[i];
        with_item(in[i].itemsize, [&]<class T>(T) {
          T* to = reinterpret_cast<T*>(buffer[i]);
          if (blocks.per_row)
            copy_row(static_cast<const T*>(in[i].data) + blocks.offset(b, shape, in[i].strides),
                     in[i].strides[last], to, length);
          else
            gather(in[i], shape, start, length, to);
        });
      }
    }
    loop(op, static_cast<unsigned char*>(out) + start * static_cast<std::int64_t>(out_itemsize), operands,
         length);
  };
  for_blocks(blocks.count, n >= map_parallel_from, run);
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
                   const std::size_t* itemsizes, int n_inputs, std::int64_t n) {
  for_blocks((n + chunk - 1) / chunk, true, [&](std::int64_t b) {
    const void* operands[map_max_inputs];
    for (int i = 0; i < n_inputs; ++i) operands[i] = in[i] ? at(in[i], b * chunk, itemsizes[i]) : nullptr;
    loop(op, static_cast<unsigned char*>(out) + b * chunk * static_cast<std::int64_t>(out_itemsize), operands,
         std::min(chunk, n - b * chunk));
  });
}

void map(MapLoop loop, const void* op, void* out, std::size_t out_itemsize, const Shape& shape,
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
  bool contiguous = true;
  const Strides collapsed = contiguous_strides(loops.shape);
  for (int i = 0; i < n_inputs; ++i) {
    operands[i] = {in[i].data, in[i].itemsize, loops.strides[static_cast<std::size_t>(i)]};
    if (!operands[i].data) continue;
    // Walking a large operand against its memory order is slow; the tiled copy turns it around first.
    const std::int64_t step = operands[i].strides.back();
    if (n > block && step != 0 && step != 1 && in[i].itemsize > 1) {
      copies[i].emplace(n * static_cast<std::int64_t>(in[i].itemsize));
      const DType unit = in[i].itemsize == 4 ? f32 : i64;
      copy({const_cast<void*>(operands[i].data), unit, loops.shape, operands[i].strides},
           {copies[i]->get(), unit, loops.shape, collapsed});
      operands[i] = {copies[i]->get(), in[i].itemsize, collapsed};
    }
    contiguous = contiguous && operands[i].strides == collapsed;
  }
  if (contiguous) {
    const void* pointers[map_max_inputs];
    std::size_t itemsizes[map_max_inputs];
    for (int i = 0; i < n_inputs; ++i) pointers[i] = operands[i].data, itemsizes[i] = operands[i].itemsize;
    map_contiguous(loop, op, out, out_itemsize, pointers, itemsizes, n_inputs, n);
  } else {
    map_strided(loop, op, out, out_itemsize, loops.shape, operands, n_inputs, n);
  }
}

}  // namespace cadena::kernels
