// A range test that finds a learning rate to begin with.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "optim/optimizer.hpp"

namespace cadena::optim {

struct LrFindOptions {
  static constexpr const char* name = "lr_find";
  double start_lr = 1e-7;        ///< > 0
  double end_lr = 10;            ///< > start_lr
  std::int64_t num_steps = 100;  ///< >= 2
  double smoothing = 0.9;        ///< in [0, 1): what the average of the losses keeps
  double diverged = 4;           ///< >= 1: it stops when the average is so many times the least one
  void check() const;
  template <class V>
  void visit(V&& v) {
    v("start_lr", start_lr, positive);
    v("end_lr", end_lr, positive);
    v("num_steps", num_steps, at_least_1);
    v("smoothing", smoothing, below_1);
    v("diverged", diverged, at_least_1);
  }
};

struct LrFindResult {
  std::vector<double> lrs;
  std::vector<double> losses;  ///< averaged, one for each rate
  double suggestion = 0;       ///< where the loss falls fastest along log(lr), before its least value
};

/// Takes steps with rates that grow exponentially from start_lr to end_lr, the same for all groups, and
/// watches the loss. Afterwards parameters, gradients, options and state are as they were, also if the
/// closure throws.
/// @param closure computes the loss of the next batch and its gradients, as for `Optimizer::step(closure)`
/// @throws ValueError for bad options, and if the first loss is not finite
/// Smith, "Cyclical learning rates for training neural networks", arXiv:1506.01186, section 3.3
LrFindResult lr_find(Optimizer& optimizer, const std::function<Tensor()>& closure,
                     LrFindOptions options = {});

}  // namespace cadena::optim
