// Schedules that move the momentum against the rate, and the one of weight averaging.
#pragma once

#include <functional>

#include "optim/scheduler.hpp"

namespace cadena::optim {

enum class CyclicMode : std::uint8_t {
  triangular,   ///< every cycle as high as the first
  triangular2,  ///< every cycle half as high as the one before
  exp_range,    ///< by gamma^epoch
};
enum class ScaleMode : std::uint8_t { cycle, iterations };  ///< what scale_fn is called with

struct CyclicLROptions {
  static constexpr const char* name = "CyclicLR";
  PerGroup<double> base_lr, max_lr;  ///< >= 0
  std::int64_t step_size_up = 2000;  ///< >= 1
  std::int64_t step_size_down = 0;   ///< 0 means step_size_up
  CyclicMode mode = CyclicMode::triangular;
  double gamma = 1;                                          ///< > 0
  std::function<double(double)> scale_fn = {};               ///< in place of the mode
  ScaleMode scale_mode = ScaleMode::cycle;                   ///< cycles are numbered from 1
  bool cycle_momentum = true;                                ///< the optimizer's momentum or beta1
  PerGroup<double> base_momentum = 0.8, max_momentum = 0.9;  ///< each in [0, 1)
  template <class V>
  void visit(V&& v) {
    v("base_lr", base_lr, non_negative);
    v("max_lr", max_lr, non_negative);
    v("step_size_up", step_size_up, at_least_1);
    v("step_size_down", step_size_down, non_negative);
    v("mode", mode, one_of<3>);
    v("gamma", gamma, positive);
    v("scale_mode", scale_mode, one_of<2>);
    v("base_momentum", base_momentum, below_1);
    v("max_momentum", max_momentum, below_1);
  }
  double height(std::int64_t epoch) const;  ///< above base_lr, 1 being max_lr
  double rate(const Epoch& e) const;
  double momentum(const Epoch& e) const;
};
/// lr rises in a straight line from base_lr to max_lr in step_size_up epochs and falls back in
/// step_size_down, again and again, while momentum falls and rises. Smith, "Cyclical learning rates",
/// arXiv:1506.01186
using CyclicLR = Schedule<CyclicLROptions>;

enum class AnnealStrategy : std::uint8_t { cos, linear };

struct OneCycleLROptions {
  static constexpr const char* name = "OneCycleLR";
  PerGroup<double> max_lr;       ///< > 0
  std::int64_t total_steps = 0;  ///< >= 1; 0 means epochs steps_per_epoch
  std::int64_t epochs = 0;
  std::int64_t steps_per_epoch = 0;
  double pct_start = 0.3;  ///< in [0, 1]: the part in which lr rises
  AnnealStrategy anneal_strategy = AnnealStrategy::cos;
  bool cycle_momentum = true;                                  ///< the optimizer's momentum or beta1
  PerGroup<double> base_momentum = 0.85, max_momentum = 0.95;  ///< each in [0, 1)
  double div_factor = 25;                                      ///< > 0; the first rate is max_lr / div_factor
  double final_div_factor = 1e4;  ///< > 0; the last is the first / final_div_factor
  bool three_phase = false;       ///< down to the first rate symmetrically, then on to the last
  /// Resolves total_steps. @throws ValueError
  void check();
  template <class V>
  void visit(V&& v) {
    v("max_lr", max_lr, positive);
    v("total_steps", total_steps, non_negative);
    v("epochs", epochs, non_negative);
    v("steps_per_epoch", steps_per_epoch, non_negative);
    v("pct_start", pct_start, up_to_1);
    v("anneal_strategy", anneal_strategy, one_of<2>);
    v("base_momentum", base_momentum, below_1);
    v("max_momentum", max_momentum, below_1);
    v("div_factor", div_factor, positive);
    v("final_div_factor", final_div_factor, positive);
  }
  double rate(const Epoch& e) const;  ///< @throws ValueError after total_steps
  double momentum(const Epoch& e) const;

 private:
  struct Place;
  Place place(std::int64_t epoch) const;
  double between(double from, double to, double part) const;
};
/// lr rises from max_lr/div_factor to max_lr, then falls to max_lr/div_factor/final_div_factor, while
/// momentum falls and rises. Epoch total_steps, which a step after the last batch reaches, keeps the last
/// rates (PyTorch goes beyond them, below 0 if linear). Smith and Topin, "Super-convergence",
/// arXiv:1708.07120
using OneCycleLR = Schedule<OneCycleLROptions>;

struct SWALROptions {
  static constexpr const char* name = "SWALR";
  PerGroup<double> swa_lr;          ///< >= 0
  std::int64_t anneal_epochs = 10;  ///< >= 0
  AnnealStrategy anneal_strategy = AnnealStrategy::cos;
  template <class V>
  void visit(V&& v) {
    v("swa_lr", swa_lr, non_negative);
    v("anneal_epochs", anneal_epochs, non_negative);
    v("anneal_strategy", anneal_strategy, one_of<2>);
  }
  double rate(const Epoch& e) const;
};
/// lr goes from where it is to swa_lr in anneal_epochs and stays there; see AveragedModel. arXiv:1803.05407
using SWALR = Schedule<SWALROptions>;

}  // namespace cadena::optim
