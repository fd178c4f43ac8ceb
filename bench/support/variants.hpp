// Workloads of other shapes than W01-W17, to see what was tuned for those alone. Each body is written once,
// as a template over the library `L` (variants_bench.cpp, peer/variants.cpp), and names what both libraries
// name alike.
#pragma once

#include <array>
#include <cmath>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "support/workloads.hpp"

namespace bench {

enum class Rule { none, sgd, adamw };

template <class L>
struct Variants {
  using Tensor = typename L::Tensor;
  using List = std::vector<Tensor>;
  using Dims = std::vector<std::int64_t>;

  /// A loss of parameters, and the rule that takes a step on them.
  struct Problem {
    List params;
    std::function<Tensor()> loss;
    Rule rule = Rule::none;
  };

  /// Data and parameters are numbered, so that both sides fill them alike.
  struct Source {
    std::uint32_t seed = 200;
    List params;

    Tensor data(const Dims& shape, double scale = 1) { return L::constant(shape, seed++, scale); }
    Tensor param(const Dims& shape, double scale) {
      params.push_back(L::leaf(shape, seed++, scale));
      return params.back();
    }
    /// A weight of `rows` outputs, within +-1/sqrt(inputs of each).
    Tensor weight(const Dims& shape) {
      double inputs = 1;
      for (std::size_t i = 1; i < shape.size(); ++i) inputs *= static_cast<double>(shape[i]);
      return param(shape, 1 / std::sqrt(inputs));
    }
  };

  struct Linear {
    Tensor w, b;
    Linear(Source& s, std::int64_t in, std::int64_t out) : w(s.weight({out, in})), b(s.param({out}, 0.1)) {}
    Tensor operator()(const Tensor& x) const { return linear(x, w, b); }
  };

  /// Convolution without bias, then batch norm.
  struct ConvNorm {
    Tensor w, scale, shift;
    std::int64_t stride, padding, groups;
    ConvNorm(Source& s, std::int64_t in, std::int64_t out, std::int64_t kernel, std::int64_t stride_ = 1,
             std::int64_t groups_ = 1)
        : w(s.weight({out, in / groups_, kernel, kernel})),
          scale(s.param({out}, 1)),
          shift(s.param({out}, 0.1)),
          stride(stride_),
          padding(kernel / 2),
          groups(groups_) {}
    Tensor operator()(const Tensor& x) const {
      return L::batch_norm(L::conv2d(x, w, {}, stride, padding, groups), scale, shift);
    }
  };

  struct Norm {
    Tensor w, b;
    Norm(Source& s, std::int64_t n) : w(s.param({n}, 1)), b(s.param({n}, 0.1)) {}
    Tensor operator()(const Tensor& x) const { return L::layer_norm(x, w, b); }
  };

  // ---- small graphs ----

  static Problem logistic_map() {
    Source s;
    const Tensor r = s.param({}, 1), x0 = s.param({}, 0.5);
    return {s.params, [=] {
              Tensor x = x0 + 0.5;
              for (int i = 0; i < 500; ++i) x = (r + 2.5) * x * (1 - x);
              return x;
            }};
  }

  static Problem regression() {
    Source s;
    const Linear a(s, 8, 32), b(s, 32, 32), c(s, 32, 1);
    const Tensor x = s.data({16, 8}), y = s.data({16, 1}, 3);
    return {s.params, [=] { return huber_loss(c(silu(b(silu(a(x))))), y); }, Rule::sgd};
  }

  /// Runge-Kutta steps of an equation whose right side is a small net.
  static Problem neural_ode() {
    Source s;
    const Linear a(s, 2, 16), b(s, 16, 2);
    const Tensor start = s.data({32, 2}), target = s.data({32, 2});
    const auto f = [=](const Tensor& x) { return b(tanh(a(x))); };
    return {s.params,
            [=] {
              constexpr double h = 0.05;
              Tensor x = start;
              for (int i = 0; i < 20; ++i) {
                const Tensor k1 = f(x), k2 = f(x + h / 2 * k1), k3 = f(x + h / 2 * k2), k4 = f(x + h * k3);
                x = x + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4);
              }
              return mse_loss(x, target);
            },
            Rule::adamw};
  }

