#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <set>

#include "autodiff/autodiff.hpp"
#include "data/data.hpp"
#include "messages.hpp"

namespace cadena::data {
namespace {

using Longs = std::vector<std::int64_t>;

Longs counting(std::int64_t n) {
  Longs all(static_cast<std::size_t>(n));
  std::iota(all.begin(), all.end(), 0);
  return all;
}
Longs sorted(Longs v) {
  std::sort(v.begin(), v.end());
  return v;
}

TEST(Samplers, SequentialAndRandom) {
  EXPECT_EQ(sequential_sampler(4).order(Generator(1)), counting(4));
  const Sampler random = random_sampler(50);
  EXPECT_EQ(random.size, 50);
  const Longs once = random.order(Generator(1));
  EXPECT_EQ(sorted(once), counting(50));
  EXPECT_NE(once, counting(50));
  EXPECT_EQ(random.order(Generator(1)), once);
  EXPECT_NE(random.order(Generator(2)), once);
  EXPECT_EQ(sorted(subset_sampler({9, 3, 3}).order(Generator(1))), (Longs{3, 3, 9}));
  EXPECT_TRUE(random_sampler(0).order(Generator(1)).empty());
  EXPECT_THROW(random_sampler(-1), ValueError);
  EXPECT_THROW(sequential_sampler(-1), ValueError);
}

TEST(Samplers, WeightsAreProbabilities) {
  const std::vector<double> weights = {1, 0, 3, 6, 0};
  std::vector<int> count(5);
  const std::int64_t draws = 20000;
  for (const auto i : weighted_sampler(tensor(weights), draws).order(Generator(4)))
    ++count[static_cast<std::size_t>(i)];
  for (std::size_t i = 0; i < 5; ++i) {
    const double p = weights[i] / 10, expected = p * static_cast<double>(draws);
    EXPECT_LE(std::abs(count[i] - expected), 5 * std::sqrt(expected * (1 - p))) << i;
  }
}

TEST(Samplers, WeightedWithoutReplacementTakesEachOnce) {
  const Sampler s = weighted_sampler(tensor({1.0, 0.0, 3.0, 6.0}), 3, false);
  int heaviest_first = 0;
  for (std::uint64_t seed = 0; seed < 2000; ++seed) {
    const Longs order = s.order(Generator(seed));
    EXPECT_EQ(sorted(order), (Longs{0, 2, 3}));
    heaviest_first += order[0] == 3 ? 1 : 0;
  }
  EXPECT_NEAR(heaviest_first, 1200, 5 * std::sqrt(2000 * 0.6 * 0.4));
}

TEST(Samplers, WeightsAreChecked) {
  EXPECT_THROW(weighted_sampler(ones({2, 2}), 1), ShapeError);
  EXPECT_THROW(weighted_sampler(tensor({1.0, -1.0}), 1), ValueError);
  EXPECT_THROW(weighted_sampler(tensor({1.0, std::nan("")}), 1), ValueError);
  EXPECT_THROW(weighted_sampler(tensor({1.0, HUGE_VAL}, f64), 1), ValueError);
  EXPECT_THROW(weighted_sampler(tensor({1e308, 1e308}, f64), 1), ValueError);
  EXPECT_THROW(weighted_sampler(zeros({3}), 1), ValueError);
  EXPECT_THROW(weighted_sampler(ones({3}), -1), ValueError);
  EXPECT_NO_THROW(weighted_sampler(zeros({3}), 0));
  EXPECT_EQ(message_of<ValueError>([] {
              weighted_sampler(tensor({1.0, 0.0}), 2, false);
            }),
            "[weighted_sampler] expected 2 positive weights, got 1");
}

TEST(Samplers, StratifiedStretchesHaveAllClassesInTheirShares) {
  Longs labels(100);
  for (std::size_t i = 0; i < 100; ++i) labels[i] = i < 10 ? 7 : i < 40 ? -2 : 0;  // 10, 30 and 60 %
  const Sampler s = stratified_sampler(tensor(labels));
  const Longs order = s.order(Generator(3));
  EXPECT_EQ(sorted(order), counting(100));
  EXPECT_NE(order, s.order(Generator(4)));
  for (std::size_t begin = 0; begin < 100; begin += 20) {
    std::map<std::int64_t, int> count;
    for (std::size_t k = begin; k < begin + 20; ++k) ++count[labels[static_cast<std::size_t>(order[k])]];
    EXPECT_NEAR(count[7], 2, 1);
    EXPECT_NEAR(count[-2], 6, 1);
    EXPECT_NEAR(count[0], 12, 2);
  }
  EXPECT_THROW(stratified_sampler(ones({3})), DtypeError);
  EXPECT_THROW(stratified_sampler(zeros({3, 1}, i64)), ShapeError);
}

TEST(Samplers, BatchesAreCut) {
  const auto sizes = [](const BatchSampler& s) {
    Longs sizes;
    for (const auto& batch : s.batches(Generator(1)))
      sizes.push_back(static_cast<std::int64_t>(batch.size()));
    EXPECT_EQ(static_cast<std::int64_t>(sizes.size()), s.size);
    return sizes;
  };
  EXPECT_EQ(sizes(batch_sampler(random_sampler(7), 3)), (Longs{3, 3, 1}));
  EXPECT_EQ(sizes(batch_sampler(random_sampler(7), 3, true)), (Longs{3, 3}));
  EXPECT_EQ(sizes(batch_sampler(random_sampler(0), 3)), Longs{});
  EXPECT_THROW(batch_sampler(random_sampler(7), 0), ValueError);
}

TEST(Samplers, BucketsHaveSimilarLengths) {
  Generator g(1);
  const Tensor lengths = randint(1, 500, {1000}, g);
  const auto length = lengths.to_vector<std::int64_t>();
  const BatchSampler s = bucket_sampler(lengths, 10);
  EXPECT_EQ(s.size, 100);
  Longs all;
  std::int64_t padding = 0;
  for (const auto& batch : s.batches(Generator(2))) {
    std::int64_t longest = 0;
    for (const auto i : batch) longest = std::max(longest, length[static_cast<std::size_t>(i)]);
    for (const auto i : batch) padding += longest - length[static_cast<std::size_t>(i)];
    all.insert(all.end(), batch.begin(), batch.end());
  }
  EXPECT_EQ(sorted(all), counting(1000));
  EXPECT_LT(padding, 1000 * 10);  // in random batches it is about 200 each
  EXPECT_NE(s.batches(Generator(2)), s.batches(Generator(3)));
  EXPECT_EQ(bucket_sampler(arange(7), 3, true).size, 2);
  EXPECT_THROW(bucket_sampler(lengths, 0), ValueError);
}

}  // namespace
}  // namespace cadena::data
