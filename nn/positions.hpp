// Where in a sequence something stands, for layers that would not know.
#pragma once

#include "nn/module.hpp"

namespace cadena::nn {

struct SinusoidalPositionsOptions {
  std::int64_t max_length = 5000;
  double base = 10000;
  bool batch_first = false;  ///< (N, L, E) instead of (L, N, E)
};

/// Adds sin(p w_i) at the even and cos(p w_i) at the odd places 2 i and 2 i + 1 of position p, with
/// w_i = base^(-2 i / E). Vaswani et al., arXiv:1706.03762.
class SinusoidalPositions : public Layer {
 public:
  /// @throws ValueError unless embed_dim and max_length > 0
  explicit SinusoidalPositions(std::int64_t embed_dim, const SinusoidalPositionsOptions& options = {});
  Tensor forward(const Tensor& x) override { return forward(x, 0); }
  /// @param x (L, N, E), (N, L, E) or (L, E), whose first element has the position `offset`
  /// @throws ShapeError, ValueError beyond max_length
  Tensor forward(const Tensor& x, std::int64_t offset);
  using Layer::operator();
  Tensor operator()(const Tensor& x, std::int64_t offset) {
    return call([&](const Tensor& in) { return forward(in, offset); }, x);
  }
  void visit(Visitor& v) override { v("positions", positions, false); }
  std::string extra_repr() const override;

  Buffer positions;  ///< (max_length, E); follows from the options, so it is not saved

 private:
  bool batch_first_;
};

struct RotaryPositionsOptions {
  std::int64_t max_length = 4096;
  double base = 10000;
  /// Pairs are neighbours (2 i, 2 i + 1), as in the paper; otherwise (i, i + E / 2), as in LLaMA's weights.
  bool interleaved = true;
};

/// Turns the pairs of a vector at position p by the angles p base^(-2 i / E), so that products of queries and
/// keys depend on distances only. Su et al., arXiv:2104.09864.
class RotaryPositions : public Layer {
 public:
  /// @throws ValueError unless head_dim is even and > 0 and max_length > 0
  explicit RotaryPositions(std::int64_t head_dim, const RotaryPositionsOptions& options = {});
  Tensor forward(const Tensor& x) override { return forward(x, 0); }
  /// @param x (..., L, E), as scaled_dot_product_attention takes queries and keys @throws as
  /// SinusoidalPositions
  Tensor forward(const Tensor& x, std::int64_t offset);
  using Layer::operator();
  Tensor operator()(const Tensor& x, std::int64_t offset) {
    return call([&](const Tensor& in) { return forward(in, offset); }, x);
  }
  void visit(Visitor& v) override;
  std::string extra_repr() const override;

  Buffer cosines, sines;  ///< (max_length, E / 2), not saved

 private:
  bool interleaved_;
};

/// Attention with linear biases: instead of adding positions to the input, -slope |distance| is added to the
/// scores, each head with its own slope, so that sequences may grow longer than in training. Press et al.,
/// arXiv:2108.12409: slopes 2^(-8 h / heads), h = 1 ... heads, for powers of two; other numbers take every
/// second slope of the next power of two for what is missing.
class AlibiPositions : public Module {
 public:
  /// @throws ValueError unless num_heads > 0
  explicit AlibiPositions(std::int64_t num_heads);
  /// (heads, L, S), for `queries` that stand at the last of `keys` positions: an attn_mask for
  /// MultiheadAttention and scaled_dot_product_attention. Their `is_causal` hides what comes later where
  /// queries = keys, or with a KeyValueCache; else it counts the queries from the first key.
  /// @throws ValueError unless 0 <= queries <= keys
  Tensor operator()(std::int64_t queries, std::int64_t keys) const;
  void visit(Visitor& v) override { v("slopes", slopes, false); }
  std::string extra_repr() const override;

  Buffer slopes;  ///< (heads), not saved
};

}  // namespace cadena::nn
