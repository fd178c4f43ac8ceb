// Schedulers made of schedulers, which must outlive them, and the one that follows a metric.
#pragma once

#include <functional>
#include <vector>

#include "optim/scheduler.hpp"

namespace cadena::optim {

using Schedulers = std::vector<std::reference_wrapper<LRScheduler>>;

/// One after the other: `SequentialLR(adam, {warmup, cosine}, {.milestones = {5}})`. Each begins at its own
/// epoch 0 with its base rates when its milestone is reached.
struct SequentialLROptions {
  std::vector<std::int64_t> milestones;  ///< increasing, >= 1: epochs at which the second, third, ... begin
};
class SequentialLR : public LRScheduler {
 public:
  /// @throws ValueError for no schedulers, those of another optimizer or that need a metric, and other
  /// numbers of milestones than schedulers - 1
  SequentialLR(Optimizer& optimizer, Schedulers schedulers, SequentialLROptions options);
  void step() override;

 private:
  double rate(std::int64_t, std::size_t, double now) const override { return now; }
  void save(SchedulerState& state) const override;
  void check(const SchedulerState& state) const override;
  void load(const SchedulerState& state) override;
  std::size_t active(std::int64_t epoch) const;  // which one's turn it is

  Schedulers schedulers_;
  std::vector<std::int64_t> milestones_;
};

/// All at once, each changing what the one before it left.
class ChainedScheduler : public LRScheduler {
 public:
  /// @throws ValueError for no schedulers, and those of different optimizers or that need a metric
  explicit ChainedScheduler(Schedulers schedulers);
  void step() override;

 private:
  double rate(std::int64_t, std::size_t, double now) const override { return now; }
  void save(SchedulerState& state) const override;
  void check(const SchedulerState& state) const override;
  void load(const SchedulerState& state) override;
  Schedulers schedulers_;
};

enum class PlateauMode : std::uint8_t { min, max };  ///< whether less or more is better
enum class ThresholdMode : std::uint8_t { rel, abs };

struct ReduceLROnPlateauOptions {
  static constexpr const char* name = "ReduceLROnPlateau";
  PlateauMode mode = PlateauMode::min;
  double factor = 0.1;                                ///< in [0, 1)
  std::int64_t patience = 10;                         ///< >= 0: so many epochs without improvement are borne
  double threshold = 1e-4;                            ///< >= 0: what counts as an improvement
  ThresholdMode threshold_mode = ThresholdMode::rel;  ///< best (1 - threshold), or best - threshold
  std::int64_t cooldown = 0;                          ///< >= 0: epochs after a reduction that are not counted
  PerGroup<double> min_lr = 0;                        ///< >= 0
  double eps = 1e-8;                                  ///< >= 0: reductions by less are not made
  template <class V>
  void visit(V&& v) {
    v("mode", mode, one_of<2>);
    v("factor", factor, below_1);
    v("patience", patience, non_negative);
    v("threshold", threshold, non_negative);
    v("threshold_mode", threshold_mode, one_of<2>);
    v("cooldown", cooldown, non_negative);
    v("min_lr", min_lr, non_negative);
    v("eps", eps, non_negative);
  }
  double rate(const Epoch& e) const { return e.now; }
};

/// lr <- max(factor lr, min_lr) when a metric has not improved for more than `patience` epochs. NaN is no
/// improvement.
class ReduceLROnPlateau : public Schedule<ReduceLROnPlateauOptions> {
 public:
  using Schedule::Schedule;
  /// @param metric of the epoch that is over, such as the validation loss
  void step(double metric);
  /// @throws ValueError: it needs the metric
  void step() override;

 private:
  bool improves(double metric) const;
  void save(SchedulerState& state) const override;
  void check(const SchedulerState& state) const override;
  void load(const SchedulerState& state) override;
  std::optional<double> best_;
  std::int64_t bad_epochs_ = 0, cooldown_left_ = 0;
};

}  // namespace cadena::optim
