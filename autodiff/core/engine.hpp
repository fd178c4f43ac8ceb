// The two walks over a recorded graph: cotangents from the outputs down, tangents from the inputs up.
#pragma once

#include <cstdint>
#include <unordered_map>
#include <utility>
#include <vector>

#include "autodiff/core/node.hpp"
#include "autodiff/grad.hpp"

namespace cadena::detail {

/// Numbers the nodes a walk meets, 0, 1, 2, ... The number is written into the node itself; only where
/// another walk (an outer one that called us, or one of another thread) is using that field does a map take
/// over.
class Numbering {
 public:
  explicit Numbering(bool shares_nodes);
  static constexpr std::uint32_t absent = ~std::uint32_t{0};

  std::uint32_t find(const Node* node) const;
  /// @throws GraphError if another walk that may free the node is using it
  void set(Node* node, std::uint32_t number);
  void forget(Node* node) noexcept;

 private:
  std::uint32_t id_;
  bool shares_nodes_;  // false when this walk frees what it passes
  std::unordered_map<const Node*, std::uint32_t> elsewhere_;
};

/// Reverse mode: nodes in descending creation number, each once, after all who use it.
class Sweep {
 public:
  Sweep(bool create_graph, bool retain_graph)
      : numbering_(retain_graph), create_(create_graph), retain_(retain_graph) {}
  ~Sweep();
  Sweep(const Sweep&) = delete;
  Sweep& operator=(const Sweep&) = delete;

  /// Restricts the walk to nodes between the seeds and `targets`, whose cotangents it keeps in `captured`.
  /// @param stop end at the targets even where they depend on each other: partial, not total derivatives
  void capture(const std::vector<Node*>& outputs, const std::vector<Node*>& targets, bool stop = false);
  void seed(Node* node, Tensor cotangent);
  /// Leaves' and retained gradients are collected, not stored: `commit` does that when nothing can fail any
  /// more.
  void run();
  void commit();

  /// By target: its cotangent, undefined if nothing flowed; and whether it was reached at all.
  std::vector<Tensor> captured;
  std::vector<bool> reached;

 private:
  struct Slot {
    Edge node;
    Tensor cotangent;
    bool needed = true;
    bool pending = false;
  };
  struct Pending {
    std::uint64_t seq;
    std::uint32_t slot;
    bool operator<(const Pending& o) const { return seq < o.seq; }
  };
  std::uint32_t slot_of(Node* node);
  void push(std::uint32_t slot);
  void accumulate(std::uint32_t slot, Tensor cotangent);
  void finish(Edge node, Tensor cotangent, std::uint32_t slot);
  /// Adds the cotangent of the only input of `node` to what that has so far, if both can. @return whether it
  /// did
  bool add_to_sum(Node& node, const Tensor& g);
  bool collect(Node* node, const Tensor& cotangent);  // true if the walk ends here

  Numbering numbering_;
  bool create_, retain_;
  bool pruned_ = false, stop_ = false;
  bool watched_ = false;  // by AnomalyMode
  const bool taped_ = tape != nullptr;
  std::vector<Slot> slots_;
  std::vector<std::uint32_t> free_slots_;
  static constexpr std::uint32_t absent_slot = ~std::uint32_t{0};
  Pending newest_{0, absent_slot};  // newer than all in the heap
  std::vector<Pending> heap_;
  std::vector<std::pair<Edge, Tensor>> gradients_;
  std::vector<std::pair<Node*, std::size_t>> targets_;
};

}  // namespace cadena::detail
