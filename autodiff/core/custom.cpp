// Operations whose rules the user writes.
#include <string>

#include "autodiff/core/op.hpp"
#include "autodiff/core/tape.hpp"
#include "autodiff/error.hpp"
#include "autodiff/ops/arithmetic.hpp"
#include "autodiff/ops/movement.hpp"
#include "autodiff/ops/sort.hpp"

namespace cadena {
namespace detail {
namespace {

struct CustomNode final : RecordedNode {
  CustomOp op;
  TensorList inputs;
  std::vector<std::uint32_t> versions;

  CustomNode(CustomOp o, const TensorList& in) : op(std::move(o)), inputs(in) {
    for (const auto& x : inputs) versions.push_back(x.version());
  }
  std::string_view name() const override { return op.name; }

  void vjp(const Tensor& g, const bool* need, Tensor* gin) override {
    check_current();
    const Saved saved(*this, need);
    if (op.vjp && !(grad_enabled && op.reference)) {
      TensorList grads = op.vjp(g, inputs, output());
      check_count(grads.size());
      for (std::size_t i = 0; i < grads.size(); ++i)
        if (need[i] && grads[i].defined()) gin[i] = checked(grads[i], inputs[i], "vjp");
      return;
    }
    TensorList fresh, wanted;
    const bool record = grad_enabled;
    EnableGrad mode;
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      fresh.push_back(need[i] ? alias(inputs[i]) : inputs[i].detach());
      if (need[i]) wanted.push_back(fresh.back());
    }
    const Tensor y = plain(fresh);
    if (!y.requires_grad()) return;
    TensorList grads = grad(TensorList{y}, wanted, {.create_graph = record, .allow_unused = true}, {g});
    for (std::size_t i = 0, k = 0; i < inputs.size(); ++i)
      if (need[i]) gin[i] = grads[k++];
  }

  Tensor jvp(const Tensor* tangents) override {
    check_current();
    TensorList t(tangents, tangents + inputs.size());
    if (op.jvp && !(grad_enabled && op.reference))
      return checked(op.jvp(t, inputs, output()), output(), "jvp");
    if (op.reference) return jvp_of_reference(t);
    // The vjp is linear in its cotangent w: the derivative of <vjp(w), t> with respect to w is J t.
    const bool record = grad_enabled;
    EnableGrad mode;
    const Tensor w = ones(shape, dtype).requires_grad_();
    const std::unique_ptr<bool[]> need(new bool[inputs.size()]);
    for (std::size_t i = 0; i < inputs.size(); ++i) need[i] = t[i].defined();
    TensorList gin(inputs.size()), sources, seeds;
    vjp(w, need.get(), gin.data());
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      if (!need[i] || !gin[i].defined() || !gin[i].requires_grad()) continue;
      sources.push_back(gin[i]);
      seeds.push_back(t[i]);
    }
    if (sources.empty()) return {};
    return grad(sources, {w}, {.create_graph = record, .retain_graph = true, .allow_unused = true}, seeds)[0];
  }

  void free_graph() noexcept override {
    RecordedNode::free_graph();
    inputs.clear();
  }

 private:
  /// The function to differentiate where there is no rule.
  Tensor plain(const TensorList& x) const {
    return op.reference ? checked(op.reference(x), output_like(), "reference") : op.forward(x);
  }
  Tensor output_like() const { return zeros({}, dtype).expand(shape); }
  Tensor jvp_of_reference(const TensorList& t) {
    TensorList all, moving, along;
    const bool record = grad_enabled;
    Tensor y;
    {
      EnableGrad mode;
      for (std::size_t i = 0; i < inputs.size(); ++i) {
        all.push_back(t[i].defined() ? fresh_inputs({inputs[i]})[0] : inputs[i]);
        if (!t[i].defined()) continue;
        moving.push_back(all.back());
        along.push_back(t[i]);
      }
      y = plain(all);
    }
    GradMode mode(record);
    return jvp_replay({y}, moving, along)[0];
  }
  void check_current() const {
    for (std::size_t i = 0; i < inputs.size(); ++i)
      if (inputs[i].version() != versions[i] && !tape_replaying())
        throw GraphError("[" + op.name + "] expected input " + std::to_string(i) + " of shape " +
                         to_string(inputs[i].shape()) +
                         " unchanged since the forward pass, got it overwritten in place");
  }
  void check_count(std::size_t got) const {
    if (got != inputs.size())
      throw GraphError("[" + op.name + "] expected one gradient per input (" + std::to_string(inputs.size()) +
                       ") from its vjp, got " + std::to_string(got));
  }
  Tensor checked(const Tensor& t, const Tensor& like, const char* rule) const {
    if (!t.defined()) return t;
    const std::string prefix = "[" + op.name + "] expected its " + rule + " to return ";
    if (!(t.shape() == like.shape()))
      throw ShapeError(prefix + "shape " + to_string(like.shape()) + ", got " + to_string(t.shape()));
    if (t.dtype() != like.dtype())
      throw DtypeError(prefix + std::string(cadena::name(like.dtype())) + ", got " +
                       std::string(cadena::name(t.dtype())));
    return t;
  }
};

}  // namespace
}  // namespace detail

Tensor CustomOp::operator()(const TensorList& inputs) const {
  if (!forward) throw ValueError("[" + name + "] expected a forward function, got none");
  if (inputs.empty()) throw ValueError("[" + name + "] expected at least one input, got none");
  Tensor out;
  if (detail::any_batched(inputs.data(), inputs.size())) {
    const detail::BatchedCall call(inputs.data(), inputs.size());
    out = call.wrap(call.looped(name, [this](const TensorList& x) { return (*this)(x); }));
  } else {
    NoGrad guard;
    out = detail::repeatable(name, [op = *this, inputs] {
      const Tensor y = op.forward(inputs);
      if (!y.defined())
        throw GraphError("[" + op.name + "] expected its forward to return a tensor, got an undefined one");
      // The node needs a tensor of its own, contiguous because its value may be saved.
      bool own = y.is_contiguous();
      for (const auto& x : inputs) own = own && !x.shares_storage(y);
      return own && !detail::tape ? y.detach() : clone(y);
    });
  }
  if (is_floating(out.dtype()) && detail::recording(name, inputs.data(), inputs.size())) {
    auto node = detail::Ref<detail::CustomNode>::adopt(new detail::CustomNode(*this, inputs));
    node->attach(out, inputs.data(), inputs.size(), {detail::Y, detail::Y, detail::Y});
    detail::raw_impl(out)->node = detail::Edge::share(node.get());
  }
  return out;
}

}  // namespace cadena
