// Attention, embeddings and what goes with them.
#include "errors/errors.hpp"

namespace cadena::errors {

// clang-format off
Rows attention_rows() {
  const auto attend = [](const AttentionOptions& o) { scaled_dot_product_attention(m({3, 2}), m({4, 2}), m({4, 2}), o); };
  const Tensor two = tensor({{0, 2}, {1, 5}}), flat = tensor({0, 1, 2});
  const auto ctc = [](const Tensor& targets, const Tensor& steps, const Tensor& labels, const CtcLossOptions& o = {}) {
    ctc_loss(m({4, 2, 3}), targets, steps, labels, o);
  };
  const Tensor ones2 = tensor({1, 1}), labels = tensor({{1, 2}, {2, 1}});
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
      {"ctc_loss", Kind::shape, {"(T, N, C)", "(4,)"}, [=] { ctc_loss(m({4}), labels, ones2, ones2); }},
      {"ctc_loss", Kind::dtype, {"log_probs", "i64"}, [=] { ctc_loss(zeros({4, 2, 3}, i64), labels, ones2, ones2); }},
      {"ctc_loss", Kind::dtype, {"targets", "f32"}, [=] { ctc(m({2, 2}), ones2, ones2); }},
      {"ctc_loss", Kind::dtype, {"input_lengths", "f32"}, [=] { ctc(labels, m({2}), ones2); }},
      {"ctc_loss", Kind::index, {"blank", "[0, 3)", "3"}, [=] { ctc(labels, ones2, ones2, {.blank = 3}); }},
      {"ctc_loss", Kind::shape, {"(2, S)", "(3, 2)"}, [=] { ctc(zeros({3, 2}, i64), ones2, ones2); }},
      {"ctc_loss", Kind::shape, {"target_lengths (2,)", "(3,)"}, [=] { ctc(labels, ones2, flat); }},
      {"ctc_loss", Kind::value, {"input_lengths in [0, 4]", "5"}, [=] { ctc(labels, tensor({4, 5}), ones2); }},
      {"ctc_loss", Kind::value, {"target_lengths in [0, 2]", "-1"}, [=] { ctc(labels, ones2, tensor({-1, 1})); }},
      {"ctc_loss", Kind::value, {"add up to (2)", "got 3"}, [=] { ctc(flat, ones2, ones2); }},
      {"ctc_loss", Kind::index, {"[0, 3)", "got 5", "sample 1"}, [=] { ctc(tensor({1, 5}), ones2, ones2); }},
      {"ctc_loss", Kind::value, {"other than blank", "got 0", "sample 0"}, [=] { ctc(two, ones2, ones2); }},
      {"lstm_steps", Kind::shape, {"(L, N, 4 H)", "(3, 2, 8)", "(8, 3)"}, [] { lstm_steps(m({3, 2, 8}), m({2, 2}), m({2, 2}), m({8, 3})); }},
      {"lstm_steps", Kind::shape, {"states (N, H)", "(2, 3)"}, [] { lstm_steps(m({3, 2, 8}), m({2, 2}), m({2, 3}), m({8, 2})); }},
      {"lstm_steps", Kind::shape, {"L > 0", "(0, 2, 8)"}, [] { lstm_steps(m({0, 2, 8}), m({2, 2}), m({2, 2}), m({8, 2})); }},
      {"lstm_steps", Kind::dtype, {"i64"}, [] { lstm_steps(zeros({3, 2, 8}, i64), m({2, 2}), m({2, 2}), m({8, 2})); }},
      {"gru_steps", Kind::shape, {"(L, N, 3 H)", "(3, 2, 8)"}, [] { gru_steps(m({3, 2, 8}), m({2, 2}), m({6, 2})); }},
      {"gru_steps", Kind::shape, {"bias_hh (6,)", "(5,)"}, [] { gru_steps(m({3, 2, 6}), m({2, 2}), m({6, 2}), m({5})); }},
      {"rnn_steps", Kind::shape, {"(L, N, H)", "(2,)"}, [] { rnn_steps(m({3, 2, 2}), m({2}), m({2, 2})); }},
      {"rnn_steps", Kind::dtype, {"bool"}, [] { rnn_steps(m({3, 2, 2}), m({2, 2}), zeros({2, 2}, boolean)); }},
      {"rotary_embedding", Kind::shape, {"even D", "(2, 3)"}, [] { rotary_embedding(m({2, 3})); }},
      {"rotary_embedding", Kind::dtype, {"i64"}, [] { rotary_embedding(zeros({2, 2}, i64)); }},
      {"rotary_embedding", Kind::value, {"base > 0", "0.0"}, [] { rotary_embedding(m({2, 2}), {.base = 0}); }},
      {"rrelu", Kind::value, {"lower <= upper", "0.5"}, [] { rrelu(m({2}), 0.5, 0.1); }},
      {"rrelu", Kind::dtype, {"i64"}, [] { rrelu(arange(2)); }},
      {"bitwise_left_shift", Kind::dtype, {"f32"}, [] { bitwise_left_shift(m({2}), arange(2)); }},
      {"bitwise_right_shift", Kind::shape, {"(2,)", "(3,)"}, [] { bitwise_right_shift(arange(2), arange(3)); }},
      {"unique", Kind::index, {"[-1, 1)"}, [] { unique(m({2}), 1); }},
      {"unique_consecutive", Kind::index, {"[-2, 2)"}, [] { unique_consecutive(m({2, 2}), 2); }},
  };
}
// clang-format on

}  // namespace cadena::errors
