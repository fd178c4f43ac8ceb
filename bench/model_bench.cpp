// Training steps of convolutional, recurrent and attending networks.
#include <cmath>
#include <memory>

#include "nn/nn.hpp"
#include "optim/optim.hpp"
#include "tools.hpp"

namespace bench {
namespace {

using cadena::Tensor;
using cadena::TensorList;
namespace nn = cadena::nn;
namespace optim = cadena::optim;

void fill(nn::Module& net) {
  const cadena::NoGrad guard;
  std::uint32_t seed = 100;
  for (auto& p : net.parameters()) {
    const auto w = Weights::of_rank(p.dim(), p.numel(), p.size(0));
    p.copy_(constant(p.shape(), seed++, w.scale) + w.offset);
  }
}

/// Steps of `Rule` on the cross-entropy of `net(x)`.
template <class Rule, class Net, class Options>
Step train(std::shared_ptr<Net> net, const Options& options, const Tensor& x, const Tensor& y) {
  fill(*net);
  auto rule = std::make_shared<Rule>(net->parameters(), options);
  auto loss = std::make_shared<Tensor>();
  return {.run =
              [=] {
                *loss = cross_entropy((*net)(x), y);
                rule->zero_grad();
                loss->backward();
                rule->step();
              },
          .result = [=] { return loss->item(); },
          .forward = [=] { return std::make_shared<Tensor>(cross_entropy((*net)(x), y)); }};
}

// ---- W06 ----

struct Cnn : nn::Module {
  nn::Conv2d conv1{1, 32, 3, {.padding = 1}}, conv2{32, 64, 3, {.padding = 1}};
  nn::Linear fc1{64 * 7 * 7, 128}, fc2{128, 10};

  Tensor operator()(const Tensor& x) {
    Tensor y = max_pool2d(relu(conv1(x)), 2);
    y = max_pool2d(relu(conv2(y)), 2);
    return fc2(relu(fc1(flatten(y, 1))));
  }
  void visit(nn::Visitor& v) override { v("conv1", conv1), v("conv2", conv2), v("fc1", fc1), v("fc2", fc2); }
};

Step train_cnn() {
  return train<optim::Adam>(std::make_shared<Cnn>(), optim::AdamOptions{.lr = 1e-3},
                            constant({64, 1, 28, 28}, 1), cadena::tensor(classes(64, 10)));
}

// ---- W07 ----

struct ResidualBlock : nn::Module {
  nn::Conv2d conv1{64, 64, 3, {.padding = 1, .bias = false}}, conv2{64, 64, 3, {.padding = 1, .bias = false}};
  nn::BatchNorm2d bn1{64}, bn2{64};

  Tensor operator()(const Tensor& x) { return relu(x + bn2(conv2(relu(bn1(conv1(x)))))); }
  void visit(nn::Visitor& v) override { v("conv1", conv1), v("conv2", conv2), v("bn1", bn1), v("bn2", bn2); }
};

Step residual_block() {
  auto net = std::make_shared<ResidualBlock>();
  fill(*net);
  Step step = differentiate([net](const Tensor& x) { return (*net)(x); }, leaf({16, 64, 32, 32}, 1));
  return {[run = step.run, net] {
            net->zero_grad();
            run();
          },
          [result = step.result, net] { return result() + digest(net->conv1.weight.grad()); }};
}

// ---- W08 ----

Step lstm() {
  auto net = std::make_shared<nn::LSTM>(lstm_inputs, lstm_hidden);
  fill(*net);
  const Tensor x = constant({lstm_steps, lstm_batch, lstm_inputs}, 1);
  const Tensor seed = constant({lstm_steps, lstm_batch, lstm_hidden}, 98);
  return {[=] {
            net->zero_grad();
            (*net)(x).output.backward(seed);
          },
          [=] {
            double sum = 0;
            for (const auto& p : net->parameters()) sum += digest(p.grad());
            return sum;
          }};
}

// ---- W09 ----

struct GptBlock : nn::Module {
  nn::LayerNorm ln1{{gpt_dim}}, ln2{{gpt_dim}};
  nn::Linear qkv{gpt_dim, 3 * gpt_dim}, proj{gpt_dim, gpt_dim}, up{gpt_dim, 4 * gpt_dim},
      down{4 * gpt_dim, gpt_dim};

  Tensor operator()(const Tensor& x) {
    const auto n = x.size(0), length = x.size(1);
    const Tensor all =
        qkv(ln1(x)).reshape({n, length, 3, gpt_heads, gpt_dim / gpt_heads}).permute({2, 0, 3, 1, 4});
    const Tensor seen = scaled_dot_product_attention(all[0], all[1], all[2], {.is_causal = true});
    const Tensor y = x + proj(seen.transpose(1, 2).reshape({n, length, gpt_dim}));
    return y + down(gelu(up(ln2(y)), "tanh"));
  }
  void visit(nn::Visitor& v) override {
    v("ln1", ln1), v("ln2", ln2), v("qkv", qkv), v("proj", proj), v("up", up), v("down", down);
  }
};

struct Gpt : nn::Module {
  nn::Embedding tokens{gpt_vocabulary, gpt_dim}, places{gpt_length, gpt_dim};
  std::vector<GptBlock> blocks = std::vector<GptBlock>(gpt_layers);
  nn::LayerNorm norm{{gpt_dim}};
  nn::Linear head{gpt_dim, gpt_vocabulary};

  Tensor operator()(const Tensor& codes) {
    Tensor x = tokens(codes) + places(cadena::arange(gpt_length));
    for (auto& block : blocks) x = block(x);
    return head(norm(x)).reshape({-1, gpt_vocabulary});
  }
  void visit(nn::Visitor& v) override {
    v("tokens", tokens), v("places", places), v("blocks", blocks), v("norm", norm), v("head", head);
  }
};

Step train_gpt() {
  const auto n = gpt_batch * gpt_length;
  const Tensor codes = cadena::tensor(classes(n + 1, gpt_vocabulary));
  return train<optim::AdamW>(std::make_shared<Gpt>(), optim::AdamWOptions{.lr = 1e-3},
                             codes.slice(0, {0, n}).reshape({gpt_batch, gpt_length}),
                             codes.slice(0, {1, n + 1}).contiguous());
}

Suite suite() {
  return {
      {"W06/cnn_28x28_32_64_128_10/b64_adam", train_cnn, cnn_work},
      {"W07/residual_block_64x32x32/b16", residual_block, residual_work},
      {"W08/lstm_64x32_64_128", lstm, lstm_work},
      {"W09/mini_gpt_4x128/b8_adamw", train_gpt, gpt_work},
  };
}

}  // namespace
}  // namespace bench

int main(int argc, char** argv) { return bench::run(argc, argv, bench::suite(), bench::cadena_library); }
