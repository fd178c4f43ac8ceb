// The workloads of support/variants.hpp on Cadena.
#include "autodiff/ops/linalg.hpp"
#include "captured.hpp"
#include "optim/optim.hpp"
#include "support/variants.hpp"

namespace bench {
namespace {

struct Cadena {
  using Tensor = cadena::Tensor;
  using List = cadena::TensorList;
  using Dims = std::vector<std::int64_t>;
  using Optimizer = std::unique_ptr<cadena::optim::Optimizer>;

  static Tensor constant(const Dims& shape, std::uint32_t seed, double scale) {
    return bench::constant(cadena::Shape(shape), seed, scale);
  }
  static Tensor leaf(const Dims& shape, std::uint32_t seed, double scale) {
    return bench::leaf(cadena::Shape(shape), seed, scale);
  }
  static Tensor labels(std::int64_t n, std::int64_t count) { return cadena::tensor(classes(n, count)); }
  static Tensor zeros(const Dims& shape) { return cadena::zeros(cadena::Shape(shape)); }
  static Tensor eye(std::int64_t n) { return cadena::eye(n); }
  static Tensor arange(std::int64_t n) { return cadena::arange(n); }

  static Tensor sum(const Tensor& x, const Dims& axes, bool keepdim) {
    return cadena::sum(x, at(axes), keepdim);
  }
  static Tensor mean(const Tensor& x, const Dims& axes, bool keepdim) {
    return cadena::mean(x, at(axes), keepdim);
  }
  static Tensor logsumexp(const Tensor& x, int axis) { return cadena::logsumexp(x, {axis}); }
  static Tensor cumsum(const Tensor& x, int axis) { return cadena::cumsum(x, axis); }
  static Tensor sorted(const Tensor& x) { return cadena::sort(x).values; }
  static Tensor cat(const List& parts, int axis) { return cadena::cat(parts, axis); }
  static Tensor slice(const Tensor& x, int axis, std::int64_t first, std::int64_t last) {
    return x.slice(axis, {first, last});
  }
  static Tensor select(const Tensor& x, std::int64_t i) { return cadena::select(x, 0, i); }
  static Tensor diagonal(const Tensor& x) { return cadena::diagonal(x); }

  static Tensor cholesky(const Tensor& a) { return cadena::cholesky(a); }
  static Tensor solve_lower(const Tensor& l, const Tensor& b) {
    return cadena::solve_triangular(l, b, {.upper = false});
  }

  static Tensor embedding(const Tensor& codes, const Tensor& table) {
    return cadena::embedding(codes, table);
  }
  static Tensor conv2d(const Tensor& x, const Tensor& w, const Tensor& b, std::int64_t stride,
                       std::int64_t padding, std::int64_t groups) {
    return cadena::conv2d(x, w, b, {.stride = stride, .padding = padding, .groups = groups});
  }
  static Tensor conv1d(const Tensor& x, const Tensor& w, const Tensor& b, std::int64_t stride,
                       std::int64_t padding) {
    return cadena::conv1d(x, w, b, {.stride = stride, .padding = padding});
  }
  static Tensor max_pool2d(const Tensor& x, std::int64_t kernel) { return cadena::max_pool2d(x, kernel); }
  static Tensor upsample(const Tensor& x) {
    return cadena::interpolate(x, {.scale_factor = {2, 2}, .mode = cadena::InterpolateMode::nearest});
  }
  static Tensor batch_norm(const Tensor& x, const Tensor& w, const Tensor& b) {
    return cadena::batch_norm(x, {}, {}, {.weight = w, .bias = b, .training = true});
  }
  static Tensor layer_norm(const Tensor& x, const Tensor& w, const Tensor& b) {
    return cadena::layer_norm(x, w.shape(), w, b);
  }
  static Tensor group_norm(const Tensor& x, std::int64_t groups, const Tensor& w, const Tensor& b) {
    return cadena::group_norm(x, groups, w, b);
  }
  static Tensor cross_entropy(const Tensor& x, const Tensor& y) { return cadena::cross_entropy(x, y); }

  static List grad(const Tensor& y, const List& inputs) {
    return cadena::grad({y}, inputs, {.create_graph = true});
  }
  static Step captured(Step step) { return bench::captured(std::move(step)); }
  static void drop_grad(Tensor& t) { t.zero_grad(); }
  static double item(const Tensor& t) { return t.item(); }
  static double digest(const Tensor& t) { return bench::digest(t); }
  static Optimizer optimizer(Rule rule, const List& params) {
    using namespace cadena::optim;
    if (rule == Rule::none) return nullptr;
    if (rule == Rule::sgd)
      return std::make_unique<SGD>(params, SGDOptions{.lr = 1e-2, .momentum = momentum_factor});
    return std::make_unique<AdamW>(params, AdamWOptions{.lr = 1e-3});
  }

 private:
  static cadena::Axes at(const Dims& axes) {
    cadena::Axes list;
    for (const auto axis : axes) list.push_back(static_cast<int>(axis));
    return list;
  }
};

}  // namespace
}  // namespace bench

int main(int argc, char** argv) {
  return bench::run(argc, argv, bench::Variants<bench::Cadena>::suite(), bench::cadena_library);
}
