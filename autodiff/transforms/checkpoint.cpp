// Recomputing instead of storing: one node stands for all that f recorded. It knows the inputs and whatever
// else the recording led to (captured parameters), and records f again when its rules are called.
#include <algorithm>
#include <memory>
#include <string>
#include <utility>

#include "autodiff/core/engine.hpp"
#include "autodiff/core/op.hpp"
#include "autodiff/core/replay.hpp"
#include "autodiff/error.hpp"
#include "autodiff/kernels/checksum.hpp"
#include "autodiff/random.hpp"
#include "autodiff/transforms.hpp"

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

/// f recorded on inputs under nodes of their own.
struct Recording {
  TensorList x;
  Tensor y;
  std::uint64_t start;  // creation number: what is older was there before

  Recording(const std::function<Tensor(const TensorList&)>& f, const TensorList& inputs,
            std::uint64_t least) {
    EnableGrad mode;
    for (const auto& input : inputs) {
      x.push_back(input.requires_grad() ? alias(input) : input);
      if (Node* node = impl(x.back())->node.get()) least = std::max(least, node->seq + 1);
    }
    start = seq_above_leaves(least);
    y = f(x);
  }
};

/// The nodes older than the recording at which it ends, except its inputs.
std::vector<Edge> captured_by(const Recording& r) {
  Numbering seen(true);
  std::vector<Node*> nodes;
  struct Forget {
    Numbering& seen;
    std::vector<Node*>& nodes;
    ~Forget() {
      for (Node* node : nodes) seen.forget(node);
    }
  } forget{seen, nodes};
  auto add = [&](Node* node) {
    if (!node || seen.find(node) != Numbering::absent) return;
    seen.set(node, 0);
    nodes.push_back(node);
  };
  for (const auto& x : r.x) add(impl(x)->node.get());
  const auto first = nodes.size();
  std::vector<Edge> captured;
  add(impl(r.y)->node.get());
  for (std::size_t next = first; next < nodes.size(); ++next) {
    if (nodes[next]->seq < r.start) {
      captured.push_back(Edge::share(nodes[next]));
      continue;
    }
    for (int i = 0; i < nodes[next]->n_edges; ++i) add(nodes[next]->edges[i].get());
  }
  return captured;
}

std::uint64_t checksum_of(const Tensor& t) {
  NoGrad guard;
  const Tensor flat = contiguous(t);
  return kernels::checksum(raw_impl(flat)->data, static_cast<std::size_t>(flat.numel()) * itemsize(t.dtype()));
}

struct CheckpointNode final : Node {
  std::function<Tensor(const TensorList&)> f;
  TensorList inputs;
  std::vector<std::uint32_t> versions;
  Generator generator;
  std::uint64_t checksum;
  std::vector<Edge> all_edges;  // of the inputs, then of what f captured

  CheckpointNode(std::function<Tensor(const TensorList&)> function, const TensorList& in,
                 const Generator& before, const Recording& r)
      : f(std::move(function)), inputs(in), generator(before), checksum(checksum_of(r.y)) {
    dtype = r.y.dtype();
    shape = r.y.shape();
    std::uint64_t newest = r.start;
    for (const auto& x : inputs) {
      versions.push_back(x.version());
      all_edges.push_back(impl(x)->node);
    }
    for (auto& edge : captured_by(r)) all_edges.push_back(std::move(edge));
    for (const auto& edge : all_edges)
      if (edge) newest = std::max(newest, edge->seq);
    edges = all_edges.data();
    n_edges = static_cast<std::int32_t>(all_edges.size());
    seq = next_seq(newest + 1);
  }
  std::string_view name() const override { return "checkpoint"; }

  void vjp(const Tensor& g, const bool* need, Tensor* gin) override {
    const Recording r = again();
    const std::vector<Node*> targets = sources(r);
    std::vector<Node*> wanted;
    for (Node* node : targets)
      if (node) wanted.push_back(node);
    Sweep sweep(grad_enabled, grad_enabled);
    sweep.capture({impl(r.y)->node.get()}, wanted, true);
    sweep.seed(impl(r.y)->node.get(), g);
    sweep.run();
    for (std::size_t i = 0, k = 0; i < targets.size(); ++i) {
      if (!targets[i]) continue;
      if (need[i]) gin[i] = sweep.captured[k];
      ++k;
    }
  }

  Tensor jvp(const Tensor* tangents) override {
    const Recording r = again();
    std::vector<Node*> from;
    TensorList given;
    const std::vector<Node*> all = sources(r);
    for (std::size_t i = 0; i < all.size(); ++i) {
      if (!all[i]) continue;
      from.push_back(all[i]);
      given.push_back(tangents[i]);
    }
    return Replay({impl(r.y)->node.get()}, from).run(given)[0];
  }

  void free_graph() noexcept override {
    f = nullptr;
    inputs.clear();
    for (auto& edge : all_edges) edge = nullptr;
    freed = true;
  }

 private:
  /// The second run, which must be the first one over again.
  Recording again() const {
    for (std::size_t i = 0; i < inputs.size(); ++i)
      if (inputs[i].version() != versions[i])
        fail("input " + std::to_string(i) + " of shape " + to_string(inputs[i].shape()) +
             " unchanged since the forward pass, got it overwritten in place");
    const FormerGenerator guard(generator);
    Recording r(f, inputs, seq + 1);
    if (!(r.y.shape() == shape) || r.y.dtype() != dtype)
      fail("a function that gives " + to_string(shape) + " again, got " + to_string(r.y.shape()));
    if (checksum_of(r.y) != checksum)
      fail("a function that gives the same values again, got others; does it draw from a generator of its "
           "own, or was a tensor that it reads overwritten?");
    const auto first = all_edges.begin() + static_cast<std::ptrdiff_t>(inputs.size());
    for (const auto& edge : captured_by(r))
      if (std::none_of(first, all_edges.end(), [&](const Edge& e) { return e.get() == edge.get(); }))
        fail("a function that reads the same tensors again, got another one of shape " +
             to_string(edge->shape));
    if (!r.y.requires_grad()) fail("a function that is recorded again, got a constant");
    return r;
  }
  [[noreturn]] static void fail(const std::string& what) { throw GraphError("[checkpoint] expected " + what); }

  /// The nodes of the second run that stand for the edges; null where an input needs no gradient.
  std::vector<Node*> sources(const Recording& r) const {
    std::vector<Node*> list;
    for (std::size_t i = 0; i < all_edges.size(); ++i)
      list.push_back(i >= inputs.size() ? all_edges[i].get()
                     : all_edges[i]     ? impl(r.x[i])->node.get()
                                        : nullptr);
    return list;
  }
};

Tensor checkpoint_one(std::function<Tensor(const TensorList&)> f, const TensorList& inputs) {
  const Generator before = default_generator();
  Tensor out;
  Edge edge;
  {
    Recording r(f, inputs, 0);
    if (!r.y.requires_grad() || !is_floating(r.y.dtype())) return r.y;
    auto node = Ref<CheckpointNode>::adopt(new CheckpointNode(std::move(f), inputs, before, r));
    edge = Edge::share(node.get());
    // A result that nobody else holds and that is no view of anything keeps its body, so that it may be
    // written in place like any other.
    const TensorImpl* p = raw_impl(r.y);
    out = p->unique() && !p->view ? r.y : r.y.detach();
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
    TensorList outputs;        // those that carry no gradient; undefined where a part of the packed one goes
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
