// Matrix products.
#include "autodiff/ops/product.hpp"

#include <string>

#include "autodiff/core/op.hpp"
#include "autodiff/core/table.hpp"
#include "autodiff/error.hpp"
#include "autodiff/kernels/gemm.hpp"
#include "autodiff/ops/arithmetic.hpp"
#include "autodiff/ops/movement.hpp"
#include "autodiff/ops/reduce.hpp"

namespace cadena {
namespace detail {
namespace {

template <class T>
kernels::MatrixRef<T> matrix(const Tensor& x) {
  const auto& strides = x.strides();
  return {x.data<T>(), strides[x.dim() - 2], strides[x.dim() - 1]};
}

/// Shape and strides of the batch dimensions, broadcast to `batch`.
Strides batch_strides(const Tensor& x, const Shape& batch) {
  Strides strides;
  const int missing = batch.rank() - (x.dim() - 2);
  for (int i = 0; i < batch.rank(); ++i)
    strides.push_back(i < missing || x.shape()[i - missing] == 1 ? 0 : x.strides()[i - missing]);
  return strides;
}

Shape batch_shape(const Tensor& x) {
  Shape batch;
  for (int i = 0; i < x.dim() - 2; ++i) batch.push_back(x.shape()[i]);
  return batch;
}

/// Transpose of the two last axes.
Tensor mt(const Tensor& x) { return transpose(x, -2, -1); }

/// (..., m, k) times (..., k, n); batch dimensions broadcast.
struct MatMul {
  static constexpr Meta meta{.name = "matmul",
                             .reads = {X2, X1},
                             .formula = "A B",
                             .derivative = "dA = G B^T, dB = A^T G",
                             .conventions = "without inner dimension: zeros, zero derivatives"};

  Tensor eval(const Tensor& a, const Tensor& b) const {
    const bool matrices = a.dim() == 2 && b.dim() == 2;
    const Shape batch = matrices ? Shape() : broadcast("matmul", batch_shape(a), batch_shape(b));
    Shape shape = batch;
    shape.push_back(a.size(-2));
    shape.push_back(b.size(-1));
    Tensor out = make_tensor(shape, checked_numel("matmul", shape, itemsize(a.dtype())), a.dtype());
    if (a.dtype() == f32)
      run<float>(a, b, batch, out);
    else
      run<double>(a, b, batch, out);
    return out;
  }
  void vjp(const Saved& s, const Tensor& g, Tensor* gin) const {
    if (s.needs(0)) gin[0] = matmul(g, mt(s.x(1)));
    if (s.needs(1)) gin[1] = matmul(mt(s.x(0)), g);
  }
  Tensor jvp(const Saved& s, const Tensor* t) const {
    Tensor left = t[0].defined() ? matmul(t[0], s.x(1)) : Tensor();
    Tensor right = t[1].defined() ? matmul(s.x(0), t[1]) : Tensor();
    return !left.defined() ? right : !right.defined() ? left : add(left, right);
  }
  Tensor batch(const BatchedCall& c) const {
    const TensorList x = c.aligned();
    return matmul(x[0], x[1]);
  }

 private:
  template <class T>
  static void run(const Tensor& a, const Tensor& b, const Shape& batch, const Tensor& out) {
    T* c = static_cast<T*>(raw_data(out));
    const auto m = a.size(-2), k = a.size(-1), n = b.size(-1);
    if (batch.empty())
      kernels::gemm<T>(m, n, k, matrix<T>(a), matrix<T>(b), c, n);
    else
      kernels::gemm_batched<T>(batch, m, n, k, matrix<T>(a), batch_strides(a, batch), matrix<T>(b),
                               batch_strides(b, batch), c);
  }
};

/// x (m, in), weight (out, in), bias (out): the bias is added while the product is written.
struct LinearOp {
  static constexpr Meta meta{.name = "linear",
                             .reads = {X2, X1, none},
                             .formula = "x W^T + b",
                             .derivative = "dx = G W, dW = G^T x, db = sum of G over rows"};

  Tensor eval(std::span<const Tensor> in) const {
    const Tensor &x = in[0], &w = in[1];
    const Shape shape{x.size(0), w.size(0)};
    Tensor out = make_tensor(shape, checked_numel("linear", shape, itemsize(x.dtype())), x.dtype());
    if (x.dtype() == f32)
      run<float>(in, out);
    else
      run<double>(in, out);
    return out;
  }
  void vjp(const Saved& s, const Tensor& g, Tensor* gin) const {
    if (s.needs(0)) gin[0] = matmul(g, s.x(1));
    if (s.needs(1)) gin[1] = matmul(mt(g), s.x(0));
    if (s.count() == 3 && s.needs(2)) gin[2] = sum(g, 0);
  }
  Tensor jvp(const Saved& s, const Tensor* t) const {
    Tensor out;
    auto plus = [&out](const Tensor& term) { out = out.defined() ? add(out, term) : term; };
    if (t[0].defined()) plus(matmul(t[0], mt(s.x(1))));
    if (t[1].defined()) plus(matmul(s.x(0), mt(t[1])));
    if (s.count() == 3 && t[2].defined()) plus(t[2]);
    return out;
  }
  Tensor batch(const BatchedCall& c) const {
    const bool biased = c.x.size() == 3;
    if (!c.batched[1] && !(biased && c.batched[2])) return linear(c.x[0], c.x[1], biased ? c.x[2] : Tensor());
    const Tensor y = matmul(c.x[0], mt(c.x[1]));
    return !biased ? y : add(y, c.batched[2] ? unsqueeze(c.x[2], 1) : c.x[2]);
  }

