// Max pools whose windows lie by chance; the samples that place them are data.
#include <algorithm>
#include <array>
#include <cmath>
#include <string>

#include "autodiff/core/op.hpp"
#include "autodiff/core/pooling.hpp"
#include "autodiff/core/table.hpp"
#include "autodiff/kernels/pooling.hpp"
#include "autodiff/ops/pooling.hpp"

namespace cadena {
namespace detail {
namespace {

using Extents = std::array<std::int64_t, 3>;

void check_ratios(const Pool& p, const std::vector<double>& ratios) {
  const bool fits = ratios.size() == 1 || static_cast<int>(ratios.size()) == p.rank;
  std::string got;
  for (double r : ratios) got += (got.empty() ? "" : ", ") + std::to_string(r);
  if (!fits || std::any_of(ratios.begin(), ratios.end(), [](double r) { return !(r > 0 && r < 1); }))
    throw ValueError("[" + p.op + "] expected output_ratio of 1 or " + std::to_string(p.rank) +
                     " numbers between 0 and 1, got " + got);
}

/// What the options say of the result's extents.
Extents extents_of(const Pool& p, const PerAxis& kernel, const FractionalMaxPoolOptions& o) {
  if (o.output_size.empty() == o.output_ratio.empty())
    throw ValueError("[" + p.op + "] expected one of output_size and output_ratio, got " +
                     (o.output_size.empty() ? "neither" : "both"));
  p.check("kernel_size", kernel, 1);
  if (o.output_size.empty())
    check_ratios(p, o.output_ratio);
  else
    p.check("output_size", o.output_size, 1);
  Extents out{};
  for (int i = 0; i < p.rank; ++i) {
    const auto k = static_cast<std::size_t>(i);
    out[k] = o.output_size.empty()
                 ? static_cast<std::int64_t>(static_cast<double>(p.extent(i)) *
                                             o.output_ratio[o.output_ratio.size() == 1 ? 0 : k])
                 : at(o.output_size, i);
    if (out[k] < 1 || out[k] > p.extent(i) - at(kernel, i) + 1)
      p.refuse("output extents from 1 to extent - kernel_size + 1, not " + std::to_string(out[k]));
  }
  return out;
}

/// The samples as contiguous f64 (planes, rank), given or drawn.
Tensor samples_of(const Pool& p, const FractionalMaxPoolOptions& o) {
  const bool batched = p.lead() == 2;
  const Shape shape{batched ? p.x.size(0) : 1, p.x.size(batched ? 1 : 0), p.rank};
  if (!o.random_samples.defined()) {
    NoGrad guard;
    return rand(shape, o.generator ? *o.generator : default_generator(), f64);
  }
  if (!(o.random_samples.shape() == shape))
    p.refuse("random_samples " + to_string(shape) + ", not " + to_string(o.random_samples.shape()));
  const Tensor samples = contiguous(to(o.random_samples.detach(), f64));
  const double* u = samples.data<double>();
  const auto bad = std::find_if(u, u + samples.numel(), [](double v) { return !(v >= 0 && v < 1); });
  if (bad != u + samples.numel())
    throw ValueError("[" + p.op + "] expected random_samples in [0, 1), got " + std::to_string(*bad));
  return samples;
}

ValuesIndices fractional_max_pool(int rank, const Tensor& x, const PerAxis& kernel,
                                  const FractionalMaxPoolOptions& o, const char* tail = "") {
  const Pool p("fractional_max_pool", rank, x, tail);
  const Extents out = extents_of(p, kernel, o);
  std::array<kernels::FractionalAxis, 3> axes;
  for (int i = 0; i < rank; ++i)
    // PyTorch's order of the samples: x before y in two dimensions, z, y, x in three.
    axes[static_cast<std::size_t>(3 - rank + i)] = {p.extent(i), at(kernel, i),
                                                    out[static_cast<std::size_t>(i)], rank == 2 ? 1 - i : i};
  const Tensor samples = samples_of(p, o);
  return picked(p, out, [=, all = p.planes()](const auto* data, std::int64_t planes, std::int64_t* to) {
    kernels::fractional_max_positions(axes, planes, data, {samples.data<double>(), all, rank}, to);
  });
}

}  // namespace
}  // namespace detail

#define CADENA_POOLS(R)                                                                             \
  Tensor fractional_max_pool##R##d(const Tensor& x, const PerAxis& kernel_size,                     \
                                   const FractionalMaxPoolOptions& o) {                             \
    return detail::fractional_max_pool(R, x, kernel_size, o).values;                                \
  }                                                                                                 \
  ValuesIndices fractional_max_pool##R##d_with_indices(const Tensor& x, const PerAxis& kernel_size, \
                                                       const FractionalMaxPoolOptions& o) {         \
    return detail::fractional_max_pool(R, x, kernel_size, o, "_with_indices");                      \
  }
CADENA_POOLS(2)
CADENA_POOLS(3)
#undef CADENA_POOLS

namespace detail {
namespace {

OpInfo fractional_row(int rank, const char* tail, std::vector<Shape> shapes) {
  const Meta meta{.name = pool_name("fractional_max_pool", rank, tail),
                  .domain = {all_different},
                  .formula = "the largest element of each window, whose steps vary by chance",
                  .conventions = "the first of equals gets the gradient; NaN counts as largest"};
  const std::vector<std::pair<PerAxis, FractionalMaxPoolOptions>> options = {
      {2, {.output_size = 2}}, {1, {.output_ratio = {0.7}}}, {2, {.output_size = 1}}};
  std::vector<Case> cases;
  const auto call_of = [rank](const PerAxis& kernel, const FractionalMaxPoolOptions& o) {
    return [=](const TensorList& x) {
      Generator g(31);
      FractionalMaxPoolOptions drawn = o;
      drawn.generator = &g;
      return fractional_max_pool(rank, x[0], kernel, drawn).values;
    };
  };
  for (const auto& shape : shapes)
    for (const auto& [kernel, o] : options) cases.push_back({{shape}, call_of(kernel, o)});
  return composite(case_row(meta, "pooling", std::move(cases), [=](std::int64_t n) {
    Shape shape{std::max<std::int64_t>(1, n / 2048), 8};
    for (int i = 0; i < rank; ++i) shape.push_back(rank == 2 ? 16 : 6);
    return Case{{shape}, call_of(2, {.output_ratio = {0.7}})};
  }));
}

}  // namespace

OpList fractional_pooling_ops() {
  OpList rows;
  for (const char* tail : {"", "_with_indices"}) {
    rows.push_back(fractional_row(2, tail, {{1, 2, 4, 3}, {2, 5, 4}, {2, 1, 3, 3}, {0, 1, 3, 3}}));
    rows.push_back(fractional_row(3, tail, {{1, 1, 3, 4, 3}, {2, 3, 3, 3}, {0, 1, 3, 3, 3}}));
  }
  return rows;
}

}  // namespace detail
}  // namespace cadena
