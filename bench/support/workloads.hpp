// What both programs compute: sizes, rules and data of the shared workloads. The data come from one integer
// formula, so that no random generator has to be the same in two libraries.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "support/suite.hpp"

namespace bench {

/// `n` numbers in [-scale, scale), another sequence for every seed.
inline std::vector<float> numbers(std::int64_t n, std::uint32_t seed, double scale = 1) {
  std::vector<float> v(static_cast<std::size_t>(n));
  std::uint32_t i = seed * 2891336453U;
  for (auto& x : v) {
    std::uint32_t h = i++ * 747796405U + 2891336453U;
    h = ((h >> ((h >> 28) + 4)) ^ h) * 277803737U;  // the output function of the PCG generator
    h ^= h >> 22;
    x = static_cast<float>((h * 0x1p-31 - 1) * scale);
  }
  return v;
}

/// `n` class numbers in [0, count).
inline std::vector<std::int64_t> classes(std::int64_t n, std::int64_t count) {
  std::vector<std::int64_t> v(static_cast<std::size_t>(n));
  for (std::size_t i = 0; i < v.size(); ++i) v[i] = static_cast<std::int64_t>(i * 7919) % count;
  return v;
}

/// Training of a multilayer perceptron with relu between its layers.
struct Training {
  enum class Rule { sgd, momentum, adam };
  enum class Loss { cross_entropy, mse };

  const char* name;
  std::vector<std::int64_t> widths;
  std::int64_t batch;
  Rule rule;
  Loss loss = Loss::cross_entropy;

  /// Executed operations of a step's products; the input needs no gradient.
  Work work() const {
    double sum = 0;
    for (std::size_t i = 0; i + 1 < widths.size(); ++i)
      sum += (i == 0 ? 4.0 : 6.0) * static_cast<double>(batch * widths[i] * widths[i + 1]);
    return {.flop = sum};
  }
  /// What surrounds the products still shows.
  bool small() const { return widths.front() < 100; }
};

constexpr double learning_rate(Training::Rule rule) { return rule == Training::Rule::adam ? 1e-3 : 1e-2; }
constexpr double momentum_factor = 0.9;

inline std::vector<Training> trainings() {
  using enum Training::Rule;
  return {{"W03/mlp_64_64_64_10/b32_adam", {64, 64, 64, 10}, 32, adam},
          {"W04/mlp_784_256_128_10/b64_momentum", {784, 256, 128, 10}, 64, momentum},
          {"W04/mlp_784_256_128_10/b64_adam", {784, 256, 128, 10}, 64, adam},
          {"W04/mlp_784_256_128_10/b256_momentum", {784, 256, 128, 10}, 256, momentum},
          {"W04/mlp_784_256_128_10/b256_adam", {784, 256, 128, 10}, 256, adam},
          {"W05/mlp_1024_4096_1024/b256_sgd", {1024, 4096, 1024}, 256, sgd, Training::Loss::mse}};
}

/// How the parameters of a model are filled, alike on both sides: matrices within +-1/sqrt(inputs of a row),
/// vectors (biases and the norms' weights) around 1/2.
struct Weights {
  double scale, offset;
  static Weights of_rank(std::int64_t rank, std::int64_t numel, std::int64_t rows) {
    if (rank < 2) return {0.1, 0.5};
    return {1 / std::sqrt(static_cast<double>(numel) / static_cast<double>(rows)), 0};
  }
};

constexpr std::int64_t lstm_steps = 64, lstm_batch = 32, lstm_inputs = 64, lstm_hidden = 128;
constexpr std::int64_t gpt_layers = 4, gpt_dim = 128, gpt_heads = 4, gpt_length = 128, gpt_batch = 8,
                       gpt_vocabulary = 256;
constexpr std::int64_t norm_rows = 4096, norm_width = 768;

constexpr std::int64_t chain_length = 1000;
constexpr float chain_a = 0.9F, chain_b = 0.1F;
constexpr std::int64_t gelu_size = 1 << 20;
constexpr double gelu_c = 0.7978845608028654, gelu_d = 0.044715;  // sqrt(2 / pi)
constexpr std::int64_t rosenbrock_size = 32;
constexpr std::int64_t optimizer_tensors = 50, optimizer_tensor_size = 200'000;

// ---- the least that each has to do ----

/// Bytes of so many tensors, read or written.
constexpr double moved(int tensors, double floats) { return 4 * tensors * floats; }
constexpr double gelu_numel = static_cast<double>(gelu_size);
constexpr double norm_numel = static_cast<double>(norm_rows * norm_width);
constexpr double optimizer_numel = static_cast<double>(optimizer_tensors * optimizer_tensor_size);

constexpr Work chain_work{.ops = 3.0 * chain_length};
// x -> y; x, cotangent -> gradient
constexpr Work gelu_work{.elements = gelu_numel, .bytes = moved(5, gelu_numel)};
constexpr Work layer_norm_work{.bytes = moved(5, norm_numel)};
constexpr Work cross_entropy_work{.bytes = moved(3, 4096.0 * 1000)};  // x -> loss; x -> gradient
constexpr Work bias_and_sum_work{.bytes = moved(4, norm_numel)};      // x -> y; y -> sum; gradient written
constexpr Work mean_work{.bytes = moved(2, norm_numel)};              // x -> mean; gradient written
constexpr Work move_work{.bytes = moved(4, 2048.0 * 2048)};           // x -> y; cotangent -> gradient
// parameter, gradient, moments -> parameter, moments
constexpr Work adam_work{.elements = optimizer_numel, .bytes = moved(7, optimizer_numel)};
constexpr Work momentum_work{.elements = optimizer_numel, .bytes = moved(5, optimizer_numel)};
constexpr Work cnn_work{.flop = 1.6e9}, residual_work{.flop = 7.25e9}, lstm_work{.flop = 1.07e9},
    gpt_work{.flop = 5.84e9};
/// Products of n x n matrices.
constexpr Work product_work(std::int64_t n, int products) {
  return {.flop = 2.0 * products * static_cast<double>(n * n * n)};
}

}  // namespace bench
