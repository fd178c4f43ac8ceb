// Convolutions. The three ops are the contractions of one trilinear form of x, w and y (kernels/conv.hpp):
// each takes two of them and gives the third, so the derivatives of each are the other two.
#include "autodiff/ops/convolution.hpp"

#include <algorithm>
#include <string>

#include "autodiff/core/op.hpp"
#include "autodiff/core/table.hpp"
#include "autodiff/core/windows.hpp"
#include "autodiff/error.hpp"
#include "autodiff/kernels/conv.hpp"
#include "autodiff/ops/arithmetic.hpp"
#include "autodiff/ops/movement.hpp"
#include "autodiff/ops/reduce.hpp"

namespace cadena {
namespace detail {
namespace {

using kernels::ConvShape;

/// (a, b, extents of `rank` dimensions)
Shape with_extents(std::int64_t a, std::int64_t b, const ConvShape::Extents& e, int rank) {
  Shape shape{a, b};
  for (int i = 3 - rank; i < 3; ++i) shape.push_back(e[static_cast<std::size_t>(i)]);
  return shape;
}
Shape x_shape(const ConvShape& s) { return with_extents(s.batch, s.in, s.x, s.rank); }
Shape y_shape(const ConvShape& s) { return with_extents(s.batch, s.out, s.y, s.rank); }
Shape w_shape(const ConvShape& s) { return with_extents(s.out, s.in / s.groups, s.kernel, s.rank); }

Tensor conv(const ConvShape& s, const Tensor& x, const Tensor& w, const Tensor& bias);
Tensor conv_transpose(const ConvShape& s, const Tensor& y, const Tensor& w, const Tensor& bias);
Tensor conv_weight(const ConvShape& s, const Tensor& x, const Tensor& y);

/// f(pointers of the contiguous operands..., pointer of the result); undefined operands are null.
template <class F>
Tensor run_conv(const char* op, const Shape& shape, std::span<const Tensor> in, const F& f) {
  const DType dtype = in[0].dtype();
  const Tensor out = make_tensor(shape, checked_numel(op, shape, itemsize(dtype)), dtype);
  const Tensor a = contiguous(in[0]), b = contiguous(in[1]),
               c = in.size() == 3 ? contiguous(in[2]) : Tensor();
  const auto as = [&]<class T>(T) {
    f(a.data<T>(), b.data<T>(), c.defined() ? c.data<T>() : nullptr, static_cast<T*>(raw_data(out)));
  };
  dtype == f32 ? as(float{}) : as(double{});
  return out;
}

Tensor sum_of(const Tensor& a, const Tensor& b) { return !a.defined() ? b : !b.defined() ? a : add(a, b); }

/// One number per channel, for every position.
Tensor per_channel(const Tensor& bias, const Shape& shape) {
  Shape column{bias.numel()};
  for (int i = 2; i < shape.rank(); ++i) column.push_back(1);
  return expand(reshape(bias, column), shape);
}
Tensor sum_of_channels(const Tensor& g) {
  Axes others{0};
  for (int i = 2; i < g.dim(); ++i) others.push_back(i);
  return sum(g, others);
}

/// (B, N, ...) as (B N, ...).
Tensor merged(const Tensor& x) {
  Shape shape = x.shape();
  shape.erase(0);
  shape[0] *= x.size(0);
  return reshape(x, shape);
}
/// (B, N, C, ...) as (N, B C, ...): what vmap batches becomes groups of channels. And back.
Tensor as_groups(const Tensor& x) {
  Axes order{1, 0};
  for (int i = 2; i < x.dim(); ++i) order.push_back(i);
  Shape shape = x.shape();
  shape.erase(0);
  shape[1] *= x.size(0);
  return reshape(permute(x, order), shape);
}
Tensor from_groups(const Tensor& y, std::int64_t count) {
  Shape shape = y.shape();
  shape[1] /= count;
  shape.insert(1, count);
  Axes order{1, 0};
  for (int i = 2; i < shape.rank(); ++i) order.push_back(i);
  return permute(reshape(y, shape), order);
}
ConvShape grouped(ConvShape s, std::int64_t count) {
  s.in *= count, s.out *= count, s.groups *= count;
  return s;
}

/// f(shape, x, w, no bias) for operands of which some are batched. Samples that share w lengthen the
/// convolution's own batch; with weights of their own they are groups.
template <class F>
Tensor batched_conv(const BatchedCall& c, ConvShape s, const F& f) {
  const Tensor x = c.with_batch(0);
  Tensor y;
  if (c.batched[1]) {
    y = from_groups(f(grouped(s, c.size), as_groups(x), merged(c.x[1]), Tensor()), c.size);
  } else {
    const std::int64_t each = s.batch;
    s.batch *= c.size;
    y = f(s, merged(x), c.x[1], Tensor());
    Shape shape = y.shape();
    shape[0] = each;
    y = reshape(y, c.shaped(shape));
  }
  if (c.x.size() < 3) return y;
  Shape column = c.batched[2] ? Shape{c.size, 1, c.x[2].size(1)} : Shape{c.x[2].size(0)};
  for (int i = 0; i < s.rank; ++i) column.push_back(1);
  return add(y, reshape(c.x[2], column));
}

/// x, w [, bias] -> y
struct Conv {
  static constexpr Meta meta{
      .name = "conv",
      .reads = {X2, X1, none},
      .formula =
          "y[n, o, t] = bias[o] + sum over c, k of w[o, c, k] x[n, c, t stride + k dilation - padding]",
      .derivative =
          "dX = conv_transpose(G, W), dW = conv_weight(X, G), dBias = sum of G over all but channels",
      .conventions = "x is zero outside; without channels the bias alone"};
  ConvShape shape;

