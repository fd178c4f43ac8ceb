#include "optim/schedules.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace cadena::optim {

using std::numbers::pi;

double MultiStepLROptions::rate(const Epoch& e) const {
  const auto times = std::count(milestones.begin(), milestones.end(), e.number);
  return times == 0 ? e.now : e.now * std::pow(gamma, static_cast<double>(times));
}

// A factor of 0 could not be undone by multiplying.
void ConstantLROptions::check() const { expect(name, "factor", factor, factor > 0, "a number in (0, 1]"); }

double ConstantLROptions::rate(const Epoch& e) const {
  if (e.number == 0) return total_iters == 0 ? e.now : e.now * factor;
  return e.number == total_iters ? e.now / factor : e.now;
}

void LinearLROptions::check() const {
  expect(name, "start_factor", start_factor, start_factor > 0, "a number in (0, 1]");
}

double LinearLROptions::rate(const Epoch& e) const {
  if (e.number == 0) return e.now * start_factor;
  if (e.number > total_iters) return e.now;
  const auto total = static_cast<double>(total_iters), before = static_cast<double>(e.number - 1);
  return e.now *
         (1 + (end_factor - start_factor) / (total * start_factor + before * (end_factor - start_factor)));
}

double PolynomialLROptions::rate(const Epoch& e) const {
  if (e.number == 0 || e.number > total_iters) return e.now;
  const auto left = [&](std::int64_t epoch) { return static_cast<double>(total_iters - epoch); };
  return e.now * std::pow(left(e.number) / left(e.number - 1), power);
}

double CosineAnnealingLROptions::rate(const Epoch& e) const {
  if (e.number == 0) return e.now;
  const auto period = static_cast<double>(T_max);
  // After the lowest point the recurrence would divide by 0.
  if ((e.number - 1 - T_max) % (2 * T_max) == 0)
    return e.now + (e.base - eta_min) * (1 - std::cos(pi / period)) / 2;
  const auto height = [&](std::int64_t epoch) {
    return 1 + std::cos(pi * static_cast<double>(epoch) / period);
  };
  return height(e.number) / height(e.number - 1) * (e.now - eta_min) + eta_min;
}

double CosineAnnealingWarmRestartsOptions::rate_at(double epoch, double base) const {
  auto length = static_cast<double>(T_0);
  if (T_mult == 1) epoch = std::fmod(epoch, length);
  for (; epoch >= length; length *= static_cast<double>(T_mult)) epoch -= length;
  return eta_min + (base - eta_min) * (1 + std::cos(pi * epoch / length)) / 2;
}

void CosineAnnealingWarmRestarts::step(double epoch) {
  if (!(epoch >= 0 && epoch < 9e15)) fail("an epoch >= 0", to_text(epoch));
  std::vector<double> rates;
  for (const double base : base_lrs()) rates.push_back(options().rate_at(epoch, base));
  set_rates(static_cast<std::int64_t>(epoch), rates);
}

void WarmupLROptions::check() const {
  expect(name, "total_steps", static_cast<double>(total_steps),
         decay == WarmupDecay::constant || total_steps > warmup_steps, "more than warmup_steps");
}

double WarmupLROptions::rate(const Epoch& e) const {
  const auto at = static_cast<double>(e.number), warm = static_cast<double>(warmup_steps);
  if (e.number < warmup_steps) return e.base * at / warm;
  if (decay == WarmupDecay::constant) return e.base;
  const double rest = static_cast<double>(total_steps) - warm, done = std::min(1.0, (at - warm) / rest);
  if (decay == WarmupDecay::linear) return e.base * (1 - done);
  return e.base * std::max(0.0, (1 + std::cos(2 * pi * num_cycles * done)) / 2);
}

}  // namespace cadena::optim
