// Functions from functions: gradients over structs of tensors, Jacobians, Hessians and their products with
// vectors. Everything nests: with itself, with grad, vjp and jvp. See docs/transforms.md.
//
// Results are recorded where somebody could differentiate them: recording is on, and an input or a tensor
// that f captured requires grad. `create_graph` overrides that.
#pragma once

#include <concepts>
#include <cstdint>
#include <functional>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

#include "autodiff/grad.hpp"
#include "autodiff/tree.hpp"
#include "autodiff/vmap.hpp"

namespace cadena {

// Gradients over a struct of tensors (see tree.hpp), and of functions with something to tell besides the
// value.

template <class T>
struct ValueGradOf {
  Tensor value;
  T grad;  ///< gradients in the places of the tensors; undefined for integers, numbers as they were
};
template <class T, class Aux>
struct ValueGradAux {
  Tensor value;
  T grad;
  Aux aux;
};

namespace detail {

template <class T>
struct IsPair : std::false_type {};
template <class A, class B>
struct IsPair<std::pair<A, B>> : std::is_convertible<A, Tensor> {};
/// f(object) gives the value and something else.
template <class F, class T>
concept HasAux = IsPair<std::remove_cvref_t<std::invoke_result_t<F&, const T&>>>::value;
/// What value_and_grad of grad.hpp does not take.
template <class F, class T>
concept TreeFunction = std::is_invocable_v<F&, const T&> &&
    (HasAux<F, T> || !(std::is_same_v<T, Tensor> || std::is_same_v<T, TensorList>));

bool is_differentiable(const Tensor& t);  // defined, f32 or f64

/// `object` with its differentiable tensors replaced by those of `list`, and the others by undefined ones if
/// `drop`.
template <class T>
T replaced(T object, const TensorList& list, bool drop) {
  std::size_t next = 0;
  for (Tensor* t : tensors_of(object)) {
    if (is_differentiable(*t))
      *t = list[next++];
    else if (drop)
      *t = Tensor();
  }
  return object;
}

template <class T>
TensorList differentiable(T object) {
  TensorList list;
  for (Tensor* t : tensors_of(object))
    if (is_differentiable(*t)) list.push_back(*t);
  return list;
}

}  // namespace detail

/// f(object) and its gradient, an object of the same type; f: const T& -> Tensor with one element. If f
/// returns a pair of the value and anything else, that is handed on as `aux`.
template <class F, class T>
requires detail::TreeFunction<F, T>
auto value_and_grad(F&& f, const T& object, std::optional<bool> create_graph = {}) {
  if constexpr (detail::HasAux<F, T>) {
    using Aux = typename std::remove_cvref_t<std::invoke_result_t<F&, const T&>>::second_type;
    std::optional<Aux> aux;
    TensorList aux_tensors;
    const Function inner = [&](const TensorList& x) {
      auto [value, extra] = f(detail::replaced(object, x, false));
      aux.emplace(std::move(extra));
      TensorList outputs{value};
      for (Tensor* t : tensors_of(*aux)) outputs.push_back(*t);
      return outputs;
    };
    auto r = detail::value_and_grad(inner, detail::differentiable(object), create_graph, &aux_tensors);
    std::size_t next = 0;
    for (Tensor* t : tensors_of(*aux)) *t = aux_tensors[next++];
    return ValueGradAux<T, Aux>{std::move(r.value), detail::replaced(object, r.grads, true), std::move(*aux)};
  } else {
    const Function inner = [&](const TensorList& x) {
      return TensorList{f(detail::replaced(object, x, false))};
    };
    auto r = detail::value_and_grad(inner, detail::differentiable(object), create_graph);
    return ValueGradOf<T>{std::move(r.value), detail::replaced(object, r.grads, true)};
  }
}

/// The function x, rest... -> {f(x, rest...), its gradient by x}.
template <class F>
requires(!std::is_convertible_v<F, Tensor>) auto value_and_grad(F f) {
  return [f = std::move(f)]<class T, class... Rest>(
      const T& x, const Rest&... rest) requires std::is_invocable_v<const F&, const T&, const Rest&...> {
    return value_and_grad([&](const T& t) { return f(t, rest...); }, x);
  };
}

/// The gradient of f as a function: `grad(f)(x)` has x's type, and `grad(grad(f))` is the second derivative
/// of a function of one number. Further arguments are constants: `grad(f)(params, batch)`. With aux (see
/// value_and_grad) it returns {gradient, aux}.
template <class F>
requires(!std::is_convertible_v<F, Tensor>) auto grad(F f) {
  return [f = std::move(f)]<class T, class... Rest>(
      const T& x, const Rest&... rest) requires std::is_invocable_v<const F&, const T&, const Rest&...> {
    auto r = value_and_grad([&](const T& t) { return f(t, rest...); }, x);
    if constexpr (requires { r.aux; })
      return std::pair(std::move(r.grad), std::move(r.aux));
    else if constexpr (requires { r.grads; })
      return std::move(r.grads);
    else
      return std::move(r.grad);
  };
}

/// Gradients of loss(params, sample...) for every sample of the batch (axis 0 of each tensor): an object of
/// params' type, the samples along axis 0 of its tensors. By vmap of grad, so that layers, and whatever else
/// vmap knows, work on the whole batch.
template <class F, class T, std::same_as<Tensor>... Batch>
T per_sample_grads(F&& loss, const T& params, const Batch&... batch) {
  const Function gradients = [&](const TensorList& sample) {
    return [&]<std::size_t... I>(std::index_sequence<I...>) {
      return detail::differentiable(grad([&](const T& p) { return loss(p, sample[I]...); })(params));
    }
    (std::index_sequence_for<Batch...>{});
  };
  return detail::replaced(params, vmap(gradients, TensorList{batch...}), true);
}

// Memory for time.

/// f(inputs) without keeping what lies in between: f is run again when a derivative asks for it, with the
/// default generator as it was. Tensors that f captures get their gradients as well. f is kept until then:
/// capture by value, or what lives long enough. All derivatives work, and checkpoints may nest.
/// @throws GraphError if f does not give the same bits again, because it draws from another generator, or a
/// tensor it reads was overwritten
TensorList checkpoint(const Function& f, const TensorList& inputs);
/// For f: Tensor -> Tensor. Modules (anything with virtual functions) are held by reference, not copied.
template <class F>
requires std::is_invocable_r_v<Tensor, F&, const Tensor&> Tensor checkpoint(F&& f, const Tensor& x) {
  using Plain = std::remove_cvref_t<F>;
  if constexpr (std::is_polymorphic_v<Plain>) {
    static_assert(std::is_lvalue_reference_v<F>, "a module must outlive its checkpoint");
    return checkpoint(Function([&f](const TensorList& in) { return TensorList{f(in[0])}; }), {x})[0];
  } else {
    Function list = [f = Plain(std::forward<F>(f))](const TensorList& in) mutable {
      return TensorList{f(in[0])};
    };
    return checkpoint(list, {x})[0];
  }
}
/// functions[n-1](... functions[0](x)), cut into as many checkpoints as `segments` says; the last part is
/// recorded as usual. About sqrt(n) segments need the least memory.
Tensor checkpoint_sequential(const std::vector<std::function<Tensor(const Tensor&)>>& functions,
                             std::int64_t segments, const Tensor& x);

// Equations.

using ImplicitFunction = std::function<Tensor(const Tensor& x, const TensorList& params)>;
struct ImplicitOptions {
  double tol = 0;       ///< relative, of the solution and of the derivative's systems; 0: 1e-12, f32 1e-5
  int max_iter = 1000;  ///< of the solution, and of each of those systems
};
/// The x with x = f(x, params), by iteration from x0; f must be a contraction. Differentiable by params and
/// by whatever f captured, to any order, through the implicit function theorem: nothing of the iteration is
/// stored. The result does not depend on x0.
/// @throws ConvergenceError if it is not reached, or if the derivative's linear system (GMRES) is singular
Tensor fixed_point(const ImplicitFunction& f, const Tensor& x0, const TensorList& params = {},
                   const ImplicitOptions& options = {});
/// The x with f(x, params) = 0, by Newton's method with GMRES and step halving. Otherwise like fixed_point.
Tensor root(const ImplicitFunction& f, const Tensor& x0, const TensorList& params = {},
            const ImplicitOptions& options = {});

// Jacobians and Hessians.

/// Reverse costs one sweep per element of the output, forward one per element of the input.
enum class JacobianMode : std::uint8_t { automatic, forward, reverse };
struct JacobianOptions {
  JacobianMode mode = JacobianMode::automatic;  ///< automatic: the cheaper one
  std::optional<bool> create_graph = {};
};
struct HessianOptions {
  std::optional<bool> create_graph = {};
};
struct OutputHvp {
  Tensor output, hvp;
};
struct OutputsHvp {
  Tensor output;
  TensorList hvp;
};
struct OutputVhp {
  Tensor output, vhp;
};
struct OutputsVhp {
  Tensor output;
  TensorList vhp;
};

/// [i][j]: derivatives of output i by input j, of the output's shape followed by the input's.
/// @throws ShapeError beyond eight dimensions together
std::vector<TensorList> jacobian(const Function& f, const TensorList& inputs,
                                 const JacobianOptions& options = {});
/// [i][j]: second derivatives of a function of one element by inputs i and j, of both shapes one after the
/// other. Forward over reverse: one replay of the recorded gradient per element.
std::vector<TensorList> hessian(const Function& f, const TensorList& inputs,
                                const HessianOptions& options = {});
/// Hessian times v without the Hessian, forward over reverse: about the cost of two gradients.
OutputsHvp hvp(const Function& f, const TensorList& inputs, const TensorList& v,
               const HessianOptions& options = {});
/// v times Hessian, reverse over reverse. Equal to hvp where the second derivatives are continuous.
OutputsVhp vhp(const Function& f, const TensorList& inputs, const TensorList& v,
               const HessianOptions& options = {});
/// Trace of the Hessian, which is never stored.
Tensor laplacian(const Function& f, const TensorList& inputs, const HessianOptions& options = {});

template <class F>
concept TensorFunction = std::is_invocable_r_v<Tensor, F&, const Tensor&>;

/// For f: Tensor -> Tensor. Shape of the output followed by x's.
template <TensorFunction F>
Tensor jacobian(F&& f, const Tensor& x, const JacobianOptions& options = {}) {
  return jacobian(detail::unary(f), TensorList{x}, options)[0][0];
}
template <TensorFunction F>
Tensor hessian(F&& f, const Tensor& x, const HessianOptions& options = {}) {
  return hessian(detail::unary(f), TensorList{x}, options)[0][0];
}
template <TensorFunction F>
OutputHvp hvp(F&& f, const Tensor& x, const Tensor& v, const HessianOptions& options = {}) {
  auto r = hvp(detail::unary(f), TensorList{x}, TensorList{v}, options);
  return {std::move(r.output), std::move(r.hvp[0])};
}
template <TensorFunction F>
OutputVhp vhp(F&& f, const Tensor& x, const Tensor& v, const HessianOptions& options = {}) {
  auto r = vhp(detail::unary(f), TensorList{x}, TensorList{v}, options);
  return {std::move(r.output), std::move(r.vhp[0])};
}
template <TensorFunction F>
Tensor laplacian(F&& f, const Tensor& x, const HessianOptions& options = {}) {
  return laplacian(detail::unary(f), TensorList{x}, options);
}

}  // namespace cadena
