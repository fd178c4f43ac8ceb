// Data sets in memory and the loader: order, determinism, workers, exceptions, leaving early, resuming.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <iterator>
#include <numeric>
#include <set>
#include <span>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "autodiff/autodiff.hpp"
#include "data/data.hpp"

namespace cadena::data {
namespace {

using Longs = std::vector<std::int64_t>;

static_assert(Dataset<TensorDataset>);
static_assert(std::input_iterator<DataLoader::Iterator>);

/// Sample i is (i, 10 i).
TensorDataset numbers(std::int64_t n) { return {arange(n), arange(0, 10 * n, 10)}; }

std::vector<Longs> epoch(DataLoader& loader) {
  std::vector<Longs> batches;
  for (auto [x, y] : loader) {
    batches.push_back(x.to_vector<std::int64_t>());
    auto expected = batches.back();
    for (auto& v : expected) v *= 10;
    EXPECT_EQ(y.to_vector<std::int64_t>(), expected);
  }
  return batches;
}

Longs flat(const std::vector<Longs>& batches) {
  Longs all;
  for (const auto& b : batches) all.insert(all.end(), b.begin(), b.end());
  return all;
}

Longs counting(std::int64_t n) {
  Longs all(static_cast<std::size_t>(n));
  std::iota(all.begin(), all.end(), 0);
  return all;
}

TEST(TensorDataset, TakesRowsOfAnyDtypeAndLayout) {
  const TensorDataset d(tensor({{1.0, 2.0, 3.0}, {4.0, 5.0, 6.0}}).t(), tensor({true, false, true}));
  EXPECT_EQ(d.size(), 3);
  const Longs rows{2, 0, 2};
  const auto [x, y] = d.batch(rows);
  EXPECT_TRUE(equal(x, tensor({{3.0, 6.0}, {1.0, 4.0}, {3.0, 6.0}})));
  EXPECT_TRUE(equal(y, tensor({true, true, true})));
  EXPECT_EQ(d.batch({}).x.shape(), (Shape{0, 2}));
}

TEST(TensorDataset, RefusesWhatDoesNotFit) {
  EXPECT_THROW(TensorDataset(zeros({2}), zeros({3})), ShapeError);
  EXPECT_THROW(TensorDataset(tensor(1.0), zeros({1})), ShapeError);
  const auto d = numbers(3);
  EXPECT_THROW(d.batch(Longs{3}), IndexError);
  EXPECT_THROW(d.batch(Longs{0, -1}), IndexError);
}

TEST(TensorDataset, IsDetached) {
  const TensorDataset d(zeros({2}).requires_grad_(), zeros({2}));
  EXPECT_FALSE(d.batch(Longs{0}).x.requires_grad());
}

TEST(ImageDataset, ScalesBytesAndChecksCounts) {
  const std::vector<std::uint8_t> bytes{0, 255, 51, 102, 153, 204}, two{7, 3};
  const auto d = image_dataset(bytes, two, 1, 3);
  EXPECT_EQ(d.x().shape(), (Shape{2, 1, 3}));
  EXPECT_FLOAT_EQ(d.x().to_vector<float>()[2], 0.2F);
  EXPECT_TRUE(equal(d.y(), tensor({7, 3})));
  EXPECT_THROW(image_dataset(bytes, two, 1, 2), ShapeError);
  EXPECT_THROW(image_dataset(bytes, two, -1, -3), ShapeError);
  const auto drawn = image_dataset(draw_digits(20, 1));
  EXPECT_EQ(drawn.x().shape(), (Shape{20, 28, 28}));
}

TEST(DataLoader, WalksInOrderWithoutShuffle) {
  DataLoader loader(numbers(7), {.batch_size = 3});
  EXPECT_EQ(loader.size(), 3);
  EXPECT_EQ(epoch(loader), (std::vector<Longs>{{0, 1, 2}, {3, 4, 5}, {6}}));
  EXPECT_EQ(flat(epoch(loader)), counting(7));
}

TEST(DataLoader, DropsTheLastBatchIfAsked) {
  DataLoader loader(numbers(7), {.batch_size = 3, .drop_last = true});
  EXPECT_EQ(loader.size(), 2);
  EXPECT_EQ(epoch(loader), (std::vector<Longs>{{0, 1, 2}, {3, 4, 5}}));
  DataLoader exact(numbers(6), {.batch_size = 3, .drop_last = true});
  EXPECT_EQ(exact.size(), 2);
  DataLoader none(numbers(2), {.batch_size = 3, .drop_last = true});
  EXPECT_TRUE(epoch(none).empty());
}

TEST(DataLoader, TakesEmptyData) {
  for (const int workers : {0, 2}) {
    DataLoader loader(numbers(0), {.batch_size = 3, .workers = workers});
    EXPECT_EQ(loader.size(), 0);
    EXPECT_TRUE(epoch(loader).empty());
  }
}

TEST(DataLoader, ShufflesEveryEpochAnewAndReproducibly) {
  const LoaderOptions options{.batch_size = 10, .shuffle = true, .seed = 5};
  DataLoader a(numbers(100), options), b(numbers(100), options);
  std::set<Longs> orders;
  for (int e = 0; e < 5; ++e) {
    const auto order = epoch(a);
    EXPECT_EQ(order, epoch(b));
    auto sorted = flat(order);
    orders.insert(sorted);
    std::sort(sorted.begin(), sorted.end());
    EXPECT_EQ(sorted, counting(100));
  }
  EXPECT_EQ(orders.size(), 5U);
  DataLoader c(numbers(100), {.batch_size = 10, .shuffle = true, .seed = 6});
  EXPECT_EQ(orders.count(flat(epoch(c))), 0U);
}

TEST(DataLoader, DoesNotDisturbTheDefaultGenerator) {
  manual_seed(3);
  const auto undisturbed = Generator(3).next();
  DataLoader loader(numbers(10), {.shuffle = true});
  epoch(loader);
  EXPECT_EQ(default_generator().next(), undisturbed);
}

/// Takes longer for some batches than for others, and draws random numbers.
struct Uneven {
  std::int64_t size() const { return 60; }
  Batch batch(std::span<const std::int64_t> indices) const {
    std::this_thread::sleep_for(std::chrono::microseconds(indices[0] % 3 * 700));
    return {tensor(Longs(indices.begin(), indices.end())), rand({3})};
  }
};

TEST(DataLoader, GivesTheSameForAnyNumberOfWorkers) {
  std::vector<std::vector<Tensor>> runs;
  for (const int workers : {0, 1, 2, 5, 40})
    for (const int prefetch : {1, 3}) {
      DataLoader loader(
          Uneven{}, {.batch_size = 4, .shuffle = true, .seed = 2, .workers = workers, .prefetch = prefetch});
      runs.emplace_back();
      for (int e = 0; e < 2; ++e)
        for (auto [x, y] : loader) {
          runs.back().push_back(x);
          runs.back().push_back(y);
        }
    }
  for (const auto& run : runs) {
    ASSERT_EQ(run.size(), 60U);
    for (std::size_t i = 0; i < run.size(); ++i) EXPECT_TRUE(equal(run[i], runs[0][i])) << i;
  }
  EXPECT_FALSE(equal(runs[0][1], runs[0][3]));
  EXPECT_FALSE(equal(runs[0][1], runs[0][31]));
}

/// Waits until `done` or, where a property is broken, for longer than any machine needs.
template <class Done>
bool eventually(Done done) {
  const auto limit = std::chrono::steady_clock::now() + std::chrono::minutes(1);
  while (!done() && std::chrono::steady_clock::now() < limit)
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  return done();
}

/// What the batches of a loader have seen.
struct Sightings {
  std::atomic<int> inside = 0, most = 0, begun = 0, loaded = 0;
  std::atomic<int> handed = 1;  // counted by the reader before it asks
  std::atomic<bool> too_far = false;
};

/// No batch is ready before three threads have been loading at the same time.
struct Watched {
  Sightings* seen;
  std::int64_t size() const { return 40; }
  Batch batch(std::span<const std::int64_t>) const {
    if (++seen->begun > seen->handed + 6) seen->too_far = true;
    const int n = ++seen->inside;
    int most = seen->most;
    while (n > most && !seen->most.compare_exchange_weak(most, n)) continue;
    eventually([&] { return seen->most >= 3; });
    --seen->inside;
    ++seen->loaded;
    return {};
  }
};

TEST(DataLoader, WorkersWorkAtTheSameTimeAndNotTooFarAhead) {
  Sightings seen;
  DataLoader loader(Watched{&seen}, {.workers = 3, .prefetch = 2});
  auto it = loader.begin();
  EXPECT_EQ(seen.most, 3);
  EXPECT_TRUE(eventually([&] { return seen.loaded >= 7; }));  // the one handed out, and 3 * 2 ahead
  for (; it != loader.end(); ++it) ++seen.handed;
  EXPECT_EQ(seen.loaded, 40);
  EXPECT_FALSE(seen.too_far);
}

/// Fails for one sample.
struct Faulty {
  std::int64_t bad;
  std::int64_t size() const { return 20; }
  Batch batch(std::span<const std::int64_t> indices) const {
    if (indices[0] == bad) throw std::out_of_range("sample " + std::to_string(bad));
    return {tensor(Longs(indices.begin(), indices.end())), {}};
  }
};

TEST(DataLoader, ExceptionsArriveWhereTheirBatchIsDue) {
  for (const int workers : {0, 1, 4}) {
    DataLoader loader(Faulty{7}, {.workers = workers, .prefetch = 4});
    std::int64_t next = 0;
    EXPECT_THROW(for (auto [x, y] : loader) EXPECT_EQ(x.item<std::int64_t>(), next++), std::out_of_range);
    EXPECT_EQ(next, 7);
    EXPECT_EQ(loader.state(), (LoaderState{0, 7}));
  }
}

TEST(DataLoader, WalkCanGoOnAfterAnException) {
  for (const int workers : {0, 2}) {
    DataLoader loader(Faulty{7}, {.workers = workers});
    Longs seen;
    auto it = loader.begin();
    while (it != loader.end()) {
      seen.push_back(it->x.item<std::int64_t>());
      if (seen.back() == 6) {
        EXPECT_THROW(++it, std::out_of_range);
      }
      ++it;
    }
    auto expected = counting(20);
    expected.erase(expected.begin() + 7);
    EXPECT_EQ(seen, expected);
  }
}

TEST(DataLoader, ExceptionForTheFirstBatchLeavesALoaderThatCanBeUsed) {
  for (const int workers : {0, 3}) {
    DataLoader loader(Faulty{0}, {.workers = workers});
    EXPECT_THROW(loader.begin(), std::out_of_range);
    EXPECT_THROW(loader.begin(), std::out_of_range);
    loader.restore({0, 1});
    EXPECT_EQ(loader.begin()->x.item<std::int64_t>(), 1);
  }
}

TEST(DataLoader, LeavingEarlyDoesNotHang) {
  for (int repeat = 0; repeat < 50; ++repeat)
    for (const int workers : {1, 2, 5}) {
      DataLoader loader(Uneven{}, {.batch_size = 2, .workers = workers, .prefetch = 1 + repeat % 3});
      int n = 0;
      for (auto [x, y] : loader)
        if (++n > repeat % 7) break;
      auto it = loader.begin();
    }
}

TEST(DataLoader, NextLoopBeginsTheNextEpochAlsoAfterABreak) {
  const LoaderOptions options{.batch_size = 5, .shuffle = true, .seed = 1};
  DataLoader a(numbers(20), options), b(numbers(20), options);
  epoch(a);
  for (auto [x, y] : b) break;
  EXPECT_EQ(b.state(), (LoaderState{0, 1}));
  EXPECT_EQ(epoch(a), epoch(b));
}

TEST(DataLoader, ResumesAnywhere) {
  for (const int workers : {0, 2}) {
    const LoaderOptions options{.batch_size = 3, .shuffle = true, .seed = 8, .workers = workers};
    DataLoader whole(numbers(14), options);
    std::vector<Longs> all;
    std::vector<LoaderState> states{whole.state()};
    for (int e = 0; e < 3; ++e)
      for (auto [x, y] : whole) {
        all.push_back(x.to_vector<std::int64_t>());
        states.push_back(whole.state());
      }
    EXPECT_EQ(whole.state(), (LoaderState{3, 0}));
    for (std::size_t k = 0; k < all.size(); ++k) {
      DataLoader resumed(numbers(14), options);
      resumed.restore(states[k]);
      EXPECT_EQ(resumed.state(), states[k]);
      std::vector<Longs> rest;
      while (rest.size() < all.size() - k)
        for (auto [x, y] : resumed) rest.push_back(x.to_vector<std::int64_t>());
      EXPECT_TRUE(std::equal(rest.begin(), rest.end(), all.begin() + static_cast<std::ptrdiff_t>(k))) << k;
    }
  }
}

TEST(DataLoader, OutlivesItsNameThroughItsIterator) {
  auto it = DataLoader(numbers(9), {.batch_size = 4, .workers = 2}).begin();
  ++it;
  EXPECT_EQ(it->x.to_vector<std::int64_t>(), (Longs{4, 5, 6, 7}));
}

TEST(DataLoader, ServesATemporaryInAForLoop) {
  int n = 0;
  for (auto [x, y] : DataLoader(numbers(9), {.batch_size = 4})) n += static_cast<int>(x.numel());
  EXPECT_EQ(n, 9);
}

TEST(DataLoader, RefusesWrongOptions) {
  const auto d = numbers(5);
  EXPECT_THROW(DataLoader(d, {.batch_size = 0}), ValueError);
  EXPECT_THROW(DataLoader(d, {.workers = -1}), ValueError);
  EXPECT_THROW(DataLoader(d, {.prefetch = 0}), ValueError);
  DataLoader loader(d, {.batch_size = 2});
  EXPECT_THROW(loader.restore({0, 4}), ValueError);
  EXPECT_THROW(loader.restore({0, -1}), ValueError);
  EXPECT_THROW(loader.restore({-1, 0}), ValueError);
  loader.restore({2, 3});
  EXPECT_TRUE(epoch(loader).empty());
  EXPECT_EQ(loader.state(), (LoaderState{3, 0}));
}

}  // namespace
}  // namespace cadena::data
