// Recomputing instead of storing: one node stands for all that f recorded. It knows the inputs and whatever
// else the recording led to (captured parameters), and records f again when its rules are called.
#include <algorithm>
#include <memory>
#include <string>
#include <utility>

#include "autodiff/core/op.hpp"
#include "autodiff/core/tape.hpp"
#include "autodiff/error.hpp"
#include "autodiff/kernels/checksum.hpp"
#include "autodiff/ops/arithmetic.hpp"
#include "autodiff/ops/movement.hpp"
#include "autodiff/ops/reduce.hpp"
#include "autodiff/ops/slicing.hpp"
#include "autodiff/random.hpp"
#include "autodiff/transforms.hpp"
#include "autodiff/transforms/recording.hpp"

namespace cadena {
namespace detail {
namespace {

/// The default generator in a former state, for a scope.
class FormerGenerator {
 public:
  explicit FormerGenerator(const Generator& former) : present_(default_generator()) {
    default_generator() = former;
  }
  ~FormerGenerator() { default_generator() = present_; }
  FormerGenerator(const FormerGenerator&) = delete;
  FormerGenerator& operator=(const FormerGenerator&) = delete;

 private:
  Generator present_;
};

std::uint64_t checksum_of(const Tensor& t) {
  NoGrad guard;
  const Tensor flat = contiguous(unwrapped(t));
  return kernels::checksum(raw_data(flat), static_cast<std::size_t>(flat.numel()) * itemsize(t.dtype()));
}

struct CheckpointNode final : FunctionNode {
  Body f;
  std::shared_ptr<const Generator> generator;  ///< as it was before
  bool draws;                                  ///< from the default generator
  std::uint64_t checksum;

  CheckpointNode(Body function, const TensorList& in, std::shared_ptr<const Generator> before,
                 const BodyRecording& r)
      : FunctionNode(in, r),
        f(std::move(function)),
        generator(std::move(before)),
        draws(generator->position() != default_generator().position()),
        checksum(checksum_of(r.y)) {}
  std::string_view name() const override { return "checkpoint"; }
  void vjp(const Tensor& g, const bool* need, Tensor* gin) override { pull(again(), g, need, gin); }
  Tensor jvp(const Tensor* tangents) override { return push(again(), tangents); }
  void free_graph() noexcept override {
    FunctionNode::free_graph();
    f = nullptr;
  }

 private:
  /// The second run, which must be the first one over again.
  BodyRecording again() const {
    check_inputs();
    if (draws) refuse_on_tape("checkpoint", "first derivatives of functions that draw within capture()");
    const FormerGenerator guard(*generator);
    BodyRecording r(f, inputs, seq + 1);
    if (!(r.y.shape() == shape) || r.y.dtype() != dtype)
      fail("a function that gives " + to_string(shape) + " again, got " + to_string(r.y.shape()));
    if (!tape_replaying() && checksum_of(r.y) != checksum)
      fail(
          "a function that gives the same values again, got others; does it draw from a generator of its "
          "own, or was a tensor that it reads overwritten?");
    for (const auto& edge : r.captured())
      if (!knows(edge))
        fail("a function that reads the same tensors again, got another one of shape " +
             to_string(edge->shape));
    return r;
  }
  [[noreturn]] static void fail(const std::string& what) {
    throw GraphError("[checkpoint] expected " + what);
  }
};

Tensor checkpoint_one(Body f, const TensorList& inputs) {
  const auto before = std::make_shared<Generator>();
  repeatable("checkpoint", [before] { *before = default_generator(); });
  Tensor out;
  Edge edge;
  {
    const BodyRecording r(f, inputs, 0);
    if (!r.y.requires_grad() || !is_floating(r.y.dtype())) return r.y;
    auto node = Ref<CheckpointNode>::adopt(new CheckpointNode(std::move(f), inputs, before, r));
    edge = Edge::share(node.get());
    // A result that nobody else holds and that is no view of anything keeps its body, so that it may be
    // written in place like any other.
    const TensorImpl* p = raw_impl(r.y);
    out = p->unique() && !p->view ? r.y : without_node(r.y);
  }
  raw_impl(out)->node = std::move(edge);
  return out;
}

/// Several outputs as one vector, of the widest dtype among them.
Tensor packed(const TensorList& outputs) {
  TensorList flat;
  for (const auto& y : outputs) flat.push_back(reshape(y, {-1}));
  return cat(flat);
}

}  // namespace
}  // namespace detail

TensorList checkpoint(const Function& f, const TensorList& inputs) {
  if (!is_grad_enabled()) return f(inputs);
  struct Layout {
    TensorList outputs;  // those that carry no gradient; undefined where a part of the packed one goes
    std::vector<bool> packed;
    std::vector<std::pair<Shape, DType>> parts;
  };
  // The first run tells what there is; later ones find nobody to tell.
  const auto layout = std::make_shared<Layout>();
  const std::weak_ptr<Layout> listener = layout;
  const auto run = [f, listener](const TensorList& x) {
    const TensorList outputs = f(x);
    const auto told = listener.lock();
    TensorList floating;
    for (const auto& y : outputs) {
      const bool packed = y.defined() && is_floating(y.dtype()) && (y.numel() > 0 || outputs.size() == 1);
      if (packed) floating.push_back(y);
      if (!told) continue;
      told->packed.push_back(packed);
      told->outputs.push_back(packed || !y.defined() ? Tensor() : y.detach());
      if (packed) told->parts.emplace_back(y.shape(), y.dtype());
    }
    if (floating.empty()) return zeros({0});
    return outputs.size() == 1 ? floating[0] : detail::packed(floating);
  };
  const Tensor y = detail::checkpoint_one(run, inputs);
  TensorList outputs = layout->outputs;
  if (outputs.size() == 1 && layout->packed[0]) return {y};
  std::int64_t start = 0;
  for (std::size_t i = 0, k = 0; i < outputs.size(); ++i) {
    if (!layout->packed[i]) continue;
    const auto& [shape, dtype] = layout->parts[k++];
    outputs[i] = to(reshape(slice(y, 0, {start, start + shape.numel()}), shape), dtype);
    start += shape.numel();
  }
  return outputs;
}

Tensor checkpoint_sequential(const std::vector<std::function<Tensor(const Tensor&)>>& functions,
                             std::int64_t segments, const Tensor& x) {
  const auto n = static_cast<std::int64_t>(functions.size());
  if (segments < 1 || segments > std::max<std::int64_t>(n, 1))
    throw ValueError("[checkpoint_sequential] expected between 1 and " + std::to_string(n) +
                     " segments, got " + std::to_string(segments));
  const auto run = [](const std::vector<std::function<Tensor(const Tensor&)>>& part, Tensor y) {
    for (const auto& f : part) y = f(y);
    return y;
  };
  Tensor y = x;
  for (std::int64_t k = 0; k < segments; ++k) {
    const auto at = [&](std::int64_t i) { return functions.begin() + i * n / segments; };
    std::vector<std::function<Tensor(const Tensor&)>> part(at(k), at(k + 1));
    if (k + 1 == segments) return run(part, y);
    y = checkpoint([part, run](const Tensor& in) { return run(part, in); }, y);
  }
  return y;
}

}  // namespace cadena
