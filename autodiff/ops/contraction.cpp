// Named products: matmul, mul and sum on operands of another shape. Nothing here is recorded by itself.
#include "autodiff/ops/contraction.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include "autodiff/core/elementwise_sum.hpp"
#include "autodiff/core/table.hpp"
#include "autodiff/error.hpp"
#include "autodiff/formulas/sums.hpp"
#include "autodiff/ops/arithmetic.hpp"
#include "autodiff/ops/index.hpp"
#include "autodiff/ops/movement.hpp"
#include "autodiff/ops/product.hpp"
#include "autodiff/ops/reduce.hpp"

namespace cadena {
namespace {

/// "(2, 3) and (4,)"
std::string shapes_of(const TensorList& list) {
  std::string text;
  for (std::size_t i = 0; i < list.size(); ++i)
    text += (i == 0 ? "" : i + 1 == list.size() ? " and " : ", ") + to_string(list[i].shape());
  return text;
}

void check_floating(const char* op, const TensorList& list) {
  for (const auto& x : list)
    if (!is_floating(x.dtype()))
      throw DtypeError("[" + std::string(op) + "] expected f32 or f64, got " + std::string(name(x.dtype())) +
                       " of shape " + to_string(x.shape()));
}

/// @throws ShapeError "[op] expected <what>, got <shapes>" unless `ok`
void expect(bool ok, const char* op, const char* what, const TensorList& list) {
  if (!ok) throw ShapeError("[" + std::string(op) + "] expected " + what + ", got " + shapes_of(list));
}

Tensor scaled(const Tensor& x, double factor) { return factor == 1 ? x : mul(x, factor); }

/// beta * input + alpha * product.
Tensor add_product(const char* op, const Tensor& input, const Tensor& product,
                   const AddProductOptions& options) {
  check_floating(op, {input});
  if (!(broadcast(op, input.shape(), product.shape()) == product.shape()))
    throw ShapeError("[" + std::string(op) + "] expected an input that broadcasts to " +
                     to_string(product.shape()) + ", got " + to_string(input.shape()));
  const Tensor right = scaled(product, options.alpha);
  if (options.beta == 0) return to(right, promote(input.dtype(), right.dtype()));
  return add(scaled(input, options.beta), right);
}

/// Positions of [0, rank) that are not in `axes`, followed by `axes`, or the other way round.
Axes order_of(const Axes& axes, int rank, bool axes_first) {
  Axes rest, order;
  for (int i = 0; i < rank; ++i)
    if (std::find(axes.begin(), axes.end(), i) == axes.end()) rest.push_back(i);
  for (auto part : {axes_first ? axes : rest, axes_first ? rest : axes})
    for (auto a : part) order.push_back(a);
  return order;
}

/// Normalised, in the order given; each at most once.
Axes paired_axes(const Tensor& x, const Axes& axes) {
  Axes out;
  for (auto a : axes) {
    const int axis = normalize_axis("tensordot", a, x.dim());
    if (std::find(out.begin(), out.end(), axis) != out.end())
      throw ValueError("[tensordot] expected every axis once, got " + to_string(axes));
    out.push_back(axis);
  }
  return out;
}

/// Where to cut the chain i ... j so that multiplying it out is cheapest: cut[i][j], by dynamic programming.
std::vector<std::vector<std::size_t>> best_cuts(const std::vector<double>& extents) {
  const std::size_t n = extents.size() - 1;
  std::vector<std::vector<double>> cost(n, std::vector<double>(n, 0));
  std::vector<std::vector<std::size_t>> cut(n, std::vector<std::size_t>(n, 0));
  for (std::size_t length = 1; length < n; ++length)
    for (std::size_t i = 0; i + length < n; ++i) {
      const std::size_t j = i + length;
      for (std::size_t k = i; k < j; ++k) {
        const double c = cost[i][k] + cost[k + 1][j] + extents[i] * extents[k + 1] * extents[j + 1];
        if (k == i || c < cost[i][j]) cost[i][j] = c, cut[i][j] = k;
      }
    }
  return cut;
}

Tensor multiply_chain(const TensorList& list, const std::vector<std::vector<std::size_t>>& cut, std::size_t i,
                      std::size_t j) {
  if (i == j) return list[i];
  const std::size_t k = cut[i][j];
  return matmul(multiply_chain(list, cut, i, k), multiply_chain(list, cut, k + 1, j));
}

}  // namespace

Tensor dot(const Tensor& a, const Tensor& b) {
  check_floating("dot", {a, b});
  expect(a.dim() == 1 && b.dim() == 1 && a.numel() == b.numel(), "dot", "two vectors of one length", {a, b});
  return matmul(a, b);
}

Tensor inner(const Tensor& a, const Tensor& b) {
  check_floating("inner", {a, b});
  if (a.dim() == 0 || b.dim() == 0) return mul(a, b);
  expect(a.size(-1) == b.size(-1), "inner", "last axes of one extent", {a, b});
  return tensordot(a, b, Axes{-1}, Axes{-1});
}

Tensor outer(const Tensor& a, const Tensor& b) {
  check_floating("outer", {a, b});
  expect(a.dim() == 1 && b.dim() == 1, "outer", "two vectors", {a, b});
  return mul(unsqueeze(a, 1), b);
}

Tensor vecdot(const Tensor& a, const Tensor& b, int axis) {
  check_floating("vecdot", {a, b});
  const Axes along = normalize_axis("vecdot", axis, broadcast("vecdot", a.shape(), b.shape()).rank());
  return detail::elementwise_sum(formulas::VecDot{}, along, false, a, b);
}

Tensor cross(const Tensor& a, const Tensor& b, int axis) {
  check_floating("cross", {a, b});
  const Shape shape = broadcast("cross", a.shape(), b.shape());
  const int along = normalize_axis("cross", axis, shape.rank());
  expect(shape[along] == 3, "cross", "an extent of 3 along the axis", {a, b});
  const Tensor next = tensor({1, 2, 0}), last = tensor({2, 0, 1});
  const Tensor x = expand(a, shape), y = expand(b, shape);
  return sub(mul(index_select(x, along, next), index_select(y, along, last)),
             mul(index_select(x, along, last), index_select(y, along, next)));
}

Tensor mv(const Tensor& a, const Tensor& x) {
  check_floating("mv", {a, x});
  expect(a.dim() == 2 && x.dim() == 1 && a.size(1) == x.size(0), "mv", "(m, k) and (k)", {a, x});
  return matmul(a, x);
}

Tensor mm(const Tensor& a, const Tensor& b) {
  check_floating("mm", {a, b});
  expect(a.dim() == 2 && b.dim() == 2 && a.size(1) == b.size(0), "mm", "(m, k) and (k, n)", {a, b});
  return matmul(a, b);
}

Tensor bmm(const Tensor& a, const Tensor& b) {
  check_floating("bmm", {a, b});
  expect(a.dim() == 3 && b.dim() == 3 && a.size(0) == b.size(0) && a.size(2) == b.size(1), "bmm",
         "(batch, m, k) and (batch, k, n)", {a, b});
  return matmul(a, b);
}

Tensor kron(const Tensor& a, const Tensor& b) {
  check_floating("kron", {a, b});
  const int rank = std::max(a.dim(), b.dim());
  expect(rank <= max_rank / 2, "kron", "at most 4 dimensions", {a, b});
  Shape left, right, out;
  for (int i = 0; i < rank; ++i) {
    const int ia = i - (rank - a.dim()), ib = i - (rank - b.dim());
    const std::int64_t m = ia < 0 ? 1 : a.size(ia), n = ib < 0 ? 1 : b.size(ib);
    left.push_back(m), left.push_back(1);
    right.push_back(1), right.push_back(n);
    out.push_back(m * n);
  }
  return reshape(mul(reshape(a, left), reshape(b, right)), out);
}

Tensor tensordot(const Tensor& a, const Tensor& b, int axes) {
  expect(axes >= 0 && axes <= std::min(a.dim(), b.dim()), "tensordot", "as many axes as are summed", {a, b});
  Axes of_a, of_b;
  for (int i = 0; i < axes; ++i) of_a.push_back(a.dim() - axes + i), of_b.push_back(i);
  return tensordot(a, b, of_a, of_b);
}

Tensor tensordot(const Tensor& a, const Tensor& b, const Axes& a_axes, const Axes& b_axes) {
  check_floating("tensordot", {a, b});
  if (a_axes.rank() != b_axes.rank())
    throw ValueError("[tensordot] expected as many axes of a as of b, got " + to_string(a_axes) + " and " +
                     to_string(b_axes));
  const Axes of_a = paired_axes(a, a_axes), of_b = paired_axes(b, b_axes);
  std::int64_t k = 1, m = 1, n = 1;
  for (int i = 0; i < of_a.rank(); ++i) {
    const auto extent = a.size(static_cast<int>(of_a[i]));
    expect(extent == b.size(static_cast<int>(of_b[i])), "tensordot", "equal extents along summed axes",
           {a, b});
    k *= extent;
  }
  const Axes left = order_of(of_a, a.dim(), false), right = order_of(of_b, b.dim(), true);
  Shape shape;
  for (int i = 0; i < a.dim() - of_a.rank(); ++i) {
    shape.push_back(a.size(static_cast<int>(left[i])));
    m *= shape.back();
  }
  for (int i = of_b.rank(); i < b.dim(); ++i) {
    shape.push_back(b.size(static_cast<int>(right[i])));
    n *= shape.back();
  }
  return reshape(matmul(reshape(permute(a, left), {m, k}), reshape(permute(b, right), {k, n})), shape);
}

Tensor addmm(const Tensor& input, const Tensor& a, const Tensor& b, const AddProductOptions& options) {
  check_floating("addmm", {a, b});
  expect(a.dim() == 2 && b.dim() == 2 && a.size(1) == b.size(0), "addmm", "(m, k) and (k, n)", {a, b});
  return add_product("addmm", input, matmul(a, b), options);
}

Tensor addr(const Tensor& input, const Tensor& a, const Tensor& b, const AddProductOptions& options) {
  check_floating("addr", {a, b});
  expect(a.dim() == 1 && b.dim() == 1, "addr", "vectors (m) and (n)", {a, b});
  return add_product("addr", input, outer(a, b), options);
}

Tensor addmv(const Tensor& input, const Tensor& a, const Tensor& x, const AddProductOptions& options) {
  check_floating("addmv", {a, x});
  expect(a.dim() == 2 && x.dim() == 1 && a.size(1) == x.size(0), "addmv", "(m, k) and (k)", {a, x});
  return add_product("addmv", input, matmul(a, x), options);
}

Tensor baddbmm(const Tensor& input, const Tensor& a, const Tensor& b, const AddProductOptions& options) {
  check_floating("baddbmm", {a, b});
  expect(a.dim() == 3 && b.dim() == 3 && a.size(0) == b.size(0) && a.size(2) == b.size(1), "baddbmm",
         "(batch, m, k) and (batch, k, n)", {a, b});
  return add_product("baddbmm", input, matmul(a, b), options);
}

Tensor addbmm(const Tensor& input, const Tensor& a, const Tensor& b, const AddProductOptions& options) {
  check_floating("addbmm", {a, b});
  expect(a.dim() == 3 && b.dim() == 3 && a.size(0) == b.size(0) && a.size(2) == b.size(1), "addbmm",
         "(batch, m, k) and (batch, k, n)", {a, b});
  // One product over batch and k together instead of a sum of products.
  return add_product("addbmm", input, tensordot(a, b, Axes{0, 2}, Axes{0, 1}), options);
}

Tensor multi_dot(const TensorList& matrices) {
  check_floating("multi_dot", matrices);
  expect(matrices.size() >= 2, "multi_dot", "two matrices or more", matrices);
  TensorList list = matrices;
  const bool row = list.front().dim() == 1, column = list.back().dim() == 1;
  if (row) list.front() = unsqueeze(list.front(), 0);
  if (column) list.back() = unsqueeze(list.back(), 1);
  std::vector<double> extents;
  for (std::size_t i = 0; i < list.size(); ++i) {
    expect(list[i].dim() == 2 && (i == 0 || list[i].size(0) == list[i - 1].size(1)), "multi_dot",
           "matrices whose inner extents agree", matrices);
    extents.push_back(static_cast<double>(list[i].size(0)));
  }
  extents.push_back(static_cast<double>(list.back().size(1)));
  const Tensor out = multiply_chain(list, best_cuts(extents), 0, list.size() - 1);
  if (!row && !column) return out;
  return reshape(out, row && column ? Shape{} : Shape{out.numel()});
}

namespace detail {
namespace {

OpInfo product_row(const char* name, const char* formula, std::vector<Case> cases,
                   std::function<Case(std::int64_t n)> large, const char* conventions = "") {
  return composite(case_row({.name = name, .formula = formula, .conventions = conventions}, "product",
                            std::move(cases), std::move(large)));
}

/// The same call on several shapes.
std::vector<Case> on_shapes(std::function<Tensor(const TensorList&)> call,
                            std::vector<std::vector<Shape>> shapes) {
  std::vector<Case> cases;
  for (auto& s : shapes) cases.push_back({std::move(s), call});
  return cases;
}

/// The call on two operands.
template <class F>
std::function<Tensor(const TensorList&)> of_two(F f) {
  return [f](const TensorList& x) { return f(x[0], x[1]); };
}

std::function<Case(std::int64_t)> large(std::function<Tensor(const TensorList&)> call,
                                        std::function<std::vector<Shape>(std::int64_t)> shapes) {
  return [call, shapes](std::int64_t n) { return Case{shapes(n), call}; };
}

constexpr const char* beta_convention = "beta = 0 ignores input, NaN included";

OpInfo add_row(const char* name, const char* formula,
               Tensor (*f)(const Tensor&, const Tensor&, const Tensor&, const AddProductOptions&),
               std::vector<std::vector<Shape>> shapes,
               std::function<std::vector<Shape>(std::int64_t)> large_shapes) {
  auto call = [f](const TensorList& x) { return f(x[0], x[1], x[2], {}); };
  std::vector<Case> cases = on_shapes(call, shapes);
  cases.push_back({shapes[0],
                   [f](const TensorList& x) { return f(x[0], x[1], x[2], {.beta = 0.5, .alpha = -2}); },
                   "beta 0.5 alpha -2"});
  return product_row(name, formula, std::move(cases), large(call, std::move(large_shapes)), beta_convention);
}

std::vector<Case> tensordot_cases() {
  auto by_count = [](int axes) {
    return [axes](const TensorList& x) { return tensordot(x[0], x[1], axes); };
  };
  auto by_axes = [](const Axes& a, const Axes& b) {
    return [a, b](const TensorList& x) { return tensordot(x[0], x[1], a, b); };
  };
  return {{{{2, 3, 2}, {3, 2, 2}}, by_count(2), "last two"},
          {{{2, 3}, {3}}, by_count(1), "last"},
          {{{2}, {3}}, by_count(0), "none"},
          {{{}, {2, 2}}, by_count(0), "number"},
          {{{3, 2, 4}, {2, 3, 2}}, by_axes({1, 0}, {0, 1}), "crossed"},
          {{{2, 3}, {4, 3}}, by_axes({-1}, {1}), "negative"},
          {{{2, 0}, {0, 3}}, by_count(1), "empty"}};
}

std::vector<Case> kron_cases() {
  return on_shapes(
      of_two(kron),
      {{{2, 3}, {3, 2}}, {{2}, {3}}, {{2}, {3, 2}}, {{2, 1, 2}, {1, 2, 2}}, {{}, {3}}, {{2, 0}, {2, 2}}});
}

}  // namespace

OpList contraction_ops() {
  auto vectors = [](std::int64_t n) { return std::vector<Shape>{{n / 3 * 3}, {n / 3 * 3}}; };
  auto triples = [](std::int64_t n) { return std::vector<Shape>{{n / 3, 3}, {n / 3, 3}}; };
  auto squares = [](std::int64_t n) { return std::vector<Shape>{{n / 64, 64}, {64, 64}}; };
  auto batches = [](std::int64_t n) { return std::vector<Shape>{{n / 64, 8, 8}, {n / 64, 8, 8}}; };
  auto led_by = [](const Shape& first, auto shapes) {
    return [first, shapes](std::int64_t n) {
      auto list = shapes(n);
      list.insert(list.begin(), first);
      return list;
    };
  };
  auto chain = [](const TensorList& x) { return multi_dot(x); };
  auto transposed = [](const TensorList& x) { return mm(t(x[0]), t(x[1])); };
  std::vector<Case> mm_cases = on_shapes(of_two(mm), {{{2, 3}, {3, 4}}, {{1, 1}, {1, 1}}, {{2, 0}, {0, 3}}});
  mm_cases.push_back({{{3, 2}, {4, 3}}, transposed, "transposed"});
  auto cross_first = [](const TensorList& x) { return cross(x[0], x[1], 0); };
  std::vector<Case> cross_cases =
      on_shapes(of_two([](const Tensor& a, const Tensor& b) { return cross(a, b); }),
                {{{3}, {3}}, {{2, 3}, {3}}, {{2, 1, 3}, {2, 3}}, {{0, 3}, {0, 3}}});
  cross_cases.push_back({{{3, 2}, {3, 2}}, cross_first, "axis 0"});
  auto vecdot_first = [](const TensorList& x) { return vecdot(x[0], x[1], 0); };
  std::vector<Case> vecdot_cases =
      on_shapes(of_two([](const Tensor& a, const Tensor& b) { return vecdot(a, b); }),
                {{{4}, {4}}, {{2, 3}, {3}}, {{2, 1, 3}, {2, 3}}, {{2, 0}, {2, 0}}});
  vecdot_cases.push_back({{{3, 2}, {3, 2}}, vecdot_first, "axis 0"});
  const auto last_axes = cross_cases[0].call, last_sums = vecdot_cases[0].call;
  return {
      product_row("dot", "sum(a b)",
                  on_shapes(of_two(dot), {{{5}, {5}}, {{1}, {1}}, {{0}, {0}}, {{13}, {13}}}),
                  large(of_two(dot), vectors)),
      product_row("inner", "sum of a b over the last axes",
                  on_shapes(of_two(inner),
                            {{{5}, {5}}, {{2, 3}, {3}}, {{2, 3}, {2, 2, 3}}, {{}, {2}}, {{2, 0}, {3, 0}}}),
                  large(of_two(inner), squares)),
      product_row("outer", "a[i] b[j]",
                  on_shapes(of_two(outer), {{{3}, {4}}, {{1}, {1}}, {{0}, {2}}, {{2}, {7}}}),
                  large(of_two(outer),
                        [](std::int64_t n) {
                          return std::vector<Shape>{{n / 64}, {64}};
                        })),
      case_row(formulas::VecDot::meta, "product", vecdot_cases, large(last_sums, triples)),
      product_row("cross", "a x b", cross_cases, large(last_axes, triples)),
      product_row("mv", "A x",
                  on_shapes(of_two(mv), {{{2, 3}, {3}}, {{1, 4}, {4}}, {{3, 0}, {0}}, {{0, 2}, {2}}}),
                  large(of_two(mv),
                        [](std::int64_t n) {
                          return std::vector<Shape>{{n / 64, 64}, {64}};
                        })),
      product_row("mm", "A B", mm_cases, large(of_two(mm), squares)),
      product_row(
          "bmm", "A[i] B[i]",
          on_shapes(of_two(bmm), {{{2, 2, 3}, {2, 3, 2}}, {{1, 1, 4}, {1, 4, 1}}, {{0, 2, 2}, {0, 2, 2}}}),
          large(of_two(bmm), batches)),
      product_row("kron", "blocks a[i, j] B", kron_cases(),
                  large(of_two(kron),
                        [](std::int64_t n) {
                          return std::vector<Shape>{{n / 64, 8}, {8, 1}};
                        })),
      product_row("tensordot", "sum of a b over pairs of axes", tensordot_cases(),
                  large([](const TensorList& x) { return tensordot(x[0], x[1], 1); }, squares)),
      add_row(
          "addmm", "beta input + alpha A B", addmm,
          {{{2, 4}, {2, 3}, {3, 4}}, {{4}, {2, 3}, {3, 4}}, {{}, {2, 1}, {1, 2}}, {{2, 3}, {2, 0}, {0, 3}}},
          led_by({64}, squares)),
      add_row("addr", "beta input + alpha a[i] b[j]", addr,
              {{{2, 3}, {2}, {3}}, {{3}, {2}, {3}}, {{}, {1}, {4}}, {{2, 0}, {2}, {0}}},
              [](std::int64_t n) {
                return std::vector<Shape>{{64}, {n / 64}, {64}};
              }),
      add_row("addmv", "beta input + alpha A x", addmv,
              {{{2}, {2, 3}, {3}}, {{}, {2, 3}, {3}}, {{2}, {2, 0}, {0}}},
              [](std::int64_t n) {
                return std::vector<Shape>{{n / 64}, {n / 64, 64}, {64}};
              }),
      add_row(
          "baddbmm", "beta input + alpha A[i] B[i]", baddbmm,
          {{{2, 2, 2}, {2, 2, 3}, {2, 3, 2}}, {{2}, {2, 2, 3}, {2, 3, 2}}, {{0, 2, 2}, {0, 2, 2}, {0, 2, 2}}},
          led_by({8, 8}, batches)),
      add_row("addbmm", "beta input + alpha sum of A[i] B[i]", addbmm,
              {{{2, 2}, {2, 2, 3}, {2, 3, 2}}, {{2}, {2, 2, 3}, {2, 3, 2}}, {{2, 2}, {0, 2, 2}, {0, 2, 2}}},
              led_by({8, 8}, batches)),
      product_row("multi_dot", "A B C ...",
                  on_shapes(chain, {{{2, 3}, {3, 2}},
                                    {{2, 3}, {3, 2}, {2, 4}},
                                    {{3}, {3, 2}, {2, 3}, {3}},
                                    {{3}, {3, 2}},
                                    {{2, 2}, {2, 0}, {0, 2}},
                                    {{1, 3}, {3, 1}, {1, 3}, {3, 1}, {1, 2}}}),
                  large(chain, [](std::int64_t n) {
                    return std::vector<Shape>{{n / 64, 64}, {64, 64}, {64, 1}};
                  }))};
}

}  // namespace detail
}  // namespace cadena
