// Module: what every network is made of. A module lists its members in one function, `visit`; names,
// parameters, saved state, copying, conversion, modes and printing follow from it.
//
//   struct Net : nn::Module {
//     nn::Linear fc1{784, 128}, fc2{128, 10};
//     Tensor operator()(const Tensor& x) { return fc2(relu(fc1(x))); }
//     void visit(nn::Visitor& v) override { v("fc1", fc1); v("fc2", fc2); }
//   };
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <iosfwd>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <typeinfo>
#include <utility>
#include <vector>

#include "autodiff/error.hpp"
#include "autodiff/grad.hpp"
#include "autodiff/scope.hpp"
#include "autodiff/tensor.hpp"
#include "autodiff/tree.hpp"
#include "nn/parameter.hpp"

namespace cadena::nn {

class Module;

namespace detail {
/// One line of a `visit`: exactly one of module, parameter, buffer, kind and uninitialized is set.
struct Member {
  std::string name;
  Module* module = nullptr;
  Parameter* parameter = nullptr;
  Buffer* buffer = nullptr;
  const char* kind = nullptr;  ///< of a list or dictionary, whose elements are in `group`
  bool persistent = true;      ///< of a buffer: part of the saved state
  bool uninitialized = false;  ///< a parameter that the first call will make
  std::vector<Member> group = {};
};
/// What a module was given beside its members: hooks and parametrizations (nn/hooks.cpp, nn/parametrize.cpp).
struct Extras;
/// In which a lazy layer makes its parameters: that of its first input. @throws DtypeError for integers
DType parameter_dtype(const Tensor& x);
}  // namespace detail

/// Collects the members of one module. Everything is listed in the order of the calls. Pointers, optionals
/// and undefined tensors that hold nothing are left out; elements of lists are named "0", "1", ...
/// @throws ValueError for a name that is empty, contains a dot or was used before in the same module
class Visitor {
 public:
  void operator()(std::string_view name, Module& child);
  void operator()(std::string_view name, Parameter& parameter);
  void operator()(std::string_view name, Buffer& buffer, bool persistent = true);
  /// A parameter that the first call of the module will make, knowing its input. Until then the module and
  /// all that contain it have no parameters() and no state: asking for them throws ValueError.
  void uninitialized(std::string_view name) { add(name).uninitialized = true; }
  void operator()(std::string_view name,
                  Tensor& tensor) = delete;  // declare the member a Parameter or a Buffer
  template <class M>
  void operator()(std::string_view name, std::unique_ptr<M>& child) {
    if (child) (*this)(name, *child);
  }
  template <class M>
  void operator()(std::string_view name, std::shared_ptr<M>& child) {
    if (child) (*this)(name, *child);
  }
  template <class M>
  void operator()(std::string_view name, std::optional<M>& child) {
    if (child) (*this)(name, *child);
  }
  template <class M>
  void operator()(std::string_view name, std::vector<M>& list) {
    elements(name, list);
  }
  template <class M, std::size_t N>
  void operator()(std::string_view name, std::array<M, N>& list) {
    elements(name, list);
  }
  template <class M>
  void operator()(std::string_view name, std::map<std::string, M>& dictionary) {
    auto* outer = open(name, "ModuleDict");
    for (auto& [key, element] : dictionary) (*this)(key, element);
    members_ = outer;
  }

 private:
  friend class Module;
  friend struct detail::Extras;
  Visitor(std::string module, std::vector<detail::Member>& members)
      : module_(std::move(module)), members_(&members) {}

  detail::Member& add(std::string_view name);
  std::vector<detail::Member>* open(std::string_view name, const char* kind);
  template <class List>
  void elements(std::string_view name, List& list) {
    auto* outer = open(name, "ModuleList");
    std::size_t i = 0;
    for (auto& element : list) (*this)(std::to_string(i++), element);
    members_ = outer;
  }

