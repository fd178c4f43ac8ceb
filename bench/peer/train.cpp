#include <cmath>
#include <memory>

#include "peer/peer.hpp"

namespace bench::peer {
namespace {

using Params = std::vector<at::Tensor>;

struct Mlp {
  std::vector<torch::nn::Linear> layers;

  explicit Mlp(const std::vector<std::int64_t>& widths) {
    const torch::NoGradGuard guard;
    for (std::size_t i = 0; i + 1 < widths.size(); ++i) {
      auto& layer = layers.emplace_back(widths[i], widths[i + 1]);
      const double scale = 1 / std::sqrt(static_cast<double>(widths[i]));
      const auto seed = static_cast<std::uint32_t>(2 * i);
      layer->weight.copy_(constant(layer->weight.sizes(), seed + 10, scale));
      layer->bias.copy_(constant(layer->bias.sizes(), seed + 11, scale));
    }
  }
  at::Tensor operator()(at::Tensor x) {
    for (std::size_t i = 0; i < layers.size(); ++i) x = layers[i]->forward(i == 0 ? x : torch::relu(x));
    return x;
  }
  Params parameters() const {
    Params list;
    for (const auto& layer : layers) list.push_back(layer->weight), list.push_back(layer->bias);
    return list;
  }
};

std::unique_ptr<torch::optim::Optimizer> make_optimizer(Training::Rule rule, const Params& params) {
  const double lr = learning_rate(rule);
  if (rule == Training::Rule::adam)
    return std::make_unique<torch::optim::Adam>(params, torch::optim::AdamOptions(lr));
  return std::make_unique<torch::optim::SGD>(
      params, torch::optim::SGDOptions(lr).momentum(rule == Training::Rule::sgd ? 0 : momentum_factor));
}

void drop_grads(const Params& params) {
  for (const auto& p : params) drop_grad(p);
}

Step train(const Training& t) {
  struct Job {
    Mlp net;
    Params params = net.parameters();
    std::unique_ptr<torch::optim::Optimizer> optimizer;
    at::Tensor x, y, loss;
  };
  auto job = std::make_shared<Job>(Job{.net = Mlp(t.widths), .optimizer = {}, .x = {}, .y = {}, .loss = {}});
  job->optimizer = make_optimizer(t.rule, job->params);
  job->x = constant({t.batch, t.widths.front()}, 1);
  const bool classify = t.loss == Training::Loss::cross_entropy;
  job->y = classify ? labels(t.batch, t.widths.back()) : constant({t.batch, t.widths.back()}, 2);
  const auto loss = [=] {
    const at::Tensor out = job->net(job->x);
    return classify ? torch::cross_entropy_loss(out, job->y) : torch::mse_loss(out, job->y);
  };
  return {.run =
              [=] {
                job->loss = loss();
                drop_grads(job->params);
                job->loss.backward();
                job->optimizer->step();
              },
          .result = [=] { return job->loss.item<double>(); },
          .forward = [=] { return std::make_shared<at::Tensor>(loss()); }};
}

Step train_xor() {
  struct Job {
    at::Tensor x = torch::tensor({0.F, 0.F, 0.F, 1.F, 1.F, 0.F, 1.F, 1.F}).reshape({4, 2});
    at::Tensor y = torch::tensor({0.F, 1.F, 1.F, 0.F}).reshape({4, 1});
    Mlp net{{2, 8, 1}};
    Params params = net.parameters();
    torch::optim::Adam adam{params, torch::optim::AdamOptions(1e-2)};
    at::Tensor loss;
  };
  auto job = std::make_shared<Job>();
  return {[=] {
            const at::Tensor hidden = tanh(job->net.layers[0]->forward(job->x));
            const at::Tensor p = sigmoid(job->net.layers[1]->forward(hidden));
            job->loss = torch::binary_cross_entropy(p, job->y);
            drop_grads(job->params);
            job->loss.backward();
            job->adam.step();
          },
          [=] { return job->loss.item<double>(); }};
}

Step hessian_vector_product() {
  struct Job {
    Mlp net{{64, 64, 64, 10}};
    at::Tensor x = constant({32, 64}, 1), y = labels(32, 10);
    Params params = net.parameters(), v, product;
  };
  auto job = std::make_shared<Job>();
  for (std::uint32_t i = 0; i < job->params.size(); ++i)
    job->v.push_back(constant(job->params[i].sizes(), 20 + i));
  return {[=] {
            const at::Tensor loss = torch::cross_entropy_loss(job->net(job->x), job->y);
            const Params g = torch::autograd::grad({loss}, job->params, {}, true, true);
            job->product = torch::autograd::grad(g, job->params, job->v);
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
    at::Tensor x = constant({1, 784}, 1), y;
  };
  auto job = std::make_shared<Job>();
  return {[=] {
            const c10::InferenceMode guard;
            job->y = job->net(job->x);
          },
          [=] { return digest(job->y); }};
}

Step optimizer_alone(Training::Rule rule) {
  Params params;
  for (std::uint32_t i = 0; i < optimizer_tensors; ++i) {
    params.push_back(leaf({optimizer_tensor_size}, 2 * i));
    params.back().mutable_grad() = constant({optimizer_tensor_size}, 2 * i + 1);
  }
  std::shared_ptr<torch::optim::Optimizer> optimizer = make_optimizer(rule, params);
  return {[=] { optimizer->step(); }, [=] { return digest(params.back()); }};
}

}  // namespace

Suite train_suite() {
  Suite list = {
      {"W02/xor_2_8_1/b4_adam", train_xor},
      {"W02/xor_2_8_1/b4_adam_captured", train_xor},  // here and below: libtorch as it is
      {"W14/hessian_vector_product", hessian_vector_product},
      {"W14/hessian_vector_product_captured", hessian_vector_product},
      {"W15/adam_10M", [] { return optimizer_alone(Training::Rule::adam); }, adam_work},
      {"W15/momentum_10M", [] { return optimizer_alone(Training::Rule::momentum); }, momentum_work},
      {"W17/inference_784_256_128_10/b1", infer},
      {"W17/inference_784_256_128_10/b1_captured", infer},
  };
  for (const auto& t : trainings()) {
    list.push_back({t.name, [t] { return train(t); }, t.work()});
    if (t.small()) list.push_back({std::string(t.name) + "_captured", [t] { return train(t); }, t.work()});
  }
  return list;
}

}  // namespace bench::peer
