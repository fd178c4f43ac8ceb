// Graph nodes and the tensor body that points at them. A node is one recorded operation: its output's shape
// and dtype, edges to the nodes of its inputs, and the values its rules declared to read. Nodes never point
// at tensors they produced, so the graph has no cycles.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "autodiff/core/meta.hpp"
#include "autodiff/core/storage.hpp"
#include "autodiff/scope.hpp"
#include "autodiff/tensor.hpp"

namespace cadena {
struct AnomalyOptions;
struct SymbolicOp;
}  // namespace cadena

namespace cadena::detail {

class Tape;
/// What this thread records or repeats at the moment, see tape.hpp.
extern constinit thread_local Tape* tape;
bool tape_at_top();
bool tape_replaying();
/// Whether a computation must leave its step on the tape.
inline bool on_tape() { return tape && tape_at_top(); }

struct Node;
using Edge = Ref<Node>;  // null where the input needs no gradient

/// What a Trace keeps of a recorded op: its inputs and its output, outside the graph, as they were.
struct Traced {
  std::vector<Tensor> values;  ///< the inputs, then the output
  std::vector<std::uint32_t> versions;
};

/// Rarely used parts of a node.
struct NodeExtras {
  struct Hook {
    std::uint64_t id;
    std::function<Tensor(const Tensor&)> call;
  };
  std::vector<Hook> hooks;
  bool retain_grad = false;
  Tensor retained;
  std::unique_ptr<const Traced> traced;
  std::vector<void*> backtrace;  ///< of the call that recorded it, in AnomalyMode
};

struct Node : RefCounted, Pooled {
  std::uint64_t seq = 0;  ///< creation number: larger than that of every input
  Edge* edges = nullptr;  ///< one per input, in argument order
  std::int32_t n_edges = 0;
  std::uint32_t owner = 0;  ///< id of the sweep that currently uses `slot`, 0 for none
  std::uint32_t slot = 0;
  DType dtype = f32;
  bool leaf = false;
  bool freed = false;  ///< saved values are gone
  Shape shape;
  Node* next_trash = nullptr;
  std::unique_ptr<NodeExtras> extras;

  virtual std::string_view name() const = 0;
  /// Cotangents of the inputs with `need[i]`, of the input's shape or one that it broadcasts to: the engine
  /// sums. Undefined is zero.
  virtual void vjp(const Tensor& g, const bool* need, Tensor* gin) = 0;
  /// Adds what vjp would return for the only input to `sum`, a cotangent of that input which nobody else
  /// sees. It spares an op that reads a part of its input the zeros around it: without it, reading a tensor
  /// row by row would cost the square of its size on the way back.
  virtual void add_vjp(const Tensor& /*g*/, const Tensor& /*sum*/) {}
  virtual bool has_add_vjp() const { return false; }
  /// Tangent of the output; undefined tangents are zero, at least one is defined.
  virtual Tensor jvp(const Tensor* tangents) = 0;
  // For who shows graphs. Null or undefined where there is nothing to tell.
  virtual const Meta* meta() const { return nullptr; }
  /// Value and derivatives as formulas.
  virtual SymbolicOp symbolic() const;
  /// The output from the inputs, unrecorded.
  virtual Tensor replay(std::span<const Tensor>) const { return {}; }
  /// The rules are loops over elements.
  virtual bool is_elementwise() const { return false; }
  /// Lets go of saved values and edges.
  virtual void free_graph() noexcept = 0;

  NodeExtras& make_extras() {
    if (!extras) extras = std::make_unique<NodeExtras>();
    return *extras;
  }

  /// Destroys without recursion, however deep the graph.
  static void dispose(Node* p) noexcept;

 protected:
  Node() = default;
  virtual ~Node() = default;
};

/// The node of a tensor that asked for gradients.
struct Leaf final : Node {
  Tensor grad;

  Leaf(const Shape& s, DType t);
  std::string_view name() const override { return "leaf"; }
  void vjp(const Tensor&, const bool*, Tensor*) override {}
  Tensor jvp(const Tensor*) override { return {}; }
  void free_graph() noexcept override {}
};

/// The gradient that a leaf accumulates, or that another node was told to retain.
inline Tensor& gradient_of(Node& node) {
  return node.leaf ? static_cast<Leaf&>(node).grad : node.make_extras().retained;
}

/// Next creation number of this thread, at least `least`.
std::uint64_t next_seq(std::uint64_t least);
/// A creation number of this thread above those of all leaves that exist, whoever made them.
std::uint64_t seq_above_leaves(std::uint64_t least);

struct TensorImpl : TensorHead, Pooled {
  void* data;  ///< first element
  Ref<Storage> storage;
  Edge node;