  template <std::int64_t n>
  static Problem rosenbrock() {
    Source s;
    const Tensor p = s.param({n}, 1);
    return {s.params, [=] {
              const Tensor a = L::slice(p, 0, 0, n - 1), b = L::slice(p, 0, 1, n);
              return sum(100 * square(b - square(a)) + square(1 - a));
            }};
  }

  // ---- derivatives of derivatives ----

  /// u(x, t) with u_t = u_xx / 10 at 256 points.
  static Problem heat_equation() {
    Source s;
    const Linear a(s, 2, 32), b(s, 32, 32), c(s, 32, 1);
    const Tensor x = L::leaf({256, 1}, 1, 1), t = L::leaf({256, 1}, 2, 1);
    return {s.params,
            [=] {
              const Tensor u = c(tanh(b(tanh(a(L::cat({x, t}, 1))))));
              const List first = L::grad(sum(u), {x, t});
              const Tensor u_xx = L::grad(sum(first[0]), {x})[0];
              return mean(square(first[1] - 0.1 * u_xx));
            },
            Rule::adamw};
  }

  static Problem gradient_penalty() {
    Source s;
    const Linear a(s, 64, 128), b(s, 128, 128), c(s, 128, 1);
    const Tensor x = L::leaf({64, 64}, 1, 1);
    return {s.params, [=] {
              const Tensor y = c(tanh(b(tanh(a(x)))));
              const Tensor g = L::grad(sum(y), {x})[0];
              return mean(y) + mean(square(sqrt(L::sum(square(g), {1}, false) + 1e-12) - 1));
            }};
  }

  // ---- perceptrons ----

  static Problem variational_autoencoder() {
    Source s;
    const Linear in(s, 784, 400), mean_of(s, 400, 20), log_var(s, 400, 20), up(s, 20, 400), out(s, 400, 784);
    const Tensor x = abs(s.data({100, 784})), noise = s.data({100, 20}, 2);
    return {s.params,
            [=] {
              const Tensor h = relu(in(x)), m = mean_of(h), v = log_var(h);
              const Tensor z = m + noise * exp(0.5 * v);
              const Tensor seen = binary_cross_entropy_with_logits(out(relu(up(z))), x);
              return seen - 0.0005 * mean(1 + v - square(m) - exp(v));
            },
            Rule::adamw};
  }

  static Problem softmax_regression() {
    Source s;
    const Linear a(s, 2000, 50);
    const Tensor x = s.data({512, 2000}), y = L::labels(512, 50);
    return {s.params, [=] { return L::cross_entropy(a(x), y); }, Rule::sgd};
  }

  static Problem recommender() {
    Source s;
    const Tensor table = s.param({20000, 16}, 0.1), codes = L::labels(8192, 20000).reshape({1024, 8});
    const Linear a(s, 128, 64), b(s, 64, 1);
    const Tensor y = abs(s.data({1024, 1}));
    return {s.params,
            [=] {
              const Tensor x = L::embedding(codes, table).reshape({1024, 128});
              return binary_cross_entropy_with_logits(b(relu(a(x))), y);
            },
            Rule::sgd};
  }

  static Problem gated_mlp() {
    Source s;
    const Tensor scale = s.param({512}, 1), w1 = s.weight({1024, 512}), w2 = s.weight({1024, 512}),
                 w3 = s.weight({512, 1024});
    const Tensor x = s.data({128, 512});
    return {s.params, [=] {
              const Tensor n = x * rsqrt(L::mean(square(x), {1}, true) + 1e-6) * scale;
              return mean(square(x + linear(silu(linear(n, w1)) * linear(n, w2), w3)));
            }};
  }

  // ---- images ----

