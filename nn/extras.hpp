// What a module holds beside its members. Private: for module.cpp, hooks.cpp and parametrize.cpp.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "nn/module.hpp"

namespace cadena::nn::detail {

/// Computes one parameter of a module, before every call, from others that stand in its place.
struct Reparametrization {
  explicit Reparametrization(std::string parameter) : name(std::move(parameter)) {}
  virtual ~Reparametrization() = default;
  Reparametrization& operator=(const Reparametrization&) = delete;

  /// Lists what stands in the place of the parameter.
  virtual void visit(Visitor& v) = 0;
  virtual Tensor compute(bool training) = 0;
  virtual std::unique_ptr<Reparametrization> copy() const = 0;

  const std::string name;  ///< of the parameter that is computed

 protected:
  Reparametrization(const Reparametrization&) = default;
};

struct Extras {
  template <class Hook>
  using Hooks = std::vector<std::pair<std::uint64_t, Hook>>;

  explicit Extras(Module* owner) : module(owner) {}
  /// For a copy of the module: with copies of the parametrizations, without hooks; null if there are none.
  std::shared_ptr<Extras> copy(Module* owner) const;
  /// Replaces the parameters that are computed, in a list of the module's own members.
  void replace(const std::string& type_name, std::vector<Member>& members);
  /// Computes them.
  void compute();
  /// The extras of a module, made if there are none.
  static std::shared_ptr<Extras>& of(Module& module);
  /// The slot of the module's own parameter. @throws ValueError naming `op`
  static Parameter& parameter(const char* op, Module& module, const std::string& name);
  /// Members as the class lists them, whatever is computed.
  static std::vector<Member> declared(Module& module);
  /// Lists what stands in the place of the parameter `name` under "parametrizations.NAME".
  static void nested(Visitor& v, const std::string& name, const std::function<void(Visitor&)>& list);

  Module* module;  ///< where it lies now
  std::uint64_t next_id = 0;
  Hooks<ForwardPreHook> pre;
  Hooks<ForwardHook> post;
  Hooks<BackwardHook> backward;
  std::vector<std::unique_ptr<Reparametrization>> computed;
};

}  // namespace cadena::nn::detail
