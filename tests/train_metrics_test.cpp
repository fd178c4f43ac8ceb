#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "tests/messages.hpp"
#include "tests/values.hpp"
#include "train/metrics.hpp"

namespace cadena::train {
namespace {

TEST(Mean, CountsEveryValueByItsWeight) {
  Mean mean;
  EXPECT_TRUE(std::isnan(mean.get()));
  mean.add(1, 3);
  mean.add(5);
  EXPECT_EQ(mean.get(), 2);
  auto other = Mean::from(mean.sum(), mean.weight());
  other.add(12);
  EXPECT_EQ(other.get(), 4);
}

TEST(Accuracy, OfRowsAndOfPixels) {
  const auto scores = tensor({{1.0, 3.0, 2.0}, {5.0, 0.0, 1.0}, {0.0, 1.0, 1.0}});
  EXPECT_EQ(accuracy(scores, tensor<std::int64_t>({1, 2, 1})), 2.0 / 3);
  EXPECT_EQ(accuracy(scores, tensor<std::int64_t>({1, 2, 2})),
            1.0 / 3);  // of equal scores the lower class wins
  EXPECT_EQ(top_k_accuracy(scores, tensor<std::int64_t>({0, 2, 2}), 2), 2.0 / 3);
  EXPECT_EQ(top_k_accuracy(scores, tensor<std::int64_t>({0, 2, 2}), 3), 1);
  // (N, C, H): classes lie along axis 1
  const auto pixels = reshape(tensor({1.0, 9.0, 2.0, 0.0}), {1, 2, 2});
  EXPECT_EQ(accuracy(pixels, reshape(tensor<std::int64_t>({1, 0}), {1, 2})), 1);
}

TEST(Accuracy, RefusesWhatDoesNotFit) {
  const auto scores = zeros({2, 3});
  EXPECT_EQ(message_of<ShapeError>([&] { accuracy(scores, zeros({3}, i64)); }),
            "[accuracy] expected scores (N, C, ...) and labels (N, ...), got (2, 3) and (3,)");
  EXPECT_EQ(message_of<ValueError>([&] { accuracy(scores, full({2}, 3, i64)); }),
            "[accuracy] expected labels from 0 to 2, got 3");
  EXPECT_EQ(message_of<ValueError>([&] {
              accuracy(zeros({0, 3}), zeros({0}, i64));
            }),
            "[accuracy] expected at least one example, got none");
  EXPECT_EQ(message_of<ValueError>([&] { top_k_accuracy(scores, zeros({2}, i64), 4); }),
            "[top_k_accuracy] expected k from 1 to 3, got 4");
}

TEST(Confusion, GivesTheUsualFigures) {
  Confusion c(3);
  c.add(tensor<std::int64_t>({0, 0, 1, 1, 0}), tensor<std::int64_t>({0, 0, 1, 0, 1}));
  c.add(tensor<std::int64_t>({1}), tensor<std::int64_t>({1}));
  EXPECT_EQ(c.total(), 6);
  EXPECT_EQ(c.count(0, 1), 1);
  EXPECT_EQ(c.counts(), (std::vector<std::int64_t>{2, 1, 0, 1, 2, 0, 0, 0, 0}));
  EXPECT_EQ(c.accuracy(), 4.0 / 6);
  EXPECT_EQ(c.precision(), (Values{2.0 / 3, 2.0 / 3, 0}));
  EXPECT_EQ(c.recall(), (Values{2.0 / 3, 2.0 / 3, 0}));
  EXPECT_EQ(c.f1(), (Values{2.0 / 3, 2.0 / 3, 0}));
  EXPECT_DOUBLE_EQ(macro(c.f1()), 4.0 / 9);
  EXPECT_DOUBLE_EQ(weighted(c.f1(), c), 2.0 / 3);
  EXPECT_DOUBLE_EQ(c.kappa(), (4.0 / 6 - 0.5) / 0.5);
  EXPECT_EQ(message_of<ValueError>([&] { c.add(tensor<std::int64_t>({3}), tensor<std::int64_t>({0})); }),
            "[Confusion] expected labels from 0 to 2, got 3");
  EXPECT_EQ(c.total(), 6);
}

/// The definition: how often a positive scores higher than a negative.
double auc_by_pairs(const Values& scores, const Values& labels) {
  double wins = 0, pairs = 0;
  for (std::size_t i = 0; i < scores.size(); ++i)
    for (std::size_t j = 0; j < scores.size(); ++j)
      if (labels[i] == 1 && labels[j] == 0) {
        wins += scores[i] > scores[j] ? 1 : scores[i] == scores[j] ? 0.5 : 0;
        ++pairs;
      }
  return wins / pairs;
}

TEST(Roc, AreaIsTheShareOfWonPairs) {
  manual_seed(3);
  for (int trial = 0; trial < 20; ++trial) {
    const auto scores = floor(rand({41}, f64) * 12);  // with many ties
    auto labels = to(rand({41}) < 0.4, i64);
    labels.index_put_({std::int64_t{0}}, 1);
    labels.index_put_({std::int64_t{1}}, 0);
    EXPECT_NEAR(roc_auc(scores, labels), auc_by_pairs(values(scores), values(labels)), 1e-14);
  }
}

TEST(Roc, CurveRunsFromCornerToCorner) {
  const auto curve = roc_curve(tensor({0.9, 0.8, 0.8, 0.1}), tensor<std::int64_t>({1, 1, 0, 0}));
  EXPECT_EQ(curve.false_positive, (Values{0, 0, 0.5, 1}));
  EXPECT_EQ(curve.true_positive, (Values{0, 0.5, 1, 1}));
  EXPECT_EQ(curve.threshold[0], inf);
  EXPECT_FLOAT_EQ(static_cast<float>(curve.threshold[1]), 0.9f);
  EXPECT_EQ(message_of<ValueError>([] { roc_auc(zeros({2}), zeros({2}, i64)); }),
            "[roc_curve] expected labels of both classes, got only 0");
  EXPECT_EQ(message_of<ValueError>([] {
              roc_auc(full({2}, nan), tensor<std::int64_t>({0, 1}));
            }),
            "[roc_curve] expected scores that can be ordered, got NaN");
  EXPECT_TRUE(
      contains(message_of<ValueError>([] { roc_auc(zeros({2}), full({2}, 2)); }), "labels 0 and 1, got 2"));
}

TEST(Calibration, ComparesProbabilitiesWithWhatHappened) {
  const auto c = calibration(tensor({0.125, 0.125, 0.875, 1.0}, f64), tensor<std::int64_t>({0, 1, 1, 1}), 4);
  EXPECT_EQ(c.predicted, (Values{0.125, 0.9375}));
  EXPECT_EQ(c.observed, (Values{0.5, 1}));
  EXPECT_EQ(c.count, (std::vector<std::int64_t>{2, 2}));
  EXPECT_EQ(c.expected_error, (0.375 + 0.0625) / 2);
  EXPECT_EQ(brier_score(tensor({0.5, 1.0}), tensor<std::int64_t>({0, 1})), 0.125);
  EXPECT_TRUE(contains(message_of<ValueError>([] { calibration(full({1}, 1.5), zeros({1}, i64)); }),
                       "[calibration] expected probabilities from 0 to 1, got 1.5"));
}

TEST(Numbers, ErrorsAndExplainedVariance) {
  const auto truth = tensor({1.0, 2.0, 3.0}), predicted = tensor({1.0, 2.5, 2.0});
  EXPECT_EQ(mean_absolute_error(predicted, truth), 0.5);
  EXPECT_EQ(mean_squared_error(predicted, truth), 1.25 / 3);
  EXPECT_DOUBLE_EQ(r2_score(predicted, truth), 1 - 1.25 / 2);
  EXPECT_EQ(r2_score(truth, truth), 1);
  EXPECT_EQ(r2_score(ones({2}), ones({2})), 1);
  EXPECT_EQ(r2_score(zeros({2}), ones({2})), -inf);
  EXPECT_EQ(message_of<ShapeError>([&] { r2_score(truth, ones({2})); }),
            "[r2_score] expected two tensors of one shape, got (3,) and (2,)");
}

}  // namespace
}  // namespace cadena::train
