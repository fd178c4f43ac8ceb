#include "optim/optimizer.hpp"

#include <unordered_set>

#include "autodiff/grad.hpp"

namespace cadena::optim {

namespace {

Params unnamed(std::span<const Tensor> tensors) {
  std::vector<std::pair<std::string, Tensor>> named;
  named.reserve(tensors.size());
  for (auto& t : tensors) named.emplace_back("", t);
  return named;
}

std::string describe(const Tensor& t) { return to_string(t.shape()) + " " + std::string(name(t.dtype())); }

}  // namespace

Params::Params(const std::vector<Tensor>& tensors) : Params(unnamed(tensors)) {}
Params::Params(std::initializer_list<Tensor> tensors) : Params(unnamed({tensors.begin(), tensors.size()})) {}

void expect(const char* optimizer, const char* option, double value, bool ok, const char* expected) {
  if (!ok)
    throw ValueError(std::string("[") + optimizer + "] " + option + ": expected " + expected + ", got " +
                     std::to_string(value));
}

// ---- Groups

void Optimizer::add_group(Params params) {
  const std::string op = std::string("[") + name_ + "] ";
  if (params.named.empty()) throw ValueError(op + "expected parameters, got none");
  std::unordered_set<const void*> tensors;
  std::unordered_set<std::string> names;
  std::size_t position = 0;
  for (auto& group : groups_)
    for (auto& e : group) tensors.insert(e.weight.raw()), names.insert(e.name), ++position;

  std::vector<Entry> group;
  for (auto& [given, tensor] : params.named) {
    const auto name = given.empty() ? std::to_string(position) : given;
    ++position;
    const auto fail = [&](const char* what) {
      throw ValueError(op + "expected " + what + " as \"" + name + '"');
    };
    if (!tensor.defined()) fail("a defined tensor, got an undefined one");
    if (!tensor.is_leaf()) fail("a leaf, got the result of an operation");
    if (!is_floating(tensor.dtype()))
      throw DtypeError(op + "expected f32 or f64, got " + describe(tensor) + " as \"" + name + '"');
    if (!tensors.insert(tensor.raw()).second) fail("every parameter once, got one twice");
    if (!names.insert(name).second) fail("different names, got one twice");
    group.push_back({.name = name, .weight = tensor});
  }
  groups_.push_back(std::move(group));
}

std::size_t Optimizer::checked(std::size_t group) const {
  if (group >= groups_.size())
    throw IndexError(std::string("[") + name_ + "] expected a group below " + std::to_string(groups_.size()) +
                     ", got " + std::to_string(group));
  return group;
}

std::vector<Tensor> Optimizer::parameters() const {
  std::vector<Tensor> result;
  for (auto& group : groups_)
    for (auto& e : group) result.push_back(e.weight);
  return result;
}

void Optimizer::set_lr(double lr) {
  for (std::size_t i = 0; i < groups_.size(); ++i) set_lr(lr, i);
}

// ---- Stepping

void Optimizer::zero_grad() {
  for (auto& group : groups_)
    for (auto& e : group) e.weight.zero_grad();
}

/// Lets go of the gradients at the end of a step, however it ends.
struct Optimizer::EndOfStep {
  std::vector<std::vector<Entry>>& groups;
  ~EndOfStep() {
    for (auto& group : groups)
      for (auto& e : group) e.grad = {}, e.target = {};
  }
};

void Optimizer::step() {
  NoGrad no_grad;
  const EndOfStep end{groups_};
  // Everything that can fail comes first.
  for (std::size_t i = 0; i < groups_.size(); ++i)
    for (auto& e : groups_[i]) prepare(i, e);
  for (std::size_t i = 0; i < groups_.size(); ++i)
    for (auto& e : groups_[i])
      if (e.grad.defined()) apply(i, e);
}

Tensor Optimizer::step(const std::function<Tensor()>& closure) {
  Tensor loss;
  {
    EnableGrad enable_grad;
    loss = closure();
  }
  step();
  return loss;
}

void Optimizer::prepare(std::size_t group, Entry& e) {
  const auto g = e.weight.grad();
  if (!g.defined()) return;
  const auto op = [&] { return std::string("[") + name_ + "::step] expected a gradient of "; };
  if (g.shape() != e.weight.shape())
    throw ShapeError(op() + describe(e.weight) + " for \"" + e.name + "\", got " + describe(g));
  if (g.dtype() != e.weight.dtype())
    throw DtypeError(op() + describe(e.weight) + " for \"" + e.name + "\", got " + describe(g));
  const auto slots = slot_names(group);
  while (e.slots.size() < slots.size()) e.slots.push_back(zeros(e.weight.shape(), e.weight.dtype()));
  e.target = e.weight.contiguous();
  e.grad = g.contiguous();
}

void Optimizer::apply(std::size_t group, Entry& e) {
  ++e.step;
  const auto filled = std::exchange(e.filled, e.slots.size());
  Update u(e.step, filled < e.slots.size(), e.target, e.grad, e.slots);
  dispatch(group, u);
  if (!e.weight.is_contiguous()) e.weight.copy_(e.target);
}

}  // namespace cadena::optim
