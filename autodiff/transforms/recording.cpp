#include "autodiff/transforms/recording.hpp"

#include <algorithm>
#include <string>

#include "autodiff/core/anomaly.hpp"
#include "autodiff/core/replay.hpp"
#include "autodiff/core/tape.hpp"
#include "autodiff/error.hpp"
#include "autodiff/ops/arithmetic.hpp"
#include "autodiff/ops/movement.hpp"
#include "autodiff/ops/reduce.hpp"

namespace cadena::detail {

BodyRecording::BodyRecording(const Body& f, const TensorList& inputs, std::uint64_t least) {
  EnableGrad mode;
  const InUserCode code;
  for (const auto& input : inputs) {
    x.push_back(input.requires_grad() ? alias(input) : input);
    if (Node* node = impl(x.back())->node.get()) least = std::max(least, node->seq + 1);
  }
  start = seq_above_leaves(least);
  y = f(x);
}

std::vector<Edge> BodyRecording::captured() const {
  Reached reached;
  for (const auto& input : x) reached.add(impl(input)->node.get());
  const auto first = reached.size();
  std::vector<Edge> found;
  reached.add(impl(y)->node.get());
  for (std::size_t next = first; next < reached.size(); ++next) {
    if (reached[next].seq < start)
      found.push_back(Edge::share(&reached[next]));
    else
      reached.add_inputs_of(reached[next]);
  }
  return found;
}

FunctionNode::FunctionNode(const TensorList& in, const BodyRecording& r) : inputs(in) {
  dtype = r.y.dtype();
  shape = r.y.shape();
  std::uint64_t newest = r.start;
  for (const auto& x : inputs) {
    versions.push_back(x.version());
    all_edges.push_back(impl(x)->node);
  }
  for (auto& edge : r.captured()) all_edges.push_back(std::move(edge));
  for (const auto& edge : all_edges)
    if (edge) newest = std::max(newest, edge->seq);
  edges = all_edges.data();
  n_edges = static_cast<std::int32_t>(all_edges.size());
  seq = next_seq(newest + 1);
  if (on_tape()) tape->own(this);
}

void FunctionNode::free_graph() noexcept {
  inputs.clear();
  for (auto& edge : all_edges) edge = nullptr;
  freed = true;
}

void FunctionNode::check_inputs() const {
  for (std::size_t i = 0; i < inputs.size(); ++i)
    if (inputs[i].version() != versions[i] && !tape_replaying())
      throw GraphError("[" + std::string(name()) + "] expected input " + std::to_string(i) + " of shape " +
                       to_string(inputs[i].shape()) +
                       " unchanged since the forward pass, got it overwritten in place");
}

bool FunctionNode::knows(const Edge& captured) const {
  const auto first = all_edges.begin() + static_cast<std::ptrdiff_t>(inputs.size());
  return std::any_of(first, all_edges.end(), [&](const Edge& e) { return e.get() == captured.get(); });
}

std::vector<FunctionNode::End> FunctionNode::ends(const BodyRecording& r) const {
  if (!r.y.requires_grad())
    throw GraphError("[" + std::string(name()) +
                     "] expected a function that is recorded when run again, got a constant");
  std::vector<End> list;
  for (std::size_t i = 0; i < r.x.size(); ++i)
    if (Node* node = impl(r.x[i])->node.get())
      list.push_back({node, i < inputs.size() ? static_cast<std::int64_t>(i) : -1});
  for (std::size_t i = inputs.size(); i < all_edges.size(); ++i)
    list.push_back({all_edges[i].get(), static_cast<std::int64_t>(i)});
  return list;
}

void FunctionNode::pull(const BodyRecording& r, const Tensor& cotangent, const bool* need,
                        Tensor* gin) const {
  const std::vector<End> all = ends(r);
  std::vector<Node*> targets;
  for (const End& end : all) targets.push_back(end.node);
  const InUserCode code;
  // The recording dies with this call. Until then it is kept, because a walk that keeps all may share nodes
  // (here the ends) with the outer one.
  Sweep sweep(grad_enabled, true);
  Node* output = impl(r.y)->node.get();
  sweep.capture({output}, targets, true);
  sweep.seed(output, cotangent);
  sweep.run();
  for (std::size_t k = 0; k < all.size(); ++k)
    if (all[k].edge >= 0 && need[all[k].edge]) gin[all[k].edge] = sweep.captured[k];
}

Tensor FunctionNode::push(const BodyRecording& r, const Tensor* tangents) const {
  const InUserCode code;
  std::vector<Node*> from;
  TensorList given;
  for (const End& end : ends(r)) {
    from.push_back(end.node);
    given.push_back(end.edge >= 0 ? tangents[end.edge] : Tensor());
  }
  return Replay({impl(r.y)->node.get()}, from).run(given)[0];
}

}  // namespace cadena::detail
