// Weights travel both ways: PyTorch's give PyTorch's outputs here, and ours, written as safetensors, gave it
// our outputs when fixtures/exchange.py ran.
#include "fixtures/exchange.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "autodiff/autodiff.hpp"
#include "data/data.hpp"
#include "files.hpp"
#include "nn/nn.hpp"

namespace cadena::data {
namespace {

/// Layers of every kind whose names and layouts PyTorch has its own ideas about.
struct Net : nn::Module {
  nn::Embedding places{36, 4};
  nn::Conv2d conv{1, 4, 3, {.padding = 1}};
  nn::BatchNorm2d bn{4};
  nn::LSTM lstm{4, 8, {.num_layers = 2, .batch_first = true, .bidirectional = true}};
  nn::TransformerEncoderLayer encoder{16, 2, {.dim_feedforward = 12, .batch_first = true}};
  nn::Linear head{16, 3};

  Tensor operator()(const Tensor& x) {
    const Tensor pixels = flatten(relu(bn(conv(x))), 2).transpose(1, 2) + places(arange(36));
    return head(mean(encoder(lstm(pixels).output), 1));
  }
  void visit(nn::Visitor& v) override {
    v("places", places), v("conv", conv), v("bn", bn), v("lstm", lstm), v("encoder", encoder),
        v("head", head);
  }
};

/// Numbers in [-1/2, 1/2) that need no generator: exact in f32, and the same in Python.
Tensor scattered(const Shape& shape, std::int64_t seed) {
  Tensor t = zeros(shape);
  float* to = t.mutable_data<float>();
  for (std::int64_t i = 0; i < t.numel(); ++i)
    to[i] = static_cast<float>((i * 7919 + seed * 104729) % 1024 - 512) / 1024;
  return t;
}

Tensor input() { return scattered({2, 1, 6, 6}, 1); }

double largest_error(Net& net, const std::vector<double>& expected) {
  net.eval();
  const NoGrad guard;
  const Tensor y = net(input()).to(f64);
  return amax(abs(y - tensor(expected).reshape(y.shape()))).item();
}

TEST(Exchange, PyTorchsWeightsGiveItsOutputsHere) {
  Net net;
  net.load_state_dict(parse_torch(from_base64(fixtures::exchange_torch_state)).tensors);
  EXPECT_LT(largest_error(net, fixtures::exchange_torch_outputs), 1e-6);
}

TEST(Exchange, OurWeightsGaveOurOutputsInPyTorch) {
  Net net;
  std::int64_t seed = 2;
  nn::StateDict weights = net.state_dict();
  for (const auto& [name, t] : net.state_dict())
    if (is_floating(t.dtype()))
      weights[name] = scattered(t.shape(), seed++) + (name == "bn.running_var" ? 1 : 0);
  const std::filesystem::path path = CADENA_SOURCE_DIR "/tests/fixtures/exchange.safetensors";
  const TensorFile file{weights};
  net.load_state_dict(weights);
  if (std::getenv("CADENA_WRITE_FIXTURES")) write_safetensors(path, file);
  // What PyTorch read is what is written here today.
  EXPECT_EQ(format_safetensors(file), format_safetensors(read_safetensors(path)));
  EXPECT_LT(largest_error(net, fixtures::exchange_our_outputs), 1e-6);
}

}  // namespace
}  // namespace cadena::data
