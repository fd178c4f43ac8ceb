// The base of all optimizers: parameter groups, checks, state, and the loop that calls one `update` per
// parameter.
//
// An optimizer is an options struct and a class with one function, or two if it remembers something:
//
//   struct SignOptions {
//     static constexpr const char* name = "Sign";
//     double lr = 1e-3;
//     template <class V> void visit(V&& v) { v("lr", lr, non_negative); }  // what is checked, saved and
//     loaded
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
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "autodiff/error.hpp"
#include "autodiff/parallel.hpp"
#include "autodiff/presence.hpp"
#include "autodiff/tensor.hpp"
#include "optim/options.hpp"

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
    OptionValues options;  ///< and "initial_lr", once a scheduler has asked for it
    std::vector<Parameter> parameters;
  };
  std::string optimizer;  ///< "Adam"
  std::vector<Group> groups;
};

/// f(0) + ... + f(n - 1), in an order that only n decides and that processors like.
template <class F>
double sum_in_lanes(std::int64_t n, F&& f) {
  constexpr std::int64_t lanes = 16;
  double partial[lanes] = {}, total = 0;
  std::int64_t i = 0;
  for (; i + lanes <= n; i += lanes)
    for (std::int64_t j = 0; j < lanes; ++j) partial[j] += static_cast<double>(f(i + j));
  for (; i < n; ++i) total += static_cast<double>(f(i));
  for (const double p : partial) total += p;
  return total;
}

/// One parameter in one step, as `update` sees it. All tensors are contiguous.
class Update {
 public:
  Update(std::int64_t step, bool fresh, Tensor& weight, const Tensor& grad, std::span<Tensor> slots)
      : step(step), fresh(fresh), weight(weight), grad(grad), slots(slots) {}

  const std::int64_t step;  ///< updates of this parameter, this one included
  const bool fresh;         ///< a slot was created for this update
  Tensor& weight;
  const Tensor& grad;
  const std::span<Tensor> slots;

  /// Calls f(w, g, slot...) for each element: w and the first `Slots` slots by reference, all of the
  /// parameter's type, float or double. One pass over the memory, of large parameters by several threads;
  /// keep f free of branches on its elements, so that it becomes vector code, and let it write to nothing
  /// else.
  template <std::size_t Slots, class F>
  void each(F&& f) {
    typed<Slots>([&f](std::int64_t n, auto* w, const auto* g, auto*... s) {
      parallel_for(n, 1 << 14, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t i = begin; i < end; ++i) f(w[i], g[i], s[i]...);
      });
    });
  }

  /// The sum of f(w, g, slot...) over all elements, in double.
  template <std::size_t Slots, class F>
  double sum(F&& f) {
    double total = 0;
    typed<Slots>([&](std::int64_t n, auto* w, const auto* g, auto*... s) {
      total = sum_in_lanes(n, [&](std::int64_t i) { return f(w[i], g[i], s[i]...); });
    });
    return total;
  }

  /// The number in a slot of one f64 element.
  double& number(std::size_t slot) { return *slots[slot].mutable_data<double>(); }

 private:
  template <std::size_t Slots, class F>
  void typed(F&& f) {
    const auto run = [&]<class T, std::size_t... I>(std::type_identity<T>, std::index_sequence<I...>) {
      f(weight.numel(), weight.mutable_data<T>(), grad.data<T>(), slots[I].template mutable_data<T>()...);
    };
    if (weight.dtype() == f32)
      run(std::type_identity<float>{}, std::make_index_sequence<Slots>{});
    else
      run(std::type_identity<double>{}, std::make_index_sequence<Slots>{});
  }
};

/// Names of slots, in static memory: the same names always from the same place.
using SlotNames = std::span<const char* const>;

class Optimizer {
 public:
  virtual ~Optimizer() = default;
  Optimizer(const Optimizer&) = delete;
  Optimizer& operator=(const Optimizer&) = delete;

  const char* name() const { return name_; }  ///< "Adam"
  /// Forgets the gradients of all parameters.
  void zero_grad();
  /// Updates every parameter that has a gradient; the others, and their state, stay as they are. Not
  /// recorded. If anything throws, nothing has changed. @throws ShapeError, DtypeError for gradients that do
  /// not fit
  virtual void step();
  /// Calls `closure`, which computes the loss and its gradients, and steps. @return the loss
  virtual Tensor step(const std::function<Tensor()>& closure);

  /// A further group whose options are given by name; the others are those of the constructor.
  /// @throws ValueError for unknown options and values out of their ranges, and what the constructor throws
  virtual void add_param_group_by_name(Params params, const OptionValues& options) = 0;
  std::size_t num_groups() const { return groups_.size(); }
  std::vector<Tensor> parameters() const;  ///< of all groups, in order
  virtual double lr(std::size_t group = 0) const = 0;
  void set_lr(double lr);  ///< of all groups. @throws ValueError
  void set_lr(double lr, std::size_t group) { set_option("lr", lr, group); }

