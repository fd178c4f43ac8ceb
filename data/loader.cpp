#include "data/loader.hpp"

#include <algorithm>
#include <condition_variable>
#include <exception>
#include <limits>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "autodiff/error.hpp"
#include "autodiff/random.hpp"

namespace cadena::data {
namespace detail {

/// The batches of an epoch: batch b has the samples order[begin[b]] to order[begin[b + 1]].
struct EpochPlan {
  std::vector<std::int64_t> order;
  std::vector<std::size_t> begin = {0};

  std::span<const std::int64_t> batch(std::int64_t b) const {
    const auto first = begin[static_cast<std::size_t>(b)], last = begin[static_cast<std::size_t>(b) + 1];
    return std::span(order).subspan(first, last - first);
  }
};

struct LoaderCore {
  std::int64_t samples = 0;
  std::function<Batch(std::span<const std::int64_t>)> load;
  std::function<Sample(std::int64_t)> get;
  LoaderOptions options;
  LoaderState state;              // of the latest walk, or where the first one will begin
  std::optional<LoaderState> go;  // set by restore until a walk begins

  std::int64_t batches() const {
    if (options.batch_sampler.batches) return options.batch_sampler.size;
    const auto visits = options.sampler.order ? options.sampler.size : samples;
    const auto full = visits / options.batch_size;
    return options.drop_last || visits % options.batch_size == 0 ? full : full + 1;
  }

  /// The batches of the epoch whose stream is `g`.
  EpochPlan plan(const Generator& g) const {
    EpochPlan plan;
    if (options.batch_sampler.batches) {
      for (const auto& batch : options.batch_sampler.batches(g)) {
        plan.order.insert(plan.order.end(), batch.begin(), batch.end());
        plan.begin.push_back(plan.order.size());
      }
    } else {
      const Sampler sampler = options.sampler.order ? options.sampler
                              : options.shuffle     ? random_sampler(samples)
                                                    : sequential_sampler(samples);
      plan.order = sampler.order(g);
      const auto size = static_cast<std::size_t>(options.batch_size);
      for (std::int64_t b = 0; b < batches(); ++b)
        plan.begin.push_back(std::min(plan.begin.back() + size, plan.order.size()));
    }
    check(plan);
    return plan;
  }

  /// Samplers may be the user's.
  void check(const EpochPlan& plan) const {
    const bool by_samples = !options.batch_sampler.batches && options.sampler.order;
    const auto got = by_samples ? plan.order.size() : plan.begin.size() - 1;
    const auto promised = by_samples ? options.sampler.size : batches();
    if (static_cast<std::int64_t>(got) != promised)
      throw ValueError("[DataLoader] expected " + std::to_string(promised) +
                       (by_samples ? " samples of the sampler, got " : " batches of the sampler, got ") +
                       std::to_string(got));
    for (const auto i : plan.order)
      if (i < 0 || i >= samples)
        throw IndexError("[DataLoader] expected indices in [0, " + std::to_string(samples) +
                         ") of the sampler, got " + std::to_string(i));
  }

  LoaderState next_begin() const {
    if (go) return *go;
    return state.position == 0 ? state : LoaderState{state.epoch + 1, 0};
  }
};

/// One walk: hands out the batches of an epoch in order, made by the caller or by workers.
///
/// Workers take the batch numbers in turn, but none that is more than `ahead_` beyond what was handed out, so
/// that batch b always finds slot b % ahead_ empty.
class LoaderRun {
 public:
  explicit LoaderRun(std::shared_ptr<LoaderCore> core) : core_(std::move(core)) {
    auto& c = *core_;
    c.state = c.next_begin();
    c.go.reset();
    epoch_ = Generator(c.options.seed).split(static_cast<std::uint64_t>(c.state.epoch));
    plan_ = c.plan(epoch_);
    batches_ = c.batches();
    claimed_ = handed_ = delivered_ = c.state.position;
    const auto left = batches_ - delivered_;
    const auto workers = std::min<std::int64_t>(c.options.workers, left);
    ahead_ = workers * c.options.prefetch;
    slots_.resize(static_cast<std::size_t>(std::min(ahead_, left)));
    ahead_ = static_cast<std::int64_t>(slots_.size());
    try {
      for (std::int64_t i = 0; i < workers; ++i) workers_.emplace_back([this] { work(); });
    } catch (...) {  // no more threads to be had: those that started must not outlive this object
      stop();
      throw;
    }
  }
  LoaderRun(const LoaderRun&) = delete;
  LoaderRun& operator=(const LoaderRun&) = delete;
  ~LoaderRun() { stop(); }

  /// The next batch, or null at the end of the epoch.
  std::unique_ptr<Batch> next() {
    if (delivered_ == batches_) {
      core_->state = {core_->state.epoch + 1, 0};
      return nullptr;
    }
    // Counted before it is there: after an exception the walk can go on with the batch after the bad one.
    const auto b = delivered_++;
    auto batch = workers_.empty() ? make(b) : take(b);
    core_->state.position = delivered_;
    return batch;
  }

 private:
  struct Slot {
    bool ready = false;
    std::unique_ptr<Batch> batch;
    std::exception_ptr error;
  };

