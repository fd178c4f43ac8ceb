// Differentiation: reverse mode (grad, vjp), forward mode (jvp), graph control, and ops of one's own.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "autodiff/tensor.hpp"

namespace cadena {

using TensorList = std::vector<Tensor>;

/// True where operations are recorded (per thread; true at the start of every thread).
bool is_grad_enabled();

/// Switches recording on or off for a scope and restores the former state, also when an exception passes.
class GradMode {
 public:
  explicit GradMode(bool enabled);
  ~GradMode();
  GradMode(const GradMode&) = delete;
  GradMode& operator=(const GradMode&) = delete;

 private:
  bool former_;
};
struct NoGrad : GradMode {
  NoGrad() : GradMode(false) {}
};
struct EnableGrad : GradMode {
  EnableGrad() : GradMode(true) {}
};

struct GradOptions {
  bool create_graph = false;  ///< record the gradient itself, for higher orders; implies retain_graph
  bool retain_graph = false;
  bool allow_unused = false;  ///< undefined gradients for inputs that the outputs do not depend on
};

/// Vector-Jacobian products d(sum_i <seeds_i, outputs_i>)/d(inputs), without touching any `.grad()`.
/// @param seeds cotangents of the outputs' shapes; empty (or undefined entries) mean 1 for single elements
/// @throws GraphError for inputs outside the graph, freed graphs, stale saved values
TensorList grad(const TensorList& outputs, const TensorList& inputs, GradOptions options = {},
                const TensorList& seeds = {});
Tensor grad(const Tensor& output, const Tensor& input, GradOptions options = {}, const Tensor& seed = {});

/// `.backward()` of several outputs in one pass.
void backward(const TensorList& outputs, const TensorList& seeds = {}, BackwardOptions options = {});

using Function = std::function<TensorList(const TensorList&)>;

struct ValueGrads {
  Tensor value;
  TensorList grads;
};
struct ValueGrad {
  Tensor value, grad;
};
struct OutputsTangents {
  TensorList outputs, tangents;
};
struct OutputTangent {
  Tensor output, tangent;
};
struct Vjp {
  TensorList outputs;
  /// Cotangents of the outputs -> cotangents of the inputs (zeros where there is no dependence); call it
  /// often.
  std::function<TensorList(const TensorList&)> pullback;
};

namespace detail {
/// Of the first output of f; the further ones go to `aux`, outside the graph unless it is recorded.
ValueGrads value_and_grad(const Function& f, const TensorList& inputs, std::optional<bool> create_graph,
                          TensorList* aux = nullptr);
OutputsTangents jvp(const Function& f, const TensorList& inputs, const TensorList& tangents);
Vjp vjp(const Function& f, const TensorList& inputs);
template <class F>
Function unary(F& f) {
  return [&f](const TensorList& x) { return TensorList{f(x[0])}; };
}
template <class F>
Function scalar(F& f) {
  return [&f](const TensorList& x) { return TensorList{f(x)}; };
}
}  // namespace detail

/// f(x) and its gradient, for f: Tensor -> Tensor with one element. Inputs need no requires_grad; whatever
/// else requires grad is held constant.
/// @param create_graph record the result, so that it can be differentiated in its turn. By default that is
/// done where somebody could ask for it: x, or a tensor that f captured, requires grad, and it is no NoGrad.
/// So transforms nest.
template <class F>
requires std::is_invocable_r_v<Tensor, F&, const Tensor&> ValueGrad
value_and_grad(F&& f, const Tensor& x, std::optional<bool> create_graph = {}) {
  auto r = detail::value_and_grad(detail::unary(f), {x}, create_graph);
  return {std::move(r.value), std::move(r.grads[0])};
}
/// The same for f: TensorList -> Tensor.
template <class F>
requires std::is_invocable_r_v<Tensor, F&, const TensorList&> ValueGrads
value_and_grad(F&& f, const TensorList& inputs, std::optional<bool> create_graph = {}) {
  return detail::value_and_grad(detail::scalar(f), inputs, create_graph);
}

/// f(x) and its directional derivative along `v` (same shape as x), by replaying the recorded nodes forwards.
/// Exact, differentiable itself, and nests with grad and jvp.
template <class F>
OutputTangent jvp(F&& f, const Tensor& x, const Tensor& v) {
  auto r = detail::jvp(detail::unary(f), {x}, {v});
  return {std::move(r.outputs[0]), std::move(r.tangents[0])};
}
inline OutputsTangents jvp(const Function& f, const TensorList& inputs, const TensorList& tangents) {
  return detail::jvp(f, inputs, tangents);
}

/// f(inputs) and a function that pulls cotangents back through it.
inline Vjp vjp(const Function& f, const TensorList& inputs) { return detail::vjp(f, inputs); }

/// Tangent of recorded `outputs` when `inputs` (leaves or intermediate results) move along `tangents`;
/// undefined tangents mean zero, as does an undefined result.
TensorList jvp_replay(const TensorList& outputs, const TensorList& inputs, const TensorList& tangents);

/// An operation with rules written by the user in tensor operations.
struct CustomOp {
  std::string name;
  /// The value. Runs unrecorded.
  std::function<Tensor(const TensorList& inputs)> forward;
  /// Cotangent of the output -> cotangents of the inputs; undefined means zero. Recorded when the gradient
  /// is, so higher orders follow. If left out, `forward` is differentiated instead.
  std::function<TensorList(const Tensor& cotangent, const TensorList& inputs, const Tensor& output)> vjp = {};
  /// Tangents of the inputs (undefined means zero) -> tangent of the output. If left out, derived from vjp.
  std::function<Tensor(const TensorList& tangents, const TensorList& inputs, const Tensor& output)> jvp = {};
  /// The value once more, in plain operations. Where it is given, vjp and jvp need only serve the unrecorded
  /// first order: recorded derivatives, and rules left out, are the reference's. `opcheck` (gradcheck.hpp)
  /// compares the two.
  std::function<Tensor(const TensorList& inputs)> reference = {};

  /// Applies and records it. Results of the rules are checked for count, shape and dtype.
  /// @throws GraphError, ShapeError, DtypeError naming the op
  Tensor operator()(const TensorList& inputs) const;
};

}  // namespace cadena
