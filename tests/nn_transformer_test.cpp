// Attention and what is built on it: masks, caches, positions, modes, errors; and packed sequences. Their
// numbers are compared with PyTorch's in nn_torch_test.cpp.
#include <gtest/gtest.h>

#include <cmath>
#include <sstream>

#include "autodiff/autodiff.hpp"
#include "messages.hpp"
#include "nn/nn.hpp"
#include "values.hpp"

namespace cadena {
namespace {

using nn::MultiheadAttention;

void expect_close(const Tensor& a, const Tensor& b) {
  ASSERT_EQ(a.shape(), b.shape());
  EXPECT_TRUE(allclose(a, b, 1e-10, 1e-12)) << max(abs(a - b)).item();
}

// ---- Attention

TEST(NnAttention, WaysToSayTheSame) {
  manual_seed(1);
  MultiheadAttention m(6, 3, {.dtype = f64});
  const Tensor x = randn({4, 2, 6}, f64);
  const Tensor bools = triu(ones({4, 4}), 1).to(boolean);
  const Tensor numbers = nn::Transformer::generate_square_subsequent_mask(4, f64);
  const Tensor y = m(x, x, x, {.attn_mask = bools}).output;
  expect_close(m(x, x, x, {.attn_mask = numbers}).output, y);
  expect_close(m(x, x, x, {.is_causal = true}).output, y);
  expect_close(m(x, x, x, {.is_causal = true, .need_weights = false}).output, y);
  expect_close(m(x, x, x, {.attn_mask = bools, .need_weights = false}).output, y);
  expect_close(m(x, x, x, {.attn_mask = bools.unsqueeze(0).expand({6, 4, 4})}).output, y);
  // Several masks together hide what any of them hides.
  const Tensor padding = tensor({{0, 0, 0, 1}, {0, 0, 0, 0}}).to(boolean);
  const Tensor both =
      m(x, x, x, {.key_padding_mask = padding, .attn_mask = numbers, .need_weights = false}).output;
  expect_close(m(x, x, x, {.key_padding_mask = padding, .is_causal = true}).output, both);
  // One at a time, with the keys that are there.
  const Tensor first = x.slice(1, {0, 1});
  expect_close(m(first, first.slice(0, {0, 3}), first.slice(0, {0, 3})).output,
               m(x, x, x, {.key_padding_mask = padding}).output.slice(1, {0, 1}));
}

TEST(NnAttention, WeightsSumToOneAndAverage) {
  MultiheadAttention m(6, 3, {.batch_first = true, .dtype = f64});
  const Tensor q = randn({2, 4, 6}, f64), k = randn({2, 5, 6}, f64);
  const auto mean_weights = m(q, k, k).weights;
  const auto each = m(q, k, k, {.average_attn_weights = false}).weights;
  EXPECT_EQ(each.shape(), (Shape{2, 3, 4, 5}));
  expect_close(mean(each, 1), mean_weights);
  expect_close(sum(each, -1), ones({2, 3, 4}, f64));
  EXPECT_FALSE(m(q, k, k, {.need_weights = false}).weights.defined());
}

TEST(NnAttention, AQueryThatSeesNothingGivesTheBiasAlone) {
  MultiheadAttention m(4, 2, {.dtype = f64});
  nn::init::normal_(m.out_proj.bias);
  Tensor x = randn({2, 1, 4}, f64).requires_grad_();
  const Tensor none = ones({1, 2}).to(boolean);
  for (bool need_weights : {true, false}) {
    const auto [y, weights] = m(x, x, x, {.key_padding_mask = none, .need_weights = need_weights});
    expect_close(y[0][0], m.out_proj.bias.detach());
    if (need_weights) expect_values(weights, {0, 0, 0, 0});
    y.sum().backward();
    expect_values(x.grad(), {0, 0, 0, 0, 0, 0, 0, 0});
  }
}

TEST(NnAttention, DropoutInTrainingOnly) {
  MultiheadAttention m(8, 2, {.dropout = 0.5});
  const Tensor x = randn({6, 2, 8});
  for (bool need_weights : {true, false}) {
    const auto run = [&] { return m(x, x, x, {.need_weights = need_weights}).output; };
    m.train();
    EXPECT_FALSE(equal(run(), run()));
    m.eval();
    EXPECT_TRUE(equal(run(), run()));
  }
}

TEST(NnAttention, DefaultInitIsPyTorchs) {
  MultiheadAttention m(48, 4, {.add_bias_kv = true});
  const double bound = std::sqrt(6.0 / (3 * 48 + 48));
  EXPECT_LE(max(abs(m.in_proj_weight)).item(), bound);
  EXPECT_GT(max(abs(m.in_proj_weight)).item(), 0.98 * bound);
  EXPECT_EQ(max(abs(m.in_proj_bias)).item(), 0);
  EXPECT_EQ(max(abs(m.out_proj.bias)).item(), 0);
  EXPECT_LE(max(abs(m.out_proj.weight)).item(), 1 / std::sqrt(48.0));
  EXPECT_GT(max(abs(m.bias_k)).item(), 0);
}

TEST(NnAttention, Errors) {
  EXPECT_EQ(message_of<ValueError>([] { MultiheadAttention(6, 4); }),
            "[MultiheadAttention] expected num_heads that divide embed_dim, got 4 and 6");
  EXPECT_EQ(message_of<ValueError>([] { MultiheadAttention(6, 2, {.dropout = 2}); }),
            "[MultiheadAttention] expected 0 <= dropout <= 1, got 2.000000");
  MultiheadAttention m(6, 2);
  const Tensor q = zeros({4, 2, 6}), k = zeros({5, 2, 6});
  EXPECT_EQ(message_of<ShapeError>([&] {
              m(q, k, zeros({4, 2, 6}));
            }),
            "[MultiheadAttention] expected query, key and value as (L, N, 6), (S, N, 6) and (S, N, 6) or "
            "without N, "
            "got (4, 2, 6), (5, 2, 6) and (4, 2, 6)");
  EXPECT_EQ(message_of<ShapeError>([&] {
              m(q, k, k, {.attn_mask = zeros({5, 4})});
            }),
            "[MultiheadAttention] expected attn_mask as (4, 5), (2, 4, 5) or (4, 4, 5), got (5, 4)");
  EXPECT_EQ(message_of<ShapeError>([&] {
              m(q, k, k, {.key_padding_mask = zeros({2, 4})});
            }),
            "[MultiheadAttention] expected key_padding_mask as (2, 5), got (2, 4)");
  EXPECT_EQ(message_of<DtypeError>([&] {
              m(q, k, k, {.attn_mask = zeros({4, 5}, i64)});
            }),
            "[MultiheadAttention] expected masks of bool, f32 or f64, got i64");
}

// ---- Caches

nn::TransformerLayerOptions small() {
  return {.dim_feedforward = 9, .dropout = 0.1, .batch_first = true, .dtype = f64};
}

TEST(NnTransformer, AnEncoderWithACacheGivesTheSameTokenByToken) {
  manual_seed(2);
  nn::TransformerEncoder gpt(nn::TransformerEncoderLayer(8, 2, small()), 3, nn::LayerNorm(8, {.dtype = f64}));
  gpt.eval();
  const Tensor x = randn({2, 6, 8}, f64), whole = gpt(x, {.is_causal = true});
  nn::TransformerCache cache;
  TensorList parts;
  std::int64_t from = 0;
  for (std::int64_t n : {2, 1, 3}) {  // prompts may be longer than a token
    parts.push_back(gpt(x.slice(1, {from, from + n}), {.is_causal = true, .cache = &cache}));
    from += n;
    EXPECT_EQ(cache.length(), from);
  }
  expect_close(cat(parts, 1), whole);
  nn::TransformerEncoder other(nn::TransformerEncoderLayer(8, 2, small()), 2);
  EXPECT_EQ(message_of<ValueError>([&] { other(x, {.cache = &cache}); }),
            "[TransformerCache] expected the cache of 2 layers, got one of 3");
}

TEST(NnTransformer, ALayerAloneTakesACacheToo) {
  nn::TransformerEncoderLayer layer(8, 2, small());
  layer.eval();
  const Tensor x = randn({1, 2, 8}, f64);
  nn::TransformerCache cache;
  const Tensor first = layer(x.slice(1, {0, 1}), {.is_causal = true, .cache = &cache});
  const Tensor second = layer(x.slice(1, {1, 2}), {.is_causal = true, .cache = &cache});
  expect_close(cat({first, second}, 1), layer(x, {.is_causal = true}));
}

TEST(NnTransformer, ADecoderWithACacheReadsItsMemoryOnce) {
  manual_seed(3);
  auto options = small();
  options.norm_first = true;
  nn::TransformerDecoder decoder(nn::TransformerDecoderLayer(8, 2, options), 2);
  decoder.eval();
  const Tensor x = randn({2, 4, 8}, f64), memory = randn({2, 5, 8}, f64);
  const Tensor hidden = tensor({{0, 0, 0, 0, 1}, {0, 0, 0, 0, 0}}).to(boolean);
  const Tensor whole = decoder(x, memory, {.memory_key_padding_mask = hidden, .tgt_is_causal = true});
  nn::TransformerCache cache;
  TensorList parts;
  for (std::int64_t t = 0; t < 4; ++t)
    parts.push_back(decoder(x.slice(1, {t, t + 1}), memory,
                            {.memory_key_padding_mask = hidden, .tgt_is_causal = true, .cache = &cache}));
  expect_close(cat(parts, 1), whole);
  EXPECT_EQ(cache.layers[1].memory.length(), 5);
}

TEST(NnTransformer, LayersAreCopiesWithParametersOfTheirOwn) {
  nn::TransformerEncoderLayer layer(8, 2, small());
  nn::TransformerEncoder encoder(layer, 2);
  EXPECT_TRUE(equal(encoder.layers[0].linear1.weight, encoder.layers[1].linear1.weight));
  EXPECT_FALSE(encoder.layers[0].linear1.weight.shares_storage(layer.linear1.weight));
  EXPECT_EQ(encoder.parameters().size(), 24u);
  nn::Transformer all(
      {.d_model = 8, .nhead = 2, .num_encoder_layers = 1, .num_decoder_layers = 1, .layer = small()});
  EXPECT_LE(max(abs(all.decoder.layers[0].linear1.weight)).item(), std::sqrt(6.0 / 17));
  EXPECT_THROW(nn::TransformerEncoder(layer, -1), ValueError);
}

TEST(NnTransformer, NothingLeaksFromTheFuture) {
  nn::TransformerEncoder gpt(nn::TransformerEncoderLayer(8, 2, small()), 2);
  gpt.eval();
  Tensor x = randn({1, 5, 8}, f64).requires_grad_();
  gpt(x, {.is_causal = true}).slice(1, {2, 3}).sum().backward();
  const Tensor g = sum(abs(x.grad()), -1)[0];
  EXPECT_GT(g[2].item(), 0);
  EXPECT_EQ(g[3].item(), 0);
  EXPECT_EQ(g[4].item(), 0);
}

// ---- Positions

TEST(NnPositions, Sinusoidal) {
  nn::SinusoidalPositions p(4, {.max_length = 10});
  expect_values(p(zeros({3, 1, 4}))[2][0], {std::sin(2.0), std::cos(2.0), std::sin(0.02), std::cos(0.02)},
                1e-7);
  nn::SinusoidalPositions q(5, {.max_length = 10, .batch_first = true});
  EXPECT_TRUE(equal(q(zeros({2, 3, 5}), 4)[1][0], q.positions[4]));
  EXPECT_TRUE(q.state_dict().empty());
  EXPECT_EQ(message_of<ValueError>([&] {
              q(zeros({2, 3, 5}), 8);
            }),
            "[SinusoidalPositions] expected positions below max_length = 10, got 8 to 10");
  EXPECT_EQ(message_of<ShapeError>([&] {
              q(zeros({2, 3, 4}));
            }),
            "[SinusoidalPositions] expected 2 or 3 dimensions, the last of 5, got (2, 3, 4)");
  EXPECT_THROW(nn::SinusoidalPositions(0), ValueError);
}

TEST(NnPositions, RotaryProductsDependOnDistances) {
  manual_seed(5);
  const Tensor q = randn({1, 6}), k = randn({1, 6});
  for (bool interleaved : {true, false}) {
    nn::RotaryPositions p(6, {.max_length = 64, .interleaved = interleaved});
    const auto product = [&](std::int64_t i, std::int64_t j) { return sum(p(q, i) * p(k, j)).item(); };
    EXPECT_NEAR(product(3, 1), product(23, 21), 1e-4);
    EXPECT_GT(std::abs(product(3, 1) - product(4, 1)), 1e-3);
    EXPECT_TRUE(equal(p(q), q));  // position 0
    EXPECT_NEAR(vector_norm(p(q, 9)).item(), vector_norm(q).item(), 1e-5);
    // The whole sequence at once, and its end.
    const Tensor x = randn({2, 5, 6});
    EXPECT_TRUE(allclose(p(x).slice(1, {3, 5}), p(x.slice(1, {3, 5}), 3)));
  }
  nn::RotaryPositions p(2, {.max_length = 4}), halves(4, {.interleaved = false});
  expect_values(p(tensor({{1.0, 0.0}}), 3), {std::cos(3.0), std::sin(3.0)}, 1e-6);
  expect_values(halves(tensor({{1.0, 0.0, 0.0, 0.0}}), 1), {std::cos(1.0), 0, std::sin(1.0), 0}, 1e-6);
  EXPECT_EQ(message_of<ValueError>([] { nn::RotaryPositions(3); }),
            "[RotaryPositions] expected an even extent > 0 and max_length > 0, got 3 and 4096");
  EXPECT_EQ(message_of<ShapeError>([&] { p(zeros({3})); }),
            "[RotaryPositions] expected (..., L, 2), got (3,)");
}

// ---- Packed sequences

TEST(NnPositions, AlibiLowersScoresByDistance) {
  nn::AlibiPositions p(8), odd(6);
  expect_values(p.slopes, {0.5, 0.25, 0.125, 0.0625, 0.03125, 0.015625, 0.0078125, 0.00390625}, 0);
  // The paper's code: 4 heads' slopes, then every second of 8 heads'.
  expect_values(odd.slopes, {0.25, 0.0625, 0.015625, 0.00390625, 0.5, 0.125}, 0);
  EXPECT_EQ(p(2, 3).shape(), (Shape{8, 2, 3}));
  expect_values(p(2, 3)[1], {-0.25, 0, -0.25, -0.5, -0.25, 0}, 0);  // queries at positions 1 and 2
  EXPECT_TRUE(p.state_dict().empty());
  std::ostringstream out;
  out << p;
  EXPECT_EQ(out.str(), "AlibiPositions(8)");
  EXPECT_EQ(message_of<ValueError>([&] { p(4, 3); }),
            "[AlibiPositions] expected 0 <= queries <= keys, got 4 and 3");
  EXPECT_THROW(nn::AlibiPositions(0), ValueError);
}

TEST(NnPositions, AlibiServesAsAMask) {
  manual_seed(4);
  nn::AlibiPositions p(2);
  MultiheadAttention m(6, 2, {.batch_first = true, .dtype = f64});
  const Tensor x = randn({3, 5, 6}, f64);
  const auto all = m(x, x, x, {.attn_mask = p(5, 5), .is_causal = true, .average_attn_weights = false});
  EXPECT_TRUE(allclose(all.output,
                       m(x, x, x, {.attn_mask = p(5, 5), .is_causal = true, .need_weights = false}).output));
  const auto plain = m(x, x, x, {.is_causal = true, .average_attn_weights = false});
  // What the bias does to the weights, from the definition.
  const Tensor biased = plain.weights * exp(p(5, 5).to(f64));
  EXPECT_TRUE(allclose(all.weights, biased / sum(biased, -1, true)));
  // Token by token with a cache.
  nn::KeyValueCache cache;
  for (std::int64_t i = 0; i < 5; ++i) {
    const Tensor token = x.slice(1, {i, i + 1});
    const auto one = m(token, token, token, {.attn_mask = p(1, i + 1), .cache = &cache});
    EXPECT_TRUE(allclose(one.output, all.output.slice(1, {i, i + 1}))) << i;
  }
  const Tensor q = randn({3, 2, 4, 6}, f64);
  EXPECT_TRUE(
      allclose(scaled_dot_product_attention(q, q, q, {.attn_mask = p(4, 4)}),
               matmul(softmax(matmul(q, q.transpose(-2, -1)) / std::sqrt(6.0) + p(4, 4).to(f64), -1), q)));
}

TEST(NnPacked, ThereAndBack) {
  const Tensor x = arange(24).reshape({3, 4, 2}).to(f64), lengths = tensor({2, 4, 1});
  const auto packed = nn::pack_padded_sequence(x, lengths, {.batch_first = true, .enforce_sorted = false});
  EXPECT_EQ(packed.batch_sizes, (std::vector<std::int64_t>{3, 2, 1, 1}));
  expect_values(packed.data.slice(1, {0, 1}), {8, 0, 16, 10, 2, 12, 14});
  const auto [padded, back] =
      nn::pad_packed_sequence(packed, {.batch_first = true, .padding_value = -1, .total_length = 5});
  EXPECT_TRUE(equal(back, lengths));
  expect_values(padded.select(2, 0), {0, 2, -1, -1, -1, 8, 10, 12, 14, -1, 16, -1, -1, -1, -1});
  const auto list = nn::pack_sequence({x[1], x[0].slice(0, {0, 2}), x[2].slice(0, {0, 1})});
  EXPECT_TRUE(equal(list.data, packed.data));
}

TEST(NnPacked, RecurrentLayersSeeEachSequenceForItself) {
  manual_seed(8);
  nn::LSTM lstm(2, 3, {.num_layers = 2, .bidirectional = true, .dtype = f64});
  const TensorList sequences{randn({2, 2}, f64), randn({5, 2}, f64), randn({3, 2}, f64)};
  const nn::LSTMState start{randn({4, 3, 3}, f64), randn({4, 3, 3}, f64)};
  const auto packed = nn::pack_sequence(sequences, false);
  const auto [output, state] = lstm(packed, start);
  const Tensor padded = nn::pad_packed_sequence(output).output;
  for (std::int64_t i = 0; i < 3; ++i) {
    const Tensor& x = sequences[static_cast<std::size_t>(i)];
    const auto alone = lstm(x, {start.h.select(1, i), start.c.select(1, i)});
    expect_close(padded.select(1, i).slice(0, {0, x.size(0)}), alone.output);
    expect_close(state.h.select(1, i), alone.state.h);
    expect_close(state.c.select(1, i), alone.state.c);
  }
}

TEST(NnPacked, Errors) {
  const Tensor x = zeros({4, 3, 2});
  EXPECT_EQ(message_of<ShapeError>([&] {
              nn::pack_padded_sequence(x, tensor({1, 2}));
            }),
            "[pack_padded_sequence] expected (L, N, ...) and lengths (N), got (4, 3, 2) and (2,)");
  EXPECT_EQ(message_of<ValueError>([&] {
              nn::pack_padded_sequence(x, tensor({5, 2, 1}));
            }),
            "[pack_padded_sequence] expected lengths from 1 to 4, got 1 to 5");
  EXPECT_EQ(message_of<DtypeError>([&] { nn::pack_padded_sequence(x, ones({3})); }),
            "[pack_padded_sequence] expected i64 lengths, got f32");
  EXPECT_TRUE(contains(message_of<ValueError>([&] {
                         nn::pack_padded_sequence(x, tensor({1, 2, 1}));
                       }),
                       "[pack_padded_sequence] expected lengths that fall, or enforce_sorted = false, got "));
  const auto packed = nn::pack_padded_sequence(x, tensor({4, 2, 1}));
  EXPECT_EQ(message_of<ValueError>([&] { nn::pad_packed_sequence(packed, {.total_length = 3}); }),
            "[pad_packed_sequence] expected a total_length of at least 4, got 3");
  EXPECT_EQ(message_of<ValueError>([] { nn::pad_sequence({}); }),
            "[pad_sequence] expected at least one sequence, got none");
  nn::GRU gru(3, 4);
  EXPECT_EQ(message_of<ShapeError>([&] { gru(packed); }),
            "[GRU] expected packed data (sum of lengths, 3), got (7, 2)");
}

}  // namespace
}  // namespace cadena
