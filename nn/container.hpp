// Lists and dictionaries of modules and parameters of any type. Where all elements have one type, a
// std::vector, std::array or std::map of them does as well: a Visitor takes those, too.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "nn/any.hpp"

namespace cadena::nn {

/// Modules "0", "1", ...; what is done with them is up to the owner. Values are kept, shared_ptrs shared.
///
///   nn::ModuleList heads(nn::Linear(8, 2), nn::LSTM(8, 4));
///   heads.at<nn::Linear>(0)(x);
class ModuleList : public Module {
 public:
  ModuleList() = default;
  template <class... M>
  requires(sizeof...(M) > 0 && (std::constructible_from<AnyModule, M> && ...) &&
           !(std::same_as<std::remove_cvref_t<M>, ModuleList> && ...))  //
      explicit ModuleList(M&&... modules) {
    (push_back(AnyModule(std::forward<M>(modules))), ...);
  }

  ModuleList& push_back(AnyModule module);
  std::size_t size() const { return items_.size(); }
  Module& operator[](std::size_t i) const { return items_.at("ModuleList", i); }  ///< @throws IndexError
  /// @throws IndexError, ValueError if it is of another type
  template <std::derived_from<Module> M>
  M& at(std::size_t i) const {
    return detail::as<M>("ModuleList", std::to_string(i), (*this)[i]);
  }
  void visit(Visitor& v) override { items_.visit(v); }

 private:
  detail::Items<AnyModule> items_;
};

/// Modules by name, in the order of insertion.
///
///   nn::ModuleDict acts({{"relu", nn::ReLU()}, {"tanh", nn::Tanh()}});
class ModuleDict : public Module {
 public:
  struct Item {
    std::string name;
    AnyModule module;
  };
  ModuleDict() = default;
  /// @throws ValueError for names that are empty, contain a dot or repeat
  ModuleDict(std::initializer_list<Item> items);

  ModuleDict& insert(std::string name, AnyModule module);  ///< @throws ValueError as the constructor
  bool contains(const std::string& name) { return items_.find(name) != nullptr; }
  std::size_t size() const { return items_.size(); }
  Module& operator[](const std::string& name);  ///< @throws ValueError for a name that is not there
  /// @throws ValueError also if it is of another type
  template <std::derived_from<Module> M>
  M& at(const std::string& name) {
    return detail::as<M>("ModuleDict", "\"" + name + "\"", (*this)[name]);
  }
  std::vector<std::string> keys() const;
  void visit(Visitor& v) override { items_.visit(v); }

 private:
  detail::Items<AnyModule> items_;
};

/// Parameters "0", "1", ...
class ParameterList : public Module {
 public:
  ParameterList() = default;
  explicit ParameterList(const TensorList& values) {
    for (auto& v : values) push_back(v);
  }
  ParameterList& push_back(const Tensor& values);  ///< @throws DtypeError unless floating-point
  std::size_t size() const { return parameters_.size(); }
  Parameter& operator[](std::size_t i);  ///< @throws IndexError
  void visit(Visitor& v) override;
  std::string extra_repr() const override;

 private:
  std::vector<Parameter> parameters_;
};

/// Parameters by name, in the order of the names.
class ParameterDict : public Module {
 public:
  ParameterDict() = default;
  explicit ParameterDict(const std::map<std::string, Tensor>& values) {
    for (auto& [name, v] : values) insert(name, v);
  }
  /// @throws DtypeError unless floating-point, ValueError for a name that is there already
  ParameterDict& insert(const std::string& name, const Tensor& values);
  bool contains(const std::string& name) const { return parameters_.contains(name); }
  std::size_t size() const { return parameters_.size(); }
  Parameter& operator[](const std::string& name);  ///< @throws ValueError for a name that is not there
  void visit(Visitor& v) override;
  std::string extra_repr() const override;

 private:
  std::map<std::string, Parameter> parameters_;
};

}  // namespace cadena::nn
