// Sequential: layers one after the other.
#pragma once

#include <initializer_list>

#include "nn/any.hpp"
#include "nn/linear.hpp"

namespace cadena::nn {

class Sequential;
/// Arguments of Sequential. One Sequential alone is none: it is copied or moved.
template <class... L>
concept Layers = (std::constructible_from<AnyLayer, L> && ...) &&
                 !(sizeof...(L) == 0 ||
                   (sizeof...(L) == 1 && (std::same_as<std::remove_cvref_t<L>, Sequential> && ...)));

/// Applies its layers in order. They are named "0", "1", ... or as given:
///
///   nn::Sequential net(nn::Linear(784, 128), nn::ReLU(), nn::Linear(128, 10));
///   nn::Sequential net({{"fc1", nn::Linear(784, 128)}, {"act", relu}, {"fc2", nn::Linear(128, 10)}});
///
/// Variables given as arguments are copied, with their own parameters; to share, give a shared_ptr. Nests.
/// The first layer may take several tensors, `net(a, b)`, and each gives the next all that it returns.
class Sequential : public Layer {
 public:
  struct Item {
    std::string name;
    AnyLayer layer;
  };

  Sequential() = default;
  template <class... L>
  requires Layers<L...>
  explicit Sequential(L&&... layers) { (push_back(AnyLayer(std::forward<L>(layers))), ...); }
  /// @throws ValueError for names that are empty, contain a dot or repeat
  Sequential(std::initializer_list<Item> items);

  /// Appends a layer, named by its position unless given. @throws ValueError as the constructor
  Sequential& push_back(AnyLayer layer);
  Sequential& push_back(std::string name, AnyLayer layer);

  using Layer::operator();
  /// @throws ValueError where a layer takes another number of tensors than it gets, or the last gives several
  template <std::same_as<Tensor>... T>
  Tensor operator()(const Tensor& a, const Tensor& b, const T&... rest) {
    return call([this](const auto&... x) { return forward(TensorList{x...}); }, a, b, rest...);
  }
  Tensor forward(const Tensor& x) override;
  Tensor forward(const TensorList& x);
  void visit(Visitor& v) override;

  std::size_t size() const { return items_.size(); }
  Module& operator[](std::size_t i) const;  ///< @throws IndexError
  /// The layer at `i` as what it is: `net.at<nn::Linear>(0).weight`. @throws IndexError, ValueError
  template <std::derived_from<Module> M>
  M& at(std::size_t i) const {
    return detail::as<M>("Sequential", std::to_string(i), (*this)[i]);
  }

 private:
  detail::Items<AnyLayer> items_;
};

}  // namespace cadena::nn
