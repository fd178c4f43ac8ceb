// Batches of a data set, shuffled, and prepared ahead by worker threads if wanted.
#pragma once

#include <cstdint>
#include <functional>
#include <iterator>
#include <memory>
#include <span>
#include <string>
#include <utility>

#include "autodiff/error.hpp"
#include "data/compose.hpp"
#include "data/dataset.hpp"
#include "data/sampler.hpp"

namespace cadena::data {

struct LoaderOptions {
  std::int64_t batch_size = 1;
  bool shuffle = false;    ///< a new order in every epoch, given by (seed, epoch) alone
  bool drop_last = false;  ///< leave out a last batch that is not full
  std::uint64_t seed = 0;
  /// Threads that prepare batches ahead; 0 prepares each when it is asked for, which is best for data in
  /// memory.
  int workers = 0;
  int prefetch = 2;  ///< batches ahead of the reader, for each worker
  /// Which samples, in which order; instead of `shuffle`. Its stream is that of (seed, epoch).
  Sampler sampler = {};
  /// Which samples, in which batches; instead of `batch_size`, `shuffle`, `drop_last` and `sampler`.
  BatchSampler batch_sampler = {};
  /// Makes a batch of samples, for data sets by samples; `default_collate` if left out.
  std::function<Batch(std::span<const Sample>)> collate = {};
};

/// A sample that could not be made. The message names it and the cause, which is nested in the exception
/// (std::rethrow_if_nested).
class SampleError : public Error {
 public:
  SampleError(std::int64_t index, const std::string& cause)
      : Error("[DataLoader] expected sample " + std::to_string(index) + ", got an error: " + cause),
        index(index) {}

  std::int64_t index;
};

/// Where a loader stands: `position` batches of `epoch` have been handed out.
struct LoaderState {
  std::int64_t epoch = 0;
  std::int64_t position = 0;

  friend bool operator==(const LoaderState&, const LoaderState&) = default;
};

namespace detail {
class LoaderRun;
struct LoaderCore;
}  // namespace detail

/// `for (auto [x, y] : loader)` walks over one epoch; the next loop walks over the next one, in another order
/// if `shuffle` is set, also if this one was left early. Batches are the same for any number of workers.
///
/// What the data set throws for a batch reaches the caller where that batch is due; from a data set by
/// samples it comes as a SampleError. A loop may be left at any time: workers finish the batch at hand and
/// stop.
class DataLoader {
 public:
  class Iterator;

  /// Copies `dataset` (for a TensorDataset that is two handles). One that has `batch` is asked for batches,
  /// others for samples, also if `collate` is set.
  /// @throws ValueError unless batch_size >= 1, workers >= 0 and prefetch >= 1, for several of shuffle,
  /// sampler
  ///   and batch_sampler, and for `collate` with a data set that has batches only
  template <class D>
  requires Dataset<D> || SampleDataset<D>
  explicit DataLoader(D dataset, LoaderOptions options = {}) {
    if constexpr (!Dataset<D>) {
      init_samples(std::move(dataset), std::move(options));
    } else {
      if constexpr (SampleDataset<D>) {
        if (options.collate) {
          init_samples(std::move(dataset), std::move(options));
          return;
        }
      }
      auto shared = std::make_shared<const D>(std::move(dataset));
      const auto size = static_cast<std::int64_t>(shared->size());
      init(
          size, [shared](std::span<const std::int64_t> indices) { return shared->batch(indices); }, {},
          std::move(options));
    }
  }

  std::int64_t num_samples() const;  ///< in the data set
  /// Batches in an epoch.
  std::int64_t size() const;

  /// Begins an epoch (or goes on where `restore` says). Only one walk at a time.
  /// @throws what the data set throws for the first batch
  Iterator begin();
  std::default_sentinel_t end() const { return {}; }

  /// Where the walk stands; after its end, the beginning of the next epoch. Together with the options it
  /// determines all batches to come.
  LoaderState state() const;
  /// The next `begin` continues there. @throws ValueError unless 0 <= position <= size() and epoch >= 0
  void restore(const LoaderState& state);

 private:
  using Load = std::function<Batch(std::span<const std::int64_t>)>;
  /// One of `load` and `get` is set.
  void init(std::int64_t samples, Load load, std::function<Sample(std::int64_t)> get, LoaderOptions options);
  void init_samples(AnyDataset dataset, LoaderOptions options);

  std::shared_ptr<detail::LoaderCore> core_;
};

/// An input iterator; it owns the workers.
class DataLoader::Iterator {
 public:
  using value_type = Batch;
  using difference_type = std::ptrdiff_t;

  Iterator(Iterator&&) noexcept;
  Iterator& operator=(Iterator&&) noexcept;
  ~Iterator();

  Batch& operator*() const { return *current_; }
  Batch* operator->() const { return current_.get(); }
  Iterator& operator++();  ///< @throws what the data set throws for the batch that is due
  void operator++(int) { ++*this; }
  friend bool operator==(const Iterator& it, std::default_sentinel_t) { return it.current_ == nullptr; }

 private:
  friend class DataLoader;
  explicit Iterator(std::shared_ptr<detail::LoaderCore> core);

  std::unique_ptr<detail::LoaderRun> run_;
  std::unique_ptr<Batch> current_;
};

}  // namespace cadena::data
