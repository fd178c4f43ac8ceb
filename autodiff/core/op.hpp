// How an operation is written: a struct with its Meta, its value and its derivative, adjacent in one file.
//
//   Elementwise  f, dx (formulas/*.hpp)            f and its partials, one generic formula each
//   Linear       eval, transpose                     jvp is the op itself
//   General      eval, vjp, jvp                      both rules in tensor operations
//   Fused        eval, reference [, vjp]             a kernel; `reference` in plain ops gives every
//   derivative
//
// `apply(op, inputs)` evaluates unrecorded and, when an input needs a gradient, hangs a node on the result.
#pragma once

#include <array>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "autodiff/core/batch.hpp"
#include "autodiff/core/meta.hpp"
#include "autodiff/core/node.hpp"
#include "autodiff/core/scope_info.hpp"
#include "autodiff/grad.hpp"
#include "autodiff/kernels/view.hpp"

namespace cadena::detail {

/// A node with what its op declared to read: nothing else is kept, nothing else can be read.
struct RecordedNode : Node {
  RecordedNode() = default;
  ~RecordedNode() override;  // out of line: every file with an op would have its own

  /// Sets shape, number, edges and saved values. `reads[i]`: what the rule for input i reads.
  void attach(const Tensor& out, const Tensor* inputs, std::size_t n, const Reads& reads);

  /// The saved input; undefined if it was not declared or not needed.
  /// @throws GraphError if the graph was freed or the value was overwritten since
  const Tensor& input(int i) const;
  /// The saved output, connected to this node; undefined if it was not declared.
  Tensor output();
  /// Memory of the saved output, contiguous; null if it was not declared.
  const void* output_data() const;
  void free_graph() noexcept override;
  /// f on each saved input, then on the memory of the saved output.
  template <class F>
  void for_saved(const F& f) {
    for (Tensor& t : saved_) f(t);
    f(output_);
  }
  /// The output on a tape, at every replay: random numbers are drawn anew, and what the op keeps for its
  /// derivative is kept here.
  virtual Tensor rerun(std::span<const Tensor>) { return {}; }

  Ref<ScopeInfo> scope;  ///< where it was recorded

 private:
  void observe(const Tensor& out, const Tensor* inputs, std::size_t n);
  void check_current(const char* which, std::uint32_t saved, std::uint32_t now) const;

  Edge inline_edges_[3];
  std::unique_ptr<Edge[]> many_edges_;
  Tensor saved_[3];
  std::uint32_t saved_version_[3];
  std::uint32_t output_version_;
  Ref<Storage> output_;
};

/// What a rule may ask of the node it belongs to.
class Saved {
 public:
  Saved(RecordedNode& node, const bool* need) : node_(node), need_(need) {}
  const Tensor& x(int i) const { return node_.input(i); }
  Tensor y() const { return node_.output(); }
  bool needs(int i) const { return need_ == nullptr || need_[i]; }
  /// Shape of input i, which must be recorded.
  const Shape& shape(int i) const { return node_.edges[i]->shape; }
  const Shape& output_shape() const { return node_.shape; }
  int count() const { return node_.n_edges; }
  RecordedNode& node() const { return node_; }

 private:
  RecordedNode& node_;
  const bool* need_;
};

/// A tensor that an op holds as an attribute (an index, a condition); it must not be overwritten meanwhile.
class Constant {
 public:
  Constant() = default;
  explicit Constant(const Tensor& t) : tensor_(t.detach()), version_(t.version()) {}
  /// @throws GraphError naming `op` if it was overwritten
  const Tensor& get(std::string_view op) const;
  bool defined() const { return tensor_.defined(); }

