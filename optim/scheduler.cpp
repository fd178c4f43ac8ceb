#include "optim/scheduler.hpp"

#include <algorithm>

namespace cadena::optim {

const char* momentum_option(const char* scheduler, const Optimizer& optimizer) {
  for (const char* option : {"momentum", "beta1"})
    if (optimizer.has_option(option)) return option;
  throw ValueError("[" + std::string(scheduler) +
                   "] cycle_momentum: expected an optimizer with momentum or betas, got " + optimizer.name());
}

void LRScheduler::fail(const std::string& expected, const std::string& got) const {
  throw ValueError("[" + std::string(name_) + "] expected " + expected + ", got " + got);
}

void LRScheduler::start() {
  for (auto& group : optimizer_->groups_) {
    const auto lr = optimizer_->lr(base_lrs_.size());
    if (!group.initial_lr) group.initial_lr = lr;
    base_lrs_.push_back(*group.initial_lr);
  }
  go_to(0);
}

void LRScheduler::step() { go_to(last_epoch_ + 1); }

void LRScheduler::go_to(std::int64_t epoch, const std::vector<double>* now) {
  std::vector<double> rates;
  for (std::size_t i = 0; i < base_lrs_.size(); ++i)
    rates.push_back(rate(epoch, i, now ? (*now)[i] : optimizer_->lr(i)));
  set_rates(epoch, rates);
}

void LRScheduler::set_rates(std::int64_t epoch, const std::vector<double>& rates) {
  for (const double lr : rates)
    if (!(lr >= 0)) fail("rates >= 0", to_text(lr) + " in epoch " + std::to_string(epoch));
  optimizer_->check_not_capturing();
  std::vector<OptionValues> former;
  for (std::size_t i = 0; i < rates.size(); ++i) former.push_back(optimizer_->saved_options(i));
  try {
    for (std::size_t i = 0; i < rates.size(); ++i) {
      auto options = former[i];
      options["lr"] = rates[i];
      if (const auto m = momentum(epoch, i)) options[momentum_option(name_, *optimizer_)] = *m;
      optimizer_->load_options(i, options);
    }
  } catch (...) {
    for (std::size_t i = 0; i < rates.size(); ++i) optimizer_->load_options(i, former[i]);
    throw;
  }
  last_lr_ = rates;
  last_epoch_ = epoch;
}

// ---- State

const std::vector<double>& LRScheduler::values(const SchedulerState& state, const char* value,
                                               std::size_t count) const {
  const auto found = state.values.find(value);
  if (found == state.values.end() || found->second.size() != count)
    throw ValueError("[" + std::string(name_) + "::load_state_dict] expected " + std::to_string(count) +
                     " \"" + value + "\", got " +
                     (found == state.values.end() ? "none" : std::to_string(found->second.size())));
  return found->second;
}

SchedulerState LRScheduler::state_dict() const {
  SchedulerState state{.scheduler = name_,
                       .values = {{"last_epoch", {static_cast<double>(last_epoch_)}},
                                  {"base_lrs", base_lrs_},
                                  {"last_lr", last_lr_}}};
  save(state);
  return state;
}

void LRScheduler::check_all(const SchedulerState& state) const {
  const auto op = "[" + std::string(name_) + "::load_state_dict] expected ";
  if (state.scheduler != name_)
    throw ValueError(op + "the state of " + name_ + ", got one of " + state.scheduler);
  const double epoch = values(state, "last_epoch", 1)[0];
  if (!(epoch >= -1 && epoch <= max_whole_number &&
        epoch == static_cast<double>(static_cast<std::int64_t>(epoch))))
    throw ValueError(op + "a whole last_epoch >= -1, got " + to_text(epoch));
  for (const char* rates : {"base_lrs", "last_lr"})
    for (const double lr : values(state, rates, base_lrs_.size()))
      if (!(lr >= 0)) throw ValueError(op + rates + " >= 0, got " + to_text(lr));
  check(state);
}

void LRScheduler::load_all(const SchedulerState& state) {
  load(state);
  last_epoch_ = static_cast<std::int64_t>(state.values.at("last_epoch")[0]);
  base_lrs_ = state.values.at("base_lrs");
  set_rates(last_epoch_, state.values.at("last_lr"));
}

void LRScheduler::load_state_dict(const SchedulerState& state) {
  check_all(state);
  load_all(state);
}

}  // namespace cadena::optim
