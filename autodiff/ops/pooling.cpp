// Pools. A max pool that gives positions is `gather` at them, an average `resample` with ones along each
// axis and a division.
#include "autodiff/ops/pooling.hpp"

#include <cmath>
#include <string>

#include "autodiff/core/op.hpp"
#include "autodiff/core/pooling.hpp"
#include "autodiff/core/resample.hpp"
#include "autodiff/core/table.hpp"
#include "autodiff/core/tape.hpp"
#include "autodiff/core/typed.hpp"
#include "autodiff/core/windows.hpp"
#include "autodiff/error.hpp"
#include "autodiff/kernels/index.hpp"
#include "autodiff/kernels/pooling.hpp"
#include "autodiff/ops/arithmetic.hpp"
#include "autodiff/ops/choice.hpp"
#include "autodiff/ops/index.hpp"
#include "autodiff/ops/indexing.hpp"
#include "autodiff/ops/logic.hpp"
#include "autodiff/ops/movement.hpp"
#include "autodiff/ops/reduce.hpp"

namespace cadena {
namespace detail {
namespace {

using kernels::Taps;
using kernels::Windows;

/// Windows of one size along one axis, as the options give them.
struct Sliding {
  std::int64_t in, kernel, stride, padding, dilation = 1;

  std::int64_t out(bool ceil_mode) const {
    const std::int64_t room = in + 2 * padding - dilation * (kernel - 1) - 1;
    if (room < 0) return 0;
    const std::int64_t n = (room + (ceil_mode ? stride - 1 : 0)) / stride + 1;
    return ceil_mode && (n - 1) * stride >= in + padding ? n - 1 : n;
  }
  std::int64_t start(std::int64_t i) const { return i * stride - padding; }
  std::int64_t end(std::int64_t i) const { return start(i) + dilation * (kernel - 1) + 1; }
};

/// The options of all pools that slide, checked.
std::vector<Sliding> sliding(const Pool& p, const PerAxis& kernel, const PerAxis& stride,
                             const PerAxis& padding, const PerAxis& dilation, bool ceil_mode) {
  p.check("kernel_size", kernel, 1);
  if (!stride.empty()) p.check("stride", stride, 1);
  p.check("padding", padding, 0);
  p.check("dilation", dilation, 1);
  std::vector<Sliding> list;
  for (int i = 0; i < p.rank; ++i) {
    list.push_back({p.extent(i), at(kernel, i), at(stride.empty() ? kernel : stride, i), at(padding, i),
                    at(dilation, i)});
    if (2 * list.back().padding > list.back().kernel)
      throw ValueError("[" + p.op + "] expected padding of at most half of kernel_size " + to_string(kernel) +
                       ", got " + to_string(padding));
    if (list.back().out(ceil_mode) < 1)
      p.refuse("a kernel no larger than the padded input " + to_string(kernel));
  }
  return list;
}

using AllWindows = std::array<Windows, 3>;  // fewer dimensions stand last

AllWindows max_windows(const Pool& p, const PerAxis& kernel, const MaxPoolOptions& o) {
  AllWindows all;
  const auto axes = sliding(p, kernel, o.stride, o.padding, o.dilation, o.ceil_mode);
  for (std::size_t d = 0; d < axes.size(); ++d) {
    const Sliding& s = axes[d];
    Windows w{s.in, s.dilation, {}, {}};
    for (std::int64_t i = 0; i < s.out(o.ceil_mode); ++i) {
      std::int64_t first = s.start(i);
      if (first < 0) first += (-first + s.dilation - 1) / s.dilation * s.dilation;
      const std::int64_t count = (std::min(s.end(i), s.in) - first + s.dilation - 1) / s.dilation;
      if (first >= s.in || count < 1) p.refuse("windows that each reach an element");
      w.first.push_back(first);
      w.count.push_back(count);
    }
    all[3 - axes.size() + d] = std::move(w);
  }
  return all;
}

/// [first, end) of adaptive window i of `out`.
std::pair<std::int64_t, std::int64_t> share(std::int64_t i, std::int64_t in, std::int64_t out) {
  return {i * in / out, ((i + 1) * in + out - 1) / out};
}
std::int64_t adaptive_extent(const Pool& p, const PerAxis& output_size, int i) {
  return at(output_size, i) == -1 ? p.extent(i) : at(output_size, i);
}

AllWindows adaptive_windows(const Pool& p, const PerAxis& output_size) {
  p.check("output_size", output_size, -1);
  AllWindows all;
  for (int d = 0; d < p.rank; ++d) {
    Windows w{p.extent(d), 1, {}, {}};
    const std::int64_t out = adaptive_extent(p, output_size, d);
    for (std::int64_t i = 0; i < out; ++i) {
      const auto [first, end] = share(i, w.in, out);
      w.first.push_back(first);
      w.count.push_back(end - first);
    }
    all[static_cast<std::size_t>(3 - p.rank + d)] = std::move(w);
  }
  return all;
}

ValuesIndices max_over(const Pool& p, const AllWindows& w) {
  std::array<std::int64_t, 3> extents{};
  for (int i = 0; i < p.rank; ++i)
    extents[static_cast<std::size_t>(i)] = w[static_cast<std::size_t>(3 - p.rank + i)].out();
  return picked(p, extents, [w](const auto* x, std::int64_t planes, std::int64_t* to) {
    kernels::max_positions(w, planes, x, to);
  });
}

/// Without positions for the caller: values in one pass, gradients in another.
struct MaxPool : Fused<MaxPool> {
  static constexpr Meta meta{.name = "max_pool",
                             .reads = {X1},
                             .domain = {all_different},
                             .formula = "the largest element of each window",
                             .derivative = "dX = sum of G over the windows whose largest it is",
                             .conventions = "the first of equals gets the gradient; NaN counts as largest"};
  int rank;
  AllWindows windows;

