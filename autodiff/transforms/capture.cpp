#include "autodiff/capture.hpp"

#include <string>
#include <thread>
#include <utility>

#include "autodiff/core/op.hpp"
#include "autodiff/core/tape.hpp"
#include "autodiff/kernels/copy.hpp"

namespace cadena {

namespace {

using detail::Tape;
using detail::TapeScope;

std::string describe(const Tensor& t) { return to_string(t.shape()) + " " + std::string(name(t.dtype())); }

void check_input(const Tensor& t, std::size_t i) {
  const std::string which = "input " + std::to_string(i);
  if (!t.defined()) throw CaptureError("[capture] expected a defined tensor as " + which);
  if (t.requires_grad())
    throw CaptureError("[capture] expected inputs that need no gradient, got " + describe(t) + " as " +
                       which + "; requires_grad_() belongs into the function");
}

void check_inputs(const TensorList& given, const TensorList& recorded) {
  if (given.size() != recorded.size())
    throw CaptureError("[capture] expected " + std::to_string(recorded.size()) +
                       " inputs as in the first call, got " + std::to_string(given.size()));
  for (std::size_t i = 0; i < given.size(); ++i) {
    check_input(given[i], i);
    if (given[i].shape() == recorded[i].shape() && given[i].dtype() == recorded[i].dtype()) continue;
    throw CaptureError("[capture] expected " + describe(recorded[i]) + " as in the first call, got " +
                       describe(given[i]) + " as input " + std::to_string(i) +
                       "; capture another function for other shapes");
  }
}

}  // namespace

struct Captured::State {
  Function f;
  std::thread::id thread = std::this_thread::get_id();
  std::unique_ptr<Tape> tape = {};
  TensorList inputs = {};                                 // what the tape reads
  TensorList outputs = {};                                // what it writes
  std::vector<detail::Ref<detail::Storage>> handed = {};  // memory of what the last call returned
  bool verified = false;
  bool running = false;

  void check_caller() const {
    if (thread != std::this_thread::get_id())
      throw CaptureError("[capture] expected a call from the thread of the first one, got another");
    if (detail::observers.anomaly)
      throw CaptureError("[capture] expected no AnomalyMode, whose checks a replay could not make");
  }

  /// Runs f on copies of the inputs that the tape goes on reading, and takes what it recorded for the tape if
  /// that is what was there.
  void record(const TensorList& given) {
    if (!tape) thread = std::this_thread::get_id();
    check_caller();
    if (tape) check_inputs(given, inputs);
    auto again = std::make_unique<Tape>();
    again->refuse_memory_of(tape.get());
    TensorList in, out;
    for (std::size_t i = 0; i < given.size(); ++i) {
      check_input(given[i], i);
      in.push_back(detail::copy_of(given[i]));
      again->add_input(in.back());
    }
    {
      const TapeScope scope(*again, false);
      out = f(in);
      for (const Tensor& t : out) again->check_known("capture", t);
      again->retain(out.data(), static_cast<int>(out.size()));
      for (Tensor& t : out)
        if (t.defined()) t = t.detach();
      again->finish();
    }
    if (tape)
      if (const auto difference = Tape::difference(*tape, *again); !difference.empty())
        throw CaptureError("[capture] expected the function to do what was captured, got " + difference);
    if (tape) again->fuse();
    verified = tape != nullptr;
    tape = std::move(again), inputs = std::move(in), outputs = std::move(out);
  }

  /// The outputs in memory of the caller's: that of the last call, if nobody has kept it.
  TensorList hand_out() {
    TensorList list(outputs.size());
    handed.resize(outputs.size());
    for (std::size_t k = 0; k < outputs.size(); ++k) {
      if (!outputs[k].defined()) continue;
      const auto* from = detail::raw_impl(outputs[k]);
      if (!handed[k] || !handed[k]->unique())
        handed[k] = detail::Storage::create(static_cast<std::size_t>(from->numel) * itemsize(from->dtype));
      list[k] = detail::tensor_in(handed[k], from->shape, from->numel, from->dtype);
      kernels::copy(detail::view_of(outputs[k]), detail::view_of(list[k]));
    }
    return list;
  }
};

namespace {

struct Running {
  bool& flag;
  explicit Running(bool& f) : flag(f) {
    if (flag) throw CaptureError("[capture] expected no call within a call of the same captured function");
    flag = true;
  }
  ~Running() { flag = false; }
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;
};

}  // namespace

Captured::Captured(Function f) : state_(std::make_shared<State>(State{std::move(f)})) {
  if (!state_->f) throw ValueError("[capture] expected a function, got an empty one");
}

TensorList Captured::operator()(const TensorList& inputs) {
  const auto state = state_;  // whatever the function does to this object
  const Running running(state->running);
  if (detail::tape) return state->f(inputs);
  if (!state->verified) {
    state->record(inputs);
    return state->hand_out();
  }
  state->check_caller();
  check_inputs(inputs, state->inputs);
  {
    const TapeScope scope(*state->tape, true);
    for (std::size_t i = 0; i < inputs.size(); ++i)
      kernels::copy(detail::view_of(inputs[i]), detail::view_of(state->inputs[i]));
    state->tape->replay();
  }
  return state->hand_out();
}

TensorList Captured::verify(const TensorList& inputs) {
  const auto state = state_;
  const Running running(state->running);
  if (detail::tape) return state->f(inputs);
  state->record(inputs);
  return state->hand_out();
}

std::size_t Captured::size() const { return state_->tape ? state_->tape->size() : 0; }

Captured capture(Function f) { return Captured(std::move(f)); }

bool is_capturing() { return detail::on_tape(); }

void on_every_call(const std::string& name, std::function<void()> action) {
  if (!action) throw ValueError("[on_every_call] expected a function, got an empty one");
  detail::on_tape() ? detail::tape->act(name, std::move(action)) : action();
}

}  // namespace cadena
