// The transformer of Vaswani et al., arXiv:1706.03762, with PyTorch's names, defaults and state.
//
// Masks are those of MultiheadAttention: true hides. To generate token by token, keep a TransformerCache and
// give only what is new:
//
//   nn::TransformerCache cache;
//   for (...) y = encoder(next, {.is_causal = true, .cache = &cache});
#pragma once

#include <string>
#include <vector>

#include "autodiff/ops.hpp"
#include "nn/attention.hpp"
#include "nn/dropout.hpp"
#include "nn/normalization.hpp"

namespace cadena::nn {

struct TransformerLayerOptions {
  std::int64_t dim_feedforward = 2048;
  double dropout = 0.1;
  Tensor (*activation)(const Tensor&) = relu;  ///< or any function without state
  double layer_norm_eps = 1e-5;
  bool batch_first = false;  ///< (N, L, E) instead of (L, N, E)
  bool norm_first = false;   ///< norms before attention and feedforward, not behind the sums
  bool bias = true;
  DType dtype = f32;
};

/// What one layer keeps: of its own sequence, and of the memory that a decoder attends to.
struct LayerCache {
  KeyValueCache self, memory;
};
/// What a stack keeps while a sequence is generated.
struct TransformerCache {
  std::vector<LayerCache> layers;
  std::int64_t length() const { return layers.empty() ? 0 : layers[0].self.length(); }
};

/// What encoder and decoder layers have in common.
class TransformerLayer : public Callable {
 public:
  MultiheadAttention self_attn;
  Linear linear1;
  Dropout dropout;
  Linear linear2;
  LayerNorm norm1, norm2;
  Dropout dropout1, dropout2;

 protected:
  TransformerLayer(std::int64_t d_model, std::int64_t nhead, const TransformerLayerOptions& options);
  Tensor feedforward(const Tensor& x) { return linear2(dropout(activation_(linear1(x)))); }
  /// x plus its update, and the norm, in the order of norm_first.
  template <class F>
  Tensor residual(const Tensor& x, LayerNorm& norm, Dropout& drop, const F& update) {
    return norm_first_ ? x + drop(update(norm(x))) : norm(x + drop(update(x)));
  }

 private:
  Tensor (*activation_)(const Tensor&);
  bool norm_first_;
};

struct EncoderCall {
  Tensor src_mask = {};              ///< (L, L) or (N * heads, L, L)
  Tensor src_key_padding_mask = {};  ///< (N, L)
  bool is_causal = false;            ///< every element sees those before it and itself
  TransformerCache* cache = nullptr;
};

class TransformerEncoderLayer : public TransformerLayer {
 public:
  /// @throws ValueError as MultiheadAttention
  TransformerEncoderLayer(std::int64_t d_model, std::int64_t nhead,
                          const TransformerLayerOptions& options = {});
  /// @param src (L, N, E), (N, L, E) or (L, E); so is the result
  Tensor operator()(const Tensor& src, const EncoderCall& o = {}, LayerCache* cache = nullptr) {
    return call([&](const Tensor& x) { return forward(x, o, cache); }, src);
  }
  Tensor forward(const Tensor& src, const EncoderCall& o = {}, LayerCache* cache = nullptr);
  void visit(Visitor& v) override;
};

struct DecoderCall {
  Tensor tgt_mask = {};                 ///< (L, L) or (N * heads, L, L)
  Tensor memory_mask = {};              ///< (L, S) or (N * heads, L, S)
  Tensor tgt_key_padding_mask = {};     ///< (N, L)
  Tensor memory_key_padding_mask = {};  ///< (N, S)
  bool tgt_is_causal = false;
  bool memory_is_causal = false;
  TransformerCache* cache =
      nullptr;  ///< keeps the memory's keys and values, too: always give the same memory
};

/// Besides: modules multihead_attn, norm3 and dropout3.
class TransformerDecoderLayer : public TransformerLayer {
 public:
  /// @throws ValueError as MultiheadAttention
  TransformerDecoderLayer(std::int64_t d_model, std::int64_t nhead,
                          const TransformerLayerOptions& options = {});
  /// @param tgt (L, N, E), (N, L, E) or (L, E); so is the result @param memory (S, N, E) and so on
  Tensor operator()(const Tensor& tgt, const Tensor& memory, const DecoderCall& o = {},
                    LayerCache* cache = nullptr) {
    return call([&](const Tensor& x, const Tensor& m) { return forward(x, m, o, cache); }, tgt, memory);
  }
  Tensor forward(const Tensor& tgt, const Tensor& memory, const DecoderCall& o = {},
                 LayerCache* cache = nullptr);
  void visit(Visitor& v) override;

  MultiheadAttention multihead_attn;
  LayerNorm norm3;
  Dropout dropout3;
};

/// Copies of a layer one after the other, and a norm behind them if one is given. As in PyTorch all layers
/// start with the same values.
class TransformerEncoder : public Callable {
 public:
  TransformerEncoder(const TransformerEncoderLayer& layer, std::int64_t num_layers,
                     const std::optional<LayerNorm>& norm = {});
  Tensor operator()(const Tensor& src, const EncoderCall& o = {}) {
    return call([&](const Tensor& x) { return forward(x, o); }, src);
  }
  Tensor forward(const Tensor& src, const EncoderCall& o = {});
  void visit(Visitor& v) override;

  std::vector<TransformerEncoderLayer> layers;
  std::optional<LayerNorm> norm;
};

class TransformerDecoder : public Callable {
 public:
  TransformerDecoder(const TransformerDecoderLayer& layer, std::int64_t num_layers,
                     const std::optional<LayerNorm>& norm = {});
  Tensor operator()(const Tensor& tgt, const Tensor& memory, const DecoderCall& o = {}) {
    return call([&](const Tensor& x, const Tensor& m) { return forward(x, m, o); }, tgt, memory);
  }
  Tensor forward(const Tensor& tgt, const Tensor& memory, const DecoderCall& o = {});
  void visit(Visitor& v) override;

  std::vector<TransformerDecoderLayer> layers;
  std::optional<LayerNorm> norm;
};

struct TransformerOptions {
  std::int64_t d_model = 512, nhead = 8, num_encoder_layers = 6, num_decoder_layers = 6;
  TransformerLayerOptions layer = {};
};
struct TransformerCall {
  EncoderCall src = {};
  DecoderCall tgt = {};
};

/// Encoder and decoder, each with a norm at its end. Matrices start as xavier_uniform_.
class Transformer : public Callable {
 public:
  explicit Transformer(const TransformerOptions& options = {});
  Tensor operator()(const Tensor& src, const Tensor& tgt, const TransformerCall& o = {}) {
    return call([&](const Tensor& s, const Tensor& t) { return forward(s, t, o); }, src, tgt);
  }
  Tensor forward(const Tensor& src, const Tensor& tgt, const TransformerCall& o = {});
  void visit(Visitor& v) override;
  /// (size, size): -inf above the diagonal, 0 elsewhere. `is_causal` does the same without the memory.
  static Tensor generate_square_subsequent_mask(std::int64_t size, DType dtype = f32);

  TransformerEncoder encoder;
  TransformerDecoder decoder;
};

}  // namespace cadena::nn
