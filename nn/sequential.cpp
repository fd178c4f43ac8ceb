#include "nn/sequential.hpp"

#include <algorithm>

namespace cadena::nn {

Sequential::Sequential(std::initializer_list<Item> items) {
  for (auto& item : items) push_back(item.name, item.layer);
}

Sequential::Sequential(const Sequential& o) : Layer(o) {
  items_.reserve(o.items_.size());
  for (auto& item : o.items_) {
    const auto same = [&](const Item& earlier) { return earlier.layer == item.layer; };
    const auto first = std::find_if(o.items_.begin(), o.items_.end(), same) - o.items_.begin();
    const auto known = static_cast<std::size_t>(first) < items_.size();
    items_.push_back({item.name, known ? items_[static_cast<std::size_t>(first)].layer : item.layer.copy()});
  }
}

Sequential& Sequential::push_back(AnyLayer layer) {
  return push_back(std::to_string(items_.size()), std::move(layer));
}

Sequential& Sequential::push_back(std::string name, AnyLayer layer) {
  const auto same = [&](const Item& item) { return item.name == name; };
  if (name.empty() || name.find('.') != name.npos || std::any_of(items_.begin(), items_.end(), same))
    throw ValueError("[Sequential] expected a new name without dots, got \"" + name + "\"");
  items_.push_back({std::move(name), std::move(layer)});
  return *this;
}

Tensor Sequential::forward(const Tensor& x) {
  auto y = x;
  for (auto& item : items_) {
    const Module& module = item.layer.module();
    const NamedScope scope(item.name, typeid(module));
    y = item.layer(y);
  }
  return y;
}

void Sequential::visit(Visitor& v) {
  for (auto& item : items_) v(item.name, item.layer.module());
}

Module& Sequential::operator[](std::size_t i) const {
  if (i >= items_.size())
    throw IndexError("[Sequential] expected an index below " + std::to_string(items_.size()) + ", got " +
                     std::to_string(i));
  return items_[i].layer.module();
}

}  // namespace cadena::nn
