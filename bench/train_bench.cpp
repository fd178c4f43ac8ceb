// Whole training steps (loss, zero_grad, backward, step), inference, and optimizers alone.
#include <cmath>
#include <memory>

#include "captured.hpp"
#include "nn/nn.hpp"
#include "optim/optim.hpp"
#include "tools.hpp"

namespace bench {
namespace {

using cadena::Tensor;
using cadena::TensorList;
namespace nn = cadena::nn;
namespace optim = cadena::optim;

/// Linear layers with relu between them.
struct Mlp : nn::Module {
  std::vector<nn::Linear> layers;

  explicit Mlp(const std::vector<std::int64_t>& widths) {
    const cadena::NoGrad guard;
    for (std::size_t i = 0; i + 1 < widths.size(); ++i) {
      auto& layer = layers.emplace_back(widths[i], widths[i + 1]);
      const double scale = 1 / std::sqrt(static_cast<double>(widths[i]));
      const auto seed = static_cast<std::uint32_t>(2 * i);
      layer.weight.copy_(constant(layer.weight.shape(), seed + 10, scale));
      layer.bias.copy_(constant(layer.bias.shape(), seed + 11, scale));
    }
  }
  Tensor operator()(Tensor x) {
    for (std::size_t i = 0; i < layers.size(); ++i) x = layers[i](i == 0 ? x : relu(x));
    return x;
  }
  void visit(nn::Visitor& v) override { v("layers", layers); }
};

std::unique_ptr<optim::Optimizer> make_optimizer(Training::Rule rule, const std::vector<Tensor>& params) {
  const double lr = learning_rate(rule);
  if (rule == Training::Rule::adam)
    return std::make_unique<optim::Adam>(params, optim::AdamOptions{.lr = lr});
  return std::make_unique<optim::SGD>(
      params, optim::SGDOptions{.lr = lr, .momentum = rule == Training::Rule::sgd ? 0 : momentum_factor});
}

Step train(const Training& t) {
  struct Job {
    Mlp net;
    std::unique_ptr<optim::Optimizer> optimizer;
    Tensor x, y, loss;
  };
  auto job = std::make_shared<Job>(Job{Mlp(t.widths), nullptr, {}, {}, {}});
  job->optimizer = make_optimizer(t.rule, job->net.parameters());
  job->x = constant({t.batch, t.widths.front()}, 1);
  const bool classify = t.loss == Training::Loss::cross_entropy;
  job->y =
      classify ? cadena::tensor(classes(t.batch, t.widths.back())) : constant({t.batch, t.widths.back()}, 2);
  const auto loss = [=] {
    const Tensor out = job->net(job->x);
    return classify ? cross_entropy(out, job->y) : mse_loss(out, job->y);
  };
  return {.run =
              [=] {
                job->loss = loss();
                job->optimizer->zero_grad();
                job->loss.backward();
                job->optimizer->step();
              },
          .result = [=] { return job->loss.item(); },
          .forward = [=] { return std::make_shared<Tensor>(loss()); }};
}

/// The smallest net there is, 2-8-1, with everything written out: the overhead of a step.
Step train_xor() {
  struct Job {
    Tensor x = cadena::tensor({{0.0, 0.0}, {0.0, 1.0}, {1.0, 0.0}, {1.0, 1.0}}, cadena::f32);
    Tensor y = cadena::tensor({{0.0}, {1.0}, {1.0}, {0.0}}, cadena::f32);
    Mlp net{{2, 8, 1}};
    optim::Adam adam{net.parameters(), {.lr = 1e-2}};
    Tensor loss;
  };
  auto job = std::make_shared<Job>();
  return {[=] {
            const Tensor hidden = tanh(job->net.layers[0](job->x));
            const Tensor p = sigmoid(job->net.layers[1](hidden));
            job->loss = binary_cross_entropy(p, job->y);
            job->adam.zero_grad();
            job->loss.backward();
            job->adam.step();
          },
          [=] { return job->loss.item(); }};
}

/// Product of the loss's Hessian with a vector: the gradient of <gradient, v>.
Step hessian_vector_product() {
  struct Job {
    Mlp net{{64, 64, 64, 10}};
    Tensor x = constant({32, 64}, 1), y = cadena::tensor(classes(32, 10));
    TensorList params = net.parameters(), v, product;
  };
  auto job = std::make_shared<Job>();
  for (std::uint32_t i = 0; i < job->params.size(); ++i)
    job->v.push_back(constant(job->params[i].shape(), 20 + i));
  return {[=] {
            const Tensor loss = cross_entropy(job->net(job->x), job->y);
            const TensorList g = cadena::grad(TensorList{loss}, job->params, {.create_graph = true});
            job->product = cadena::grad(g, job->params, {}, job->v);
          },
          [=] {
            double sum = 0;
            for (const auto& p : job->product) sum += digest(p);
            return sum;
          }};
}

Step infer() {
  struct Job {
    Mlp net{{784, 256, 128, 10}};
    Tensor x = constant({1, 784}, 1), y;
  };
  auto job = std::make_shared<Job>();
  return {[=] {
            const cadena::NoGrad guard;
            job->y = job->net(job->x);
          },
          [=] { return digest(job->y); }};
}

Step optimizer_alone(Training::Rule rule) {
  std::vector<Tensor> params;
  for (std::uint32_t i = 0; i < optimizer_tensors; ++i) {
    params.push_back(leaf({optimizer_tensor_size}, 2 * i));
    params.back().set_grad(constant({optimizer_tensor_size}, 2 * i + 1));
  }
  std::shared_ptr<optim::Optimizer> optimizer = make_optimizer(rule, params);
  return {[=] { optimizer->step(); }, [=] { return digest(params.back()); }};
}

/// A step of any optimizer alone, with its defaults, on four matrices of a million elements together.
Step optimizer_by_name(const std::string& name) {
  std::vector<Tensor> params;
  for (std::uint32_t i = 0; i < 4; ++i) {
    params.push_back(leaf({500, 500}, 2 * i));
    params.back().set_grad(constant({500, 500}, 2 * i + 1));
  }
  const Tensor loss = cadena::full({}, 1);
  std::shared_ptr<optim::Optimizer> optimizer = optim::make_optimizer(name, params);
  return {[=] { optimizer->step([&] { return loss; }); }, [=] { return digest(params.back()); }};
}

Suite suite() {
  Suite list = {
      {"W02/xor_2_8_1/b4_adam", train_xor},
      {"W02/xor_2_8_1/b4_adam_captured", [] { return captured(train_xor()); }},
      {"W14/hessian_vector_product", hessian_vector_product},
      {"W14/hessian_vector_product_captured", [] { return captured(hessian_vector_product()); }},
      {"W15/adam_10M", [] { return optimizer_alone(Training::Rule::adam); }, adam_work},
      {"W15/momentum_10M", [] { return optimizer_alone(Training::Rule::momentum); }, momentum_work},
      {"W17/inference_784_256_128_10/b1", infer},
      {"W17/inference_784_256_128_10/b1_captured", [] { return captured(infer()); }},
  };
  for (const auto& name : optim::optimizer_names())
    list.push_back(
        {"optimizer_step_1M/" + name, [name] { return optimizer_by_name(name); }, {.elements = 1e6}});
  for (const auto& t : trainings()) {
    list.push_back({t.name, [t] { return train(t); }, t.work()});
    if (t.small())
      list.push_back({std::string(t.name) + "_captured", [t] { return captured(train(t)); }, t.work()});
  }
  return list;
}

}  // namespace
}  // namespace bench

int main(int argc, char** argv) { return bench::run(argc, argv, bench::suite(), bench::cadena_library); }
