// Normalisation over rows (layer_norm, rms_norm) and over channels (batch_norm, group_norm, instance_norm):
// a fused op each.
#include "autodiff/ops/normalization.hpp"

#include <algorithm>
#include <limits>
#include <string>

#include "autodiff/core/op.hpp"
#include "autodiff/core/resample.hpp"
#include "autodiff/core/table.hpp"
#include "autodiff/core/typed.hpp"
#include "autodiff/error.hpp"
#include "autodiff/kernels/normalization.hpp"
#include "autodiff/ops/arithmetic.hpp"
#include "autodiff/ops/movement.hpp"
#include "autodiff/ops/reduce.hpp"

namespace cadena {
namespace detail {
namespace {

constexpr Reads reads_all = {X1 | X2 | X3, X1 | X2 | X3, X1 | X2 | X3};

/// (d / sqrt(mean(d^2) + eps)) for d centred over `axes`, or x itself.
Tensor standardized(const Tensor& x, const Axes& axes, bool centered, double eps) {
  const Tensor d = centered ? sub(x, mean(x, axes, true)) : x;
  return div(d, sqrt(add(mean(square(d), axes, true), eps)));
}

/// What a call is given: x, or x and weight, or x, weight and bias, of one dtype.
struct NormInputs {
  TensorList list;

  NormInputs(const std::string& op, const Tensor& x, const Tensor& weight, const Tensor& bias,
             const Shape& affine, double eps) {
    DType dtype = x.dtype();
    for (const Tensor* t : {&x, &weight, &bias})
      if (t->defined()) {
        if (!is_floating(t->dtype()))
          throw DtypeError("[" + op + "] expected f32 or f64, got " + std::string(name(t->dtype())));
        dtype = promote(dtype, t->dtype());
      }
    for (const Tensor* t : {&weight, &bias})
      if (t->defined() && !(t->shape() == affine))
        throw ShapeError("[" + op + "] expected weight and bias " + to_string(affine) + ", got " +
                         to_string(t->shape()));
    if (!(eps >= 0)) throw ValueError("[" + op + "] expected eps >= 0, got " + std::to_string(eps));
    const Shape flat{affine.numel()};
    list.push_back(to(x, dtype));
    if (weight.defined() || bias.defined())
      list.push_back(weight.defined() ? reshape(to(weight, dtype), flat) : ones(flat, dtype));
    if (bias.defined()) list.push_back(reshape(to(bias, dtype), flat));
  }
  const Tensor& x() const { return list[0]; }
};

/// The same, contiguous, for a kernel.
struct KernelInputs {
  Tensor x, weight, bias;
  explicit KernelInputs(std::span<const Tensor> in)
      : x(contiguous(in[0])),
        weight(in.size() > 1 ? contiguous(in[1]) : Tensor()),
        bias(in.size() > 2 ? contiguous(in[2]) : Tensor()) {}
};

/// x (rows, n) [, weight (n) [, bias (n)]]
template <bool centered>
struct RowNorm : Fused<RowNorm<centered>> {
  static constexpr Meta meta{
      .name = centered ? "layer_norm" : "rms_norm",
      .reads = reads_all,
      .formula = centered ? "(x - mean) / sqrt(var + eps) weight + bias" : "x / sqrt(mean(x^2) + eps) weight",
      .derivative = centered ? "dx = (g - mean(g) - n mean(g n)) / std, g = G weight, n the normalised x"
                             : "dx = (g - n mean(g n)) / rms, g = G weight, n the normalised x",
      .conventions = "nothing to normalise gives nothing"};
  double eps;
  Tensor means, rstd;  ///< of each row, from the forward pass

