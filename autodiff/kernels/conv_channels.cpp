// Direct convolution with the target's channels as lanes: any positions fill a tile, at the price of packed
// weights and a transposition of the result.
#include <algorithm>

#include "autodiff/kernels/conv_direct.hpp"
#include "autodiff/kernels/conv_planes.hpp"
#include "autodiff/kernels/conv_tile.hpp"
#include "autodiff/kernels/parallel.hpp"
#include "autodiff/kernels/scratch.hpp"
#include "autodiff/kernels/transpose.hpp"

namespace cadena::kernels {
namespace {

constexpr std::int64_t parallel_work = 1 << 20;  // multiplications
constexpr std::int64_t planes_size = 1 << 16;    // elements at once, to stay in the second-level cache

template <class T>
constexpr auto width = static_cast<std::int64_t>(xsimd::batch<T>::size);
template <class T>
constexpr std::int64_t block = conv_tile_vectors* width<T>;  // channels at once

std::int64_t blocks_of(std::int64_t n, std::int64_t size) { return (n + size - 1) / size; }

// Vectors of the channels from `first` on.
template <class T>
std::int64_t vectors_from(const ConvForm& f, std::int64_t first) {
  return blocks_of(std::min(block<T>, f.targets - first), width<T>);
}
template <class T>
std::int64_t packed_size(const ConvForm& f) {
  return blocks_of(f.targets, width<T>) * width<T> * f.sources * f.taps();
}

// For each group and block of channels: [source channel and tap][channel].
template <class T>
void pack_weights(const ConvForm& f, const T* w, T* to) {
  const std::int64_t blocks = blocks_of(f.targets, block<T>), k = f.sources * f.taps();
  // One transposition where a target channel's weights follow each other, else one for each source channel.
  const bool one = f.w_source == f.taps();
  const std::int64_t parts = one ? 1 : f.sources, each = one ? k : f.taps();
  for_blocks(f.groups * blocks, f.groups * f.targets * k >= 1 << 17, [&](std::int64_t b) {
    const std::int64_t group = b / blocks, first = b % blocks * block<T>;
    const std::int64_t channels = std::min(block<T>, f.targets - first),
                       ld = vectors_from<T>(f, first) * width<T>;
    const T* from = w + group * f.w_group + first * f.w_target;
    T* packed = to + group * packed_size<T>(f) + first * k;
    for (std::int64_t i = 0; i < k * ld && channels < ld; ++i) packed[i] = T(0);
    for (std::int64_t i = 0; i < parts; ++i)
      transpose_block(from + i * f.w_source, f.w_target, packed + i * each * ld, ld, channels, each);
  });
}

template <class T>
void products(const ConvForm& f, const std::vector<std::int64_t>& offset, const std::vector<std::int64_t>& at,
              std::int64_t positions, const T* planes, const T* packed, const T* bias, T* to) {
  const std::int64_t k = f.sources * f.taps();
  const Scratch<T> sums(positions * block<T>);
  for (std::int64_t first = 0; first < f.targets; first += block<T>) {
    const std::int64_t channels = std::min(block<T>, f.targets - first), n = vectors_from<T>(f, first);
    alignas(64) T start[block<T>] = {};
    if (bias) std::copy_n(bias + first, channels, start);
    with_conv_vectors(n, [&](auto vectors) {
      for_conv_tiles(positions, [&](auto rows, std::int64_t r) {
        conv_channel_tile<rows, vectors>(k, planes, at.data() + r, offset.data(), packed + first * k,
                                         n * width<T>, bias ? start : nullptr, 0, sums + r * n * width<T>);
      });
    });
    transpose_block(sums.get(), n * width<T>, to + first * f.target_size(), f.target_size(), positions,
                    channels);
  }
}

}  // namespace

template <class T>
void conv_by_channels(const ConvForm& f, const T* source, const T* w, const T* bias, T* target) {
  using Kind = ConvPlanes::Kind;
  const std::int64_t rows = f.axes[1].target, columns = f.axes[2].target;
  const std::int64_t work = f.batch * f.groups * f.targets * f.sources * f.taps() * f.target_size();
  const ConvPlanes one(f, 1, Kind::padded), two(f, 2, Kind::padded);
  const std::int64_t row = std::max<std::int64_t>(1, two.size() - one.size());
  std::int64_t cut =
      std::clamp<std::int64_t>((planes_size - one.size()) / row, std::min<std::int64_t>(4, rows), rows);
  const std::int64_t units = f.batch * f.groups * f.axes[0].target;
  const std::int64_t wanted = std::clamp<std::int64_t>(work / parallel_work, 1, 8);
  if (units < wanted) cut = std::clamp<std::int64_t>(blocks_of(rows * units, wanted), 1, cut);
  cut = blocks_of(rows, blocks_of(rows, cut));
  const ConvPlanes planes(f, cut, Kind::in_place);
  const auto offset = planes.offsets({0, 0, 0});
  std::vector<std::int64_t> at;
  for (std::int64_t i = 0; i < cut; ++i)
    for (std::int64_t j = 0; j < columns; ++j) at.push_back(i * planes.row_step() + j * planes.step());
  const Scratch<T> packed(f.groups * packed_size<T>(f));
  pack_weights(f, w, packed.get());
  const std::int64_t strips = blocks_of(rows, cut), slices = f.axes[0].target;
  for_blocks<Schedule::stealing>(units * strips, work >= parallel_work, [&](std::int64_t task) {
    const std::int64_t group = task % f.groups, strip = task / f.groups % strips;
    const std::int64_t slice = task / (f.groups * strips) % slices,
                       sample = task / (f.groups * strips * slices);
    const std::int64_t unit = sample * f.groups + group, first = strip * cut;
    const Scratch<T> room(planes.size());
    const T* from = planes.fill(source + unit * f.sources * f.source_size(), 0, slice, first, room.get());
    products<T>(f, offset, at, std::min(cut, rows - first) * columns, from,
                packed + group * packed_size<T>(f), bias ? bias + group * f.targets : nullptr,
                target + unit * f.targets * f.target_size() + (slice * rows + first) * columns);
  });
}

template void conv_by_channels(const ConvForm&, const float*, const float*, const float*, float*);
template void conv_by_channels(const ConvForm&, const double*, const double*, const double*, double*);

}  // namespace cadena::kernels
