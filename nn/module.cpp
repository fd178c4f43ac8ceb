#include "nn/module.hpp"

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "autodiff/capture.hpp"
#include "autodiff/grad.hpp"
#include "nn/extras.hpp"

namespace cadena::nn {

using detail::Member;

// ---- Visitor

Member& Visitor::add(std::string_view name) {
  const auto quoted = '"' + std::string(name) + '"';
  if (name.empty() || name.find('.') != name.npos)
    throw ValueError("[" + module_ + "::visit] expected a name without dots, got " + quoted);
  if (std::any_of(members_->begin(), members_->end(), [&](const Member& m) { return m.name == name; }))
    throw ValueError("[" + module_ + "::visit] expected different names, got " + quoted + " twice");
  return members_->emplace_back(Member{.name = std::string(name)});
}

void Visitor::operator()(std::string_view name, Module& child) { add(name).module = &child; }

void Visitor::operator()(std::string_view name, Parameter& parameter) { add(name).parameter = &parameter; }

void Visitor::operator()(std::string_view name, Buffer& buffer, bool persistent) {
  auto& member = add(name);
  member.buffer = &buffer;
  member.persistent = persistent;
}

std::vector<Member>* Visitor::open(std::string_view name, const char* kind) {
  auto& member = add(name);
  member.kind = kind;
  return std::exchange(members_, &member.group);
}

// ---- Walking over a tree of modules

/// Calls back for every defined tensor and every module of a tree, depth first, with dotted names.
struct Module::Walk {
  std::function<void(const std::string&, Parameter&)> parameter = {};
  std::function<void(const std::string&, Buffer&, bool persistent)> buffer = {};
  std::function<void(const std::string&, Module&)> module = {};
  bool deep = true;
  const char* asked = nullptr;  ///< for what: an error where something is still to be made

  void operator()(const Module& root) const { members(root.members(), ""); }

  void members(const std::vector<Member>& list, const std::string& prefix) const {
    for (auto& m : list) {
      const auto name = prefix + m.name;
      if (m.uninitialized && asked)
        throw ValueError(std::string("[") + asked + "] expected a call before, which makes \"" + name +
                         "\" by its input, got none");
      if (m.kind) members(m.group, name + '.');
      if (m.parameter && m.parameter->defined() && parameter) parameter(name, *m.parameter);
      if (m.buffer && m.buffer->defined() && buffer) buffer(name, *m.buffer, m.persistent);
      if (!m.module) continue;
      if (module) module(name, *m.module);
      if (deep) members(m.module->members(), name + '.');
    }
  }
};

std::vector<Member> Module::members() const {
  std::vector<Member> list;
  Visitor v(type_name(), list);
  const_cast<Module*>(this)->visit(v);  // which by contract only lists
  if (extras_) extras_->replace(type_name(), list);
  return list;
}

namespace {
/// Keeps what is seen for the first time.
class Once {
 public:
  bool operator()(const void* p) { return seen_.insert(p).second; }