  explicit RowNorm(double e) : eps(e) {}
  Tensor reference(const TensorList& in) const {
    Tensor y = standardized(in[0], 1, centered, eps);
    if (in.size() > 1) y = mul(y, in[1]);
    return in.size() > 2 ? add(y, in[2]) : y;
  }
  Tensor eval(std::span<const Tensor> list) {
    const KernelInputs in(list);
    const auto rows = in.x.size(0), n = in.x.size(1);
    const DType dtype = in.x.dtype();
    const Tensor out = fresh(in.x.shape(), dtype);
    means = fresh({rows}, dtype), rstd = fresh({rows}, dtype);
    in_type(dtype, [&]<class T>(T) {
      kernels::norm_rows<T>(rows, n, centered, eps, in.x.template data<T>(), data_or_null<T>(in.weight),
                            data_or_null<T>(in.bias), written<T>(means), written<T>(rstd), written<T>(out));
    });
    return out;
  }
  void vjp_fast(const Saved& s, const Tensor& g0, Tensor* gin) const {
    const Tensor x = contiguous(s.x(0)), g = contiguous(g0);
    const Tensor weight = s.count() > 1 ? contiguous(s.x(1)) : Tensor();
    const auto rows = x.size(0), n = x.size(1);
    const Tensor gx = fresh(x.shape(), x.dtype());
    const auto sum_for = [&](int i) {
      return s.count() > i && s.needs(i) ? fresh({n}, x.dtype()) : Tensor();
    };
    const Tensor gw = sum_for(1), gb = sum_for(2);
    in_type(x.dtype(), [&]<class T>(T) {
      kernels::norm_rows_vjp<T>(rows, n, centered, x.data<T>(), data_or_null<T>(weight), means.data<T>(),
                                rstd.data<T>(), g.data<T>(), written<T>(gx), written<T>(gw), written<T>(gb));
    });
    if (s.needs(0)) gin[0] = gx;
    if (gw.defined()) gin[1] = gw;
    if (gb.defined()) gin[2] = gb;
  }
};

using kernels::ChannelShape;

/// x whose elements lie as ChannelShape says [, weight [, bias]]
struct ChannelNorm : Fused<ChannelNorm> {
  static constexpr Meta meta{
      .name = "channel_norm",
      .reads = reads_all,
      .formula = "(x - mean) / sqrt(var + eps) weight + bias",
      .derivative = "dx = (g - mean(g) - n mean(g n)) / std per channel, g = G weight"};
  ChannelShape shape;
  double eps;
  Tensor means, vars;  ///< of each channel, from the forward pass

