// Hooks of modules.
#include <algorithm>

#include "autodiff/ops.hpp"
#include "nn/extras.hpp"

namespace cadena::nn {

using detail::Extras;

namespace {

void check_count(const char* hook, const Module& module, std::size_t expected, std::size_t got) {
  if (got != expected)
    throw ValueError("[" + std::string(hook) + "] expected " + std::to_string(expected) + " tensors for " +
                     module.type_name() + ", or none, got " + std::to_string(got));
}

/// Which tensors a gradient can reach.
std::vector<std::size_t> recorded(const TensorList& tensors) {
  std::vector<std::size_t> found;
  for (std::size_t i = 0; i < tensors.size(); ++i)
    if (tensors[i].defined() && tensors[i].requires_grad()) found.push_back(i);
  return found;
}

/// One vector from tensors, and tensors of the shapes and dtypes of `like` from one vector.
Tensor joined(const TensorList& tensors) {
  TensorList flat;
  for (auto& t : tensors) flat.push_back(t.reshape({t.numel()}));
  return cat(flat, 0);
}
TensorList parted(const Tensor& joint, const TensorList& like) {
  TensorList parts;
  std::int64_t from = 0;
  for (auto& t : like) {
    parts.push_back(joint.slice(0, {from, from + t.numel()}).reshape(t.shape()).to(t.dtype()));
    from += t.numel();
  }
  return parts;
}

using OnGradients = std::function<TensorList(const TensorList&)>;

/// The tensors again, under a node that sees all their gradients at once; `f` may replace them. What has no
/// gradient is undefined there. A node has one output, so several tensors are joined and taken apart again.
TensorList watched(const char* name, TensorList tensors, const OnGradients& f) {
  const auto which = recorded(tensors);
  if (which.empty()) return tensors;
  TensorList chosen;
  for (auto i : which) chosen.push_back(tensors[i]);
  const bool single = chosen.size() == 1;
  CustomOp op{.name = name,
              .forward = [single](const TensorList& x) { return single ? x[0].clone() : joined(x); }};
  op.vjp = [=, count = tensors.size()](const Tensor& g, const TensorList& x, const Tensor&) {
    auto parts = single ? TensorList{g} : parted(g, x);
    TensorList all(count);
    for (std::size_t k = 0; k < which.size(); ++k) all[which[k]] = parts[k];
    const auto replaced = f(all);
    for (std::size_t k = 0; k < which.size() && !replaced.empty(); ++k)
      if (replaced[which[k]].defined()) parts[k] = replaced[which[k]];
    return parts;
  };
  op.jvp = [single](const TensorList& tangents, const TensorList& x, const Tensor&) {
    TensorList all;
    for (std::size_t k = 0; k < x.size(); ++k)
      all.push_back(tangents[k].defined() ? tangents[k] : zeros_like(x[k]));
    return single ? all[0] : joined(all);
  };
  const auto result = op(chosen);
  const auto parts = single ? TensorList{result} : parted(result, chosen);
  for (std::size_t k = 0; k < which.size(); ++k) tensors[which[k]] = parts[k];
  return tensors;
}

/// Runs the backward hooks, unless the module is gone.
TensorList fire(const std::weak_ptr<Extras>& owner, TensorList grad_inputs, const TensorList& grad_outputs) {
  const auto extras = owner.lock();
  if (!extras) return {};
  const auto hooks = extras->backward;
  for (auto& [id, hook] : hooks)
    if (auto replaced = hook(*extras->module, grad_inputs, grad_outputs); !replaced.empty()) {
      check_count("register_full_backward_hook", *extras->module, grad_inputs.size(), replaced.size());
      grad_inputs = std::move(replaced);
    }
  return grad_inputs;
}

/// What the node at the outputs tells the node at the inputs.
struct BackwardState {
  TensorList grad_outputs;
  bool inputs_recorded = false;
};

}  // namespace

void RemovableHandle::remove() {
  const auto extras = owner_.lock();
  if (!extras) return;
  const auto mine = [this](const auto& entry) { return entry.first == id_; };
  std::erase_if(extras->pre, mine);
  std::erase_if(extras->post, mine);
  std::erase_if(extras->backward, mine);
}

RemovableHandle Callable::add_pre_hook(ForwardPreHook hook) {
  auto& extras = Extras::of(*this);
  extras->pre.emplace_back(++extras->next_id, std::move(hook));
  return {extras, extras->next_id};
}
RemovableHandle Callable::add_forward_hook(ForwardHook hook) {
  auto& extras = Extras::of(*this);
  extras->post.emplace_back(++extras->next_id, std::move(hook));
  return {extras, extras->next_id};
}
RemovableHandle Callable::add_backward_hook(BackwardHook hook) {
  auto& extras = Extras::of(*this);
  extras->backward.emplace_back(++extras->next_id, std::move(hook));
  return {extras, extras->next_id};
}

std::int64_t Callable::macs(const std::vector<Shape>&, const std::vector<Shape>&) const { return 0; }

void Callable::begin(TensorList& inputs, Watch& watch) {
  extras_->compute();
  const auto hooks = extras_->pre;
  for (auto& [id, hook] : hooks)
    if (auto replaced = hook(*this, inputs); !replaced.empty()) {
      check_count("register_forward_pre_hook", *this, inputs.size(), replaced.size());
      inputs = std::move(replaced);
    }
  if (extras_->backward.empty() || !is_grad_enabled()) return;
  const auto state = std::make_shared<BackwardState>();
  state->inputs_recorded = !recorded(inputs).empty();
  const std::weak_ptr<Extras> owner = extras_;
  inputs = watched("backward_hook_input", std::move(inputs), [=](const TensorList& grads) {
    // Taken out, for with create_graph they lead back to this node: a cycle.
    return fire(owner, grads, std::exchange(state->grad_outputs, {}));
  });
  watch = [=, count = inputs.size()](TensorList outputs) {
    return watched("backward_hook_output", std::move(outputs), [=](const TensorList& grads) {
      state->grad_outputs = grads;
      if (!state->inputs_recorded) fire(owner, TensorList(count), grads);
      return TensorList();
    });
  };
}

void Callable::end(const TensorList& inputs, TensorList& outputs, const Watch& watch) {
  if (watch) outputs = watch(std::move(outputs));
  const auto hooks = extras_->post;
  for (auto& [id, hook] : hooks)
    if (auto replaced = hook(*this, inputs, outputs); !replaced.empty()) {
      check_count("register_forward_hook", *this, outputs.size(), replaced.size());
      outputs = std::move(replaced);
    }
}

}  // namespace cadena::nn
