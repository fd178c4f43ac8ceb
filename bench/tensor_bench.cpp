// Single operations at working size: products, reductions, copies, losses, fused formulas.
#include <autodiff/elementwise.hpp>

#include "captured.hpp"
#include "tools.hpp"

namespace bench {
namespace {

using cadena::Tensor;

Step gelu_of_plain_ops() {
  return differentiate(
      [](const Tensor& x) { return 0.5 * x * (1 + tanh(gelu_c * (x + gelu_d * (x * x * x)))); },
      leaf({gelu_size}, 1, 3));
}

Step gelu_of_one_lambda() {
  auto gelu = cadena::elementwise(
      "gelu", [](auto x) { return 0.5 * x * (1 + tanh(gelu_c * (x + gelu_d * x * x * x))); });
  return differentiate(gelu, leaf({gelu_size}, 1, 3));
}

Step cross_entropy_of_rows() {
  const Tensor target = cadena::tensor(classes(4096, 1000));
  return differentiate([target](const Tensor& x) { return cross_entropy(x, target); },
                       leaf({4096, 1000}, 1, 3));
}

Step gelu_built_in() {
  return differentiate([](const Tensor& x) { return gelu(x, "tanh"); }, leaf({gelu_size}, 1, 3));
}

Step layer_norm_of_rows() {
  const Tensor x = leaf({norm_rows, norm_width}, 1), bias = leaf({norm_width}, 3);
  Step step = differentiate([=](const Tensor& weight) { return layer_norm(x, {norm_width}, weight, bias); },
                            leaf({norm_width}, 2));
  return {[x = x, bias = bias, run = step.run]() mutable {
            x.zero_grad(), bias.zero_grad();
            run();
          },
          [=, result = step.result] { return result() + digest(x.grad()) + digest(bias.grad()); }};
}

Step bias_and_sum() {
  const Tensor x = leaf({4096, 768}, 1);
  Step step = differentiate([x](const Tensor& bias) { return cadena::sum(x + bias); }, leaf({768}, 2));
  return {[run = step.run, x = x]() mutable {
            x.zero_grad();
            run();
          },
          step.result};
}

Step mean_along(int axis) {
  return differentiate([axis](const Tensor& x) { return mean(x, axis); }, leaf({4096, 768}, 1));
}

Step transpose_and_copy() {
  return differentiate([](const Tensor& x) { return x.t().contiguous(); }, leaf({2048, 2048}, 1));
}

Step slices_and_cat() {
  return differentiate(
      [](const Tensor& x) {
        cadena::TensorList parts;
        for (std::int64_t i = 0; i < 4; ++i) parts.push_back(x.slice(1, {512 * i, 512 * (i + 1)}));
        return cadena::cat({parts[3], parts[1], parts[2], parts[0]}, 1);
      },
      leaf({2048, 2048}, 1));
}

Step product(std::int64_t n) {
  const Tensor a = constant({n, n}, 1), b = constant({n, n}, 2);
  auto c = std::make_shared<Tensor>();
  return {[=] { *c = matmul(a, b); }, [=] { return digest(*c); }};
}

Step product_both_ways(std::int64_t n) {
  const Tensor a = leaf({n, n}, 1);
  Tensor b = leaf({n, n}, 2);
  Step step = differentiate([a](const Tensor& y) { return matmul(a, y); }, b);
  return {[run = step.run, a = a]() mutable {
            a.zero_grad();
            run();
          },
          step.result};
}

Suite suite() {
  Suite list = {
      {"W10/gelu_plain_ops", gelu_of_plain_ops, gelu_work},
      {"W10/gelu_plain_ops_captured", [] { return captured(gelu_of_plain_ops()); }, gelu_work},
      {"W10/gelu_one_lambda", gelu_of_one_lambda, gelu_work},
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

}  // namespace
}  // namespace bench

int main(int argc, char** argv) { return bench::run(argc, argv, bench::suite(), bench::cadena_library); }
