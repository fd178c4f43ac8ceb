// Puts the states of a training run into sections of a checkpoint and takes them out again. Optimizers and
// schedulers are recognised by the members of their states, because data does not know optim.
#pragma once

#include <concepts>
#include <cstddef>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "data/files/checkpoint.hpp"
#include "data/loader.hpp"

namespace cadena::data {

/// optim::OptimizerState, or whatever has its members.
template <class S>
concept OptimizerStateLike = requires(S s) {
  { s.optimizer } -> std::convertible_to<std::string>;
  { s.groups[0].options } -> std::convertible_to<std::map<std::string, double>>;
  { s.groups[0].parameters[0].name } -> std::convertible_to<std::string>;
  { s.groups[0].parameters[0].step } -> std::convertible_to<std::int64_t>;
  { s.groups[0].parameters[0].slots } -> std::convertible_to<std::map<std::string, Tensor>>;
};

/// optim::SchedulerState, or whatever has its members.
template <class S>
concept SchedulerStateLike = requires(S s) {
  { s.scheduler } -> std::convertible_to<std::string>;
  { s.values } -> std::convertible_to<std::map<std::string, std::vector<double>>>;
  { s.schedulers } -> std::convertible_to<std::vector<S>>;
};

namespace detail {

/// Calls f(the rest of the name, value) for the entries whose names begin with `prefix`.
template <class V, class F>
void for_each_below(const std::map<std::string, V>& map, const std::string& prefix, const F& f) {
  for (auto it = map.lower_bound(prefix); it != map.end() && it->first.starts_with(prefix); ++it)
    f(it->first.substr(prefix.size()), it->second);
}

inline std::size_t count(const CheckpointSection& section, const std::string& name) {
  return static_cast<std::size_t>(section.value<std::int64_t>(name));
}

template <class S>
void put_scheduler(CheckpointSection& section, const S& state, const std::string& prefix) {
  section.values[prefix + "scheduler"] = state.scheduler;
  section.values[prefix + "schedulers"] = static_cast<std::int64_t>(state.schedulers.size());
  for (const auto& [name, numbers] : state.values)
    section.tensors[prefix + "values." + name] = tensor(numbers);
  for (std::size_t i = 0; i < state.schedulers.size(); ++i)
    put_scheduler(section, state.schedulers[i], prefix + std::to_string(i) + ".");
}

template <class S>
S take_scheduler(const CheckpointSection& section, const std::string& prefix) {
  S state;
  state.scheduler = section.value<std::string>(prefix + "scheduler");
  for_each_below(section.tensors, prefix + "values.", [&](const std::string& name, const Tensor& numbers) {
    state.values[name] = numbers.to_vector<double>();
  });
  for (std::size_t i = 0; i < count(section, prefix + "schedulers"); ++i)
    state.schedulers.push_back(take_scheduler<S>(section, prefix + std::to_string(i) + "."));
  return state;
}

}  // namespace detail

template <OptimizerStateLike S>
void put(CheckpointSection& section, const S& state) {
  section.values["optimizer"] = state.optimizer;
  section.values["groups"] = static_cast<std::int64_t>(state.groups.size());
  for (std::size_t g = 0; g < state.groups.size(); ++g) {
    const std::string group = std::to_string(g) + ".";
    for (const auto& [name, value] : state.groups[g].options)
      section.values[group + "options." + name] = value;
    const auto& parameters = state.groups[g].parameters;
    section.values[group + "parameters"] = static_cast<std::int64_t>(parameters.size());
    for (std::size_t p = 0; p < parameters.size(); ++p) {
      const std::string parameter = group + std::to_string(p) + ".";
      section.values[parameter + "name"] = parameters[p].name;
      section.values[parameter + "step"] = parameters[p].step;
      for (const auto& [slot, t] : parameters[p].slots) section.tensors[parameter + "slots." + slot] = t;
    }
  }
}

template <SchedulerStateLike S>
void put(CheckpointSection& section, const S& state) {
  detail::put_scheduler(section, state, "");
}

inline void put(CheckpointSection& section, const LoaderState& state) {
  section.values["epoch"] = state.epoch;
  section.values["position"] = state.position;
}

/// What `put` put there: `take<optim::OptimizerState>(checkpoint.at("optimizer"))`.
/// @throws ValueError if the section holds something else
template <OptimizerStateLike S>
S take(const CheckpointSection& section) {
  S state;
  state.optimizer = section.value<std::string>("optimizer");
  state.groups.resize(detail::count(section, "groups"));
  for (std::size_t g = 0; g < state.groups.size(); ++g) {
    const std::string group = std::to_string(g) + ".";
    detail::for_each_below(section.values, group + "options.", [&](const std::string& name, const auto&) {
      state.groups[g].options[name] = section.value<double>(group + "options." + name);
    });
    auto& parameters = state.groups[g].parameters;
    parameters.resize(detail::count(section, group + "parameters"));
    for (std::size_t p = 0; p < parameters.size(); ++p) {
      const std::string parameter = group + std::to_string(p) + ".";
      parameters[p].name = section.value<std::string>(parameter + "name");
      parameters[p].step = section.value<std::int64_t>(parameter + "step");
      detail::for_each_below(
          section.tensors, parameter + "slots.",
          [&](const std::string& slot, const Tensor& t) { parameters[p].slots[slot] = t; });
    }
  }
  return state;
}

template <SchedulerStateLike S>
S take(const CheckpointSection& section) {
  return detail::take_scheduler<S>(section, "");
}

template <std::same_as<LoaderState> S>
S take(const CheckpointSection& section) {
  return {section.value<std::int64_t>("epoch"), section.value<std::int64_t>("position")};
}

}  // namespace cadena::data
