// capture: a function of tensors, recorded once as a list of kernels over fixed memory, and repeated without
// its program: no tensors, nodes or buffers are made again. For steps on small tensors, whose cost is that
// program (docs/transforms.md).
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

  /// The first call runs the function and records it; further calls repeat what it did, with the bits that it
  /// would give itself: operations, derivatives, `.grad()`, writes to tensors, optimizer steps, random draws.
  /// Shapes, dtypes, numbers and the way the program took are those of the first call. Tensors that the
  /// function used are read where they were: parameters may change in place meanwhile, but not be replaced.
  /// A call within another capture is recorded there.
  /// @param inputs that need no gradient, of the shapes and dtypes of the first call; they are copied
  /// @return the function's outputs, outside the graph, in memory of their own. What else a call computes
  ///   lives in memory that the next one overwrites: clone() a `.grad()` to keep it
  /// @throws CaptureError for inputs that do not fit and for a function that cannot be repeated: one that
  ///   looks at values (item(), data()) or has other effects than those above. After an error in its first
  ///   call it is as if that had not been captured; after one in a repetition, parts of the step may be done
  TensorList operator()(const TensorList& inputs);
  /// Runs and records the function itself once more, a step like any other, and compares.
  /// @return as operator()
  /// @throws CaptureError if it did not do what was captured: after a change of modes, say
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
/// on tensors, such as writing a value down. It may look at values; what it computes stays its own. What it
/// refers to must outlive the captured function.
void on_every_call(const std::string& name, std::function<void()> action);

}  // namespace cadena
