#include <cmath>
#include <memory>

#include "peer/peer.hpp"

namespace bench::peer {
namespace {

namespace nn = torch::nn;
namespace F = torch::nn::functional;

void fill(nn::Module& net) {
  const torch::NoGradGuard guard;
  std::uint32_t seed = 100;
  for (auto& p : net.parameters()) {
    const auto w = Weights::of_rank(p.dim(), p.numel(), p.size(0));
    p.copy_(constant(p.sizes(), seed++, w.scale) + w.offset);
  }
}

template <class Net, class Adam>
Step train(std::shared_ptr<Net> net, std::shared_ptr<Adam> adam, at::Tensor x, at::Tensor y) {
  auto loss = std::make_shared<at::Tensor>();
  return {
      .run =
          [=] {
            *loss = torch::cross_entropy_loss(net->forward(x), y);
            for (const auto& p : net->parameters()) drop_grad(p);
            loss->backward();
            adam->step();
          },
      .result = [=] { return loss->item<double>(); },
      .forward = [=] { return std::make_shared<at::Tensor>(torch::cross_entropy_loss(net->forward(x), y)); }};
}

// ---- W06 ----

struct Cnn : nn::Module {
  nn::Conv2d conv1 = register_module("conv1", nn::Conv2d(nn::Conv2dOptions(1, 32, 3).padding(1)));
  nn::Conv2d conv2 = register_module("conv2", nn::Conv2d(nn::Conv2dOptions(32, 64, 3).padding(1)));
  nn::Linear fc1 = register_module("fc1", nn::Linear(64 * 7 * 7, 128));
  nn::Linear fc2 = register_module("fc2", nn::Linear(128, 10));

  at::Tensor forward(const at::Tensor& x) {
    at::Tensor y = torch::max_pool2d(torch::relu(conv1(x)), 2);
    y = torch::max_pool2d(torch::relu(conv2(y)), 2);
    return fc2(torch::relu(fc1(y.flatten(1))));
  }
};

Step train_cnn() {
  auto net = std::make_shared<Cnn>();
  fill(*net);
  auto adam = std::make_shared<torch::optim::Adam>(net->parameters(), torch::optim::AdamOptions(1e-3));
  return train(net, adam, constant({64, 1, 28, 28}, 1), labels(64, 10));
}

// ---- W07 ----

nn::Conv2d conv_without_bias() { return nn::Conv2d(nn::Conv2dOptions(64, 64, 3).padding(1).bias(false)); }

struct ResidualBlock : nn::Module {
  nn::Conv2d conv1 = register_module("conv1", conv_without_bias());
  nn::Conv2d conv2 = register_module("conv2", conv_without_bias());
  nn::BatchNorm2d bn1 = register_module("bn1", nn::BatchNorm2d(64));
  nn::BatchNorm2d bn2 = register_module("bn2", nn::BatchNorm2d(64));

  at::Tensor forward(const at::Tensor& x) { return torch::relu(x + bn2(conv2(torch::relu(bn1(conv1(x)))))); }
};

Step residual_block() {
  auto net = std::make_shared<ResidualBlock>();
  fill(*net);
  Step step =
      differentiate([net](const at::Tensor& x) { return net->forward(x); }, leaf({16, 64, 32, 32}, 1));
  return {[run = step.run, net] {
            for (const auto& p : net->parameters()) drop_grad(p);
            run();
          },
          [result = step.result, net] { return result() + digest(net->conv1->weight.grad()); }};
}

// ---- W08 ----

Step lstm() {
  nn::LSTM net(lstm_inputs, lstm_hidden);
  fill(*net);
  const at::Tensor x = constant({lstm_steps, lstm_batch, lstm_inputs}, 1);
  const at::Tensor seed = constant({lstm_steps, lstm_batch, lstm_hidden}, 98);
  return {[=]() mutable {
            for (const auto& p : net->parameters()) drop_grad(p);
            std::get<0>(net(x)).backward(seed);
          },
          [=] {
            double sum = 0;
            for (const auto& p : net->parameters()) sum += digest(p.grad());
            return sum;
          }};
}

// ---- W09 ----

struct GptBlock : nn::Module {
  nn::LayerNorm ln1 = register_module("ln1", nn::LayerNorm(nn::LayerNormOptions({gpt_dim})));
  nn::LayerNorm ln2 = register_module("ln2", nn::LayerNorm(nn::LayerNormOptions({gpt_dim})));
  nn::Linear qkv = register_module("qkv", nn::Linear(gpt_dim, 3 * gpt_dim));
  nn::Linear proj = register_module("proj", nn::Linear(gpt_dim, gpt_dim));
  nn::Linear up = register_module("up", nn::Linear(gpt_dim, 4 * gpt_dim));
  nn::Linear down = register_module("down", nn::Linear(4 * gpt_dim, gpt_dim));
  at::Tensor hidden = torch::ones({gpt_length, gpt_length}, torch::kBool).triu(1);

