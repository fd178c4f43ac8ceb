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
  std::thread::id thread = {};
  std::unique_ptr<Tape> tape = {};
  TensorList inputs = {};   // what the tape reads
  TensorList outputs = {};  // what it writes
  TensorList handed = {};   // what the last call returned
  bool running = false;

  /// Runs and records f on copies of the inputs that the tape goes on reading.
  std::unique_ptr<Tape> record(const TensorList& given, TensorList& in, TensorList& out) const {
    in.clear();
    for (std::size_t i = 0; i < given.size(); ++i) {
      check_input(given[i], i);
      in.push_back(detail::copy_of(given[i]));
    }
    if (detail::observers.anomaly)
      throw CaptureError("[capture] expected no AnomalyMode, whose checks a replay could not make");
    auto recorded = std::make_unique<Tape>();
    const TapeScope scope(*recorded, false);
    out = f(in);
    for (const Tensor& t : out) recorded->check_known("capture", t);
    for (Tensor& t : out)
      if (t.defined()) t = t.detach();
    recorded->finish();
    return recorded;
  }

  /// The outputs in memory of the caller's: that of the last call, if nobody has kept it.
  TensorList hand_out() {
    handed.resize(outputs.size());
    for (std::size_t k = 0; k < outputs.size(); ++k) {
      if (!outputs[k].defined()) continue;
      if (handed[k].defined() && detail::may_overwrite(handed[k]))
        kernels::copy(detail::view_of(outputs[k]), detail::view_of(handed[k]));
      else
        handed[k] = detail::copy_of(outputs[k]);
    }
    return handed;
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
  State& s = *state_;
  const Running running(s.running);
  if (detail::tape) return s.f(inputs);
  if (!s.tape) {
    TensorList in, out;
    s.tape = s.record(inputs, in, out);
    s.inputs = std::move(in), s.outputs = std::move(out);
    s.thread = std::this_thread::get_id();
    return s.hand_out();
  }
  if (s.thread != std::this_thread::get_id())
    throw CaptureError("[capture] expected a call from the thread of the first one, got another");
  check_inputs(inputs, s.inputs);
  {
    const TapeScope scope(*s.tape, true);
    for (std::size_t i = 0; i < inputs.size(); ++i)
      kernels::copy(detail::view_of(inputs[i]), detail::view_of(s.inputs[i]));
    s.tape->replay();
  }
  return s.hand_out();
}

TensorList Captured::verify(const TensorList& inputs) {
  State& s = *state_;
  const Running running(s.running);
  if (detail::tape) return s.f(inputs);
  TensorList in, out;
  const auto again = s.record(inputs, in, out);
  if (s.tape) {
    check_inputs(inputs, s.inputs);
    if (const auto difference = Tape::difference(*s.tape, *again); !difference.empty())
      throw CaptureError("[capture] expected the function to do what was captured, got " + difference);
  }
  for (Tensor& t : out)
    if (t.defined()) t = detail::copy_of(t);
  return out;
}

std::size_t Captured::size() const { return state_->tape ? state_->tape->size() : 0; }

Captured capture(Function f) { return Captured(std::move(f)); }

bool is_capturing() { return detail::on_tape(); }

void on_every_call(const std::string& name, std::function<void()> action) {
  if (!action) throw ValueError("[on_every_call] expected a function, got an empty one");
  detail::on_tape() ? detail::tape->act(name, std::move(action)) : action();
}

}  // namespace cadena