 private:
  Tensor tensor_;
  std::uint32_t version_ = 0;
};

/// Whether an op can be evaluated, if it is const (or else keeps something for its derivative).
template <class Op>
concept evaluates = requires(Op& op, const Tensor& x, std::span<const Tensor> list) {
  requires requires { op.eval(list); } || requires {
    op.eval(x);
  } || requires {
    op.eval(x, x);
  } || requires {
    op.eval(x, x, x);
  };
};

/// The value of an op; undefined if it has no `eval`.
template <class Op>
Tensor evaluated(Op& op, std::span<const Tensor> x) {
  if constexpr (requires { op.eval(x); })
    return op.eval(x);
  else if constexpr (requires { op.eval(x[0]); })
    return op.eval(x[0]);
  else if constexpr (requires { op.eval(x[0], x[0]); })
    return op.eval(x[0], x[1]);
  else if constexpr (requires { op.eval(x[0], x[0], x[0]); })
    return op.eval(x[0], x[1], x[2]);
  else
    return {};
}

template <class Op>
struct NodeOf final : RecordedNode {
  Op op;
  explicit NodeOf(Op o) : op(std::move(o)) {}
  std::string_view name() const override { return Op::meta.name; }
  void vjp(const Tensor& g, const bool* need, Tensor* gin) override { op.vjp(Saved(*this, need), g, gin); }
  static constexpr bool adds = requires(Op & o, const Tensor& t) { o.add_transpose(t, t); };
  bool has_add_vjp() const override { return adds; }
  void add_vjp(const Tensor& g, const Tensor& sum) override {
    if constexpr (adds) op.add_transpose(g, sum);
  }
  Tensor jvp(const Tensor* t) override { return op.jvp(Saved(*this, nullptr), t); }
  const Meta* meta() const override { return &Op::meta; }
  Tensor replay(std::span<const Tensor> x) const override { return evaluated(op, x); }
  Tensor rerun(std::span<const Tensor> x) override {
    if constexpr (requires { op.redraw(); }) op.redraw();
    if constexpr (evaluates<const Op>)
      return NodeOf::replay(x);
    else
      return evaluated(op, x);
  }
};

inline kernels::View view_of(const Tensor& t) {
  const TensorImpl* p = impl(t);
  check_readable(p);
  return {p->data, p->dtype, p->shape, p->strides};
}

/// Hangs a node on `out` if any input needs a gradient.
template <class Op>
Tensor with_node(Op op, Tensor out, const Tensor* inputs, std::size_t n) {
  if (is_floating(out.dtype()) && recording(Op::meta.name, inputs, n)) {
    auto node = Ref<NodeOf<Op>>::adopt(new NodeOf<Op>(std::move(op)));
    node->attach(out, inputs, n, Op::meta.reads);
    raw_impl(out)->node = Edge::share(node.get());
  }
  return out;
}

/// A tensor among the attributes of an op that has one and says so.
template <class Op>
Tensor attribute_of(const Op& op) {
  if constexpr (requires { op.attribute(); })
    return op.attribute();
  else
    return {};
}

template <class Op>
Tensor apply_to(const Op& op, const std::vector<Tensor>& x);

/// On batched tensors: by the op's own rule, `batch(const BatchedCall&)`, whose result has the batch axis
/// first (undefined if it has none for such a call); by the reference of a fused op; else sample by sample.
template <class Op>
Tensor apply_batched(Op op, const Tensor* inputs, std::size_t n) {
  constexpr bool has_rule = requires(const BatchedCall& c) { op.batch(c); };
  if constexpr (!has_rule && requires(TensorList x) { op.reference(x); }) {
    return op.reference(TensorList(inputs, inputs + n));
  } else {
    const BatchedCall call(inputs, n, attribute_of(op));
    Tensor all;
    if constexpr (has_rule) all = op.batch(call);
    if (!all.defined()) {
      if (call.x.size() > n && call.batched[n]) refuse_batched_read();
      all = call.looped(Op::meta.name, [&](std::vector<Tensor> x) {
        x.resize(n);
        return apply_to(op, x);
      });
    }
    return with_node(std::move(op), call.wrap(all), inputs, n);
  }
}

/// See tape.hpp.
Tensor apply_on_tape(const Ref<RecordedNode>& node, const Tensor* inputs, std::size_t n);

/// Evaluates and records. `Op::eval` takes the inputs one by one, or as a span.
template <class Op, class... In>
Tensor apply(Op op, const In&... in) {
  Tensor inputs[] = {in...};
  if (any_batched(inputs, sizeof...(in)) || is_batched(attribute_of(op))) [[unlikely]]
    return apply_batched(std::move(op), inputs, sizeof...(in));
  if (on_tape()) [[unlikely]]
    return apply_on_tape(Ref<RecordedNode>::adopt(new NodeOf<Op>(std::move(op))), inputs, sizeof...(in));
  Tensor out;
  {
    Unrecorded guard;
    out = op.eval(in...);
  }
  return with_node(std::move(op), std::move(out), inputs, sizeof...(in));
}

/// The same for inputs that are not batched, and leaves in `op` what its evaluation kept.
template <class Op>
Tensor apply_keeping(Op& op, std::span<const Tensor> inputs) {
  if (on_tape()) [[unlikely]] {
    const auto node = Ref<NodeOf<Op>>::adopt(new NodeOf<Op>(op));
    Tensor out = apply_on_tape(Ref<RecordedNode>::share(node.get()), inputs.data(), inputs.size());
    op = node->op;
    return out;
  }
  Tensor out;
  {
    Unrecorded guard;
    out = evaluated(op, inputs);
  }
  return with_node(op, std::move(out), inputs.data(), inputs.size());
}

template <class Op>
Tensor apply_list(Op op, std::span<const Tensor> inputs) {
  if (any_batched(inputs.data(), inputs.size()) || is_batched(attribute_of(op))) [[unlikely]]
    return apply_batched(std::move(op), inputs.data(), inputs.size());
  if (on_tape()) [[unlikely]]
    return apply_on_tape(Ref<RecordedNode>::adopt(new NodeOf<Op>(std::move(op))), inputs.data(),
                         inputs.size());
  Tensor out;
  {
    Unrecorded guard;
    out = op.eval(inputs);
  }
  return with_node(std::move(op), std::move(out), inputs.data(), inputs.size());
}

template <class Op>
Tensor apply_to(const Op& op, const std::vector<Tensor>& x) {
  if constexpr (requires { op.eval(std::span<const Tensor>(x)); })
    return apply_list(op, std::span<const Tensor>(x));
  else if constexpr (requires { op.eval(x[0]); })
    return apply(op, x[0]);
  else if constexpr (requires { op.eval(x[0], x[0]); })
    return apply(op, x[0], x[1]);
  else if constexpr (requires { op.eval(x[0], x[0], x[0]); })
    return apply(op, x[0], x[1], x[2]);
  else
    refuse_batched_read();
}

/// One linear argument: `transpose(g, input shape)` is the whole derivative. There may be an
/// `add_transpose(g, sum)` beside it, see Node::add_vjp.
template <class Op>
struct Linear {
  void vjp(const Saved& s, const Tensor& g, Tensor* gin) const {
    if (s.needs(0)) gin[0] = self().transpose(g, s.shape(0));
  }
  Tensor jvp(const Saved&, const Tensor* t) const { return cadena::detail::apply(self(), t[0]); }