 private:
  std::unordered_set<const void*> seen_;
};

template <class T>
std::vector<T> without_names(std::vector<std::pair<std::string, T>> named) {
  std::vector<T> result;
  result.reserve(named.size());
  for (auto& [name, value] : named) result.push_back(std::move(value));
  return result;
}
}  // namespace

NamedTensors Module::named_parameters() const {
  NamedTensors result;
  Once once;
  Walk{.parameter =
           [&](auto& name, Parameter& p) {
             if (once(p.raw())) result.emplace_back(name, p);
           },
       .asked = "parameters"}(*this);
  return result;
}

NamedTensors Module::named_buffers() const {
  NamedTensors result;
  Once once;
  Walk{.buffer = [&](auto& name, Buffer& b, bool) {
    if (once(b.raw())) result.emplace_back(name, b);
  }}(*this);
  return result;
}

NamedTensors Module::state() const {
  NamedTensors own;
  Walk{.parameter = [&](auto& name, Parameter& p) { own.emplace_back(name, p); },
       .buffer =
           [&](auto& name, Buffer& b, bool persistent) {
             if (persistent) own.emplace_back(name, b);
           },
       .asked = "state_dict"}(*this);
  return own;
}

NamedModules Module::named_children() const {
  NamedModules result;
  Once once;
  Walk{.module =
           [&](auto& name, Module& m) {
             if (once(&m)) result.emplace_back(name, &m);
           },
       .deep = false}(*this);
  return result;
}

NamedModules Module::named_modules() const {
  NamedModules result{{"", const_cast<Module*>(this)}};
  Once once;
  Walk{.module = [&](auto& name, Module& m) {
    if (once(&m)) result.emplace_back(name, &m);
  }}(*this);
  return result;
}

std::vector<Tensor> Module::parameters() const { return without_names(named_parameters()); }
std::vector<Tensor> Module::buffers() const { return without_names(named_buffers()); }
std::vector<Module*> Module::children() const { return without_names(named_children()); }

std::int64_t Module::num_parameters(bool only_trainable) const {
  std::int64_t n = 0;
  for (auto& p : parameters())
    if (!only_trainable || p.requires_grad()) n += p.numel();
  return n;
}

DType detail::parameter_dtype(const Tensor& x) {
  if (is_capturing())
    throw CaptureError(
        "[lazy] expected a module that has its parameters within capture(); call it once before");
  if (!is_floating(x.dtype()))
    throw DtypeError("[lazy] expected a first input of f32 or f64, got " + std::string(name(x.dtype())));
  return x.dtype();
}

// ---- Copies, conversion, modes

void Module::moved() noexcept { extras_->module = this; }

Module::Module(const Module& o) : training_(o.training_) {
  if (o.extras_) extras_ = o.extras_->copy(this);
  if (detail::CloneScope::active()) return;
  std::unordered_map<const void*, std::string> names;
  const auto check = [&](const std::string& name, const Tensor& t) {
    const auto [first, fresh] = names.emplace(t.raw(), name);
    if (!fresh)
      throw ValueError("[" + o.type_name() + "] expected a module without tied tensors to copy, got \"" +
                       first->second + "\" and \"" + name + "\" in one; nn::clone copies it");
  };
  Walk{.parameter = check, .buffer = [&](auto& name, Buffer& b, bool) { check(name, b); }}(o);
}

void Module::to(DType dtype) {
  if (!is_floating(dtype))
    throw DtypeError("[Module::to] expected f32 or f64, got " + std::string(name(dtype)));
  NoGrad no_grad;
  std::unordered_map<const void*, Tensor> converted;
  std::vector<std::pair<Tensor*, Tensor>> changes;
  const auto convert = [&](Tensor& slot) {
    if (!is_floating(slot.dtype()) || slot.dtype() == dtype) return;
    auto& now = converted[slot.raw()];
    if (!now.defined()) {
      now = slot.detach().to(dtype);
      if (slot.requires_grad()) now.requires_grad_();
      if (const auto g = slot.grad(); g.defined()) now.set_grad(g.to(dtype));
    }
    changes.emplace_back(&slot, now);
  };
  Walk{.parameter = [&](auto&, Parameter& p) { convert(p); },
       .buffer = [&](auto&, Buffer& b, bool) { convert(b); }}(*this);
  for (auto& [slot, now] : changes) *slot = now;
}

void Module::train(bool on) {
  for (auto& [name, module] : named_modules()) module->training_ = on;
}

void Module::zero_grad() {
  for (auto& p : parameters()) p.zero_grad();
}

void Module::requires_grad_(bool on) {
  for (auto& p : parameters()) p.requires_grad_(on);
}

void Module::apply(const std::function<void(Module&)>& f) {
  for (auto* child : children()) child->apply(f);
  f(*this);
}

}  // namespace cadena::nn
