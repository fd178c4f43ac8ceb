// Saving and loading what an optimizer remembers.
#include <algorithm>

#include "autodiff/grad.hpp"
#include "optim/optimizer.hpp"

namespace cadena::optim {

namespace {

/// Copies of the saved slots. The last ones may be missing: those that options switched on since then need.
std::vector<Tensor> loaded(const OptimizerState::Parameter& saved, std::span<const char* const> names,
                           const Tensor& weight, const std::string& op) {
  std::vector<Tensor> slots;
  for (const char* name : names) {
    const auto slot = saved.slots.find(name);
    if (slot == saved.slots.end()) break;
    const auto what = std::string(" as slot \"") + name + "\" of \"" + saved.name + "\", got ";
    if (!slot->second.defined()) throw ValueError(op + "a defined tensor" + what + "an undefined one");
    if (slot->second.shape() != weight.shape())
      throw ShapeError(op + to_string(weight.shape()) + what + to_string(slot->second.shape()));
    slots.push_back(slot->second.detach().to(weight.dtype()).clone());
  }
  if (slots.size() != saved.slots.size()) {
    auto text = op + "of \"" + saved.name + "\" the slots";
    for (const char* name : names) text += std::string(" \"") + name + '"';
    text += ", got";
    for (auto& [name, slot] : saved.slots) text += " \"" + name + '"';
    throw ValueError(text);
  }
  return slots;
}

}  // namespace

OptimizerState Optimizer::state_dict() const {
  NoGrad no_grad;
  OptimizerState state{.optimizer = name_, .groups = {}};
  for (std::size_t i = 0; i < groups_.size(); ++i) {
    auto& group = state.groups.emplace_back();
    group.options = saved_options(i);
    const auto names = slot_names(i);
    for (auto& e : groups_[i]) {
      auto& p = group.parameters.emplace_back();
      p.name = e.name;
      p.step = e.step;
      // Slots that no update has filled yet are not state, nor are those that the options have switched off.
      for (std::size_t s = 0; s < std::min(names.size(), e.filled); ++s)
        p.slots.emplace(names[s], e.slots[s].clone());
    }
  }
  return state;
}

void Optimizer::load_state_dict(const OptimizerState& state) {
  const auto op = "[" + std::string(name_) + "::load_state_dict] expected ";
  if (state.optimizer != name_)
    throw ValueError(op + "the state of " + name_ + ", got one of " + state.optimizer);
  if (state.groups.size() != groups_.size())
    throw ValueError(op + std::to_string(groups_.size()) + " groups, got " +
                     std::to_string(state.groups.size()));
  NoGrad no_grad;
  std::vector<std::vector<Entry>> groups;
  for (std::size_t i = 0; i < groups_.size(); ++i) groups.push_back(restored(i, state.groups[i]));
  for (std::size_t i = 0; i < groups_.size(); ++i) load_options(i, state.groups[i].options);
  groups_ = std::move(groups);
}

std::vector<Optimizer::Entry> Optimizer::restored(std::size_t group,
                                                  const OptimizerState::Group& saved) const {
  const auto op = "[" + std::string(name_) + "::load_state_dict] expected ";
  auto entries = groups_[group];
  if (saved.parameters.size() != entries.size())
    throw ValueError(op + std::to_string(entries.size()) + " parameters in group " + std::to_string(group) +
                     ", got " + std::to_string(saved.parameters.size()));
  const auto names = slot_names(saved.options);
  for (auto& e : entries) {
    const auto found = std::find_if(saved.parameters.begin(), saved.parameters.end(),
                                    [&](const auto& p) { return p.name == e.name; });
    if (found == saved.parameters.end()) throw ValueError(op + "parameter \"" + e.name + "\", got none");
    if (found->step < 0) throw ValueError(op + "steps >= 0, got " + std::to_string(found->step));
    e.step = found->step;
    e.slots = loaded(*found, names, e.weight, op);
    e.filled = e.slots.size();
  }
  return entries;
}

}  // namespace cadena::optim
