// state_dict and load_state_dict.
#include <algorithm>

#include "autodiff/grad.hpp"
#include "autodiff/nearest_name.hpp"
#include "nn/module.hpp"

namespace cadena::nn {

namespace {

std::string describe(const Tensor& t) {
  return t.defined() ? to_string(t.shape()) + " " + std::string(name(t.dtype())) : "an undefined tensor";
}

bool fits(const Tensor& own, const Tensor& saved) {
  if (!saved.defined() || own.shape() != saved.shape()) return false;
  return own.dtype() == saved.dtype() || (is_floating(own.dtype()) && is_floating(saved.dtype()));
}

std::string message(const std::string& module, const StateReport& r, const NamedTensors& own,
                    const StateDict& state, bool strict) {
  auto text = "[load_state_dict] expected the names and shapes of " + module + ", got";
  if (strict && !r.missing.empty()) {
    text += "\n  missing:";
    for (auto& name : r.missing) text += "\n    \"" + name + "\"";
  }
  if (strict && !r.unexpected.empty()) {
    text += "\n  unexpected:";
    for (auto& name : r.unexpected)
      text += "\n    \"" + name + "\"" + cadena::detail::nearest_name_hint(name, r.missing);
  }
  if (!r.mismatched.empty()) text += "\n  mismatched:";
  for (auto& [name, t] : own)
    if (std::count(r.mismatched.begin(), r.mismatched.end(), name))
      text += "\n    \"" + name + "\": expected " + describe(t) + ", got " + describe(state.at(name));
  return text;
}

}  // namespace

StateDict Module::state_dict() const {
  NoGrad no_grad;
  StateDict result;
  for (auto& [name, t] : state()) result.emplace(name, t.detach().clone());
  return result;
}

StateReport Module::load_state_dict(const StateDict& saved, bool strict) {
  auto own = state();
  StateReport report;
  StateDict known;
  for (auto& [name, t] : own) {
    known.emplace(name, t);
    const auto found = saved.find(name);
    if (found == saved.end())
      report.missing.push_back(name);
    else if (!fits(t, found->second))
      report.mismatched.push_back(name);
  }
  for (auto& [name, t] : saved)
    if (!known.contains(name)) report.unexpected.push_back(name);

  const bool differs = !report.missing.empty() || !report.unexpected.empty();
  if (!report.mismatched.empty() || (strict && differs)) {
    const auto text = message(type_name(), report, own, saved, strict);
    throw StateDictError(text, std::move(report));
  }
  NoGrad no_grad;
  for (auto& [name, t] : own)
    if (const auto found = saved.find(name); found != saved.end()) t.copy_(found->second);
  return report;
}

}  // namespace cadena::nn
