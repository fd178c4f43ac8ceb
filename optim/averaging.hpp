// Averages of the weights along the way, which often do better than the last ones.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "autodiff/presence.hpp"
#include "optim/optimizer.hpp"

namespace cadena::optim {

struct AveragedModelOptions {
  /// In [0, 1]: the exponential average (EMA) that keeps so much of itself, such as 0.999. Without it all
  /// updates count the same: stochastic weight averaging (SWA).
  std::optional<double> decay = {};
};

struct AveragedModelState {
  std::int64_t n_averaged = 0;
  std::map<std::string, Tensor> parameters;
};

/// The average of a model's tensors over the calls of update_parameters: the first copies them, a later one
/// does a <- decay a + (1 - decay) w, or a <- a + (w - a) / (n + 1). Izmailov et al., "Averaging weights
/// leads to wider optima and better generalization", arXiv:1803.05407; PyTorch's torch.optim.swa_utils.
///
///   optim::AveragedModel ema(net.named_parameters(), {.decay = 0.999});
///   for (...) { ...; adam.step(); ema.update_parameters(); }
///   optim::UseAverage guard(ema);     // in this scope the net computes with the averages
class AveragedModel {
 public:
  /// @param model f32 or f64 tensors, buffers too if they are to be averaged. @throws ValueError, DtypeError
  explicit AveragedModel(Params model, AveragedModelOptions options = {});

  void update_parameters();  ///< @throws GraphError within UseAverage
  std::int64_t n_averaged() const { return n_averaged_; }
  /// The averages, in the order of the model's tensors; its values at construction before the first update.
  const std::vector<Tensor>& parameters() const { return averages_; }

  AveragedModelState state_dict() const;
  /// All or nothing, by name. @throws ValueError, ShapeError
  void load_state_dict(const AveragedModelState& state);

 private:
  friend class UseAverage;

  detail::Presence presence_;
  std::vector<std::string> names_;
  std::vector<Tensor> model_, averages_;
  std::optional<double> decay_;
  std::int64_t n_averaged_ = 0;
  bool in_use_ = false;
};

/// Puts the averages into the model for a scope, and the model's own values back at its end.
class UseAverage {
 public:
  /// @throws GraphError if they are there already
  explicit UseAverage(AveragedModel& average);
  ~UseAverage();
  UseAverage(const UseAverage&) = delete;
  UseAverage& operator=(const UseAverage&) = delete;

 private:
  AveragedModel& average_;
  std::vector<Tensor> own_;
};

}  // namespace cadena::optim
