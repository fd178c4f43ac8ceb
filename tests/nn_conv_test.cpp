// Convolutions, pools, normalisation and image layers: first values, printing, modes, errors. Their numbers
// are compared with PyTorch's in torch_functions_test.cpp.
#include <gtest/gtest.h>

#include <cmath>
#include <sstream>

#include "autodiff/autodiff.hpp"
#include "messages.hpp"
#include "nn/nn.hpp"

namespace cadena {
namespace {

TEST(NnConv, DefaultInitIsPyTorchs) {
  manual_seed(3);
  nn::Conv2d conv(32, 200, 5, {.groups = 2});
  EXPECT_EQ(conv.weight.shape(), (Shape{200, 16, 5, 5}));
  nn::ConvTranspose2d back(200, 32, 5, {.groups = 2});
  EXPECT_EQ(back.weight.shape(), (Shape{200, 16, 5, 5}));
  const double bound = 1 / std::sqrt(16 * 25.0);  // of the fan that PyTorch counts for both
  for (const Tensor& t : {Tensor(conv.weight), Tensor(conv.bias), Tensor(back.weight)}) {
    EXPECT_LE(max(abs(t)).item(), bound);
    EXPECT_GT(max(abs(t)).item(), 0.95 * bound);
  }
}

TEST(NnConv, PrintsAsPyTorchDoes) {
  EXPECT_EQ(nn::Conv2d(3, 8, 3, {.stride = {2, 1}, .padding = 1, .bias = false}).to_string(),
            "Conv2d(3, 8, kernel_size=(3, 3), stride=(2, 1), padding=(1, 1), bias=False)");
  EXPECT_EQ(nn::Conv1d(4, 4, 2,
                       {.padding = ConvPadding::same, .groups = 2, .padding_mode = nn::PaddingMode::circular})
                .to_string(),
            "Conv1d(4, 4, kernel_size=(2,), stride=(1,), padding=same, groups=2, padding_mode=circular)");
  EXPECT_EQ(nn::ConvTranspose3d(1, 2, 3, {.stride = 2, .output_padding = 1}).to_string(),
            "ConvTranspose3d(1, 2, kernel_size=(3, 3, 3), stride=(2, 2, 2), output_padding=(1, 1, 1))");
  EXPECT_EQ(nn::MaxPool2d(2).to_string(),
            "MaxPool2d(kernel_size=2, stride=2, padding=0, dilation=1, ceil_mode=False)");
  EXPECT_EQ(nn::AdaptiveAvgPool2d({5, 7}).to_string(), "AdaptiveAvgPool2d(output_size=(5, 7))");
  EXPECT_EQ(nn::BatchNorm1d(4).to_string(),
            "BatchNorm1d(4, eps=1e-05, momentum=0.1, affine=True, track_running_stats=True)");
  EXPECT_EQ(nn::LayerNorm(4).to_string(), "LayerNorm((4,), eps=1e-05, elementwise_affine=True)");
  EXPECT_EQ(nn::GroupNorm(2, 4).to_string(), "GroupNorm(2, 4, eps=1e-05, affine=True)");
  EXPECT_EQ(nn::LocalResponseNorm(3).to_string(), "LocalResponseNorm(3, alpha=0.0001, beta=0.75, k=1)");
  EXPECT_EQ(nn::Upsample({.scale_factor = {2}}).to_string(), "Upsample(scale_factor=2, mode=nearest)");
}

TEST(NnConv, RefusesWhatDoesNotFit) {
  EXPECT_THROW(nn::Conv2d(3, 4, 3, {.groups = 2}), ValueError);
  EXPECT_THROW(nn::Conv2d(3, 4, {3, 3, 3}), ValueError);
  EXPECT_THROW(nn::Conv1d(3, 4, 3, {.stride = {1, 2}}), ValueError);
  EXPECT_THROW(
      nn::Conv1d(1, 1, 3, {.padding = 4, .padding_mode = nn::PaddingMode::reflect})(zeros({1, 1, 4})),
      ShapeError);
  EXPECT_THROW(
      nn::Conv1d(1, 1, 3, {.padding = 5, .padding_mode = nn::PaddingMode::circular})(zeros({1, 1, 4})),
      ShapeError);
  EXPECT_THROW(nn::BatchNorm2d(3)(zeros({2, 3})), ShapeError);
  EXPECT_THROW(nn::GroupNorm(3, 4), ValueError);
  EXPECT_THROW(nn::ConvTranspose1d(1, 1, 2)(zeros({1, 1, 4}), 9), ValueError);
}

TEST(NnPad, SidesAndPrinting) {
  const Tensor x = tensor({1., 2., 3.}).reshape({1, 3});
  EXPECT_EQ(nn::CircularPad1d({1, 2})(x).to_vector<double>(), (std::vector<double>{3, 1, 2, 3, 1, 2}));
  EXPECT_EQ(nn::ZeroPad1d(1)(x).to_vector<double>(), (std::vector<double>{0, 1, 2, 3, 0}));
  EXPECT_EQ(nn::ReflectionPad2d(1).to_string(), "ReflectionPad2d((1, 1, 1, 1))");
  EXPECT_EQ(nn::ConstantPad1d(2, 0.5).to_string(), "ConstantPad1d(padding=(2, 2), value=0.5)");
  EXPECT_THROW(nn::ZeroPad2d({1, 2}), ValueError);
}

TEST(NnConv, OutputSizeChoosesAmongInputs) {
  nn::Conv1d down(1, 1, 3, {.stride = 3});
  nn::ConvTranspose1d up(1, 1, 3, {.stride = 3});
  for (int n : {9, 10, 11}) EXPECT_EQ(up(down(zeros({2, 1, n})), n).shape(), (Shape{2, 1, n}));
}

TEST(NnBatchNorm, EvaluationUsesWhatTrainingSaw) {
  manual_seed(6);
  nn::BatchNorm1d norm(3, {.momentum = std::nullopt, .dtype = f64});
  const Tensor a = randn({40, 3}, f64) * 3 + 5, b = randn({40, 3}, f64) - 2;
  EXPECT_TRUE(allclose(mean(norm(a), 0), zeros({3}, f64), 1e-12, 1e-12));
  norm(b);
  EXPECT_TRUE(allclose(norm.running_mean, (mean(a, 0) + mean(b, 0)) / 2));
  EXPECT_EQ(norm.num_batches_tracked.item(), 2);
  norm.eval();
  const Tensor y = norm(a);
  EXPECT_TRUE(allclose(y, (a - norm.running_mean) / sqrt(norm.running_var + 1e-5)));
  EXPECT_EQ(norm.num_batches_tracked.item(), 2);
  // Copies and saved states hold the running values, too.
  nn::BatchNorm1d copy(norm), other(3, {.dtype = f64});
  norm.train();
  norm(b);
  EXPECT_TRUE(equal(copy(a), y));
  other.load_state_dict(copy.state_dict());
  other.eval();
  EXPECT_TRUE(equal(other(a), y));
}

TEST(NnPools, UnpoolPutsBack) {
  nn::MaxPool2d pool(2);
  nn::MaxUnpool2d unpool(2);
  const Tensor x = arange(16.0).reshape({1, 1, 4, 4});
  const auto [values, indices] = pool.forward_with_indices(x);
  EXPECT_TRUE(equal(pool(unpool(values, indices)), values));
}

TEST(NnPools, FractionalOnesUnpoolToo) {
  manual_seed(2);
  nn::FractionalMaxPool2d pool(2, {.output_ratio = {0.5, 0.75}});
  const Tensor x = randn({2, 3, 8, 8});
  const auto [values, indices] = pool.forward_with_indices(x);
  EXPECT_EQ(values.shape(), (Shape{2, 3, 4, 6}));
  EXPECT_TRUE(equal(gather(x.flatten(2), 2, indices.flatten(2)), values.flatten(2)));
  EXPECT_EQ(nn::FractionalMaxPool3d(2, {.output_size = 3})(randn({1, 5, 6, 7})).shape(), (Shape{1, 3, 3, 3}));
  std::ostringstream out;
  out << pool << nn::FractionalMaxPool3d({2, 3, 2}, {.output_size = 3});
  EXPECT_EQ(out.str(),
            "FractionalMaxPool2d(kernel_size=2, output_ratio=(0.5, 0.75))"
            "FractionalMaxPool3d(kernel_size=(2, 3, 2), output_size=3)");
  EXPECT_EQ(message_of<ValueError>([] { nn::FractionalMaxPool2d(2, {}); }),
            "[FractionalMaxPool2d] expected one of output_size and output_ratio, got neither");
}

TEST(NnNormalization, InF32) {
  manual_seed(8);
  const Tensor x = randn({6, 8, 9}) * 100 + 1000;
  for (const auto& y : {nn::LayerNorm(Shape{8, 9})(x).reshape({6, 72}),
                        nn::GroupNorm(1, 8)(x).reshape({6, 72}), nn::InstanceNorm1d(8)(x).reshape({48, 9})}) {
    EXPECT_LT(max(abs(mean(y, 1))).item(), 1e-5);
    EXPECT_LT(max(abs(mean(square(y), 1) - 1)).item(), 1e-4);
  }
  EXPECT_TRUE(allclose(mean(square(nn::RMSNorm(9)(x)), 2), ones({6, 8}), 1e-5));
}

}  // namespace
}  // namespace cadena