  ChannelNorm(const ChannelShape& s, double e) : shape(s), eps(e) {}
  Tensor reference(const TensorList& in) const {
    const ChannelShape& s = shape;
    Tensor y = standardized(reshape(in[0], {s.outer, s.channels, s.pieces * s.size}), {0, 2}, true, eps);
    const Shape column{s.weights, 1};
    y = reshape(y, {s.outer * s.channels * s.pieces / s.weights, s.weights, s.size});
    if (in.size() > 1) y = mul(y, reshape(in[1], column));
    if (in.size() > 2) y = add(y, reshape(in[2], column));
    return reshape(y, in[0].shape());
  }
  Tensor eval(std::span<const Tensor> list) {
    const KernelInputs in(list);
    const DType dtype = in.x.dtype();
    const Tensor out = fresh(in.x.shape(), dtype);
    means = fresh({shape.channels}, dtype), vars = fresh({shape.channels}, dtype);
    in_type(dtype, [&]<class T>(T) {
      kernels::norm_channels<T>(shape, eps, in.x.data<T>(), data_or_null<T>(in.weight),
                                data_or_null<T>(in.bias), written<T>(means), written<T>(vars),
                                written<T>(out));
    });
    return out;
  }
  void vjp_fast(const Saved& s, const Tensor& g0, Tensor* gin) const {
    const Tensor x = contiguous(s.x(0)), g = contiguous(g0);
    const Tensor weight = s.count() > 1 ? contiguous(s.x(1)) : Tensor();
    const Shape pieces{shape.channels * shape.pieces / shape.weights, shape.weights};
    const Tensor gx = fresh(x.shape(), x.dtype()), gw = fresh(pieces, x.dtype()),
                 gb = fresh(pieces, x.dtype());
    in_type(x.dtype(), [&]<class T>(T) {
      kernels::norm_channels_vjp<T>(shape, eps, x.data<T>(), data_or_null<T>(weight), means.data<T>(),
                                    vars.data<T>(), g.data<T>(), written<T>(gx), written<T>(gw),
                                    written<T>(gb));
    });
    if (s.needs(0)) gin[0] = gx;
    if (s.count() > 1 && s.needs(1)) gin[1] = sum(gw, 0);
    if (s.count() > 2 && s.needs(2)) gin[2] = sum(gb, 0);
  }
};

template <bool centered>
Tensor row_norm(const Tensor& x, const Shape& normalized, const Tensor& weight, const Tensor& bias,
                double eps) {
  const std::string op(RowNorm<centered>::meta.name);
  const int lead = x.dim() - normalized.rank();
  bool fits = lead >= 0 && normalized.rank() > 0;
  std::int64_t rows = 1;
  for (int i = 0; fits && i < x.dim(); ++i) {
    if (i < lead)
      rows *= x.shape()[i];
    else
      fits = x.shape()[i] == normalized[i - lead];
  }
  if (!fits)
    throw ShapeError("[" + op + "] expected x that ends with normalized_shape " + to_string(normalized) +
                     ", got " + to_string(x.shape()));
  const NormInputs in(op, x, weight, bias, normalized, eps);
  NormInputs flat = in;
  flat.list[0] = reshape(in.x(), {rows, normalized.numel()});
  return reshape(apply_list(RowNorm<centered>(eps), flat.list), x.shape());
}

/// x (N, C, ...) of at least one channel.
struct ChannelCall {
  std::string op;
  const Tensor& x;
  std::int64_t channels = 1, size = 1;  ///< size: elements of a channel of a sample

