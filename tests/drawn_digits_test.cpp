#include "data/drawn_digits.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <limits>
#include <set>
#include <span>

#include "autodiff/error.hpp"

namespace cadena::data {
namespace {

constexpr std::size_t pixels = 784;

std::uint64_t fnv1a(std::span<const std::uint8_t> bytes) {
  std::uint64_t hash = 14695981039346656037U;
  for (const std::uint8_t byte : bytes) hash = (hash ^ byte) * 1099511628211U;
  return hash;
}

std::span<const std::uint8_t> image(const DrawnDigits& digits, std::size_t index) {
  return std::span(digits.images).subspan(index * pixels, pixels);
}

TEST(DrawnDigits, HaveTheAnnouncedShape) {
  const DrawnDigits digits = draw_digits(37, 5);
  EXPECT_EQ(digits.count, 37);
  EXPECT_EQ(digits.rows, 28);
  EXPECT_EQ(digits.cols, 28);
  EXPECT_EQ(digits.labels.size(), 37U);
  EXPECT_EQ(digits.images.size(), 37 * pixels);
  const DrawnDigits none = draw_digits(0, 5);
  EXPECT_TRUE(none.images.empty() && none.labels.empty());
}

// If this fails although nothing was meant to change, a compiler or a flag (-ffast-math?) computes
// differently: then a seed no longer means the same data everywhere.
TEST(DrawnDigits, AreTheSameBytesEverywhere) {
  const DrawnDigits digits = draw_digits(1000, 3);
  EXPECT_EQ(fnv1a(digits.images), 18102771791268814775U);
  EXPECT_EQ(fnv1a(digits.labels), 4529618411680086743U);
}

TEST(DrawnDigits, DependOnSeedAndIndexAlone) {
  const DrawnDigits some = draw_digits(25, 8);
  const DrawnDigits more = draw_digits(60, 8);
  EXPECT_TRUE(std::equal(some.images.begin(), some.images.end(), more.images.begin()));
  EXPECT_TRUE(std::equal(some.labels.begin(), some.labels.end(), more.labels.begin()));
  EXPECT_NE(draw_digits(25, 9).images, some.images);
  EXPECT_NE(draw_digits(25, 8 + (std::uint64_t{1} << 32)).images, some.images)
      << "the seed's upper half is ignored";
}

TEST(DrawnDigits, HoldEveryClassEquallyOften) {
  const DrawnDigits digits = draw_digits(500, 11);
  std::set<std::vector<std::uint8_t>> orders;
  for (std::size_t block = 0; block < 50; ++block) {
    std::vector<std::uint8_t> labels(digits.labels.begin() + static_cast<std::ptrdiff_t>(10 * block),
                                     digits.labels.begin() + static_cast<std::ptrdiff_t>(10 * block + 10));
    orders.insert(labels);
    std::sort(labels.begin(), labels.end());
    EXPECT_EQ(labels, (std::vector<std::uint8_t>{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}));
  }
  EXPECT_GE(orders.size(), 49U) << "the blocks repeat one order";
}

TEST(DrawnDigits, AreInkOnPaperWithinTheImage) {
  const DrawnDigits digits = draw_digits(2000, 1);
  std::set<std::uint64_t> different;
  for (std::size_t i = 0; i < 2000; ++i) {
    const auto pixel = image(digits, i);
    different.insert(fnv1a(pixel));
    const auto ink = std::count_if(pixel.begin(), pixel.end(), [](std::uint8_t grey) { return grey > 127; });
    EXPECT_GE(ink, 8) << "image " << i << " is empty";
    EXPECT_LE(ink, 300) << "image " << i << " is a blot";
    EXPECT_GE(*std::max_element(pixel.begin(), pixel.end()), 170) << i;
    for (std::size_t k = 0; k < 28; ++k) {  // the outermost pixels hold specks at most, never cut-off strokes
      for (const std::size_t at : {k, 27 * 28 + k, 28 * k, 28 * k + 27}) ASSERT_LE(pixel[at], 128) << i;
    }
  }
  EXPECT_EQ(different.size(), 2000U);
}

/// Mean image of each class over a set.
std::array<std::array<double, pixels>, 10> class_means(const DrawnDigits& digits) {
  std::array<std::array<double, pixels>, 10> means{};
  const double share = 10.0 / static_cast<double>(digits.count);
  for (std::size_t i = 0; i < digits.labels.size(); ++i) {
    const auto pixel = image(digits, i);
    for (std::size_t k = 0; k < pixels; ++k) means[digits.labels[i]][k] += share * pixel[k];
  }
  return means;
}

// The labels belong to the images: the nearest class mean of one set recognises most of another, but far from
// all, which would mean that the hands do not differ enough to be worth learning.
TEST(DrawnDigits, CanBeLearntButNotTrivially) {
  const auto means = class_means(draw_digits(4000, 21));
  const DrawnDigits test = draw_digits(1000, 22);
  int right = 0;
  for (std::size_t i = 0; i < 1000; ++i) {
    const auto pixel = image(test, i);
    std::array<double, 10> distance{};
    for (std::size_t c = 0; c < 10; ++c) {
      for (std::size_t k = 0; k < pixels; ++k)
        distance[c] += (pixel[k] - means[c][k]) * (pixel[k] - means[c][k]);
    }
    const auto best = std::min_element(distance.begin(), distance.end()) - distance.begin();
    right += best == test.labels[i] ? 1 : 0;
  }
  EXPECT_GE(right, 550);
  EXPECT_LE(right, 850);
}

TEST(DrawnDigits, RefuseImpossibleCounts) {
  EXPECT_THROW(draw_digits(-1, 0), ValueError);
  EXPECT_THROW(draw_digits(std::numeric_limits<std::int64_t>::max(), 0), ValueError);
  EXPECT_THROW(draw_digits(std::numeric_limits<std::int64_t>::max() / 784 + 1, 0), ValueError);
}

}  // namespace
}  // namespace cadena::data
