#include "examples/write/model.hpp"

#include <cmath>

#include "autodiff/autodiff.hpp"

namespace cadena::examples {
namespace {

/// GPT-2's first values: normal with deviation 0.02, what is added to the stream by each of the 2 n layers
/// narrower by sqrt(2 n). The encoder's layers would all begin alike.
void set_first_values(Gpt& gpt) {
  const double narrow = std::sqrt(2.0 * static_cast<double>(gpt.blocks.layers.size()));
  for (auto& [name, weight] : gpt.named_parameters()) {
    if (weight.dim() < 2) continue;  // biases, and the scales of the norms
    const bool adds = name.ends_with("out_proj.weight") || name.ends_with("linear2.weight");
    nn::init::normal_(weight, 0, adds ? 0.02 / narrow : 0.02);
  }
}

Tensor exact_gelu(const Tensor& x) { return gelu(x); }

}  // namespace

Gpt::Gpt(std::int64_t vocabulary, const GptShape& s)
    : text(zeros({1}, i64)),
      shape(tensor({s.context, s.dim, s.heads, s.layers})),
      characters(vocabulary, s.dim),
      places(s.context, s.dim),
      dropout(s.dropout),
      blocks({s.dim,
              s.heads,
              {.dim_feedforward = 4 * s.dim,
               .dropout = s.dropout,
               .activation = exact_gelu,
               .batch_first = true,
               .norm_first = true}},
             s.layers, nn::LayerNorm({s.dim})),
      head(s.dim, vocabulary, {.bias = false}) {
  set_first_values(*this);
}

Tensor Gpt::run(const Tensor& codes, std::int64_t first, nn::TransformerCache* cache) {
  const Tensor at = arange(first, first + codes.size(1));
  const Tensor x = dropout(characters(codes) + places(at));
  return head(blocks(x, {.is_causal = true, .cache = cache}));
}

void Gpt::visit(nn::Visitor& v) {
  v("text", text);
  v("shape", shape);
  v("characters", characters);
  v("places", places);
  v("dropout", dropout);
  v("blocks", blocks);
  v("head", head);
}

}  // namespace cadena::examples
