// Batched tensors: what a function sees inside vmap. Such a tensor has the shape of one sample and no memory
// of its own; its payload is an ordinary tensor with all samples, their axis first. An op on batched tensors
// is an op on payloads, recorded there where they are recorded, and its node, if this level records, belongs
// to the batched tensors. So everything made of recorded operations composes, derivatives included.
//
// Nothing can read single values of a batched tensor by mistake: the few ways to memory (view_of,
// Tensor::data, item, the elementwise loops) throw Unbatchable, and vmap then calls the function sample by
// sample.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "autodiff/core/node.hpp"
#include "autodiff/error.hpp"

namespace cadena::detail {

class Unbatchable : public GraphError {
  using GraphError::GraphError;
};

/// In the storage of a batched tensor.
struct BatchPayload {
  Tensor all;  ///< samples along axis 0
  int level;   ///< of the vmap it belongs to; inner ones are higher
};

inline bool is_batched(const Tensor& t) { return t.raw() && raw_impl(t)->batched; }
/// Rules must be read in tensor operations: to be recorded, or because `t` are no numbers but batches.
template <class... T>
bool composed(const T&... t) {
  return grad_enabled || (is_batched(t) || ...);
}
inline bool any_batched(const Tensor* t, std::size_t n) {
  bool any = false;
  for (std::size_t i = 0; i < n; ++i) any |= is_batched(t[i]);
  return any;
}
Tensor make_batched(const Tensor& all, int level);
/// t itself without its node at this level; what the payload is connected to stays.
Tensor without_node(const Tensor& t);
/// The values of all samples, at all levels: for checks that hold for each of them.
Tensor unwrapped(Tensor t);
/// What t stands for is recorded, outside the vmap that made it.
bool recorded_outside(const Tensor& t);

/// Names an op that was evaluated sample by sample, for vmap_report().
void note_looped(std::string_view op);

/// The operands of one op, at the innermost level among them: payloads, or tensors that all samples share.
class BatchedCall {
 public:
  BatchedCall(const Tensor* inputs, std::size_t n, const Tensor& attribute = {});

  std::int64_t size = 0;      ///< number of samples
  std::vector<Tensor> x;      ///< the attribute, if there is one, is the last
  std::vector<bool> batched;  ///< x[i] has a batch axis

  /// x[i] with a batch axis, repeated if it had none.
  Tensor with_batch(std::size_t i) const;
  /// All operands, ready to broadcast against each other behind the batch axis.
  std::vector<Tensor> aligned() const;
  /// `shape` behind the batch axis.
  Shape shaped(const Shape& shape) const;
  /// Axes of a sample as axes of the payload.
  static Axes shifted(const Axes& axes);
  Tensor wrap(const Tensor& all) const { return make_batched(all, level_); }
  /// Operands of sample k.
  std::vector<Tensor> sample(std::int64_t k) const;

  /// f(operands of a sample), for one after the other.
  template <class F>
  Tensor looped(std::string_view op, const F& f) const {
    note_looped(op);
    std::vector<Tensor> outputs;
    for (std::int64_t k = 0; k < size; ++k) outputs.push_back(f(sample(k)));
    return joined(outputs);
  }

 private:
  static Tensor joined(const std::vector<Tensor>& outputs);
  int level_ = 0;
};

/// An unrecorded result f(x, 0), or, if x is batched, f(all samples, 1) and so on: the number tells how many
/// axes stand before those of x. f must hold what it needs by value: a tape repeats it.
Tensor unrecorded(const Tensor& x, const std::function<Tensor(const Tensor&, int)>& f);

}  // namespace cadena::detail
