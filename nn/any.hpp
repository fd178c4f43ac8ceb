// Modules and functions of any type in one list.
#pragma once

#include <concepts>
#include <functional>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

#include "nn/module.hpp"

namespace cadena::nn {

/// What a function may give: a tensor, or several.
template <class R>
concept TensorResult = std::is_convertible_v<R, Tensor> || std::same_as<std::remove_cvref_t<R>, TensorList>;
template <class F, class... T>
concept TakesTensors = std::invocable<F&, const T&...> && TensorResult<std::invoke_result_t<F&, const T&...>>;

/// Anything that maps one to four tensors, or a TensorList, to a tensor or a TensorList: a layer, a module
/// with such an `operator()`, a lambda, a function.
template <class F>
concept TensorFunction =
    TakesTensors<F, Tensor> || TakesTensors<F, Tensor, Tensor> || TakesTensors<F, Tensor, Tensor, Tensor> ||
    TakesTensors<F, Tensor, Tensor, Tensor, Tensor> || TakesTensors<F, TensorList>;

namespace detail {

inline TensorList as_list(Tensor y) { return {std::move(y)}; }
inline TensorList as_list(TensorList y) { return y; }

/// f of the tensors; nothing if it takes another number of them.
template <class F>
std::optional<TensorList> call_with(F& f, const TensorList& x) {
  if constexpr (TakesTensors<F, TensorList>) return as_list(f(x));
  if constexpr (TakesTensors<F, Tensor>)
    if (x.size() == 1) return as_list(f(x[0]));
  if constexpr (TakesTensors<F, Tensor, Tensor>)
    if (x.size() == 2) return as_list(f(x[0], x[1]));
  if constexpr (TakesTensors<F, Tensor, Tensor, Tensor>)
    if (x.size() == 3) return as_list(f(x[0], x[1], x[2]));
  if constexpr (TakesTensors<F, Tensor, Tensor, Tensor, Tensor>)
    if (x.size() == 4) return as_list(f(x[0], x[1], x[2], x[3]));
  return {};
}
/// The result, or its only tensor. @throws ValueError naming the module
TensorList taken(const Module& module, std::optional<TensorList> result, std::size_t inputs);
Tensor single(const Module& module, const TensorList& result);
[[noreturn]] void refuse_to_copy(const Module& module);

struct Held {
  virtual ~Held() = default;
  virtual Module& module() = 0;
  virtual std::shared_ptr<Held> copy() = 0;
  virtual bool is_plain() const = 0;  ///< takes one tensor and gives one
  virtual Tensor call(const Tensor& x) = 0;
  virtual TensorList call(const TensorList& x) = 0;
};

template <class M>
struct Holder final : Held {
  explicit Holder(std::shared_ptr<M> m) : held(std::move(m)) {}
  Module& module() override { return *held; }
  std::shared_ptr<Held> copy() override {
    if constexpr (std::is_copy_constructible_v<M>)
      return std::make_shared<Holder>(std::make_shared<M>(static_cast<const M&>(*held)));
    else
      refuse_to_copy(*held);
  }
  bool is_plain() const override {
    if constexpr (requires { held->is_plain(); })
      return held->is_plain();
    else
      return std::is_invocable_r_v<Tensor, M&, const Tensor&>;
  }
  Tensor call(const Tensor& x) override {
    if constexpr (std::is_invocable_r_v<Tensor, M&, const Tensor&>)
      return (*held)(x);
    else
      return single(*held, call(TensorList{x}));
  }
  TensorList call(const TensorList& x) override { return taken(*held, call_with(*held, x), x.size()); }

  std::shared_ptr<M> held;
};

}  // namespace detail

/// A function as a module; it has no parameters. What the function captures is not seen by the module.
class Lambda : public Module {
 public:
  template <TensorFunction F>
  requires(!std::derived_from<F, Module>) explicit Lambda(F f)
      : f_([f = std::move(f)](const TensorList& x) mutable { return detail::call_with(f, x); }),
        is_plain_(std::is_invocable_r_v<Tensor, F&, const Tensor&>) {}
  Tensor operator()(const Tensor& x) { return detail::single(*this, (*this)(TensorList{x})); }
  /// @throws ValueError for a number of tensors that the function does not take
  TensorList operator()(const TensorList& x) {
    const NamedScope scope(typeid(*this));
    return detail::taken(*this, f_(x), x.size());
  }
  bool is_plain() const { return is_plain_; }  ///< takes one tensor and gives one

