// What capture() records of a function and runs again: kernels over memory that stays where it is.
//
// While a tape records, everything that computes values at the top level of the function leaves a step on it:
// elementwise loops as bare calls, all other ops and rules as calls that are repeated as they are. What a
// step allocated and left behind is its result; in a replay the same allocation, counted within the step, is
// given the same memory again. Memory that no step filled is refused when a step reads it, and so are looking
// at values, drawing random numbers and writing in place outside of a step.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "autodiff/core/loops.hpp"
#include "autodiff/core/node.hpp"
#include "autodiff/grad.hpp"
#include "autodiff/kernels/map.hpp"
#include "autodiff/random.hpp"

namespace cadena::detail {

struct RecordedNode;

class Tape {
 public:
  /// From the tensors that a step holds.
  using Body = std::function<TensorList(const TensorList&)>;
  using Action = std::function<void()>;

  // While recording, at the top level of the function.

  /// body(), now and in every replay. Undefined results are allowed, and must stay undefined.
  TensorList step(std::string_view name, std::function<TensorList()> body);
  /// The same for body(holds), which calls an op or rule of `node`. Only an op may leave tensors behind that
  /// are not its results, in the node.
  TensorList node_step(std::string name, const Edge& node, Body body, TensorList holds, bool keeps);
  /// `body` writes to `target`, which was there before.
  void write(std::string_view name, const Tensor& target, Action body);
  /// The node's rule adds to `sum`, which this tape owns.
  void add_rule(const Edge& node, const Tensor& g, const Tensor& sum);
  /// `action` changes what is no tensor, or tensors of its own: gradients, the state of an optimizer.
  void act(std::string_view name, Action action);
  /// A loop over `n` operands, each undefined, contiguous with as many elements as `out`, or a single
  /// element.
  void loop(kernels::MapLoop loop, const void* op, const Tensor& out, const Tensor* operands, int n);
  /// A loop over operands that are broadcast, or lie otherwise.
  void map(MapCall call, const Tensor& out, const Tensor* operands, int n);
  /// A node that the function made: every call finds it without a gradient, and nobody walks it later.
  void own(Node* node) { own_nodes_.try_emplace(node, Edge::share(node)); }
  bool owns_node(const Node* node) const { return own_nodes_.contains(node); }
  bool owns_memory(const Storage* storage) const {
    return made_.contains(storage) || std::find(inputs_.begin(), inputs_.end(), storage) != inputs_.end();
  }
  /// A replay computes this memory, in place.
  bool fills(const Storage* storage) const;
  void forget_gradient_of(const Edge& node) { own_gradients_.push_back(node); }
  void add_input(const Tensor& t) { inputs_.push_back(raw_impl(t)->storage.get()); }
  void refuse_memory_of(const Tape* former) { former_ = former; }
  /// Nodes whose attributes the steps point at.
  void keep(const Edge& node) { nodes_.push_back(node); }
  /// @throws CaptureError naming `op` if `t` holds values that a replay would not compute
  void check_known(std::string_view op, const Tensor& t) const;
  /// Tensors of outside that a step reads. @throws CaptureError if they are the former tape's
  void retain(const Tensor* operands, int n);
  /// Nobody but the tape and this handle can see the buffer, which a step fills.
  bool owns(const Tensor& t) const;
  /// Before the host reads (or writes) values. @throws CaptureError naming `op`
  void check_access(std::string_view op, const Storage& storage, bool write) const;
  /// After the last step. @throws CaptureError for memory that is in use and that no step fills, and if a
  /// step has thrown
  void finish(const TensorList& outputs);
  /// Puts loops together, and lets go of memory that only they see.
  void fuse();

  /// After fuse().
  void replay();
  /// At the top level of a recording.
  bool top() const { return mode_ == Mode::recording && depth_ == 0; }
  bool replaying() const { return mode_ == Mode::replaying; }
  std::size_t size() const { return loop_count_ + steps_.size(); }
  /// The first difference between two recordings of one function; empty if there is none.
  static std::string difference(const Tape& a, const Tape& b);

  /// Whether a step may write its next value over t: in a replay as when it was recorded.
  bool may_overwrite(const Tensor& t);
  /// Memory for a new tensor of this thread while the tape is active.
  Ref<Storage> allocate(std::size_t bytes);

 private:
  enum class Mode : std::uint8_t { recording, replaying };
  enum class Origin : std::uint8_t { unknown, constant, step, action };
  friend struct TapeScope;
  friend struct ConstantScope;
  struct Inside;

  struct Placement {
    std::size_t index;  ///< among the allocations of the step
    std::size_t bytes;
    Storage* storage;  ///< one of made_, with room for them
  };
  struct Result {
    bool defined;
    Shape shape;
    void* data;
  };
  struct Step {
    std::string name;
    std::size_t loops_before;
    bool grad_mode;
    Body body;
    Action action = {};               ///< instead of a body: its allocations are its own affair
    std::optional<MapCall> map = {};  ///< instead of both
    TensorList holds = {};
    Edge node = {};
    std::vector<Placement> placements = {};
    std::vector<bool> overwrites = {};  ///< answers of may_overwrite, in order
    std::vector<Result> results = {};
    Ref<Storage> target = {};  ///< what a write changes
    bool own_target = false;   ///< memory of the tape, whose version must not move on
  };
  struct Made {
    Ref<Storage> storage;
    Origin origin;
    std::string after;    ///< the step before it was made
    bool pinned = false;  ///< a kernel knows its address
  };
  struct Initial {
    Ref<Storage> storage;
    std::vector<unsigned char> bytes;
  };

