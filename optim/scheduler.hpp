// The base of all learning-rate schedulers.
//
// A schedule is an options struct (see options.hpp) that says what the rate becomes:
//
//   struct HalvingLROptions {
//     static constexpr const char* name = "HalvingLR";
//     std::int64_t every = 10;
//     template <class V> void visit(V&& v) { v("every", every, at_least_1); }
//     double rate(const Epoch& e) const { return e.number > 0 && e.number % every == 0 ? e.now / 2 : e.now; }
//   };
//   using HalvingLR = Schedule<HalvingLROptions>;
//
//   HalvingLR schedule(adam, {.every = 5});
//   for (...) { ...; adam.step(); schedule.step(); }
#pragma once

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "optim/optimizer.hpp"

namespace cadena::optim {

/// Everything a scheduler remembers, in plain types, for checkpoints. Its options are not in it: they are the
/// program's.
struct SchedulerState {
  std::string scheduler;  ///< "StepLR"
  std::map<std::string, std::vector<double>>
      values;                                   ///< "last_epoch", and for each group "base_lrs", "last_lr"
  std::vector<SchedulerState> schedulers = {};  ///< those it is composed of
};

/// Changes the rates (and where it says so the momentum) of an optimizer from epoch to epoch; an epoch is
/// what passes between two calls of `step`, a batch if you like. The constructor sets those of epoch 0. The
/// optimizer must outlive the scheduler; groups added to it later stay as they are.
class LRScheduler {
 public:
  virtual ~LRScheduler() = default;
  LRScheduler(const LRScheduler&) = delete;
  LRScheduler& operator=(const LRScheduler&) = delete;

  /// On to the next epoch; call it after the optimizer's steps. If it throws, nothing has changed.
  virtual void step();
  std::int64_t last_epoch() const { return last_epoch_; }
  /// The rate of each group, as this scheduler set it last.
  const std::vector<double>& get_last_lr() const { return last_lr_; }
  Optimizer& optimizer() const { return *optimizer_; }

  SchedulerState state_dict() const;
  /// Goes on where the other one was, all or nothing. The optimizer's rates (and momenta) become those of the
  /// state.
  /// @throws ValueError for another scheduler's state, other groups, missing or impossible values
  void load_state_dict(const SchedulerState& state);

 protected:
  /// @throws CaptureError within capture()
  void check_not_capturing() const { optimizer_->check_not_capturing(); }
  LRScheduler(const char* name, Optimizer& optimizer) : name_(name), optimizer_(&optimizer) {}
  /// For the end of a constructor: takes the groups' first rates, as the optimizer's first scheduler found
  /// them, and sets those of epoch 0.
  void start();
  /// Sets rates and momenta of `epoch` as if it followed rates `now` (by default the present ones).
  void go_to(std::int64_t epoch, const std::vector<double>* now = nullptr);
  /// Sets and remembers the rates, one for each group. @throws ValueError for those the optimizer does not
  /// take
  void set_rates(std::int64_t epoch, const std::vector<double>& rates);
  const std::vector<double>& base_lrs() const { return base_lrs_; }
  [[noreturn]] void fail(const std::string& expected, const std::string& got) const;

  /// The rate of `group` in `epoch`, given the present one.
  virtual double rate(std::int64_t epoch, std::size_t group, double now) const = 0;
  virtual std::optional<double> momentum(std::int64_t /*epoch*/, std::size_t /*group*/) const { return {}; }
  // What else belongs to the state.
  virtual void save(SchedulerState&) const {}
  virtual void check(const SchedulerState&) const {}  ///< @throws ValueError for what `load` could not take
  virtual void load(const SchedulerState&) {}
  /// The values of a name. @throws ValueError unless there are `count` of them
  const std::vector<double>& values(const SchedulerState& state, const char* value, std::size_t count) const;

 private:
  friend class SequentialLR;
  friend class ChainedScheduler;
  void check_all(const SchedulerState& state) const;
  void load_all(const SchedulerState& state);
  void restart() { go_to(0, &base_lrs_); }

  const char* name_;
  Optimizer* optimizer_;
  std::int64_t last_epoch_ = -1;
  std::vector<double> base_lrs_, last_lr_;
};

/// The option that schedulers cycle as momentum: "momentum", or "beta1". @throws ValueError without either
const char* momentum_option(const char* scheduler, const Optimizer& optimizer);

/// One value for all groups, or one for each.
template <class T>
struct PerGroup {
  PerGroup() = default;
  template <std::convertible_to<T> U>
  PerGroup(U value) : values{T(std::move(value))} {}              // NOLINT(google-explicit-constructor)
  PerGroup(std::initializer_list<T> values) : values(values) {}   // NOLINT(google-explicit-constructor)
  PerGroup(std::vector<T> values) : values(std::move(values)) {}  // NOLINT(google-explicit-constructor)

  const T& operator[](std::size_t group) const { return values[values.size() == 1 ? 0 : group]; }
  /// @throws ValueError unless there is one, or one for each group
  void check(const char* owner, const char* option, std::size_t groups) const {
    if (values.size() == 1 || values.size() == groups) return;
    throw ValueError("[" + std::string(owner) + "] " + option + ": expected 1 value or " +
                     std::to_string(groups) + ", one for each group, got " + std::to_string(values.size()));
  }

  std::vector<T> values;
};

/// Where a schedule stands.
struct Epoch {
  std::int64_t number;
  std::size_t group;
  double now;   ///< the group's present rate
  double base;  ///< its first
};

/// The scheduler that follows `rate(Epoch)`, and where they have it `momentum(Epoch)`, of the options O.
template <class O>
class Schedule : public LRScheduler {
 public:
  /// @throws ValueError for options out of their ranges
  explicit Schedule(Optimizer& optimizer, O options = {})
      : LRScheduler(O::name, optimizer), o_(std::move(options)) {
    check_schedule();
    start();
  }
  const O& options() const { return o_; }

 private:
  void check_schedule() {
    const auto groups = optimizer().num_groups();
    o_.visit([&]<class T>(const char* option, T& value, const Range& range) {
      const auto check_one = [&](double x) { expect(O::name, option, x, range.contains(x), range.text); };
      if constexpr (requires { value.values; }) {
        value.check(O::name, option, groups);
        if constexpr (std::is_same_v<T, PerGroup<double>>)
          for (const double x : value.values) check_one(x);
      } else {
        check_one(static_cast<double>(value));
      }
    });
    if constexpr (requires { o_.check(); }) o_.check();
    if constexpr (requires { o_.cycle_momentum; })
      momentum_ = o_.cycle_momentum ? momentum_option(O::name, optimizer()) : nullptr;
  }
  double rate(std::int64_t epoch, std::size_t group, double now) const override {
    return o_.rate({epoch, group, now, base_lrs()[group]});
  }
  std::optional<double> momentum(std::int64_t epoch, std::size_t group) const override {
    if constexpr (requires(const Epoch& e) { o_.momentum(e); })
      if (momentum_) return o_.momentum({epoch, group, 0, 0});
    return {};
  }

  O o_;
  const char* momentum_ = nullptr;
};

}  // namespace cadena::optim
