// The base of all optimizers: parameter groups, checks, state, and the loop that calls one `update` per
// parameter.
//
// An optimizer is an options struct and a class with two functions, for example
//
//   struct SignOptions {
//     static constexpr const char* name = "Sign";
//     double lr = 1e-3;
//     void check() const { expect(name, "lr", lr, lr >= 0, ">= 0"); }
//     template <class V> void visit(V&& v) { v("lr", lr); }            // what is saved and loaded
//   };
//   class Sign : public OptimizerWith<SignOptions> {
//     using OptimizerWith::OptimizerWith;
//     void update(Update& u, const SignOptions& o) override {
//       u.each<0>([&o]<class T>(T& w, T g) { w -= T(o.lr) * T((g > 0) - (g < 0)); });
//     }
//   };
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "autodiff/error.hpp"
#include "autodiff/tensor.hpp"

namespace cadena::optim {

/// Tensors to optimize, with or without names (which default to their positions, "0", "1", ...).
class Params {
 public:
  Params(const std::vector<Tensor>& tensors);     // NOLINT(google-explicit-constructor): net.parameters()
  Params(std::initializer_list<Tensor> tensors);  // NOLINT(google-explicit-constructor)
  Params(std::vector<std::pair<std::string, Tensor>> named)  // NOLINT: net.named_parameters()
      : named(std::move(named)) {}

  std::vector<std::pair<std::string, Tensor>> named;  ///< an empty name means the position
};

/// Everything an optimizer remembers, in plain types, for checkpoints.
struct OptimizerState {
  struct Parameter {
    std::string name;
    std::int64_t step = 0;                ///< updates so far
    std::map<std::string, Tensor> slots;  ///< by PyTorch's names ("exp_avg"); empty before the first update
  };
  struct Group {
    std::map<std::string, double> options;
    std::vector<Parameter> parameters;
  };
  std::string optimizer;  ///< "Adam"
  std::vector<Group> groups;
};

/// @throws ValueError "[optimizer] option: expected ..., got ..." unless `ok`
void expect(const char* optimizer, const char* option, double value, bool ok, const char* expected);

/// One parameter in one step, as `update` sees it.
class Update {
 public:
  Update(std::int64_t step, bool fresh, Tensor& weight, const Tensor& grad, std::span<Tensor> slots)
      : step(step), fresh(fresh), weight_(weight), grad_(grad), slots_(slots) {}

  const std::int64_t step;  ///< updates of this parameter, this one included
  const bool fresh;         ///< a slot was created (with zeros) for this update

  /// Calls f(w, g, slot...) for each element: w and the first `Slots` slots by reference, all of the
  /// parameter's type, float or double. One pass over the memory; keep f free of branches on its elements, so
  /// that it becomes vector code.
  template <std::size_t Slots, class F>
  void each(F&& f) {
    if (weight_.dtype() == f32)
      run<float>(f, std::make_index_sequence<Slots>{});
    else
      run<double>(f, std::make_index_sequence<Slots>{});
  }

 private:
  template <class T, class F, std::size_t... I>
  void run(F& f, std::index_sequence<I...>) {
    const auto n = weight_.numel();
    auto* w = weight_.mutable_data<T>();
    const auto* g = grad_.data<T>();
    [[maybe_unused]] const std::array<T*, sizeof...(I)> s{slots_[I].template mutable_data<T>()...};
    for (std::int64_t i = 0; i < n; ++i) f(w[i], g[i], s[I][i]...);
  }

  Tensor& weight_;  // all contiguous, of one shape and dtype
  const Tensor& grad_;
  std::span<Tensor> slots_;
};

class Optimizer {
 public:
  virtual ~Optimizer() = default;
  Optimizer(const Optimizer&) = delete;
  Optimizer& operator=(const Optimizer&) = delete;

  /// Forgets the gradients of all parameters.
  void zero_grad();
  /// Updates every parameter that has a gradient; the others, and their state, stay as they are. Not
  /// recorded. If anything throws, nothing has changed. @throws ShapeError, DtypeError for gradients that do
  /// not fit
  void step();
  /// Calls `closure`, which computes the loss and its gradients, and steps. @return the loss
  virtual Tensor step(const std::function<Tensor()>& closure);

  std::size_t num_groups() const { return groups_.size(); }
  std::vector<Tensor> parameters() const;  ///< of all groups, in order
  virtual double lr(std::size_t group = 0) const = 0;
  void set_lr(double lr);  ///< of all groups. @throws ValueError
  virtual void set_lr(double lr, std::size_t group) = 0;