  MaxPool(int r, AllWindows w) : rank(r), windows(std::move(w)) {}
  Tensor reference(const TensorList& x) const {
    return max_over(Pool("max_pool", rank, x[0]), windows).values;
  }
  Tensor eval(const Tensor& x0) const {
    const Tensor x = contiguous(x0);
    Shape shape = x.shape();
    for (int i = 0; i < rank; ++i)
      shape[x.dim() - rank + i] = windows[static_cast<std::size_t>(3 - rank + i)].out();
    const Tensor y = fresh(shape, x.dtype());
    in_type(x.dtype(),
            [&]<class T>(T) { kernels::max_values<T>(windows, planes(x), x.data<T>(), written<T>(y)); });
    return y;
  }
  void vjp_fast(const Saved& s, const Tensor& g0, Tensor* gin) const {
    const Tensor x = contiguous(s.x(0)), g = contiguous(g0);
    gin[0] = fresh(x.shape(), x.dtype());
    in_type(x.dtype(), [&]<class T>(T) {
      kernels::max_gradient<T>(windows, planes(x), x.data<T>(), g.data<T>(), written<T>(gin[0]));
    });
  }

 private:
  std::int64_t planes(const Tensor& x) const {
    return x.numel() / (windows[0].in * windows[1].in * windows[2].in);
  }
};

ValuesIndices max_pool(int rank, const Tensor& x, const PerAxis& kernel, const MaxPoolOptions& o) {
  const Pool p("max_pool", rank, x, "_with_indices");
  return max_over(p, max_windows(p, kernel, o));
}
/// Looking for the maxima again costs less than keeping positions where windows are small.
Tensor values_over(const Pool& p, AllWindows w) {
  if (w[0].longest() * w[1].longest() * w[2].longest() > 32) return max_over(p, w).values;
  return apply(MaxPool(p.rank, std::move(w)), p.x);
}
Tensor max_pool_values(int rank, const Tensor& x, const PerAxis& kernel, const MaxPoolOptions& o) {
  const Pool p("max_pool", rank, x);
  return values_over(p, max_windows(p, kernel, o));
}
ValuesIndices adaptive_max_pool(int rank, const Tensor& x, const PerAxis& output_size) {
  const Pool p("adaptive_max_pool", rank, x, "_with_indices");
  return max_over(p, adaptive_windows(p, output_size));
}
Tensor adaptive_max_pool_values(int rank, const Tensor& x, const PerAxis& output_size) {
  const Pool p("adaptive_max_pool", rank, x);
  return values_over(p, adaptive_windows(p, output_size));
}

Tensor max_unpool(int rank, const Tensor& x, const Tensor& indices, const PerAxis& kernel,
                  const MaxUnpoolOptions& o) {
  const Pool p("max_unpool", rank, x);
  p.check("kernel_size", kernel, 1);
  if (!o.stride.empty()) p.check("stride", o.stride, 1);
  p.check("padding", o.padding, 0);
  if (!o.output_size.empty()) p.check("output_size", o.output_size, 1);
  if (indices.dtype() != i64)
    throw DtypeError("[" + p.op + "] expected i64 indices, got " + std::string(name(indices.dtype())));
  if (!(indices.shape() == x.shape())) p.refuse("indices of x's shape, not " + to_string(indices.shape()));
  std::array<std::int64_t, 3> extents{};
  std::int64_t out = 1, in = 1;
  for (int i = 0; i < rank; ++i) {
    auto& extent = extents[static_cast<std::size_t>(i)];
    const std::int64_t stride = at(o.stride.empty() ? kernel : o.stride, i);
    const std::int64_t usual = (p.extent(i) - 1) * stride - 2 * at(o.padding, i) + at(kernel, i);
    extent = o.output_size.empty() ? usual : at(o.output_size, i);
    if (extent < 1 || extent <= usual - stride || extent >= usual + stride)
      p.refuse("output extents within a stride of " + std::to_string(usual) + ", not " +
               std::to_string(extent));
    out *= extent, in *= p.extent(i);
  }
  const Shape shape = p.with(extents);
  checked_numel(p.op.c_str(), shape, itemsize(x.dtype()));
  const Shape flat{p.planes(), in};
  const Tensor at_positions = contiguous(reshape(indices, flat));
  const Tensor keep = repeatable(p.op, [=, op = p.op] {
    if (auto bad = kernels::find_bad_index(view_of(indices), out))
      throw IndexError("[" + op + "] expected indices in [0, " + std::to_string(out) + "), got " +
                       std::to_string(*bad));
    const Tensor last = make_tensor(flat, flat.numel(), boolean);
    kernels::last_of_equals(flat[0], in, out, at_positions.data<std::int64_t>(),
                            static_cast<bool*>(raw_data(last)));
    return last;
  });
  return reshape(
      scatter_add(zeros({p.planes(), out}, x.dtype()), 1, at_positions, where(keep, reshape(x, flat), 0)),
      shape);
}

/// Sums over windows, axis by axis, and what each of them is divided by.
struct Averages {
  Tensor sums;
  std::array<std::vector<double>, 3> counts;  ///< along each axis; the product of three is the divisor

