// Each activation layer is its function with PyTorch's defaults and prints its options.
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <sstream>

#include "autodiff/autodiff.hpp"
#include "nn/nn.hpp"

namespace cadena {
namespace {

struct Row {
  std::string text;
  std::shared_ptr<nn::Layer> layer;
  std::function<Tensor(const Tensor&)> function;
};

template <class L>
Row row(const char* text, L layer, std::function<Tensor(const Tensor&)> function) {
  return {text, std::make_shared<L>(std::move(layer)), std::move(function)};
}

std::vector<Row> rows() {
  using T = const Tensor&;
  return {
      row("ReLU()", nn::ReLU(), [](T x) { return relu(x); }),
      row("ReLU6()", nn::ReLU6(), [](T x) { return relu6(x); }),
      row("LeakyReLU(negative_slope=0.01)", nn::LeakyReLU(), [](T x) { return leaky_relu(x, 0.01); }),
      row("LeakyReLU(negative_slope=0.2)", nn::LeakyReLU(0.2), [](T x) { return leaky_relu(x, 0.2); }),
      row("ELU(alpha=1)", nn::ELU(), [](T x) { return elu(x, 1); }),
      row("SELU()", nn::SELU(), [](T x) { return selu(x); }),
      row("CELU(alpha=0.5)", nn::CELU(0.5), [](T x) { return celu(x, 0.5); }),
      row("GELU(approximate=none)", nn::GELU(), [](T x) { return gelu(x); }),
      row("GELU(approximate=tanh)", nn::GELU("tanh"), [](T x) { return gelu(x, "tanh"); }),
      row("SiLU()", nn::SiLU(), [](T x) { return silu(x); }),
      row("Mish()", nn::Mish(), [](T x) { return mish(x); }),
      row("Sigmoid()", nn::Sigmoid(), [](T x) { return sigmoid(x); }),
      row("LogSigmoid()", nn::LogSigmoid(), [](T x) { return log_sigmoid(x); }),
      row("Tanh()", nn::Tanh(), [](T x) { return tanh(x); }),
      row("Softsign()", nn::Softsign(), [](T x) { return softsign(x); }),
      row("Softplus(beta=1)", nn::Softplus(), [](T x) { return softplus(x); }),
      row("Softplus(beta=2)", nn::Softplus(2), [](T x) { return softplus(x * 2) / 2; }),
      row("Hardsigmoid()", nn::Hardsigmoid(), [](T x) { return hardsigmoid(x); }),
      row("Hardswish()", nn::Hardswish(), [](T x) { return hardswish(x); }),
      row("Hardtanh(min_val=-1, max_val=1)", nn::Hardtanh(), [](T x) { return clamp(x, -1, 1); }),
      row("Hardshrink(lambd=0.5)", nn::Hardshrink(), [](T x) { return hardshrink(x, 0.5); }),
      row("Softshrink(lambd=0.5)", nn::Softshrink(), [](T x) { return softshrink(x, 0.5); }),
      row("Tanhshrink()", nn::Tanhshrink(), [](T x) { return x - tanh(x); }),
      row("Threshold(threshold=0.1, value=20)", nn::Threshold(0.1, 20),
          [](T x) { return where(x > 0.1, x, 20); }),
      row("PReLU(num_parameters=1)", nn::PReLU(), [](T x) { return leaky_relu(x, 0.25); }),
      row("PReLU(num_parameters=4)", nn::PReLU(4, 0.5), [](T x) { return leaky_relu(x, 0.5); }),
      row("GLU(dim=-1)", nn::GLU(), [](T x) { return glu(x, -1); }),
      row("GLU(dim=1)", nn::GLU(1), [](T x) { return glu(x, 1); }),
      row("Softmax(dim=1)", nn::Softmax(1), [](T x) { return softmax(x, 1); }),
      row("Softmin(dim=1)", nn::Softmin(1), [](T x) { return softmax(-x, 1); }),
      row("LogSoftmax(dim=-1)", nn::LogSoftmax(-1), [](T x) { return log_softmax(x, -1); }),
  };
}

TEST(NnActivation, IsItsFunctionAndPrintsItsOptions) {
  const Tensor x = linspace(-7.9, 8.1, 2 * 4 * 10).reshape({2, 4, 10});
  for (const auto& r : rows()) {
    EXPECT_TRUE(equal((*r.layer)(x), r.function(x))) << r.text;
    std::ostringstream text;
    text << *r.layer;
    EXPECT_EQ(text.str(), r.text);
    EXPECT_EQ(r.layer->parameters().size(), r.text.starts_with("PReLU") ? 1u : 0u) << r.text;
  }
}

TEST(NnActivation, PReluLearnsItsSlopes) {
  nn::PReLU layer(3, 0.25, f64);
  const Tensor x = tensor({{-1., 2., -3.}, {-4., -5., 6.}}, f64);
  sum(layer(x)).backward();
  EXPECT_EQ(layer.weight.grad().to_vector<double>(), (std::vector<double>{-5, -5, -3}));
  EXPECT_EQ(layer.named_parameters()[0].first, "weight");
}

TEST(NnActivation, RefusesSenselessOptions) {
  EXPECT_THROW(nn::CELU(0), ValueError);
  EXPECT_THROW(nn::GELU("sigmoid"), ValueError);
  EXPECT_THROW(nn::Hardtanh(1, 1), ValueError);
  EXPECT_THROW(nn::Softplus(0), ValueError);
  EXPECT_THROW(nn::Softshrink(-0.5), ValueError);
  EXPECT_THROW(nn::PReLU(0), ShapeError);
  EXPECT_THROW(nn::PReLU(1, 0.25, i64), DtypeError);
}

}  // namespace
}  // namespace cadena
