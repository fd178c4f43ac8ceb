#include "autodiff/core/tape.hpp"

#include <algorithm>
#include <cstring>
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
  Inside(Tape& t, bool tracking) : tape(t) {
    ++tape.depth_;
    tape.tracking_ = tracking;
    tape.allocations_.clear();
    tape.overwrites_.clear();
    tape.next_index_ = tape.next_placement_ = tape.next_overwrite_ = 0;
  }
  ~Inside() {
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
      made_[storage.get()] = {storage, constants_ > 0 ? Origin::constant : Origin::unknown,
                              steps_.empty() ? std::string() : steps_.back().name};
    else if (tracking_)
      allocations_.push_back(storage);
    return storage;
  }
  if (tracking_) {
    const auto& placements = placing_->placements;
    const auto index = next_index_++;
    if (next_placement_ < placements.size() && placements[next_placement_].index == index) {
      Storage* storage = placements[next_placement_++].storage;
      if (storage->bytes != bytes)
        throw CaptureError(bracketed(placing_->name) + "expected a result of " +
                           std::to_string(storage->bytes) + " bytes, as when it was captured, got " +
                           std::to_string(bytes));
      return Ref<Storage>::share(storage);
    }
  }
  return Storage::create(bytes);
}

bool Tape::may_overwrite(const Tensor& t) {
  if (top()) return false;
  if (tracking_ && placing_)
    return next_overwrite_ < placing_->overwrites.size() && placing_->overwrites[next_overwrite_++];
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
    const auto& storage = raw_impl(operands[i])->storage;
    if (!made_.contains(storage.get())) foreign_.try_emplace(storage.get(), storage);
  }
}

void Tape::check_known(std::string_view op, const Tensor& t) const {
  if (!t.defined()) return;
  const auto found = made_.find(raw_impl(t)->storage.get());
  if (found == made_.end() || found->second.origin != Origin::unknown) return;
  throw CaptureError(bracketed(op) + "expected values that a replay computes anew, got " + describe(t) +
                     (found->second.after.empty() ? std::string() : " made after " + found->second.after) +
                     " by something that cannot be captured" + advice);
}