  static Problem vgg() {
    Source s;
    const ConvNorm a(s, 3, 32, 3), b(s, 32, 64, 3, 2), c(s, 64, 128, 3, 2);
    const Linear out(s, 128, 10);
    const Tensor x = s.data({32, 3, 32, 32}), y = L::labels(32, 10);
    return {s.params,
            [=] {
              const Tensor h = relu(c(relu(b(relu(a(x))))));
              return L::cross_entropy(out(L::mean(h, {2, 3}, false)), y);
            },
            Rule::sgd};
  }

  static Problem inverted_residual() {
    Source s;
    const ConvNorm a(s, 24, 96, 1), b(s, 96, 96, 3, 1, 96), c(s, 96, 24, 1);
    const Tensor x = s.data({8, 24, 32, 32});
    return {s.params, [=] { return mean(square(x + c(relu6(b(relu6(a(x))))))); }};
  }

  static Problem bottleneck() {
    Source s;
    const ConvNorm a(s, 256, 64, 1), b(s, 64, 64, 3), c(s, 64, 256, 1);
    const Tensor x = s.data({8, 256, 14, 14});
    return {s.params, [=] { return mean(square(relu(x + c(relu(b(relu(a(x)))))))); }};
  }

  /// Down, up, and across: the class of every pixel.
  static Problem unet() {
    Source s;
    const ConvNorm a(s, 3, 16, 3), b(s, 16, 32, 3), c(s, 48, 16, 3);
    const Tensor w = s.weight({5, 16, 1, 1}), bias = s.param({5}, 0.1);
    const Tensor x = s.data({4, 3, 64, 64}), y = L::labels(4 * 64 * 64, 5).reshape({4, 64, 64});
    return {s.params,
            [=] {
              const Tensor top = relu(a(x)), low = relu(b(L::max_pool2d(top, 2)));
              const Tensor all = relu(c(L::cat({top, L::upsample(low)}, 1)));
              return L::cross_entropy(L::conv2d(all, w, bias, 1, 0, 1), y);
            },
            Rule::adamw};
  }

  static Problem group_norms() {
    Source s;
    const Tensor w = s.param({64}, 1), b = s.param({64}, 0.1), x = s.param({16, 64, 16, 16}, 1);
    return {s.params, [=] { return mean(square(x + silu(L::group_norm(x, 8, w, b)))); }};
  }

  // ---- sequences ----

  static Problem convolutions_in_time() {
    Source s;
    const Tensor w1 = s.weight({32, 1, 9}), b1 = s.param({32}, 0.1), w2 = s.weight({64, 32, 5}),
                 b2 = s.param({64}, 0.1);
    const Linear out(s, 64, 8);
    const Tensor x = s.data({16, 1, 2000}), y = L::labels(16, 8);
    return {s.params,
            [=] {
              const Tensor h = relu(L::conv1d(relu(L::conv1d(x, w1, b1, 4, 4)), w2, b2, 2, 2));
              return L::cross_entropy(out(L::mean(h, {2}, false)), y);
            },
            Rule::adamw};
  }

  /// A gated recurrent unit, written out.
  static Problem recurrent_cell() {
    Source s;
    const Linear gates(s, 96, 128), state(s, 96, 64);
    const Tensor x = s.data({40, 32, 32}), target = s.data({32, 64});
    return {s.params, [=] {
              Tensor h = L::zeros({32, 64});
              for (std::int64_t i = 0; i < 40; ++i) {
                const Tensor now = L::select(x, i);
                const Tensor g = sigmoid(gates(L::cat({now, h}, 1)));
                const Tensor z = L::slice(g, 1, 0, 64), r = L::slice(g, 1, 64, 128);
                h = z * h + (1 - z) * tanh(state(L::cat({now, r * h}, 1)));
              }
              return mse_loss(h, target);
            }};
  }

  static Tensor attend(const Tensor& q, const Tensor& k, const Tensor& v, double scale) {
    return matmul(softmax(matmul(q, k.transpose(-2, -1)) * scale, -1), v);
  }

