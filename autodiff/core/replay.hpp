// Forward mode: the recorded nodes in creation order, each with its rule for tangents.
#pragma once

#include <cstdint>
#include <vector>

#include "autodiff/core/engine.hpp"

namespace cadena::detail {

/// The part of a graph between `inputs` and `outputs`, prepared once and run for any number of directions.
class Replay {
 public:
  /// Null outputs are constants. The walk stops at the inputs, which may be leaves or intermediate results.
  /// @throws GraphError if a node on the way was freed
  Replay(const std::vector<Node*>& outputs, const std::vector<Node*>& inputs);
  ~Replay();
  Replay(const Replay&) = delete;
  Replay& operator=(const Replay&) = delete;

  /// Tangents of the outputs when the inputs move along `tangents`; undefined is zero, here and there.
  std::vector<Tensor> run(const std::vector<Tensor>& tangents);

 private:
  void add(Node* node);
  void order_nodes();

  Numbering numbering_{true};
  std::vector<Edge> nodes_;  // the inputs first
  std::size_t n_inputs_ = 0;
  std::vector<std::uint32_t> inputs_, outputs_;  // places in nodes_
  struct Step {
    std::uint32_t node;
    std::uint32_t first_edge;
  };
  std::vector<Step> steps_;           // nodes that depend on an input, oldest first
  std::vector<std::uint32_t> edges_;  // of the steps, one after the other
};

/// Nodes met on a walk, each once, in the order they were met.
class Reached {
 public:
  Reached() = default;
  ~Reached() {
    for (Node* node : nodes_) seen_.forget(node);
  }
  Reached(const Reached&) = delete;
  Reached& operator=(const Reached&) = delete;

  /// Null is passed over.
  void add(Node* node);
  void add_inputs_of(const Node& node) {
    for (int i = 0; i < node.n_edges; ++i) add(node.edges[i].get());
  }
  std::size_t size() const { return nodes_.size(); }
  Node& operator[](std::size_t i) const { return *nodes_[i]; }

 private:
  Numbering seen_{true};
  std::vector<Node*> nodes_;
};

/// True if differentiating `outputs` again could reach something other than the `inputs` of the present
/// transform: a captured tensor that requires grad, or what the inputs themselves were computed from.
bool reaches_beyond(const std::vector<Tensor>& outputs, const std::vector<Tensor>& inputs);

}  // namespace cadena::detail