  /// A snapshot; later steps do not change it.
  OptimizerState state_dict() const;
  /// Takes options, step counts and slots over (copied, converted to the parameters' dtypes), all or nothing.
  /// Parameters are found by name within their group.
  /// @throws ValueError for another optimizer, other groups, names, slots or options; ShapeError for slots
  void load_state_dict(const OptimizerState& state);

 protected:
  explicit Optimizer(const char* name) : name_(name) {}
  /// @throws ValueError for no parameters at all, repeated ones or names, non-leaves, undefined tensors;
  ///         DtypeError unless f32 or f64
  void add_group(Params params);
  /// @throws IndexError
  std::size_t checked(std::size_t group) const;

 private:
  struct Entry {
    std::string name;
    Tensor weight;
    std::int64_t step = 0;
    std::vector<Tensor> slots = {};
    std::size_t filled = 0;         // slots that an update has worked with
    Tensor grad = {}, target = {};  // contiguous; defined during a step only
  };
  struct EndOfStep;
  using Options = std::map<std::string, double>;

  void prepare(std::size_t group, Entry& e);
  void apply(std::size_t group, Entry& e);
  std::vector<Entry> restored(std::size_t group, const OptimizerState::Group& saved) const;

  virtual std::span<const char* const> slot_names(std::size_t group) const = 0;
  virtual std::span<const char* const> slot_names(const Options& saved) const = 0;  // checks them, too
  virtual void dispatch(std::size_t group, Update& u) = 0;
  virtual Options saved_options(std::size_t group) const = 0;
  virtual void load_options(std::size_t group, const Options& saved) = 0;

  const char* name_;
  std::vector<std::vector<Entry>> groups_;
};

/// Adds what depends on the options: a struct of doubles and bools with an `lr`, a `name`, `check()` and
/// `visit`.
template <class O>
class OptimizerWith : public Optimizer {
 public:
  /// All parameters in one group. @throws ValueError, DtypeError
  explicit OptimizerWith(Params params, const O& options = {}) : Optimizer(O::name), defaults_(options) {
    add_param_group(std::move(params), options);
  }
  void add_param_group(Params params, const O& options) {
    options.check();
    options_.reserve(options_.size() + 1);
    add_group(std::move(params));
    options_.push_back(options);
  }
  void add_param_group(Params params) { add_param_group(std::move(params), defaults_); }

  const O& options(std::size_t group = 0) const { return options_[checked(group)]; }
  /// Takes effect with the next step. @throws ValueError
  void set_options(const O& options, std::size_t group = 0) {
    options.check();
    options_[checked(group)] = options;
  }
  double lr(std::size_t group = 0) const override { return options(group).lr; }
  using Optimizer::set_lr;
  void set_lr(double lr, std::size_t group) override {
    auto o = options(group);
    o.lr = lr;
    set_options(o, group);
  }

 protected:
  /// One step of one parameter; `u.each` runs over its elements.
  virtual void update(Update& u, const O& options) = 0;
  /// Names of the slots that `update` needs: tensors like the parameter, zero at first.
  virtual std::span<const char* const> slots(const O&) const { return {}; }

 private:
  std::span<const char* const> slot_names(std::size_t group) const final { return slots(options_[group]); }
  std::span<const char* const> slot_names(const std::map<std::string, double>& saved) const final {
    return slots(from(saved));
  }
  void dispatch(std::size_t group, Update& u) final { update(u, options_[group]); }
  std::map<std::string, double> saved_options(std::size_t group) const final {
    std::map<std::string, double> saved;
    auto o = options_[group];
    o.visit([&saved](const char* name, auto value) { saved[name] = static_cast<double>(value); });
    return saved;
  }
  static O from(const std::map<std::string, double>& saved) {
    O o;
    o.visit([&saved]<class T>(const char* name, T& value) {
      const auto found = saved.find(name);
      if (found == saved.end())
        throw ValueError("[" + std::string(O::name) + "::load_state_dict] expected option \"" + name +
                         "\", got none");
      if constexpr (std::is_same_v<T, bool>)
        value = found->second != 0;
      else
        value = found->second;
    });
    o.check();
    return o;
  }
  void load_options(std::size_t group, const std::map<std::string, double>& saved) final {
    options_[group] = from(saved);
  }

  O defaults_;
  std::vector<O> options_;
};

}  // namespace cadena::optim