  Tensor eval(std::span<const Tensor> in) const {
    return run_conv("conv", y_shape(shape), in, [this]<class T>(const T* x, const T* w, const T* b, T* y) {
      kernels::conv<T>(shape, x, w, b, y);
    });
  }
  Tensor batch(const BatchedCall& c) const { return batched_conv(c, shape, conv); }
  void vjp(const Saved& s, const Tensor& g, Tensor* gin) const {
    if (s.needs(0)) gin[0] = conv_transpose(shape, g, s.x(1), {});
    if (s.needs(1)) gin[1] = conv_weight(shape, s.x(0), g);
    if (s.count() == 3 && s.needs(2)) gin[2] = sum_of_channels(g);
  }
  Tensor jvp(const Saved& s, const Tensor* t) const {
    Tensor out;
    if (t[0].defined()) out = conv(shape, t[0], s.x(1), {});
    if (t[1].defined()) out = sum_of(out, conv(shape, s.x(0), t[1], {}));
    if (s.count() == 3 && t[2].defined()) out = sum_of(out, per_channel(t[2], s.output_shape()));
    return out;
  }
};

/// y, w [, bias] -> x
struct ConvTranspose {
  static constexpr Meta meta{
      .name = "conv_transpose",
      .reads = {X2, X1, none},
      .formula = "sum(conv(x, w) y) = sum(conv_transpose(y, w) x) for all x; plus bias",
      .derivative = "dY = conv(G, W), dW = conv_weight(G, Y), dBias = sum of G over all but channels",
      .conventions = "without channels the bias alone"};
  ConvShape shape;

  Tensor eval(std::span<const Tensor> in) const {
    return run_conv("conv_transpose", x_shape(shape), in,
                    [this]<class T>(const T* y, const T* w, const T* b, T* x) {
                      kernels::conv_transpose<T>(shape, y, w, b, x);
                    });
  }
  Tensor batch(const BatchedCall& c) const { return batched_conv(c, shape, conv_transpose); }
  void vjp(const Saved& s, const Tensor& g, Tensor* gin) const {
    if (s.needs(0)) gin[0] = conv(shape, g, s.x(1), {});
    if (s.needs(1)) gin[1] = conv_weight(shape, g, s.x(0));
    if (s.count() == 3 && s.needs(2)) gin[2] = sum_of_channels(g);
  }
  Tensor jvp(const Saved& s, const Tensor* t) const {
    Tensor out;
    if (t[0].defined()) out = conv_transpose(shape, t[0], s.x(1), {});
    if (t[1].defined()) out = sum_of(out, conv_transpose(shape, s.x(0), t[1], {}));
    if (s.count() == 3 && t[2].defined()) out = sum_of(out, per_channel(t[2], s.output_shape()));
    return out;
  }
};

/// x, y -> w
struct ConvWeight {
  static constexpr Meta meta{.name = "conv_weight",
                             .reads = {X2, X1},
                             .formula = "sum(conv(x, w) y) = sum(conv_weight(x, y) w) for all w",
                             .derivative = "dX = conv_transpose(Y, G), dY = conv(X, G)",
                             .conventions = "an empty batch gives zeros"};
  ConvShape shape;