  void add_axis(int axis, std::size_t d, const Taps& taps, std::vector<double> count) {
    sums = resample(sums, axis, taps);
    counts[d] = std::move(count);
  }
  bool even() const {
    for (const auto& c : counts)
      for (double n : c)
        if (n != c[0]) return false;
    return true;
  }
  Tensor divided(int rank) const {
    double all = 1;
    for (const auto& c : counts) all *= c.empty() ? 1 : c[0];
    return div(sums, even() ? full({}, all, sums.dtype()) : divisors(rank));
  }

 private:
  Tensor divisors(int rank) const {
    NoGrad guard;
    Tensor product = ones({}, sums.dtype());
    for (int i = 0; i < rank; ++i) {
      const auto& c = counts[static_cast<std::size_t>(i)];
      Shape column{static_cast<std::int64_t>(c.size())};
      for (int k = i + 1; k < rank; ++k) column.push_back(1);
      product = mul(product, reshape(to(tensor(c), sums.dtype()), column));
    }
    return product;
  }
};

std::vector<double> unit_weights(std::int64_t n) {
  return std::vector<double>(static_cast<std::size_t>(n), 1);
}

Tensor avg_over(const Pool& p, const PerAxis& kernel, const AvgPoolOptions& o) {
  const auto axes = sliding(p, kernel, o.stride, o.padding, 1, o.ceil_mode);
  if (o.divisor_override && *o.divisor_override == 0)
    throw ValueError("[" + p.op + "] expected divisor_override other than 0, got 0");
  Averages a{p.x, {}};
  for (std::size_t d = 0; d < axes.size(); ++d) {
    const Sliding& s = axes[d];
    Taps taps(s.in);
    std::vector<double> counts;
    for (std::int64_t i = 0; i < s.out(o.ceil_mode); ++i) {
      const std::int64_t first = std::max<std::int64_t>(0, s.start(i)), end = std::min(s.end(i), s.in);
      taps.push_back(first, unit_weights(end - first));
      const std::int64_t padded = std::min(s.end(i), s.in + s.padding) - s.start(i);
      counts.push_back(static_cast<double>(o.count_include_pad ? padded : end - first));
    }
    a.add_axis(p.lead() + static_cast<int>(d), d, taps, std::move(counts));
  }
  return o.divisor_override ? div(a.sums, *o.divisor_override) : a.divided(p.rank);
}

Tensor avg_pool(int rank, const Tensor& x, const PerAxis& kernel, const AvgPoolOptions& o) {
  return avg_over(Pool("avg_pool", rank, x), kernel, o);
}

Tensor adaptive_avg_pool(int rank, const Tensor& x, const PerAxis& output_size) {
  const Pool p("adaptive_avg_pool", rank, x);
  p.check("output_size", output_size, -1);
  Axes whole;  // those that become one mean each
  for (int d = 0; d < rank; ++d)
    if (adaptive_extent(p, output_size, d) == 1 && p.extent(d) > 0) whole.push_back(p.lead() + d);
  if (whole.rank() == rank) return mean(contiguous(x), whole, true);
  Averages a{x, {}};
  for (int d = 0; d < rank; ++d) {
    Taps taps(p.extent(d));
    std::vector<double> counts;
    const std::int64_t out = adaptive_extent(p, output_size, d);
    for (std::int64_t i = 0; i < out; ++i) {
      const auto [first, end] = share(i, taps.in, out);
      taps.push_back(first, unit_weights(end - first));
      counts.push_back(static_cast<double>(end - first));
    }
    a.add_axis(p.lead() + d, static_cast<std::size_t>(d), taps, std::move(counts));
  }
  return a.divided(rank);
}

Tensor lp_pool(int rank, const Tensor& x, double norm_type, const PerAxis& kernel, const LpPoolOptions& o) {
  const Pool p("lp_pool", rank, x);
  if (!(norm_type > 0 && std::isfinite(norm_type)))
    throw ValueError("[" + p.op + "] expected 0 < norm_type < inf, got " + std::to_string(norm_type));
  const Tensor powers = pow(x, norm_type);
  const Tensor means =
      avg_over(Pool("lp_pool", rank, powers), kernel, {.stride = o.stride, .ceil_mode = o.ceil_mode});
  std::int64_t size = 1;
  for (int i = 0; i < rank; ++i) size *= at(kernel, i);
  // The root has no derivative at 0.
  const Tensor sums = mul(means, size), none = eq(sums, 0);
  return where(none, 0, pow(where(none, 1, sums), 1 / norm_type));
}

}  // namespace
}  // namespace detail

#define CADENA_POOLS(R)                                                                             \
  Tensor max_pool##R##d(const Tensor& x, const PerAxis& kernel_size, const MaxPoolOptions& o) {     \
    return detail::max_pool_values(R, x, kernel_size, o);                                           \
  }                                                                                                 \
  ValuesIndices max_pool##R##d_with_indices(const Tensor& x, const PerAxis& kernel_size,            \
                                            const MaxPoolOptions& o) {                              \
    return detail::max_pool(R, x, kernel_size, o);                                                  \
  }                                                                                                 \
  Tensor max_unpool##R##d(const Tensor& x, const Tensor& indices, const PerAxis& kernel_size,       \
                          const MaxUnpoolOptions& o) {                                              \
    return detail::max_unpool(R, x, indices, kernel_size, o);                                       \
  }                                                                                                 \
  Tensor avg_pool##R##d(const Tensor& x, const PerAxis& kernel_size, const AvgPoolOptions& o) {     \
    return detail::avg_pool(R, x, kernel_size, o);                                                  \
  }                                                                                                 \
  Tensor adaptive_avg_pool##R##d(const Tensor& x, const PerAxis& output_size) {                     \
    return detail::adaptive_avg_pool(R, x, output_size);                                            \
  }                                                                                                 \
  Tensor adaptive_max_pool##R##d(const Tensor& x, const PerAxis& output_size) {                     \
    return detail::adaptive_max_pool_values(R, x, output_size);                                     \
  }                                                                                                 \
  ValuesIndices adaptive_max_pool##R##d_with_indices(const Tensor& x, const PerAxis& output_size) { \
    return detail::adaptive_max_pool(R, x, output_size);                                            \
  }                                                                                                 \
  Tensor lp_pool##R##d(const Tensor& x, double norm_type, const PerAxis& kernel_size,               \
                       const LpPoolOptions& o) {                                                    \
    return detail::lp_pool(R, x, norm_type, kernel_size, o);                                        \
  }
