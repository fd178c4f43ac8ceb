#include "optim/lr_find.hpp"

#include <algorithm>
#include <cmath>

#include "autodiff/grad.hpp"

namespace cadena::optim {

void LrFindOptions::check() const {
  expect(name, "end_lr", end_lr, std::isfinite(end_lr) && end_lr > start_lr,
         "a finite number above start_lr");
  expect(name, "num_steps", static_cast<double>(num_steps), num_steps >= 2, ">= 2");
}

namespace {

/// Puts everything back at the end of a scope.
class Restore {
 public:
  explicit Restore(Optimizer& optimizer) : optimizer_(optimizer), state_(optimizer.state_dict()) {
    NoGrad no_grad;
    for (auto& p : optimizer.parameters())
      saved_.push_back({p, p.detach().clone(), p.grad().defined() ? p.grad().clone() : Tensor()});
  }
  ~Restore() {
    NoGrad no_grad;
    for (auto& [parameter, value, grad] : saved_) {
      parameter.copy_(value);
      if (grad.defined())
        parameter.set_grad(grad);
      else
        parameter.zero_grad();
    }
    optimizer_.load_state_dict(state_);
  }
  Restore(const Restore&) = delete;
  Restore& operator=(const Restore&) = delete;

 private:
  struct Saved {
    Tensor parameter, value, grad;
  };
  Optimizer& optimizer_;
  OptimizerState state_;
  std::vector<Saved> saved_;
};

/// The rate in front of the steepest piece of the curve on its way to the least loss.
double steepest(const LrFindResult& r) {
  const auto least = std::min_element(r.losses.begin(), r.losses.end()) - r.losses.begin();
  std::size_t best = 0;
  double steepest = 0;
  for (std::size_t i = 1; i <= static_cast<std::size_t>(least); ++i) {
    const double slope = (r.losses[i] - r.losses[i - 1]) / std::log(r.lrs[i] / r.lrs[i - 1]);
    if (slope < steepest) steepest = slope, best = i;
  }
  return r.lrs[best];
}

}  // namespace

LrFindResult lr_find(Optimizer& optimizer, const std::function<Tensor()>& closure, LrFindOptions options) {
  check_options(options);
  const Restore restore(optimizer);
  LrFindResult result;
  const double ratio =
      std::pow(options.end_lr / options.start_lr, 1 / static_cast<double>(options.num_steps - 1));
  double lr = options.start_lr, average = 0, weight = 0;
  for (std::int64_t i = 0; i < options.num_steps; ++i, lr *= ratio) {
    optimizer.set_lr(lr);
    const double loss = optimizer.step(closure).item();
    average = options.smoothing * average + (1 - options.smoothing) * loss;
    weight = options.smoothing * weight + (1 - options.smoothing);
    const double smooth = average / weight;
    if (i == 0 && !std::isfinite(loss))
      throw ValueError("[lr_find] expected a finite loss at start_lr, got " + to_text(loss));
    const auto least = std::min_element(result.losses.begin(), result.losses.end());
    if (!std::isfinite(smooth) || (i > 0 && smooth - *least > (options.diverged - 1) * std::abs(*least)))
      break;
    result.lrs.push_back(lr);
    result.losses.push_back(smooth);
  }
  result.suggestion = steepest(result);
  return result;
}

}  // namespace cadena::optim
