// The charts of a run.
#include <gtest/gtest.h>

#include "train/curves.hpp"

namespace cadena::train {
namespace {

History two_epochs() {
  return {{.epoch = 1, .metrics = {{"loss", 2}, {"val loss", 3}, {"accuracy", 0.5, Format::percent}}},
          {.epoch = 2, .metrics = {{"loss", 1}, {"accuracy", 0.75, Format::percent}}}};
}

TEST(Curves, PairTrainingWithValidation) {
  const auto charts = curves(two_epochs(), {"loss", "absent", "accuracy"});
  ASSERT_EQ(charts.size(), 2U);
  ASSERT_EQ(charts[0].series.size(), 2U);
  EXPECT_EQ(charts[0].series[0].y, (std::vector<double>{2, 1}));
  EXPECT_EQ(charts[0].series[1].name, "validation");
  EXPECT_EQ(charts[0].series[1].x, std::vector<double>{1});  // the epochs that have it
  EXPECT_FALSE(charts[0].y_percent);
  ASSERT_EQ(charts[1].series.size(), 1U);
  EXPECT_TRUE(charts[1].y_percent);
}

TEST(LrChart, MarksTheSuggestionOnALogAxis) {
  const optim::LrFindResult found{.lrs = {0.001, 0.01, 0.1, 1}, .losses = {5, 4, 1, 9}, .suggestion = 0.01};
  const plot::Chart chart = lr_chart(found);
  EXPECT_EQ(chart.x_scale, plot::Scale::log);
  ASSERT_EQ(chart.series.size(), 2U);
  EXPECT_EQ(chart.series[0].y, found.losses);
  EXPECT_EQ(chart.series[1].x, (std::vector<double>{0.01, 0.01}));
  EXPECT_EQ(chart.series[1].y, (std::vector<double>{1, 9}));
  EXPECT_NE(plot::render_chart(chart).find("suggested: 0.01"), std::string::npos);
  EXPECT_EQ(lr_chart({}).series.size(), 1U);  // a run without a step
}

}  // namespace
}  // namespace cadena::train