bool Tape::owns(const Tensor& t) const {
  const TensorImpl* p = raw_impl(t);
  // One reference is the tape's.
  return p->unique() && p->contiguous && p->storage->count == 2 && made_.contains(p->storage.get());
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

TensorList Tape::step(std::string_view name, Body body) {
  Step step{.name = std::string(name),
            .loops_before = loops_.size(),
            .grad_mode = grad_enabled,
            .body = std::move(body)};
  const Inside inside(*this, true);
  TensorList results = step.body();
  for (std::size_t i = 0; i < allocations_.size(); ++i) {
    const auto& storage = allocations_[i];
    if (storage->unique()) continue;
    step.placements.push_back({i, storage.get()});
    made_[storage.get()] = {storage, Origin::step, {}};
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
  Step step{.name = std::string(name),
            .loops_before = loops_.size(),
            .grad_mode = grad_enabled,
            .body = {},
            .action = std::move(body)};
  if (const auto found = made_.find(storage.get()); found != made_.end()) {
    if (found->second.origin == Origin::constant) {
      const auto* first = static_cast<const unsigned char*>(storage->data);
      initial_.push_back({storage, {first, first + storage->bytes}});
    }
    found->second.origin = Origin::step;
    step.target = storage;
  } else {
    retain(&target, 1);
  }
  const Inside inside(*this, false);
  step.action();
  append(std::move(step));
}

void Tape::act(std::string_view name, Action action) {
  Step step{.name = std::string(name),
            .loops_before = loops_.size(),
            .grad_mode = grad_enabled,
            .body = {},
            .action = std::move(action)};
  const Inside inside(*this, false);
  step.action();
  append(std::move(step));
}

void Tape::loop(kernels::MapLoop loop, const void* op, const Tensor& out, const Tensor* operands, int n) {
  const TensorImpl* to = raw_impl(out);
  for (int i = 0; i < n; ++i) check_known("capture", operands[i]);
  LoopCall call{
      .loop = loop, .op = op, .out = to->data, .in = {}, .sizes = {}, .n = to->numel, .operands = n};
  for (int i = 0; i < n; ++i) {
    call.in[i] = operands[i].defined() ? raw_impl(operands[i])->data : nullptr;
    call.sizes[i] = itemsize(to->dtype);
  }
  retain(operands, n);
  mark(out, Origin::step);
  loops_.push_back(call);
  kernels::map_contiguous(loop, op, call.out, call.sizes[0], call.in, call.sizes, n, call.n);
}

void Tape::launch(Action kernel, const Tensor& out, const Tensor* operands, int n) {
  for (int i = 0; i < n; ++i) check_known("capture", operands[i]);
  retain(operands, n);
  mark(out, Origin::step);
  kernel();
  append({.name = "loop",
          .loops_before = loops_.size(),
          .grad_mode = grad_enabled,
          .body = {},
          .action = std::move(kernel)});
}

void Tape::finish() {
  for (const auto& [storage, made] : made_) {
    if (made.origin != Origin::unknown || storage->count == 1) continue;
    throw CaptureError("[capture] expected only what can be repeated, got " + std::to_string(storage->bytes) +
                       " bytes of values" +
                       (made.after.empty() ? std::string() : " made after " + made.after) +
                       " by something that cannot be captured" + advice);
  }
}

void Tape::forget_gradient_of(const Edge& node) {
  if (node->seq > start_) own_nodes_.push_back(node);
}

void Tape::run(Step& step) {
  grad_enabled = step.grad_mode;
  if (step.action) {
    const Inside inside(*this, false);
    const auto version = step.target ? step.target->version : 0;
    step.action();
    // What the graph saved at capture is what is there now: the same place at another time.
    if (step.target) step.target->version = version;
    return;
  }
  const Inside inside(*this, true);
  placing_ = &step;
  const TensorList results = step.body();
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
  for (const Initial& initial : initial_)
    std::memcpy(initial.storage->data, initial.bytes.data(), initial.bytes.size());
  for (const Edge& node : own_nodes_) gradient_of(*node) = Tensor();
  const Unrecorded restored;
  std::size_t next = 0;
  const auto loops_until = [&](std::size_t end) {
    for (; next < end; ++next) {
      const LoopCall& c = loops_[next];
      kernels::map_contiguous(c.loop, c.op, c.out, c.sizes[0], c.in, c.sizes, c.operands, c.n);
    }
  };
  for (Step& step : steps_) {
    loops_until(step.loops_before);
    run(step);
  }
  loops_until(loops_.size());
}

std::string Tape::signature(const Step& step) const {
  std::string text = step.name;
  for (const Result& r : step.results) text += r.defined ? " " + to_string(r.shape) : " undefined";
  return text;
}

std::string Tape::difference(const Tape& a, const Tape& b) {
  for (std::size_t i = 0; i < a.loops_.size() && i < b.loops_.size(); ++i)
    if (a.loops_[i].loop != b.loops_[i].loop || a.loops_[i].n != b.loops_[i].n)
      return "another function of " + std::to_string(b.loops_[i].n) + " elements as elementwise loop " +
             std::to_string(i);
  for (std::size_t i = 0; i < a.steps_.size() && i < b.steps_.size(); ++i) {
    const std::string was = a.signature(a.steps_[i]), is = b.signature(b.steps_[i]);
    if (was != is) return is + " instead of " + was;
  }
  if (a.loops_.size() != b.loops_.size() || a.steps_.size() != b.steps_.size())
    return std::to_string(b.size()) + " steps instead of " + std::to_string(a.size());
  return {};
}

Tensor apply_on_tape(const Ref<RecordedNode>& node, const Tensor* inputs, std::size_t n) {
  for (std::size_t i = 0; i < n; ++i) tape->check_known(node->name(), inputs[i]);
  const TensorList x(inputs, inputs + n);
  const Tensor out = tape->step(node->name(), [node, x] {
    const Unrecorded guard;
    return TensorList{node->rerun(x)};
  })[0];
  if (!out.defined())
    throw CaptureError(bracketed(node->name()) + "expected an op that can be captured" + advice);
  if (is_floating(out.dtype()) && recording(node->name(), inputs, n)) {
    node->attach(out, inputs, n, node->meta()->reads);
    raw_impl(out)->node = Edge::share(node.get());
  }
  return out;
}

void vjp_on_tape(const Edge& node, const Tensor& g, const bool* need, Tensor* gin) {
  // Elementwise rules leave their loops, and what is recorded is made of operations.
  if (grad_enabled || node->is_elementwise()) {
    tape->keep(node);
    return node->vjp(g, need, gin);
  }
  tape->check_known(node->name(), g);
  const auto n = static_cast<std::size_t>(node->n_edges);
  const std::vector<unsigned char> needed(need, need + n);
  const TensorList result = tape->step(std::string(node->name()) + "'s derivative", [node, g, needed] {
    TensorList list(needed.size());
    const std::unique_ptr<bool[]> wanted(new bool[needed.size()]);
    for (std::size_t i = 0; i < needed.size(); ++i) wanted[i] = needed[i] != 0;
    node->vjp(g, wanted.get(), list.data());
    return list;
  });
  for (std::size_t i = 0; i < n; ++i) gin[i] = result[i];
}

Tensor jvp_on_tape(const Edge& node, const std::vector<Tensor>& tangents) {
  if (grad_enabled || node->is_elementwise()) {
    tape->keep(node);
    return node->jvp(tangents.data());
  }
  for (const Tensor& t : tangents) tape->check_known(node->name(), t);
  return tape->step(std::string(node->name()) + "'s tangent",
                    [node, tangents] { return TensorList{node->jvp(tangents.data())}; })[0];
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
