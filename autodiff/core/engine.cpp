#include "autodiff/core/engine.hpp"

#include <algorithm>
#include <string>

#include "autodiff/core/anomaly.hpp"
#include "autodiff/core/batch.hpp"
#include "autodiff/core/tape.hpp"
#include "autodiff/error.hpp"
#include "autodiff/ops/arithmetic.hpp"
#include "autodiff/ops/movement.hpp"
#include "autodiff/ops/reduce.hpp"
#include "autodiff/ops/sort.hpp"
#include "autodiff/random.hpp"

namespace cadena::detail {

namespace {

/// Claims are rare enough for atomics; a lone thread needs none.
bool claim(std::uint32_t& owner, std::uint32_t id) {
  if (CADENA_SINGLE_THREADED) {
    if (owner != 0) return false;
    owner = id;
    return true;
  }
  std::uint32_t nobody = 0;
  return __atomic_compare_exchange_n(&owner, &nobody, id, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
}

[[noreturn]] void fail_freed(const Node& node) {
  throw GraphError("[" + std::string(node.name()) +
                   "] expected a graph that can be walked, got one whose output of shape " +
                   to_string(node.shape) +
                   " was already freed by a former backward; pass retain_graph to that one");
}

Tensor checked(const Node& node, Tensor g, const char* who) {
  if (!(g.shape() == node.shape))
    throw ShapeError("[" + std::string(node.name()) + "] expected a gradient of shape " +
                     to_string(node.shape) + " from " + who + ", got " + to_string(g.shape()));
  if (g.dtype() != node.dtype)
    throw DtypeError("[" + std::string(node.name()) + "] expected a gradient of " +
                     std::string(name(node.dtype)) + " from " + who + ", got " +
                     std::string(name(g.dtype())));
  return g;
}

}  // namespace

Numbering::Numbering(bool shares_nodes) : shares_nodes_(shares_nodes) {
  static std::uint32_t last = 0;
  do id_ = __atomic_add_fetch(&last, 1, __ATOMIC_RELAXED);
  while (id_ == 0);
}

std::uint32_t Numbering::find(const Node* node) const {
  if (__atomic_load_n(&node->owner, __ATOMIC_RELAXED) == id_) return node->slot;
  if (elsewhere_.empty()) return absent;
  auto it = elsewhere_.find(node);
  return it == elsewhere_.end() ? absent : it->second;
}

void Numbering::set(Node* node, std::uint32_t number) {
  if (claim(node->owner, id_)) {
    node->slot = number;
  } else if (shares_nodes_ || node->leaf) {
    elsewhere_[node] = number;
  } else {
    throw GraphError("[" + std::string(node->name()) +
                     "] expected a node that no other backward is walking; both must pass retain_graph");
  }
}

void Numbering::forget(Node* node) noexcept {
  if (__atomic_load_n(&node->owner, __ATOMIC_RELAXED) == id_)
    __atomic_store_n(&node->owner, 0, __ATOMIC_RELEASE);
  else
    elsewhere_.erase(node);
}

Sweep::~Sweep() {
  for (auto& slot : slots_)
    if (slot.node) numbering_.forget(slot.node.get());
}

std::uint32_t Sweep::slot_of(Node* node) {
  auto s = numbering_.find(node);
  if (s != Numbering::absent) return s;
  if (node->freed) fail_freed(*node);
  if (!free_slots_.empty()) {
    s = free_slots_.back();
    free_slots_.pop_back();
  } else {
    s = static_cast<std::uint32_t>(slots_.size());
    slots_.emplace_back();
  }
  slots_[s].node = Edge::share(node);
  numbering_.set(node, s);
  return s;
}

void Sweep::push(std::uint32_t slot) {
  if (slots_[slot].pending) return;
  slots_[slot].pending = true;
  Pending p{slots_[slot].node->seq, slot};
  // The newest stays outside the heap: in a chain it is the next, and the heap is never touched.
  if (newest_.slot == absent_slot && (heap_.empty() || heap_.front() < p)) {
    newest_ = p;
    return;
  }
  if (newest_.slot != absent_slot && newest_ < p) std::swap(newest_, p);
  heap_.push_back(p);
  std::push_heap(heap_.begin(), heap_.end());
}

void Sweep::capture(const std::vector<Node*>& outputs, const std::vector<Node*>& targets, bool stop) {
  pruned_ = true;
  stop_ = stop;
  captured.resize(targets.size());
  reached.resize(targets.size());
  std::vector<std::uint32_t> order;
  if (stop)  // known from the start, so they are met but not passed
    for (Node* target : targets)
      if (numbering_.find(target) == Numbering::absent) slot_of(target);
  for (Node* output : outputs)
    if (auto known = numbering_.find(output); known == Numbering::absent) order.push_back(slot_of(output));
  for (std::size_t next = 0; next < order.size(); ++next) {
    Node* node = slots_[order[next]].node.get();
    for (int i = 0; i < node->n_edges; ++i) {
      Node* input = node->edges[i].get();
      if (input && numbering_.find(input) == Numbering::absent) order.push_back(slot_of(input));
    }
  }
  for (auto s : order) slots_[s].needed = false;
  for (std::size_t i = 0; i < targets.size(); ++i) {
    targets_.emplace_back(targets[i], i);
    const auto s = numbering_.find(targets[i]);
    reached[i] = s != Numbering::absent;
    if (reached[i]) slots_[s].needed = true;
  }
  std::sort(order.begin(), order.end(),
            [&](auto a, auto b) { return slots_[a].node->seq < slots_[b].node->seq; });
  for (auto s : order) {
    const Node* node = slots_[s].node.get();
    for (int i = 0; i < node->n_edges && !slots_[s].needed; ++i)
      if (node->edges[i]) slots_[s].needed = slots_[numbering_.find(node->edges[i].get())].needed;
  }
}

void Sweep::seed(Node* node, Tensor cotangent) {
  const auto s = slot_of(node);
  if (slots_[s].needed) accumulate(s, checked(*node, std::move(cotangent), "the seed"));
}

void Sweep::accumulate(std::uint32_t slot, Tensor cotangent) {
  Slot& s = slots_[slot];
  const Node& node = *s.node;
  if (!(raw_impl(cotangent)->shape == node.shape)) cotangent = sum_to(cotangent, node.shape);
  if (raw_impl(cotangent)->dtype != node.dtype) checked(node, cotangent, "a rule");
  if (!s.cotangent.defined()) {
    s.cotangent = std::move(cotangent);
    push(slot);
  } else if (!grad_enabled && (taped_ ? may_overwrite(s.cotangent) : is_sole_owner(s.cotangent)) &&
             !is_batched(cotangent)) {
    if (!add_in_place(s.cotangent, cotangent)) s.cotangent.add_(cotangent);
  } else {
    s.cotangent = add(s.cotangent, cotangent);
  }
}

void Sweep::run() {
  GradMode mode(create_);
  watched_ = watching();
  while (newest_.slot != absent_slot || !heap_.empty()) {
    auto slot = std::exchange(newest_.slot, absent_slot);
    if (slot == absent_slot) {
      std::pop_heap(heap_.begin(), heap_.end());
      slot = heap_.back().slot;
      heap_.pop_back();
    }
    Slot& s = slots_[slot];
    s.pending = false;
    finish(pruned_ ? s.node : std::move(s.node), std::move(s.cotangent), slot);
  }
}

void Sweep::finish(Edge node, Tensor g, std::uint32_t slot) {
  // The slot is kept by pruned walks, which must know later that the node was needed.
  if (!pruned_) {
    numbering_.forget(node.get());
    free_slots_.push_back(slot);
  }
  if (node->extras) {
    auto hooks = node->extras->hooks;  // a hook may add or remove hooks
    for (auto& hook : hooks)
      if (Tensor r = hook.call(g); r.defined()) g = checked(*node, std::move(r), "a hook");
  }
  if (watched_) [[unlikely]]
    check_cotangent(*node, g);
  if (collect(node.get(), g) || node->leaf) return;
  if (node->freed) fail_freed(*node);

  constexpr int inline_inputs = 4;
  const int n = node->n_edges;
  bool need_few[inline_inputs];
  Tensor gin_few[inline_inputs];
  std::unique_ptr<bool[]> need_many(n > inline_inputs ? new bool[static_cast<std::size_t>(n)] : nullptr);
  std::vector<Tensor> gin_many(n > inline_inputs ? static_cast<std::size_t>(n) : 0);
  bool* need = need_many ? need_many.get() : need_few;
  Tensor* gin = need_many ? gin_many.data() : gin_few;
  bool any = false;
  for (int i = 0; i < n; ++i) {
    Node* input = node->edges[i].get();
    need[i] = input && (!pruned_ || slots_[numbering_.find(input)].needed);
    any |= need[i];
  }
  if (watched_) [[unlikely]] {
    if (any) watched_vjp(*node, g, need, gin);
  } else if (any && !(n == 1 && add_to_sum(*node, g))) {
    if (taped_ && on_tape()) [[unlikely]]
      vjp_on_tape(node, g, need, gin);
    else
      node->vjp(g, need, gin);
  }
  g = Tensor();
  for (int i = 0; i < n; ++i)
    if (need[i] && gin[i].defined()) accumulate(slot_of(node->edges[i].get()), std::move(gin[i]));
  // The node of a target that nothing flows through is not used up.
  if (retain_ || !any) return;
  if (taped_ && on_tape()) [[unlikely]]
    node->freed = true;  // for the program; a replay calls its rule again
  else
    node->free_graph();
}

bool Sweep::add_to_sum(Node& node, const Tensor& g) {
  if (create_ || is_batched(g)) return false;
  const auto s = numbering_.find(node.edges[0].get());
  if (s == Numbering::absent) return false;
  const Tensor& sum = slots_[s].cotangent;
  if (!sum.defined() || !node.has_add_vjp()) return false;
  if (on_tape()) [[unlikely]] {
    if (!tape->owns(sum)) return false;
    tape->check_known(node.name(), g);
    const Edge edge = Edge::share(&node);
    tape->write(
        node.name(), sum, [edge, g, sum] { edge->add_vjp(g, sum); }, edge);
    return true;
  }
  if (!may_overwrite(sum)) return false;
  node.add_vjp(g, sum);
  return true;
}

bool Sweep::collect(Node* node, const Tensor& g) {
  bool found = false;
  for (auto& [target, i] : targets_)
    if (target == node) captured[i] = g, found = true;
  if (pruned_) return found && stop_;
  if (node->leaf || (node->extras && node->extras->retain_grad))
    gradients_.emplace_back(Edge::share(node), g);
  return false;
}

namespace {

/// On a tape. What was there before the function is added to by an action: it is another tensor in every
/// call.
void commit_on_tape(const Edge& node, const Tensor& g) {
  tape->check_known("backward", g);
  const Tensor former = gradient_of(*node);
  const Storage* before = former.defined() ? raw_impl(former)->storage.get() : nullptr;
  if (!before && tape->owns_node(node.get())) tape->forget_gradient_of(node);
  const bool outside = before && !tape->fills(before);
  if (outside && g.requires_grad())
    throw CaptureError(
        "[backward] expected no former gradients where gradients are recorded within capture(); zero_grad() "
        "before");
  const Tensor sum = before && !outside ? add(former, g) : g;
  tape->act("backward", [node, sum, before, outside] {
    Tensor& place = gradient_of(*node);
    const Storage* found = place.defined() ? raw_impl(place)->storage.get() : nullptr;
    if (!outside && found != before)
      throw CaptureError("[backward] expected gradients to be " +
                         std::string(before ? "there, as they were" : "undefined, as they were") +
                         " at this point when it was captured; call zero_grad() within capture()");
    place = !outside ? sum : found ? add(place, sum) : clone(sum);
  });
}

}  // namespace

void Sweep::commit() {
  GradMode mode(create_);
  if (vmap_level > 0) throw Unbatchable("[vmap] expected a function without side effects, got a backward()");
  for (auto& [node, g] : gradients_) check_readable(raw_impl(g));
  for (auto& [node, g] : gradients_) {
    const Tensor& former = gradient_of(*node);
    if (former.defined() && !on_tape()) g = add(former, g);
    // Gradients must not share a buffer with each other, the seed or saved values.
    else if (!create_ && !(may_overwrite(g) || (on_tape() && tape->owns(g))))
      g = clone(g);
  }
  for (auto& [node, g] : gradients_) {
    if (on_tape()) [[unlikely]]
      commit_on_tape(node, g);
    else
      std::swap(gradient_of(*node), g);
  }
}

}  // namespace cadena::detail
