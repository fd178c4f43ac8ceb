// Operations on sequences beside the same computed by plain operations.
#include <cmath>
#include <memory>
#include <nn/nn.hpp>

#include "tools.hpp"

namespace bench {
namespace {

using cadena::Tensor;
using cadena::TensorList;

/// Forward and backward of f by all of its inputs.
template <class F>
Step differentiate_all(F f, TensorList x) {
  const Tensor seed = constant(f(x).shape(), 98);
  return {[=]() mutable {
            for (auto& t : x) t.zero_grad();
            f(x).backward(seed);
          },
          [=] {
            double sum = 0;
            for (const auto& t : x) sum += digest(t.grad());
            return sum;
          }};
}

Tensor fused_attention(const TensorList& x, bool causal) {
  return scaled_dot_product_attention(x[0], x[1], x[2], {.is_causal = causal});
}

Tensor plain_attention(const TensorList& x, bool causal) {
  const double scale = 1 / std::sqrt(static_cast<double>(x[0].size(-1)));
  Tensor scores = matmul(x[0] * scale, x[1].transpose(-2, -1));
  if (causal) {
    const auto n = x[0].size(-2);
    scores = masked_fill(scores, cadena::triu(cadena::ones({n, n}, cadena::boolean), 1), -INFINITY);
  }
  return matmul(softmax(scores, -1), x[2]);
}

Step attention(Tensor (*f)(const TensorList&, bool), std::int64_t length, std::int64_t width, bool causal) {
  const cadena::Shape shape{8, 4, length, width};
  return differentiate_all([=](const TensorList& x) { return f(x, causal); },
                           {leaf(shape, 1), leaf(shape, 2), leaf(shape, 3)});
}

// W08: 64 steps of 32 sequences, 64 -> 128.
constexpr std::int64_t steps = 64, batch = 32, inputs = 64, hidden = 128;

Step lstm_of_layer() {
  auto layer = std::make_shared<cadena::nn::LSTM>(inputs, hidden);
  TensorList all{leaf({steps, batch, inputs}, 1)};
  std::uint32_t seed = 2;
  for (auto& p : layer->parameters()) {
    const cadena::NoGrad guard;
    p.copy_(constant(p.shape(), seed++, 0.2));
    all.push_back(p);
  }
  return differentiate_all([layer](const TensorList& x) { return (*layer)(x[0]).output; }, all);
}

Step lstm_of_plain_ops() {
  const cadena::Shape gates{4 * hidden};
  return differentiate_all(
      [](const TensorList& x) {
        Tensor h = cadena::zeros({batch, hidden}), c = h;
        const Tensor projected = linear(x[0], x[1], x[3]);
        TensorList outputs;
        for (std::int64_t t = 0; t < steps; ++t) {
          const Tensor a = projected[t] + linear(h, x[2], x[4]);
          const auto gate = [&](std::int64_t k) { return a.slice(-1, {k * hidden, (k + 1) * hidden}); };
          c = sigmoid(gate(1)) * c + sigmoid(gate(0)) * tanh(gate(2));
          h = sigmoid(gate(3)) * tanh(c);
          outputs.push_back(h);
        }
        return cadena::stack(outputs);
      },
      {leaf({steps, batch, inputs}, 1), leaf({4 * hidden, inputs}, 2, 0.2),
       leaf({4 * hidden, hidden}, 3, 0.2), leaf(gates, 4, 0.2), leaf(gates, 5, 0.2)});
}

Suite suite() {
  Suite list{{"W08/lstm_64x32_64_128/layer", lstm_of_layer},
             {"W08/lstm_64x32_64_128/plain", lstm_of_plain_ops}};
  for (const std::int64_t length : {128, 1024})
    for (const std::int64_t width : {32, 64})
      for (const bool causal : {false, true})
        for (const bool fused : {true, false}) {
          const auto name = "attention/8x4x" + std::to_string(length) + "x" + std::to_string(width) +
                            (causal ? "_causal" : "") + (fused ? "/fused" : "/plain");
          list.push_back(
              {name,
               [=] { return attention(fused ? fused_attention : plain_attention, length, width, causal); }});
        }
  return list;
}

}  // namespace
}  // namespace bench

int main(int argc, char** argv) { return bench::run(argc, argv, bench::suite(), bench::cadena_library); }
