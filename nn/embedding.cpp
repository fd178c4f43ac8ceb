#include "nn/embedding.hpp"

#include "autodiff/grad.hpp"
#include "nn/init.hpp"
#include "nn/text.hpp"

namespace cadena::nn {

using detail::number;

namespace {

std::string sizes(const Tensor& weight) {
  return std::to_string(weight.size(0)) + ", " + std::to_string(weight.size(1));
}

/// What both layers print of their options.
template <class Options>
std::string norms(const Options& o) {
  return (o.max_norm ? ", max_norm=" + number(*o.max_norm) : "") +
         (o.norm_type != 2 ? ", norm_type=" + number(o.norm_type) : "") +
         (o.scale_grad_by_freq ? ", scale_grad_by_freq=True" : "");
}

std::string padding(const std::optional<std::int64_t>& row) {
  return row ? ", padding_idx=" + std::to_string(*row) : "";
}

/// The row counted from 0. @throws IndexError
void count_from_start(const char* module, std::optional<std::int64_t>& padding_idx, std::int64_t rows) {
  if (!padding_idx) return;
  if (*padding_idx < -rows || *padding_idx >= rows)
    throw IndexError("[" + std::string(module) + "] expected padding_idx in [" + std::to_string(-rows) +
                     ", " + std::to_string(rows) + "), got " + std::to_string(*padding_idx));
  if (*padding_idx < 0) *padding_idx += rows;
}

void draw(Parameter& weight, const std::optional<std::int64_t>& padding_idx) {
  init::normal_(weight);
  NoGrad no_grad;
  if (padding_idx) weight.index_put_({*padding_idx}, 0);
}

template <class L, class Options>
L pretrained(const char* module, const Tensor& weight, bool freeze, Options options) {
  if (weight.dim() != 2)
    throw ShapeError("[" + std::string(module) + "] expected weight (V, D), got " +
                     cadena::to_string(weight.shape()));
  options.dtype = weight.dtype();
  L layer(weight.size(0), weight.size(1), options);
  {
    NoGrad no_grad;
    layer.weight.copy_(weight);
  }
  layer.requires_grad_(!freeze);
  return layer;
}

}  // namespace

Embedding::Embedding(std::int64_t num_embeddings, std::int64_t embedding_dim, EmbeddingOptions options)
    : weight(empty({num_embeddings, embedding_dim}, options.dtype)), options_(options) {
  count_from_start("Embedding", options_.padding_idx, num_embeddings);
  reset_parameters();
}

Embedding Embedding::from_pretrained(const Tensor& weight, bool freeze, EmbeddingOptions options) {
  return pretrained<Embedding>("Embedding", weight, freeze, options);
}

void Embedding::reset_parameters() { draw(weight, options_.padding_idx); }

Tensor Embedding::forward(const Tensor& indices) {
  const auto& o = options_;
  return embedding(indices, weight, {o.padding_idx, o.max_norm, o.norm_type, o.scale_grad_by_freq});
}

std::string Embedding::extra_repr() const {
  return sizes(weight) + padding(options_.padding_idx) + norms(options_);
}

EmbeddingBag::EmbeddingBag(std::int64_t num_embeddings, std::int64_t embedding_dim,
                           EmbeddingBagOptions options)
    : weight(empty({num_embeddings, embedding_dim}, options.dtype)), options_(options) {
  count_from_start("EmbeddingBag", options_.padding_idx, num_embeddings);
  reset_parameters();
}

EmbeddingBag EmbeddingBag::from_pretrained(const Tensor& weight, bool freeze, EmbeddingBagOptions options) {
  return pretrained<EmbeddingBag>("EmbeddingBag", weight, freeze, options);
}

void EmbeddingBag::reset_parameters() { draw(weight, options_.padding_idx); }

Tensor EmbeddingBag::forward(const Tensor& indices, const Tensor& offsets, const Tensor& per_sample_weights) {
  const auto& o = options_;
  return embedding_bag(indices, weight, offsets,
                       {o.max_norm, o.norm_type, o.scale_grad_by_freq, o.mode, per_sample_weights,
                        o.include_last_offset, o.padding_idx});
}

std::string EmbeddingBag::extra_repr() const {
  const char* mode = options_.mode == BagMode::sum ? "sum" : options_.mode == BagMode::mean ? "mean" : "max";
  return sizes(weight) + norms(options_) + ", mode='" + mode + "'" + padding(options_.padding_idx);
}

}  // namespace cadena::nn