  Tensor eval(std::span<const Tensor> in) const {
    return run_conv(
        "conv_weight", w_shape(shape), in,
        [this]<class T>(const T* x, const T* y, const T*, T* w) { kernels::conv_weight<T>(shape, x, y, w); });
  }
  Tensor batch(const BatchedCall& c) const {
    const Tensor w =
        conv_weight(grouped(shape, c.size), as_groups(c.with_batch(0)), as_groups(c.with_batch(1)));
    return reshape(w, c.shaped(w_shape(shape)));
  }
  void vjp(const Saved& s, const Tensor& g, Tensor* gin) const {
    if (s.needs(0)) gin[0] = conv_transpose(shape, s.x(1), g, {});
    if (s.needs(1)) gin[1] = conv(shape, s.x(0), g, {});
  }
  Tensor jvp(const Saved& s, const Tensor* t) const {
    Tensor out;
    if (t[0].defined()) out = conv_weight(shape, t[0], s.x(1));
    if (t[1].defined()) out = sum_of(out, conv_weight(shape, s.x(0), t[1]));
    return out;
  }
};

Tensor conv(const ConvShape& s, const Tensor& x, const Tensor& w, const Tensor& bias) {
  const Tensor in[] = {x, w, bias};
  return apply_list(Conv{s}, std::span<const Tensor>(in, bias.defined() ? 3 : 2));
}
Tensor conv_transpose(const ConvShape& s, const Tensor& y, const Tensor& w, const Tensor& bias) {
  const Tensor in[] = {y, w, bias};
  return apply_list(ConvTranspose{s}, std::span<const Tensor>(in, bias.defined() ? 3 : 2));
}
Tensor conv_weight(const ConvShape& s, const Tensor& x, const Tensor& y) {
  const Tensor in[] = {x, y};
  return apply_list(ConvWeight{s}, std::span<const Tensor>(in, 2));
}

/// What is wrong with a call, for its message.
struct Call {
  std::string op;
  const Tensor &x, &weight, &bias;
  int rank;

