// Data sets made of others, and loading them sample by sample; samplers, transforms, folders and toy data
// have sources of their own in data_sets/.
#include <gtest/gtest.h>

#include <atomic>
#include <set>
#include <stdexcept>

#include "autodiff/autodiff.hpp"
#include "data/data.hpp"
#include "messages.hpp"

namespace cadena::data {
namespace {

using Longs = std::vector<std::int64_t>;

static_assert(SampleDataset<TensorDataset> && SampleDataset<AnyDataset> && SampleDataset<ImageFolder>);
static_assert(!Dataset<AnyDataset>);

/// Sample i is (i, 10 i).
TensorDataset numbers(std::int64_t n, std::int64_t from = 0) {
  return {arange(from, from + n), arange(from * 10, (from + n) * 10, 10)};
}

Longs all_x(const AnyDataset& d) {
  Longs values;
  for (std::int64_t i = 0; i < d.size(); ++i) {
    const Sample s = d.get(i);
    values.push_back(s.x.item<std::int64_t>());
    EXPECT_EQ(s.y.item<std::int64_t>(), 10 * values.back());
  }
  return values;
}

TEST(AnyDataset, ChecksIndices) {
  const AnyDataset d = numbers(3);
  EXPECT_EQ(all_x(d), (Longs{0, 1, 2}));
  for (const std::int64_t i : {-1, 3}) EXPECT_THROW(d.get(i), IndexError);
  EXPECT_THROW(numbers(3).get(3), IndexError);
  EXPECT_EQ(message_of<IndexError>([&] { d.get(3); }),
            "[AnyDataset::get] expected an index in [0, 3), got 3");
  EXPECT_THROW(AnyDataset(-1, {}), ValueError);
}

TEST(Compose, MapSubsetConcat) {
  const AnyDataset twice = map(numbers(4), [](Sample s) { return Sample{s.x * 2, s.y * 2}; });
  EXPECT_EQ(all_x(twice), (Longs{0, 2, 4, 6}));
  EXPECT_EQ(all_x(subset(twice, {3, 0, 3})), (Longs{6, 0, 6}));
  EXPECT_EQ(all_x(concat({numbers(2), numbers(0), numbers(3, 7), numbers(0)})), (Longs{0, 1, 7, 8, 9}));
  EXPECT_EQ(concat({}).size(), 0);
  EXPECT_EQ(map_x(numbers(3), [](const Tensor& x) { return x + 5; }).get(2).x.item(), 7);
  EXPECT_EQ(message_of<IndexError>([] {
              subset(numbers(3), {0, 3});
            }),
            "[subset] expected an index in [0, 3), got 3");
}

TEST(RandomSplit, DealsEverySampleOnce) {
  const auto sizes = [](std::int64_t n, const std::vector<double>& lengths) {
    Generator g(3);
    Longs sizes;
    std::set<std::int64_t> seen;
    for (const AnyDataset& part : random_split(numbers(n), lengths, g)) {
      sizes.push_back(part.size());
      for (const auto x : all_x(part)) EXPECT_TRUE(seen.insert(x).second);
    }
    EXPECT_EQ(static_cast<std::int64_t>(seen.size()), n);
    return sizes;
  };
  EXPECT_EQ(sizes(10, {0.8, 0.2}), (Longs{8, 2}));
  EXPECT_EQ(sizes(10, {7, 3}), (Longs{7, 3}));
  EXPECT_EQ(sizes(11, {0.5, 0.25, 0.25}), (Longs{6, 3, 2}));  // 5, 2, 2 and two left over
  EXPECT_EQ(sizes(1, {1}), (Longs{1}));
  EXPECT_EQ(sizes(1, {1, 0}), (Longs{1, 0}));
  EXPECT_EQ(sizes(0, {0.5, 0.5}), (Longs{0, 0}));
  for (const std::vector<double>& bad : {std::vector<double>{5, 4}, {0.5, 0.4}, {-1, 11}, {9.5, 0.5}, {}})
    EXPECT_THROW(sizes(10, bad), ValueError);
  Generator a(1), b(1), c(2);
  const auto first = [](Generator& g) { return all_x(random_split(numbers(50), {0.5, 0.5}, g)[0]); };
  const Longs once = first(a);
  EXPECT_EQ(once, first(b));
  EXPECT_NE(once, first(c));
}

TEST(Cache, MakesEverySampleOnceAlsoForSeveralWorkers) {
  std::atomic<int> made{0};
  const AnyDataset d = cache(map(numbers(40), [&](Sample s) {
    ++made;
    return s;
  }));
  DataLoader loader(concat({d, d}), {.batch_size = 7, .shuffle = true, .workers = 3});
  for (int epoch = 0; epoch < 2; ++epoch)
    for ([[maybe_unused]] auto& batch : loader) {
    }
  EXPECT_EQ(made, 40);
}

TEST(Cache, TriesAgainAfterAnException) {
  int tries = 0;
  const AnyDataset d = cache(map(numbers(1), [&](Sample s) {
    if (++tries == 1) throw std::runtime_error("not yet");
    return s;
  }));
  EXPECT_THROW(d.get(0), std::runtime_error);
  EXPECT_NO_THROW(d.get(0));
  EXPECT_NO_THROW(d.get(0));
  EXPECT_EQ(tries, 2);
}

TEST(Windows, CutSeries) {
  const Tensor series = arange(10).reshape({5, 2});
  const AnyDataset d = windows(series, 2, 1);
  ASSERT_EQ(d.size(), 3);
  EXPECT_TRUE(equal(d.get(2).x, tensor({{4, 5}, {6, 7}})));
  EXPECT_TRUE(equal(d.get(2).y, tensor({{8, 9}})));
  EXPECT_EQ(windows(series, 2, 1, 2).size(), 2);
  EXPECT_EQ(windows(series, 2, 3).size(), 1);
  EXPECT_THROW(windows(series, 3, 3), ShapeError);
  EXPECT_THROW(windows(series, 0, 1), ValueError);
  EXPECT_THROW(windows(series, 1, 1, 0), ValueError);

  const AnyDataset next = next_windows(arange(7), 3, 2);
  ASSERT_EQ(next.size(), 2);
  EXPECT_TRUE(equal(next.get(1).x, tensor({2, 3, 4})));
  EXPECT_TRUE(equal(next.get(1).y, tensor({3, 4, 5})));
  EXPECT_EQ(next_windows(arange(4), 3).size(), 1);
  EXPECT_THROW(next_windows(arange(3), 3), ShapeError);
  EXPECT_EQ(message_of<ShapeError>([&] { windows(full({}, 1), 1); }),
            "[windows] expected at least 2 values along the first axis, got shape ()");
}

TEST(DefaultCollate, StacksAndRefusesWhatDoesNotFit) {
  const std::vector<Sample> samples = {{tensor({1.0, 2.0}), full({}, 0, i64)},
                                       {tensor({3.0, 4.0}), full({}, 1, i64)}};
  const Batch batch = default_collate(samples);
  EXPECT_TRUE(equal(batch.x, tensor({{1.0, 2.0}, {3.0, 4.0}})));
  EXPECT_TRUE(equal(batch.y, tensor({0, 1})));
  EXPECT_TRUE(equal(default_collate(std::vector<Sample>{{arange(6).reshape({2, 3}).t(), ones({})}}).x,
                    tensor({{{0, 3}, {1, 4}, {2, 5}}})));
  const auto collate = [](const Sample& a, const Sample& b) { default_collate(std::vector<Sample>{a, b}); };
  EXPECT_EQ(message_of<ShapeError>([&] {
              collate({ones({2}), ones({})}, {ones({3}), ones({})});
            }),
            "[default_collate] expected samples of one shape, got (2,) and (3,)");
  EXPECT_EQ(message_of<DtypeError>([&] {
              collate({ones({2}), ones({})}, {ones({2}), ones({}, f64)});
            }),
            "[default_collate] expected samples of one dtype, got f32 and f64");
  EXPECT_THROW(default_collate({}), ValueError);
}

// ---- the loader over samples ----

/// Sample i with a random number for y, as augmentation would draw it.
AnyDataset noisy(std::int64_t n) {
  return map(numbers(n), [](Sample s) { return Sample{s.x, rand({3})}; });
}

std::vector<Batch> epoch(DataLoader& loader) {
  std::vector<Batch> batches;
  for (auto& batch : loader) batches.push_back(batch);
  return batches;
}

void expect_same(const std::vector<Batch>& a, const std::vector<Batch>& b) {
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    EXPECT_TRUE(equal(a[i].x, b[i].x)) << i;
    EXPECT_TRUE(equal(a[i].y, b[i].y)) << i;
  }
}

TEST(SampleLoader, RandomDrawsAreTheSameForAnyWorkersAndBatchSize) {
  DataLoader reference(noisy(23), {.batch_size = 4, .shuffle = true, .seed = 5});
  const auto first = epoch(reference), second = epoch(reference);
  for (const int workers : {1, 2, 5}) {
    DataLoader loader(noisy(23), {.batch_size = 4, .shuffle = true, .seed = 5, .workers = workers});
    expect_same(first, epoch(loader));
    expect_same(second, epoch(loader));
  }
  std::set<float> draws;
  for (const auto* batches : {&first, &second})
    for (const Batch& b : *batches)
      for (const float v : b.y.to_vector<float>()) draws.insert(v);
  EXPECT_GT(draws.size(), 2U * 3 * 23 - 3);  // no sample and no epoch repeats another's numbers
  DataLoader whole(noisy(23), {.batch_size = 23, .shuffle = true, .seed = 5});
  const auto one = epoch(whole);
  std::vector<Tensor> parts;
  for (const Batch& b : first) parts.push_back(b.y);
  EXPECT_TRUE(equal(one[0].y, cat(parts, 0)));
}

TEST(SampleLoader, ResumesInTheMiddleOfAnEpoch) {
  const LoaderOptions options{.batch_size = 4, .shuffle = true, .seed = 9, .workers = 2};
  DataLoader loader(noisy(23), options);
  epoch(loader);
  const auto all = epoch(loader);
  DataLoader again(noisy(23), options);
  again.restore({1, 2});
  expect_same({all.begin() + 2, all.end()}, epoch(again));
}

TEST(SampleLoader, SaysWhichSampleFailedAndWhy) {
  const AnyDataset bad = map(numbers(10), [](Sample s) {
    if (s.x.item() == 7)
      throw FormatError("png", 3, "header", "expected an intact picture, got: half of one");
    return s;
  });
  for (const int workers : {0, 3}) {
    DataLoader loader(bad, {.batch_size = 2, .workers = workers});
    int batches = 0;
    try {
      for ([[maybe_unused]] auto& batch : loader) ++batches;
      ADD_FAILURE() << "nothing was thrown";
    } catch (const SampleError& e) {
      EXPECT_EQ(e.index, 7);
      EXPECT_TRUE(contains(e.what(), "[DataLoader] expected sample 7, got an error: [png] header at byte 3"))
          << e.what();
      EXPECT_THROW(std::rethrow_if_nested(e), FormatError);
    }
    EXPECT_EQ(batches, 3);
  }
}

TEST(SampleLoader, TakesACollateOfTheUsers) {
  const auto sums = [](std::span<const Sample> samples) {
    std::int64_t sum = 0;
    for (const Sample& s : samples) sum += s.x.item<std::int64_t>();
    return Batch{full({}, sum, i64), full({}, static_cast<std::int64_t>(samples.size()), i64)};
  };
  DataLoader loader(numbers(7), {.batch_size = 3, .collate = sums});  // also for a set that has batches
  Longs got;
  for (auto [x, y] : loader) got.push_back(x.item<std::int64_t>());
  EXPECT_EQ(got, (Longs{3, 12, 6}));
  struct BatchesOnly {
    std::int64_t size() const { return 1; }
    Batch batch(std::span<const std::int64_t>) const { return {}; }
  };
  EXPECT_EQ(message_of<ValueError>([&] { DataLoader(BatchesOnly{}, {.collate = sums}); }),
            "[DataLoader] expected a data set with get(i) to collate, got one with batch(indices) only");
}

TEST(SampleLoader, TakesSamplers) {
  const auto order = [](LoaderOptions options) {
    DataLoader loader(numbers(6), std::move(options));
    EXPECT_EQ(static_cast<std::int64_t>(epoch(loader).size()), loader.size());
    Longs all;
    for (const Batch& b : epoch(loader))
      for (const auto i : b.x.to_vector<std::int64_t>()) all.push_back(i);
    return all;
  };
  const Sampler backwards{6, [](Generator) { return Longs{5, 4, 3, 2, 1, 0}; }};
  EXPECT_EQ(order({.batch_size = 4, .sampler = backwards}), (Longs{5, 4, 3, 2, 1, 0}));
  EXPECT_EQ(order({.batch_size = 4, .drop_last = true, .sampler = backwards}), (Longs{5, 4, 3, 2}));
  const BatchSampler uneven{2, [](Generator) { return std::vector<Longs>{{1}, {2, 3, 3}}; }};
  EXPECT_EQ(order({.batch_sampler = uneven}), (Longs{1, 2, 3, 3}));
  // Bit for bit what shuffle does.
  EXPECT_EQ(order({.sampler = random_sampler(6)}), order({.shuffle = true}));

  const auto refuses = [&]<class E>(E, LoaderOptions options) {
    EXPECT_THROW(
        {
          DataLoader loader(numbers(6), options);
          epoch(loader);
        },
        E);
  };
  refuses(ValueError(""), {.shuffle = true, .sampler = backwards});
  refuses(ValueError(""), {.sampler = backwards, .batch_sampler = uneven});
  refuses(IndexError(""), {.sampler = {1, [](Generator) { return Longs{6}; }}});
  refuses(IndexError(""), {.sampler = {1, [](Generator) { return Longs{-1}; }}});
  refuses(ValueError(""), {.sampler = {2, [](Generator) { return Longs{1}; }}});
  refuses(ValueError(""), {.batch_sampler = {2, [](Generator) { return std::vector<Longs>{{1}}; }}});
}

}  // namespace
}  // namespace cadena::data