  std::string module_;
  std::vector<detail::Member>* members_;
};

using NamedTensors = std::vector<std::pair<std::string, Tensor>>;
using NamedModules = std::vector<std::pair<std::string, Module*>>;
/// Saved values by dotted name, "fc1.weight".
using StateDict = std::map<std::string, Tensor>;

/// How a StateDict and a module differ.
struct StateReport {
  std::vector<std::string> missing;     ///< names the module has and the dictionary lacks
  std::vector<std::string> unexpected;  ///< names the dictionary has and the module lacks
  std::vector<std::string> mismatched;  ///< names whose shapes or dtypes do not fit together
};
/// Thrown by load_state_dict; nothing was loaded.
class StateDictError : public Error {
 public:
  StateDictError(const std::string& message, StateReport report)
      : Error(message), report(std::move(report)) {}
  StateReport report;
};

/// Base of everything with parameters.
///
/// Modules are values. Copying one copies all its parameters and buffers (values, not gradients): the copy
/// shares nothing with the original. A module with tied parameters refuses to be copied with ValueError,
/// because a copy made member by member would untie them; `nn::clone` copies those, too. Assigning a module
/// to another does not compile: use load_state_dict, which leaves the tensors in place that an optimizer may
/// hold. Moving is free.
class Module {
 public:
  virtual ~Module() = default;

  /// Lists modules, parameters and buffers, in the order of their definition: `v("fc1", fc1);`. Lists and
  /// does nothing else; it is called on const modules, too.
  virtual void visit(Visitor&) {}
  /// Name of the class without namespaces, for printing.
  virtual std::string type_name() const;
  /// What stands between the parentheses when printed, "in_features=784, ...".
  virtual std::string extra_repr() const { return {}; }

  // Members, depth first in the order of `visit`. Tied tensors and modules appear once, under their first
  // name.
  std::vector<Tensor> parameters() const;
  NamedTensors named_parameters() const;  ///< dotted names: "encoder.0.weight"
  std::vector<Tensor> buffers() const;
  NamedTensors named_buffers() const;
  std::vector<Module*> children() const;
  NamedModules named_children() const;  ///< elements of lists as "layers.0"
  NamedModules named_modules() const;   ///< this module ("") and all below it
  std::int64_t num_parameters(bool only_trainable = false) const;

  /// A snapshot of all parameters and persistent buffers, tied ones under every name. Later training does not
  /// change it (in PyTorch it does).
  StateDict state_dict() const;
  /// Copies values into the existing tensors, all or none. f32 and f64 are converted into each other.
  /// @param strict also missing and unexpected names are errors
  /// @return missing and unexpected names
  /// @throws StateDictError listing missing, unexpected and mismatched names
  StateReport load_state_dict(const StateDict& state, bool strict = true);

  /// Converts parameters, their gradients and buffers of f32 or f64. They become new tensors (ties are kept):
  /// make optimizers afterwards. @throws DtypeError unless `dtype` is f32 or f64
  void to(DType dtype);
  void train(bool on = true);  ///< the mode of this module and all below it; new modules are in training
  void eval() { train(false); }
  bool is_training() const { return training_; }
  void zero_grad();
  void requires_grad_(bool on = true);  ///< freezes or unfreezes all parameters
  /// Calls `f` on all modules below and then on this one.
  void apply(const std::function<void(Module&)>& f);

  /// As PyTorch prints modules: one line per module, children indented.
  std::string to_string() const;

 protected:
  Module() = default;
  Module(const Module& o);
  Module(Module&& o) noexcept : training_(o.training_), extras_(std::move(o.extras_)) {
    if (extras_) moved();
  }
  Module& operator=(const Module&) = delete;
  Module& operator=(Module&& o) noexcept {
    training_ = o.training_;
    extras_ = std::move(o.extras_);
    if (extras_) moved();
    return *this;
  }

 private:
  friend class Callable;
  friend struct detail::Extras;
  struct Walk;
  void moved() noexcept;
  std::vector<detail::Member> members() const;
  NamedTensors state() const;  // the tensors of state_dict themselves

  bool training_ = true;
  std::shared_ptr<detail::Extras> extras_;  // of this module alone; most have none
};

std::ostream& operator<<(std::ostream& out, const Module& module);

/// A copy that shares nothing with `module`; what was tied in it is tied in the copy.
template <class M>
M clone(const M& module) {
  detail::CloneScope scope;
  return M(module);
}

/// Takes what was registered away again; dropping the handle does not. Harmless when the module is gone.
class RemovableHandle {
 public:
  RemovableHandle() = default;
  RemovableHandle(std::weak_ptr<detail::Extras> owner, std::uint64_t id)
      : owner_(std::move(owner)), id_(id) {}
  void remove();

