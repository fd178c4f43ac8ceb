// Attention, embeddings and what goes with them.
#include "errors/errors.hpp"

namespace cadena::errors {

// clang-format off
Rows attention_rows() {
  const auto attend = [](const AttentionOptions& o) { scaled_dot_product_attention(m({3, 2}), m({4, 2}), m({4, 2}), o); };
  const Tensor two = tensor({{0, 2}, {1, 5}}), flat = tensor({0, 1, 2});
  return {
      {"scaled_dot_product_attention", Kind::shape, {"E > 0", "(3, 2)", "(4, 3)"}, [] { scaled_dot_product_attention(m({3, 2}), m({4, 3}), m({4, 2})); }},
      {"scaled_dot_product_attention", Kind::shape, {"(..., S, Ev)", "(5, 2)"}, [] { scaled_dot_product_attention(m({3, 2}), m({4, 2}), m({5, 2})); }},
      {"scaled_dot_product_attention", Kind::shape, {"q (2,)"}, [] { scaled_dot_product_attention(m({2}), m({4, 2}), m({4, 2})); }},
      {"scaled_dot_product_attention", Kind::shape, {"E > 0", "q (3, 0)"}, [] { scaled_dot_product_attention(m({3, 0}), m({4, 0}), m({4, 2})); }},
      {"scaled_dot_product_attention", Kind::shape, {"(2,)", "(3,)"}, [] { scaled_dot_product_attention(m({2, 3, 2}), m({3, 4, 2}), m({4, 2})); }},
      {"scaled_dot_product_attention", Kind::dtype, {"f32 or f64", "i64"}, [] { scaled_dot_product_attention(m({3, 2}), zeros({4, 2}, i64), m({4, 2})); }},
      {"scaled_dot_product_attention", Kind::dtype, {"attn_mask", "i64"}, [=] { attend({.attn_mask = zeros({3, 4}, i64)}); }},
      {"scaled_dot_product_attention", Kind::shape, {"attn_mask", "(3, 4)", "(4, 3)"}, [=] { attend({.attn_mask = m({4, 3})}); }},
      {"scaled_dot_product_attention", Kind::shape, {"attn_mask", "(3, 4)", "(2, 3, 4)"}, [=] { attend({.attn_mask = m({2, 3, 4})}); }},
      {"scaled_dot_product_attention", Kind::value, {"0 <= dropout_p <= 1", "1.5"}, [=] { attend({.dropout_p = 1.5}); }},
      {"scaled_dot_product_attention", Kind::shape, {"multiple", "q (3, 3, 2)", "k (2, 4, 2)"}, [] { scaled_dot_product_attention(m({3, 3, 2}), m({2, 4, 2}), m({2, 4, 2}), {.enable_gqa = true}); }},
      {"scaled_dot_product_attention", Kind::shape, {"multiple", "q (3, 2)"}, [=] { attend({.enable_gqa = true}); }},
      {"embedding", Kind::index, {"[0, 4)", "got 5 at (1, 1)"}, [=] { embedding(two, m({4, 3})); }},
      {"embedding", Kind::index, {"[0, 4)", "got -1 at ()"}, [] { embedding(tensor(-1), m({4, 3})); }},
      {"embedding", Kind::dtype, {"i64", "f32"}, [] { embedding(m({2}), m({4, 3})); }},
      {"embedding", Kind::dtype, {"f32 or f64", "i64"}, [=] { embedding(flat, zeros({4, 3}, i64)); }},
      {"embedding", Kind::shape, {"(V, D)", "(4,)"}, [=] { embedding(flat, m({4})); }},
      {"embedding", Kind::index, {"padding_idx", "[-4, 4)", "4"}, [=] { embedding(flat, m({4, 3}), {.padding_idx = 4}); }},
      {"embedding", Kind::value, {"max_norm", "-1"}, [=] { embedding(flat, m({4, 3}), {.max_norm = -1}); }},
      {"embedding_bag", Kind::index, {"[0, 4)", "got 5 at (1, 1)"}, [=] { embedding_bag(two, m({4, 3})); }},
      {"embedding_bag", Kind::value, {"no offsets", "(2,)"}, [=] { embedding_bag(two, m({9, 3}), tensor({0, 1})); }},
      {"embedding_bag", Kind::value, {"offsets", "none"}, [=] { embedding_bag(flat, m({9, 3})); }},
      {"embedding_bag", Kind::value, {"ascend from 0 to at most 3", "got 1 at (0,)"}, [=] { embedding_bag(flat, m({9, 3}), tensor({1, 2})); }},
      {"embedding_bag", Kind::value, {"ascend", "got 1 at (2,)"}, [=] { embedding_bag(flat, m({9, 3}), tensor({0, 2, 1})); }},
      {"embedding_bag", Kind::value, {"at most 3", "got 4 at (1,)"}, [=] { embedding_bag(flat, m({9, 3}), tensor({0, 4})); }},
      {"embedding_bag", Kind::dtype, {"offsets", "f32"}, [=] { embedding_bag(flat, m({9, 3}), m({2})); }},
      {"embedding_bag", Kind::shape, {"offsets (B)", "(1, 1)"}, [=] { embedding_bag(flat, m({9, 3}), tensor({{0}})); }},
      {"embedding_bag", Kind::shape, {"last end", "(0,)"}, [=] { embedding_bag(flat, m({9, 3}), zeros({0}, i64), {.include_last_offset = true}); }},
      {"embedding_bag", Kind::shape, {"(B, N) or (n)", "()"}, [] { embedding_bag(tensor(1), m({9, 3})); }},
      {"embedding_bag", Kind::value, {"mode sum"}, [=] { embedding_bag(two, m({9, 3}), {}, {.per_sample_weights = m({2, 2})}); }},
      {"embedding_bag", Kind::shape, {"(2, 2)", "(2,)"}, [=] { embedding_bag(two, m({9, 3}), {}, {.mode = BagMode::sum, .per_sample_weights = m({2})}); }},
      {"embedding_bag", Kind::dtype, {"per_sample_weights", "i64"}, [=] { embedding_bag(two, m({9, 3}), {}, {.mode = BagMode::sum, .per_sample_weights = two}); }},
      {"embedding_bag", Kind::value, {"scale_grad_by_freq", "max"}, [=] { embedding_bag(two, m({9, 3}), {}, {.scale_grad_by_freq = true, .mode = BagMode::max}); }},
  };
}
// clang-format on

}  // namespace cadena::errors
