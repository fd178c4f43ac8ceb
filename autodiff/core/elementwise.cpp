#include "autodiff/core/elementwise.hpp"

#include <algorithm>
#include <array>
#include <string>

#include "autodiff/core/tape.hpp"
#include "autodiff/error.hpp"
#include "autodiff/formulas/arithmetic.hpp"
#include "autodiff/kernels/copy.hpp"
#include "autodiff/ops/arithmetic.hpp"
#include "autodiff/ops/movement.hpp"
#include "autodiff/random.hpp"

namespace cadena::detail {

constinit thread_local DType literal_dtype = f32;

namespace {

/// Attributes of ops that have none: their address is never read.
constexpr int no_attributes = 0;

struct LiteralDtype {
  DType former = literal_dtype;
  explicit LiteralDtype(DType t) { literal_dtype = t; }
  ~LiteralDtype() { literal_dtype = former; }
  LiteralDtype(const LiteralDtype&) = delete;
  LiteralDtype& operator=(const LiteralDtype&) = delete;
};

Tensor number(const Scalar& s, DType dtype) {
  const ConstantScope constant;
  Tensor t = make_tensor({}, 1, dtype);
  void* p = raw_data(t);
  if (dtype == f32)
    *static_cast<float*>(p) = s.to<float>();
  else if (dtype == f64)
    *static_cast<double*>(p) = s.to<double>();
  else
    *static_cast<std::int64_t*>(p) = s.to<std::int64_t>();
  return t;
}

kernels::MapInput map_input(const Tensor& t, const Shape& out) {
  const TensorImpl* p = raw_impl(t);
  return {p->data, itemsize(p->dtype), kernels::broadcast_strides(p->shape, p->strides, out)};
}

/// Over operands that are contiguous and of `out`'s shape and dtype.
inline void run_contiguous(kernels::MapLoop loop, const void* op, const Tensor& out, const Tensor* operands,
                           int n) {
  const TensorImpl* to = raw_impl(out);
  const void* pointers[kernels::map_max_inputs];
  std::size_t sizes[kernels::map_max_inputs];
  for (int i = 0; i < n; ++i) {
    const TensorImpl* p = raw_impl(operands[i]);
    pointers[i] = p ? p->data : nullptr;
    sizes[i] = itemsize(to->dtype);
  }
  if (to->numel > 0) kernels::map_contiguous(loop, op, to->data, sizes[0], pointers, sizes, n, to->numel);
}

/// What a loop can read as it is; only loops over floating elements know single ones.
bool are_dense_or_single(const Tensor* operands, int n, const Tensor& out) {
  return std::all_of(operands, operands + n, [&](const Tensor& t) {
    if (!t.defined()) return true;
    const TensorImpl* p = raw_impl(t);
    return (p->contiguous && p->numel == raw_impl(out)->numel) || (p->numel == 1 && is_floating(p->dtype));
  });
}

/// Runs a loop over the defined ones of `n` operands; the result has their common shape and the dtype of the
/// first.
Tensor run_loop(const char* name, kernels::MapLoop loop, const void* op, const Tensor* operands, int n) {
  for (int i = 0; i < n; ++i)
    if (operands[i].defined()) check_readable(raw_impl(operands[i]));
  const TensorImpl* first = raw_impl(operands[0]);
  bool same = first->contiguous;
  for (int i = 1; i < n && same; ++i)
    if (const TensorImpl* p = raw_impl(operands[i])) same = p->contiguous && p->shape == first->shape;
  if (same) {
    if (tape) [[unlikely]] {
      Tensor out = make_tensor(first->shape, first->numel, first->dtype);
      if (on_tape())
        tape->loop(loop, op, out, operands, n);
      else
        run_contiguous(loop, op, out, operands, n);
      return out;
    }
    Tensor out = make_tensor_off_tape(first->shape, first->numel, first->dtype);
    run_contiguous(loop, op, out, operands, n);
    return out;
  }
  Shape shape = first->shape;
  for (int i = 1; i < n; ++i)
    if (operands[i].defined()) shape = broadcast(name, shape, raw_impl(operands[i])->shape);
  const auto numel = checked_numel(name, shape, itemsize(first->dtype));
  Tensor out = make_tensor(shape, numel, first->dtype);
  kernels::MapInput inputs[kernels::map_max_inputs];
  for (int i = 0; i < n; ++i)
    if (operands[i].defined()) inputs[i] = map_input(operands[i], shape);
  void* to = raw_data(out);
  const auto size = itemsize(first->dtype);
  const auto splats = is_floating(first->dtype) ? kernels::Splats::yes : kernels::Splats::no;
  if (on_tape() && are_dense_or_single(operands, n, out)) [[unlikely]]
    tape->loop(loop, op, out, operands, n);
  else if (on_tape()) [[unlikely]]
    tape->map({loop, splats, op, to, size, shape, std::to_array(inputs), n}, out, operands, n);
  else
    kernels::map(loop, splats, op, to, size, shape, inputs, n);
  return out;
}

}  // namespace

void promote_operands(const Meta& meta, const Operand* operands, Tensor* inputs, int n) {
  // Two tensors of one floating dtype: nothing to do.
  if (n == 2 && operands[0].tensor() && operands[1].tensor()) {
    const DType dtype = impl(*operands[0].tensor())->dtype;
    if (is_floating(dtype) && impl(*operands[1].tensor())->dtype == dtype) {
      inputs[0] = *operands[0].tensor();
      inputs[1] = *operands[1].tensor();
      return;
    }
  }
  bool any_tensor = false;
  DType dtype = boolean;
  for (int i = 0; i < n; ++i) {
    if (!operands[i].tensor()) continue;
    dtype =
        any_tensor ? promote(dtype, impl(*operands[i].tensor())->dtype) : impl(*operands[i].tensor())->dtype;
    any_tensor = true;
  }
  for (int i = 0; i < n; ++i) {
    if (operands[i].tensor()) continue;
    const DType kind = operands[i].scalar().kind();
    if (!any_tensor && is_floating(kind))
      dtype = promote(dtype, literal_dtype);
    else if (!is_floating(dtype))
      dtype = promote(dtype, kind);
  }
  if (dtype == boolean) dtype = i64;
  if (dtype == i64 && !meta.integral) dtype = f32;
  for (int i = 0; i < n; ++i) {
    if (const Tensor* t = operands[i].tensor())
      inputs[i] = raw_impl(*t)->dtype == dtype ? *t : to(*t, dtype);
    else
      inputs[i] = number(operands[i].scalar(), dtype);
  }
}

Tensor elementwise_value(const ElementwiseRules& rules, const void* op, const Tensor* inputs) {
  const DType dtype = raw_impl(inputs[0])->dtype;
  return run_loop(rules.meta.name.data(),
                  rules.value[dtype == f32   ? 0
                              : dtype == f64 ? 1
                                             : 2],
                  op, inputs, rules.arity);
}

bool add_in_place(const Tensor& target, const Tensor& term) {
  const TensorImpl *to = raw_impl(target), *from = raw_impl(term);
  if (to->dtype != from->dtype || !is_floating(to->dtype) || !(to->shape == from->shape)) return false;
  if (!to->contiguous || !from->contiguous) {
    const auto has_rows = [](const TensorImpl* t) { return !t->shape.empty() && t->strides.back() == 1; };
    // What an expanded view repeats is written once, as by a copy.
    bool repeats = false;
    for (int d = 0; d < to->shape.rank(); ++d) repeats |= to->strides[d] == 0 && to->shape[d] > 1;
    if (!has_rows(to) || !has_rows(from) || repeats) return false;
    kernels::add(view_of(term), view_of(target));
    return true;
  }
  const void* operands[] = {to->data, from->data};
  const std::size_t sizes[] = {itemsize(to->dtype), itemsize(to->dtype)};
  const auto& rules = rules_of<formulas::Add, 2>;
  if (to->numel > 0)
    kernels::map_contiguous(rules.value[to->dtype == f64], &no_attributes, to->data, sizes[0], operands,
                            sizes, 2, to->numel);
  return true;
}

void elementwise_attach(Ref<ElementwiseNode> node, const Tensor& out, const Tensor* inputs) {
  node->attach(out, inputs, static_cast<std::size_t>(node->rules->arity), node->rules->meta.reads);
  raw_impl(out)->node = Edge::share(node.get());
}

Tensor ElementwiseNode::partial(int i, const Tensor& g, const Tensor* x, const Tensor& y) {
  using Flow = ElementwiseRules::Flow;
  if (rules->flow[i] == Flow::stops) return {};
  if (rules->flow[i] == Flow::passes) return g;
  const void* attributes = op() ? op() : &no_attributes;
  if (on_tape()) [[unlikely]]
    tape->keep(Edge::share(this));
  // Batched values have no loops: they take the way in tensor operations, too.
  bool record = is_batched(g) || is_batched(y) || (grad_enabled && (raw_impl(g)->node || y.defined()));
  for (int k = 0; k < rules->arity; ++k)
    record |= x[k].defined() && (is_batched(x[k]) || (grad_enabled && raw_impl(x[k])->node));
  const unsigned reads = rules->meta.reads[static_cast<std::size_t>(i)];
  Tensor declared[max_arity];
  for (int k = 0; k < rules->arity; ++k)
    if (reads >> k & 1u) declared[k] = x[k];
  if (record) {
    LiteralDtype guard(dtype);
    return rules->recorded[i](attributes, g, declared, reads & Y ? y : Tensor());
  }
  Tensor operands[kernels::map_max_inputs];
  operands[0] = g;
  for (int k = 0; k < rules->arity; ++k) operands[k + 1] = declared[k];
  if (reads & Y) operands[rules->arity + 1] = y;
  return run_loop(rules->meta.name.data(), rules->partial[i][dtype == f64], attributes, operands,
                  rules->arity + 2);
}

/// The usual case without detours: nothing is recorded, all is contiguous and of one shape, and a cotangent
/// that nobody else can see gives its buffer to the last derivative computed from it.
bool ElementwiseNode::vjp_unrecorded(const Tensor& g, const bool* need, Tensor* gin) {
  using Flow = ElementwiseRules::Flow;
  const TensorImpl* from = raw_impl(g);
  if (grad_enabled || !from->contiguous || from->dtype != dtype || from->numel == 0) return false;
  if (vmap_level > 0 || tape) [[unlikely]]
    return false;
  const int arity = rules->arity;
  const void* operands[kernels::map_max_inputs] = {from->data};
  std::size_t sizes[kernels::map_max_inputs];
  for (auto& size : sizes) size = itemsize(dtype);
  for (int k = 0; k < arity; ++k) {
    const TensorImpl* x = raw_impl(input(k));
    if (x && !(x->contiguous && x->shape == from->shape)) return false;
    operands[k + 1] = x ? x->data : nullptr;
  }
  operands[arity + 1] = output_data();
  int last = -1;
  bool passed = false;
  for (int i = 0; i < arity; ++i) {
    if (!need[i]) continue;
    if (rules->flow[i] == Flow::passes) gin[i] = g, passed = true;
    if (rules->flow[i] == Flow::computed) last = i;
  }
  for (int i = 0; i <= last; ++i) {
    if (!need[i] || rules->flow[i] != Flow::computed) continue;
    gin[i] =
        i == last && !passed && is_sole_owner(g) ? g : make_tensor_off_tape(from->shape, from->numel, dtype);
    kernels::map_contiguous(rules->partial[i][dtype == f64], op() ? op() : &no_attributes, raw_data(gin[i]),
                            sizes[0], operands, sizes, arity + 2, from->numel);
  }
  return true;
}

void ElementwiseNode::vjp(const Tensor& g, const bool* need, Tensor* gin) {
  if (vjp_unrecorded(g, need, gin)) return;
  Tensor x[max_arity];
  for (int k = 0; k < rules->arity; ++k) x[k] = input(k);
  const Tensor y = output();
  for (int i = 0; i < rules->arity; ++i)
    if (need[i]) gin[i] = partial(i, g, x, y);
}

Tensor ElementwiseNode::jvp(const Tensor* tangents) {
  Tensor x[max_arity], sum;
  for (int k = 0; k < rules->arity; ++k) x[k] = input(k);
  const Tensor y = output();
  for (int i = 0; i < rules->arity; ++i) {
    if (!tangents[i].defined()) continue;
    Tensor t = partial(i, tangents[i], x, y);
    if (t.defined()) sum = sum.defined() ? add(sum, t) : t;
  }
  return sum;
}

SymbolicOp ElementwiseNode::symbolic() const { return rules->symbolic(op() ? op() : &no_attributes); }

Tensor ElementwiseNode::replay(std::span<const Tensor> inputs) const {
  return elementwise_value(*rules, op() ? op() : &no_attributes, inputs.data());
}

Tensor elementwise_on_tape(const Ref<ElementwiseNode>& node, const Tensor* inputs) {
  tape->keep(Edge::share(node.get()));
  const auto n = static_cast<std::size_t>(node->rules->arity);
  const Tensor out = node->replay({inputs, n});
  if (is_floating(out.dtype()) && recording(node->name(), inputs, n)) elementwise_attach(node, out, inputs);
  return out;
}

}  // namespace cadena::detail
