// Schedules that know where they are from the number of the epoch. PyTorch's names, defaults and recurrences:
// where a formula speaks of lr, it multiplies the present rate, so that several schedules may work on one
// optimizer.
#pragma once

#include <functional>

#include "optim/scheduler.hpp"

namespace cadena::optim {

using EpochFunction = std::function<double(std::int64_t epoch)>;

struct LambdaLROptions {
  static constexpr const char* name = "LambdaLR";
  PerGroup<EpochFunction> lr_lambda;
  template <class V>
  void visit(V&& v) {
    v("lr_lambda", lr_lambda, any);
  }
  double rate(const Epoch& e) const { return e.base * lr_lambda[e.group](e.number); }
};
/// lr = base lr_lambda(epoch)
using LambdaLR = Schedule<LambdaLROptions>;

struct MultiplicativeLROptions {
  static constexpr const char* name = "MultiplicativeLR";
  PerGroup<EpochFunction> lr_lambda;
  template <class V>
  void visit(V&& v) {
    v("lr_lambda", lr_lambda, any);
  }
  double rate(const Epoch& e) const { return e.number > 0 ? e.now * lr_lambda[e.group](e.number) : e.now; }
};
/// lr <- lr lr_lambda(epoch), from epoch 1 on
using MultiplicativeLR = Schedule<MultiplicativeLROptions>;

struct StepLROptions {
  static constexpr const char* name = "StepLR";
  std::int64_t step_size = 0;  ///< >= 1
  double gamma = 0.1;          ///< >= 0
  template <class V>
  void visit(V&& v) {
    v("step_size", step_size, at_least_1);
    v("gamma", gamma, non_negative);
  }
  double rate(const Epoch& e) const {
    return e.number > 0 && e.number % step_size == 0 ? e.now * gamma : e.now;
  }
};
/// lr <- gamma lr every step_size epochs
using StepLR = Schedule<StepLROptions>;

struct MultiStepLROptions {
  static constexpr const char* name = "MultiStepLR";
  std::vector<std::int64_t> milestones;  ///< in any order; one named twice counts twice
  double gamma = 0.1;                    ///< >= 0
  template <class V>
  void visit(V&& v) {
    v("gamma", gamma, non_negative);
  }
  double rate(const Epoch& e) const;
};
/// lr <- gamma lr in the epochs named by milestones
using MultiStepLR = Schedule<MultiStepLROptions>;

struct ConstantLROptions {
  static constexpr const char* name = "ConstantLR";
  double factor = 1.0 / 3;       ///< in (0, 1]
  std::int64_t total_iters = 5;  ///< >= 0
  void check() const;
  template <class V>
  void visit(V&& v) {
    v("factor", factor, up_to_1);
    v("total_iters", total_iters, non_negative);
  }
  double rate(const Epoch& e) const;
};
/// lr = base factor before epoch total_iters, then base
using ConstantLR = Schedule<ConstantLROptions>;

struct LinearLROptions {
  static constexpr const char* name = "LinearLR";
  double start_factor = 1.0 / 3;  ///< in (0, 1]
  double end_factor = 1;          ///< in [0, 1]
  std::int64_t total_iters = 5;   ///< >= 1
  void check() const;
  template <class V>
  void visit(V&& v) {
    v("start_factor", start_factor, up_to_1);
    v("end_factor", end_factor, up_to_1);
    v("total_iters", total_iters, at_least_1);
  }
  double rate(const Epoch& e) const;
};
/// lr = base f, where f goes in a straight line from start_factor to end_factor in total_iters epochs
using LinearLR = Schedule<LinearLROptions>;

struct ExponentialLROptions {
  static constexpr const char* name = "ExponentialLR";
  double gamma = 0;  ///< > 0
  template <class V>
  void visit(V&& v) {
    v("gamma", gamma, positive);
  }
  double rate(const Epoch& e) const { return e.number == 0 ? e.now : e.now * gamma; }
};
/// lr <- gamma lr every epoch
using ExponentialLR = Schedule<ExponentialLROptions>;

struct PolynomialLROptions {
  static constexpr const char* name = "PolynomialLR";
  std::int64_t total_iters = 5;  ///< >= 1
  double power = 1;              ///< >= 0
  template <class V>
  void visit(V&& v) {
    v("total_iters", total_iters, at_least_1);
    v("power", power, non_negative);
  }
  double rate(const Epoch& e) const;
};
/// lr = base (1 - min(epoch, total_iters) / total_iters)^power
using PolynomialLR = Schedule<PolynomialLROptions>;

struct CosineAnnealingLROptions {
  static constexpr const char* name = "CosineAnnealingLR";
  std::int64_t T_max = 0;  ///< >= 1
  double eta_min = 0;      ///< >= 0
  template <class V>
  void visit(V&& v) {
    v("T_max", T_max, at_least_1);
    v("eta_min", eta_min, non_negative);
  }
  double rate(const Epoch& e) const;
};
/// lr = eta_min + (base - eta_min) (1 + cos(pi epoch / T_max)) / 2. Loshchilov and Hutter, "SGDR",
/// arXiv:1608.03983
using CosineAnnealingLR = Schedule<CosineAnnealingLROptions>;

struct CosineAnnealingWarmRestartsOptions {
  static constexpr const char* name = "CosineAnnealingWarmRestarts";
  std::int64_t T_0 = 0;     ///< >= 1: epochs until the first restart
  std::int64_t T_mult = 1;  ///< >= 1: each stretch is so many times as long as the one before
  double eta_min = 0;       ///< >= 0
  template <class V>
  void visit(V&& v) {
    v("T_0", T_0, at_least_1);
    v("T_mult", T_mult, at_least_1);
    v("eta_min", eta_min, non_negative);
  }
  double rate_at(double epoch, double base) const;
  double rate(const Epoch& e) const { return rate_at(static_cast<double>(e.number), e.base); }
};
/// lr = eta_min + (base - eta_min) (1 + cos(pi t / T)) / 2, t epochs into a stretch of T. arXiv:1608.03983
class CosineAnnealingWarmRestarts : public Schedule<CosineAnnealingWarmRestartsOptions> {
 public:
  using Schedule::Schedule;
  using Schedule::step;
  /// To any point, also between two epochs: `step(epoch + batch / batches)`. @throws ValueError unless finite
  /// and >= 0
  void step(double epoch);
};

enum class WarmupDecay : std::uint8_t { constant, linear, cosine };

struct WarmupLROptions {
  static constexpr const char* name = "WarmupLR";
  std::int64_t warmup_steps = 0;  ///< >= 0
  std::int64_t total_steps = 0;   ///< > warmup_steps; without meaning if the decay is constant
  WarmupDecay decay = WarmupDecay::cosine;
  double num_cycles = 0.5;  ///< of the cosine; half a one ends at 0
  void check() const;
  template <class V>
  void visit(V&& v) {
    v("warmup_steps", warmup_steps, non_negative);
    v("total_steps", total_steps, non_negative);
    v("decay", decay, one_of<3>);
    v("num_cycles", num_cycles, non_negative);
  }
  double rate(const Epoch& e) const;
};
/// As transformers are trained: lr rises in a straight line from 0 to base in warmup_steps, then falls to 0
/// in total_steps, or stays. Vaswani et al., arXiv:1706.03762, and the schedules of Hugging Face's
/// `transformers`.
using WarmupLR = Schedule<WarmupLROptions>;

}  // namespace cadena::optim