 private:
  std::function<std::optional<TensorList>(const TensorList&)> f_;
  bool is_plain_;
};

/// Holds a module of any type. Given a value it keeps it, given a shared_ptr it shares it. Copies of the
/// handle share; `copy()` does not.
class AnyModule {
 public:
  template <std::derived_from<Module> M>
  AnyModule(M module)  // NOLINT(google-explicit-constructor): list.push_back(Linear(1, 2))
      : AnyModule(std::make_shared<M>(std::move(module))) {}
  template <std::derived_from<Module> M>
  AnyModule(std::shared_ptr<M> module)  // NOLINT(google-explicit-constructor)
      : self_(std::make_shared<detail::Holder<M>>(std::move(module))) {}

  Module& module() const { return self_->module(); }
  /// @throws ValueError if the type of the module cannot be copied
  AnyModule copy() const { return AnyModule(self_->copy()); }

 protected:
  explicit AnyModule(std::shared_ptr<detail::Held> self) : self_(std::move(self)) {}
  std::shared_ptr<detail::Held> self_;
};

template <class F>
concept HoldableFunction =
    !std::derived_from<F, AnyModule> && !std::derived_from<F, Module> && TensorFunction<F>;

/// Holds a TensorFunction of any type. Functions that are no modules become a Lambda.
class AnyLayer : public AnyModule {
 public:
  template <HoldableFunction F>
  AnyLayer(F f)  // NOLINT(google-explicit-constructor): Sequential(Linear(1, 2), relu)
      : AnyModule(Lambda(std::move(f))) {}
  template <std::derived_from<Module> M>
  requires TensorFunction<M> AnyLayer(M module)  // NOLINT(google-explicit-constructor)
      : AnyModule(std::move(module)) {}
  template <std::derived_from<Module> M>
  requires TensorFunction<M> AnyLayer(std::shared_ptr<M> module)  // NOLINT(google-explicit-constructor)
      : AnyModule(std::move(module)) {}

  Tensor operator()(const Tensor& x) const { return self_->call(x); }
  /// @throws ValueError for a number of tensors that it does not take
  TensorList operator()(const TensorList& x) const { return self_->call(x); }
  bool is_plain() const { return self_->is_plain(); }  ///< takes one tensor and gives one
  AnyLayer copy() const { return AnyLayer(self_->copy()); }

 private:
  explicit AnyLayer(std::shared_ptr<detail::Held> self) : AnyModule(std::move(self)) {}
};

namespace detail {

/// Named modules in order: what the containers keep. Copies copy the modules; one that occurs twice is one in
/// the copy, too.
template <class Any>
class Items {
 public:
  struct Item {
    std::string name;
    Any held;
  };
  Items() = default;
  Items(const Items& o);
  Items(Items&&) noexcept = default;
  Items& operator=(Items&&) noexcept = default;
  ~Items() = default;

  /// @throws ValueError naming `container` for a name that is empty, contains a dot or is there already
  void push_back(const char* container, std::string name, Any held);
  Any* find(const std::string& name);
  Module& at(const char* container, std::size_t i) const;  ///< @throws IndexError
  void visit(Visitor& v);
  std::size_t size() const { return list.size(); }

  std::vector<Item> list;
};
extern template class Items<AnyLayer>;
extern template class Items<AnyModule>;

/// `module` as an M. @throws ValueError
template <class M>
M& as(const char* container, const std::string& where, Module& module) {
  if (auto* m = dynamic_cast<M*>(&module)) return *m;
  throw ValueError("[" + std::string(container) + "] expected another type at " + where + ", got " +
                   module.type_name());
}

}  // namespace detail
}  // namespace cadena::nn
