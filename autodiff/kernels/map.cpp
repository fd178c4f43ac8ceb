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
void copy_row(const void* from, std::int64_t stride, void* to, std::int64_t n) {
  const T* source = static_cast<const T*>(from);
  T* target = static_cast<T*>(to);
  if (stride == 1)
    std::memcpy(target, source, static_cast<std::size_t>(n) * sizeof(T));
  else if (stride == 0)
    std::fill_n(target, n, *source);
  else
    for (std::int64_t i = 0; i < n; ++i) target[i] = source[i * stride];
}

void copy_row(const void* from, std::size_t itemsize, std::int64_t stride, void* to, std::int64_t n) {
  if (itemsize == 4)
    copy_row<std::uint32_t>(from, stride, to, n);
  else if (itemsize == 8)
    copy_row<std::uint64_t>(from, stride, to, n);
  else
    copy_row<std::uint8_t>(from, stride, to, n);
}

/// Elements [start, start + n) of an operand in row-major order, into `to`.
void gather(const MapInput& in, const Shape& shape, std::int64_t start, std::int64_t n, void* to) {
  const int last = shape.rank() - 1;
  std::array<std::int64_t, max_rank> index{};
  std::int64_t offset = 0;
  for (std::int64_t d = last, rest = start; d >= 0; --d) {
    const int i = static_cast<int>(d);
    index[static_cast<std::size_t>(i)] = rest % shape[i];
    rest /= shape[i];
    offset += index[static_cast<std::size_t>(i)] * in.strides[i];
  }
  auto* target = static_cast<unsigned char*>(to);
  while (n > 0) {
    auto& inner = index[static_cast<std::size_t>(last)];
    const std::int64_t run = std::min(n, shape[last] - inner);
    copy_row(at(in.data, offset, in.itemsize), in.itemsize, in.strides[last], target, run);
    target += run * static_cast<std::int64_t>(in.itemsize);
    n -= run;
    offset += run * in.strides[last];
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
  std::int64_t start(std::int64_t b) const {
    return per_row ? b / per_row * row + b % per_row * block : b * block;
  }
  std::int64_t length(std::int64_t b) const {
    const std::int64_t end = per_row ? (b / per_row + 1) * row : total;
    return std::min(block, end - start(b));
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
        std::int64_t offset = start % shape[last], rest = start / shape[last];
        for (int d = last - 1; d >= 0; rest /= shape[d--]) offset += rest % shape[d] * in[i].strides[d];
        operands[i] = at(in[i].data, offset, in[i].itemsize);
      } else {
        gather(in[i], shape, start, length, buffer[i]);
        operands[i] = buffer[i];
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
