#include "oracle.hpp"

namespace cadena::oracle {

Calls network_calls() {
  const Tensor at = tensor({{0, 2, 2}, {4, 0, 2}});
  using Mode = InterpolateMode;
  Calls calls = {
      {"embedding", [=](In x) { return embedding(at, x[0]); }},
      {"embedding padding",
       [=](In x) { return embedding(at, x[0], {.padding_idx = 4, .scale_grad_by_freq = true}); }},
      {"embedding_bag", [=](In x) { return embedding_bag(at, x[0]); }},
      {"embedding_bag sum",
       [=](In x) { return embedding_bag(at, x[0], {}, {.mode = BagMode::sum, .per_sample_weights = x[1]}); }},
      {"embedding_bag max",
       [=](In x) {
         return embedding_bag(reshape(at, {-1}), x[0], tensor({0, 2, 3}), {.mode = BagMode::max});
       }},
      {"scaled_dot_product_attention", [](In x) { return scaled_dot_product_attention(x[0], x[1], x[2]); }},
      {"scaled_dot_product_attention causal",
       [](In x) { return scaled_dot_product_attention(x[0], x[1], x[2], {.is_causal = true}); }},
      {"layer_norm",
       [](In x) {
         return layer_norm(x[0], {3, 4}, x[1], x[2], 1e-3);
       }},
      {"rms_norm",
       [](In x) {
         return rms_norm(x[0], {3, 4}, x[1], 1e-3);
       }},
      {"channel_norm",
       [](In x) {
         return batch_norm(x[0], {}, {}, {.weight = x[1], .bias = x[2], .training = true, .eps = 1e-3});
       }},
      {"batch_norm",
       [](In x) {
         return batch_norm(x[0], tensor({0.5, -1.}, f64), tensor({2., 0.5}, f64),
                           {.weight = x[1], .bias = x[2], .eps = 1e-3});
       }},
      {"group_norm", [](In x) { return group_norm(x[0], 2, x[1], x[2], 1e-3); }},
      {"instance_norm",
       [](In x) { return instance_norm(x[0], {.weight = x[1], .bias = x[2], .eps = 1e-3}); }},
      {"local_response_norm", [](In x) { return local_response_norm(x[0], 3, 0.5, 0.75, 1.5); }},
      {"resample",
       [](In x) {
         return interpolate(x[0], {.size = {7, 3}, .mode = Mode::bilinear});
       }},
      {"interpolate",
       [](In x) {
         return interpolate(x[0], {.size = {7, 4}, .mode = Mode::bicubic, .align_corners = true});
       }},
      {"interpolate nearest", [](In x) { return interpolate(x[0], {.size = 7}); }},
      {"interpolate nearest_exact",
       [](In x) { return interpolate(x[0], {.size = 7, .mode = Mode::nearest_exact}); }},
      {"interpolate linear",
       [](In x) { return interpolate(x[0], {.scale_factor = {1.7}, .mode = Mode::linear}); }},
      {"interpolate area",
       [](In x) {
         return interpolate(x[0], {.size = {2, 3}, .mode = Mode::area});
       }},
      {"interpolate trilinear",
       [](In x) {
         return interpolate(x[0], {.size = {3, 5, 2}, .mode = Mode::trilinear});
       }},
      {"affine_grid",
       [](In x) {
         return affine_grid(x[0], {2, 1, 3, 4});
       }},
      {"pixel_shuffle", [](In x) { return pixel_shuffle(x[0], 2); }},
      {"pixel_unshuffle", [](In x) { return pixel_unshuffle(x[0], 2); }},
      {"channel_shuffle", [](In x) { return channel_shuffle(x[0], 3); }},
  };
  const std::pair<const char*, GridPadding> outside[] = {{"zeros", GridPadding::zeros},
                                                         {"border", GridPadding::border},
                                                         {"reflection", GridPadding::reflection}};
  for (const auto& [name, mode] : outside)
    calls[std::string("grid_sample ") + name] = [mode = mode](In x) {
      return grid_sample(x[0], x[1] * 0.71 + 0.013, {.padding_mode = mode});
    };
  return calls;
}

namespace {

/// A linear f's gradient by its second argument, of `shape`, at x and the cotangent g.
Tensor weight_gradient(const std::function<Tensor(const Tensor& x, const Tensor& w)>& f, const Shape& shape,
                       In in) {
  EnableGrad mode;
  const Tensor w = zeros(shape, f64).requires_grad_();
  return grad(f(in[0], w), w, {.create_graph = true}, in[1]);
}

#define CADENA_POOL_CALLS(D)                                                                         \
  {"max_pool" #D, [](In x) { return max_pool##D(x[0], 2, {.stride = 1, .padding = 1}); }},           \
      {"max_pool" #D "_with_indices",                                                                \
       [](In x) { return both(max_pool##D##_with_indices(x[0], 3, {.stride = 2, .padding = 1})); }}, \
      {"adaptive_max_pool" #D, [](In x) { return adaptive_max_pool##D(x[0], 2); }},                  \
      {"adaptive_max_pool" #D "_with_indices",                                                       \
       [](In x) { return both(adaptive_max_pool##D##_with_indices(x[0], 2)); }},                     \
      {"max_unpool" #D,                                                                              \
       [](In x) {                                                                                    \
         const auto pooled = max_pool##D##_with_indices(x[0], 2);                                    \
         return max_unpool##D(pooled.values, pooled.indices, 2);                                     \
       }},                                                                                           \
      {"avg_pool" #D, [](In x) { return avg_pool##D(x[0], 2, {.stride = 1, .padding = 1}); }},       \
      {"adaptive_avg_pool" #D, [](In x) { return adaptive_avg_pool##D(x[0], 2); }},                  \
      {"lp_pool" #D, [](In x) { return lp_pool##D(abs(x[0]) + 0.25, 3, 2); }},

}  // namespace

Calls convolution_calls() {
  const FractionalMaxPoolOptions plane{.output_size = {4, 5},
                                       .random_samples = tensor({{{0.3, 0.9}, {0.75, 0.125}}}, f64)};
  const FractionalMaxPoolOptions box{.output_ratio = {0.5, 0.6, 0.6},
                                     .random_samples = tensor({{{0.6, 0.9, 0.1}}}, f64)};
  return {
      {"fractional_max_pool2d", [=](In x) { return fractional_max_pool2d(x[0], 2, plane); }},
      {"fractional_max_pool2d_with_indices",
       [=](In x) { return both(fractional_max_pool2d_with_indices(x[0], 2, plane)); }},
      {"fractional_max_pool3d", [=](In x) { return fractional_max_pool3d(x[0], 2, box); }},
      {"fractional_max_pool3d_with_indices",
       [=](In x) { return both(fractional_max_pool3d_with_indices(x[0], 2, box)); }},
      CADENA_POOL_CALLS(1d) CADENA_POOL_CALLS(2d) CADENA_POOL_CALLS(3d)  //
      {"max_pool",
       [](In x) {
         return max_pool2d(x[0], {3, 2});
       }},
      {"conv",
       [](In x) {
         return conv2d(x[0], x[1], x[2], {.stride = {2, 1}, .padding = {1, 2}, .groups = 2});
       }},
      {"conv_transpose",
       [](In x) {
         return conv_transpose2d(
             x[0], x[1], {},
             {.stride = 2, .padding = {1, 0}, .output_padding = 1, .groups = 2, .dilation = {1, 2}});
       }},
      {"conv_weight",
       [](In x) {
         return weight_gradient(
             [](const Tensor& image, const Tensor& w) {
               return conv2d(image, w, {}, {.stride = {2, 1}, .padding = 1});
             },
             {3, 2, 2, 3}, x);
       }},
      {"conv1d",
       [](In x) { return conv1d(x[0], x[1], x[2], {.padding = ConvPadding::same, .dilation = 2}); }},
      {"conv2d",
       [](In x) {
         return conv2d(x[0], x[1], {}, {.dilation = {2, 1}});
       }},
      {"conv3d",
       [](In x) {
         return conv3d(x[0], x[1], {}, {.padding = 1, .dilation = {2, 1, 1}});
       }},
      {"conv_transpose1d",
       [](In x) {
         return conv_transpose1d(x[0], x[1], x[2], {.stride = 3, .padding = 1, .output_padding = 2});
       }},
      {"conv_transpose2d",
       [](In x) {
         return conv_transpose2d(x[0], x[1], {}, {.stride = {2, 1}});
       }},
      {"conv_transpose3d", [](In x) { return conv_transpose3d(x[0], x[1], {}, {.stride = 2}); }},
  };
}

}  // namespace cadena::oracle
