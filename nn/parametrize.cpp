#include "nn/parametrize.hpp"

#include <algorithm>

#include "autodiff/ops.hpp"
#include "nn/conv.hpp"
#include "nn/dropout.hpp"
#include "nn/extras.hpp"
#include "nn/init.hpp"

namespace cadena::nn {

using detail::Extras;
using detail::Member;
using detail::Reparametrization;

// ---- How a module replaces members

std::shared_ptr<Extras> Extras::copy(Module* owner) const {
  if (computed.empty()) return nullptr;
  auto result = std::make_shared<Extras>(owner);
  for (auto& c : computed) result->computed.push_back(c->copy());
  return result;
}

void Extras::replace(const std::string& type_name, std::vector<Member>& members) {
  Visitor v(type_name, members);
  for (auto& c : computed) {
    std::erase_if(members, [&](const Member& m) { return m.name == c->name; });
    c->visit(v);
  }
}

std::vector<Member> Extras::declared(Module& module) {
  std::vector<Member> list;
  Visitor v(module.type_name(), list);
  module.visit(v);
  return list;
}

Parameter& Extras::parameter(const char* op, Module& module, const std::string& name) {
  for (auto& m : declared(module))
    if (m.name == name && m.parameter && m.parameter->defined()) return *m.parameter;
  throw ValueError("[" + std::string(op) + "] expected a parameter of " + module.type_name() + ", got \"" +
                   name + "\"");
}

void Extras::compute() {
  for (auto& c : computed)
    parameter("parametrize", *module, c->name).set_computed(c->compute(module->is_training()));
}

std::shared_ptr<Extras>& Extras::of(Module& module) {
  if (!module.extras_) module.extras_ = std::make_shared<Extras>(&module);
  return module.extras_;
}

void Extras::nested(Visitor& v, const std::string& name, const std::function<void(Visitor&)>& list) {
  auto* outer = v.members_;
  const auto found = std::find_if(outer->begin(), outer->end(),
                                  [](const Member& m) { return m.name == "parametrizations"; });
  if (found == outer->end())
    v.open("parametrizations", "ModuleDict");
  else
    v.members_ = &found->group;
  v.open(name, "ParametrizationList");
  list(v);
  v.members_ = outer;
}

namespace {

struct WeightNorm : Reparametrization {
  Parameter g, v;
  std::optional<int> axis;

  WeightNorm(const std::string& name, const Tensor& weight, std::optional<int> a)
      : Reparametrization(name), axis(a) {
    NoGrad no_grad;
    v = weight.detach().clone();
    g = norm_of(weight.detach());
  }
  Tensor norm_of(const Tensor& t) const {
    if (!axis) return vector_norm(t);
    const int kept = normalize_axis("weight_norm", *axis, t.dim());
    Axes others;
    for (int i = 0; i < t.dim(); ++i)
      if (i != kept) others.push_back(i);
    return others.empty() ? abs(t) : vector_norm(t, 2, others, true);
  }
  void visit(Visitor& visitor) override {
    visitor(name + "_g", g);
    visitor(name + "_v", v);
  }
  Tensor compute(bool) override { return v * (g / norm_of(v)); }
  std::unique_ptr<Reparametrization> copy() const override { return std::make_unique<WeightNorm>(*this); }
};

struct SpectralNorm : Reparametrization {
  Parameter original;
  Buffer u, v;
  utils::SpectralNormOptions options;
  int axis;

  SpectralNorm(const std::string& name, const Tensor& weight, const utils::SpectralNormOptions& o, int a)
      : Reparametrization(name), options(o), axis(normalize_axis("spectral_norm", a, weight.dim())) {
    NoGrad no_grad;
    original = weight.detach().clone();
    const auto rows = matrix().size(0), columns = matrix().size(1);
    u = normalize(randn({rows}, weight.dtype()), 2, 0, o.eps);
    v = normalize(randn({columns}, weight.dtype()), 2, 0, o.eps);
  }
  Tensor matrix() const {
    const Tensor front = axis == 0 ? Tensor(original) : movedim(original, axis, 0);
    return front.reshape({front.size(0), -1});
  }
  void visit(Visitor& visitor) override {
    visitor(name + "_orig", original);
    visitor(name + "_u", u);
    visitor(name + "_v", v);
  }
  Tensor compute(bool training) override {
    if (training) {
      NoGrad no_grad;
      const Tensor w = matrix().detach();
      for (std::int64_t k = 0; k < options.n_power_iterations; ++k) {
        v.copy_(normalize(matmul(w.t(), u), 2, 0, options.eps));
        u.copy_(normalize(matmul(w, v), 2, 0, options.eps));
      }
    }
    // Copies, for the next call overwrites the buffers.
    return original / dot(u.clone(), matmul(matrix(), v.clone()));
  }
  std::unique_ptr<Reparametrization> copy() const override { return std::make_unique<SpectralNorm>(*this); }
};

struct Parametrized : Reparametrization {
  Parameter original;
  std::vector<AnyLayer> functions;

