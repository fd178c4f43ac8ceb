// Solutions of equations, differentiated through the implicit function theorem.
//
// x* = f(x*, p). The node of x* has an edge to p and to all else that f captured. Its rules solve
// (I - J) dx = df/dp dp, J = df/dx, or the transpose for cotangents. These solutions are fixed points
// themselves, of v -> b + J v, so a rule that is to be recorded attaches its result to the graph in the same
// way: that gives the higher orders.
#include <algorithm>
#include <cmath>
#include <sstream>
#include <string>

#include "autodiff/core/op.hpp"
#include "autodiff/core/replay.hpp"
#include "autodiff/error.hpp"
#include "autodiff/ops/arithmetic.hpp"
#include "autodiff/ops/linalg.hpp"
#include "autodiff/ops/logic.hpp"
#include "autodiff/ops/movement.hpp"
#include "autodiff/ops/reduce.hpp"
#include "autodiff/transforms.hpp"
#include "autodiff/transforms/krylov.hpp"
#include "autodiff/transforms/recording.hpp"

namespace cadena {
namespace detail {
namespace {

using Map = std::function<Tensor(const Tensor&)>;

struct Limits {
  const char* op;
  double tol;
  int max_iter;
};

Limits limits(const char* op, const ImplicitOptions& o, DType dtype) {
  if (!(o.tol >= 0) || o.max_iter < 1)
    throw ValueError("[" + std::string(op) + "] expected tol >= 0 and max_iter >= 1, got " +
                     std::to_string(o.tol) + " and " + std::to_string(o.max_iter));
  return {op, o.tol > 0 ? o.tol : dtype == f64 ? 1e-12 : 1e-5, o.max_iter};
}

[[noreturn]] void fail(const Limits& l, const std::string& what, double got) {
  std::ostringstream text;
  text << "[" << l.op << "] expected " << what << " within " << l.max_iter
       << " iterations, got a remainder of " << got;
  throw ConvergenceError(text.str());
}

double largest(const Tensor& t) { return t.numel() == 0 ? 0 : max(abs(t)).item(); }

/// A function recorded at one point, for its products with vectors.
struct Linearised {
  Tensor x, y;

  Linearised(const Map& f, const Tensor& at) {
    EnableGrad mode;
    x = fresh_inputs({at})[0];
    y = f(x);
  }
  /// J^T u; recorded if recording is on.
  Tensor pull(const Tensor& u) const {
    if (!y.requires_grad()) return zeros_like(x);
    const Tensor g =
        cadena::grad(TensorList{y}, {x},
                     {.create_graph = grad_enabled, .retain_graph = true, .allow_unused = true}, {u})[0];
    return g.defined() ? g : zeros_like(x);
  }
  /// J v.
  Tensor push(const Tensor& v) const {
    const Tensor t = jvp_replay({y}, {x}, {v})[0];
    return t.defined() ? t : zeros_like(y);
  }
};

Tensor solve(const Limits& l, const Map& a, const Tensor& b) {
  const Solution s = gmres(a, b, std::min(l.tol, 1e-5), l.max_iter);
  if (!s.converged) fail(l, "the linear system of the derivative to be solved", s.residual);
  return s.x;
}

Tensor attach(const Limits& l, const Map& f, const Tensor& solution);

struct ImplicitNode final : FunctionNode {
  Limits limits;
  Map f;
  Tensor solution;
  std::uint32_t version;

  ImplicitNode(const Limits& l, const Map& map, const Tensor& x, const BodyRecording& r)
      : FunctionNode({}, r), limits(l), f(map), solution(x), version(x.version()) {}
  std::string_view name() const override { return limits.op; }

  void vjp(const Tensor& g, const bool* need, Tensor* gin) override {
    const Tensor x = output();
    const Tensor u = respond(x, g, [](const Linearised& j, const Tensor& v) { return j.pull(v); });
    pull(at(x), u, need, gin);
  }
  Tensor jvp(const Tensor* tangents) override {
    const Tensor x = output();
    const Tensor dz = push(at(x), tangents);
    if (!dz.defined()) return dz;
    return respond(x, dz, [](const Linearised& j, const Tensor& v) { return j.push(v); });
  }
  void free_graph() noexcept override {
    FunctionNode::free_graph();
    f = nullptr;
    solution = Tensor();
  }