 private:
  const Op& self() const { return static_cast<const Op&>(*this); }
};

/// Inputs under nodes of their own, so that derivatives stop there; connected to the outer graph if they
/// were. @throws DtypeError unless all are floating
TensorList fresh_inputs(const TensorList& inputs);
/// @throws ShapeError, DtypeError naming `op` unless `t` (if defined) has the shape and dtype of `like`
void check_like(const char* op, const char* what, const Tensor& t, const Tensor& like);
/// @throws ShapeError naming `op` unless the value of a function to differentiate is a single element
void check_single(const char* op, const Tensor& value);

/// Cotangents by differentiating `f` on the saved inputs; recorded when recording is on.
void vjp_by_reference(const Saved& s, const Function& f, const Tensor& g, Tensor* gin);
Tensor jvp_by_reference(const Saved& s, const Function& f, const Tensor* t);

/// A kernel beside a `reference(inputs...)` in plain operations. The op declares all inputs as read. It may
/// have `vjp_fast(s, g, gin)` for the unrecorded first order; all else is the reference's derivative.
template <class Op>
struct Fused {
  void vjp(const Saved& s, const Tensor& g, Tensor* gin) const {
    if constexpr (requires { &Op::vjp_fast; }) {
      if (!composed(g)) return self().vjp_fast(s, g, gin);
    }
    vjp_by_reference(
        s, [this](const TensorList& x) { return TensorList{self().reference(x)}; }, g, gin);
  }
  Tensor jvp(const Saved& s, const Tensor* t) const {
    return jvp_by_reference(
        s, [this](const TensorList& x) { return TensorList{self().reference(x)}; }, t);
  }

 private:
  const Op& self() const { return static_cast<const Op&>(*this); }
};

}  // namespace cadena::detail
