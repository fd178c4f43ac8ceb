// The workloads of support/variants.hpp on libtorch.
#include "support/variants.hpp"

#include "peer/peer.hpp"

namespace bench::peer {
namespace {

struct Torch {
  using Tensor = at::Tensor;
  using List = std::vector<Tensor>;
  using Dims = std::vector<std::int64_t>;
  using Optimizer = std::unique_ptr<torch::optim::Optimizer>;

  static Tensor constant(const Dims& shape, std::uint32_t seed, double scale) {
    return peer::constant(shape, seed, scale);
  }
  static Tensor leaf(const Dims& shape, std::uint32_t seed, double scale) {
    return peer::leaf(shape, seed, scale);
  }
  static Tensor labels(std::int64_t n, std::int64_t count) { return peer::labels(n, count); }
  static Tensor zeros(const Dims& shape) { return torch::zeros(shape); }
  static Tensor eye(std::int64_t n) { return torch::eye(n); }
  static Tensor arange(std::int64_t n) { return torch::arange(n); }

  static Tensor sum(const Tensor& x, const Dims& axes, bool keepdim) { return torch::sum(x, axes, keepdim); }
  static Tensor mean(const Tensor& x, const Dims& axes, bool keepdim) {
    return torch::mean(x, axes, keepdim);
  }
  static Tensor logsumexp(const Tensor& x, int axis) { return torch::logsumexp(x, axis); }
  static Tensor cumsum(const Tensor& x, int axis) { return torch::cumsum(x, axis); }
  static Tensor sorted(const Tensor& x) { return std::get<0>(torch::sort(x)); }
  static Tensor cat(const List& parts, int axis) { return torch::cat(parts, axis); }
  static Tensor slice(const Tensor& x, int axis, std::int64_t first, std::int64_t last) {
    return x.slice(axis, first, last);
  }
  static Tensor select(const Tensor& x, std::int64_t i) { return x.select(0, i); }
  static Tensor diagonal(const Tensor& x) { return torch::diagonal(x); }

  static Tensor cholesky(const Tensor& a) { return torch::linalg_cholesky(a); }
  static Tensor solve_lower(const Tensor& l, const Tensor& b) {
    return torch::linalg_solve_triangular(l, b, false);
  }

  static Tensor embedding(const Tensor& codes, const Tensor& table) { return torch::embedding(table, codes); }
  static Tensor conv2d(const Tensor& x, const Tensor& w, const Tensor& b, std::int64_t stride,
                       std::int64_t padding, std::int64_t groups) {
    return torch::conv2d(x, w, b, stride, padding, 1, groups);
  }
  static Tensor conv1d(const Tensor& x, const Tensor& w, const Tensor& b, std::int64_t stride,
                       std::int64_t padding) {
    return torch::conv1d(x, w, b, stride, padding);
  }
  static Tensor max_pool2d(const Tensor& x, std::int64_t kernel) { return torch::max_pool2d(x, kernel); }
  static Tensor upsample(const Tensor& x) {
    return torch::upsample_nearest2d(x, {2 * x.size(2), 2 * x.size(3)});
  }
  static Tensor batch_norm(const Tensor& x, const Tensor& w, const Tensor& b) {
    return torch::batch_norm(x, w, b, {}, {}, true, 0.1, 1e-5, false);
  }
  static Tensor layer_norm(const Tensor& x, const Tensor& w, const Tensor& b) {
    return torch::layer_norm(x, w.sizes(), w, b);
  }
  static Tensor group_norm(const Tensor& x, std::int64_t groups, const Tensor& w, const Tensor& b) {
    return torch::group_norm(x, groups, w, b);
  }
  static Tensor cross_entropy(const Tensor& x, const Tensor& y) { return torch::cross_entropy_loss(x, y); }

  static List grad(const Tensor& y, const List& inputs) {
    return torch::autograd::grad({y}, inputs, {}, /*retain_graph=*/true, /*create_graph=*/true);
  }
  static Step captured(Step step) { return step; }  // libtorch as it is
  static void drop_grad(Tensor& t) { peer::drop_grad(t); }
  static double item(const Tensor& t) { return t.item<double>(); }
  static double digest(const Tensor& t) { return peer::digest(t); }
  static Optimizer optimizer(Rule rule, const List& params) {
    using namespace torch::optim;
    if (rule == Rule::none) return nullptr;
    if (rule == Rule::sgd) return std::make_unique<SGD>(params, SGDOptions(1e-2).momentum(momentum_factor));
    return std::make_unique<AdamW>(params, AdamWOptions(1e-3));
  }
};

}  // namespace

Suite variants_suite() { return Variants<Torch>::suite(); }

}  // namespace bench::peer