  ChannelCall(const char* name, const Tensor& t) : op(name), x(t) {
    if (x.dim() < 2 || x.size(1) == 0) refuse("(N, C, ...) with at least one channel");
    channels = x.size(1);
    for (int i = 2; i < x.dim(); ++i) size *= x.size(i);
  }
  [[noreturn]] void refuse(const std::string& expected) const {
    throw ShapeError("[" + op + "] expected " + expected + ", got " + to_string(x.shape()));
  }
  /// (C) seen from x.
  Tensor spread(const Tensor& t) const {
    Shape column{channels};
    for (int i = 2; i < x.dim(); ++i) column.push_back(1);
    return reshape(t, column);
  }
  void check_running(const Tensor& mean, const Tensor& var) const {
    for (const Tensor* t : {&mean, &var})
      if (t->defined() && !(t->shape() == Shape{channels}))
        throw ShapeError("[" + op + "] expected running values (" + std::to_string(channels) + ",), got " +
                         to_string(t->shape()));
    if (mean.defined() != var.defined())
      throw ValueError("[" + op + "] expected both running values or none, got one");
  }
  Tensor by_running(const NormInputs& in, const Tensor& mean, const Tensor& var, double eps) const {
    if (!mean.defined()) throw ValueError("[" + op + "] expected running values or training, got neither");
    const DType dtype = in.x().dtype();
    const Tensor rstd = div(1, sqrt(add(to(var, dtype), eps)));
    const Tensor scale = in.list.size() > 1 ? mul(rstd, in.list[1]) : rstd;
    const Tensor shift = neg(mul(to(mean, dtype), scale));
    return addcmul(spread(in.list.size() > 2 ? add(in.list[2], shift) : shift), in.x(), spread(scale));
  }
};

/// running = (1 - momentum) running + momentum batch, unrecorded.
void update_running(const Tensor& running, const Tensor& batch, double momentum) {
  NoGrad guard;
  Tensor to_overwrite = running;
  to_overwrite.copy_(add(mul(running, 1 - momentum), mul(to(batch, running.dtype()), momentum)));
}

/// x by the values of each channel; `means` and `vars` of the batch, too.
Tensor by_batch(const ChannelCall& call, const NormInputs& in, double eps, Tensor& means, Tensor& vars) {
  const auto batch = call.x.size(0), channels = call.channels, size = call.size;
  const auto run = [&](const ChannelShape& s, const Tensor& x) {
    NormInputs moved = in;
    moved.list[0] = x;
    ChannelNorm op(s, eps);
    if (any_batched(moved.list.data(), moved.list.size())) return op.reference(moved.list);
    Tensor out = apply_keeping(op, moved.list);
    means = op.means, vars = op.vars;
    return out;
  };
  if (size >= 16 || batch == 1) return run({batch, channels, 1, size, channels}, in.x());
  // Short runs: all samples of a channel are brought together first.
  const Tensor x = permute(reshape(in.x(), {batch, channels, size}), {1, 0, 2});
  const Tensor y = run({1, channels, 1, batch * size, channels}, x);
  return reshape(permute(y, {1, 0, 2}), call.x.shape());
}

}  // namespace
}  // namespace detail

Tensor layer_norm(const Tensor& x, const Shape& normalized_shape, const Tensor& weight, const Tensor& bias,
                  double eps) {
  return detail::row_norm<true>(x, normalized_shape, weight, bias, eps);
}

Tensor rms_norm(const Tensor& x, const Shape& normalized_shape, const Tensor& weight,
                std::optional<double> eps) {
  const double own =
      x.dtype() == f32 ? std::numeric_limits<float>::epsilon() : std::numeric_limits<double>::epsilon();
  return detail::row_norm<false>(x, normalized_shape, weight, {}, eps.value_or(own));
}

Tensor batch_norm(const Tensor& x, const Tensor& running_mean, const Tensor& running_var,
                  const BatchNormOptions& o) {
  const detail::ChannelCall call("batch_norm", x);
  const detail::NormInputs in(call.op, x, o.weight, o.bias, {call.channels}, o.eps);
  call.check_running(running_mean, running_var);
  if (!o.training) return call.by_running(in, running_mean, running_var, o.eps);
  const std::int64_t count = x.size(0) * call.size;
  if (count <= 1) call.refuse("more than one value per channel in training");
  Tensor means, vars;
  const Tensor y = detail::by_batch(call, in, o.eps, means, vars);
  if (running_mean.defined()) {
    if (!means.defined()) detail::refuse_batched_read();  // vmap: each sample moves them in turn
    detail::update_running(running_mean, means, o.momentum);
    const double unbiased = static_cast<double>(count) / static_cast<double>(count - 1);
    NoGrad guard;
    detail::update_running(running_var, mul(vars, unbiased), o.momentum);
  }
  return y;
}

Tensor group_norm(const Tensor& x, std::int64_t num_groups, const Tensor& weight, const Tensor& bias,
                  double eps) {
  const detail::ChannelCall call("group_norm", x);
  if (num_groups < 1 || call.channels % num_groups != 0)
    throw ValueError("[group_norm] expected groups that divide " + std::to_string(call.channels) +
                     " channels, got " + std::to_string(num_groups));
  const detail::NormInputs in(call.op, x, weight, bias, {call.channels}, eps);
  const std::int64_t pieces = call.channels / num_groups;
  return detail::apply_list(
      detail::ChannelNorm({1, x.size(0) * num_groups, pieces, call.size, call.channels}, eps), in.list);
}

Tensor instance_norm(const Tensor& x, const InstanceNormOptions& o) {
  const detail::ChannelCall call("instance_norm", x);
  const detail::NormInputs in(call.op, x, o.weight, o.bias, {call.channels}, o.eps);
  call.check_running(o.running_mean, o.running_var);
  if (!o.use_input_stats) return call.by_running(in, o.running_mean, o.running_var, o.eps);
  if (call.size <= 1) call.refuse("more than one value per channel of a sample");
  detail::ChannelNorm op({1, x.size(0) * call.channels, 1, call.size, call.channels}, o.eps);
  if (!o.running_mean.defined()) return detail::apply_list(std::move(op), in.list);
  Tensor out = detail::apply_keeping(op, in.list);
  if (x.size(0) > 0) {
    NoGrad guard;
    const Shape table{x.size(0), call.channels};
    const double unbiased = static_cast<double>(call.size) / static_cast<double>(call.size - 1);
    detail::update_running(o.running_mean, mean(reshape(op.means, table), 0), o.momentum);
    detail::update_running(o.running_var, mul(mean(reshape(op.vars, table), 0), unbiased), o.momentum);
  }
  return out;
}

Tensor local_response_norm(const Tensor& x, std::int64_t size, double alpha, double beta, double k) {
  const detail::ChannelCall call("local_response_norm", x);
  if (!is_floating(x.dtype()))
    throw DtypeError("[local_response_norm] expected f32 or f64, got " + std::string(name(x.dtype())));
  if (size < 1 || size > 1 << 30)
    throw ValueError("[local_response_norm] expected size >= 1, got " + std::to_string(size));
  kernels::Taps taps(call.channels);
  for (std::int64_t c = 0; c < call.channels; ++c) {
    const std::int64_t first = std::max<std::int64_t>(0, c - size / 2),
                       end = std::min(call.channels, c + (size - 1) / 2 + 1);
    taps.push_back(
        first, std::vector<double>(static_cast<std::size_t>(end - first), alpha / static_cast<double>(size)));
  }
  return div(x, pow(add(detail::resample(square(x), 1, std::move(taps)), k), beta));
}

namespace detail {
namespace {

using Call = std::function<Tensor(const TensorList&)>;

Tensor optional(const TensorList& x, std::size_t i) { return i < x.size() ? x[i] : Tensor(); }

/// x alone, with weight, and with weight and bias.
void add_cases(std::vector<Case>& cases, const Shape& x, const Shape& affine, const Call& call,
               const Call& reference = {}, bool biased = true) {
  std::vector<Shape> shapes;
  for (const auto& s : {x, affine, affine}) {
    shapes.push_back(s);
    if (shapes.size() == 3 && !biased) break;
    cases.push_back({shapes, call, {}, reference});
  }
}

template <bool centered>
OpInfo row_norm_row() {
  std::vector<Case> cases;
  const auto make = [&](const Shape& x, const Shape& normalized, double eps) {
    const auto call = [=](const TensorList& in) {
      return row_norm<centered>(in[0], normalized, optional(in, 1), optional(in, 2), eps);
    };
    const auto reference = [=](const TensorList& in) {
      TensorList flat = in;
      flat[0] = reshape(
          in[0], {normalized.numel() == 0 ? 0 : in[0].numel() / normalized.numel(), normalized.numel()});
      for (std::size_t i = 1; i < flat.size(); ++i) flat[i] = reshape(flat[i], {normalized.numel()});
      return reshape(RowNorm<centered>(eps).reference(flat), in[0].shape());
    };
    add_cases(cases, x, normalized, call, reference, centered);
  };
  make({3, 5}, {5}, 1e-2);
  make({7}, {7}, 1e-5);
  make({2, 2, 3}, {2, 3}, 0.1);
  make({0, 4}, {4}, 1e-5);
  make({2, 1}, {1}, 0.5);
  make({2, 37}, {37}, 1e-5);
  return case_row(RowNorm<centered>::meta, "normalization", std::move(cases), [](std::int64_t n) {
    std::vector<Shape> shapes{{n / 256, 256}, {256}};
    if (centered) shapes.push_back({256});
    return Case{shapes, [](const TensorList& in) {
                  return row_norm<centered>(in[0], {256}, in[1], optional(in, 2), 1e-5);
                }};
  });
}

/// The op itself: samples, channels, pieces and repeated weights.
OpInfo channel_norm_row() {
  std::vector<Case> cases;
  const auto make = [&](const ChannelShape& s) {
    const auto call = [s](const TensorList& in) {
      NormInputs inputs("channel_norm", in[0], optional(in, 1), optional(in, 2), {s.weights}, 0.01);
      return apply_list(ChannelNorm(s, 0.01), inputs.list);
    };
    const auto reference = [s](const TensorList& in) { return ChannelNorm(s, 0.01).reference(in); };
    add_cases(cases, {s.outer, s.channels, s.pieces * s.size}, {s.weights}, call, reference);
  };
  make({2, 2, 1, 3, 2});
  make({1, 4, 1, 5, 2});
  make({1, 2, 2, 2, 2});
  make({1, 2, 3, 2, 6});
  make({3, 1, 1, 19, 1});
  make({1, 0, 2, 3, 2});
  return case_row(ChannelNorm::meta, "normalization", std::move(cases), [](std::int64_t n) {
    const ChannelShape s{n / 4096, 16, 1, 256, 16};
    return Case{{{s.outer, 16, 256}, {16}, {16}}, [s](const TensorList& in) {
                  return apply_list(ChannelNorm(s, 1e-5),
                                    NormInputs("channel_norm", in[0], in[1], in[2], {16}, 1e-5).list);
                }};
  });
}

/// Composites over channels: x (n, c, ...) of a few shapes.
OpInfo channels_row(const Meta& meta, std::initializer_list<Shape> shapes, const Call& call, bool affine) {
  std::vector<Case> cases;
  for (const auto& x : shapes) {
    if (affine)
      add_cases(cases, x, {x[1]}, call);
    else
      cases.push_back({{x}, call});
  }
  return composite(case_row(meta, "normalization", std::move(cases), [call, affine](std::int64_t n) {
    std::vector<Shape> inputs{{n / 4096, 16, 16, 16}};
    if (affine) inputs.push_back({16}), inputs.push_back({16});
    return Case{inputs, call};
  }));
}

Tensor batch_norm_sample(const TensorList& in) {
  return batch_norm(in[0], {}, {},
                    {.weight = optional(in, 1), .bias = optional(in, 2), .training = true, .eps = 0.01});
}

}  // namespace

OpList normalization_ops() {
  Meta meta{.name = "batch_norm", .formula = "(x - mean) / sqrt(var + eps) weight + bias"};
  const auto named = [&](const char* name) {
    meta.name = name;
    return meta;
  };
  OpList rows = {row_norm_row<true>(), row_norm_row<false>(), channel_norm_row()};
  rows.push_back(channels_row(named("batch_norm"), {{4, 2}, {3, 2, 3}, {2, 1, 2, 2}, {1, 2, 5}, {2, 1, 17}},
                              batch_norm_sample, true));
  rows.push_back(channels_row(
      named("group_norm"), {{2, 4}, {1, 2, 3}, {2, 2, 2, 2}, {0, 2, 3}},
      [](const TensorList& in) { return group_norm(in[0], 2, optional(in, 1), optional(in, 2), 0.1); },
      true));
  rows.push_back(channels_row(
      named("instance_norm"), {{2, 2, 4}, {1, 3, 2, 2}, {0, 2, 3}},
      [](const TensorList& in) {
        return instance_norm(in[0], {.weight = optional(in, 1), .bias = optional(in, 2), .eps = 0.1});
      },
      true));
  meta.formula = "x / (k + alpha mean(x^2 of neighbouring channels))^beta";
  rows.push_back(channels_row(
      named("local_response_norm"), {{2, 5}, {1, 3, 2}, {2, 4, 1, 2}, {0, 2, 3}},
      [](const TensorList& in) { return local_response_norm(in[0], 3, 0.5, 0.75, 1.5); }, false));
  return rows;
}

}  // namespace detail
}  // namespace cadena