  at::Tensor forward(const at::Tensor& x) {
    const auto n = x.size(0), length = x.size(1);
    const at::Tensor all =
        qkv(ln1(x)).reshape({n, length, 3, gpt_heads, gpt_dim / gpt_heads}).permute({2, 0, 3, 1, 4});
    const double scale = 1 / std::sqrt(static_cast<double>(gpt_dim) / gpt_heads);
    const at::Tensor scores =
        (torch::matmul(all[0], all[1].transpose(-2, -1)) * scale).masked_fill(hidden, -INFINITY);
    const at::Tensor seen = torch::matmul(torch::softmax(scores, -1), all[2]);
    const at::Tensor y = x + proj(seen.transpose(1, 2).reshape({n, length, gpt_dim}));
    return y + down(torch::gelu(up(ln2(y)), "tanh"));
  }
};

struct Gpt : nn::Module {
  nn::Embedding tokens = register_module("tokens", nn::Embedding(gpt_vocabulary, gpt_dim));
  nn::Embedding places = register_module("places", nn::Embedding(gpt_length, gpt_dim));
  std::vector<std::shared_ptr<GptBlock>> blocks;
  nn::LayerNorm norm{nullptr};
  nn::Linear head{nullptr};

  Gpt() {
    for (std::int64_t i = 0; i < gpt_layers; ++i)
      blocks.push_back(register_module("block" + std::to_string(i), std::make_shared<GptBlock>()));
    norm = register_module("norm", nn::LayerNorm(nn::LayerNormOptions({gpt_dim})));
    head = register_module("head", nn::Linear(gpt_dim, gpt_vocabulary));
  }
  at::Tensor forward(const at::Tensor& codes) {
    at::Tensor x = tokens(codes) + places(torch::arange(gpt_length));
    for (auto& block : blocks) x = block->forward(x);
    return head(norm(x)).reshape({-1, gpt_vocabulary});
  }
};

Step train_gpt() {
  auto net = std::make_shared<Gpt>();
  fill(*net);
  auto adam = std::make_shared<torch::optim::AdamW>(net->parameters(), torch::optim::AdamWOptions(1e-3));
  const auto n = gpt_batch * gpt_length;
  const at::Tensor codes = labels(n + 1, gpt_vocabulary);
  return train(net, adam, codes.slice(0, 0, n).reshape({gpt_batch, gpt_length}),
               codes.slice(0, 1, n + 1).contiguous());
}

}  // namespace

Suite model_suite() {
  return {
      {"W06/cnn_28x28_32_64_128_10/b64_adam", train_cnn, cnn_work},
      {"W07/residual_block_64x32x32/b16", residual_block, residual_work},
      {"W08/lstm_64x32_64_128", lstm, lstm_work},
      {"W09/mini_gpt_4x128/b8_adamw", train_gpt, gpt_work},
  };
}

}  // namespace bench::peer
