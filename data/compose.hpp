// Data sets made of other data sets.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "autodiff/random.hpp"
#include "data/dataset.hpp"

namespace cadena::data {

/// Any data set by its samples. Copies share it.
class AnyDataset {
 public:
  /// `get` may be called from several threads at once. @throws ValueError if size < 0
  AnyDataset(std::int64_t size, std::function<Sample(std::int64_t)> get);
  template <SampleDataset D>
  AnyDataset(D dataset)  // NOLINT(google-explicit-constructor): any data set is one
      : AnyDataset(std::make_shared<const D>(std::move(dataset))) {}

  std::int64_t size() const { return size_; }
  /// @throws IndexError for an index outside [0, size())
  Sample get(std::int64_t i) const;

 private:
  template <class D>
  explicit AnyDataset(std::shared_ptr<const D> shared)
      : AnyDataset(static_cast<std::int64_t>(shared->size()),
                   [shared](std::int64_t i) { return shared->get(i); }) {}

  std::int64_t size_;
  std::function<Sample(std::int64_t)> get_;
};

/// f of every sample, when it is asked for; what f draws from `default_generator()` differs in every epoch.
AnyDataset map(AnyDataset dataset, std::function<Sample(Sample)> f);
/// f of every x.
AnyDataset map_x(AnyDataset dataset, std::function<Tensor(const Tensor&)> f);

/// The samples of these indices, in this order. @throws IndexError
AnyDataset subset(AnyDataset dataset, std::vector<std::int64_t> indices);

/// Parts without a sample in common. @param lengths numbers of samples, or shares that sum to 1: these are
/// rounded down, and what is left over is dealt out from the first part on
/// @throws ValueError if they do not sum to the size or 1, or one is negative
std::vector<AnyDataset> random_split(const AnyDataset& dataset, const std::vector<double>& lengths,
                                     Generator& generator = default_generator());

/// One after the other.
AnyDataset concat(std::vector<AnyDataset> datasets);

/// Keeps every sample in memory when it has been made once. Random transforms belong around it, not into it.
AnyDataset cache(AnyDataset dataset);

/// Windows of a series along its first axis: x the `length` values from i stride on, y the `horizon` values
/// behind them. Views, no copies. @param series (time, ...) @throws ValueError for numbers below 1,
/// ShapeError if the series is too short for one window
AnyDataset windows(const Tensor& series, std::int64_t length, std::int64_t horizon = 1,
                   std::int64_t stride = 1);

/// Windows for a model that says what comes next: x the `length` codes from i stride on, y the same one
/// further. @throws as windows
AnyDataset next_windows(const Tensor& codes, std::int64_t length, std::int64_t stride = 1);

/// Samples one above the other: x (samples, ...), y (samples, ...).
/// @throws ShapeError if their shapes differ, DtypeError if their dtypes do, ValueError for none at all
Batch default_collate(std::span<const Sample> samples);

}  // namespace cadena::data
