#include "data/loader.hpp"

#include <algorithm>
#include <condition_variable>
#include <exception>
#include <limits>
#include <mutex>
#include <numeric>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "autodiff/error.hpp"
#include "autodiff/random.hpp"

namespace cadena::data {
namespace detail {

struct LoaderCore {
  std::int64_t samples = 0;
  std::function<Batch(std::span<const std::int64_t>)> load;
  LoaderOptions options;
  LoaderState state;              // of the latest walk, or where the first one will begin
  std::optional<LoaderState> go;  // set by restore until a walk begins

  std::int64_t batches() const {
    const auto full = samples / options.batch_size;
    return options.drop_last || samples % options.batch_size == 0 ? full : full + 1;
  }

  /// All sample numbers in the order of an epoch, `g` being its stream.
  std::vector<std::int64_t> order(Generator g) const {
    std::vector<std::int64_t> order(static_cast<std::size_t>(samples));
    std::iota(order.begin(), order.end(), std::int64_t{0});
    if (!options.shuffle) return order;
    for (std::size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[g.below(i)]);
    return order;
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
    order_ = c.order(epoch_);
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
  /// the seed, the epoch and the batch, not on the thread.
  std::unique_ptr<Batch> make(std::int64_t b) const {
    struct Lend {
      Generator former = default_generator();
      ~Lend() { default_generator() = former; }
    } lend;
    default_generator() = epoch_.split(static_cast<std::uint64_t>(b));
    const auto size = core_->options.batch_size, first = b * size;
    const auto count = std::min(size, core_->samples - first);
    const auto mine =
        std::span(order_).subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(count));
    return std::make_unique<Batch>(core_->load(mine));
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
  std::vector<std::int64_t> order_;
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

void DataLoader::init(std::int64_t samples, Load load, const LoaderOptions& options) {
  const auto expect = [](bool good, const char* what, std::int64_t got) {
    if (!good)
      throw ValueError(std::string("[DataLoader] expected ") + what + ", got " + std::to_string(got));
  };
  expect(options.batch_size >= 1, "batch_size >= 1", options.batch_size);
  expect(options.workers >= 0, "workers >= 0", options.workers);
  expect(options.prefetch >= 1, "prefetch >= 1", options.prefetch);
  expect(samples >= 0, "a data set of size >= 0", samples);
  core_ = std::make_shared<detail::LoaderCore>();
  core_->samples = samples;
  core_->load = std::move(load);
  core_->options = options;
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