 private:
  /// The solution, connected to this node where what is made of it is recorded.
  Tensor output() {
    if (solution.version() != version)
      throw GraphError("[" + std::string(name()) + "] expected its solution of shape " + to_string(shape) +
                       " unchanged since the forward pass, got it overwritten in place");
    Tensor x = solution.detach();
    if (grad_enabled) raw_impl(x)->node = Edge::share(this);
    return x;
  }
  /// f at x, which is no edge: derivatives of this recording are partial ones, for x held fixed.
  BodyRecording at(const Tensor& x) const {
    const Map& map = f;
    return BodyRecording([&map](const TensorList& in) { return map(in[0]); }, {x}, seq + 1);
  }
  /// The v with v = b + product(v).
  template <class Product>
  Tensor respond(const Tensor& x, const Tensor& b, const Product& product) const {
    Tensor v;
    {
      NoGrad guard;
      const Linearised j(f, x.detach());
      v = solve(
          limits, [&](const Tensor& u) { return sub(u, product(j, u)); }, b.detach());
    }
    if (!grad_enabled) return v;
    return attach(
        limits, [f = f, x, b, product](const Tensor& u) { return add(b, product(Linearised(f, x), u)); }, v);
  }
};

/// `solution`, a fixed point of f, with its place in the graph.
Tensor attach(const Limits& l, const Map& f, const Tensor& solution) {
  const BodyRecording r([&](const TensorList&) { return f(solution); }, {}, 0);
  check_like(l.op, "a function that gives", r.y, solution);
  if (!r.y.requires_grad()) return solution;
  Tensor out = clone(solution);
  raw_impl(out)->node = Ref<Node>::adopt(new ImplicitNode(l, f, out.detach(), r));
  return out;
}

}  // namespace
}  // namespace detail

Tensor fixed_point(const ImplicitFunction& f, const Tensor& x0, const TensorList& params,
                   const ImplicitOptions& options) {
  const auto l = detail::limits("fixed_point", options, x0.dtype());
  Tensor x = x0.detach();
  {
    NoGrad guard;
    double change = 0;
    int i = 0;
    for (bool done = false; !done; ++i) {
      if (i == l.max_iter) detail::fail(l, "x = f(x) to be reached", change);
      const Tensor next = f(x, params);
      detail::check_like(l.op, "a function that gives", next, x);
      change = detail::largest(sub(next, x));
      const double size = detail::largest(next);
      if (!std::isfinite(change) || !std::isfinite(size)) detail::fail(l, "finite values", change);
      done = change <= l.tol * (1 + size);
      x = next;
    }
  }
  if (!is_grad_enabled()) return x;
  return detail::attach(
      l, [f, params](const Tensor& t) { return f(t, params); }, x.detach());
}

Tensor root(const ImplicitFunction& f, const Tensor& x0, const TensorList& params,
            const ImplicitOptions& options) {
  const auto l = detail::limits("root", options, x0.dtype());
  const auto at = [&](const Tensor& t) { return f(t, params); };
  Tensor x = x0.detach();
  {
    NoGrad guard;
    Tensor value = at(x);
    detail::check_like(l.op, "a function that gives", value, x);
    double size = detail::largest(value);
    for (int i = 0; size != 0; ++i) {
      if (i == l.max_iter || !std::isfinite(size)) detail::fail(l, "f(x) = 0 to be reached", size);
      const detail::Linearised j(at, x);
      const Tensor step = detail::solve(
          l, [&](const Tensor& v) { return j.push(v); }, value);
      const double length = detail::largest(step);
      // Half the step until it gains something; the last ones, within rounding, are taken as they are.
      const bool last = length <= l.tol * (1 + detail::largest(x));
      double fraction = 1;
      Tensor trial = sub(x, step), next = at(trial);
      while (!last && fraction > 1e-9 && !(detail::largest(next) < size)) {
        fraction /= 2;
        trial = sub(x, mul(step, fraction));
        next = at(trial);
      }
      if (last) {
        if (detail::largest(next) <= size) x = trial;
        break;
      }
      if (fraction <= 1e-9) detail::fail(l, "f(x) to become smaller along Newton's direction", size);
      x = trial;
      value = next;
      size = detail::largest(value);
    }
  }
  if (!is_grad_enabled()) return x;
  return detail::attach(
      l, [f, params](const Tensor& t) { return sub(t, f(t, params)); }, x.detach());
}

}  // namespace cadena
