// Layers, containers and losses.
#include <gtest/gtest.h>

#include <cmath>

#include "autodiff/autodiff.hpp"
#include "messages.hpp"
#include "nn/nn.hpp"

namespace cadena {
namespace {

TEST(NnLinear, Affine) {
  nn::Linear layer(3, 2);
  EXPECT_EQ(layer.weight.shape(), (Shape{2, 3}));
  EXPECT_EQ(layer.bias.shape(), (Shape{2}));
  const auto x = randn({5, 4, 3});
  EXPECT_TRUE(allclose(layer(x), matmul(x, layer.weight.t()) + layer.bias, 1e-5, 1e-6));
  EXPECT_THROW(layer(ones({5, 2})), ShapeError);
  EXPECT_THROW(nn::Linear(-1, 2), ShapeError);
  EXPECT_THROW(nn::Linear(1, 2, {.dtype = i64}), DtypeError);
}

TEST(NnLinear, OptionsAndEmptySizes) {
  nn::Linear plain{3, 2, {.bias = false, .dtype = f64}};
  EXPECT_FALSE(plain.bias.defined());
  EXPECT_EQ(plain.parameters().size(), 1u);
  EXPECT_EQ(plain(ones({1, 3}, f64)).dtype(), f64);
  nn::Linear nothing(0, 2);
  EXPECT_TRUE(equal(nothing(ones({3, 0})), zeros({3, 2})));
}

TEST(NnLinear, DefaultInitIsPyTorchs) {
  manual_seed(3);
  nn::Linear layer(400, 300);
  const double bound = 1 / std::sqrt(400.0);
  for (const Tensor& t : layer.parameters()) {
    EXPECT_LE(max(abs(t)).item(), bound);
    EXPECT_GT(max(abs(t)).item(), 0.95 * bound);
  }
  // Uniform on +-bound: mean 0, variance bound^2 / 3; five standard errors of 120,000 draws.
  EXPECT_NEAR(layer.weight.mean().item(), 0, 5 * bound / std::sqrt(3 * 120000.0));
  EXPECT_NEAR(square(layer.weight).mean().item() / (bound * bound / 3), 1, 0.015);
}

TEST(NnLayers, SameSeedSameNetwork) {
  manual_seed(7);
  nn::Linear a(5, 4);
  manual_seed(7);
  nn::Linear b(5, 4);
  EXPECT_TRUE(equal(a.weight, b.weight) && equal(a.bias, b.bias));
}

TEST(NnActivations, AreTheFunctions) {
  const auto x = linspace(-30, 30, 61, f64).reshape({1, 61});
  EXPECT_TRUE(equal(nn::ReLU()(x), relu(x)));
  EXPECT_TRUE(equal(nn::Sigmoid()(x), sigmoid(x)));
  EXPECT_TRUE(equal(nn::LogSigmoid()(x), log_sigmoid(x)));
  EXPECT_TRUE(equal(nn::Tanh()(x), tanh(x)));
  EXPECT_TRUE(equal(nn::Softmax(1)(x), softmax(x, 1)));
  EXPECT_TRUE(equal(nn::LogSoftmax(-1)(x), log_softmax(x, 1)));
  EXPECT_TRUE(equal(nn::Softplus()(x), softplus(x)));
  EXPECT_TRUE(allclose(nn::Softplus(2)(x), log1p(exp(x * 2.0)) / 2.0, 1e-12, 1e-25));
  EXPECT_TRUE(equal(nn::Identity()(x), x));
  EXPECT_THROW(nn::Softplus(0), ValueError);
}

TEST(NnDropout, ZeroesScalesAndKeepsTheMean) {
  manual_seed(11);
  nn::Dropout drop(0.25);
  const auto x = ones({100000});
  const auto y = drop(x);
  const auto zeros_seen = eq(y, 0).to(f64).mean().item();
  EXPECT_NEAR(zeros_seen, 0.25, 5 * std::sqrt(0.25 * 0.75 / 1e5));
  EXPECT_NEAR(y.mean().item(), 1, 0.01);
  for (auto v : y.to_vector<float>()) ASSERT_TRUE(v == 0 || v == 1 / 0.75f);
  EXPECT_FALSE(equal(drop(x), y));
}

TEST(NnDropout, GradientUsesTheSameMask) {
  nn::Dropout drop(0.5);
  for (auto dtype : {f32, f64}) {
    auto x = full({64}, 3, dtype).requires_grad_();
    const auto y = drop(x);
    y.sum().backward();
    EXPECT_TRUE(equal(x.grad() * 3, y.detach()));
  }
}

TEST(NnDropout, Limits) {
  const auto x = randn({50});
  nn::Dropout none(0), all(1), half(0.5);
  EXPECT_TRUE(equal(none(x), x));
  EXPECT_EQ(max(abs(all(x))).item(), 0);
  half.eval();
  EXPECT_TRUE(equal(half(x), x));
  const auto position = default_generator().position();
  half(x), none(x);
  EXPECT_EQ(default_generator().position(), position) << "nothing is drawn where nothing is dropped";
  EXPECT_THROW(nn::Dropout(-0.1), ValueError);
  EXPECT_THROW(nn::Dropout(1.1), ValueError);
  EXPECT_THROW(nn::Dropout(std::nan("")), ValueError);
  EXPECT_THROW(dropout(ones({3}, i64), 0.5), DtypeError);
}

TEST(NnFlatten, JoinsDimensions) {
  const auto x = zeros({2, 3, 4, 5});
  EXPECT_EQ(nn::Flatten()(x).shape(), (Shape{2, 60}));
  EXPECT_EQ(nn::Flatten(0)(x).shape(), (Shape{120}));
  EXPECT_EQ(nn::Flatten(1, 2)(x).shape(), (Shape{2, 12, 5}));
}

TEST(NnSequential, AppliesInOrder) {
  nn::Sequential net(
      nn::Linear(4, 3), nn::ReLU(), [](const Tensor& x) { return x * 2; }, nn::Linear(3, 2), tanh);
  const auto x = randn({5, 4});
  auto& first = net.at<nn::Linear>(0);
  auto& last = net.at<nn::Linear>(3);
  EXPECT_TRUE(equal(net(x), tanh(last(relu(first(x)) * 2))));
  EXPECT_EQ(net.size(), 5u);
  EXPECT_EQ(net.named_parameters()[2].first, "3.weight");
  EXPECT_EQ(net.to_string(),
            "Sequential(\n"
            "  (0): Linear(in_features=4, out_features=3, bias=True)\n"
            "  (1): ReLU()\n"
            "  (2): Lambda()\n"
            "  (3): Linear(in_features=3, out_features=2, bias=True)\n"
            "  (4): Lambda()\n"
            ")");
  EXPECT_THROW(net.at<nn::ReLU>(0), ValueError);
  EXPECT_THROW(net[5], IndexError);
  const auto y = randn({2, 2});
  EXPECT_TRUE(equal(nn::Sequential()(y), y));
}

TEST(NnSequential, NamesNestsAndGrows) {
  nn::Sequential block({{"fc", nn::Linear(3, 3)}, {"act", relu}});
  nn::Sequential net(block, std::move(block), nn::Dropout(0.1));
  net.push_back("head", nn::Linear(3, 1));
  std::vector<std::string> names;
  for (auto& [name, p] : net.named_parameters()) names.push_back(name);
  EXPECT_EQ(names, (std::vector<std::string>{"0.fc.weight", "0.fc.bias", "1.fc.weight", "1.fc.bias",
                                             "head.weight", "head.bias"}));
  net.eval();
  EXPECT_FALSE(net[2].is_training());
  EXPECT_EQ(net(ones({2, 3})).shape(), (Shape{2, 1}));
  EXPECT_THROW(net.push_back("head", tanh), ValueError);
  EXPECT_THROW(net.push_back("a.b", tanh), ValueError);
  EXPECT_THROW(nn::Sequential({{"x", tanh}, {"x", relu}}), ValueError);
}

struct Residual : nn::Module {  // not a Layer
  nn::Linear inner{2, 2};
  Tensor operator()(const Tensor& x) { return x + inner(x); }
  void visit(nn::Visitor& v) override { v("inner", inner); }
};

TEST(NnSequential, HoldsByValueOrShared) {
  auto shared = std::make_shared<Residual>();
  Residual value;
  nn::Sequential net(shared, value, shared);
  EXPECT_EQ(&net[0], shared.get());
  EXPECT_EQ(&net[2], shared.get());
  EXPECT_NE(&net[1], &value);
  EXPECT_EQ(net.parameters().size(), 4u);  // the shared ones once
  EXPECT_EQ(net.named_modules().size(), 5u);
  const auto x = randn({3, 2});
  EXPECT_TRUE(equal(net(x), (*shared)(value((*shared)(x)))));

  EXPECT_THROW(nn::Sequential copy(net), ValueError);  // ties are for clone
  auto copy = nn::clone(net);
  EXPECT_EQ(&copy[0], &copy[2]);
  EXPECT_NE(&copy[0], &net[0]);
  EXPECT_EQ(copy.parameters().size(), 4u);
  EXPECT_TRUE(equal(copy(x), net(x)));
  nn::init::zeros_(copy.at<Residual>(0).inner.weight);
  EXPECT_FALSE(equal(copy(x), net(x)));
}

TEST(NnSequential, CopiesAreDeep) {
  nn::Sequential net(nn::Linear(2, 2), nn::Sequential(nn::Linear(2, 2), relu));
  const auto x = randn({3, 2});
  auto copy = net;
  EXPECT_TRUE(equal(copy(x), net(x)));
  for (auto& p : copy.parameters()) nn::init::zeros_(p);
  EXPECT_FALSE(equal(copy(x), net(x)));

  struct Unique : nn::Module {
    std::unique_ptr<nn::Linear> fc = std::make_unique<nn::Linear>(2, 2);
    Tensor operator()(const Tensor& y) { return (*fc)(y); }
    void visit(nn::Visitor& v) override { v("fc", fc); }
  };
  nn::Sequential holder{Unique()};
  EXPECT_THROW(nn::clone(holder), ValueError);
}

TEST(NnSequential, GradientsReachEveryParameter) {
  nn::Sequential net(nn::Flatten(), nn::Linear(6, 5), nn::Tanh(),
                     nn::Sequential(nn::Linear(5, 4), nn::Sigmoid()), nn::Linear(4, 3), nn::LogSoftmax(1));
  const auto loss = nn::NLLLoss()(net(randn({7, 2, 3})), randint(0, 3, {7}));
  loss.backward();
  for (auto& [name, p] : net.named_parameters()) {
    ASSERT_TRUE(p.grad().defined()) << name;
    EXPECT_GT(max(abs(p.grad())).item(), 0) << name;
  }
}

TEST(NnLosses, AreTheFunctions) {
  const auto x = randn({6, 3}), y = rand({6, 3});
  const auto labels = randint(0, 3, {6});
  for (auto r : {Reduction::none, Reduction::mean, Reduction::sum}) {
    EXPECT_TRUE(equal(nn::MSELoss(r)(x, y), mse_loss(x, y, r)));
    EXPECT_TRUE(equal(nn::BCELoss(r)(sigmoid(x), y), binary_cross_entropy(sigmoid(x), y, r)));
    EXPECT_TRUE(equal(nn::BCEWithLogitsLoss(r)(x, y), binary_cross_entropy_with_logits(x, y, r)));
    const auto weight = tensor({0.5, 1.0, 2.0});
    EXPECT_TRUE(equal(nn::NLLLoss({.reduction = r, .weight = weight})(x, labels),
                      nll_loss(x, labels, {.reduction = r, .weight = weight})));
    const CrossEntropyOptions o{.reduction = r, .ignore_index = 1, .weight = weight, .label_smoothing = 0.1};
    EXPECT_TRUE(equal(nn::CrossEntropyLoss(o)(x, labels), cross_entropy(x, labels, o)));
  }
  EXPECT_TRUE(equal(nn::CrossEntropyLoss()(x, labels), cross_entropy(x, labels)));
  EXPECT_TRUE(nn::CrossEntropyLoss({.weight = ones({3})}).state_dict().contains("weight"));
  EXPECT_TRUE(nn::CrossEntropyLoss().state_dict().empty());
  EXPECT_THROW(nn::CrossEntropyLoss({.label_smoothing = 2}), ValueError);
}

TEST(NnLosses, OfLikenessAreTheFunctions) {
  const auto a = randn({6, 3}), b = randn({6, 3}), t = tensor({1, -1, 1, 1, -1, -1});
  const auto p = rand({2, 3, 5}), mask = rand({2, 3, 5});
  for (auto r : {Reduction::none, Reduction::mean, Reduction::sum}) {
    const ContrastiveLossOptions pairs{.margin = 2, .reduction = r};
    EXPECT_TRUE(equal(nn::ContrastiveLoss(pairs)(a, b, t), contrastive_loss(a, b, t, pairs)));
    EXPECT_TRUE(
        equal(nn::InfoNCELoss(0.2, r)(a, b), info_nce_loss(a, b, {.temperature = 0.2, .reduction = r})));
    const DiceLossOptions overlap{.squared = true, .reduction = r};
    EXPECT_TRUE(equal(nn::DiceLoss(overlap)(p, mask), dice_loss(p, mask, overlap)));
  }
  EXPECT_EQ(nn::DiceLoss({.reduction = Reduction::none})(p, mask).shape(), (Shape{2, 3}));
  EXPECT_EQ(nn::DiceLoss()(zeros({1, 1, 4}), zeros({1, 1, 4})).item(), 0);  // nothing, and nothing found
  // Equal points that should differ: no direction, so no gradient.
  Tensor x = a.clone().requires_grad_();
  contrastive_loss(x, a, -ones({6}), {.reduction = Reduction::sum}).backward();
  EXPECT_TRUE(equal(x.grad(), zeros_like(x)));
  // The right positive is the best.
  const Tensor right = nn::InfoNCELoss()(a, a), wrong = nn::InfoNCELoss()(a, flip(a, {0}));
  EXPECT_LT(right.item(), wrong.item());
}

TEST(Layers, DropoutOfWholeSamplesAndAlphaOfChannels) {
  manual_seed(3);
  nn::DropPath path(0.5);
  for (double v : sum(path(ones({64, 9})), 1).to_vector<double>()) EXPECT_TRUE(v == 0 || v == 18) << v;
  nn::FeatureAlphaDropout alpha(0.5);
  const Tensor y = alpha(ones({8, 8, 3}));
  EXPECT_TRUE(equal(amax(y, 2), amin(y, 2)));
  EXPECT_EQ(unique(y).values.numel(), 2);
  path.eval(), alpha.eval();
  EXPECT_TRUE(equal(path(y), y) && equal(alpha(y), y));
}

TEST(NnFlat, ParametersThereAndBack) {
  nn::Sequential net(nn::Linear(3, 2), nn::Linear(2, 1));
  const Tensor v = nn::utils::parameters_to_vector(net.parameters());
  EXPECT_EQ(v.shape(), (Shape{11}));
  EXPECT_TRUE(equal(v.slice(0, {0, 6}).reshape({2, 3}), net.at<nn::Linear>(0).weight));
  EXPECT_TRUE(equal(grad(sum(v * arange(11.0)), net.at<nn::Linear>(1).bias), tensor({10.0})));
  nn::utils::vector_to_parameters(arange(11.0), net.parameters());
  EXPECT_TRUE(equal(nn::utils::parameters_to_vector(net.parameters()), arange(11.0)));
  EXPECT_TRUE(net.at<nn::Linear>(0).weight.is_leaf());
  EXPECT_EQ(message_of<ShapeError>([&] { nn::utils::vector_to_parameters(ones({12}), net.parameters()); }),
            "[vector_to_parameters] expected a vector of 11 elements, got (12,)");
  EXPECT_EQ(message_of<ValueError>([] { nn::utils::parameters_to_vector({}); }),
            "[parameters_to_vector] expected at least one tensor, got none");
}

TEST(Layers, DropoutOfChannelsKnowsItsRank) {
  nn::Dropout2d drop(0.5);
  const Tensor one = drop(ones({8, 3, 3})), batch = drop(ones({4, 8, 3, 3}));
  for (const Tensor& y : {sum(one, {1, 2}), sum(batch, {2, 3})})
    for (double v : y.to_vector<double>()) EXPECT_TRUE(v == 0 || v == 18) << v;
  EXPECT_THROW(drop(ones({8, 3})), ShapeError);
  drop.eval();
  EXPECT_TRUE(equal(drop(ones({8, 3, 3})), ones({8, 3, 3})));
}

}  // namespace
}  // namespace cadena