 private:
  std::weak_ptr<detail::Extras> owner_;
  std::uint64_t id_ = 0;
};

// Hooks get the module and its tensors. What they return takes the place of the inputs, the outputs or the
// gradients of the inputs; an empty list leaves them as they are.
using ForwardPreHook = std::function<TensorList(Module&, const TensorList& inputs)>;
using ForwardHook = std::function<TensorList(Module&, const TensorList& inputs, const TensorList& outputs)>;
using BackwardHook =
    std::function<TensorList(Module&, const TensorList& grad_inputs, const TensorList& grad_outputs)>;

namespace detail {
template <class Hook>
struct HookFrom;
/// A Hook from a function that may return nothing, or one tensor.
template <class... A>
struct HookFrom<std::function<TensorList(A...)>> {
  template <class F>
  static std::function<TensorList(A...)> make(F f) {
    using Result = std::invoke_result_t<F&, A...>;
    if constexpr (std::is_void_v<Result>)
      return [f = std::move(f)](A... a) mutable {
        f(a...);
        return TensorList();
      };
    else if constexpr (std::is_same_v<Result, Tensor>)
      return [f = std::move(f)](A... a) mutable { return TensorList{f(a...)}; };
    else
      return f;
  }
};
}  // namespace detail

/// A module whose calls go through `call`: it can be given hooks, and parametrizations (nn/parametrize.hpp).
/// All layers and losses here are; a module of your own with several inputs becomes one like this:
///
///   Tensor operator()(const Tensor& a, const Tensor& b) {
///     return call([this](const Tensor& a, const Tensor& b) { return ...; }, a, b);
///   }
///
/// The result may be a tensor or anything that has tensors in it (tree.hpp).
///
/// Copies of a module have its parametrizations, but no hooks.
class Callable : public Module {
 public:
  /// Before every call. In the order of registration, as all hooks.
  template <class F>
  RemovableHandle register_forward_pre_hook(F hook) {
    return add_pre_hook(detail::HookFrom<ForwardPreHook>::make(std::move(hook)));
  }
  /// After every call.
  template <class F>
  RemovableHandle register_forward_hook(F hook) {
    return add_forward_hook(detail::HookFrom<ForwardHook>::make(std::move(hook)));
  }
  /// In every backward pass that reaches the inputs, which must have floating dtypes; gradients that nothing
  /// was added to are zeros, and undefined for tensors that do not require grad.
  template <class F>
  RemovableHandle register_full_backward_hook(F hook) {
    return add_backward_hook(detail::HookFrom<BackwardHook>::make(std::move(hook)));
  }

  /// Multiplications, each with an addition, of one call with tensors of these shapes; for `summary`.
  virtual std::int64_t macs(const std::vector<Shape>& inputs, const std::vector<Shape>& outputs) const;

 protected:
  /// f(inputs...), recorded as a part of its own, with parametrizations computed and between the hooks.
  template <class F, class... T>
  std::invoke_result_t<F&, const T&...> call(F f, const T&... inputs) {
    const NamedScope scope(typeid(*this));
    if (!extras_) return f(inputs...);
    TensorList in{inputs...};
    Watch watch;
    begin(in, watch);
    auto out = [&]<std::size_t... i>(std::index_sequence<i...>) { return f(in[i]...); }
    (std::index_sequence_for<T...>());
    const auto slots = tensors_of(out);
    TensorList list;
    for (const Tensor* t : slots) list.push_back(*t);
    end(in, list, watch);
    for (std::size_t i = 0; i < slots.size(); ++i) *slots[i] = list[i];
    return out;
  }

 private:
  RemovableHandle add_pre_hook(ForwardPreHook hook);
  RemovableHandle add_forward_hook(ForwardHook hook);
  RemovableHandle add_backward_hook(BackwardHook hook);
  using Watch = std::function<TensorList(TensorList outputs)>;  // sets up the backward hooks
  void begin(TensorList& inputs, Watch& watch);
  void end(const TensorList& inputs, TensorList& outputs, const Watch& watch);
};

/// A module with one tensor in and one out: the base of the layers here. Call it as a function.
class Layer : public Callable {
 public:
  Tensor operator()(const Tensor& x) {
    return call([this](const Tensor& in) { return forward(in); }, x);
  }
  virtual Tensor forward(const Tensor& x) = 0;
};

}  // namespace cadena::nn
