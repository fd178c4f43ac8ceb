#include "peer/peer.hpp"

namespace bench::peer {
namespace {

Step gelu_of_plain_ops() {
  return differentiate(
      [](const at::Tensor& x) { return 0.5 * x * (1 + tanh(gelu_c * (x + gelu_d * (x * x * x)))); },
      leaf({gelu_size}, 1, 3));
}

Step gelu_built_in() {
  return differentiate([](const at::Tensor& x) { return torch::gelu(x, "tanh"); }, leaf({gelu_size}, 1, 3));
}

Step cross_entropy_of_rows() {
  const at::Tensor target = labels(4096, 1000);
  return differentiate([target](const at::Tensor& x) { return torch::cross_entropy_loss(x, target); },
                       leaf({4096, 1000}, 1, 3));
}

Step layer_norm_of_rows() {
  const at::Tensor x = leaf({norm_rows, norm_width}, 1), bias = leaf({norm_width}, 3);
  Step step = differentiate(
      [=](const at::Tensor& weight) { return torch::layer_norm(x, {norm_width}, weight, bias); },
      leaf({norm_width}, 2));
  return {[=, run = step.run] {
            drop_grad(x), drop_grad(bias);
            run();
          },
          [=, result = step.result] { return result() + digest(x.grad()) + digest(bias.grad()); }};
}

Step bias_and_sum() {
  const at::Tensor x = leaf({4096, 768}, 1);
  Step step = differentiate([x](const at::Tensor& bias) { return (x + bias).sum(); }, leaf({768}, 2));
  return {[run = step.run, x] {
            drop_grad(x);
            run();
          },
          step.result};
}

Step mean_along(int axis) {
  return differentiate([axis](const at::Tensor& x) { return x.mean(axis); }, leaf({4096, 768}, 1));
}

Step transpose_and_copy() {
  return differentiate([](const at::Tensor& x) { return x.t().contiguous(); }, leaf({2048, 2048}, 1));
}

Step slices_and_cat() {
  return differentiate(
      [](const at::Tensor& x) {
        std::vector<at::Tensor> parts;
        for (std::int64_t i = 0; i < 4; ++i) parts.push_back(x.slice(1, 512 * i, 512 * (i + 1)));
        return torch::cat({parts[3], parts[1], parts[2], parts[0]}, 1);
      },
      leaf({2048, 2048}, 1));
}

Step product(std::int64_t n) {
  const at::Tensor a = constant({n, n}, 1), b = constant({n, n}, 2);
  auto c = std::make_shared<at::Tensor>();
  return {[=] {
            const c10::InferenceMode guard;
            *c = matmul(a, b);
          },
          [=] { return digest(*c); }};
}

Step product_both_ways(std::int64_t n) {
  const at::Tensor a = leaf({n, n}, 1);
  Step step = differentiate([a](const at::Tensor& b) { return matmul(a, b); }, leaf({n, n}, 2));
  return {[run = step.run, a] {
            drop_grad(a);
            run();
          },
          step.result};
}

}  // namespace

Suite tensor_suite() {
  Suite list = {
      {"W10/gelu_plain_ops", gelu_of_plain_ops, gelu_work},
      {"W10/gelu_plain_ops_captured", gelu_of_plain_ops, gelu_work},  // libtorch as it is
      {"W10/gelu_one_lambda", gelu_of_plain_ops, gelu_work},          // it has no fused formulas of one's own
      {"W10/gelu_built_in", gelu_built_in, gelu_work},
      {"W11/cross_entropy_4096x1000", cross_entropy_of_rows, cross_entropy_work},
      {"W12/layer_norm_4096x768", layer_norm_of_rows, layer_norm_work},
      {"W13/bias_and_sum", bias_and_sum, bias_and_sum_work},
      {"W13/mean_axis_0", [] { return mean_along(0); }, mean_work},
      {"W13/mean_axis_1", [] { return mean_along(1); }, mean_work},
      {"W13/transpose_contiguous_2048", transpose_and_copy, move_work},
      {"W13/slice_4_and_cat_2048", slices_and_cat, move_work},
      {"W16/matmul_64_both_ways", [] { return product_both_ways(64); }, product_work(64, 3)},
  };
  for (std::int64_t n = 64; n <= 2048; n *= 2)
    list.push_back({"W16/matmul_" + std::to_string(n), [n] { return product(n); }, product_work(n, 1)});
  return list;
}

}  // namespace bench::peer