CADENA_POOLS(1)
CADENA_POOLS(2)
CADENA_POOLS(3)
#undef CADENA_POOLS

namespace detail {
namespace {

using Call = std::function<Tensor(const TensorList&)>;

/// A row of inputs with and without batch, and an empty batch, under each call; and the last call at large.
OpInfo pool_row(int rank, const Meta& meta, const std::vector<Call>& calls) {
  std::vector<Shape> shapes = {{1, 2, 5}, {2, 7}, {1, 1, 4}, {0, 1, 4}, {1, 19}};
  if (rank == 2) shapes = {{1, 2, 4, 3}, {1, 5, 4}, {2, 1, 3, 3}, {0, 1, 3, 3}};
  if (rank == 3) shapes = {{1, 1, 3, 3, 2}, {2, 2, 3, 2}, {0, 1, 3, 3, 3}};
  std::vector<Case> cases;
  for (const auto& shape : shapes)
    for (const auto& call : calls) cases.push_back({{shape}, call});
  return composite(case_row(meta, "pooling", std::move(cases), [rank, call = calls.back()](std::int64_t n) {
    Shape shape{std::max<std::int64_t>(1, n / 2048), 8};
    for (int i = 0; i < rank; ++i) shape.push_back(rank == 1 ? 256 : rank == 2 ? 16 : 6);
    return Case{{shape}, call};
  }));
}

template <class F, class O>
std::vector<Call> calls_of(const F& f, const std::vector<std::pair<PerAxis, O>>& options) {
  std::vector<Call> calls;
  for (const auto& [kernel, o] : options)
    calls.push_back([f, kernel = kernel, o = o](const TensorList& x) { return f(x[0], kernel, o); });
  return calls;
}

const std::vector<std::pair<PerAxis, MaxPoolOptions>> max_options = {
    {2, {}},
    {3, {.stride = 1, .padding = 1}},
    {2, {.stride = 2, .padding = 1, .ceil_mode = true}},
    {1, {.stride = 2}},
    {2, {.padding = 1, .dilation = 2, .ceil_mode = true}},
    {2, {.stride = 2, .padding = 1}}};
const std::vector<std::pair<PerAxis, AvgPoolOptions>> avg_options = {
    {2, {}},
    {3, {.stride = 1, .padding = 1}},
    {3, {.stride = 2, .padding = 1, .count_include_pad = false}},
    {2, {.stride = 2, .padding = 1, .ceil_mode = true}},
    {2, {.stride = 1, .divisor_override = -3}},
    {2, {.stride = 2, .padding = 1, .ceil_mode = true, .count_include_pad = false}}};
const std::vector<std::pair<PerAxis, LpPoolOptions>> lp_options = {
    {2, {}}, {2, {.ceil_mode = true}}, {2, {.stride = 1}}};

/// Maxima at their positions, back to where they came from.
Tensor unpooled(int rank, const Tensor& x, const PerAxis& kernel, const MaxPoolOptions& o) {
  const auto [values, indices] = max_pool(rank, x, kernel, o);
  PerAxis extents;
  for (int i = 0; i < rank; ++i) extents.push_back(x.size(i - rank));
  return max_unpool(rank, values, indices, kernel,
                    {.stride = o.stride, .padding = o.padding, .output_size = extents});
}

void add_rows(OpList& rows, int rank) {
  Meta meta{.name = pool_name("max_pool", rank),
            .domain = {all_different},
            .formula = "the largest element of each window",
            .conventions = "the first of equals gets the gradient; NaN counts as largest"};
  const auto max = [rank](const Tensor& x, const PerAxis& k, const auto& o) {
    return max_pool_values(rank, x, k, o);
  };
  const auto max_with_indices = [rank](const Tensor& x, const PerAxis& k, const auto& o) {
    return max_pool(rank, x, k, o).values;
  };
  const auto add = [&](std::string_view name, const std::vector<Call>& calls) {
    meta.name = name;
    rows.push_back(pool_row(rank, meta, calls));
  };
  add(pool_name("max_pool", rank), calls_of(max, max_options));
  add(pool_name("max_pool", rank, "_with_indices"), calls_of(max_with_indices, max_options));
  const auto adaptive_max = [rank](const Tensor& x, const PerAxis& size, int) {
    return adaptive_max_pool_values(rank, x, size);
  };
  const auto adaptive_with_indices = [rank](const Tensor& x, const PerAxis& size, int) {
    return adaptive_max_pool(rank, x, size).values;
  };
  const std::vector<std::pair<PerAxis, int>> sizes = {{1, 0}, {2, 0}, {5, 0}, {-1, 0}, {3, 0}};
  add(pool_name("adaptive_max_pool", rank), calls_of(adaptive_max, sizes));
  add(pool_name("adaptive_max_pool", rank, "_with_indices"), calls_of(adaptive_with_indices, sizes));
  meta.formula = "y[indices[i]] = x[i], zeros elsewhere", meta.conventions = "the last of equal indices wins";
  const auto unpool = [rank](const Tensor& x, const PerAxis& k, const auto& o) {
    return unpooled(rank, x, k, o);
  };
  add(pool_name("max_unpool", rank),
      calls_of<decltype(unpool), MaxPoolOptions>(
          unpool, {{2, {}}, {3, {.stride = 2, .padding = 1}}, {3, {.stride = 1, .padding = 1}}}));

  meta.domain = {real}, meta.formula = "the mean of each window", meta.conventions = {};
  add(pool_name("avg_pool", rank),
      calls_of([rank](const Tensor& x, const PerAxis& k, const auto& o) { return avg_pool(rank, x, k, o); },
               avg_options));
  add(pool_name("adaptive_avg_pool", rank),
      calls_of([rank](const Tensor& x, const PerAxis& size, int) { return adaptive_avg_pool(rank, x, size); },
               sizes));
  // Over one element it is abs(x), whose second derivative is a difference of two terms
  // (p - 1) / x: not near 0.
  meta.domain = {Domain{.low = 1, .high = 2.5}}, meta.formula = "sum(x^p)^(1/p) over each window",
  meta.conventions = "derivative 0 where the sum is 0";
  add(pool_name("lp_pool", rank), calls_of([rank](const Tensor& x, const PerAxis& k,
                                                  const auto& o) { return lp_pool(rank, x, 1.5, k, o); },
                                           lp_options));
}

/// The op beneath the max pools without positions.
OpInfo max_pool_op_row() {
  const auto made = [](const Shape& shape) {
    return Case{{shape}, [](const TensorList& x) { return max_pool_values(2, x[0], 2, {.stride = {1, 2}}); }};
  };
  return case_row(MaxPool::meta, "pooling", {made({1, 2, 4, 3}), made({1, 5, 4}), made({0, 1, 3, 3})},
                  [made](std::int64_t n) {
                    return made({std::max<std::int64_t>(1, n / 2048), 8, 16, 16});
                  });
}

}  // namespace

OpList pooling_ops() {
  OpList rows{max_pool_op_row()};
  for (int rank : {1, 2, 3}) add_rows(rows, rank);
  return rows;
}

}  // namespace detail
}  // namespace cadena
