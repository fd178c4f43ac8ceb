#include "optim/optimizer.hpp"

#include <algorithm>
#include <cstdio>
#include <unordered_set>

#include "autodiff/capture.hpp"
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

std::string to_text(double value) {
  if (value != value) return "nan";  // whose sign says nothing
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%g", value);
  return text.data();
}

void expect(const char* owner, const char* option, double value, bool ok, const char* expected) {
  if (!ok)
    throw ValueError(std::string("[") + owner + "] " + option + ": expected " + expected + ", got " +
                     to_text(value));
}

// ---- Groups

void Optimizer::add_group(Params params) {
  check_not_capturing();
  const std::string op = std::string("[") + name_ + "] ";
  if (params.named.empty()) throw ValueError(op + "expected parameters, got none");
  std::unordered_set<const void*> tensors;
  std::unordered_set<std::string> names;
  std::size_t position = 0;
  for (auto& group : groups_)
    for (auto& e : group.entries) tensors.insert(e.weight.raw()), names.insert(e.name), ++position;

  Group group;
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
    group.entries.push_back({.name = name, .weight = tensor});
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
    for (auto& e : group.entries) result.push_back(e.weight);
  return result;
}

void Optimizer::set_lr(double lr) {
  for (std::size_t i = 0; i < groups_.size(); ++i) set_lr(lr, i);
}

bool Optimizer::has_option(const std::string& option) const { return saved_options(0).contains(option); }

double Optimizer::option(const std::string& option, std::size_t group) const {
  const auto options = saved_options(checked(group));
  const auto found = options.find(option);
  if (found != options.end()) return found->second;
  std::string text = "[" + std::string(name_) + "] expected one of";
  for (auto& [known, value] : options) text += " \"" + known + '"';
  throw ValueError(text + ", got \"" + option + '"');
}

void Optimizer::set_option(const std::string& option, double value, std::size_t group) {
  check_not_capturing();
  static_cast<void>(this->option(option, group));
  auto options = saved_options(group);
  options[option] = value;
  load_options(group, options);
}

void Optimizer::check_not_capturing() const {
  if (is_capturing())
    throw CaptureError(
        "[" + std::string(name_) +
        "] expected options to change between calls of a captured function, got a change within");
}

// ---- Stepping

void Optimizer::zero_grad() {
  for (auto& group : groups_)
    for (auto& e : group.entries) e.weight.zero_grad();
}

/// Lets go of what belongs to one step at its end, however it ends.
struct Optimizer::EndOfStep {
  std::vector<Group>& groups;
  ~EndOfStep() {
    for (auto& group : groups)
      for (auto& e : group.entries) e.grad = {}, e.target = {}, e.next.clear();
  }
};

void Optimizer::step() {
  if (is_capturing())
    return on_every_call(name_, [this, watch = presence_.watch()] {
      if (watch.expired())
        throw CaptureError("[optim] expected the optimizer to outlive the captured function that steps it");
      Optimizer::step();
    });
  NoGrad no_grad;
  const EndOfStep end{groups_};
  // Everything that can fail comes first.
  for (std::size_t i = 0; i < groups_.size(); ++i)
    for (auto& e : groups_[i].entries) prepare(i, e);
  for (std::size_t i = 0; i < groups_.size(); ++i)
    for (auto& e : groups_[i].entries)
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

namespace {

bool same(SlotNames a, SlotNames b) { return a.data() == b.data() && a.size() == b.size(); }

std::size_t position(SlotNames names, const std::string& name) {
  return static_cast<std::size_t>(std::find(names.begin(), names.end(), name) - names.begin());
}

}  // namespace

void Optimizer::prepare(std::size_t group, Entry& e) {
  const auto g = e.weight.grad();
  if (!g.defined()) return;
  const auto op = [&] { return std::string("[") + name_ + "::step] expected a gradient of "; };
  if (g.shape() != e.weight.shape())
    throw ShapeError(op() + describe(e.weight) + " for \"" + e.name + "\", got " + describe(g));
  if (g.dtype() != e.weight.dtype())
    throw DtypeError(op() + describe(e.weight) + " for \"" + e.name + "\", got " + describe(g));
  const auto names = slot_names(group, e.weight);
  if (!same(names, e.names))
    for (const char* name : names) {
      const auto at = position(e.names, name);
      e.next.push_back(at < e.slots.size() ? e.slots[at] : new_slot(group, e.weight, name));
    }
  e.target = e.weight.contiguous();
  e.grad = g.contiguous();
}

void Optimizer::apply(std::size_t group, Entry& e) {
  const auto names = slot_names(group, e.weight);
  bool fresh = false;
  if (!same(names, e.names)) {
    for (const char* name : names) fresh |= position(e.names, name) == e.names.size();
    e.slots = std::exchange(e.next, {});
    e.names = names;
  }
  ++e.step;
  if (e.weight.numel() == 0) return;
  Update u(e.step, fresh, e.target, e.grad, e.slots);
  dispatch(group, u);
  if (!e.weight.is_contiguous()) e.weight.copy_(e.target);
}

}  // namespace cadena::optim
