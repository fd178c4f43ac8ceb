#include "optim/averaging.hpp"

#include <algorithm>

#include "autodiff/capture.hpp"
#include "autodiff/grad.hpp"
#include "autodiff/ops.hpp"

namespace cadena::optim {

AveragedModel::AveragedModel(Params model, AveragedModelOptions options) : decay_(options.decay) {
  if (decay_) expect("AveragedModel", "decay", *decay_, *decay_ >= 0 && *decay_ <= 1, "a number in [0, 1]");
  if (model.named.empty()) throw ValueError("[AveragedModel] expected tensors, got none");
  NoGrad no_grad;
  for (auto& [given, tensor] : model.named) {
    const auto name = given.empty() ? std::to_string(names_.size()) : given;
    if (!tensor.defined())
      throw ValueError("[AveragedModel] expected a defined tensor, got an undefined one as \"" + name + '"');
    if (!is_floating(tensor.dtype()))
      throw DtypeError("[AveragedModel] expected f32 or f64, got " +
                       std::string(cadena::name(tensor.dtype())) + " as \"" + name + '"');
    if (std::find(names_.begin(), names_.end(), name) != names_.end())
      throw ValueError("[AveragedModel] expected different names, got one twice as \"" + name + '"');
    names_.push_back(name);
    model_.push_back(tensor);
    averages_.push_back(tensor.detach().clone());
  }
}

void AveragedModel::update_parameters() {
  if (is_capturing())
    return on_every_call("AveragedModel", [this, watch = presence_.watch()] {
      if (watch.expired())
        throw CaptureError(
            "[AveragedModel] expected averages that outlive the captured function that updates them");
      update_parameters();
    });
  if (in_use_)
    throw GraphError("[AveragedModel] expected the model's own values, got the averages (UseAverage)");
  NoGrad no_grad;
  for (std::size_t i = 0; i < model_.size(); ++i) {
    auto& average = averages_[i];
    if (n_averaged_ == 0)
      average.copy_(model_[i]);
    else if (decay_)
      average.mul_(*decay_).add_(model_[i], 1 - *decay_);
    else
      average.add_(model_[i] - average, 1 / static_cast<double>(n_averaged_ + 1));
  }
  ++n_averaged_;
}

AveragedModelState AveragedModel::state_dict() const {
  NoGrad no_grad;
  AveragedModelState state{.n_averaged = n_averaged_, .parameters = {}};
  for (std::size_t i = 0; i < names_.size(); ++i) state.parameters.emplace(names_[i], averages_[i].clone());
  return state;
}

void AveragedModel::load_state_dict(const AveragedModelState& state) {
  const std::string op = "[AveragedModel::load_state_dict] expected ";
  if (in_use_) throw GraphError(op + "the model's own values, got the averages (UseAverage)");
  if (state.n_averaged < 0) throw ValueError(op + "n_averaged >= 0, got " + std::to_string(state.n_averaged));
  if (state.parameters.size() != names_.size())
    throw ValueError(op + std::to_string(names_.size()) + " tensors, got " +
                     std::to_string(state.parameters.size()));
  NoGrad no_grad;
  std::vector<Tensor> averages;
  for (std::size_t i = 0; i < names_.size(); ++i) {
    const auto found = state.parameters.find(names_[i]);
    if (found == state.parameters.end() || !found->second.defined())
      throw ValueError(op + "a tensor \"" + names_[i] + "\", got none");
    if (found->second.shape() != model_[i].shape())
      throw ShapeError(op + to_string(model_[i].shape()) + " as \"" + names_[i] + "\", got " +
                       to_string(found->second.shape()));
    averages.push_back(found->second.detach().to(model_[i].dtype()).clone());
  }
  for (std::size_t i = 0; i < averages.size(); ++i) averages_[i].copy_(averages[i]);
  n_averaged_ = state.n_averaged;
}

UseAverage::UseAverage(AveragedModel& average) : average_(average) {
  if (average_.in_use_) throw GraphError("[UseAverage] expected the model's own values, got the averages");
  NoGrad no_grad;
  for (auto& t : average_.model_) own_.push_back(t.detach().clone());
  for (std::size_t i = 0; i < own_.size(); ++i) average_.model_[i].copy_(average_.averages_[i]);
  average_.in_use_ = true;
}

UseAverage::~UseAverage() {
  NoGrad no_grad;
  for (std::size_t i = 0; i < own_.size(); ++i) average_.model_[i].copy_(own_[i]);
  average_.in_use_ = false;
}

}  // namespace cadena::optim