  /// Loads batch `b`. The default generator is lent for the time: what a data set draws from it depends on
  /// the seed, the epoch and the batch or the sample's place in the epoch, not on the thread.
  std::unique_ptr<Batch> make(std::int64_t b) const {
    struct Lend {
      Generator former = default_generator();
      ~Lend() { default_generator() = former; }
    } lend;
    const Generator stream = epoch_.split(static_cast<std::uint64_t>(b));
    if (core_->load) {
      default_generator() = stream;
      return std::make_unique<Batch>(core_->load(plan_.batch(b)));
    }
    std::vector<Sample> samples;
    auto place = plan_.begin[static_cast<std::size_t>(b)];
    for (const auto i : plan_.batch(b)) samples.push_back(sample(i, place++));
    default_generator() = stream;
    const auto& collate = core_->options.collate;
    return std::make_unique<Batch>(collate ? collate(samples) : default_collate(samples));
  }

  Sample sample(std::int64_t i, std::uint64_t place) const {
    constexpr std::uint64_t of_samples = std::uint64_t{1} << 63;  // apart from the streams of batches
    default_generator() = epoch_.split(of_samples | place);
    try {
      return core_->get(i);
    } catch (const std::exception& e) {
      std::throw_with_nested(SampleError(i, e.what()));
    }
  }

  Slot& slot(std::int64_t b) { return slots_[static_cast<std::size_t>(b % ahead_)]; }

  void work() {
    std::unique_lock lock(mutex_);
    for (;;) {
      room_.wait(lock, [&] { return stop_ || claimed_ == batches_ || claimed_ < handed_ + ahead_; });
      if (stop_ || claimed_ == batches_) return;
      const auto b = claimed_++;
      lock.unlock();
      Slot made;
      try {
        made.batch = make(b);
      } catch (...) {
        made.error = std::current_exception();
      }
      made.ready = true;
      lock.lock();
      slot(b) = std::move(made);
      filled_.notify_one();
    }
  }

  std::unique_ptr<Batch> take(std::int64_t b) {
    std::unique_lock lock(mutex_);
    auto& s = slot(b);
    filled_.wait(lock, [&] { return s.ready; });
    Slot taken = std::exchange(s, {});
    ++handed_;
    room_.notify_all();
    lock.unlock();
    if (taken.error) std::rethrow_exception(taken.error);
    return std::move(taken.batch);
  }

  void stop() noexcept {
    {
      const std::lock_guard lock(mutex_);
      stop_ = true;
    }
    room_.notify_all();
    for (auto& w : workers_) w.join();
    workers_.clear();
  }

  std::shared_ptr<LoaderCore> core_;
  Generator epoch_;
  EpochPlan plan_;
  std::int64_t batches_ = 0;
  std::int64_t delivered_ = 0;  // the caller's thread only

  std::mutex mutex_;  // guards what follows
  std::condition_variable room_, filled_;
  std::int64_t claimed_ = 0, handed_ = 0, ahead_ = 0;
  bool stop_ = false;
  std::vector<Slot> slots_;
  std::vector<std::thread> workers_;
};

}  // namespace detail

void DataLoader::init(std::int64_t samples, Load load, std::function<Sample(std::int64_t)> get,
                      LoaderOptions options) {
  const auto expect = [](bool good, const char* what, std::int64_t got) {
    if (!good)
      throw ValueError(std::string("[DataLoader] expected ") + what + ", got " + std::to_string(got));
  };
  expect(options.batch_size >= 1, "batch_size >= 1", options.batch_size);
  expect(options.workers >= 0, "workers >= 0", options.workers);
  expect(options.prefetch >= 1, "prefetch >= 1", options.prefetch);
  expect(samples >= 0, "a data set of size >= 0", samples);
  const int orders =
      (options.shuffle ? 1 : 0) + (options.sampler.order ? 1 : 0) + (options.batch_sampler.batches ? 1 : 0);
  expect(orders <= 1, "one of shuffle, sampler and batch_sampler", orders);
  if (load && options.collate)
    throw ValueError(
        "[DataLoader] expected a data set with get(i) to collate, got one with batch(indices) only");
  core_ = std::make_shared<detail::LoaderCore>();
  core_->samples = samples;
  core_->load = std::move(load);
  core_->get = std::move(get);
  core_->options = std::move(options);
}

void DataLoader::init_samples(AnyDataset dataset, LoaderOptions options) {
  const auto size = dataset.size();
  init(
      size, {}, [dataset = std::move(dataset)](std::int64_t i) { return dataset.get(i); },
      std::move(options));
}

std::int64_t DataLoader::size() const { return core_->batches(); }
std::int64_t DataLoader::num_samples() const { return core_->samples; }

DataLoader::Iterator DataLoader::begin() { return Iterator(core_); }

LoaderState DataLoader::state() const { return core_->go ? *core_->go : core_->state; }

void DataLoader::restore(const LoaderState& state) {
  if (state.epoch < 0 || state.position < 0 || state.position > size())
    throw ValueError("[DataLoader::restore] expected epoch >= 0 and position in [0, " +
                     std::to_string(size()) + "], got epoch " + std::to_string(state.epoch) +
                     " and position " + std::to_string(state.position));
  core_->go = state;
}

DataLoader::Iterator::Iterator(std::shared_ptr<detail::LoaderCore> core)
    : run_(std::make_unique<detail::LoaderRun>(std::move(core))), current_(run_->next()) {}
DataLoader::Iterator::Iterator(Iterator&&) noexcept = default;
DataLoader::Iterator& DataLoader::Iterator::operator=(Iterator&&) noexcept = default;
DataLoader::Iterator::~Iterator() = default;

DataLoader::Iterator& DataLoader::Iterator::operator++() {
  current_.reset();  // its buffers can serve the next batch
  current_ = run_->next();
  return *this;
}

}  // namespace cadena::data