  [[noreturn]] void refuse(const std::string& expected) const {
    throw ShapeError("[" + op + "] expected " + expected + ", got x " + to_string(x.shape()) +
                     " and weight " + to_string(weight.shape()) +
                     (bias.defined() ? ", bias " + to_string(bias.shape()) : ""));
  }
  void check_option(const char* what, const PerAxis& numbers, std::int64_t least) const {
    check_per_axis(op, what, numbers, rank, least);
  }
  /// Ranks, dtypes, groups and the bias of `out` channels.
  void check(std::int64_t groups, std::int64_t in, std::int64_t out) const {
    for (const Tensor* t : {&x, &weight, &bias})
      if (t->defined() && !is_floating(t->dtype()))
        throw DtypeError("[" + op + "] expected f32 or f64, got " + std::string(name(t->dtype())));
    const std::string ranks = std::to_string(rank + 1) + " or " + std::to_string(rank + 2);
    if ((x.dim() != rank + 1 && x.dim() != rank + 2) || weight.dim() != rank + 2)
      refuse("x of " + ranks + " and weight of " + std::to_string(rank + 2) + " dimensions");
    if (groups < 1) throw ValueError("[" + op + "] expected groups >= 1, got " + std::to_string(groups));
    const std::string in_groups = " in " + std::to_string(groups) + " groups";
    if (channels() != in) refuse("as many channels of x as of weight" + in_groups);
    if (weight.size(0) % groups != 0) refuse("channels that can be parted" + in_groups);
    if (bias.defined() && !(bias.shape() == Shape{out}))
      refuse("one bias for each of " + std::to_string(out) + " channels");
    for (int i = 2; i < rank + 2; ++i)
      if (weight.shape()[i] == 0) refuse("a kernel that is not empty");
  }
  std::int64_t channels() const { return x.size(-rank - 1); }
  bool batched() const { return x.dim() == rank + 2; }
};

ConvShape base_shape(const Call& call, std::int64_t groups, const PerAxis& stride, const PerAxis& dilation) {
  call.check_option("stride", stride, 1);
  call.check_option("dilation", dilation, 1);
  ConvShape s;
  s.rank = call.rank, s.groups = groups, s.batch = call.batched() ? call.x.size(0) : 1;
  for (int i = 0; i < call.rank; ++i) {
    const auto to = static_cast<std::size_t>(3 - call.rank + i);
    s.kernel[to] = call.weight.shape()[i + 2];
    s.stride[to] = at(stride, i), s.dilation[to] = at(dilation, i);
  }
  return s;
}

ConvShape conv_shape(const Call& call, const ConvOptions& o) {
  const Tensor &x = call.x, &w = call.weight;
  call.check(o.groups, w.dim() > 1 ? w.size(1) * o.groups : 0, w.dim() > 0 ? w.size(0) : 0);
  ConvShape s = base_shape(call, o.groups, o.stride, o.dilation);
  if (!o.padding.is_same()) call.check_option("padding", o.padding, 0);
  s.in = call.channels(), s.out = w.size(0);
  for (int i = 0; i < call.rank; ++i) {
    const auto to = static_cast<std::size_t>(3 - call.rank + i);
    const std::int64_t reach = s.dilation[to] * (s.kernel[to] - 1);
    if (o.padding.is_same() && s.stride[to] != 1)
      throw ValueError("[" + call.op + "] expected stride 1 with padding same, got " + to_string(o.stride));
    // An uneven number of zeros has one more at the end.
    const std::int64_t before = o.padding.is_same() ? reach / 2 : at(o.padding, i);
    const std::int64_t both = o.padding.is_same() ? reach : 2 * before;
    s.x[to] = x.size(i - call.rank), s.padding[to] = before;
    if (s.x[to] + both <= reach) call.refuse("a kernel no larger than the padded input");
    s.y[to] = (s.x[to] + both - reach - 1) / s.stride[to] + 1;
  }
  return s;
}

ConvShape conv_transpose_shape(const Call& call, const ConvTransposeOptions& o) {
  const Tensor &x = call.x, &w = call.weight;
  call.check(o.groups, w.dim() > 0 ? w.size(0) : 0, w.dim() > 1 ? w.size(1) * o.groups : 0);
  ConvShape s = base_shape(call, o.groups, o.stride, o.dilation);
  call.check_option("padding", o.padding, 0);
  call.check_option("output_padding", o.output_padding, 0);
  s.out = call.channels(), s.in = w.size(1) * o.groups;
  for (int i = 0; i < call.rank; ++i) {
    const auto to = static_cast<std::size_t>(3 - call.rank + i);
    const std::int64_t more = at(o.output_padding, i);
    if (more >= std::max(s.stride[to], s.dilation[to]))
      throw ValueError("[" + call.op + "] expected output_padding below stride or dilation, got " +
                       to_string(o.output_padding));
    s.y[to] = x.size(i - call.rank), s.padding[to] = at(o.padding, i);
    s.x[to] =
        (s.y[to] - 1) * s.stride[to] - 2 * s.padding[to] + s.dilation[to] * (s.kernel[to] - 1) + more + 1;
    if (s.y[to] < 1 || s.x[to] < 1) call.refuse("an output of at least one element");
  }
  return s;
}

/// Promotes, adds the batch dimension where it lacks, and takes it away again.
template <class F>
Tensor call_conv(const Call& call, const F& f) {
  DType dtype = promote(call.x.dtype(), call.weight.dtype());
  if (call.bias.defined()) dtype = promote(dtype, call.bias.dtype());
  const Tensor bias = call.bias.defined() ? to(call.bias, dtype) : Tensor();
  const Tensor x = to(call.batched() ? call.x : unsqueeze(call.x, 0), dtype);
  const Tensor out = f(x, to(call.weight, dtype), bias);
  return call.batched() ? out : squeeze(out, 0);
}

Tensor conv_nd(int rank, const Tensor& x, const Tensor& weight, const Tensor& bias, const ConvOptions& o) {
  const Call call{"conv" + std::to_string(rank) + "d", x, weight, bias, rank};
  const ConvShape s = conv_shape(call, o);
  return call_conv(call, [&](const Tensor& a, const Tensor& b, const Tensor& c) { return conv(s, a, b, c); });
}

Tensor conv_transpose_nd(int rank, const Tensor& x, const Tensor& weight, const Tensor& bias,
                         const ConvTransposeOptions& o) {
  const Call call{"conv_transpose" + std::to_string(rank) + "d", x, weight, bias, rank};
  const ConvShape s = conv_transpose_shape(call, o);
  return call_conv(
      call, [&](const Tensor& a, const Tensor& b, const Tensor& c) { return conv_transpose(s, a, b, c); });
}

}  // namespace
}  // namespace detail

Tensor conv1d(const Tensor& x, const Tensor& weight, const Tensor& bias, const ConvOptions& o) {
  return detail::conv_nd(1, x, weight, bias, o);
}
Tensor conv2d(const Tensor& x, const Tensor& weight, const Tensor& bias, const ConvOptions& o) {
  return detail::conv_nd(2, x, weight, bias, o);
}
Tensor conv3d(const Tensor& x, const Tensor& weight, const Tensor& bias, const ConvOptions& o) {
  return detail::conv_nd(3, x, weight, bias, o);
}
Tensor conv_transpose1d(const Tensor& x, const Tensor& weight, const Tensor& bias,
                        const ConvTransposeOptions& o) {
  return detail::conv_transpose_nd(1, x, weight, bias, o);
}
Tensor conv_transpose2d(const Tensor& x, const Tensor& weight, const Tensor& bias,
                        const ConvTransposeOptions& o) {
  return detail::conv_transpose_nd(2, x, weight, bias, o);
}
Tensor conv_transpose3d(const Tensor& x, const Tensor& weight, const Tensor& bias,
                        const ConvTransposeOptions& o) {
  return detail::conv_transpose_nd(3, x, weight, bias, o);
}

namespace detail {
namespace {

struct ConvCase {
  Shape x, w;
  ConvOptions o = {};
};
struct TransposeCase {
  Shape x, w;
  ConvTransposeOptions o = {};
};

using ConvFunction = Tensor (*)(const Tensor&, const Tensor&, const Tensor&, const ConvOptions&);
using TransposeFunction = Tensor (*)(const Tensor&, const Tensor&, const Tensor&,
                                     const ConvTransposeOptions&);

/// Every other case has a bias.
template <class F, class C>
std::vector<Case> cases_of(F f, const std::vector<C>& list) {
  std::vector<Case> cases;
  for (const auto& c : list) {
    Case made{{c.x, c.w}, [f, o = c.o](const TensorList& x) {
                return f(x[0], x[1], x.size() == 3 ? x[2] : Tensor(), o);
              }};
    if (cases.size() % 2 == 0) {
      constexpr bool transposed = std::is_same_v<C, TransposeCase>;
      made.shapes.push_back({transposed ? c.w[1] * c.o.groups : c.w[0]});
    }
    cases.push_back(made);
  }
  return cases;
}

const std::vector<ConvCase> cases_1d = {{{1, 1, 4}, {1, 1, 2}},
                                        {{2, 2, 3}, {2, 2, 2}},
                                        {{2, 5}, {2, 2, 3}},
                                        {{1, 2, 5}, {3, 2, 3}, {.padding = ConvPadding::same}},
                                        {{1, 1, 6}, {2, 1, 2}, {.padding = ConvPadding::same, .dilation = 3}},
                                        {{1, 1, 7}, {1, 1, 3}, {.stride = 2, .padding = 1}},
                                        {{2, 4, 3}, {2, 2, 1}, {.groups = 2}},
                                        {{1, 3, 4}, {3, 1, 2}, {.dilation = 2, .groups = 3}},
                                        {{0, 2, 4}, {2, 2, 3}},
                                        {{2, 0, 4}, {3, 0, 3}},
                                        {{2, 2, 4}, {0, 2, 3}},
                                        {{1, 1, 0}, {2, 1, 2}, {.padding = 2}},
                                        {{1, 1, 2}, {1, 1, 2}, {.stride = 3, .padding = 4}},
                                        {{1, 1, 70}, {1, 1, 5}, {.padding = 2}}};

const std::vector<ConvCase> cases_2d = {
    {{1, 1, 3, 4}, {2, 1, 2, 2}},
    {{2, 2, 2, 2}, {2, 2, 1, 1}},
    {{1, 3, 3}, {1, 1, 2, 3}},
    {{1, 2, 3, 3}, {1, 2, 3, 3}, {.padding = {1, 0}}},
    {{1, 1, 5, 4}, {1, 1, 2, 2}, {.stride = {2, 1}, .padding = {0, 1}, .dilation = {1, 2}}},
    {{1, 1, 4, 4}, {1, 1, 3, 2}, {.padding = ConvPadding::same}},
    {{1, 4, 2, 2}, {4, 2, 2, 1}, {.groups = 2}},
    {{2, 2, 2, 3}, {4, 1, 2, 2}, {.stride = 2, .padding = 1, .groups = 2}},
    {{0, 1, 3, 3}, {1, 1, 2, 2}},
    {{1, 3, 5, 6}, {4, 3, 3, 3}, {.stride = 2, .padding = 1}}};

const std::vector<ConvCase> cases_3d = {
    {{1, 1, 2, 2, 3}, {1, 1, 2, 1, 2}},
    {{1, 2, 2, 2}, {2, 1, 1, 2, 2}, {.padding = {0, 1, 0}}},
    {{1, 2, 2, 1, 2}, {2, 1, 2, 1, 1}, {.padding = 1, .groups = 2}},
    {{1, 1, 3, 2, 3}, {1, 1, 2, 2, 2}, {.stride = {1, 2, 2}, .padding = 1, .dilation = {2, 1, 1}}},
    {{1, 1, 2, 2, 2}, {2, 1, 2, 2, 2}, {.padding = ConvPadding::same}},
    {{0, 1, 2, 2, 2}, {1, 1, 2, 2, 2}}};

const std::vector<TransposeCase> transposes_1d = {
    {{1, 1, 4}, {1, 1, 2}},
    {{2, 2, 3}, {2, 2, 2}, {.stride = 2}},
    {{2, 4}, {2, 1, 3}, {.padding = 1}},
    {{1, 2, 3}, {2, 3, 2}, {.stride = 3, .output_padding = 2}},
    {{1, 1, 3}, {1, 2, 3}, {.padding = 2, .output_padding = 1, .dilation = 2}},
    {{1, 4, 2}, {4, 1, 2}, {.stride = 2, .padding = 1, .groups = 2}},
    {{0, 2, 4}, {2, 1, 3}},
    {{1, 0, 4}, {0, 2, 3}},
    {{1, 2, 4}, {2, 0, 3}},
    {{1, 1, 40}, {1, 1, 3}, {.stride = 2}}};

const std::vector<TransposeCase> transposes_2d = {
    {{1, 1, 3, 3}, {1, 1, 2, 2}},
    {{1, 2, 2, 2}, {2, 1, 2, 3}, {.stride = {2, 1}, .padding = {1, 0}, .output_padding = {1, 0}}},
    {{1, 2, 3}, {1, 2, 2, 2}, {.stride = 2}},
    {{2, 2, 2, 1}, {2, 1, 1, 2}, {.groups = 2, .dilation = {1, 3}}},
    {{1, 1, 2, 2}, {1, 2, 1, 1}},
    {{0, 1, 2, 2}, {1, 1, 2, 2}}};

const std::vector<TransposeCase> transposes_3d = {
    {{1, 1, 2, 2, 2}, {1, 1, 2, 1, 2}},
    {{2, 2, 1, 2}, {2, 1, 1, 2, 2}, {.stride = 2, .padding = {0, 0, 1}, .output_padding = {0, 0, 1}}},
    {{1, 2, 2, 1, 2}, {2, 1, 2, 1, 1}, {.groups = 2, .dilation = {2, 1, 1}}},
    {{0, 1, 2, 2, 2}, {1, 1, 2, 2, 2}}};

Meta named(const Meta& like, std::string_view name) {
  Meta meta = like;
  meta.name = name;
  return meta;
}

/// About n elements in images of 32 channels, 16 x 16.
std::int64_t images(std::int64_t n) { return std::max<std::int64_t>(n / (32 * 256), 1); }

OpInfo conv_row(const Meta& meta, ConvFunction f, const std::vector<ConvCase>& list, int rank) {
  return composite(case_row(meta, "convolution", cases_of(f, list), [f, rank](std::int64_t n) {
    Shape x{images(n), 32}, w{32, 32};
    const std::int64_t side = rank == 1 ? 256 : rank == 2 ? 16 : 6;
    for (int i = 0; i < rank; ++i) x.push_back(side), w.push_back(3);
    return Case{{x, w, {32}}, [f](const TensorList& in) { return f(in[0], in[1], in[2], {.padding = 1}); }};
  }));
}
OpInfo transpose_row(const Meta& meta, TransposeFunction f, const std::vector<TransposeCase>& list,
                     int rank) {
  return composite(case_row(meta, "convolution", cases_of(f, list), [f, rank](std::int64_t n) {
    Shape x{images(n), 32}, w{32, 16};
    const std::int64_t side = rank == 1 ? 256 : rank == 2 ? 16 : 6;
    for (int i = 0; i < rank; ++i) x.push_back(side), w.push_back(2);
    return Case{{x, w, {16}}, [f](const TensorList& in) { return f(in[0], in[1], in[2], {.stride = 2}); }};
  }));
}

/// x (n, 2, 5), w (2, 2, 3), y (n, 2, 3): a small form, of which the internal ops are checked by themselves.
ConvShape small_shape(std::int64_t batch) {
  ConvShape s;
  s.batch = batch, s.in = 2, s.out = 2, s.x[2] = 5, s.kernel[2] = 3, s.y[2] = 3, s.stride[2] = 2,
  s.padding[2] = 1;
  return s;
}
ConvShape large_shape(std::int64_t n) {
  ConvShape s;
  s.rank = 2, s.batch = images(n), s.in = s.out = 32, s.x = s.y = {1, 16, 16}, s.kernel = {1, 3, 3};
  s.padding = {0, 1, 1};
  return s;
}

/// The row of an op itself, beside those of the public functions that use it.
template <class F>
OpInfo internal_row(const Meta& meta, Shape (*a)(const ConvShape&), Shape (*b)(const ConvShape&), F f) {
  const auto made = [a, b, f](const ConvShape& s) {
    return Case{{a(s), b(s)}, [f, s](const TensorList& x) { return f(s, x[0], x[1]); }};
  };
  std::vector<Case> cases;
  for (std::int64_t batch : {1, 2, 1, 0}) cases.push_back(made(small_shape(batch)));
  return case_row(meta, "convolution", std::move(cases),
                  [made](std::int64_t n) { return made(large_shape(n)); });
}

}  // namespace

OpList convolution_ops() {
  using S = const ConvShape&;
  using T = const Tensor&;
  return {internal_row(Conv::meta, x_shape, w_shape, [](S s, T x, T w) { return conv(s, x, w, {}); }),
          internal_row(ConvTranspose::meta, y_shape, w_shape,
                       [](S s, T y, T w) { return conv_transpose(s, y, w, {}); }),
          internal_row(ConvWeight::meta, x_shape, y_shape, conv_weight),
          conv_row(named(Conv::meta, "conv1d"), cadena::conv1d, cases_1d, 1),
          conv_row(named(Conv::meta, "conv2d"), cadena::conv2d, cases_2d, 2),
          conv_row(named(Conv::meta, "conv3d"), cadena::conv3d, cases_3d, 3),
          transpose_row(named(ConvTranspose::meta, "conv_transpose1d"), cadena::conv_transpose1d,
                        transposes_1d, 1),
          transpose_row(named(ConvTranspose::meta, "conv_transpose2d"), cadena::conv_transpose2d,
                        transposes_2d, 2),
          transpose_row(named(ConvTranspose::meta, "conv_transpose3d"), cadena::conv_transpose3d,
                        transposes_3d, 3)};
}

}  // namespace detail
}  // namespace cadena