  static void dispose(TensorImpl* p) noexcept { delete p; }
};

inline TensorImpl* impl(const Tensor& t) { return t.raw() ? static_cast<TensorImpl*>(t.raw()) : t.impl(); }
inline TensorImpl* raw_impl(const Tensor& t) { return static_cast<TensorImpl*>(t.raw()); }

[[noreturn]] void refuse_batched_read();
/// Before memory is read. @throws Unbatchable
inline void check_readable(const TensorImpl* p) {
  if (p->batched) [[unlikely]]
    refuse_batched_read();
}

/// Memory of a tensor, behind that check: what ops hand to kernels.
inline void* raw_data(const Tensor& t) {
  check_readable(raw_impl(t));
  return raw_impl(t)->data;
}

/// Nobody else can see this tensor's buffer.
inline bool is_sole_owner(const Tensor& t) {
  const TensorImpl* p = raw_impl(t);
  return p->unique() && p->storage->unique() && p->contiguous && !p->storage->foreign;
}
bool may_overwrite_on_tape(const Tensor& t);
/// So it may serve for another value.
inline bool may_overwrite(const Tensor& t) {
  if (tape) [[unlikely]]
    return may_overwrite_on_tape(t);
  return is_sole_owner(t);
}

/// A contiguous tensor in memory of its own. `numel` must be the product of `shape` (already checked).
Tensor tensor_in(Ref<Storage> storage, const Shape& shape, std::int64_t numel, DType dtype);
/// The same in fresh memory, off any tape.
inline Tensor make_tensor_off_tape(const Shape& shape, std::int64_t numel, DType dtype) {
  return tensor_in(Storage::create(static_cast<std::size_t>(numel) * itemsize(dtype)), shape, numel, dtype);
}
/// A fresh contiguous tensor. `numel` must be the product of `shape` (already checked).
Tensor make_tensor(const Shape& shape, std::int64_t numel, DType dtype);
/// A fresh contiguous tensor with x's elements, outside the graph.
Tensor copy_of(const Tensor& x);
/// target += term without a buffer between, if both are of one shape and floating dtype, in dense rows.
/// The caller answers for the versions. @return whether it was done
bool add_in_place(const Tensor& target, const Tensor& term);
/// A view of x's storage, outside the graph.
Tensor make_view(const Tensor& x, const Shape& shape, const Strides& strides, std::int64_t offset);
bool strides_are_contiguous(const Shape& shape, const Strides& strides);

/// The graph knows what `t` held at its version, so that a later write to the storage is none of its own.
inline bool holds_recorded_value(const TensorImpl* t) {
  return (t->node && !t->node->leaf) || t->storage->recorded_version > t->version;
}
/// The storage was written after `t` was made: fine for leaves and constants, unless the graph recorded the
/// write.
/// @throws GraphError naming `op`
void refuse_overwritten(std::string_view op, TensorImpl* t);
inline void check_overwritten(std::string_view op, TensorImpl* t) {
  if (t->version != t->storage->version) refuse_overwritten(op, t);
}

/// True if an op on these inputs must be recorded. Also refuses inputs whose recorded value was overwritten.
/// @throws GraphError naming `op`
bool recording(std::string_view op, const Tensor* inputs, std::size_t n);

extern constinit thread_local bool grad_enabled;

/// Who wants to know what this thread records.
struct Observers {
  NamedScope* scope = nullptr;  ///< the innermost
  int traces = 0;
  int rule = 0;                             ///< a rule is running: what it records is not looked at
  const AnomalyOptions* anomaly = nullptr;  ///< of the innermost AnomalyMode
};
extern constinit thread_local Observers observers;

/// NoGrad without the function calls.
struct Unrecorded {
  bool former = grad_enabled;
  Unrecorded() { grad_enabled = false; }
  ~Unrecorded() { grad_enabled = former; }
  Unrecorded(const Unrecorded&) = delete;
  Unrecorded& operator=(const Unrecorded&) = delete;
};

}  // namespace cadena::detail
