#include "nn/sequential.hpp"

namespace cadena::nn {

Sequential::Sequential(std::initializer_list<Item> items) {
  for (auto& item : items) push_back(item.name, item.layer);
}

Sequential& Sequential::push_back(AnyLayer layer) {
  return push_back(std::to_string(items_.size()), std::move(layer));
}

Sequential& Sequential::push_back(std::string name, AnyLayer layer) {
  items_.push_back("Sequential", std::move(name), std::move(layer));
  return *this;
}

namespace {
template <class T>
T through(detail::Items<AnyLayer>& items, T x) {
  for (auto& item : items.list) {
    const Module& module = item.held.module();
    const NamedScope scope(item.name, typeid(module));
    x = item.held(x);
  }
  return x;
}
}  // namespace

Tensor Sequential::forward(const Tensor& x) {
  for (auto& item : items_.list)
    if (!item.held.is_plain()) return forward(TensorList{x});
  return through(items_, x);  // without lists, for most layers need none
}

Tensor Sequential::forward(const TensorList& x) { return detail::single(*this, through(items_, x)); }

void Sequential::visit(Visitor& v) { items_.visit(v); }

Module& Sequential::operator[](std::size_t i) const { return items_.at("Sequential", i); }

}  // namespace cadena::nn
