#include "autodiff/core/replay.hpp"

#include <algorithm>
#include <string>

#include "autodiff/core/anomaly.hpp"
#include "autodiff/core/batch.hpp"
#include "autodiff/core/tape.hpp"
#include "autodiff/error.hpp"
#include "autodiff/ops/arithmetic.hpp"
#include "autodiff/ops/movement.hpp"
#include "autodiff/ops/sort.hpp"

namespace cadena::detail {

Replay::Replay(const std::vector<Node*>& outputs, const std::vector<Node*>& inputs) {
  struct Undo {  // if a node turns out to be freed
    Replay* replay;
    ~Undo() {
      if (!replay) return;
      for (auto& node : replay->nodes_) replay->numbering_.forget(node.get());
    }
  } undo{this};
  for (Node* node : inputs) {
    add(node);
    inputs_.push_back(numbering_.find(node));
  }
  n_inputs_ = nodes_.size();
  for (Node* node : outputs) {
    if (node) add(node);
    outputs_.push_back(node ? numbering_.find(node) : Numbering::absent);
  }
  for (std::size_t next = n_inputs_; next < nodes_.size(); ++next) {
    const Node& node = *nodes_[next];
    if (node.freed)
      throw GraphError("[" + std::string(node.name()) +
                       "] expected a graph that can be replayed, got one that was freed");
    for (int i = 0; i < node.n_edges; ++i)
      if (node.edges[i]) add(node.edges[i].get());
  }
  order_nodes();
  undo.replay = nullptr;
}

Replay::~Replay() {
  for (auto& node : nodes_) numbering_.forget(node.get());
}

void Replay::add(Node* node) {
  if (numbering_.find(node) != Numbering::absent) return;
  numbering_.set(node, static_cast<std::uint32_t>(nodes_.size()));
  nodes_.push_back(Edge::share(node));
}

void Replay::order_nodes() {
  std::vector<std::uint32_t> order;
  for (auto i = n_inputs_; i < nodes_.size(); ++i) order.push_back(static_cast<std::uint32_t>(i));
  std::sort(order.begin(), order.end(), [&](auto a, auto b) { return nodes_[a]->seq < nodes_[b]->seq; });
  std::vector<bool> depends(nodes_.size());
  std::fill_n(depends.begin(), n_inputs_, true);
  for (auto n : order) {
    const Node& node = *nodes_[n];
    const auto first = static_cast<std::uint32_t>(edges_.size());
    for (int i = 0; i < node.n_edges; ++i) {
      edges_.push_back(node.edges[i] ? numbering_.find(node.edges[i].get()) : Numbering::absent);
      if (edges_.back() != Numbering::absent && depends[edges_.back()]) depends[n] = true;
    }
    if (depends[n])
      steps_.push_back({n, first});
    else
      edges_.resize(first);
  }
}

std::vector<Tensor> Replay::run(const std::vector<Tensor>& tangents) {
  std::vector<Tensor> tangent(nodes_.size()), given;
  for (std::size_t i = 0; i < inputs_.size(); ++i) {
    Tensor& t = tangent[inputs_[i]];
    if (tangents[i].defined()) t = t.defined() ? cadena::add(t, tangents[i]) : tangents[i];
  }
  for (const Step& step : steps_) {
    Node& node = *nodes_[step.node];
    given.assign(static_cast<std::size_t>(node.n_edges), Tensor());
    bool any = false;
    for (std::size_t i = 0; i < given.size(); ++i) {
      const auto from = edges_[step.first_edge + i];
      if (from != Numbering::absent) given[i] = tangent[from];
      any |= given[i].defined();
    }
    if (!any) continue;
    Tensor t = on_tape()    ? jvp_on_tape(nodes_[step.node], given)
               : watching() ? watched_jvp(node, given.data())
                            : node.jvp(given.data());
    if (t.defined() && !(t.shape() == node.shape)) t = expand(t, node.shape);
    tangent[step.node] = std::move(t);
  }
  std::vector<Tensor> result;
  for (auto n : outputs_) result.push_back(n == Numbering::absent ? Tensor() : tangent[n]);
  return result;
}

void Reached::add(Node* node) {
  if (!node || seen_.find(node) != Numbering::absent) return;
  seen_.set(node, 0);
  nodes_.push_back(node);
}

bool reaches_beyond(const std::vector<Tensor>& outputs, const std::vector<Tensor>& inputs) {
  Reached reached;
  for (const auto& x : inputs) {
    Node* node = impl(x)->node.get();
    // An alias of something recorded, or a batch of samples that are.
    if ((node && !node->leaf) || recorded_outside(x)) return true;
    reached.add(node);
  }
  const auto first = reached.size();
  for (const auto& y : outputs) {
    if (!y.defined()) continue;
    if (recorded_outside(y)) return true;
    reached.add(impl(y)->node.get());
  }
  for (std::size_t next = first; next < reached.size(); ++next) {
    if (reached[next].leaf) return true;
    reached.add_inputs_of(reached[next]);
  }
  return false;
}

}  // namespace cadena::detail
