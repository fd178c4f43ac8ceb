#include "autodiff/core/node.hpp"

#include <algorithm>
#include <string>

#include "autodiff/core/op.hpp"
#include "autodiff/core/tape.hpp"
#include "autodiff/error.hpp"
#include "autodiff/ops/arithmetic.hpp"
#include "autodiff/ops/reduce.hpp"

namespace cadena {
namespace detail {

constinit thread_local bool grad_enabled = true;
constinit thread_local Observers observers;

namespace {
constinit thread_local std::uint64_t last_seq = 0;
constinit thread_local Node* trash = nullptr;
constinit thread_local bool emptying_trash = false;
std::uint64_t newest_leaf = 0;  // creation number, of all threads
}  // namespace

std::uint64_t next_seq(std::uint64_t least) { return last_seq = std::max(last_seq + 1, least); }

std::uint64_t seq_above_leaves(std::uint64_t least) {
  return next_seq(std::max(least, __atomic_load_n(&newest_leaf, __ATOMIC_RELAXED) + 1));
}

void Node::dispose(Node* p) noexcept {
  p->next_trash = trash;
  trash = p;
  if (emptying_trash) return;
  emptying_trash = true;
  while (Node* node = trash) {
    trash = node->next_trash;
    delete node;  // drops edges and saved tensors, which may add to the trash
  }
  emptying_trash = false;
}

Leaf::Leaf(const Shape& s, DType t) {
  seq = next_seq(0);
  auto newest = __atomic_load_n(&newest_leaf, __ATOMIC_RELAXED);
  while (newest < seq &&
         !__atomic_compare_exchange_n(&newest_leaf, &newest, seq, true, __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
  }
  dtype = t;
  leaf = true;
  shape = s;
}

void refuse_overwritten(std::string_view op, TensorImpl* t) {
  const Storage& storage = *t->storage;
  if (holds_recorded_value(t) && !tape_replaying())
    throw GraphError("[" + std::string(op) + "] expected a tensor with its recorded value, got " +
                     to_string(t->shape) + " " + std::string(name(t->dtype)) +
                     " overwritten in place through another tensor (version " +
                     std::to_string(storage.version) + ", recorded at " + std::to_string(t->version) +
                     "); clone() it before the write");
  t->version = storage.version;
}

bool recording(std::string_view op, const Tensor* inputs, std::size_t n) {
  if (!grad_enabled) return false;
  bool any = false;
  for (std::size_t i = 0; i < n; ++i) {
    TensorImpl* t = impl(inputs[i]);
    check_overwritten(op, t);
    any |= static_cast<bool>(t->node);
  }
  return any;
}

RecordedNode::~RecordedNode() = default;

void RecordedNode::attach(const Tensor& out, const Tensor* inputs, std::size_t n, const Reads& reads) {
  if (on_tape()) [[unlikely]]
    tape->own(this);
  TensorImpl* o = raw_impl(out);
  dtype = o->dtype;
  shape = o->shape;
  n_edges = static_cast<std::int32_t>(n);
  edges = inline_edges_;
  if (n > 3) {
    many_edges_ = std::make_unique<Edge[]>(n);
    edges = many_edges_.get();
  }
  unsigned read = 0;
  std::uint64_t newest = 0;
  for (std::size_t i = 0; i < n; ++i) {
    const Edge& edge = raw_impl(inputs[i])->node;
    if (!edge) continue;
    edges[i] = edge;
    newest = std::max(newest, edge->seq);
    if (i < 3) read |= reads[i];
  }
  seq = next_seq(newest + 1);
  for (std::size_t i = 0; i < 3 && i < n; ++i) {
    if (!(read >> i & 1u)) continue;
    saved_[i] = inputs[i];
    saved_version_[i] = raw_impl(inputs[i])->storage->version;
  }
  if (read & Y) {
    output_ = o->storage;
    output_version_ = o->storage->version;
  }
  if (observers.scope || observers.traces || observers.anomaly) [[unlikely]]
    observe(out, inputs, n);
}

void RecordedNode::check_current(const char* which, std::uint32_t saved, std::uint32_t now) const {
  if (saved == now || tape_replaying()) return;
  throw GraphError("[" + std::string(name()) + "] expected its saved " + which + " of output shape " +
                   to_string(shape) + " unchanged since the forward pass (version " + std::to_string(saved) +
                   "), got version " + std::to_string(now) +
                   ": it was overwritten in place; clone() it before the write");
}

const Tensor& RecordedNode::input(int i) const {
  const Tensor& t = saved_[i];
  if (t.defined()) check_current("input", saved_version_[i], raw_impl(t)->storage->version);
  return t;
}

Tensor RecordedNode::output() {
  if (!output_) return {};
  check_current("output", output_version_, output_->version);
  auto* y = new TensorImpl;
  y->dtype = dtype;
  y->batched = output_->batch_payload != nullptr;
  y->contiguous = !y->batched;
  y->view = true;
  y->version = output_version_;
  y->shape = shape;
  y->numel = shape.numel();
  y->strides = contiguous_strides(shape);
  y->data = output_->data;
  y->storage = output_;
  if (grad_enabled) y->node = Edge::share(this);
  return Tensor(y);
}

const void* RecordedNode::output_data() const {
  if (!output_) return nullptr;
  check_current("output", output_version_, output_->version);
  if (output_->batch_payload) refuse_batched_read();
  return output_->data;
}

const Tensor& Constant::get(std::string_view op) const {
  if (tensor_.version() != version_ && !tape_replaying())
    throw GraphError("[" + std::string(op) + "] expected its index or condition of shape " +
                     to_string(tensor_.shape()) +
                     " unchanged since the forward pass, got it overwritten in place");
  return tensor_;
}

void RecordedNode::free_graph() noexcept {
  for (auto& t : saved_) t = Tensor();
  output_ = nullptr;
  for (int i = 0; i < n_edges; ++i) edges[i] = nullptr;
  freed = true;
}

}  // namespace detail

bool is_grad_enabled() { return detail::grad_enabled; }
GradMode::GradMode(bool enabled) : former_(detail::grad_enabled) { detail::grad_enabled = enabled; }
GradMode::~GradMode() { detail::grad_enabled = former_; }

}  // namespace cadena
