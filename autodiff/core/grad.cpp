// The public functions of grad.hpp on top of the engine.
#include "autodiff/grad.hpp"

#include <algorithm>
#include <string>

#include "autodiff/core/engine.hpp"
#include "autodiff/core/op.hpp"
#include "autodiff/core/replay.hpp"
#include "autodiff/error.hpp"
#include "autodiff/ops/movement.hpp"
#include "autodiff/ops/sort.hpp"

namespace cadena {

using detail::Node;

namespace {

/// The cotangent to start from: the seed, or 1 for a single element.
Tensor seed_for(const char* op, const Tensor& output, const Tensor& seed) {
  if (seed.defined()) return seed;
  if (output.numel() != 1)
    throw GraphError("[" + std::string(op) +
                     "] expected a seed for an output of several elements, got none for shape " +
                     to_string(output.shape()));
  return ones(output.shape(), output.dtype());
}

Node* node_of(const char* op, const Tensor& t, const char* what) {
  Node* node = detail::impl(t)->node.get();
  if (!node)
    throw GraphError("[" + std::string(op) + "] expected " + what +
                     " that requires grad, got a constant of shape " + to_string(t.shape()) + " " +
                     std::string(name(t.dtype())));
  return node;
}

/// The node of a tensor whose value is still the one that the graph describes.
Node* output_node(const char* op, const Tensor& t) {
  detail::check_overwritten(op, detail::impl(t));
  return node_of(op, t, "an output");
}

void check_seeds(const char* op, const TensorList& outputs, const TensorList& seeds) {
  if (outputs.empty()) throw ValueError("[" + std::string(op) + "] expected at least one output, got none");
  if (!seeds.empty() && seeds.size() != outputs.size())
    throw ValueError("[" + std::string(op) + "] expected as many seeds as outputs (" +
                     std::to_string(outputs.size()) + "), got " + std::to_string(seeds.size()));
}

}  // namespace

void backward(const TensorList& outputs, const TensorList& seeds, BackwardOptions options) {
  check_seeds("backward", outputs, seeds);
  detail::Sweep sweep(options.create_graph, options.retain_graph || options.create_graph);
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    Node* node = output_node("backward", outputs[i]);
    sweep.seed(node, seed_for("backward", outputs[i], seeds.empty() ? Tensor() : seeds[i]));
  }
  sweep.run();
  sweep.commit();
}

void Tensor::backward(const Tensor& seed, BackwardOptions options) const {
  cadena::backward({*this}, {seed}, options);
}

TensorList grad(const TensorList& outputs, const TensorList& inputs, GradOptions options,
                const TensorList& seeds) {
  check_seeds("grad", outputs, seeds);
  std::vector<Node*> sources, targets;
  for (const auto& output : outputs) sources.push_back(output_node("grad", output));
  for (const auto& input : inputs) targets.push_back(node_of("grad", input, "an input"));
  detail::Sweep sweep(options.create_graph, options.retain_graph || options.create_graph);
  sweep.capture(sources, targets);
  for (std::size_t i = 0; i < targets.size(); ++i)
    if (!sweep.reached[i] && !options.allow_unused)
      throw GraphError("[grad] expected inputs that the outputs depend on, got input " + std::to_string(i) +
                       " of shape " + to_string(inputs[i].shape()) +
                       " outside their graph (allow_unused permits it)");
  for (std::size_t i = 0; i < sources.size(); ++i)
    sweep.seed(sources[i], seed_for("grad", outputs[i], seeds.empty() ? Tensor() : seeds[i]));
  sweep.run();
  for (std::size_t i = 0; i < targets.size(); ++i)
    if (sweep.reached[i] && !sweep.captured[i].defined()) sweep.captured[i] = zeros_like(inputs[i]);
  return std::move(sweep.captured);
}

Tensor grad(const Tensor& output, const Tensor& input, GradOptions options, const Tensor& seed) {
  return grad(TensorList{output}, TensorList{input}, options, TensorList{seed})[0];
}

TensorList jvp_replay(const TensorList& outputs, const TensorList& inputs, const TensorList& tangents) {
  if (inputs.size() != tangents.size())
    throw ValueError("[jvp] expected as many tangents as inputs (" + std::to_string(inputs.size()) +
                     "), got " + std::to_string(tangents.size()));
  for (const auto& output : outputs) detail::check_overwritten("jvp", detail::impl(output));
  std::vector<Node*> sources, targets;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    sources.push_back(node_of("jvp", inputs[i], "an input"));
    detail::check_like("jvp", "a tangent", tangents[i], inputs[i]);
  }
  for (const auto& output : outputs) targets.push_back(detail::impl(output)->node.get());
  return detail::Replay(targets, sources).run(tangents);
}

