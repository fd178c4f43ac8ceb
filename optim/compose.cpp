#include "optim/compose.hpp"

#include <algorithm>

namespace cadena::optim {

namespace {

void check_schedulers(const char* name, const Optimizer* optimizer, const Schedulers& schedulers) {
  const auto op = "[" + std::string(name) + "] expected ";
  if (schedulers.empty()) throw ValueError(op + "schedulers, got none");
  for (std::size_t i = 0; i < schedulers.size(); ++i) {
    if (&schedulers[i].get().optimizer() != optimizer)
      throw ValueError(op + "schedulers of one optimizer, got another one's as number " + std::to_string(i));
    if (dynamic_cast<const ReduceLROnPlateau*>(&schedulers[i].get()))
      throw ValueError(op + "schedulers that step without a metric, got ReduceLROnPlateau");
  }
}

void save_schedulers(const Schedulers& schedulers, SchedulerState& state) {
  for (const LRScheduler& s : schedulers) state.schedulers.push_back(s.state_dict());
}

void check_count(const char* name, const Schedulers& schedulers, const SchedulerState& state) {
  if (state.schedulers.size() != schedulers.size())
    throw ValueError("[" + std::string(name) + "::load_state_dict] expected " +
                     std::to_string(schedulers.size()) + " schedulers, got " +
                     std::to_string(state.schedulers.size()));
}

}  // namespace

// ---- SequentialLR

SequentialLR::SequentialLR(Optimizer& optimizer, Schedulers schedulers, SequentialLROptions options)
    : LRScheduler("SequentialLR", optimizer),
      schedulers_(std::move(schedulers)),
      milestones_(std::move(options.milestones)) {
  check_schedulers("SequentialLR", &optimizer, schedulers_);
  if (milestones_.size() + 1 != schedulers_.size())
    fail(std::to_string(schedulers_.size() - 1) + " milestones for " + std::to_string(schedulers_.size()) +
             " schedulers",
         std::to_string(milestones_.size()));
  std::int64_t before = 0;
  for (const auto m : milestones_) {
    if (m <= before)
      fail("increasing milestones >= 1", std::to_string(m) + " after " + std::to_string(before));
    before = m;
  }
  // The constructors of the others have changed the rates, too.
  schedulers_.front().get().restart();
  start();
}

std::size_t SequentialLR::active(std::int64_t epoch) const {
  return static_cast<std::size_t>(std::upper_bound(milestones_.begin(), milestones_.end(), epoch) -
                                  milestones_.begin());
}

void SequentialLR::step() {
  const auto epoch = last_epoch() + 1;
  auto& scheduler = schedulers_[active(epoch)].get();
  if (std::binary_search(milestones_.begin(), milestones_.end(), epoch))
    scheduler.restart();
  else
    scheduler.step();
  LRScheduler::step();
}

void SequentialLR::save(SchedulerState& state) const { save_schedulers(schedulers_, state); }
void SequentialLR::check(const SchedulerState& state) const {
  check_count("SequentialLR", schedulers_, state);
  for (std::size_t i = 0; i < schedulers_.size(); ++i) schedulers_[i].get().check_all(state.schedulers[i]);
}
void SequentialLR::load(const SchedulerState& state) {
  for (std::size_t i = 0; i < schedulers_.size(); ++i) schedulers_[i].get().load_all(state.schedulers[i]);
  // The others have set their momenta, too.
  const auto last = active(static_cast<std::int64_t>(state.values.at("last_epoch")[0]));
  schedulers_[last].get().load_all(state.schedulers[last]);
}

// ---- ChainedScheduler

ChainedScheduler::ChainedScheduler(Schedulers schedulers)
    : LRScheduler(
          "ChainedScheduler",
          (check_schedulers("ChainedScheduler",
                            schedulers.empty() ? nullptr : &schedulers[0].get().optimizer(), schedulers),
           schedulers[0].get().optimizer())),
      schedulers_(std::move(schedulers)) {
  start();
}

void ChainedScheduler::step() {
  const auto former = state_dict();
  try {
    for (LRScheduler& s : schedulers_) s.step();
    LRScheduler::step();
  } catch (...) {
    load_all(former);
    throw;
  }
}

void ChainedScheduler::save(SchedulerState& state) const { save_schedulers(schedulers_, state); }
void ChainedScheduler::check(const SchedulerState& state) const {
  check_count("ChainedScheduler", schedulers_, state);
  for (std::size_t i = 0; i < schedulers_.size(); ++i) schedulers_[i].get().check_all(state.schedulers[i]);
}
void ChainedScheduler::load(const SchedulerState& state) {
  for (std::size_t i = 0; i < schedulers_.size(); ++i) schedulers_[i].get().load_all(state.schedulers[i]);
}

// ---- ReduceLROnPlateau

bool ReduceLROnPlateau::improves(double metric) const {
  const auto& o = options();
  const bool less = o.mode == PlateauMode::min;
  if (!best_)
    return metric - metric == 0 || (less ? metric < 0 : metric > 0);  // neither NaN nor the worst infinity
  const double change = less ? -o.threshold : o.threshold;
  const double bar = o.threshold_mode == ThresholdMode::rel ? *best_ * (1 + change) : *best_ + change;
  return less ? metric < bar : metric > bar;
}

void ReduceLROnPlateau::step(double metric) {
  check_not_capturing();
  const auto& o = options();
  if (improves(metric)) {
    best_ = metric;
    bad_epochs_ = 0;
  } else {
    ++bad_epochs_;
  }
  if (cooldown_left_ > 0) --cooldown_left_, bad_epochs_ = 0;
  std::vector<double> rates;
  for (std::size_t i = 0; i < base_lrs().size(); ++i) rates.push_back(optimizer().lr(i));
  if (bad_epochs_ > o.patience) {
    for (std::size_t i = 0; i < rates.size(); ++i) {
      const double reduced = std::max(rates[i] * o.factor, o.min_lr[i]);
      if (rates[i] - reduced > o.eps) rates[i] = reduced;
    }
    cooldown_left_ = o.cooldown;
    bad_epochs_ = 0;
  }
  set_rates(last_epoch() + 1, rates);
}

void ReduceLROnPlateau::step() { fail("the metric as step(metric)", "none"); }

void ReduceLROnPlateau::save(SchedulerState& state) const {
  state.values["best"] = best_ ? std::vector{*best_} : std::vector<double>{};
  state.values["num_bad_epochs"] = {static_cast<double>(bad_epochs_)};
  state.values["cooldown_counter"] = {static_cast<double>(cooldown_left_)};
}

void ReduceLROnPlateau::check(const SchedulerState& state) const {
  const auto best = state.values.find("best");
  static_cast<void>(values(state, "best", best == state.values.end() || best->second.empty() ? 0 : 1));
  for (const char* counter : {"num_bad_epochs", "cooldown_counter"}) {
    const double n = values(state, counter, 1)[0];
    if (!(n >= 0 && n < 9e15)) fail(std::string(counter) + " >= 0", to_text(n));
  }
}

void ReduceLROnPlateau::load(const SchedulerState& state) {
  const auto& best = state.values.at("best");
  best_ = best.empty() ? std::nullopt : std::optional(best[0]);
  bad_epochs_ = static_cast<std::int64_t>(state.values.at("num_bad_epochs")[0]);
  cooldown_left_ = static_cast<std::int64_t>(state.values.at("cooldown_counter")[0]);
}

}  // namespace cadena::optim