  struct EncoderBlock {
    Linear q, k, v, proj, up, down;
    Norm first, second;
    explicit EncoderBlock(Source& s)
        : q(s, 192, 192),
          k(s, 192, 192),
          v(s, 192, 192),
          proj(s, 192, 192),
          up(s, 192, 384),
          down(s, 384, 192),
          first(s, 192),
          second(s, 192) {}
    static Tensor heads(const Tensor& x) { return x.reshape({16, 48, 6, 32}).transpose(1, 2); }
    Tensor operator()(const Tensor& x) const {
      const Tensor seen = attend(heads(q(x)), heads(k(x)), heads(v(x)), 1 / std::sqrt(32.0));
      const Tensor y = first(x + proj(seen.transpose(1, 2).reshape({16, 48, 192})));
      return second(y + down(relu(up(y))));
    }
  };
  static Problem encoder() {
    Source s;
    const std::array<EncoderBlock, 2> blocks{EncoderBlock(s), EncoderBlock(s)};
    const Tensor x = s.data({16, 48, 192});
    return {s.params, [=] { return mean(square(blocks[1](blocks[0](x)))); }, Rule::adamw};
  }

  static Problem long_attention() {
    Source s;
    const Tensor q = s.param({1, 4, 1024, 64}, 1), k = s.param({1, 4, 1024, 64}, 1),
                 v = s.param({1, 4, 1024, 64}, 1);
    return {s.params, [=] { return mean(square(attend(q, k, v, 0.125))); }};
  }

  // ---- statistics, geometry, physics ----

  static Problem gaussian_process() {
    Source s;
    const Tensor log_scale = s.param({}, 0.1), log_noise = s.param({}, 0.1);
    const Tensor x = s.data({200, 3}), y = s.data({200, 1}), one = L::eye(200);
    return {s.params, [=] {
              const Tensor d = square(x.unsqueeze(1) - x.unsqueeze(0));
              const Tensor k = exp(-L::sum(d, {2}, false) * exp(-log_scale)) + exp(log_noise) * one;
              const Tensor l = L::cholesky(k);
              const Tensor a = L::solve_lower(l, y);
              return 0.5 * sum(square(a)) + sum(log(L::diagonal(l)));
            }};
  }

  static Problem mixture() {
    Source s;
    const Tensor centre = s.param({1, 16, 8}, 1), log_weight = s.param({16}, 1);
    const Tensor x = s.data({4096, 1, 8});
    return {s.params, [=] {
              const Tensor d = L::sum(square(x - centre), {2}, false);
              return -mean(L::logsumexp(log_softmax(log_weight, 0) - 0.5 * d, 1));
            }};
  }

  static Problem contrastive() {
    Source s;
    const Linear a(s, 128, 128);
    const Tensor x = s.data({256, 128}), y = s.data({256, 128}), same = L::arange(256);
    const auto unit = [](const Tensor& t) { return t / sqrt(L::sum(square(t), {1}, true)); };
    return {s.params,
            [=] { return L::cross_entropy(matmul(unit(a(x)), unit(a(y)).transpose(0, 1)) / 0.1, same); }};
  }

  static Problem factorisation() {
    Source s;
    const Tensor u = s.param({1000, 20}, 0.5), v = s.param({800, 20}, 0.5);
    const Tensor ratings = s.data({1000, 800}), known = L::constant({1000, 800}, 7, 1);
    const Tensor mask = known * known;
    return {s.params,
            [=] {
              return mean(square((matmul(u, v.transpose(0, 1)) - ratings) * mask)) + 0.01 * mean(square(u)) +
                     0.01 * mean(square(v));
            },
            Rule::sgd};
  }