 private:
  template <class T>
  static void run(std::span<const Tensor> in, const Tensor& out) {
    const Tensor bias = in.size() == 3 ? contiguous(in[2]) : Tensor();
    kernels::GemmOptions<T> options;
    if (bias.defined()) options.bias = bias.data<T>();
    kernels::gemm<T>(in[0].size(0), in[1].size(0), in[0].size(1), matrix<T>(in[0]),
                     matrix<T>(in[1]).transposed(), static_cast<T*>(raw_data(out)), in[1].size(0), options);
  }
};

void check_floating(const char* op, const Tensor& a, const Tensor& b) {
  if (!is_floating(a.dtype()) || !is_floating(b.dtype()))
    throw DtypeError("[" + std::string(op) + "] expected f32 or f64, got " + std::string(name(a.dtype())) +
                     " and " + std::string(name(b.dtype())));
}

std::vector<Sample> matmul_samples(Sampler& s) {
  std::vector<Sample> list;
  const std::pair<Shape, Shape> cases[] = {{{3}, {3}},
                                           {{2, 3}, {3}},
                                           {{3}, {3, 2}},
                                           {{2, 3}, {3, 4}},
                                           {{1, 1}, {1, 1}},
                                           {{2, 0}, {0, 3}},
                                           {{0, 2}, {2, 3}},
                                           {{2, 3, 2}, {2, 2}},
                                           {{2, 3, 2}, {2, 2, 3}},
                                           {{2, 3}, {4, 3, 2}},
                                           {{2, 1, 3, 2}, {3, 2, 2}},
                                           {{17, 5}, {5, 19}},
                                           {{4}, {2, 4, 3}},
                                           {{2, 3, 4}, {4}}};
  for (const auto& [a, b] : cases)
    list.push_back({to_string(a) + " " + to_string(b), {s.draw(a), s.draw(b)}, [](const TensorList& x) {
                      return matmul(x[0], x[1]);
                    }});
  list.push_back({"transposed operands", {s.draw({4, 3}), s.draw({5, 4})}, [](const TensorList& x) {
                    return matmul(t(x[0]), t(x[1]));
                  }});
  return list;
}

std::vector<Sample> linear_samples(Sampler& s) {
  std::vector<Sample> list;
  const Shape inputs[] = {{3, 4}, {4}, {2, 3, 4}, {0, 4}, {1, 4}};
  auto reference = [](const TensorList& x) {
    const Tensor y = matmul(x[0], t(x[1]));
    return x.size() == 3 ? add(y, x[2]) : y;
  };
  for (const auto& shape : inputs) {
    list.push_back({to_string(shape) + " with bias",
                    {s.draw(shape), s.draw({5, 4}), s.draw({5})},
                    [](const TensorList& x) { return linear(x[0], x[1], x[2]); },
                    reference});
    list.push_back({to_string(shape),
                    {s.draw(shape), s.draw({5, 4})},
                    [](const TensorList& x) { return linear(x[0], x[1]); },
                    reference});
  }
  return list;
}

OpInfo bilinear_row() {
  const auto call = [](const TensorList& x) {
    return x.size() == 4 ? bilinear(x[0], x[1], x[2], x[3]) : bilinear(x[0], x[1], x[2]);
  };
  std::vector<Case> cases;
  for (const Shape& batch : {Shape{3}, Shape{}, Shape{2, 3}, Shape{0}}) {
    Shape first = batch, second = batch;
    first.push_back(2), second.push_back(3);
    cases.push_back({{first, second, {4, 2, 3}, {4}}, call});
    cases.push_back({{first, second, {1, 2, 3}}, call});
  }
  return composite(case_row({.name = "bilinear", .formula = "y_k = x1 W_k x2 + b_k"}, "product",
                            std::move(cases), [call](std::int64_t n) {
                              const auto side = std::max<std::int64_t>(1, n / 64);
                              return Case{{{64, side}, {64, 16}, {16, side, 16}, {16}}, call};
                            }));
}

}  // namespace

OpList product_ops() {
  return {{MatMul::meta, "product", matmul_samples,
           [](Sampler& s, std::int64_t n) {
             std::int64_t side = 16;
             while (side * side < n) side *= 2;
             return Sample{"square", {s.draw({side, side}), s.draw({side, side})}, [](const TensorList& x) {
                             return matmul(x[0], x[1]);
                           }};
           }},
          {LinearOp::meta, "product", linear_samples,
           [](Sampler& s, std::int64_t n) {
             return Sample{"64 rows",
                           {s.draw({64, n / 64}), s.draw({256, n / 64}), s.draw({256})},
                           [](const TensorList& x) { return linear(x[0], x[1], x[2]); }};
           }},
          bilinear_row()};
}

}  // namespace detail

Tensor matmul(const Tensor& a, const Tensor& b) {
  detail::check_floating("matmul", a, b);
  const auto shapes = [&] { return to_string(a.shape()) + " and " + to_string(b.shape()); };
  if (a.dim() == 0 || b.dim() == 0)
    throw ShapeError("[matmul] expected at least one dimension, got " + shapes());
  if (a.size(-1) != b.size(b.dim() == 1 ? 0 : -2))
    throw ShapeError("[matmul] expected inner dimensions that agree, got " + shapes());
  if (a.dim() == 2 && b.dim() == 2 && a.dtype() == b.dtype()) return detail::apply(detail::MatMul{}, a, b);
  const DType dtype = promote(a.dtype(), b.dtype());
  Tensor x = to(a, dtype), y = to(b, dtype);
  if (a.dim() == 1) x = unsqueeze(x, 0);
  if (b.dim() == 1) y = unsqueeze(y, 1);
  Tensor out;
  if (x.dim() > 2 && y.dim() == 2) {
    // One matrix for the whole batch: a single product.
    Shape shape = x.shape();
    shape[x.dim() - 1] = y.size(1);
    out = reshape(
        detail::apply(detail::MatMul{},
                      reshape(x, {shape.numel() / std::max<std::int64_t>(y.size(1), 1), x.size(-1)}), y),
        shape);
  } else {
    out = detail::apply(detail::MatMul{}, x, y);
  }
  if (b.dim() == 1) out = squeeze(out, -1);
  if (a.dim() == 1) out = squeeze(out, b.dim() == 1 ? -1 : -2);
  return out;
}

Tensor linear(const Tensor& x, const Tensor& weight, const Tensor& bias) {
  detail::check_floating("linear", x, weight);
  const bool biased = bias.defined();
  if (weight.dim() != 2 || x.dim() == 0 || x.size(-1) != weight.size(1) ||
      (biased && !(bias.shape() == Shape{weight.size(0)})))
    throw ShapeError("[linear] expected x (..., in), weight (out, in) and bias (out), got " +
                     to_string(x.shape()) + ", " + to_string(weight.shape()) +
                     (biased ? ", " + to_string(bias.shape()) : ""));
  if (biased) detail::check_floating("linear", x, bias);
  DType dtype = promote(x.dtype(), weight.dtype());
  if (biased) dtype = promote(dtype, bias.dtype());
  const auto of_dtype = [&](const Tensor& t) { return t.dtype() == dtype ? t : to(t, dtype); };
  const auto rows = [&](const Tensor& matrix) {
    const Tensor in[] = {of_dtype(matrix), of_dtype(weight), biased ? of_dtype(bias) : Tensor()};
    return detail::apply_list(detail::LinearOp{}, std::span<const Tensor>(in, biased ? 3 : 2));
  };
  if (x.dim() == 2) return rows(x);
  Shape flat{1, x.size(-1)}, shape = x.shape();
  for (int i = 0; i < x.dim() - 1; ++i) flat[0] *= x.shape()[i];
  shape[x.dim() - 1] = weight.size(0);
  return reshape(rows(reshape(x, flat)), shape);
}

Tensor bilinear(const Tensor& x1, const Tensor& x2, const Tensor& weight, const Tensor& bias) {
  detail::check_floating("bilinear", x1, x2);
  const bool biased = bias.defined();
  const auto batch = [](const Tensor& x) {
    Shape shape = x.shape();
    if (!shape.empty()) shape.erase(shape.rank() - 1);
    return shape;
  };
  if (weight.dim() != 3 || x1.dim() == 0 || x2.dim() == 0 || x1.size(-1) != weight.size(1) ||
      x2.size(-1) != weight.size(2) || !(batch(x1) == batch(x2)) ||
      (biased && !(bias.shape() == Shape{weight.size(0)})))
    throw ShapeError(
        "[bilinear] expected x1 (..., in1), x2 (..., in2), weight (out, in1, in2) and bias "
        "(out), got " +
        to_string(x1.shape()) + ", " + to_string(x2.shape()) + ", " + to_string(weight.shape()) +
        (biased ? ", " + to_string(bias.shape()) : ""));
  const auto out = weight.size(0), in1 = weight.size(1), in2 = weight.size(2);
  Shape shape = batch(x1);
  const auto rows = shape.numel();
  const Tensor a = reshape(x1, {rows, in1}), b = reshape(x2, {rows, in2, 1});
  // x1 W for all outputs at once, then with x2 row by row.
  const Tensor left = matmul(a, reshape(permute(weight, {1, 0, 2}), {in1, out * in2}));
  shape.push_back(out);
  const Tensor y = reshape(matmul(reshape(left, {rows, out, in2}), b), shape);
  return biased ? add(y, bias) : y;
}

}  // namespace cadena