  void mark(const Tensor& t, Origin origin);
  void make(const Ref<Storage>& storage, Origin origin, std::string after);
  std::vector<std::string> description(const TensorList& outputs) const;
  struct Groups {
    std::vector<std::span<const LoopCall>> calls;
    std::vector<std::size_t> before_step;  ///< how many groups come before each step
  };
  std::unordered_map<const void*, std::size_t> hidden() const;
  void drop_unread();
  Groups groups() const;
  std::unordered_set<const void*> unseen(const Groups& groups) const;
  template <class F>
  std::size_t in_order(const Groups& groups, const F& f);
  void share_memory(const Groups& groups, const std::unordered_set<const void*>& without);
  void pin(const Tensor& t);
  /// At this place of the recording.
  Step begin(std::string_view name) const;
  void append(Step step) { steps_.push_back(std::move(step)); }
  void run(Step& step);

  Mode mode_ = Mode::recording;
  int depth_ = 0;
  int constants_ = 0;  ///< factories that are running
  std::vector<LoopCall> loops_;
  std::size_t loop_count_ = 0;
  std::vector<std::string> described_;  ///< what difference() compares, from finish() on
  // From fuse() on:
  std::vector<LoopGroup> groups_;
  std::vector<std::size_t> groups_before_;  ///< each step
  std::vector<Step> steps_;
  std::vector<Edge> nodes_;
  bool grad_mode_ = grad_enabled;  ///< around the function
  bool poisoned_ = false;          ///< a step has thrown
  const Tape* former_ = nullptr;   ///< whose memory must not be read
  std::unordered_map<const Node*, Edge> own_nodes_;
  std::unordered_map<const TensorImpl*, std::uint32_t> sums_;  ///< how many steps add to each
  std::vector<Edge> own_gradients_;
  std::vector<const Storage*> inputs_;
  std::vector<const Storage*> order_;  ///< of what was made
  std::unordered_map<const Storage*, Made> made_;
  struct Foreign {
    Tensor tensor;
    Edge node;
  };
  std::vector<Foreign> foreign_;  ///< tensors of outside that the steps read
  std::unordered_set<const TensorImpl*> known_foreign_;
  std::vector<Initial> initial_;
  // Of the step that is running:
  bool tracking_ = false;
  std::vector<Ref<Storage>> allocations_;
  std::vector<bool> overwrites_;
  const Step* placing_ = nullptr;
  std::size_t next_index_ = 0, next_placement_ = 0, next_overwrite_ = 0;
};

/// Makes a tape the one of this thread.
struct TapeScope {
  TapeScope(Tape& t, bool replay);
  ~TapeScope();
  TapeScope(const TapeScope&) = delete;
  TapeScope& operator=(const TapeScope&) = delete;

 private:
  Tape* former_;
};

/// What is allocated meanwhile gets its values from numbers of the program: on a tape they are constants.
struct ConstantScope {
  ConstantScope() {
    if (tape) [[unlikely]]
      ++tape->constants_;
  }
  ~ConstantScope() {
    if (tape) [[unlikely]]
      --tape->constants_;
  }
  ConstantScope(const ConstantScope&) = delete;
  ConstantScope& operator=(const ConstantScope&) = delete;
};

/// A generator that steps draw from.
class DrawnFrom {
 public:
  explicit DrawnFrom(Generator& g) : generator_(&g) {
    if (tape) [[unlikely]]
      watch_ = g.watch();
  }
  /// @throws CaptureError in a replay after the generator's end
  Generator& operator*() const {
    if (tape) [[unlikely]]
      check();
    return *generator_;
  }

 private:
  void check() const;
  Generator* generator_;
  std::weak_ptr<const void> watch_;
};

/// f(), which returns a tensor or nothing, now and in every replay. It must hold what it needs by value.
template <class F>
auto repeatable(std::string_view name, F f) {
  using R = std::invoke_result_t<F&>;
  if (!on_tape()) [[likely]]
    return f();
  if constexpr (std::is_void_v<R>)
    tape->act(name, std::move(f));
  else
    return tape->step(name, [f = std::move(f)]() mutable { return TensorList{f()}; })[0];
}
/// The same for f that writes to `target`.
template <class F>
void repeatable_write(std::string_view name, const Tensor& target, F f) {
  if (!on_tape()) [[likely]]
    return f();
  tape->write(name, target, std::move(f));
}

/// The op of `node`, which has not been attached yet, on the tape.
Tensor apply_on_tape(const Ref<RecordedNode>& node, const Tensor* inputs, std::size_t n);
/// A node's rule on the tape.
void vjp_on_tape(const Edge& node, const Tensor& g, const bool* need, Tensor* gin);
Tensor jvp_on_tape(const Edge& node, const std::vector<Tensor>& tangents);
/// For what would change nothing in a replay. @throws CaptureError naming `op` on a tape
void refuse_on_tape(std::string_view op, std::string_view expected);

}  // namespace cadena::detail