  Parametrized(const std::string& name, const Tensor& value) : Reparametrization(name) {
    NoGrad no_grad;
    original = value.detach().clone();
  }
  Parametrized(const Parametrized& o) : Reparametrization(o), original(o.original) {
    for (auto& f : o.functions) functions.push_back(f.copy());
  }
  void visit(Visitor& visitor) override {
    Extras::nested(visitor, name, [&](Visitor& list) {
      list("original", original);
      for (std::size_t i = 0; i < functions.size(); ++i) list(std::to_string(i), functions[i].module());
    });
  }
  Tensor compute(bool) override {
    Tensor value = original;
    for (auto& f : functions) value = f(value);
    return value;
  }
  std::unique_ptr<Reparametrization> copy() const override { return std::make_unique<Parametrized>(*this); }
};

Reparametrization* find(const Extras& extras, const std::string& name) {
  for (auto& c : extras.computed)
    if (c->name == name) return c.get();
  return nullptr;
}

/// The present value of a parameter that nothing computes yet.
Tensor plain_parameter(const char* op, Callable& module, const std::string& name) {
  auto& extras = *Extras::of(module);
  if (find(extras, name))
    throw ValueError("[" + std::string(op) + "] expected a parameter that is not computed yet, got \"" +
                     name + "\" of " + module.type_name());
  return Extras::parameter(op, module, name);
}

void add(Callable& module, std::unique_ptr<Reparametrization> r) {
  auto& extras = *Extras::of(module);
  extras.computed.push_back(std::move(r));
  NoGrad no_grad;
  extras.compute();
}

template <class R>
R& expect(const char* op, Callable& module, const std::string& name) {
  if (auto* r = dynamic_cast<R*>(find(*Extras::of(module), name))) return *r;
  throw ValueError("[" + std::string(op) + "] expected a parameter that this computes, got \"" + name +
                   "\" of " + module.type_name());
}

void remove(Callable& module, Reparametrization& r, const Tensor& value) {
  auto& slot = Extras::parameter("parametrize", module, r.name);
  slot = value.detach().clone();
  std::erase_if(Extras::of(module)->computed, [&](auto& c) { return c.get() == &r; });
}

Tensor present_value(Reparametrization& r) {
  NoGrad no_grad;
  return r.compute(false);
}

}  // namespace

namespace utils {

void weight_norm(Callable& module, const std::string& name, std::optional<int> axis) {
  const auto value = plain_parameter("weight_norm", module, name);
  add(module, std::make_unique<WeightNorm>(name, value, axis));
}
void remove_weight_norm(Callable& module, const std::string& name) {
  auto& r = expect<WeightNorm>("remove_weight_norm", module, name);
  remove(module, r, present_value(r));
}

void spectral_norm(Callable& module, const std::string& name, const SpectralNormOptions& options) {
  const auto value = plain_parameter("spectral_norm", module, name);
  if (value.dim() < 1 || options.n_power_iterations < 1)
    throw ValueError("[spectral_norm] expected at least one dimension and n_power_iterations > 0, got " +
                     cadena::to_string(value.shape()) + " and " + std::to_string(options.n_power_iterations));
  const int outputs = dynamic_cast<ConvTranspose*>(&module) ? 1 : 0;
  add(module, std::make_unique<SpectralNorm>(name, value, options, options.axis.value_or(outputs)));
}
void remove_spectral_norm(Callable& module, const std::string& name) {
  auto& r = expect<SpectralNorm>("remove_spectral_norm", module, name);
  remove(module, r, present_value(r));
}

void drop_connect(Callable& module, const std::string& name, double p) {
  Dropout dropout(p);
  dropout.train(module.is_training());
  parametrize::register_parametrization(module, name, std::move(dropout));
}

namespace parametrize {

void register_parametrization(Callable& module, const std::string& name, AnyLayer f) {
  auto& extras = *Extras::of(module);
  auto* existing = dynamic_cast<Parametrized*>(find(extras, name));
  const Tensor value = existing ? Tensor(Extras::parameter("register_parametrization", module, name))
                                : plain_parameter("register_parametrization", module, name);
  NoGrad no_grad;
  auto* invertible = dynamic_cast<Parametrization*>(&f.module());
  const Tensor inner = invertible && !existing ? invertible->right_inverse(value) : value;
  const Tensor now = f(inner);
  if (!(now.shape() == value.shape()))
    throw ShapeError("[register_parametrization] expected a function that keeps the shape " +
                     cadena::to_string(value.shape()) + ", got " + cadena::to_string(now.shape()));
  if (now.dtype() != value.dtype())
    throw DtypeError("[register_parametrization] expected a function that keeps " +
                     std::string(cadena::name(value.dtype())) + ", got " +
                     std::string(cadena::name(now.dtype())));
  if (existing) {
    existing->functions.push_back(std::move(f));
    return extras.compute();
  }
  auto fresh = std::make_unique<Parametrized>(name, inner);
  fresh->functions.push_back(std::move(f));
  add(module, std::move(fresh));
}

bool is_parametrized(const Module& module, const std::string& name) {
  for (auto& [path, m] : module.named_modules())
    if (path.starts_with("parametrizations." + name + (name.empty() ? "" : "."))) return true;
  return false;
}

void remove_parametrizations(Callable& module, const std::string& name, bool leave_parametrized) {
  auto& r = expect<Parametrized>("remove_parametrizations", module, name);
  remove(module, r, leave_parametrized ? present_value(r) : Tensor(r.original));
}

}  // namespace parametrize
}  // namespace utils
}  // namespace cadena::nn
