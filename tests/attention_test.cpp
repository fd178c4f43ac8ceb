// Attention and embeddings: what the op table does not see. Derivatives are proven there.
#include <gtest/gtest.h>

#include <cmath>
#include <functional>

#include "autodiff/autodiff.hpp"
#include "autodiff/memory.hpp"
#include "values.hpp"

namespace cadena {
namespace {

Tensor drawn(const Shape& shape, std::uint64_t seed, DType dtype = f64) {
  Generator g(seed);
  return randn(shape, g, dtype);
}

/// As PyTorch's documentation writes it.
Tensor plain_attention(const Tensor& q, const Tensor& k, const Tensor& v, const Tensor& bias) {
  const double scale = 1 / std::sqrt(static_cast<double>(q.size(-1)));
  Tensor s = matmul(q, transpose(k, -2, -1)) * scale;
  if (bias.defined()) s = s + bias;
  return matmul(softmax(s, -1), v);
}

TEST(Attention, EqualsTheFormulaAcrossBlocks) {
  for (const auto& [queries, keys] : {std::pair{1, 300}, {300, 1}, {128, 128}, {129, 257}, {300, 140}}) {
    const Tensor q = drawn({2, 3, queries, 8}, 1), k = drawn({2, 3, keys, 8}, 2),
                 v = drawn({2, 3, keys, 5}, 3);
    EXPECT_TRUE(allclose(scaled_dot_product_attention(q, k, v), plain_attention(q, k, v, {}), 1e-12, 1e-13));
    const Tensor lower = tril(ones({queries, keys}, f64));
    EXPECT_TRUE(allclose(scaled_dot_product_attention(q, k, v, {.is_causal = true}),
                         plain_attention(q, k, v, log(lower)), 1e-12, 1e-13));
    EXPECT_TRUE(allclose(scaled_dot_product_attention(q, k, v, {.attn_mask = lower > 0}),
                         plain_attention(q, k, v, log(lower)), 1e-12, 1e-13));
  }
}

TEST(Attention, LargeScoresDoNotOverflow) {
  const Tensor q = full({2, 1}, 3000, f32), k = tensor({{1.0}, {2.0}, {-3.0}}),
               v = tensor({{1.0}, {5.0}, {7.0}});
  expect_values(scaled_dot_product_attention(q, k, v), {5, 5});
}

TEST(Attention, QueriesThatSeeNoKeyGiveZerosAndPassNothingOn) {
  const Tensor mask = tensor({{true, true}, {false, false}});
  const Tensor added = tensor({{0.0, 0.0}, {-inf, -inf}}, f64);
  for (const Tensor& m : {mask, added}) {
    TensorList x{drawn({2, 3}, 1), drawn({2, 3}, 2), drawn({2, 4}, 3)};
    for (auto& t : x) t.requires_grad_();
    const Tensor y = scaled_dot_product_attention(x[0], x[1], x[2], {.attn_mask = m});
    expect_values(y[1], {0, 0, 0, 0});
    const auto g = grad(TensorList{y}, x, {}, {ones_like(y)});
    expect_values(g[0][1], {0, 0, 0});
    for (const auto& t : g) EXPECT_TRUE(all(isfinite(t)).item<bool>());
  }
}

TEST(Attention, NaNIsShownInItsRowOnly) {
  Tensor q = drawn({3, 2}, 1);
  q.select(0, 1).fill_(nan);
  const Tensor y = scaled_dot_product_attention(q, drawn({4, 2}, 2), drawn({4, 2}, 3));
  EXPECT_TRUE(all(isnan(y[1])).item<bool>());
  EXPECT_FALSE(any(isnan(y[0])).item<bool>());
  EXPECT_FALSE(any(isnan(y[2])).item<bool>());
}

/// The same numbers as dropout of the probabilities draws, and the generator moves as far.
TEST(Attention, DropsProbabilitiesAsDropoutDoes) {
  const Tensor q = drawn({2, 130, 4}, 1), k = drawn({2, 133, 4}, 2), v = drawn({2, 133, 3}, 3);
  Generator a(7), b(7);
  a.set_position(5), b.set_position(5);
  const Tensor y = scaled_dot_product_attention(q, k, v, {.dropout_p = 0.3, .generator = &a});
  const Tensor p = softmax(matmul(q, transpose(k, -2, -1)) * 0.5, -1);
  EXPECT_TRUE(allclose(y, matmul(dropout(p, 0.3, true, b), v), 1e-12, 1e-13));
  EXPECT_EQ(a.position(), b.position());
}

TEST(Attention, GroupsOfHeadsShareKeysAndValues) {
  const Tensor q = drawn({2, 6, 5, 4}, 1), k = drawn({2, 2, 7, 4}, 2), v = drawn({2, 2, 7, 3}, 3);
  const Tensor mask = drawn({6, 5, 7}, 4) > -1;
  const Tensor y = scaled_dot_product_attention(q, k, v, {.attn_mask = mask, .enable_gqa = true});
  EXPECT_TRUE(equal(y, scaled_dot_product_attention(q, repeat_interleave(k, 3, 1), repeat_interleave(v, 3, 1),
                                                    {.attn_mask = mask})));
}

/// Heads of a projection (N, L, H, E) are read where they lie, and threads do not change a bit.
TEST(Attention, ReadsStridedHeads) {
  const Tensor x = drawn({2, 70, 3, 8}, 1, f32);
  const auto heads = [](const Tensor& t) { return t.transpose(1, 2); };
  const Tensor packed = contiguous(heads(x));
  const auto before = memory_stats().live_bytes;
  const Tensor y = scaled_dot_product_attention(heads(x), heads(x), heads(x));
  EXPECT_LE(memory_stats().live_bytes - before, packed.numel() * 4 * 5 / 4 + 8192);
  EXPECT_TRUE(equal(y, scaled_dot_product_attention(packed, packed, packed)));
}

/// What the pool took from the system for a step, which is the most that was in use at a time.
std::int64_t taken(const std::function<void()>& step) {
  trim_memory();
  const auto before = memory_stats().reserved_bytes;
  step();
  return memory_stats().reserved_bytes - before;
}

TEST(Attention, MemoryIsLinearInTheSequence) {
  constexpr std::int64_t n = 4096, scores = n * n * 4;
  const auto step = [](const Tensor& mask) {
    TensorList x{drawn({n, 8}, 1, f32), drawn({n, 8}, 2, f32), drawn({n, 8}, 3, f32)};
    for (auto& t : x) t.requires_grad_();
    sum(scaled_dot_product_attention(x[0], x[1], x[2], {.attn_mask = mask})).backward();
  };
  EXPECT_LT(taken([&] { step({}); }), scores / 8);
  Tensor bias = zeros({n, n}).requires_grad_();  // and this one asks for all of them
  EXPECT_GT(taken([&] { step(bias); }), scores);
}

TEST(Embedding, PaddingRowIsAConstant) {
  Tensor w = drawn({4, 2}, 1).requires_grad_();
  const Tensor y = embedding(tensor({{3, 1}, {1, 0}}), w, {.padding_idx = -1});
  EXPECT_TRUE(equal(y[0][0], w[3]));
  Tensor seed = ones_like(y);
  seed.select(0, 0).select(0, 0).fill_(nan);
  expect_values(grad(y, w, {.retain_graph = true}, seed), {1, 1, 2, 2, 0, 0, 0, 0});
  expect_values(jvp_replay({y}, {w}, {ones_like(w)})[0], {0, 0, 1, 1, 1, 1, 1, 1});
}

TEST(Embedding, ScalesGradientsByFrequency) {
  Tensor w = drawn({3, 1}, 1).requires_grad_();
  const Tensor y = embedding(tensor({2, 0, 2, 2}), w, {.scale_grad_by_freq = true});
  expect_values(grad(y, w, {}, tensor({{1.0}, {2.0}, {3.0}, {5.0}}, f64)), {2, 0, 3});
}

TEST(Embedding, ShortensTheRowsItUses) {
  Tensor w = tensor({{3.0, 4.0}, {0.3, 0.4}, {6.0, 8.0}}, f64).requires_grad_();
  const Tensor y = embedding(tensor({1, 0, 0}), w, {.max_norm = 1});
  expect_values(w, {0.6, 0.8, 0.3, 0.4, 6, 8}, 1e-7);
  EXPECT_TRUE(equal(y[1], w[0]));
  sum(y).backward();
  expect_values(w.grad(), {2, 2, 1, 1, 0, 0});
  embedding(tensor({2}), w, {.max_norm = 7, .norm_type = 1});
  expect_values(w[2], {3, 4}, 1e-7);
}

TEST(EmbeddingBag, EmptyBagsGiveZeros) {
  const Tensor w = drawn({4, 3}, 1);
  for (auto mode : {BagMode::sum, BagMode::mean, BagMode::max}) {
    const Tensor y = embedding_bag(tensor({2, 2, 1}), w, tensor({0, 0, 3}), {.mode = mode, .padding_idx = 1});
    expect_values(y[0], {0, 0, 0});
    expect_values(y[2], {0, 0, 0});
    EXPECT_TRUE(allclose(y[1], mode == BagMode::sum ? w[2] * 2 : w[2]));
  }
}

TEST(EmbeddingBag, ScalesGradientsByFrequency) {
  Tensor w = drawn({7, 3}, 1).requires_grad_();
  const Tensor at = tensor({{2, 0}, {2, 5}, {6, 2}});
  const Tensor y = embedding_bag(at, w, {}, {.scale_grad_by_freq = true, .mode = BagMode::sum});
  const Tensor rows = sum(embedding(at, w, {.scale_grad_by_freq = true}), 1);
  EXPECT_TRUE(allclose(y, rows, 1e-15));
  const Tensor seed = drawn(y.shape(), 2), t = drawn(w.shape(), 3);
  EXPECT_TRUE(allclose(jvp_replay({y}, {w}, {t})[0], jvp_replay({rows}, {w}, {t})[0], 1e-14));
  EXPECT_TRUE(allclose(grad(y, w, {}, seed), grad(rows, w, {}, seed), 1e-14));
}

TEST(EmbeddingBag, EntriesAfterTheLastOffsetAreLeftOut) {
  Tensor w = drawn({4, 2}, 1).requires_grad_();
  const Tensor y = embedding_bag(tensor({1, 2, 3}), w, tensor({0, 1, 2}), {.include_last_offset = true});
  EXPECT_TRUE(equal(y, w.slice(0, {1, 3})));
  expect_values(grad(sum(y), w), {0, 0, 1, 1, 1, 1, 0, 0});
}

TEST(EmbeddingBag, OfEqualMaximaTheFirstGetsTheGradient) {
  Tensor w = tensor({{1.0, 5.0}, {1.0, 5.0}, {nan, 0.0}}, f64).requires_grad_();
  const Tensor y = embedding_bag(tensor({{1, 0}, {0, 2}}), w, {}, {.mode = BagMode::max});
  expect_values(y, {1, 5, nan, 5});
  expect_values(grad(y, w, {}, ones_like(y)), {0, 1, 1, 1, 1, 0});
}

}  // namespace
}  // namespace cadena
