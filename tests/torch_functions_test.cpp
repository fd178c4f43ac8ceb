// Functions and layers against PyTorch's: values, gradients, names of the state, running values. See
// fixtures/torch_functions.py; the calls here are those there, in the same order.
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "autodiff/autodiff.hpp"
#include "nn/nn.hpp"
#include "torch_records.hpp"

namespace cadena {
namespace {

const Shape image{2, 4, 5, 6}, line{2, 4, 7}, box{1, 2, 4, 5, 3};

/// 0 with a path to x, under a value that has none.
Tensor detached(const Tensor& x, const Tensor& value) { return add(mul(sum(x), 0), to(value, f64)); }

using In = const TensorList&;

std::vector<TorchCall> functions() {
  using Mode = InterpolateMode;
  std::vector<TorchCall> list = {
      {"conv1d", {line, {3, 4, 3}, {3}}, [](In x) { return conv1d(x[0], x[1], x[2]); }},
      {"conv1d same dilated",
       {line, {3, 4, 4}},
       [](In x) { return conv1d(x[0], x[1], {}, {.padding = ConvPadding::same, .dilation = 2}); }},
      {"conv2d strided",
       {image, {6, 2, 3, 2}, {6}},
       [](In x) {
         return conv2d(x[0], x[1], x[2], {.stride = {2, 1}, .padding = {1, 2}, .groups = 2});
       }},
      {"conv2d same",
       {image, {2, 4, 2, 3}},
       [](In x) { return conv2d(x[0], x[1], {}, {.padding = ConvPadding::same}); }},
      {"conv3d",
       {box, {2, 2, 2, 3, 2}},
       [](In x) {
         return conv3d(x[0], x[1], {}, {.padding = 1, .dilation = {2, 1, 1}});
       }},
      {"conv_transpose1d",
       {line, {4, 2, 3}, {2}},
       [](In x) {
         return conv_transpose1d(x[0], x[1], x[2], {.stride = 3, .padding = 1, .output_padding = 2});
       }},
      {"conv_transpose2d",
       {image, {4, 3, 3, 2}},
       [](In x) {
         return conv_transpose2d(
             x[0], x[1], {},
             {.stride = 2, .padding = {1, 0}, .output_padding = 1, .groups = 2, .dilation = {1, 2}});
       }},
      {"conv_transpose3d",
       {box, {2, 1, 2, 2, 2}},
       [](In x) { return conv_transpose3d(x[0], x[1], {}, {.stride = 2}); }},
      {"max_pool1d ceil",
       {line},
       [](In x) { return max_pool1d(x[0], 3, {.stride = 2, .padding = 1, .ceil_mode = true}); }},
      {"max_pool2d dilated",
       {image},
       [](In x) {
         return max_pool2d(x[0], {2, 3}, {.stride = 1, .padding = 1, .dilation = {2, 1}});
       }},
      {"max_pool2d ceil",
       {image},
       [](In x) { return max_pool2d(x[0], 2, {.stride = 2, .padding = 1, .ceil_mode = true}); }},
      {"max_pool2d indices",
       {image},
       [](In x) { return detached(x[0], max_pool2d_with_indices(x[0], 3, {.stride = 2}).indices); }},
      {"max_pool3d",
       {box},
       [](In x) {
         return max_pool3d(x[0], 2, {.stride = {1, 2, 1}});
       }},
      {"max_unpool2d",
       {image},
       [](In x) {
         const auto [values, indices] = max_pool2d_with_indices(x[0], 2);
         return max_unpool2d(values, indices, 2, {.output_size = {5, 6}});
       }},
      {"avg_pool1d",
       {line},
       [](In x) { return avg_pool1d(x[0], 3, {.stride = 2, .padding = 1, .count_include_pad = false}); }},
      {"avg_pool2d ceil",
       {image},
       [](In x) { return avg_pool2d(x[0], 3, {.stride = 2, .padding = 1, .ceil_mode = true}); }},
      {"avg_pool2d ceil exclusive",
       {image},
       [](In x) {
         return avg_pool2d(x[0], {2, 3},
                           {.stride = {3, 2}, .padding = 1, .ceil_mode = true, .count_include_pad = false});
       }},
      {"avg_pool3d divisor", {box}, [](In x) { return avg_pool3d(x[0], 2, {.divisor_override = 3}); }},
      {"adaptive_avg_pool2d",
       {image},
       [](In x) {
         return adaptive_avg_pool2d(x[0], {3, 4});
       }},
      {"adaptive_avg_pool3d",
       {box},
       [](In x) {
         return adaptive_avg_pool3d(x[0], {3, -1, 2});
       }},
      {"adaptive_max_pool2d",
       {image},
       [](In x) {
         return adaptive_max_pool2d(x[0], {7, 4});
       }},
      {"lp_pool1d", {line}, [](In x) { return lp_pool1d(abs(x[0]), 3, 2, {.ceil_mode = true}); }},
      {"lp_pool2d",
       {image},
       [](In x) {
         return lp_pool2d(x[0], 2, {2, 3}, {.stride = 1});
       }},
  };
  const auto add_interpolation = [&](const char* key, const Shape& shape, const InterpolateOptions& o) {
    list.push_back({key, {shape}, [o](In x) { return interpolate(x[0], o); }});
  };
  add_interpolation("interpolate nearest", image, {.size = {7, 4}});
  add_interpolation("interpolate nearest scale", line, {.scale_factor = {1.7}});
  add_interpolation("interpolate linear", line, {.size = 10, .mode = Mode::linear});
  add_interpolation("interpolate bilinear", image, {.size = {3, 11}, .mode = Mode::bilinear});
  add_interpolation("interpolate bilinear corners", image,
                    {.scale_factor = {2}, .mode = Mode::bilinear, .align_corners = true});
  add_interpolation("interpolate bilinear scale", image,
                    {.scale_factor = {1.3, 0.7}, .mode = Mode::bilinear});
  add_interpolation("interpolate bicubic", image, {.size = {8, 4}, .mode = Mode::bicubic});
  add_interpolation("interpolate bicubic corners", image,
                    {.size = {9, 11}, .mode = Mode::bicubic, .align_corners = true});
  add_interpolation("interpolate trilinear", box, {.size = {3, 6, 5}, .mode = Mode::trilinear});
  add_interpolation("interpolate area", image, {.size = {2, 4}, .mode = Mode::area});
  add_interpolation("interpolate nearest_exact", image, {.size = {7, 4}, .mode = Mode::nearest_exact});
  const std::pair<const char*, GridSampleOptions> grids[] = {
      {"grid_sample bilinear zeros edges", {GridSampleMode::bilinear, GridPadding::zeros, false}},
      {"grid_sample bilinear zeros corners", {GridSampleMode::bilinear, GridPadding::zeros, true}},
      {"grid_sample bilinear border edges", {GridSampleMode::bilinear, GridPadding::border, false}},
      {"grid_sample bilinear border corners", {GridSampleMode::bilinear, GridPadding::border, true}},
      {"grid_sample bilinear reflection edges", {GridSampleMode::bilinear, GridPadding::reflection, false}},
      {"grid_sample bilinear reflection corners", {GridSampleMode::bilinear, GridPadding::reflection, true}},
      {"grid_sample nearest zeros edges", {GridSampleMode::nearest, GridPadding::zeros, false}},
      {"grid_sample nearest zeros corners", {GridSampleMode::nearest, GridPadding::zeros, true}},
      {"grid_sample nearest border edges", {GridSampleMode::nearest, GridPadding::border, false}},
      {"grid_sample nearest border corners", {GridSampleMode::nearest, GridPadding::border, true}},
      {"grid_sample nearest reflection edges", {GridSampleMode::nearest, GridPadding::reflection, false}},
      {"grid_sample nearest reflection corners", {GridSampleMode::nearest, GridPadding::reflection, true}}};
  for (const auto& [key, o] : grids)
    list.push_back({key, {image, {2, 3, 4, 2}}, [o = o](In x) { return grid_sample(x[0], x[1] * 0.75, o); }});
  const std::vector<TorchCall> rest = {
      {"grid_sample 3d", {box, {1, 2, 2, 3, 3}}, [](In x) { return grid_sample(x[0], x[1] * 0.6); }},
      {"affine_grid",
       {{2, 2, 3}},
       [](In x) {
         return affine_grid(x[0], {2, 1, 3, 4});
       }},
      {"affine_grid 3d corners",
       {{1, 3, 4}},
       [](In x) {
         return affine_grid(x[0], {1, 1, 2, 3, 4}, true);
       }},
      {"pixel_shuffle", {image}, [](In x) { return pixel_shuffle(x[0], 2); }},
      {"pixel_unshuffle", {{1, 2, 4, 6}}, [](In x) { return pixel_unshuffle(x[0], 2); }},
      {"channel_shuffle", {image}, [](In x) { return detached(x[0], channel_shuffle(x[0].detach(), 2)); }},
      {"layer_norm",
       {image, {5, 6}, {5, 6}},
       [](In x) {
         return layer_norm(x[0], {5, 6}, x[1], x[2]);
       }},
      {"batch_norm",
       {image, {4}, {4}},
       [](In x) { return batch_norm(x[0], {}, {}, {.weight = x[1], .bias = x[2], .training = true}); }},
      {"batch_norm rows",
       {{9, 4}},
       [](In x) { return batch_norm(x[0], {}, {}, {.training = true, .eps = 0.1}); }},
      {"batch_norm eval",
       {line, {4}},
       [](In x) {
         return batch_norm(x[0], numbers({4}, 8), abs(numbers({4}, 9)), {.weight = x[1], .eps = 1e-3});
       }},
      {"group_norm", {image, {4}, {4}}, [](In x) { return group_norm(x[0], 2, x[1], x[2]); }},
      {"instance_norm",
       {image, {4}, {4}},
       [](In x) { return instance_norm(x[0], {.weight = x[1], .bias = x[2]}); }},
      {"local_response_norm", {image}, [](In x) { return local_response_norm(x[0], 3, 0.2, 0.7, 1.5); }},
      {"local_response_norm even", {image}, [](In x) { return local_response_norm(x[0], 2); }},
      {"normalize", {line}, [](In x) { return normalize(x[0]); }},
      {"normalize p3", {line}, [](In x) { return normalize(x[0], 3, -1); }},
      {"cosine_similarity", {line, {2, 1, 7}}, [](In x) { return cosine_similarity(x[0], x[1], 2); }},
      {"pairwise_distance", {line, line}, [](In x) { return pairwise_distance(x[0], x[1]); }},
      {"pairwise_distance p1",
       {line, line},
       [](In x) { return nn::PairwiseDistance(1, 1e-6, true)(x[0], x[1]); }},
      {"cdist", {line, {2, 3, 7}}, [](In x) { return cdist(x[0], x[1]); }},
      {"cdist p3", {line, {2, 3, 7}}, [](In x) { return cdist(x[0], x[1], 3); }},
  };
  list.insert(list.end(), rest.begin(), rest.end());
  return list;
}

TEST(TorchFunctions, ValuesAndGradients) {
  expect_calls(functions(), fixtures::torch_functions, fixtures::torch_numbers);
}

struct LayerCase {
  const char* key;
  std::shared_ptr<nn::Layer> layer;
  Shape input;
};

template <class L, class... Args>
std::shared_ptr<nn::Layer> make(Args&&... args) {
  return std::make_shared<L>(std::forward<Args>(args)...);
}
template <class L>
std::shared_ptr<nn::Layer> evaluating(L layer) {
  layer.eval();
  return std::make_shared<L>(std::move(layer));
}

std::vector<LayerCase> layers() {
  using P = nn::PaddingMode;
  using nn::ConvOptions;
  const nn::InstanceNormOptions tracking{.affine = true, .track_running_stats = true};
  return {
      {"Conv1d circular", make<nn::Conv1d>(4, 3, 3, ConvOptions{.padding = 2, .padding_mode = P::circular}),
       line},
      {"Conv2d reflect",
       make<nn::Conv2d>(4, 6, 3,
                        ConvOptions{.stride = 2, .padding = {1, 2}, .groups = 2, .padding_mode = P::reflect}),
       image},
      {"Conv2d replicate same",
       make<nn::Conv2d>(4, 2, PerAxis{2, 4},
                        ConvOptions{.padding = ConvPadding::same, .padding_mode = P::replicate}),
       image},
      {"Conv3d", make<nn::Conv3d>(2, 2, 2, ConvOptions{.dilation = 2, .bias = false}), box},
      {"ConvTranspose2d",
       make<nn::ConvTranspose2d>(4, 2, 3,
                                 nn::ConvTransposeOptions{.stride = 2, .padding = 1, .output_padding = 1}),
       image},
      {"MaxPool2d", make<nn::MaxPool2d>(3, MaxPoolOptions{.stride = 2, .padding = 1}), image},
      {"AvgPool3d", make<nn::AvgPool3d>(2), box},
      {"AdaptiveAvgPool1d", make<nn::AdaptiveAvgPool1d>(3), line},
      {"LPPool2d", make<nn::LPPool2d>(2, 3), image},
      {"BatchNorm1d", make<nn::BatchNorm1d>(4), {9, 4}},
      {"BatchNorm2d cumulative",
       make<nn::BatchNorm2d>(4, nn::BatchNormOptions{.eps = 1e-3, .momentum = std::nullopt}), image},
      {"BatchNorm3d", make<nn::BatchNorm3d>(2, nn::BatchNormOptions{.affine = false}), box},
      {"BatchNorm2d eval", evaluating(nn::BatchNorm2d(4)), image},
      {"InstanceNorm2d", make<nn::InstanceNorm2d>(4), image},
      {"InstanceNorm1d tracking", make<nn::InstanceNorm1d>(4, tracking), line},
      {"InstanceNorm1d tracking eval", evaluating(nn::InstanceNorm1d(4, tracking)), line},
      {"GroupNorm", make<nn::GroupNorm>(2, 4), image},
      {"LayerNorm", make<nn::LayerNorm>(Shape{5, 6}), image},
      {"LocalResponseNorm", make<nn::LocalResponseNorm>(3), image},
      {"Upsample",
       make<nn::Upsample>(InterpolateOptions{.scale_factor = {2}, .mode = InterpolateMode::bilinear}), image},
      {"UpsamplingBilinear2d", make<nn::UpsamplingBilinear2d>(nn::UpsamplingOptions{.size = {7, 9}}), image},
      {"PixelShuffle", make<nn::PixelShuffle>(2), image},
      {"ReflectionPad2d", make<nn::ReflectionPad2d>(PerAxis{1, 2, 3, 0}), image},
      {"ReplicationPad1d", make<nn::ReplicationPad1d>(2), line},
      {"ConstantPad3d", make<nn::ConstantPad3d>(PerAxis{1, 0, 2, 1, 0, 3}, -0.5), box},
  };
}

/// Parameters and buffers by name, as state_dict sorts them, but the tensors themselves.
std::vector<std::pair<std::string, Tensor>> state_of(const nn::Module& module) {
  auto all = module.named_parameters();
  for (auto& b : module.named_buffers()) all.push_back(b);
  std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  return all;
}

TEST(TorchLayers, StateValuesAndGradients) {
  const auto list = layers();
  ASSERT_EQ(list.size(), std::size(fixtures::torch_layers));
  for (std::size_t i = 0; i < list.size(); ++i) {
    const auto& record = fixtures::torch_layers[i];
    auto& layer = *list[i].layer;
    ASSERT_STREQ(list[i].key, record.key);
    SCOPED_TRACE(record.key);
    layer.to(f64);
    std::string names;
    auto state = state_of(layer);
    for (std::size_t k = 0; k < state.size(); ++k) {
      auto& [name, t] = state[k];
      names += (names.empty() ? "" : " ") + name;
      if (!is_floating(t.dtype())) continue;
      NoGrad no_grad;
      const Tensor values = numbers(t.shape(), static_cast<std::int64_t>(k) + 2);
      t.copy_(name.find("var") != std::string::npos ? abs(values) + 0.25 : values);
    }
    EXPECT_EQ(names, record.state);
    layer(numbers(list[i].input, 1) * 1.5);
    Tensor x = numbers(list[i].input, 0).requires_grad_();
    const Tensor y = layer(x);
    y.backward(numbers(y.shape(), 5));
    TensorList others{x.grad()};
    for (auto& [name, t] : state)
      if (t.requires_grad()) others.push_back(t.grad());
    for (auto& [name, t] : state)
      if (!t.requires_grad()) others.push_back(t.to(f64));
    expect_recorded(record, fixtures::torch_numbers, y, others);
  }
}

}  // namespace
}  // namespace cadena
