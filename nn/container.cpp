#include "nn/container.hpp"

namespace cadena::nn {

ModuleList& ModuleList::push_back(AnyModule module) {
  items_.push_back("ModuleList", std::to_string(size()), std::move(module));
  return *this;
}

ModuleDict::ModuleDict(std::initializer_list<Item> items) {
  for (auto& item : items) insert(item.name, item.module);
}

ModuleDict& ModuleDict::insert(std::string name, AnyModule module) {
  items_.push_back("ModuleDict", std::move(name), std::move(module));
  return *this;
}

namespace {
[[noreturn]] void no_key(const char* container, const std::string& name) {
  throw ValueError("[" + std::string(container) + "] expected a name that is there, got \"" + name + "\"");
}
std::string described(const std::string& name, const Parameter& p) {
  return "  (" + name + "): Parameter of " + cadena::to_string(p.shape()) + " " +
         std::string(cadena::name(p.dtype()));
}
}  // namespace

Module& ModuleDict::operator[](const std::string& name) {
  if (auto* found = items_.find(name)) return found->module();
  no_key("ModuleDict", name);
}

std::vector<std::string> ModuleDict::keys() const {
  std::vector<std::string> names;
  for (auto& item : items_.list) names.push_back(item.name);
  return names;
}

ParameterList& ParameterList::push_back(const Tensor& values) {
  parameters_.emplace_back(values);
  return *this;
}

Parameter& ParameterList::operator[](std::size_t i) {
  if (i >= size())
    throw IndexError("[ParameterList] expected an index below " + std::to_string(size()) + ", got " +
                     std::to_string(i));
  return parameters_[i];
}

void ParameterList::visit(Visitor& v) {
  for (std::size_t i = 0; i < size(); ++i) v(std::to_string(i), parameters_[i]);
}

std::string ParameterList::extra_repr() const {
  std::string lines;
  for (std::size_t i = 0; i < size(); ++i) lines += "\n" + described(std::to_string(i), parameters_[i]);
  return lines.empty() ? lines : lines + "\n";
}

ParameterDict& ParameterDict::insert(const std::string& name, const Tensor& values) {
  if (name.empty() || name.find('.') != name.npos || contains(name))
    throw ValueError("[ParameterDict] expected a new name without dots, got \"" + name + "\"");
  parameters_[name] = values;
  return *this;
}

Parameter& ParameterDict::operator[](const std::string& name) {
  if (const auto found = parameters_.find(name); found != parameters_.end()) return found->second;
  no_key("ParameterDict", name);
}

void ParameterDict::visit(Visitor& v) {
  for (auto& [name, p] : parameters_) v(name, p);
}

std::string ParameterDict::extra_repr() const {
  std::string lines;
  for (auto& [name, p] : parameters_) lines += "\n" + described(name, p);
  return lines.empty() ? lines : lines + "\n";
}

}  // namespace cadena::nn