  static Problem bodies() {
    Source s;
    const Tensor p = s.param({128, 3}, 1);
    const Tensor m = abs(s.data({128}));
    return {s.params, [=] {
              const Tensor d = p.unsqueeze(1) - p.unsqueeze(0);
              return -sum(m.unsqueeze(1) * m.unsqueeze(0) * rsqrt(L::sum(square(d), {2}, false) + 0.01));
            }};
  }

  static Problem ranking() {
    Source s;
    const Tensor x = s.param({256, 1000}, 1), w = s.data({1000});
    return {s.params, [=] { return sum(L::cumsum(L::sorted(x), 1) * w) + sum(softplus(x)); }};
  }

  static Problem many_small_products() {
    Source s;
    const Tensor a = s.param({512, 24, 24}, 1), b = s.param({512, 24, 24}, 1);
    return {s.params, [=] { return mean(square(matmul(softmax(matmul(a, b), -1), a.transpose(-2, -1)))); }};
  }

  // ---- the suite ----

  static Step step(const std::function<Problem()>& make) {
    struct Job {
      Problem problem;
      typename L::Optimizer optimizer;
      Tensor loss;
    };
    Problem problem = make();
    auto job = std::make_shared<Job>(Job{problem, L::optimizer(problem.rule, problem.params), Tensor()});
    return {.run =
                [=] {
                  job->loss = job->problem.loss();
                  for (auto& p : job->problem.params) L::drop_grad(p);
                  job->loss.backward();
                  if (job->optimizer) job->optimizer->step();
                },
            .result =
                [=] {
                  double sum = L::item(job->loss);
                  for (const auto& p : job->problem.params)
                    sum += L::digest(p) + (p.grad().defined() ? L::digest(p.grad()) : 0);
                  return sum;
                }};
  }

  static Suite suite() {
    Suite list;
    const auto add = [&](const char* name, Problem (*make)()) {
      list.push_back({name, [make] { return step(make); }});
    };
    // Many small or elementwise ops: also recorded once and repeated, where the library can.
    const auto add_both = [&](const char* name, Problem (*make)()) {
      add(name, make);
      list.push_back({std::string(name) + "_captured", [make] { return L::captured(step(make)); }});
    };
    add_both("V01/logistic_map_500", logistic_map);
    add_both("V02/mlp_8_32_32_1/b16_huber_sgd", regression);
    add_both("V03/neural_ode_2_16_2/b32_20_steps", neural_ode);
    add_both("V04/rosenbrock_100", rosenbrock<100>);
    add_both("V04/rosenbrock_100000", rosenbrock<100000>);
    add_both("V05/heat_equation_2_32_32_1/b256", heat_equation);
    add_both("V06/gradient_penalty_64_128_128_1/b64", gradient_penalty);
    add("V07/vae_784_400_20/b100_adamw", variational_autoencoder);
    add("V08/softmax_regression_2000_50/b512", softmax_regression);
    add("V09/recommender_8x20000x16/b1024", recommender);
    add("V10/gated_mlp_512_1024/b128", gated_mlp);
    add("V11/vgg_3x32x32_32_64_128/b32", vgg);
    add("V12/inverted_residual_24_96/b8_32x32", inverted_residual);
    add("V13/bottleneck_256_64_256/b8_14x14", bottleneck);
    add("V14/unet_16_32/b4_64x64", unet);
    add("V15/group_norm_silu_64x16x16/b16", group_norms);
    add("V16/conv1d_1x2000_32_64/b16", convolutions_in_time);
    add_both("V17/gru_of_ops_40x32_64", recurrent_cell);
    add("V18/encoder_2x192_6_heads/b16_48", encoder);
    add("V19/attention_4x1024x64", long_attention);
    add("V20/gaussian_process_200", gaussian_process);
    add_both("V21/mixture_4096x16x8", mixture);
    add("V22/contrastive_256x128", contrastive);
    add("V23/factorisation_1000x800x20", factorisation);
    add_both("V24/bodies_128", bodies);
    add("V25/ranking_256x1000", ranking);
    add("V26/products_512x24x24", many_small_products);
    return list;
  }
};

}  // namespace bench
