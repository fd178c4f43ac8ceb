#include "nn/any.hpp"

#include <algorithm>

namespace cadena::nn::detail {

TensorList taken(const Module& module, std::optional<TensorList> result, std::size_t inputs) {
  if (!result)
    throw ValueError("[" + module.type_name() + "] expected another number of inputs, got " +
                     std::to_string(inputs) + " tensors");
  return std::move(*result);
}

Tensor single(const Module& module, const TensorList& result) {
  if (result.size() != 1)
    throw ValueError("[" + module.type_name() + "] expected a single output, got " +
                     std::to_string(result.size()) + " tensors");
  return result[0];
}

void refuse_to_copy(const Module& module) {
  throw ValueError("[copy] expected a module that can be copied, got " + module.type_name());
}

template <class Any>
Items<Any>::Items(const Items& o) {
  list.reserve(o.list.size());
  for (std::size_t i = 0; i < o.list.size(); ++i) {
    std::size_t first = 0;
    while (&o.list[first].held.module() != &o.list[i].held.module()) ++first;
    list.push_back({o.list[i].name, first < i ? list[first].held : o.list[i].held.copy()});
  }
}

template <class Any>
void Items<Any>::push_back(const char* container, std::string name, Any held) {
  if (name.empty() || name.find('.') != name.npos || find(name))
    throw ValueError("[" + std::string(container) + "] expected a new name without dots, got \"" + name +
                     "\"");
  list.push_back({std::move(name), std::move(held)});
}

template <class Any>
Any* Items<Any>::find(const std::string& name) {
  for (auto& item : list)
    if (item.name == name) return &item.held;
  return nullptr;
}

template <class Any>
Module& Items<Any>::at(const char* container, std::size_t i) const {
  if (i >= list.size())
    throw IndexError("[" + std::string(container) + "] expected an index below " +
                     std::to_string(list.size()) + ", got " + std::to_string(i));
  return list[i].held.module();
}

template <class Any>
void Items<Any>::visit(Visitor& v) {
  for (auto& item : list) v(item.name, item.held.module());
}

template class Items<AnyLayer>;
template class Items<AnyModule>;

}  // namespace cadena::nn::detail
