#include "peer/peer.hpp"

namespace bench::peer {
namespace {

struct Chain {
  at::Tensor a, b, x;
  explicit Chain(std::int64_t width) {
    const std::vector<std::int64_t> shape(width == 1 ? 0 : 1, width);
    a = torch::full(shape, chain_a).requires_grad_();
    b = torch::full(shape, chain_b).requires_grad_();
    x = torch::full(shape, 0.5F).requires_grad_();
  }
  at::Tensor forward() const {
    at::Tensor y = x;
    for (std::int64_t i = 0; i < chain_length; ++i) y = tanh(y * a + b);
    return y;
  }
};

Step whole_chain(std::int64_t width) {
  auto chain = std::make_shared<Chain>(width);
  const at::Tensor seed = torch::ones_like(chain->x);
  return {[=] {
            for (const auto* t : {&chain->a, &chain->b, &chain->x}) drop_grad(*t);
            chain->forward().backward(seed);
          },
          [=] { return digest(chain->a.grad()) + digest(chain->x.grad()); }};
}

/// InferenceMode is libtorch's fastest; NoGradGuard costs more.
Step unrecorded_chain(std::int64_t width) {
  auto chain = std::make_shared<Chain>(width);
  auto y = std::make_shared<at::Tensor>();
  return {[=] {
            const c10::InferenceMode guard;
            *y = chain->forward();
          },
          [=] { return digest(*y); }};
}

Step forward_and_drop(std::int64_t width) {
  auto chain = std::make_shared<Chain>(width);
  return {[=] { chain->forward(); }, {}};
}

Step rosenbrock_hessian() {
  auto x = leaf({rosenbrock_size}, 1);
  auto rows = std::make_shared<std::vector<at::Tensor>>();
  return {[=] {
            const auto head = x.slice(0, 0, rosenbrock_size - 1), tail = x.slice(0, 1, rosenbrock_size);
            const auto f = (100 * (tail - head.square()).square() + (1 - head).square()).sum();
            const auto g = torch::autograd::grad({f}, {x}, {}, true, true)[0];
            rows->clear();
            for (std::int64_t i = 0; i < rosenbrock_size; ++i)
              rows->push_back(torch::autograd::grad({g[i]}, {x}, {}, true)[0]);
          },
          [=] { return digest(torch::stack(*rows)); }};
}

}  // namespace

Suite engine_suite() {
  return {
      {"W01/scalar_chain", [] { return whole_chain(1); }, chain_work},
      {"W01/scalar_chain_captured", [] { return whole_chain(1); },
       chain_work},  // it has nothing to record with
      {"W01/chain_of_64", [] { return whole_chain(64); }, chain_work},
      {"W01/unrecorded", [] { return unrecorded_chain(1); }, chain_work},
      {"W01/forward_and_drop", [] { return forward_and_drop(1); }, chain_work},
      {"W14/rosenbrock_hessian", rosenbrock_hessian},
  };
}

}  // namespace bench::peer