  /// An option by the name that state_dict gives it ("momentum", "beta1"), whatever the optimizer is.
  bool has_option(const std::string& option) const;
  /// @throws ValueError if there is none, IndexError
  double option(const std::string& option, std::size_t group = 0) const;
  /// @throws ValueError if there is none or the value is out of its range, IndexError
  void set_option(const std::string& option, double value, std::size_t group = 0);

  /// A snapshot; later steps do not change it.
  virtual OptimizerState state_dict() const;
  /// Takes options, step counts and slots over (copied, converted to the parameters' dtypes), all or nothing.
  /// Parameters are found by name within their group.
  /// @throws ValueError for another optimizer, other groups, names, slots or options; ShapeError for slots
  virtual void load_state_dict(const OptimizerState& state);

 protected:
  explicit Optimizer(const char* name) : name_(name) {}
  /// @throws ValueError for no parameters at all, repeated ones or names, non-leaves, undefined tensors;
  ///         DtypeError unless f32 or f64
  void add_group(Params params);
  /// @throws IndexError
  std::size_t checked(std::size_t group) const;
  /// @throws CaptureError within capture(), where the change would happen once
  void check_not_capturing() const;

 private:
  friend class LRScheduler;
  struct Entry {
    std::string name;
    Tensor weight;
    std::int64_t step = 0;
    SlotNames names = {};
    std::vector<Tensor> slots = {};
    // Defined during a step only: contiguous tensors, and the slots where the names have changed.
    Tensor grad = {}, target = {};
    std::vector<Tensor> next = {};
  };
  struct Group {
    std::vector<Entry> entries;
    std::optional<double> initial_lr = {};  // where the schedulers of this optimizer start from
  };
  struct EndOfStep;

  void prepare(std::size_t group, Entry& e);
  void apply(std::size_t group, Entry& e);
  Group restored(std::size_t group, const OptimizerState::Group& saved) const;
  std::vector<Tensor> restored_slots(std::size_t group, const OptimizerState::Parameter& saved,
                                     const Entry& e) const;

  // What depends on the group's options.
  virtual SlotNames slot_names(std::size_t group, const Tensor& weight) const = 0;
  virtual Tensor new_slot(std::size_t group, const Tensor& weight, const char* slot) const = 0;
  virtual void dispatch(std::size_t group, Update& u) = 0;
  virtual OptionValues saved_options(std::size_t group) const = 0;
  virtual void load_options(std::size_t group, const OptionValues& saved) = 0;

  const char* name_;
  detail::Presence presence_;
  std::vector<Group> groups_;
};

/// Adds what depends on the options (see options.hpp), which have an `lr`. If they also have a static
/// `check_parameter(name, tensor)`, it may refuse parameters.
template <class O>
class OptimizerWith : public Optimizer {
 public:
  /// All parameters in one group. @throws ValueError, DtypeError
  explicit OptimizerWith(Params params, const O& options = {}) : Optimizer(O::name), defaults_(options) {
    add_param_group(std::move(params), options);
  }
  void add_param_group(Params params, const O& options) {
    check_options(options);
    options_.reserve(options_.size() + 1);
    if constexpr (requires(const Tensor& t) { O::check_parameter("", t); })
      for (auto& [name, tensor] : params.named)
        if (tensor.defined()) O::check_parameter(name, tensor);
    add_group(std::move(params));
    options_.push_back(options);
  }
  void add_param_group(Params params) { add_param_group(std::move(params), defaults_); }
  void add_param_group_by_name(Params params, const OptionValues& options) override {
    add_param_group(std::move(params), given_options(defaults_, options));
  }

  const O& options(std::size_t group = 0) const { return options_[checked(group)]; }
  /// Takes effect with the next step. @throws ValueError
  void set_options(const O& options, std::size_t group = 0) {
    check_not_capturing();
    check_options(options);
    options_[checked(group)] = options;
  }
  double lr(std::size_t group = 0) const override { return options(group).lr; }

 protected:
  /// One step of one parameter, which is not empty; `u.each` runs over its elements.
  virtual void update(Update& u, const O& options) = 0;
  /// Names of the slots that `update` needs for `weight`.
  virtual SlotNames slots(const O&, const Tensor& /*weight*/) const { return {}; }
  /// What a slot is before its first update: zeros like the parameter, or else any tensor, whose shape and
  /// dtype it keeps.
  virtual Tensor initial(const O&, const Tensor& weight, const std::string& /*slot*/) const {
    return zeros(weight.shape(), weight.dtype());
  }

 private:
  SlotNames slot_names(std::size_t group, const Tensor& weight) const final {
    return slots(options_[group], weight);
  }
  Tensor new_slot(std::size_t group, const Tensor& weight, const char* slot) const final {
    return initial(options_[group], weight, slot);
  }
  void dispatch(std::size_t group, Update& u) final { update(u, options_[group]); }
  OptionValues saved_options(std::size_t group) const final { return option_values(options_[group]); }
  void load_options(std::size_t group, const OptionValues& saved) final {
    options_[group] = optim::saved_options<O>(saved);
  }

  O defaults_;
  std::vector<O> options_;
};

}  // namespace cadena::optim
