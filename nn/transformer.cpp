#include "nn/transformer.hpp"

#include <limits>

#include "autodiff/ops.hpp"
#include "nn/init.hpp"

namespace cadena::nn {

namespace {

LayerNormOptions norm_options(const TransformerLayerOptions& o) {
  return {.eps = o.layer_norm_eps, .bias = o.bias, .dtype = o.dtype};
}
LinearOptions linear_options(const TransformerLayerOptions& o) { return {.bias = o.bias, .dtype = o.dtype}; }
MultiheadAttentionOptions attention_options(const TransformerLayerOptions& o) {
  return {.dropout = o.dropout, .bias = o.bias, .batch_first = o.batch_first, .dtype = o.dtype};
}

template <class Layer>
std::vector<Layer> copies(const char* name, const Layer& layer, std::int64_t count) {
  if (count < 0)
    throw ValueError("[" + std::string(name) + "] expected num_layers >= 0, got " + std::to_string(count));
  std::vector<Layer> list;
  list.reserve(static_cast<std::size_t>(count));
  for (std::int64_t i = 0; i < count; ++i) list.push_back(clone(layer));
  return list;
}

/// The cache of each layer, or none.
class Caches {
 public:
  Caches(TransformerCache* cache, std::size_t layers) : cache_(cache) {
    if (!cache) return;
    if (cache->layers.empty()) cache->layers.resize(layers);
    if (cache->layers.size() != layers)
      throw ValueError("[TransformerCache] expected the cache of " + std::to_string(layers) +
                       " layers, got one of " + std::to_string(cache->layers.size()));
  }
  LayerCache* operator[](std::size_t i) const { return cache_ ? &cache_->layers[i] : nullptr; }

