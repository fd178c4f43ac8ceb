// Jacobians, Hessians and their products: one recording, then one sweep or replay per row or column.
#include <string>

#include "autodiff/core/op.hpp"
#include "autodiff/core/replay.hpp"
#include "autodiff/core/tape.hpp"
#include "autodiff/error.hpp"
#include "autodiff/ops/arithmetic.hpp"
#include "autodiff/ops/movement.hpp"
#include "autodiff/ops/slicing.hpp"
#include "autodiff/ops/sort.hpp"
#include "autodiff/transforms.hpp"

namespace cadena {
namespace detail {

bool is_differentiable(const Tensor& t) { return t.defined() && is_floating(t.dtype()); }

namespace {

/// f recorded once on fresh inputs, and whether what follows is to be recorded as well.
struct Recording {
  TensorList x, outputs;
  bool create;

  Recording(const Function& f, const TensorList& inputs, std::optional<bool> create_graph) {
    const bool recording = grad_enabled;
    EnableGrad mode;
    x = fresh_inputs(inputs);
    outputs = f(x);
    create = create_graph ? *create_graph : recording && reaches_beyond(outputs, x);
  }
  Tensor output() const { return create ? outputs[0] : outputs[0].detach(); }
};

/// The gradient of a function of one element, itself recorded; undefined by inputs it does not depend on.
struct GradientRecording : Recording {
  TensorList gradient;

  GradientRecording(const char* op, const Function& f, const TensorList& inputs, const HessianOptions& o)
      : Recording(f, inputs, o.create_graph) {
    check_single(op, outputs.at(0));
    gradient.resize(x.size());
    if (!outputs[0].requires_grad()) return;
    EnableGrad mode;
    gradient = grad({outputs[0]}, x, {.create_graph = true, .allow_unused = true});
  }
  Replay replay() const { return Replay(nodes(gradient), nodes(x)); }

