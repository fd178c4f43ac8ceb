// Sequential: layers one after the other.
#pragma once

#include <concepts>
#include <initializer_list>
#include <memory>
#include <type_traits>

#include "nn/linear.hpp"
#include "nn/module.hpp"

namespace cadena::nn {

/// Anything that maps a tensor to a tensor: a layer, a module with such an `operator()`, a lambda, a
/// function.
template <class F>
concept TensorFunction = std::is_invocable_r_v<Tensor, F&, const Tensor&>;

class AnyLayer;
template <class F>
concept HoldableFunction = !std::same_as<F, AnyLayer> && TensorFunction<F>;

/// Holds a TensorFunction of any type. Given a value it keeps it, given a shared_ptr to a module it shares
/// it. Functions that are no modules become a Lambda. Copies of the handle share; `copy()` does not.
class AnyLayer {
 public:
  template <HoldableFunction F>
  AnyLayer(F f)  // NOLINT(google-explicit-constructor): Sequential(Linear(1, 2), relu)
      : AnyLayer(hold(std::move(f))) {}
  template <std::derived_from<Module> M>
  AnyLayer(std::shared_ptr<M> module)  // NOLINT(google-explicit-constructor)
      : self_(std::make_shared<Holder<M>>(std::move(module))) {}

  Tensor operator()(const Tensor& x) const { return self_->call(x); }
  Module& module() const { return self_->module(); }
  /// @throws ValueError if the type of the module cannot be copied
  AnyLayer copy() const { return AnyLayer(self_->copy()); }
  /// The same module, not an equal one.
  friend bool operator==(const AnyLayer& a, const AnyLayer& b) { return &a.module() == &b.module(); }

 private:
  struct Base {
    virtual ~Base() = default;
    virtual Tensor call(const Tensor& x) = 0;
    virtual Module& module() = 0;
    virtual std::shared_ptr<Base> copy() = 0;
  };
  template <class M>
  struct Holder final : Base {
    explicit Holder(std::shared_ptr<M> m) : held(std::move(m)) {}
    Tensor call(const Tensor& x) override { return (*held)(x); }
    Module& module() override { return *held; }
    std::shared_ptr<Base> copy() override {
      if constexpr (std::is_copy_constructible_v<M>)
        return std::make_shared<Holder>(std::make_shared<M>(static_cast<const M&>(*held)));
      else
        throw ValueError("[Sequential] expected a module that can be copied, got " + held->type_name());
    }
    std::shared_ptr<M> held;
  };

  template <class F>
  static auto hold(F f) {
    if constexpr (std::derived_from<F, Module>)
      return std::make_shared<F>(std::move(f));
    else
      return std::make_shared<Lambda>(std::move(f));
  }
  explicit AnyLayer(std::shared_ptr<Base> self) : self_(std::move(self)) {}

  std::shared_ptr<Base> self_;
};

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
  /// Copies all layers; one that occurs twice is one in the copy, too.
  Sequential(const Sequential& o);
  Sequential(Sequential&&) noexcept = default;
  Sequential& operator=(Sequential&&) noexcept = default;
  ~Sequential() override = default;

  /// Appends a layer, named by its position unless given. @throws ValueError as the constructor
  Sequential& push_back(AnyLayer layer);
  Sequential& push_back(std::string name, AnyLayer layer);

  Tensor forward(const Tensor& x) override;
  void visit(Visitor& v) override;

  std::size_t size() const { return items_.size(); }
  Module& operator[](std::size_t i) const;  ///< @throws IndexError
  /// The layer at `i` as what it is: `net.at<nn::Linear>(0).weight`. @throws IndexError, ValueError
  template <std::derived_from<Module> M>
  M& at(std::size_t i) const {
    if (auto* m = dynamic_cast<M*>(&(*this)[i])) return *m;
    throw ValueError("[Sequential] expected another type at " + std::to_string(i) + ", got " +
                     (*this)[i].type_name());
  }

 private:
  std::vector<Item> items_;
};

}  // namespace cadena::nn
