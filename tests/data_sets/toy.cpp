#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>

#include "autodiff/autodiff.hpp"
#include "data/data.hpp"
#include "messages.hpp"
#include "nn/nn.hpp"
#include "optim/optim.hpp"

namespace cadena::data {
namespace {

TEST(Toy, XorIsTheTruthTable) {
  const TensorDataset d = make_xor();
  EXPECT_TRUE(equal(d.x(), tensor({{0, 0}, {0, 1}, {1, 0}, {1, 1}}, f32)));
  EXPECT_TRUE(equal(d.y(), tensor({0, 1, 1, 0})));
  const TensorDataset noisy = make_xor(400, {.noise = 0.1});
  EXPECT_LT(amax(abs(noisy.x() - index_select(d.x(), 0, remainder(arange(400), 4)))).item(), 0.5);
  EXPECT_GT(amax(abs(noisy.x() - index_select(d.x(), 0, remainder(arange(400), 4)))).item(), 0.2);
}

TEST(Toy, ShapesAreWhereTheyShouldBe) {
  const Tensor moons = make_moons(200).x();
  const Tensor upper = moons.slice(0, {{}, {}, 2}), lower = moons.slice(0, {1, {}, 2});
  const Tensor ones_of_upper = sum(square(upper), 1),
               ones_of_lower = sum(square(lower - tensor({1.0, 0.5})), 1);
  EXPECT_LT(amax(abs(ones_of_upper - 1)).item(), 1e-5);
  EXPECT_LT(amax(abs(ones_of_lower - 1)).item(), 1e-5);
  EXPECT_GE(amin(upper.select(1, 1)).item(), 0);
  EXPECT_LE(amax(lower.select(1, 1)).item(), 0.5);

  const Tensor radius = sqrt(sum(square(make_circles(100, 0.5).x()), 1));
  EXPECT_LT(amax(abs(radius.slice(0, {{}, {}, 2}) - 1)).item(), 1e-6);
  EXPECT_LT(amax(abs(radius.slice(0, {1, {}, 2}) - 0.5)).item(), 1e-6);

  const TensorDataset spirals = make_spirals(300, 3, 1.0);
  const auto xy = spirals.x().to_vector<double>();
  for (std::size_t i = 0; i < 300;
       ++i) {  // turned back by its radius and its class, every point lies on one ray
    const double r = std::hypot(xy[2 * i], xy[2 * i + 1]);
    const double turn =
        std::atan2(xy[2 * i + 1], xy[2 * i]) / (2 * std::numbers::pi) - r - static_cast<double>(i % 3) / 3;
    EXPECT_NEAR(turn, std::round(turn), 1e-5 / std::max(r, 1e-3));
  }

  const TensorDataset blobs = make_blobs(3000, 2);
  for (const std::int64_t c : {0, 1}) {
    const Tensor cloud = blobs.x().slice(0, {c, {}, 2}), center = mean(cloud, 0);
    EXPECT_NEAR(sqrt(mean(square(cloud - center))).item(), 1, 0.1);
    EXPECT_LT(amax(abs(center)).item(), 10.2);
  }
  EXPECT_EQ(blobs.y().slice(0, {0, 4}).to_vector<std::int64_t>(), (std::vector<std::int64_t>{0, 1, 0, 1}));
}

TEST(Toy, SinesRepeatAndRise) {
  const Tensor s = make_sines(500, {.period = 10, .slow_period = 50, .trend = 0.01, .noise = 0});
  EXPECT_EQ(s.shape(), Shape({500, 1}));
  EXPECT_LT(amax(abs(s.slice(0, {50, {}}) - s.slice(0, {{}, 450}) - 0.5)).item(), 1e-5);
  EXPECT_NEAR(s[2][0].item(),
              std::sin(0.4 * std::numbers::pi) + 0.5 * std::sin(0.08 * std::numbers::pi) + 0.02, 1e-6);
}

TEST(Toy, LongerSetsBeginWithTheShorterOnes) {
  const ToyOptions options{.noise = 0.3, .seed = 4};
  const auto check = [](const TensorDataset& little, const TensorDataset& large) {
    EXPECT_TRUE(equal(large.x().slice(0, {0, little.size()}), little.x()));
    EXPECT_TRUE(equal(large.y().slice(0, {0, little.size()}), little.y()));
  };
  check(make_xor(5, options), make_xor(9, options));
  check(make_moons(5, options), make_moons(9, options));
  check(make_circles(5, 0.5, options), make_circles(9, 0.5, options));
  check(make_spirals(5, 2, 1, options), make_spirals(9, 2, 1, options));
  check(make_blobs(5, 3, options), make_blobs(9, 3, options));
  EXPECT_FALSE(equal(make_moons(5, options).x(), make_moons(5, {.noise = 0.3, .seed = 5}).x()));
  EXPECT_TRUE(equal(make_sines(9).slice(0, {0, 5}), make_sines(5)));
  const std::string table = format_csv(make_diagnosis(9));
  EXPECT_TRUE(table.starts_with(format_csv(make_diagnosis(0))));
  EXPECT_EQ(format_csv(make_diagnosis(9)), table);
  EXPECT_NE(format_csv(make_diagnosis(9, 1)), table);
}

TEST(Toy, RefusesWhatMakesNoSense) {
  EXPECT_THROW(make_moons(-1), ValueError);
  EXPECT_THROW(make_xor(4, {.noise = -1}), ValueError);
  EXPECT_THROW(make_circles(4, 1), ValueError);
  EXPECT_THROW(make_spirals(4, 0), ValueError);
  EXPECT_THROW(make_blobs(4, 0), ValueError);
  EXPECT_THROW(make_sines(4, {.period = 0}), ValueError);
  EXPECT_THROW(make_diagnosis(-1), ValueError);
  EXPECT_EQ(message_of<ValueError>([] { make_sines(-1); }),
            "[make_sines] expected positive periods, length and noise of 0 or more, got other numbers");
}

/// Area under the ROC curve: the share of pairs that the scores put in the right order.
double auc(const Tensor& scores, const Tensor& truth) {
  const auto s = scores.flatten().to_vector<double>(), y = truth.flatten().to_vector<double>();
  std::vector<std::size_t> order(s.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return s[a] < s[b]; });
  double ranks = 0, ill = 0;
  for (std::size_t k = 0; k < order.size(); ++k)
    if (y[order[k]] > 0) {
      ranks += static_cast<double>(k + 1);
      ill += 1;
    }
  return (ranks - ill * (ill + 1) / 2) / (ill * (static_cast<double>(s.size()) - ill));
}

TEST(Diagnosis, HasEverythingThatRealTablesHave) {
  const Table t = parse_csv(format_csv(make_diagnosis(3000)));
  EXPECT_EQ(t.names(), (std::vector<std::string>{"age", "sex", "smoker", "bmi", "pressure", "glucose",
                                                 "heart_rate", "exercise", "diagnosis"}));
  EXPECT_EQ(t.column("smoker").categories, (std::vector<std::string>{"current", "former", "never"}));
  const auto share = [&](const char* name) { return mean(to(t.missing(name), f64)).item(); };
  EXPECT_EQ(share("age"), 0);
  EXPECT_NEAR(share("bmi"), 0.05, 0.02);
  EXPECT_NEAR(share("glucose"), 0.15, 0.03);
  EXPECT_NEAR(share("smoker"), 0.05, 0.02);
  EXPECT_NEAR(mean(t.numbers({"diagnosis"})).item(), 1.0 / 3, 0.06);
}

struct Net : nn::Module {
  nn::Linear fc1{17, 32}, fc2{32, 16}, fc3{16, 1};
  Tensor operator()(const Tensor& x) { return fc3(relu(fc2(relu(fc1(x))))); }
  void visit(nn::Visitor& v) override {
    v("fc1", fc1);
    v("fc2", fc2);
    v("fc3", fc3);
  }
};

/// AUC on held-out patients after some epochs.
template <class Model>
double learn(Model& model, const Tensor& x, const Tensor& y) {
  optim::AdamW adam(model.parameters(), {.lr = 3e-3});
  DataLoader loader(TensorDataset(x.slice(0, {0, 3000}), y.slice(0, {0, 3000})),
                    {.batch_size = 100, .shuffle = true});
  for (int epoch = 0; epoch < 20; ++epoch)
    for (auto [inputs, targets] : loader) {
      const Tensor loss = binary_cross_entropy_with_logits(model(inputs), targets);
      adam.zero_grad();
      loss.backward();
      adam.step();
    }
  NoGrad guard;
  return auc(model(x.slice(0, {3000, 4500})), y.slice(0, {3000, 4500}));
}

TEST(Diagnosis, ASmallNetBeatsLogisticRegression) {
  const Table t = make_diagnosis(4500);
  const Tensor measured = t.numbers({"age", "bmi", "pressure", "glucose", "heart_rate", "exercise"});
  const Tensor missing = to(isnan(measured), f32), known = 1 - missing, values = nan_to_num(measured, 0);
  const Tensor centred = (values - sum(values, 0) / sum(known, 0)) * known;
  const Tensor scaled = centred / sqrt(sum(square(centred), 0) / sum(known, 0));
  const Tensor x = cat({scaled, missing, t.one_hot("sex"), t.one_hot("smoker")}, 1),
               y = t.numbers({"diagnosis"});
  manual_seed(1);
  nn::Linear logistic(17, 1);
  Net net;
  const double linear = learn(logistic, x, y), deep = learn(net, x, y);
  EXPECT_GT(linear, 0.6);
  EXPECT_LT(linear, 0.75);
  EXPECT_GT(deep, linear + 0.1);
}

}  // namespace
}  // namespace cadena::data
