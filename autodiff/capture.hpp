// capture: a function of tensors, recorded as a list of kernels and rules over memory that stays, and
// repeated without its program: nothing is recorded, and elementwise operations are bare loops, which run
// together. For steps on small tensors, whose cost is that program, and for formulas of many plain
// operations (docs/transforms.md).
//
//   auto step = capture([&](const TensorList& in) -> TensorList {
//     optimizer.zero_grad();
//     const Tensor loss = cross_entropy(net(in[0]), in[1]);
//     loss.backward();
//     optimizer.step();
//     return {loss};
//   });
//   for (auto& [x, y] : loader) total += step({x, y})[0].item();
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>

#include "autodiff/error.hpp"
#include "autodiff/grad.hpp"

namespace cadena {

/// A captured function. Copies are the same one. Calls must not overlap, and all come from one thread.
class Captured {
 public:
  explicit Captured(Function f);
  Captured(const Captured&) = default;
  Captured& operator=(const Captured&) = default;
  ~Captured() = default;

  /// The first two calls run the function and record it, and it must do the same in both. Further calls
  /// repeat what it did, with the bits that it would give itself: operations, derivatives, `.grad()`, writes
  /// to tensors, optimizer steps, random draws. Shapes, dtypes, numbers and the way the program took are
  /// those recorded, also where an exception decided. Tensors that the function used are read where they
  /// were: they may be written to between calls, but not be replaced. A call within another capture is
  /// recorded there.
  /// @param inputs that need no gradient, of the shapes and dtypes of the first call; they are copied
  /// @return the function's outputs, outside the graph, in memory that later calls leave alone while it is
  /// held. Whatever else a call computes lives in memory that the next one overwrites: clone() a `.grad()` or
  /// a tensor from inside the function to keep it
  /// @throws CaptureError for inputs that do not fit, for a function that cannot be repeated (it looks at
  /// values with item() or data(), or has other effects than those above) and for one that did something else
  /// the second time. After an error nothing new is captured, but what was done until then is done
  TensorList operator()(const TensorList& inputs);
  /// Runs and records the function itself once more, a step like any other, and goes on with that.
  /// @return as operator()
  /// @throws CaptureError if its steps, their places, its constants or the tensors it read are others than
  /// those captured: after a change of modes, say. Attributes of operations, such as an axis, are not
  /// compared
  TensorList verify(const TensorList& inputs);
  /// Number of kernels and rules that a call repeats; 0 before the first.
  std::size_t size() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

/// @throws ValueError if there is no function
Captured capture(Function f);

/// Whether a captured function is being recorded by this thread (and not within an action of the next kind).
bool is_capturing();
/// action(), and within capture() again in every call, at the same point: for effects that are no operations
/// on tensors, such as writing a value down. It may look at values; the function must not read tensors that
/// it makes. What it refers to must outlive the captured function.
void on_every_call(const std::string& name, std::function<void()> action);

}  // namespace cadena
