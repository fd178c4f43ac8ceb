// Saving and loading what an optimizer remembers.
#include <algorithm>

#include "autodiff/grad.hpp"
#include "optim/optimizer.hpp"

namespace cadena::optim {

/// Copies of the saved slots. Some may be missing: those that options switched on since then need.
std::vector<Tensor> Optimizer::restored_slots(std::size_t group, const OptimizerState::Parameter& saved,
                                              const Entry& e) const {
  const auto op = "[" + std::string(name_) + "::load_state_dict] expected ";
  std::vector<Tensor> slots;
  for (const char* name : e.names) {
    const auto slot = saved.slots.find(name);
    if (slot == saved.slots.end()) break;
    const auto what = std::string(" as slot \"") + name + "\" of \"" + saved.name + "\", got ";
    if (!slot->second.defined()) throw ValueError(op + "a defined tensor" + what + "an undefined one");
    const auto model = new_slot(group, e.weight, name);
    if (slot->second.shape() != model.shape())
      throw ShapeError(op + to_string(model.shape()) + what + to_string(slot->second.shape()));
    slots.push_back(slot->second.detach().to(model.dtype()).clone());
  }
  if (slots.size() != saved.slots.size()) {
    auto text = op + "of \"" + saved.name + "\" the slots";
    for (const char* name : e.names) text += std::string(" \"") + name + '"';
    text += ", got";
    for (auto& [name, slot] : saved.slots) text += " \"" + name + '"';
    throw ValueError(text);
  }
  return slots;
}

OptimizerState Optimizer::state_dict() const {
  NoGrad no_grad;
  OptimizerState state{.optimizer = name_, .groups = {}};
  for (std::size_t i = 0; i < groups_.size(); ++i) {
    auto& group = state.groups.emplace_back();
    group.options = saved_options(i);
    if (groups_[i].initial_lr) group.options["initial_lr"] = *groups_[i].initial_lr;
    for (auto& e : groups_[i].entries) {
      auto& p = group.parameters.emplace_back();
      p.name = e.name;
      p.step = e.step;
      // Slots that the options have switched off are no state.
      const auto names = slot_names(i, e.weight);
      for (std::size_t s = 0; s < e.slots.size(); ++s)
        if (std::find(names.begin(), names.end(), std::string(e.names[s])) != names.end())
          p.slots.emplace(e.names[s], e.slots[s].clone());
    }
  }
  return state;
}

void Optimizer::load_state_dict(const OptimizerState& state) {
  check_not_capturing();
  const auto op = "[" + std::string(name_) + "::load_state_dict] expected ";
  if (state.optimizer != name_)
    throw ValueError(op + "the state of " + name_ + ", got one of " + state.optimizer);
  if (state.groups.size() != groups_.size())
    throw ValueError(op + std::to_string(groups_.size()) + " groups, got " +
                     std::to_string(state.groups.size()));
  NoGrad no_grad;
  std::vector<OptionValues> former;
  for (std::size_t i = 0; i < groups_.size(); ++i) former.push_back(saved_options(i));
  try {
    std::vector<Group> groups;
    for (std::size_t i = 0; i < groups_.size(); ++i) {
      load_options(i, state.groups[i].options);
      groups.push_back(restored(i, state.groups[i]));
    }
    groups_ = std::move(groups);
  } catch (...) {
    for (std::size_t i = 0; i < groups_.size(); ++i) load_options(i, former[i]);
    throw;
  }
}

/// The group with the saved step counts and slots. Its options are loaded already.
Optimizer::Group Optimizer::restored(std::size_t group, const OptimizerState::Group& saved) const {
  const auto op = "[" + std::string(name_) + "::load_state_dict] expected ";
  Group result{.entries = groups_[group].entries};
  const auto initial = saved.options.find("initial_lr");
  if (initial != saved.options.end()) result.initial_lr = initial->second;
  if (saved.parameters.size() != result.entries.size())
    throw ValueError(op + std::to_string(result.entries.size()) + " parameters in group " +
                     std::to_string(group) + ", got " + std::to_string(saved.parameters.size()));
  for (auto& e : result.entries) {
    const auto found = std::find_if(saved.parameters.begin(), saved.parameters.end(),
                                    [&](const auto& p) { return p.name == e.name; });
    if (found == saved.parameters.end()) throw ValueError(op + "parameter \"" + e.name + "\", got none");
    if (found->step < 0) throw ValueError(op + "steps >= 0, got " + std::to_string(found->step));
    e.step = found->step;
    e.names = slot_names(group, e.weight);
    e.slots = restored_slots(group, *found, e);
    e.names = e.names.first(e.slots.size());
  }
  return result;
}

}  // namespace cadena::optim