namespace detail {

void check_like(const char* op, const char* what, const Tensor& t, const Tensor& like) {
  if (!t.defined()) return;
  if (!(t.shape() == like.shape()))
    throw ShapeError("[" + std::string(op) + "] expected " + what + " of shape " + to_string(like.shape()) +
                     ", got " + to_string(t.shape()));
  if (t.dtype() != like.dtype())
    throw DtypeError("[" + std::string(op) + "] expected " + what + " of " + std::string(name(like.dtype())) +
                     ", got " + std::string(name(t.dtype())));
}

void check_single(const char* op, const Tensor& value) {
  if (value.numel() != 1)
    throw ShapeError("[" + std::string(op) + "] expected a function of one element, got a value of shape " +
                     to_string(value.shape()));
}

TensorList fresh_inputs(const TensorList& inputs) {
  TensorList fresh;
  for (const auto& x : inputs) {
    if (x.requires_grad())
      fresh.push_back(alias(x));
    else if (is_floating(x.dtype()))
      fresh.push_back(without_node(x).requires_grad_());
    else
      throw DtypeError("[grad] expected inputs of f32 or f64, got " + std::string(name(x.dtype())));
  }
  return fresh;
}

namespace {

TensorList undefined_to_zeros(TensorList list, const TensorList& like) {
  for (std::size_t i = 0; i < list.size(); ++i)
    if (!list[i].defined()) list[i] = zeros_like(like[i]);
  return list;
}

}  // namespace

ValueGrads value_and_grad(const Function& f, const TensorList& inputs, std::optional<bool> create_graph,
                          TensorList* aux) {
  const bool recording = grad_enabled;
  EnableGrad mode;
  const TensorList x = fresh_inputs(inputs);
  TensorList outputs = f(x);
  Tensor value = outputs.at(0);
  check_single("value_and_grad", value);
  const bool create = create_graph ? *create_graph : recording && reaches_beyond(outputs, x);
  if (aux)
    for (std::size_t i = 1; i < outputs.size(); ++i)
      aux->push_back(create || !outputs[i].defined() ? outputs[i] : outputs[i].detach());
  if (!value.requires_grad()) return {value, undefined_to_zeros(TensorList(x.size()), inputs)};
  TensorList grads =
      grad(TensorList{value}, x, {.create_graph = create, .retain_graph = false, .allow_unused = true});
  return {create ? value : value.detach(), undefined_to_zeros(std::move(grads), inputs)};
}

OutputsTangents jvp(const Function& f, const TensorList& inputs, const TensorList& tangents) {
  const bool record = grad_enabled;
  TensorList x, outputs;
  {
    EnableGrad mode;
    x = fresh_inputs(inputs);
    outputs = f(x);
  }
  GradMode mode(record);
  TensorList out = undefined_to_zeros(jvp_replay(outputs, x, tangents), outputs);
  return {std::move(outputs), std::move(out)};
}

Vjp vjp(const Function& f, const TensorList& inputs) {
  EnableGrad mode;
  const TensorList x = fresh_inputs(inputs);
  TensorList outputs = f(x);
  auto pullback = [outputs, x](const TensorList& cotangents) {
    if (cotangents.size() != outputs.size())
      throw ValueError("[vjp] expected as many cotangents as outputs (" + std::to_string(outputs.size()) +
                       "), got " + std::to_string(cotangents.size()));
    TensorList sources, seeds;
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      if (!outputs[i].requires_grad()) continue;
      sources.push_back(outputs[i]);
      seeds.push_back(cotangents[i]);
    }
    if (sources.empty()) return undefined_to_zeros(TensorList(x.size()), x);
    const GradOptions options{.create_graph = grad_enabled, .retain_graph = true, .allow_unused = true};
    return undefined_to_zeros(grad(sources, x, options, seeds), x);
  };
  return {std::move(outputs), std::move(pullback)};
}

void vjp_by_reference(const Saved& s, const Function& f, const Tensor& g, Tensor* gin) {
  const bool record = grad_enabled;
  TensorList all, wanted, y;
  {
    EnableGrad mode;
    for (int i = 0; i < s.count(); ++i) {
      // Unrecorded, the inputs' own history is none of our business: the sweep that called us is walking it.
      if (!s.needs(i))
        all.push_back(s.x(i));
      else
        all.push_back(record ? fresh_inputs({s.x(i)})[0] : s.x(i).detach().requires_grad_());
      if (s.needs(i)) wanted.push_back(all.back());
    }
    y = f(all);
  }
  if (!y.at(0).requires_grad()) return;
  TensorList grads =
      grad(y, wanted, {.create_graph = record, .retain_graph = false, .allow_unused = true}, {g});
  for (int i = 0, k = 0; i < s.count(); ++i)
    if (s.needs(i)) gin[i] = grads[static_cast<std::size_t>(k++)];
}

Tensor jvp_by_reference(const Saved& s, const Function& f, const Tensor* t) {
  TensorList inputs, tangents, all;
  const bool record = grad_enabled;
  TensorList y;
  {
    EnableGrad mode;
    for (int i = 0; i < s.count(); ++i) {
      all.push_back(t[i].defined() ? fresh_inputs({s.x(i)})[0] : s.x(i));
      if (!t[i].defined()) continue;
      inputs.push_back(all.back());
      tangents.push_back(t[i]);
    }
    y = f(all);
  }
  GradMode mode(record);
  return jvp_replay(y, inputs, tangents)[0];
}

}  // namespace detail
}  // namespace cadena
