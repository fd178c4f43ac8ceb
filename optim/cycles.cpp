#include "optim/cycles.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace cadena::optim {

using std::numbers::pi;

// ---- CyclicLR

double CyclicLROptions::height(std::int64_t epoch) const {
  const auto up = static_cast<double>(step_size_up);
  const double total = up + static_cast<double>(step_size_down == 0 ? step_size_up : step_size_down);
  const auto at = static_cast<double>(epoch);
  const double cycle = std::floor(1 + at / total), x = 1 + at / total - cycle, peak = up / total;
  const double straight = x <= peak ? x / peak : (x - 1) / (peak - 1);
  if (scale_fn) return straight * scale_fn(scale_mode == ScaleMode::cycle ? cycle : at);
  switch (mode) {
    case CyclicMode::triangular:
      return straight;
    case CyclicMode::triangular2:
      return straight / std::exp2(cycle - 1);
    case CyclicMode::exp_range:
      return straight * std::pow(gamma, at);
  }
  return straight;
}

double CyclicLROptions::rate(const Epoch& e) const {
  return base_lr[e.group] + (max_lr[e.group] - base_lr[e.group]) * height(e.number);
}

double CyclicLROptions::momentum(const Epoch& e) const {
  return max_momentum[e.group] - (max_momentum[e.group] - base_momentum[e.group]) * height(e.number);
}

// ---- OneCycleLR

/// A stretch of the cycle, and how much of it is over.
struct OneCycleLROptions::Place {
  enum { rise, fall_to_start, fall_to_end, end } stretch;
  double part;
};

void OneCycleLROptions::check() {
  if (total_steps == 0) total_steps = epochs * steps_per_epoch;
  expect(name, "total_steps", static_cast<double>(total_steps), total_steps >= 1,
         ">= 1, or else epochs and steps_per_epoch");
}

OneCycleLROptions::Place OneCycleLROptions::place(std::int64_t epoch) const {
  if (epoch > total_steps)
    throw ValueError("[OneCycleLR] expected at most " + std::to_string(total_steps) + " steps, got " +
                     std::to_string(epoch));
  const auto at = static_cast<double>(epoch), total = static_cast<double>(total_steps);
  const double peak = pct_start * total - 1, second = 2 * pct_start * total - 2, last = total - 1;
  const auto part = [&](double from, double to) {
    return to > from ? std::min(1.0, (at - from) / (to - from)) : 1;
  };
  if (at <= peak) return {Place::rise, part(0, peak)};
  if (!three_phase) return {Place::end, part(peak, last)};
  if (at <= second) return {Place::fall_to_start, part(peak, second)};
  return {Place::fall_to_end, part(second, last)};
}

double OneCycleLROptions::between(double from, double to, double part) const {
  if (anneal_strategy == AnnealStrategy::linear) return (to - from) * part + from;
  return to + (from - to) / 2 * (std::cos(pi * part) + 1);
}

double OneCycleLROptions::rate(const Epoch& e) const {
  const double top = max_lr[e.group], first = top / div_factor, last = first / final_div_factor;
  const auto [stretch, part] = place(e.number);
  switch (stretch) {
    case Place::rise:
      return between(first, top, part);
    case Place::fall_to_start:
      return between(top, first, part);
    case Place::fall_to_end:
      return between(first, last, part);
    default:
      return between(top, last, part);
  }
}

double OneCycleLROptions::momentum(const Epoch& e) const {
  const double most = max_momentum[e.group], least = base_momentum[e.group];
  const auto [stretch, part] = place(e.number);
  switch (stretch) {
    case Place::rise:
      return between(most, least, part);
    case Place::fall_to_end:
      return most;
    default:
      return between(least, most, part);
  }
}

// ---- SWALR

double SWALROptions::rate(const Epoch& e) const {
  const double target = swa_lr[e.group],
               length = static_cast<double>(std::max<std::int64_t>(1, anneal_epochs));
  const auto done = [&](std::int64_t epoch) {
    const double t = std::clamp(static_cast<double>(epoch) / length, 0.0, 1.0);
    return anneal_strategy == AnnealStrategy::linear ? t : (1 - std::cos(pi * t)) / 2;
  };
  const auto epoch = anneal_epochs == 0 ? std::max<std::int64_t>(1, e.number) : e.number;
  const double before = done(epoch - 1), after = done(epoch);
  const double from =
      before == 1 ? target : (e.now - before * target) / (1 - before);  // undoes the step before
  return target * after + from * (1 - after);
}

}  // namespace cadena::optim
