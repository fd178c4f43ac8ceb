// Parameters computed from others: names, gradients, copies, removal. Their numbers are compared with
// PyTorch's in nn_torch_test.cpp.
#include <gtest/gtest.h>

#include "autodiff/autodiff.hpp"
#include "messages.hpp"
#include "nn/nn.hpp"
#include "optim/optim.hpp"

namespace cadena {
namespace {

using nn::utils::spectral_norm;
using nn::utils::weight_norm;
namespace parametrize = nn::utils::parametrize;

std::vector<std::string> keys(const nn::Module& m) {
  std::vector<std::string> names;
  for (auto& [name, t] : m.state_dict()) names.push_back(name);
  return names;
}
using Keys = std::vector<std::string>;

Tensor symmetric(const Tensor& w) { return triu(w) + triu(w, 1).t(); }

struct Exponential : nn::Parametrization {
  Tensor forward(const Tensor& x) override { return exp(x); }
  Tensor right_inverse(const Tensor& y) override { return log(y); }
};

TEST(NnParametrize, WeightNorm) {
  nn::Linear layer(4, 3, {.dtype = f64});
  const Tensor before = layer.weight.clone().detach(), x = randn({2, 4}, f64);
  const Tensor y = layer(x).detach();
  weight_norm(layer);
  EXPECT_EQ(keys(layer), (Keys{"bias", "weight_g", "weight_v"}));
  EXPECT_TRUE(allclose(layer(x), y, 1e-12, 1e-12));
  EXPECT_EQ(layer.state_dict().at("weight_g").shape(), (Shape{3, 1}));
  // A step along the gradients of g and v, which nothing but the next call computes the weight from.
  optim::SGD sgd(layer.parameters(), {.lr = 0.1});
  square(layer(x)).sum().backward();
  sgd.step();
  EXPECT_FALSE(allclose(layer(x), y));
  nn::utils::remove_weight_norm(layer);
  EXPECT_EQ(keys(layer), (Keys{"bias", "weight"}));
  EXPECT_FALSE(allclose(layer.weight, before));
  EXPECT_TRUE(layer.weight.is_leaf() && layer.weight.requires_grad());
}

TEST(NnParametrize, SpectralNormApproachesOne) {
  manual_seed(3);
  nn::Conv2d conv(3, 5, 2, {.dtype = f64});
  spectral_norm(conv);
  EXPECT_EQ(keys(conv), (Keys{"bias", "weight_orig", "weight_u", "weight_v"}));
  const Tensor x = randn({1, 3, 4, 4}, f64);
  for (int i = 0; i < 200; ++i) conv(x);
  EXPECT_NEAR(svdvals(conv.weight.detach().reshape({5, -1}))[0].item(), 1, 1e-9);
  conv.eval();
  const auto u = conv.state_dict().at("weight_u");
  conv(x);
  EXPECT_TRUE(equal(u, conv.state_dict().at("weight_u")));
  nn::ConvTranspose1d back(3, 5, 2);
  spectral_norm(back);
  EXPECT_EQ(back.state_dict().at("weight_u").shape(), (Shape{5}));
  nn::utils::remove_spectral_norm(back);
  EXPECT_EQ(keys(back), (Keys{"bias", "weight"}));
}

TEST(NnParametrize, FunctionsOfTheOriginal) {
  nn::Linear layer(3, 3, {.dtype = f64});
  parametrize::register_parametrization(layer, "weight", symmetric);
  EXPECT_EQ(keys(layer), (Keys{"bias", "parametrizations.weight.original"}));
  EXPECT_TRUE(parametrize::is_parametrized(layer) && parametrize::is_parametrized(layer, "weight"));
  EXPECT_FALSE(parametrize::is_parametrized(layer, "bias"));
  layer(ones({1, 3}, f64)).sum().backward();
  EXPECT_TRUE(equal(layer.weight, layer.weight.t()));
  // The lower triangle has no influence.
  for (auto& [name, p] : layer.named_parameters())
    EXPECT_TRUE(name == "bias" || equal(p.grad(), triu(p.grad()))) << name;
  parametrize::register_parametrization(layer, "weight", nn::Linear(3, 3, {.dtype = f64}));
  parametrize::register_parametrization(layer, "bias", Exponential());
  EXPECT_EQ(keys(layer), (Keys{"parametrizations.bias.original", "parametrizations.weight.1.bias",
                               "parametrizations.weight.1.weight", "parametrizations.weight.original"}));
  EXPECT_EQ(layer.to_string(),
            "Linear(\n"
            "  in_features=3, out_features=3, bias=True\n"
            "  (parametrizations): ModuleDict(\n"
            "    (weight): ParametrizationList(\n"
            "      (0): Lambda()\n"
            "      (1): Linear(in_features=3, out_features=3, bias=True)\n"
            "    )\n"
            "    (bias): ParametrizationList(\n"
            "      (0): Exponential()\n"
            "    )\n"
            "  )\n"
            ")");
  parametrize::remove_parametrizations(layer, "weight", false);
  EXPECT_EQ(keys(layer), (Keys{"parametrizations.bias.original", "weight"}));
}

TEST(NnParametrize, ARightInverseKeepsTheValue) {
  nn::Linear layer(2, 3);
  nn::init::constant_(layer.bias, 0.25);
  parametrize::register_parametrization(layer, "bias", Exponential());
  EXPECT_TRUE(allclose(layer.bias, full({3}, 0.25)));
  layer.to(f64);
  layer(ones({1, 2}, f64));
  EXPECT_EQ(layer.bias.dtype(), f64);
}

TEST(NnParametrize, CopiesAreParametrizedToo) {
  nn::Sequential net(nn::Linear(3, 3), nn::Linear(3, 2));
  weight_norm(net.at<nn::Linear>(1));
  parametrize::register_parametrization(net.at<nn::Linear>(0), "weight", symmetric);
  auto copy = nn::clone(net);
  EXPECT_EQ(keys(copy), keys(net));
  const Tensor x = randn({2, 3}), y = net(x).detach();
  EXPECT_TRUE(equal(copy(x), y));
  for (auto& p : copy.parameters()) nn::init::zeros_(p);
  EXPECT_TRUE(equal(net(x), y));
  nn::Sequential loaded(nn::Linear(3, 3), nn::Linear(3, 2));
  weight_norm(loaded.at<nn::Linear>(1));
  parametrize::register_parametrization(loaded.at<nn::Linear>(0), "weight", symmetric);
  loaded.load_state_dict(net.state_dict());
  EXPECT_TRUE(equal(loaded(x), y));
}

TEST(NnParametrize, RecurrentWeights) {
  nn::GRU gru(2, 3);
  const Tensor x = randn({4, 1, 2}), y = gru(x).output.detach();
  weight_norm(gru, "weight_hh_l0");
  EXPECT_TRUE(allclose(gru(x).output, y, 1e-5, 1e-6));
  gru(x).output.sum().backward();
  for (auto& [name, p] : gru.named_parameters()) EXPECT_TRUE(p.grad().defined()) << name;
}

TEST(NnParametrize, DropConnectDropsWeightsInTrainingOnly) {
  manual_seed(7);
  nn::Linear layer(100, 50, {.bias = false});
  const Tensor w = layer.weight.detach().clone(), x = eye(100);
  nn::utils::drop_connect(layer, "weight", 0.25);
  EXPECT_EQ(keys(layer), (Keys{"parametrizations.weight.original"}));
  const Tensor y = layer(x);
  EXPECT_TRUE(allclose(y.detach().t(), where(eq(y.t(), 0), 0, w / 0.75).detach(), 1e-5, 1e-6));
  EXPECT_NEAR(eq(y, 0).to(f64).mean().item(), 0.25, 0.03);
  EXPECT_FALSE(equal(layer(x), y));
  y.sum().backward();
  for (auto& [name, p] : layer.named_parameters())
    EXPECT_TRUE(allclose(p.grad(), where(eq(y.t(), 0), 0, 1 / 0.75).to(f32).detach())) << name;
  layer.eval();
  EXPECT_TRUE(allclose(layer(x), w.t()));
  parametrize::remove_parametrizations(layer, "weight", false);
  EXPECT_TRUE(equal(layer.weight, w));
  nn::utils::drop_connect(layer);  // a layer in evaluation stays in it
  EXPECT_TRUE(allclose(layer(x), w.t()));
  EXPECT_THROW(nn::utils::drop_connect(layer, "bias"), ValueError);
}

TEST(NnParametrize, Errors) {
  nn::Linear layer(2, 3);
  EXPECT_EQ(message_of<ValueError>([&] { weight_norm(layer, "wieght"); }),
            "[weight_norm] expected a parameter of Linear, got \"wieght\"");
  EXPECT_EQ(message_of<ValueError>([&] { nn::utils::remove_weight_norm(layer); }),
            "[remove_weight_norm] expected a parameter that this computes, got \"weight\" of Linear");
  weight_norm(layer);
  EXPECT_EQ(message_of<ValueError>([&] { spectral_norm(layer); }),
            "[spectral_norm] expected a parameter that is not computed yet, got \"weight\" of Linear");
  EXPECT_EQ(message_of<ValueError>([&] { spectral_norm(layer, "bias", {.n_power_iterations = 0}); }),
            "[spectral_norm] expected at least one dimension and n_power_iterations > 0, got (3,) and 0");
  EXPECT_EQ(message_of<ShapeError>([&] {
              parametrize::register_parametrization(layer, "bias", [](const Tensor& b) { return b[0]; });
            }),
            "[register_parametrization] expected a function that keeps the shape (3,), got ()");
  EXPECT_EQ(message_of<DtypeError>([&] {
              parametrize::register_parametrization(layer, "bias", [](const Tensor& b) { return b.to(f64); });
            }),
            "[register_parametrization] expected a function that keeps f32, got f64");
  EXPECT_EQ(keys(layer), (Keys{"bias", "weight_g", "weight_v"}));
}

}  // namespace
}  // namespace cadena
