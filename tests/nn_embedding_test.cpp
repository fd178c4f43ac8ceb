// Embedding layers. Their functions are compared with PyTorch's in torch_sequences_test.cpp.
#include <gtest/gtest.h>

#include "autodiff/autodiff.hpp"
#include "messages.hpp"
#include "nn/nn.hpp"
#include "values.hpp"

namespace cadena {
namespace {

TEST(NnEmbedding, LooksUpRowsAndTrainsThem) {
  nn::Embedding layer(5, 3, {.padding_idx = -1, .dtype = f64});
  EXPECT_EQ(layer.state_dict().begin()->first, "weight");
  EXPECT_EQ(layer.weight.shape(), (Shape{5, 3}));
  expect_values(layer.weight[4], {0, 0, 0});
  const Tensor y = layer(tensor({{0, 4}, {2, 2}}));
  EXPECT_EQ(y.shape(), (Shape{2, 2, 3}));
  EXPECT_TRUE(equal(y[1][0], layer.weight[2]));
  sum(y).backward();
  expect_values(layer.weight.grad(), {1, 1, 1, 0, 0, 0, 2, 2, 2, 0, 0, 0, 0, 0, 0});
  layer.reset_parameters();
  expect_values(layer.weight[4], {0, 0, 0});
}

TEST(NnEmbedding, FirstValuesAreStandardNormal) {
  manual_seed(5);
  const nn::Embedding layer(400, 100);
  EXPECT_NEAR(mean(layer.weight).item(), 0, 5 / std::sqrt(40000.0));
  EXPECT_NEAR(var(layer.weight).item(), 1, 5 * std::sqrt(2 / 40000.0));
}

TEST(NnEmbedding, FromGivenRows) {
  const Tensor rows = arange(6, 12, 1, f64).reshape({3, 2});
  auto frozen = nn::Embedding::from_pretrained(rows);
  EXPECT_FALSE(frozen.weight.requires_grad());
  EXPECT_FALSE(frozen.weight.shares_storage(rows));
  expect_values(frozen(tensor({2, 0})), {10, 11, 6, 7});
  auto bag = nn::EmbeddingBag::from_pretrained(rows, false, {.mode = BagMode::max});
  EXPECT_TRUE(bag.weight.requires_grad());
  expect_values(bag(tensor({{2, 0}, {0, 1}})), {10, 11, 8, 9});
  EXPECT_EQ(message_of<ShapeError>([] { nn::Embedding::from_pretrained(ones({3})); }),
            "[Embedding] expected weight (V, D), got (3,)");
}

TEST(NnEmbeddingBag, PassesItsOptionsOn) {
  nn::EmbeddingBag layer(5, 2,
                         {.mode = BagMode::sum, .include_last_offset = true, .padding_idx = 1, .dtype = f64});
  expect_values(layer.weight[1], {0, 0});
  const Tensor at = tensor({0, 1, 3}), offsets = tensor({0, 2, 3}), factors = tensor({2.0, 3.0, -1.0}, f64);
  const Tensor y = layer(at, offsets, factors);
  EXPECT_TRUE(equal(y[0], layer.weight[0] * 2));
  EXPECT_TRUE(equal(y[1], layer.weight[3] * -1));
}

TEST(NnEmbedding, PrintsAsPyTorchDoes) {
  EXPECT_EQ(nn::Embedding(4, 2).to_string(), "Embedding(4, 2)");
  EXPECT_EQ(
      nn::Embedding(4, 2, {.padding_idx = -1, .max_norm = 1.5, .norm_type = 1, .scale_grad_by_freq = true})
          .to_string(),
      "Embedding(4, 2, padding_idx=3, max_norm=1.5, norm_type=1, scale_grad_by_freq=True)");
  EXPECT_EQ(nn::EmbeddingBag(4, 2, {.padding_idx = 0}).to_string(),
            "EmbeddingBag(4, 2, mode='mean', padding_idx=0)");
}

TEST(NnEmbedding, RefusesAPaddingRowOutsideTheTable) {
  EXPECT_EQ(message_of<IndexError>([] { nn::Embedding(4, 2, {.padding_idx = 4}); }),
            "[Embedding] expected padding_idx in [-4, 4), got 4");
  EXPECT_EQ(message_of<IndexError>([] { nn::EmbeddingBag(4, 2, {.padding_idx = -5}); }),
            "[EmbeddingBag] expected padding_idx in [-4, 4), got -5");
}

}  // namespace
}  // namespace cadena
