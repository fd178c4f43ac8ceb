// The cost of recording and sweeping: chains of tiny ops, where everything but arithmetic shows.
#include <ctime>
#include <memory>

#include "autodiff/transforms.hpp"
#include "captured.hpp"
#include "tools.hpp"

namespace bench {
namespace {

using cadena::Tensor;
using cadena::TensorList;

struct Chain {
  Tensor a, b, x;
  explicit Chain(std::int64_t width) {
    const cadena::Shape shape = width == 1 ? cadena::Shape{} : cadena::Shape{width};
    a = cadena::full(shape, chain_a).requires_grad_();
    b = cadena::full(shape, chain_b).requires_grad_();
    x = cadena::full(shape, 0.5).requires_grad_();
  }
  Tensor forward(std::int64_t steps) const {
    Tensor y = x;
    for (std::int64_t i = 0; i < steps; ++i) y = tanh(y * a + b);
    return y;
  }
};

Step whole_chain(std::int64_t width, std::int64_t steps) {
  auto chain = std::make_shared<Chain>(width);
  const Tensor seed = cadena::ones(chain->x.shape());
  return {.run =
              [=] {
                for (Tensor* t : {&chain->a, &chain->b, &chain->x}) t->zero_grad();
                chain->forward(steps).backward(seed);
              },
          .result = [=] { return digest(chain->a.grad()) + digest(chain->x.grad()); },
          .forward = [=] { return std::make_shared<Tensor>(chain->forward(steps)); }};
}

/// A leaf with `users` users, whose results are added in pairs until one is left: 2 users - 1 ops.
Step wide_graph(std::int64_t users) {
  auto x = std::make_shared<Tensor>(cadena::full({}, 0.5).requires_grad_());
  const auto forward = [=] {
    TensorList row;
    for (std::int64_t i = 0; i < users; ++i) row.push_back(tanh(*x));
    for (std::size_t n = row.size(); n > 1; n = (n + 1) / 2) {
      for (std::size_t i = 0; i + 1 < n; i += 2) row[i / 2] = row[i] + row[i + 1];
      if (n % 2 == 1) row[n / 2] = row[n - 1];
      row.resize((n + 1) / 2);
    }
    return row[0];
  };
  return {.run =
              [=] {
                x->zero_grad();
                forward().backward();
              },
          .result = [=] { return x->grad().item(); },
          .forward = [=] { return std::make_shared<Tensor>(forward()); }};
}

Step unrecorded_chain(std::int64_t width) {
  auto chain = std::make_shared<Chain>(width);
  auto y = std::make_shared<Tensor>();
  return {[=] {
            const cadena::NoGrad guard;
            *y = chain->forward(chain_length);
          },
          [=] { return digest(*y); }};
}

Step forward_and_drop(std::int64_t width) {
  auto chain = std::make_shared<Chain>(width);
  return {[=] { chain->forward(chain_length); }, {}};
}

/// Processor seconds of one phase of a chain; the others run untimed.
template <class Phase>
Step phase(Phase run) {
  return {.run = {}, .result = {}, .timed = [run] {
            const Chain chain(1);
            return run(chain);
          }};
}

template <class F>
double seconds(F&& f) {
  const std::clock_t start = std::clock();
  f();
  return static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
}

Step forward_only() {
  return phase([](const Chain& chain) {
    Tensor y;
    return seconds([&] { y = chain.forward(chain_length); });
  });
}

Step backward_only() {
  return phase([](const Chain& chain) {
    const Tensor y = chain.forward(chain_length);
    return seconds([&] { y.backward(); });
  });
}

Step destroy_only() {
  return phase([](const Chain& chain) {
    Tensor y = chain.forward(chain_length);
    return seconds([&] { y = Tensor(); });
  });
}

Step second_order_chain() {
  auto chain = std::make_shared<Chain>(1);
  auto second = std::make_shared<Tensor>();
  return {[=] {
            const Tensor y = chain->forward(100);
            const Tensor first = cadena::grad(y, chain->x, {.create_graph = true});
            *second = cadena::grad(first, chain->x);
          },
          [=] { return second->item(); }};
}

/// Sum of 100 (x[i+1] - x[i]^2)^2 + (1 - x[i])^2, differentiated twice, one row of the Hessian after the
/// other.
Step rosenbrock_hessian() {
  auto x = leaf({rosenbrock_size}, 1);
  auto rows = std::make_shared<TensorList>();
  return {[=] {
            const Tensor head = x.slice(0, {0, rosenbrock_size - 1});
            const Tensor tail = x.slice(0, {1, rosenbrock_size});
            const Tensor f = cadena::sum(100 * square(tail - square(head)) + square(1 - head));
            const Tensor g = cadena::grad(f, x, {.create_graph = true});
            rows->clear();
            for (std::int64_t i = 0; i < rosenbrock_size; ++i)
              rows->push_back(cadena::grad(g[i], x, {.retain_graph = true}));
          },
          [=] { return digest(cadena::stack(*rows)); }};
}

Tensor rosenbrock(const Tensor& x) {
  const Tensor head = x.slice(0, {0, rosenbrock_size - 1}), tail = x.slice(0, {1, rosenbrock_size});
  return cadena::sum(100 * square(tail - square(head)) + square(1 - head));
}

/// The same by the transform: forward over reverse.
Step rosenbrock_hessian_transform() {
  auto x = leaf({rosenbrock_size}, 1);
  auto h = std::make_shared<Tensor>();
  return {[=] { *h = cadena::hessian(rosenbrock, x.detach()); }, [=] { return digest(*h); }};
}

Step rosenbrock_hvp() {
  auto x = leaf({rosenbrock_size}, 1);
  auto h = std::make_shared<Tensor>();
  return {[=] { *h = cadena::hvp(rosenbrock, x.detach(), cadena::ones(x.shape())).hvp; },
          [=] { return digest(*h); }};
}

Step rosenbrock_gradient() {
  auto x = leaf({rosenbrock_size}, 1);
  auto g = std::make_shared<Tensor>();
  return {[=] { *g = cadena::value_and_grad(rosenbrock, x.detach()).grad; }, [=] { return digest(*g); }};
}

struct TwoLayers {
  Tensor w1, b1, w2, b2;
};

Tensor linear_loss(const TwoLayers& p, const Tensor& x, const Tensor& y) {
  return cadena::cross_entropy(linear(relu(linear(x, p.w1, p.b1)), p.w2, p.b2), y);
}
Tensor conv_loss(const TwoLayers& p, const Tensor& x, const Tensor& y) {
  return cadena::cross_entropy(linear(flatten(relu(conv2d(x, p.w1, p.b1))), p.w2, p.b2), y);
}

/// The gradient of each of 128 samples by itself: `batched`, or one after the other.
template <class Loss>
Step per_sample_gradients(const Loss& loss, const cadena::Shape& w1, const cadena::Shape& sample,
                          bool batched) {
  constexpr std::int64_t n = 128, classes = 10;
  cadena::Generator g(3);
  cadena::Shape shape = sample;
  shape.insert(0, n);
  const Tensor x = cadena::randn(shape, g), y = cadena::randint(0, classes, {n}, g);
  TwoLayers p{cadena::randn(w1, g), cadena::zeros({w1[0]}), {}, cadena::zeros({classes})};
  const Tensor hidden = sample.rank() == 1 ? linear(x[0], p.w1) : conv2d(x[0], p.w1);
  p.w2 = cadena::randn({classes, hidden.numel()}, g);
  auto w = std::make_shared<Tensor>();
  return {[=] {
            if (batched) {
              *w = cadena::per_sample_grads(loss, p, x, y).w1;
              return;
            }
            TensorList rows;
            for (std::int64_t i = 0; i < n; ++i) rows.push_back(cadena::grad(loss)(p, x[i], y[i]).w1);
            *w = cadena::stack(rows);
          },
          [=] { return digest(*w); }};
}
Step per_sample_linear(bool batched) { return per_sample_gradients(linear_loss, {64, 32}, {32}, batched); }
Step per_sample_conv(bool batched) {
  return per_sample_gradients(conv_loss, {16, 8, 3, 3}, {8, 14, 14}, batched);
}

Suite suite() {
  Suite list = {
      {"W01/scalar_chain", [] { return whole_chain(1, chain_length); }, chain_work},
      {"W01/scalar_chain_captured", [] { return captured(whole_chain(1, chain_length)); }, chain_work},
      {"W01/chain_of_64", [] { return whole_chain(64, chain_length); }, chain_work},
      {"W01/unrecorded", [] { return unrecorded_chain(1); }, chain_work},
      {"W01/forward_and_drop", [] { return forward_and_drop(1); }, chain_work},
      {"engine/forward_only", forward_only, chain_work, true},
      {"engine/backward_only", backward_only, chain_work, true},
      {"engine/destroy_only", destroy_only, chain_work, true},
      {"engine/second_order_chain", second_order_chain},
      {"W14/rosenbrock_hessian", rosenbrock_hessian},
      {"transforms/rosenbrock_gradient", rosenbrock_gradient},
      {"transforms/rosenbrock_hvp", rosenbrock_hvp},
      {"transforms/rosenbrock_hessian", rosenbrock_hessian_transform},
      {"transforms/per_sample_linear", [] { return per_sample_linear(true); }},
      {"transforms/per_sample_linear_looped", [] { return per_sample_linear(false); }},
      {"transforms/per_sample_conv", [] { return per_sample_conv(true); }},
      {"transforms/per_sample_conv_looped", [] { return per_sample_conv(false); }},
  };
  // Linear in the number of nodes: the time of one may not grow beyond what the caches explain.
  for (std::int64_t nodes = 10'000; nodes <= 10'000'000; nodes *= 10) {
    const std::int64_t steps = nodes / 3, users = nodes / 2;
    list.push_back({"nodes/chain/" + std::to_string(nodes),
                    [=] { return whole_chain(1, steps); },
                    {.ops = 3 * static_cast<double>(steps)}});
    list.push_back({"nodes/wide/" + std::to_string(nodes),
                    [=] { return wide_graph(users); },
                    {.ops = 2 * static_cast<double>(users) - 1}});
  }
  return list;
}

}  // namespace
}  // namespace bench

int main(int argc, char** argv) { return bench::run(argc, argv, bench::suite(), bench::cadena_library); }
