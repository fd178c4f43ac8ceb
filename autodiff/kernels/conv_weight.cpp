// The gradient of a convolution's weights: positions are summed over, output channels are lanes.
#include <algorithm>

#include "autodiff/kernels/conv_direct.hpp"
#include "autodiff/kernels/conv_planes.hpp"
#include "autodiff/kernels/conv_tile.hpp"
#include "autodiff/kernels/conv_winograd.hpp"
#include "autodiff/kernels/parallel.hpp"
#include "autodiff/kernels/scratch.hpp"
#include "autodiff/kernels/transpose.hpp"

namespace cadena::kernels {
namespace {

constexpr std::int64_t parallel_work = 1 << 20;  // multiplications
constexpr std::int64_t chunk_size = 1 << 18;     // elements of x and y at once

template <class T>
constexpr auto width = static_cast<std::int64_t>(xsimd::batch<T>::size);

std::int64_t blocks_of(std::int64_t n, std::int64_t size) { return (n + size - 1) / size; }

// Slices of samples of which x is in planes and y has its channels last, and the sums over them.
template <class T>
class WeightSums {
 public:
  WeightSums(const ConvShape& s, bool parallel)
      : s_(s),
        form_(conv_form(s)),
        dots_(form_.targets <= 2),
        planes_(form_, s.y[1], dots_ ? ConvPlanes::Kind::parted : ConvPlanes::Kind::in_place),
        rows_(planes_.offsets({0, 0, 0})),
        area_(s.y[1] * s.y[2]),
        channels_(dots_ ? 0 : blocks_of(form_.targets, width<T>) * width<T>),
        parallel_(parallel) {
    for (std::int64_t i = 0; i < s.y[1]; ++i)
      for (std::int64_t j = 0; j < s.y[2]; ++j)
        offset_.push_back(i * planes_.row_step() + j * planes_.step());
  }

  void run(const T* x, const T* y, T* w) {
    const std::int64_t units = s_.batch * s_.y[0];  // slices of samples
    const std::int64_t size = s_.groups * (planes_.size() + area_ * channels_);
    const std::int64_t chunk =
        std::clamp<std::int64_t>(chunk_size / std::max<std::int64_t>(1, size), 1, units);
    const Scratch<T> planes(chunk * s_.groups * planes_.size());
    const Scratch<T> turned(chunk * s_.groups * area_ * channels_);
    std::vector<const T*> sources(static_cast<std::size_t>(chunk * s_.groups));
    for (std::int64_t first = 0; first < units; first += chunk) {
      const std::int64_t count = std::min(chunk, units - first);
      for_blocks<Schedule::stealing>(count * s_.groups, parallel_, [&](std::int64_t b) {
        const std::int64_t unit = first + b / s_.groups, group = b % s_.groups;
        const std::int64_t sample = unit / s_.y[0], slice = unit % s_.y[0];
        const T* from = x + (sample * s_.groups + group) * form_.sources * s_.x_size();
        sources[static_cast<std::size_t>(b)] = planes_.fill(from, 0, slice, 0, planes + b * planes_.size());
        if (!dots_)
          transpose_block(y + (sample * s_.groups + group) * form_.targets * s_.y_size() + slice * area_,
                          s_.y_size(), turned + b * area_ * channels_, channels_, form_.targets, area_);
      });
      if (dots_)
        add_dots(sources, y, first, count, w);
      else
        add(sources, turned, count, first > 0, w);
    }
  }

 private:
  static constexpr std::int64_t rows_at_once = conv_tile_rows, vectors_at_once = conv_tile_vectors;

