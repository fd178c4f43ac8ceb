// A GPT: the decoder of a Transformer alone, which sees only what came before (Radford et al., "Language
// models are unsupervised multitask learners", 2019).
#pragma once

#include <cstdint>

#include "examples/write/options.hpp"
#include "nn/nn.hpp"

namespace cadena::examples {

struct Gpt : nn::Module {
  nn::Buffer text;   ///< i64 (1): fingerprint of what it learnt from
  nn::Buffer shape;  ///< i64 (4): context, dim, heads, layers
  nn::Embedding characters, places;
  nn::Dropout dropout;
  nn::TransformerEncoder blocks;
  nn::Linear head;

  Gpt(std::int64_t vocabulary, const GptShape& shape);

  std::int64_t context() const { return places.weight.size(0); }
  std::int64_t vocabulary() const { return characters.weight.size(0); }
  /// i64 (N, L) -> logits (N, L, vocabulary) of the character behind each.
  Tensor operator()(const Tensor& codes) { return run(codes, 0, nullptr); }
  /// The same for what comes behind `cache`, which then holds it, too; context() characters in all at most.
  Tensor next(const Tensor& codes, nn::TransformerCache& cache) { return run(codes, cache.length(), &cache); }
  void visit(nn::Visitor& v) override;

 private:
  Tensor run(const Tensor& codes, std::int64_t first, nn::TransformerCache* cache);
};

}  // namespace cadena::examples
