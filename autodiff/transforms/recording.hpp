// A function recorded on inputs under nodes of their own, and what its recording leads to beyond them.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "autodiff/core/node.hpp"
#include "autodiff/grad.hpp"

namespace cadena::detail {

using Body = std::function<Tensor(const TensorList&)>;

struct BodyRecording {
  TensorList x;  ///< aliases of the inputs that require grad; the others as they are
  Tensor y;
  std::uint64_t start;  ///< creation number: older nodes were there before

  /// @param least creation number that the recording starts from at least
  BodyRecording(const Body& f, const TensorList& inputs, std::uint64_t least);
  /// The older nodes at which the recording ends, except its inputs: what f captured.
  std::vector<Edge> captured() const;
};

/// A node that stands for a whole function, as checkpoint's does, and runs it again when its rules are
/// called. Its edges are the inputs and then what the function captured.
struct FunctionNode : Node {
  TensorList inputs;
  std::vector<std::uint32_t> versions;
  std::vector<Edge> all_edges;

  void free_graph() noexcept override;

 protected:
  FunctionNode(const TensorList& in, const BodyRecording& r);
  /// @throws GraphError naming the op if an input was overwritten
  void check_inputs() const;
  bool knows(const Edge& captured) const;
  /// Cotangents of the edges from one of the recording's output. Partial ones: where an edge depends on
  /// another, the outer walk takes care of that.
  void pull(const BodyRecording& r, const Tensor& cotangent, const bool* need, Tensor* gin) const;
  /// Tangent of the recording's output.
  Tensor push(const BodyRecording& r, const Tensor* tangents) const;

 private:
  /// Where derivatives of a recording end: its inputs, which are this node's or else held fixed (-1), and
  /// what it captured.
  struct End {
    Node* node;
    std::int64_t edge;
  };
  std::vector<End> ends(const BodyRecording& r) const;
};

}  // namespace cadena::detail
