#include "autodiff/core/tape.hpp"

#include <algorithm>
#include <cstring>
#include <exception>
#include <utility>

#include "autodiff/core/op.hpp"
#include "autodiff/error.hpp"

namespace cadena::detail {

constinit thread_local Tape* tape = nullptr;

bool tape_at_top() { return tape->top(); }
bool tape_replaying() { return tape && tape->replaying(); }
bool may_overwrite_on_tape(const Tensor& t) { return tape->may_overwrite(t); }

namespace {

std::string bracketed(std::string_view op) { return "[" + std::string(op) + "] "; }

std::string describe(const Tensor& t) { return to_string(t.shape()) + " " + std::string(name(t.dtype())); }

constexpr const char* advice = "; leave it outside of capture()";

}  // namespace

/// A step is running.
struct Tape::Inside {
  Tape& tape;
  int exceptions = std::uncaught_exceptions();
  Inside(Tape& t, bool tracking) : tape(t) {
    ++tape.depth_;
    tape.tracking_ = tracking;
    tape.allocations_.clear();
    tape.overwrites_.clear();
    tape.next_index_ = tape.next_placement_ = tape.next_overwrite_ = 0;
  }
  ~Inside() {
    // Whoever catches what a step threw would go another way than a replay, where the step is missing.
    if (std::uncaught_exceptions() > exceptions) tape.poisoned_ = true;
    --tape.depth_;
    tape.tracking_ = false;
    tape.placing_ = nullptr;
    tape.allocations_.clear();
  }
  Inside(const Inside&) = delete;
  Inside& operator=(const Inside&) = delete;
};

TapeScope::TapeScope(Tape& t, bool replay) : former_(tape) {
  t.mode_ = replay ? Tape::Mode::replaying : Tape::Mode::recording;
  tape = &t;
}
TapeScope::~TapeScope() { tape = former_; }

Ref<Storage> Tape::allocate(std::size_t bytes) {
  if (mode_ == Mode::recording) {
    auto storage = Storage::create(bytes);
    if (depth_ == 0)
      make(storage, constants_ > 0 ? Origin::constant : Origin::unknown,
           steps_.empty() ? std::string() : steps_.back().name);
    else if (tracking_)
      allocations_.push_back(storage);
    return storage;
  }
  if (tracking_) {
    const auto& placements = placing_->placements;
    const auto index = next_index_++;
    if (next_placement_ < placements.size() && placements[next_placement_].index == index) {
      const Placement& place = placements[next_placement_++];
      if (place.bytes != bytes)
        throw CaptureError(bracketed(placing_->name) + "expected a result of " + std::to_string(place.bytes) +
                           " bytes, as when it was captured, got " + std::to_string(bytes));
      return Ref<Storage>::share(place.storage);
    }
  }
  return Storage::create(bytes);
}

void Tape::make(const Ref<Storage>& storage, Origin origin, std::string after) {
  const bool fresh = made_.insert_or_assign(storage.get(), Made{storage, origin, std::move(after)}).second;
  // Actions make others in every call: what an optimizer remembers in the first.
  if (fresh && origin != Origin::action) order_.push_back(storage.get());
}

bool Tape::may_overwrite(const Tensor& t) {
  if (top()) return false;
  if (tracking_ && placing_) {
    const bool then =
        next_overwrite_ < placing_->overwrites.size() && placing_->overwrites[next_overwrite_++];
    return then && (made_.contains(raw_impl(t)->storage.get()) || is_sole_owner(t));
  }
  const TensorImpl* p = raw_impl(t);
  // One reference is that of the step's allocations.
  const bool tracked = tracking_ && std::any_of(allocations_.rbegin(), allocations_.rend(),
                                                [&](const auto& a) { return a.get() == p->storage.get(); });
  const bool free =
      p->unique() && p->contiguous && !p->storage->foreign && p->storage->count == (tracked ? 2 : 1);
  if (tracking_) overwrites_.push_back(free);
  return free;
}

void Tape::mark(const Tensor& t, Origin origin) {
  const auto& storage = raw_impl(t)->storage;
  if (const auto found = made_.find(storage.get()); found != made_.end()) found->second.origin = origin;
}

void Tape::retain(const Tensor* operands, int n) {
  for (int i = 0; i < n; ++i) {
    if (!operands[i].defined()) continue;
    const TensorImpl* p = raw_impl(operands[i]);
    const Storage* storage = p->storage.get();
    if (owns_memory(storage)) continue;
    if (former_ && former_->made_.contains(storage))
      throw CaptureError("[capture] expected no state that a handle carries from call to call, got " +
                         describe(operands[i]) + " of the call before; write it into a tensor of outside");
    if (known_foreign_.insert(p).second) foreign_.push_back({operands[i], p->node});
  }
}

void Tape::check_known(std::string_view op, const Tensor& t) const {
  if (!t.defined()) return;
  const auto found = made_.find(raw_impl(t)->storage.get());
  if (found == made_.end()) return;
  const auto& made = found->second;
  const Origin origin = made.origin;
  const std::string& after = made.after;
  const std::string expected =
      bracketed(op) + "expected values that a replay computes anew, got " + describe(t) + " made ";
  if (origin == Origin::unknown)
    throw CaptureError(expected + (after.empty() ? std::string() : "after " + after + " ") +
                       "by something that cannot be captured" + advice);
  if (origin == Origin::action)
    throw CaptureError(expected + "by " + after + ", another tensor in every call; only actions may read it");
}

bool Tape::owns(const Tensor& t) const {
  const TensorImpl* p = raw_impl(t);
  const auto steps = sums_.find(p);  // which hold it, and its memory
  const std::uint32_t held = steps == sums_.end() ? 0 : steps->second;
  // One reference to the memory is the tape's.
  if (p->count != 1 + held || !p->contiguous || p->storage->count != 2 + held) return false;
  const auto found = made_.find(p->storage.get());
  return found != made_.end() && found->second.origin == Origin::step;
}

void Tape::check_access(std::string_view op, const Storage& storage, bool write) const {
  if (!top()) return;
  const auto found = made_.find(&storage);
  if (found != made_.end()) {
    const Origin origin = found->second.origin;
    if (origin == Origin::unknown || (origin == Origin::constant && (!write || constants_ > 0))) return;
  }
  throw CaptureError(bracketed(op) + "expected no " + (write ? "writing to" : "look at") +
                     " values within capture(), where a replay could not follow" +
                     (write ? "" : ": neither control flow nor numbers may depend on them"));
}

bool Tape::fills(const Storage* storage) const {
  const auto found = made_.find(storage);
  return found != made_.end() &&
         (found->second.origin == Origin::step || found->second.origin == Origin::constant);
}

Tape::Step Tape::begin(std::string_view name) const {
  return {.name = std::string(name), .loops_before = loops_.size(), .grad_mode = grad_enabled, .body = {}};
}

TensorList Tape::step(std::string_view name, std::function<TensorList()> body) {
  return node_step(
      std::string(name), {}, [body = std::move(body)](const TensorList&) { return body(); }, {}, false);
}

TensorList Tape::node_step(std::string name, const Edge& node, Body body, TensorList holds, bool keeps) {
  Step step = begin(name);
  step.body = std::move(body);
  step.holds = std::move(holds);
  step.node = node;
  const Inside inside(*this, true);
  TensorList results = step.body(step.holds);
  for (std::size_t i = 0; i < allocations_.size(); ++i) {
    const auto& storage = allocations_[i];
    if (storage->unique()) continue;
    const bool result = std::any_of(results.begin(), results.end(), [&](const Tensor& t) {
      return t.defined() && raw_impl(t)->storage.get() == storage.get();
    });
    if (!result && !keeps)
      throw CaptureError(bracketed(step.name) + "expected to keep no tensor beside its result, got one of " +
                         std::to_string(storage->bytes) + " bytes" + advice);
    step.placements.push_back({i, storage->bytes, storage.get()});
    make(storage, Origin::step, {});
  }
  for (const Tensor& t : results)
    step.results.push_back(t.defined() ? Result{true, t.shape(), raw_impl(t)->data} : Result{});
  step.overwrites = overwrites_;
  // What made no memory of its own is a view: it stays valid by itself.
  if (!step.placements.empty()) append(std::move(step));
  return results;
}

void Tape::write(std::string_view name, const Tensor& target, Action body) {
  const auto& storage = raw_impl(target)->storage;
  Step step = begin(name);
  step.action = std::move(body);
  if (const auto found = made_.find(storage.get()); found != made_.end()) {
    if (found->second.origin == Origin::constant && storage->bytes > 0) {
      const auto* first = static_cast<const unsigned char*>(storage->data);
      initial_.push_back({storage, {first, first + storage->bytes}});
    }
    found->second.origin = Origin::step;
  }
  step.target = storage;
  step.own_target = owns_memory(storage.get());
  retain(&target, 1);
  const Inside inside(*this, false);
  step.action();
  append(std::move(step));
}

void Tape::add_rule(const Edge& node, const Tensor& g, const Tensor& sum) {
  check_known(node->name(), g);
  Step step = begin(node->name());
  step.body = [node](const TensorList& x) {
    node->add_vjp(x[0], x[1]);
    return TensorList();
  };
  step.holds = {g, sum};
  step.node = node;
  step.target = raw_impl(sum)->storage;
  step.own_target = true;
  const Inside inside(*this, false);
  step.body(step.holds);
  ++sums_[raw_impl(sum)];
  append(std::move(step));
}

void Tape::act(std::string_view name, Action action) {
  Step step = begin(name);
  step.action = std::move(action);
  const Inside inside(*this, true);
  step.action();
  for (const auto& storage : allocations_)
    if (!storage->unique()) make(storage, Origin::action, step.name);
  append(std::move(step));
}

void Tape::loop(kernels::MapLoop loop, const void* op, const Tensor& out, const Tensor* operands, int n) {
  const TensorImpl* to = raw_impl(out);
  for (int i = 0; i < n; ++i) check_known("capture", operands[i]);
  LoopCall call{.loop = loop,
                .op = op,
                .out = to->data,
                .in = {},
                .single = 0,
                .operands = n,
                .itemsize = itemsize(to->dtype),
                .n = to->numel};
  for (int i = 0; i < n; ++i) {
    if (!operands[i].defined()) continue;
    call.in[i] = raw_impl(operands[i])->data;
    if (raw_impl(operands[i])->numel != call.n) call.single |= 1U << i;
  }
  retain(operands, n);
  mark(out, Origin::step);
  loops_.push_back(call);
  ++loop_count_;
  call.run();
}

void Tape::pin(const Tensor& t) {
  if (!t.defined()) return;
  const auto found = made_.find(raw_impl(t)->storage.get());
  if (found != made_.end()) found->second.pinned = true;
}

void Tape::map(MapCall call, const Tensor& out, const Tensor* operands, int n) {
  for (int i = 0; i < n; ++i) check_known("capture", operands[i]);
  retain(operands, n);
  mark(out, Origin::step);
  pin(out);
  for (int i = 0; i < n; ++i) pin(operands[i]);
  call.run();
  append(begin("loop"));
  steps_.back().map = std::move(call);
}

void Tape::finish(const TensorList& outputs) {
  former_ = nullptr;  // which may be gone from here on
  if (poisoned_)
    throw CaptureError("[capture] expected operations that succeed, got an exception that was caught" +
                       std::string(advice));
  for (const Storage* storage : order_) {
    const Made& made = made_.at(storage);
    if (storage->count == 1 || storage->bytes == 0) continue;  // nobody but loops can see it, or nothing
    if (made.origin == Origin::unknown)
      throw CaptureError("[capture] expected only what can be repeated, got " +
                         std::to_string(storage->bytes) + " bytes of values" +
                         (made.after.empty() ? std::string() : " made after " + made.after) +
                         " by something that cannot be captured" + advice);
    const auto* first = static_cast<const unsigned char*>(storage->data);
    if (made.origin == Origin::constant) initial_.push_back({made.storage, {first, first + storage->bytes}});
  }
  described_ = description(outputs);
  // Their values are those of another call later; the rules of elementwise ops are loops by now.
  for (const auto& [node, edge] : own_nodes_) {
    if (edge->is_elementwise())
      edge->free_graph();
    else if (!edge->leaf)
      edge->freed = true;
  }
}

void Tape::run(Step& step) {
  if (step.map) return step.map->run();
  grad_enabled = step.grad_mode;
  if (step.action || step.target) {
    const Inside inside(*this, false);
    const auto version = step.target ? step.target->version : 0;
    if (step.action)
      step.action();
    else
      step.body(step.holds);
    // Within the tape the same place at another time is what the graph saved; outside it was overwritten.
    if (step.target) step.target->version = step.own_target ? version : version + 1;
    return;
  }
  const Inside inside(*this, true);
  placing_ = &step;
  const TensorList results = step.body(step.holds);
  bool same = next_placement_ == step.placements.size() && results.size() == step.results.size();
  for (std::size_t i = 0; same && i < results.size(); ++i)
    same = results[i].defined() == step.results[i].defined &&
           (!results[i].defined() || (raw_impl(results[i])->data == step.results[i].data &&
                                      results[i].shape() == step.results[i].shape));
  if (!same)
    throw CaptureError(
        bracketed(step.name) +
        "expected to take the same way as when it was captured, which depends on its values here" + advice);
}

void Tape::replay() {
  if (grad_mode_ != grad_enabled)
    throw CaptureError("[capture] expected gradients to be " +
                       std::string(grad_mode_ ? "recorded" : "off (NoGrad)") + " as in the first call");
  for (const auto& [tensor, node] : foreign_)
    if (raw_impl(tensor)->node.get() != node.get())
      throw CaptureError("[capture] expected tensors that require grad as in the first call, got " +
                         describe(tensor) + " after requires_grad_(); capture the function again");
  for (const Initial& initial : initial_)
    std::memcpy(initial.storage->data, initial.bytes.data(), initial.bytes.size());
  for (const Edge& node : own_gradients_) gradient_of(*node) = Tensor();
  const Unrecorded restored;
  std::size_t next = 0;
  const auto loops_until = [&](std::size_t end) {
    for (; next < end; ++next) groups_[next].run();
  };
  for (std::size_t i = 0; i < steps_.size(); ++i) {
    loops_until(groups_before_[i]);
    run(steps_[i]);
  }
  loops_until(groups_.size());
}

Tensor apply_on_tape(const Ref<RecordedNode>& node, const Tensor* inputs, std::size_t n) {
  for (std::size_t i = 0; i < n; ++i) tape->check_known(node->name(), inputs[i]);
  tape->retain(inputs, static_cast<int>(n));
  const auto rerun = [node](const TensorList& x) {
    const Unrecorded guard;
    return TensorList{node->rerun(x)};
  };
  const Tensor out = tape->node_step(std::string(node->name()), Edge::share(node.get()), rerun,
                                     TensorList(inputs, inputs + n), true)[0];
  if (!out.defined())
    throw CaptureError(bracketed(node->name()) + "expected an op that can be captured" + advice);
  if (is_floating(out.dtype()) && recording(node->name(), inputs, n)) {
    node->attach(out, inputs, n, node->meta()->reads);
    raw_impl(out)->node = Edge::share(node.get());
  }
  return out;
}

namespace {

void check_own(const Node& node) {
  if (tape->owns_node(&node)) return;
  throw CaptureError("[backward] expected a graph from within capture(), got one that leads to " +
                     std::string(node.name()) + ", recorded outside");
}

}  // namespace

void vjp_on_tape(const Edge& node, const Tensor& g, const bool* need, Tensor* gin) {
  check_own(*node);
  // Elementwise rules leave their loops, and what is recorded is made of operations.
  if (grad_enabled || node->is_elementwise()) {
    tape->keep(node);
    return node->vjp(g, need, gin);
  }
  tape->check_known(node->name(), g);
  const auto n = static_cast<std::size_t>(node->n_edges);
  const std::shared_ptr<bool[]> needed(new bool[n]);
  std::copy_n(need, n, needed.get());
  const auto rule = [node, needed, n](const TensorList& cotangent) {
    TensorList list(n);
    node->vjp(cotangent[0], needed.get(), list.data());
    return list;
  };
  const TensorList result =
      tape->node_step(std::string(node->name()) + "'s derivative", node, rule, {g}, false);
  for (std::size_t i = 0; i < n; ++i) gin[i] = result[i];
}

Tensor jvp_on_tape(const Edge& node, const std::vector<Tensor>& tangents) {
  check_own(*node);
  if (grad_enabled || node->is_elementwise()) {
    tape->keep(node);
    return node->jvp(tangents.data());
  }
  for (const Tensor& t : tangents) tape->check_known(node->name(), t);
  const auto rule = [node](const TensorList& given) { return TensorList{node->jvp(given.data())}; };
  return tape->node_step(std::string(node->name()) + "'s tangent", node, rule, tangents, false)[0];
}

void refuse_on_tape(std::string_view op, std::string_view expected) {
  if (on_tape()) throw CaptureError(bracketed(op) + "expected " + std::string(expected));
}

void DrawnFrom::check() const {
  if (watch_.expired())
    throw CaptureError("[random] expected the Generator of the first call to outlive the captured function");
}

void check_draw_on_tape() {
  refuse_on_tape("random", "draws by the library's own functions within capture(), got one from a Generator");
}

}  // namespace cadena::detail
