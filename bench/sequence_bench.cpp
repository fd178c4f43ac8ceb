// Operations on sequences beside the same computed by plain operations.
#include <cmath>

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

Suite suite() {
  Suite list;
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

int main(int argc, char** argv) { return bench::run(argc, argv, bench::suite(), cadena::set_num_threads); }
