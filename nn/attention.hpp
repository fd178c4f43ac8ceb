// Multi-head attention as a layer. The function: autodiff/ops/attention.hpp.
#pragma once

#include <cstdint>
#include <optional>

#include "nn/linear.hpp"

namespace cadena::nn {

struct MultiheadAttentionOptions {
  double dropout = 0;  ///< of the probabilities, in training
  bool bias = true;
  bool add_bias_kv = false;                          ///< one more key and value, learned
  bool add_zero_attn = false;                        ///< one more key and value of zeros
  std::optional<std::int64_t> kdim = {}, vdim = {};  ///< of keys and values; embed_dim unless given
  bool batch_first = false;                          ///< (N, L, E) instead of (L, N, E)
  DType dtype = f32;
};

/// Keys and values of what was attended to so far, (N, heads, S, embed_dim / heads): generating a sequence
/// token by token, each call then computes the new ones only.
struct KeyValueCache {
  Tensor k, v;
  std::int64_t length() const { return k.defined() ? k.size(-2) : 0; }
};

/// Which queries see which keys, in PyTorch's way for these layers: **true hides** (in
/// scaled_dot_product_attention true shows). A mask of f32 or f64 is added to the scores. A query that sees
/// no key gives zeros (in PyTorch NaN) before the output projection.
struct AttentionCall {
  Tensor key_padding_mask = {};  ///< (N, S), or (S) without a batch
  Tensor attn_mask = {};         ///< (L, S), (heads, L, S) or (N * heads, L, S)
  bool is_causal = false;        ///< also hides the keys after each query
  bool need_weights = true;      ///< without them memory does not grow with L S
  bool average_attn_weights = true;
  /// The keys and values are put behind those in the cache; the first query then stands behind them, too. All
  /// masks are about all keys.
  KeyValueCache* cache = nullptr;
  /// Holds all keys and values once and for all: the first call fills it from its arguments, later ones take
  /// them from it.
  KeyValueCache* fixed = nullptr;
};

struct AttentionOutput {
  Tensor output;   ///< as the query
  Tensor weights;  ///< (N, L, S), or (N, heads, L, S) if not averaged; undefined unless needed
};

/// Attention in `num_heads` parts of the embedding side by side. Vaswani et al., arXiv:1706.03762.
///
/// Parameters `in_proj_weight` (3 E, E), or `q_proj_weight` (E, E), `k_proj_weight` (E, kdim) and
/// `v_proj_weight` (E, vdim) where those differ; `in_proj_bias` (3 E), `bias_k` and `bias_v` (1, 1, E),
/// module `out_proj`. Weights start as xavier_uniform_, biases as 0.
class MultiheadAttention : public Callable {
 public:
  /// @throws ValueError unless num_heads divide embed_dim and 0 <= dropout <= 1
  MultiheadAttention(std::int64_t embed_dim, std::int64_t num_heads,
                     const MultiheadAttentionOptions& options = {});

  /// @param query (L, N, E) @param key (S, N, kdim) @param value (S, N, vdim); with batch_first N comes
  /// first, and without a batch there is no N @throws ShapeError, DtypeError
  AttentionOutput operator()(const Tensor& query, const Tensor& key, const Tensor& value,
                             const AttentionCall& o = {}) {
    return call([&](const Tensor& q, const Tensor& k, const Tensor& v) { return forward(q, k, v, o); }, query,
                key, value);
  }
  AttentionOutput forward(const Tensor& query, const Tensor& key, const Tensor& value,
                          const AttentionCall& o = {});
  void visit(Visitor& v) override;
  std::int64_t macs(const std::vector<Shape>& inputs, const std::vector<Shape>& outputs) const override;
  void reset_parameters();

  Parameter in_proj_weight, q_proj_weight, k_proj_weight, v_proj_weight, in_proj_bias, bias_k, bias_v;
  Linear out_proj;

 private:
  struct Heads {
    Tensor q, k, v;  // (N, heads, L or S, E / heads)
  };
  void check(const Tensor& query, const Tensor& key, const Tensor& value) const;
  Heads project(const Tensor& query, const Tensor& key, const Tensor& value) const;
  Tensor third(const Tensor& t, int axis, int i) const;
  Tensor weight(int i) const;
  Tensor in_bias(int i) const;
  Tensor split(const Tensor& x) const;
  Tensor mask(const AttentionCall& o, const Heads& heads, std::int64_t past, std::int64_t extra) const;

  std::int64_t embed_dim_, num_heads_;
  MultiheadAttentionOptions options_;
};

}  // namespace cadena::nn