  void add(const std::vector<const T*>& sources, const T* turned, std::int64_t count, bool more, T* w) const {
    const auto rows = static_cast<std::int64_t>(rows_.size());
    const std::int64_t across = blocks_of(channels_, vectors_at_once * width<T>);
    const std::int64_t down = blocks_of(rows, rows_at_once), each = across * down;
    for_blocks<Schedule::stealing>(s_.groups * each, parallel_, [&](std::int64_t b) {
      const std::int64_t group = b / each, column = b % each / down * vectors_at_once * width<T>;
      const std::int64_t row = b % down * rows_at_once;
      const std::int64_t vectors = std::min<std::int64_t>(vectors_at_once, (channels_ - column) / width<T>);
      for_conv_tiles(std::min(rows_at_once, rows - row), [&](auto some, std::int64_t r) {
        alignas(64) T sums[some * vectors_at_once * width<T>];
        with_conv_vectors(vectors, [&](auto nv) {
          for (std::int64_t i = 0; i < count; ++i) {
            const std::int64_t unit = i * s_.groups + group;
            conv_channel_tile<some, nv>(area_, sources[static_cast<std::size_t>(unit)],
                                        rows_.data() + row + r, offset_.data(),
                                        turned + unit * area_ * channels_ + column, channels_,
                                        i > 0 ? sums : nullptr, nv * width<T>, sums);
          }
        });
        const std::int64_t channels = std::min(vectors * width<T>, form_.targets - column);
        T* to = w + group * form_.w_group + column * form_.w_target + row + r;
        for (std::int64_t o = 0; o < channels; ++o)
          for (std::int64_t i = 0; i < some; ++i) {
            const T sum = sums[i * vectors * width<T> + o];
            T& at = to[o * form_.w_target + i];
            at = more ? at + sum : sum;
          }
      });
    });
  }

  // Few output channels: products of rows of x and of y, with positions as lanes.
  void add_dots(const std::vector<const T*>& sources, const T* y, std::int64_t first, std::int64_t count,
                T* w) const {
    const auto rows = static_cast<std::int64_t>(rows_.size());
    const std::int64_t down = blocks_of(rows, 48);
    for_blocks<Schedule::stealing>(s_.groups * form_.targets * down, parallel_, [&](std::int64_t b) {
      const std::int64_t channel = b / down, group = channel / form_.targets,
                         end = std::min(rows, (b % down + 1) * 48);
      const auto tile = [&](auto some, std::int64_t row) {
        xsimd::batch<T> sums[some];
        for (auto& sum : sums) sum = xsimd::batch<T>(T(0));
        for (std::int64_t i = 0; i < count; ++i) {
          const std::int64_t unit = first + i, sample = unit / s_.y[0], slice = unit % s_.y[0];
          const T* g = y + (sample * s_.out + channel) * s_.y_size() + slice * area_;
          const bool even = planes_.row_step() == s_.y[2];
          conv_dot_tile<some>(even ? 1 : s_.y[1], even ? area_ : s_.y[2],
                              sources[static_cast<std::size_t>(i * s_.groups + group)], rows_.data() + row,
                              planes_.row_step(), g, s_.y[2], sums);
        }
        for (std::int64_t i = 0; i < some; ++i) {
          T& to = w[channel * form_.w_target + row + i];
          to = first > 0 ? to + sum_lanes(sums[i]) : sum_lanes(sums[i]);
        }
      };
      std::int64_t r = b % down * 48;
      for (; r + 6 <= end; r += 6) tile(std::integral_constant<int, 6>{}, r);
      for (; r + 3 <= end; r += 3) tile(std::integral_constant<int, 3>{}, r);
      for (; r < end; ++r) tile(std::integral_constant<int, 1>{}, r);
    });
  }

  const ConvShape& s_;
  ConvForm form_;
  bool dots_;
  ConvPlanes planes_;
  std::vector<std::int64_t> rows_, offset_;
  std::int64_t area_, channels_;
  bool parallel_;
};

}  // namespace

template <class T>
void conv_weight_direct(const ConvShape& s, const T* x, const T* y, T* w) {
  const ConvForm f = conv_form(s);
  if (suits_winograd(f)) return conv_weight_by_winograd(f, x, y, w);
  WeightSums<T>(s, s.work() >= parallel_work).run(x, y, w);
}

template void conv_weight_direct(const ConvShape&, const float*, const float*, float*);
template void conv_weight_direct(const ConvShape&, const double*, const double*, double*);

}  // namespace cadena::kernels
