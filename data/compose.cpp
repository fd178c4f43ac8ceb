#include "data/compose.hpp"

#include <algorithm>
#include <cmath>
#include <mutex>
#include <numeric>
#include <string>

#include "autodiff/ops.hpp"

namespace cadena::data {
namespace {

void expect_index(const char* op, std::int64_t i, std::int64_t size) {
  if (i < 0 || i >= size)
    throw IndexError(std::string("[").append(op) + "] expected an index in [0, " + std::to_string(size) +
                     "), got " + std::to_string(i));
}

/// Sizes of parts of `size` samples.
std::vector<std::int64_t> part_sizes(std::int64_t size, const std::vector<double>& lengths) {
  const auto fail = [&](const std::string& got) {
    throw ValueError("[random_split] expected lengths that sum to " + std::to_string(size) +
                     " or shares that sum to 1, got " + got);
  };
  double sum = 0;
  for (const double length : lengths) {
    if (!(length >= 0)) fail(std::to_string(length));
    sum += length;
  }
  const bool shares = std::abs(sum - 1) < 1e-9 && !(size == 1 && lengths.size() == 1);
  std::vector<std::int64_t> sizes;
  for (const double length : lengths) {
    const double part = shares ? std::floor(length * static_cast<double>(size)) : length;
    if (part != std::floor(part) || part > static_cast<double>(size)) fail(std::to_string(length));
    sizes.push_back(static_cast<std::int64_t>(part));
  }
  auto left = size - std::accumulate(sizes.begin(), sizes.end(), std::int64_t{0});
  if (!shares && left != 0) fail(std::to_string(size - left));
  for (std::size_t i = 0; left > 0; --left, ++i) ++sizes[i % sizes.size()];
  return sizes;
}

void expect_windows(const char* op, const Tensor& series, std::int64_t needed, std::int64_t smallest) {
  if (smallest < 1)
    throw ValueError(std::string("[").append(op) + "] expected numbers of 1 or more, got " +
                     std::to_string(smallest));
  if (series.dim() == 0 || series.size(0) < needed)
    throw ShapeError(std::string("[").append(op) + "] expected at least " + std::to_string(needed) +
                     " values along the first axis, got shape " + to_string(series.shape()));
}

/// Rows of one field of the samples, one above the other.
Tensor stack_field(std::span<const Sample> samples, Tensor Sample::*field) {
  const Tensor& first = samples[0].*field;
  Shape shape = first.shape();
  shape.insert(0, static_cast<std::int64_t>(samples.size()));
  return visit(first.dtype(), [&]<class T>(T) {
    Tensor out = empty(shape, first.dtype());
    T* to = out.mutable_data<T>();
    for (const Sample& sample : samples) {
      const Tensor& t = sample.*field;
      if (t.shape() != first.shape())
        throw ShapeError("[default_collate] expected samples of one shape, got " + to_string(first.shape()) +
                         " and " + to_string(t.shape()));
      if (t.dtype() != first.dtype())
        throw DtypeError("[default_collate] expected samples of one dtype, got " +
                         std::string(name(first.dtype())) + " and " + std::string(name(t.dtype())));
      const Tensor dense = t.detach().contiguous();
      to = std::copy_n(dense.data<T>(), dense.numel(), to);
    }
    return out;
  });
}

}  // namespace

AnyDataset::AnyDataset(std::int64_t size, std::function<Sample(std::int64_t)> get)
    : size_(size), get_(std::move(get)) {
  if (size < 0) throw ValueError("[AnyDataset] expected size >= 0, got " + std::to_string(size));
}

Sample AnyDataset::get(std::int64_t i) const {
  expect_index("AnyDataset::get", i, size_);
  return get_(i);
}

AnyDataset map(AnyDataset dataset, std::function<Sample(Sample)> f) {
  const auto size = dataset.size();
  return {size,
          [dataset = std::move(dataset), f = std::move(f)](std::int64_t i) { return f(dataset.get(i)); }};
}

AnyDataset map_x(AnyDataset dataset, std::function<Tensor(const Tensor&)> f) {
  return map(std::move(dataset), [f = std::move(f)](Sample sample) {
    return Sample{f(sample.x), std::move(sample.y)};
  });
}

AnyDataset subset(AnyDataset dataset, std::vector<std::int64_t> indices) {
  for (const auto i : indices) expect_index("subset", i, dataset.size());
  const auto size = static_cast<std::int64_t>(indices.size());
  return {size, [dataset = std::move(dataset), indices = std::move(indices)](std::int64_t i) {
            return dataset.get(indices[static_cast<std::size_t>(i)]);
          }};
}

std::vector<AnyDataset> random_split(const AnyDataset& dataset, const std::vector<double>& lengths,
                                     Generator& generator) {
  const auto sizes = part_sizes(dataset.size(), lengths);
  const auto order = randperm(dataset.size(), generator).to_vector<std::int64_t>();
  std::vector<AnyDataset> parts;
  auto at = order.begin();
  for (const auto size : sizes) {
    parts.push_back(subset(dataset, {at, at + size}));
    at += size;
  }
  return parts;
}

AnyDataset concat(std::vector<AnyDataset> datasets) {
  std::vector<std::int64_t> ends;
  std::int64_t size = 0;
  for (const AnyDataset& d : datasets) ends.push_back(size += d.size());
  return {size, [datasets = std::move(datasets), ends = std::move(ends)](std::int64_t i) {
            const auto part = std::upper_bound(ends.begin(), ends.end(), i) - ends.begin();
            const AnyDataset& d = datasets[static_cast<std::size_t>(part)];
            return d.get(i - (ends[static_cast<std::size_t>(part)] - d.size()));
          }};
}

AnyDataset cache(AnyDataset dataset) {
  struct Entry {
    std::once_flag once;
    Sample sample;
  };
  const auto size = dataset.size();
  // A sample that throws is tried again when it is asked for again.
  const auto entries = std::make_shared<std::vector<Entry>>(static_cast<std::size_t>(size));
  return {size, [dataset = std::move(dataset), entries](std::int64_t i) {
            Entry& entry = (*entries)[static_cast<std::size_t>(i)];
            std::call_once(entry.once, [&] { entry.sample = dataset.get(i); });
            return entry.sample;
          }};
}

AnyDataset windows(const Tensor& series, std::int64_t length, std::int64_t horizon, std::int64_t stride) {
  expect_windows("windows", series, length + horizon, std::min({length, horizon, stride}));
  const Tensor kept = series.detach();
  return {(series.size(0) - length - horizon) / stride + 1, [=](std::int64_t i) {
            const auto middle = i * stride + length;
            return Sample{kept.slice(0, {i * stride, middle}), kept.slice(0, {middle, middle + horizon})};
          }};
}

AnyDataset next_windows(const Tensor& codes, std::int64_t length, std::int64_t stride) {
  expect_windows("next_windows", codes, length + 1, std::min(length, stride));
  const Tensor kept = codes.detach();
  return {
      (codes.size(0) - length - 1) / stride + 1, [=](std::int64_t i) {
        const auto begin = i * stride;
        return Sample{kept.slice(0, {begin, begin + length}), kept.slice(0, {begin + 1, begin + 1 + length})};
      }};
}

Batch default_collate(std::span<const Sample> samples) {
  if (samples.empty()) throw ValueError("[default_collate] expected samples, got none");
  return {stack_field(samples, &Sample::x), stack_field(samples, &Sample::y)};
}

}  // namespace cadena::data
