#include "train/state.hpp"

#include <string>
#include <string_view>
#include <variant>

namespace cadena::train {
namespace {

using data::CheckpointSection;
using optim::OptimizerState;
using optim::SchedulerState;

std::string number(std::size_t i) { return std::to_string(i); }

/// Calls f(rest of the name, value) for the entries whose names begin with `prefix`.
template <class Map, class F>
void below(const Map& entries, const std::string& prefix, F&& f) {
  for (auto i = entries.lower_bound(prefix); i != entries.end() && i->first.starts_with(prefix); ++i)
    f(i->first.substr(prefix.size()), i->second);
}

double number_in(const data::CheckpointValue& value, const std::string& name) {
  if (const auto* x = std::get_if<double>(&value)) return *x;
  throw ValueError("[unpack] expected a number in \"" + name + "\", got another type");
}

std::size_t count_in(const CheckpointSection& section, const std::string& name) {
  const auto n = section.value<std::int64_t>(name);
  if (n < 0) throw ValueError("[unpack] expected a count in \"" + name + "\", got " + std::to_string(n));
  return static_cast<std::size_t>(n);
}

void pack_into(CheckpointSection& section, const SchedulerState& state, const std::string& at) {
  section.values[at + "scheduler"] = state.scheduler;
  section.values[at + "count"] = static_cast<std::int64_t>(state.schedulers.size());
  for (const auto& [name, list] : state.values) {
    section.values[at + "length/" + name] = static_cast<std::int64_t>(list.size());
    for (std::size_t i = 0; i < list.size(); ++i)
      section.values[at + "values/" + name + "/" + number(i)] = list[i];
  }
  for (std::size_t i = 0; i < state.schedulers.size(); ++i)
    pack_into(section, state.schedulers[i], at + "schedulers/" + number(i) + "/");
}

SchedulerState unpack_from(const CheckpointSection& section, const std::string& at) {
  SchedulerState state{section.value<std::string>(at + "scheduler"), {}, {}};
  below(section.values, at + "length/", [&](const std::string& name, const data::CheckpointValue&) {
    auto& list = state.values[name];
    for (std::size_t i = 0, n = count_in(section, at + "length/" + name); i < n; ++i)
      list.push_back(section.value<double>(at + "values/" + name + "/" + number(i)));
  });
  for (std::size_t i = 0, n = count_in(section, at + "count"); i < n; ++i)
    state.schedulers.push_back(unpack_from(section, at + "schedulers/" + number(i) + "/"));
  return state;
}

}  // namespace

CheckpointSection pack(const OptimizerState& state) {
  CheckpointSection section;
  section.values["optimizer"] = state.optimizer;
  section.values["groups"] = static_cast<std::int64_t>(state.groups.size());
  for (std::size_t g = 0; g < state.groups.size(); ++g) {
    const auto at = number(g) + "/";
    const auto& group = state.groups[g];
    for (const auto& [name, value] : group.options) section.values[at + "options/" + name] = value;
    section.values[at + "parameters"] = static_cast<std::int64_t>(group.parameters.size());
    for (std::size_t p = 0; p < group.parameters.size(); ++p) {
      const auto& parameter = group.parameters[p];
      section.values[at + number(p) + "/name"] = parameter.name;
      section.values[at + number(p) + "/step"] = parameter.step;
      for (const auto& [slot, tensor] : parameter.slots)
        section.tensors[at + parameter.name + "/" + slot] = tensor;
    }
  }
  return section;
}

OptimizerState unpack_optimizer(const CheckpointSection& section) {
  OptimizerState state{section.value<std::string>("optimizer"), {}};
  for (std::size_t g = 0, groups = count_in(section, "groups"); g < groups; ++g) {
    const auto at = number(g) + "/";
    auto& group = state.groups.emplace_back();
    below(section.values, at + "options/", [&](const std::string& name, const data::CheckpointValue& value) {
      group.options[name] = number_in(value, name);
    });
    for (std::size_t p = 0, n = count_in(section, at + "parameters"); p < n; ++p) {
      OptimizerState::Parameter parameter{section.value<std::string>(at + number(p) + "/name"),
                                          section.value<std::int64_t>(at + number(p) + "/step"),
                                          {}};
      below(section.tensors, at + parameter.name + "/",
            [&](const std::string& slot, const Tensor& tensor) { parameter.slots[slot] = tensor; });
      group.parameters.push_back(std::move(parameter));
    }
  }
  return state;
}

CheckpointSection pack(const SchedulerState& state) {
  CheckpointSection section;
  pack_into(section, state, "");
  return section;
}

SchedulerState unpack_scheduler(const CheckpointSection& section) { return unpack_from(section, ""); }

CheckpointSection pack(const data::LoaderState& state) {
  return {{}, {{"epoch", state.epoch}, {"position", state.position}}};
}

data::LoaderState unpack_loader(const CheckpointSection& section) {
  return {section.value<std::int64_t>("epoch"), section.value<std::int64_t>("position")};
}

}  // namespace cadena::train