 private:
  TransformerCache* cache_;
};

}  // namespace

TransformerLayer::TransformerLayer(std::int64_t d_model, std::int64_t nhead, const TransformerLayerOptions& o)
    : self_attn(d_model, nhead, attention_options(o)),
      linear1(d_model, o.dim_feedforward, linear_options(o)),
      dropout(o.dropout),
      linear2(o.dim_feedforward, d_model, linear_options(o)),
      norm1(d_model, norm_options(o)),
      norm2(d_model, norm_options(o)),
      dropout1(o.dropout),
      dropout2(o.dropout),
      activation_(o.activation),
      norm_first_(o.norm_first) {}

TransformerEncoderLayer::TransformerEncoderLayer(std::int64_t d_model, std::int64_t nhead,
                                                 const TransformerLayerOptions& o)
    : TransformerLayer(d_model, nhead, o) {}

Tensor TransformerEncoderLayer::forward(const Tensor& src, const EncoderCall& o, LayerCache* cache) {
  if (!cache) cache = Caches(o.cache, 1)[0];  // a layer alone
  const AttentionCall attention{.key_padding_mask = o.src_key_padding_mask,
                                .attn_mask = o.src_mask,
                                .is_causal = o.is_causal,
                                .need_weights = false,
                                .cache = cache ? &cache->self : nullptr};
  const Tensor x = residual(src, norm1, dropout1,
                            [&](const Tensor& in) { return self_attn(in, in, in, attention).output; });
  return residual(x, norm2, dropout2, [&](const Tensor& in) { return feedforward(in); });
}

void TransformerEncoderLayer::visit(Visitor& v) {
  v("self_attn", self_attn);
  v("linear1", linear1);
  v("dropout", dropout);
  v("linear2", linear2);
  v("norm1", norm1);
  v("norm2", norm2);
  v("dropout1", dropout1);
  v("dropout2", dropout2);
}

TransformerDecoderLayer::TransformerDecoderLayer(std::int64_t d_model, std::int64_t nhead,
                                                 const TransformerLayerOptions& o)
    : TransformerLayer(d_model, nhead, o),
      multihead_attn(d_model, nhead, attention_options(o)),
      norm3(d_model, norm_options(o)),
      dropout3(o.dropout) {}

Tensor TransformerDecoderLayer::forward(const Tensor& tgt, const Tensor& memory, const DecoderCall& o,
                                        LayerCache* cache) {
  if (!cache) cache = Caches(o.cache, 1)[0];
  const AttentionCall own{.key_padding_mask = o.tgt_key_padding_mask,
                          .attn_mask = o.tgt_mask,
                          .is_causal = o.tgt_is_causal,
                          .need_weights = false,
                          .cache = cache ? &cache->self : nullptr};
  const AttentionCall cross{.key_padding_mask = o.memory_key_padding_mask,
                            .attn_mask = o.memory_mask,
                            .is_causal = o.memory_is_causal,
                            .need_weights = false,
                            .fixed = cache ? &cache->memory : nullptr};
  Tensor x =
      residual(tgt, norm1, dropout1, [&](const Tensor& in) { return self_attn(in, in, in, own).output; });
  x = residual(x, norm2, dropout2,
               [&](const Tensor& in) { return multihead_attn(in, memory, memory, cross).output; });
  return residual(x, norm3, dropout3, [&](const Tensor& in) { return feedforward(in); });
}

void TransformerDecoderLayer::visit(Visitor& v) {
  v("self_attn", self_attn);
  v("multihead_attn", multihead_attn);
  v("linear1", linear1);
  v("dropout", dropout);
  v("linear2", linear2);
  v("norm1", norm1);
  v("norm2", norm2);
  v("norm3", norm3);
  v("dropout1", dropout1);
  v("dropout2", dropout2);
  v("dropout3", dropout3);
}

TransformerEncoder::TransformerEncoder(const TransformerEncoderLayer& layer, std::int64_t num_layers,
                                       const std::optional<LayerNorm>& norm)
    : layers(copies("TransformerEncoder", layer, num_layers)), norm(norm) {}

Tensor TransformerEncoder::forward(const Tensor& src, const EncoderCall& o) {
  const Caches caches(o.cache, layers.size());
  Tensor x = src;
  for (std::size_t i = 0; i < layers.size(); ++i) x = layers[i](x, o, caches[i]);
  return norm ? (*norm)(x) : x;
}

void TransformerEncoder::visit(Visitor& v) {
  v("layers", layers);
  v("norm", norm);
}

TransformerDecoder::TransformerDecoder(const TransformerDecoderLayer& layer, std::int64_t num_layers,
                                       const std::optional<LayerNorm>& norm)
    : layers(copies("TransformerDecoder", layer, num_layers)), norm(norm) {}

Tensor TransformerDecoder::forward(const Tensor& tgt, const Tensor& memory, const DecoderCall& o) {
  const Caches caches(o.cache, layers.size());
  Tensor x = tgt;
  for (std::size_t i = 0; i < layers.size(); ++i) x = layers[i](x, memory, o, caches[i]);
  return norm ? (*norm)(x) : x;
}

void TransformerDecoder::visit(Visitor& v) {
  v("layers", layers);
  v("norm", norm);
}

Transformer::Transformer(const TransformerOptions& o)
    : encoder(TransformerEncoderLayer(o.d_model, o.nhead, o.layer), o.num_encoder_layers,
              LayerNorm(o.d_model, norm_options(o.layer))),
      decoder(TransformerDecoderLayer(o.d_model, o.nhead, o.layer), o.num_decoder_layers,
              LayerNorm(o.d_model, norm_options(o.layer))) {
  for (auto& p : encoder.parameters())
    if (p.dim() > 1) init::xavier_uniform_(p);
  for (auto& p : decoder.parameters())
    if (p.dim() > 1) init::xavier_uniform_(p);
}

Tensor Transformer::forward(const Tensor& src, const Tensor& tgt, const TransformerCall& o) {
  return decoder(tgt, encoder(src, o.src), o.tgt);
}

void Transformer::visit(Visitor& v) {
  v("encoder", encoder);
  v("decoder", decoder);
}

Tensor Transformer::generate_square_subsequent_mask(std::int64_t size, DType dtype) {
  return triu(full({size, size}, -std::numeric_limits<double>::infinity(), dtype), 1);
}

}  // namespace cadena::nn