  static std::vector<Node*> nodes(const TensorList& list) {
    std::vector<Node*> all;
    for (const auto& t : list) all.push_back(t.defined() ? impl(t)->node.get() : nullptr);
    return all;
  }
};

/// 1 at element k, 0 elsewhere.
Tensor unit_vector(const Tensor& like, std::int64_t k) {
  const ConstantScope constant;
  Tensor e = zeros_like(like);
  if (e.dtype() == f32)
    e.mutable_data<float>()[k] = 1;
  else
    e.mutable_data<double>()[k] = 1;
  return e;
}

Shape joined(const char* op, const Shape& a, const Shape& b) {
  if (a.rank() + b.rank() > max_rank)
    throw ShapeError("[" + std::string(op) + "] expected shapes of at most 8 dimensions together, got " +
                     to_string(a) + " and " + to_string(b));
  Shape shape = a;
  for (auto d : b) shape.push_back(d);
  return shape;
}

/// Rows of a matrix, each of `inner`'s shape; undefined ones are zero.
Tensor from_rows(const TensorList& rows, const Shape& outer, const Tensor& inner, const char* op) {
  const Shape shape = joined(op, outer, inner.shape());
  TensorList full;
  bool any = false;
  for (const auto& row : rows) {
    any = any || row.defined();
    full.push_back(row.defined() ? to(row, inner.dtype()) : zeros_like(inner));
  }
  return any ? reshape(stack(full), shape) : zeros(shape, inner.dtype());
}

/// Columns of a matrix, each of `outer`'s shape.
Tensor from_columns(const TensorList& columns, const Shape& outer, const Tensor& inner, const char* op) {
  const Shape shape = joined(op, outer, inner.shape());
  TensorList full;
  bool any = false;
  for (const auto& column : columns) {
    any = any || column.defined();
    full.push_back(column.defined() ? reshape(to(column, inner.dtype()), {outer.numel()})
                                    : zeros({outer.numel()}, inner.dtype()));
  }
  return any ? reshape(stack(full, 1), shape) : zeros(shape, inner.dtype());
}

std::int64_t elements(const TensorList& list) {
  std::int64_t n = 0;
  for (const auto& t : list) n += t.numel();
  return n;
}

std::vector<TensorList> by_reverse(const Recording& r) {
  std::vector<TensorList> jacobian;
  for (const auto& y : r.outputs) {
    std::vector<TensorList> rows(r.x.size());  // by input
    for (std::int64_t k = 0; k < y.numel(); ++k) {
      TensorList row(r.x.size());
      if (y.requires_grad())
        row = grad({y}, r.x, {.create_graph = r.create, .retain_graph = true, .allow_unused = true},
                   {unit_vector(y, k)});
      for (std::size_t j = 0; j < r.x.size(); ++j) rows[j].push_back(row[j]);
    }
    TensorList blocks;
    for (std::size_t j = 0; j < r.x.size(); ++j)
      blocks.push_back(from_rows(rows[j], y.shape(), r.x[j], "jacobian"));
    jacobian.push_back(std::move(blocks));
  }
  return jacobian;
}

/// One replay per input element, for the Jacobian of `outputs` (undefined ones are constants of the shapes of
/// `like`).
std::vector<TensorList> by_forward(const char* op, Replay replay, const TensorList& x,
                                   const TensorList& like) {
  std::vector<TensorList> jacobian(like.size());
  for (std::size_t j = 0; j < x.size(); ++j) {
    std::vector<TensorList> columns(like.size());  // by output
    TensorList direction(x.size());
    for (std::int64_t k = 0; k < x[j].numel(); ++k) {
      direction[j] = unit_vector(x[j], k);
      TensorList tangents = replay.run(direction);
      for (std::size_t i = 0; i < like.size(); ++i) columns[i].push_back(std::move(tangents[i]));
    }
    direction[j] = Tensor();
    for (std::size_t i = 0; i < like.size(); ++i)
      jacobian[i].push_back(from_columns(columns[i], like[i].shape(), x[j], op));
  }
  return jacobian;
}

TensorList zeros_for_undefined(TensorList list, const TensorList& like) {
  for (std::size_t i = 0; i < list.size(); ++i)
    if (!list[i].defined()) list[i] = zeros_like(like[i]);
  return list;
}

void check_vectors(const char* op, const TensorList& v, const TensorList& inputs) {
  if (v.size() != inputs.size())
    throw ValueError("[" + std::string(op) + "] expected as many vectors as inputs (" +
                     std::to_string(inputs.size()) + "), got " + std::to_string(v.size()));
  for (std::size_t i = 0; i < v.size(); ++i) check_like(op, "a vector", v[i], inputs[i]);
}

}  // namespace
}  // namespace detail

std::vector<TensorList> jacobian(const Function& f, const TensorList& inputs,
                                 const JacobianOptions& options) {
  const detail::Recording r(f, inputs, options.create_graph);
  GradMode mode(r.create);
  const bool forward = options.mode == JacobianMode::automatic
                           ? detail::elements(r.x) < detail::elements(r.outputs)
                           : options.mode == JacobianMode::forward;
  if (!forward) return detail::by_reverse(r);
  return detail::by_forward(
      "jacobian",
      detail::Replay(detail::GradientRecording::nodes(r.outputs), detail::GradientRecording::nodes(r.x)), r.x,
      r.outputs);
}

std::vector<TensorList> hessian(const Function& f, const TensorList& inputs, const HessianOptions& options) {
  const detail::GradientRecording r("hessian", f, inputs, options);
  GradMode mode(r.create);
  return detail::by_forward("hessian", r.replay(), r.x, r.x);
}

OutputsHvp hvp(const Function& f, const TensorList& inputs, const TensorList& v,
               const HessianOptions& options) {
  detail::check_vectors("hvp", v, inputs);
  const detail::GradientRecording r("hvp", f, inputs, options);
  GradMode mode(r.create);
  return {r.output(), detail::zeros_for_undefined(r.replay().run(v), inputs)};
}

OutputsVhp vhp(const Function& f, const TensorList& inputs, const TensorList& v,
               const HessianOptions& options) {
  detail::check_vectors("vhp", v, inputs);
  const detail::GradientRecording r("vhp", f, inputs, options);
  GradMode mode(r.create);
  TensorList sources, seeds, product(r.x.size());
  for (std::size_t i = 0; i < v.size(); ++i) {
    if (!v[i].defined() || !r.gradient[i].defined() || !r.gradient[i].requires_grad()) continue;
    sources.push_back(r.gradient[i]);
    seeds.push_back(v[i]);
  }
  if (!sources.empty()) product = grad(sources, r.x, {.create_graph = r.create, .allow_unused = true}, seeds);
  return {r.output(), detail::zeros_for_undefined(std::move(product), inputs)};
}

Tensor laplacian(const Function& f, const TensorList& inputs, const HessianOptions& options) {
  const detail::GradientRecording r("laplacian", f, inputs, options);
  GradMode mode(r.create);
  detail::Replay replay = r.replay();
  Tensor trace = zeros({}, r.outputs[0].dtype());
  TensorList direction(r.x.size());
  for (std::size_t j = 0; j < r.x.size(); ++j) {
    for (std::int64_t k = 0; k < r.x[j].numel(); ++k) {
      direction[j] = detail::unit_vector(r.x[j], k);
      const Tensor column = replay.run(direction)[j];
      if (column.defined()) trace = add(trace, select(reshape(column, {-1}), 0, k));
    }
    direction[j] = Tensor();
  }
  return trace;
}

}  // namespace cadena
