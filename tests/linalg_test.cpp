// Linear algebra: values by reconstruction and against known matrices, singular points, batches and empties.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "autodiff/autodiff.hpp"
#include "autodiff/gradcheck.hpp"

namespace cadena {
namespace {

using Values = std::vector<double>;

constexpr double nan = std::numeric_limits<double>::quiet_NaN(),
                 inf = std::numeric_limits<double>::infinity();

Values values(const Tensor& t) { return t.to_vector<double>(); }
Tensor mt(const Tensor& x) { return transpose(x, -2, -1); }
double epsilon(DType t) {
  return t == f32 ? double{std::numeric_limits<float>::epsilon()} : std::numeric_limits<double>::epsilon();
}

/// Largest difference.
double apart(const Tensor& a, const Tensor& b) {
  EXPECT_EQ(a.shape(), b.shape());
  double top = 0;
  const Values x = values(a), y = values(b);
  for (std::size_t i = 0; i < std::min(x.size(), y.size()); ++i)
    top = std::isnan(x[i] - y[i]) ? inf : std::max(top, std::abs(x[i] - y[i]));
  return top;
}

/// a = b to `digits` roundings of the largest element.
void expect_near(const Tensor& a, const Tensor& b, double roundings, const char* what) {
  const double size = b.numel() ? std::max(max(abs(b)).item(), 1.0) : 1.0;
  EXPECT_LE(apart(a, b), roundings * epsilon(a.dtype()) * size) << what << " " << to_string(a.shape());
}

Tensor random(const Shape& shape, DType dtype, std::uint64_t seed = 1) {
  Generator g(seed);
  return randn(shape, g, f64).to(dtype);
}
Tensor positive_definite(const Shape& shape, DType dtype) {
  const Tensor x = random(shape, dtype);
  return matmul(x, mt(x)) + eye(shape.back(), dtype);
}

/// 1 / (i + j + 1)
Tensor hilbert(std::int64_t n, DType dtype) {
  const Tensor i = arange(0, n, 1, dtype);
  return 1 / (i.unsqueeze(1) + i + 1);
}
double binomial(std::int64_t n, std::int64_t k) {
  double b = 1;
  for (std::int64_t i = 1; i <= k; ++i) b = b * static_cast<double>(n - k + i) / static_cast<double>(i);
  return b;
}
/// C(i + j, i): its Cholesky factor is C(i, j), its determinant 1.
Tensor pascal(std::int64_t n) {
  Values v;
  for (std::int64_t i = 0; i < n; ++i)
    for (std::int64_t j = 0; j < n; ++j) v.push_back(binomial(i + j, i));
  return tensor(v, {n, n});
}

class Linalg : public testing::TestWithParam<DType> {};

// Sizes on both sides of the blocks of the kernels, and batches.
const Shape squares[] = {{0, 0},   {1, 1},       {3, 3},    {31, 31},   {33, 33},
                         {70, 70}, {2, 3, 4, 4}, {0, 3, 3}, {200, 5, 5}};
const Shape oblongs[] = {{3, 5},       {5, 3},    {40, 7}, {7, 40}, {65, 33}, {33, 65},
                         {2, 3, 6, 2}, {4, 2, 6}, {0, 4},  {4, 0},  {1, 9}};

TEST_P(Linalg, CholeskyReconstructs) {
  for (const Shape& shape : squares) {
    const Tensor a = positive_definite(shape, GetParam()), l = cholesky(a);
    const double n = static_cast<double>(shape.back()) + 1;
    expect_near(matmul(l, mt(l)), a, 4 * n, "L L^T");
    EXPECT_TRUE(equal(cholesky(a, {.upper = true}), mt(l)));
    const Tensor b = random({shape.back(), 2}, GetParam(), 2);
    expect_near(matmul(a, cholesky_solve(b, l)), b.expand(matmul(a, b).shape()), 300 * n * n,
                "cholesky_solve");
  }
}

TEST_P(Linalg, CholeskyReadsTheLowerTriangle) {
  Tensor a = positive_definite({4, 4}, GetParam());
  const Tensor l = cholesky(a);
  a.index({0, 3}).fill_(nan);
  EXPECT_TRUE(equal(cholesky(a), l));
  EXPECT_EQ(l.index({0, 3}).item(), 0);
}

TEST_P(Linalg, SolutionsSolve) {
  for (const Shape& shape : squares) {
    const std::int64_t n = shape.back();
    const Tensor one = eye(n, GetParam()), b = random({n, 3}, GetParam(), 2);
    const Tensor a = random(shape, GetParam()) + 3 * std::sqrt(static_cast<double>(n) + 1) * one;
    const double tolerance = 100 * static_cast<double>(n + 1);
    const Tensor x = solve(a, b), y = solve(a, mt(b), {.left = false});
    expect_near(matmul(a, x), b.expand(x.shape()), tolerance, "A X = B");
    expect_near(matmul(y, a), mt(b).expand(y.shape()), tolerance, "X A = B");
    expect_near(matmul(inv(a), a), one.expand(a.shape()), tolerance, "A^-1 A");
    const auto [packed, pivots] = lu_factor(a);
    expect_near(lu_solve(packed, pivots, b.expand(x.shape())), x, tolerance, "lu_solve");
    for (bool up : {false, true}) {
      const Tensor i = arange(n), mask = up ? le(i.unsqueeze(1), i) : ge(i.unsqueeze(1), i);
      const Tensor z = solve_triangular(a, b, {.upper = up});
      expect_near(matmul(where(mask, a, 0), z), b.expand(z.shape()), tolerance, "triangular");
      const Tensor unit = where(eq(i.unsqueeze(1), i), 1, where(mask, a, 0) * 0.1);
      const Tensor w = solve_triangular(a * 0.1, mt(b), {.upper = up, .left = false, .unitriangular = true});
      if (n < 10)
        expect_near(matmul(w, unit), mt(b).expand(w.shape()), 1e4 * tolerance, "unit, from the right");
    }
  }
}

TEST_P(Linalg, VectorsAndBroadcastBatches) {
  const Tensor a = tensor({{2., 1.}, {1., 3.}}, GetParam());
  EXPECT_LE(apart(solve(a, tensor({3., 4.}, GetParam())), tensor({1., 1.}, GetParam())), 1e-6);
  const Tensor two = stack({a, 2 * a}), b = random({3, 1, 2, 4}, GetParam());
  const Tensor x = solve(two, b);
  EXPECT_EQ(x.shape(), (Shape{3, 2, 2, 4}));
  expect_near(matmul(two, x), b.expand({3, 2, 2, 4}), 50, "broadcast");
  expect_near(solve(two, random({2, 2}, GetParam())), solve(two, random({2, 2, 1}, GetParam())).squeeze(-1),
              1, "a batch of vectors");
  expect_near(solve(a, b), stack({solve(a, b[0][0]), solve(a, b[1][0]), solve(a, b[2][0])}).unsqueeze(1), 20,
              "one matrix for all");
}

TEST_P(Linalg, LuReconstructs) {
  for (auto list : {std::vector<Shape>(std::begin(squares), std::end(squares)),
                    std::vector<Shape>(std::begin(oblongs), std::end(oblongs))})
    for (const Shape& shape : list) {
      const Tensor a = random(shape, GetParam());
      const auto [p, l, u] = lu(a);
      expect_near(matmul(p, matmul(l, u)), a, 20 * static_cast<double>(shape.back() + 1), "P L U");
      EXPECT_LE(l.numel() ? max(abs(l)).item() : 0, 1) << "pivoting";
      expect_near(matmul(mt(p), p), eye(a.size(-2), GetParam()).expand(p.shape()), 0, "P");
    }
  // Rows that must be exchanged, with LAPACK's pivots.
  const auto [packed, pivots] = lu_factor(tensor({{0., 1., 2.}, {1., 0., 1.}, {4., 4., 0.}}, GetParam()));
  EXPECT_EQ(values(packed), (Values{4, 4, 0, 0.25, -1, 1, 0, -1, 3}));
  EXPECT_EQ(pivots.to_vector<std::int64_t>(), (std::vector<std::int64_t>{3, 2, 3}));
}

TEST_P(Linalg, QrReconstructs) {
  for (const Shape& shape : oblongs) {
    const Tensor a = random(shape, GetParam());
    const double tolerance = 20 * static_cast<double>(shape.back() + 1);
    for (QRMode mode : {QRMode::reduced, QRMode::complete}) {
      const auto [q, r] = qr(a, mode);
      EXPECT_EQ(q.size(-1), mode == QRMode::complete ? a.size(-2) : std::min(a.size(-1), a.size(-2)));
      expect_near(matmul(q, r), a, tolerance, "Q R");
      expect_near(matmul(mt(q), q), eye(q.size(-1), GetParam()).expand(matmul(mt(q), q).shape()), tolerance,
                  "Q");
      const Tensor i = arange(r.size(-2)).unsqueeze(1), below = where(gt(i, arange(r.size(-1))), r, 0);
      EXPECT_EQ(apart(below, zeros_like(below)), 0);
    }
  }
}

TEST_P(Linalg, SvdReconstructs) {
  for (const Shape& shape : oblongs) {
    const Tensor a = random(shape, GetParam());
    const auto [u, s, vh] = svd(a);
    const double tolerance = 20 * static_cast<double>(shape.back() + 1);
    const Tensor one = eye(s.size(-1), GetParam()).expand(matmul(mt(u), u).shape());
    expect_near(matmul(u * s.unsqueeze(-2), vh), a, tolerance, "U S Vh");
    expect_near(matmul(mt(u), u), one, tolerance, "U");
    expect_near(matmul(vh, mt(vh)), one, tolerance, "Vh");
    if (s.numel() == 0) continue;
    EXPECT_GE(min(s).item(), 0);
    EXPECT_GE(
        min(s.slice(-1, {0, s.size(-1) - 1}).numel() ? s.slice(-1, {0, s.size(-1) - 1}) - s.slice(-1, {1, {}})
                                                     : s)
            .item(),
        0);
  }
}

TEST_P(Linalg, SvdOfLowerRankIsStillOrthogonal) {
  const DType t = GetParam();
  for (const Tensor& a :
       {zeros({5, 3}, t), matmul(random({9, 2}, t), random({2, 6}, t, 2)), ones({4, 4}, t),
        full({3, 3}, 1e-30, t), full({3, 3}, 1e30, t), eye(4, t) * tensor({1., 0., 1., 0.}, t)}) {
    const auto [u, s, vh] = svd(a);
    expect_near(matmul(mt(u), u), eye(s.size(-1), t), 100, "U");
    expect_near(matmul(vh, mt(vh)), eye(s.size(-1), t), 100, "Vh");
    const double top = std::max(s.select(0, 0).item(), 1e-37);
    expect_near(matmul(u * s, vh) / top, a / top, 100, "U S Vh");
  }
  // Small singular values to full relative precision: columns of very different length.
  const Tensor scale = tensor({1., 1e-5, 1e-10}, t), q = qr(random({6, 3}, t)).Q;
  expect_near(svdvals(q * scale) / scale, ones({3}, t), 100, "graded");
}

TEST_P(Linalg, DecompositionsFarFromOne) {
  const DType t = GetParam();
  const double far = t == f32 ? 1e-30 : 1e-250;
  for (const double size : {far, 1 / far}) {
    const Tensor a = random({9, 5}, t) * size, sym = matmul(mt(a / size), a);
    const auto [q, r] = qr(a);
    expect_near(matmul(mt(q), q), eye(5, t), 100, "Q");
    expect_near(matmul(q, r / size), a / size, 100, "Q R");
    const auto [l, v] = eigh(sym);
    expect_near(matmul(sym / size, v), v * (l / size), 200, "A V = V L");
    expect_near(matmul(mt(v), v), eye(5, t), 100, "V");
  }
  EXPECT_TRUE(any(isnan(qr(full({3, 2}, inf, t)).R)).item<bool>());
}

// Bidiagonal matrices, with what is hard for them: low rank, equal values, far from 1, many rows.
TEST_P(Linalg, SvdOfLargerMatrices) {
  const DType t = GetParam();
  const std::int64_t n = 37;
  const Tensor turned = qr(random({n, n}, t)).Q;
  for (const Tensor& a : {random({n, n}, t), random({130, 64}, t), random({64, 130}, t, 2),
                          random({5, 3, 20, 17}, t), matmul(random({30, 2}, t), random({2, 25}, t, 2)),
                          ones({20, 20}, t), turned, eye(n, t), full({20, 9}, 1e-30, t),
                          random({n, n}, t) * 1e30, triu(ones({n, n}, t)), ones({n, n}, t) + eye(n, t)}) {
    const auto [u, s, vh] = svd(a);
    const Tensor one = eye(s.size(-1), t).expand(matmul(vh, mt(vh)).shape());
    const double top = max(s).item();
    expect_near(matmul(mt(u), u), one, 300, "U");
    expect_near(matmul(vh, mt(vh)), one, 300, "Vh");
    expect_near(matmul(u * s.unsqueeze(-2), vh) / top, a / top, 300, "U S Vh");
    expect_near(svdvals(a) / top, s / top, 100, "values alone");
    EXPECT_GE(min(s).item(), 0);
    EXPECT_GE(min(s.slice(-1, {0, s.size(-1) - 1}) - s.slice(-1, {1, {}})).item(), 0);
  }
  expect_near(svdvals(turned), ones({n}, t), 300, "orthogonal");
  const Tensor scale = pow(full({}, 0.2, t), arange(12).to(t)), q = qr(random({20, 12}, t)).Q;
  expect_near(svdvals(q * scale) / scale, ones({12}, t), 300, "graded");
}

TEST_P(Linalg, EighReconstructs) {
  for (const Shape& shape : squares) {
    const Tensor x = random(shape, GetParam()), a = x + mt(x);
    const auto [l, v] = eigh(a);
    const double tolerance = 30 * static_cast<double>(shape.back() + 1);
    expect_near(matmul(a, v), v * l.unsqueeze(-2), tolerance, "A V = V L");
    expect_near(matmul(mt(v), v), eye(shape.back(), GetParam()).expand(a.shape()), tolerance, "V");
    expect_near(eigvalsh(a, 'U'), l, tolerance, "upper");
  }
  // The second difference: 2 - 2 cos(k pi / (n + 1)).
  const std::int64_t n = 20;
  const Tensor i = arange(n), gap = abs(i.unsqueeze(1) - i);
  const Tensor second = where(eq(gap, 0), 2, where(eq(gap, 1), -1, zeros({n, n}, GetParam())));
  const Tensor k = arange(1, n + 1, 1, GetParam());
  expect_near(eigvalsh(second), 2 - 2 * cos(k * (M_PI / static_cast<double>(n + 1))), 20,
              "second difference");
}

TEST_P(Linalg, Determinants) {
  const DType t = GetParam();
  EXPECT_EQ(det(zeros({0, 0}, t)).item(), 1);
  EXPECT_EQ(values(det(zeros({2, 0, 0}, t))), (Values{1, 1}));
  EXPECT_EQ(slogdet(zeros({0, 0}, t)).logabsdet.item(), 0);
  EXPECT_EQ(det(tensor({{-3.}}, t)).item(), -3);
  EXPECT_EQ(det(tensor({{0., 1.}, {1., 0.}}, t)).item(), -1);
  EXPECT_EQ(det(tensor({{1., 2.}, {2., 4.}}, t)).item(), 0);
  const auto odd = slogdet(tensor({{0., 2.}, {1., 0.}}, t));
  EXPECT_EQ(odd.sign.item(), -1);
  EXPECT_NEAR(odd.logabsdet.item(), std::log(2.0), 1e-6);
  EXPECT_TRUE(std::isnan(logdet(tensor({{0., 2.}, {1., 0.}}, t)).item()));
  const auto singular = slogdet(zeros({2, 2}, t));
  EXPECT_EQ(singular.sign.item(), 0);
  EXPECT_EQ(singular.logabsdet.item(), -inf);
  EXPECT_EQ(logdet(zeros({2, 2}, t)).item(), -inf);
  EXPECT_TRUE(std::isnan(det(tensor({{nan, 1.}, {1., 1.}}, t)).item()));
  EXPECT_NEAR(det(pascal(6).to(t)).item(), 1, 2000 * epsilon(t));
}

TEST_P(Linalg, NormsRankAndCondition) {
  const DType t = GetParam();
  const Tensor a = tensor({{3., -4.}, {0., 5.}}, t);  // singular values sqrt(45), sqrt(5)
  const double tolerance = 20 * epsilon(t);
  EXPECT_NEAR(matrix_norm(a).item(), std::sqrt(50.0), tolerance);
  EXPECT_NEAR(matrix_norm(a, "nuc").item(), std::sqrt(45.0) + std::sqrt(5.0), tolerance);
  EXPECT_EQ(matrix_norm(a, 1).item(), 9);
  EXPECT_EQ(matrix_norm(a, -1).item(), 3);
  EXPECT_EQ(matrix_norm(a, inf).item(), 7);
  EXPECT_EQ(matrix_norm(a, -inf).item(), 5);
  EXPECT_NEAR(matrix_norm(a, 2).item(), std::sqrt(45.0), tolerance);
  EXPECT_NEAR(matrix_norm(a, -2).item(), std::sqrt(5.0), tolerance);
  EXPECT_NEAR(cond(a).item(), 3, tolerance);
  EXPECT_NEAR(cond(a, -2).item(), 1 / 3.0, tolerance);
  EXPECT_NEAR(cond(a, 1).item(), 9 * (7.0 / 15), tolerance);
  EXPECT_NEAR(cond(a, "fro").item(), 50 / 15.0, tolerance);
  EXPECT_EQ(cond(tensor({{1., 2.}, {2., 4.}}, t), 1).item(), inf);
  EXPECT_EQ(cond(zeros({2, 2}, t), "fro").item(), inf);
  EXPECT_TRUE(std::isnan(cond(full({2, 2}, nan, t), 1).item()));
  EXPECT_EQ(matrix_norm(random({3, 4, 5}, t), 1, {0, -1}, true).shape(), (Shape{1, 4, 1}));
  EXPECT_EQ(matrix_norm(zeros({0, 3}, t)).item(), 0);
  EXPECT_EQ(matrix_norm(zeros({0, 3}, t), "nuc").item(), 0);
  EXPECT_EQ(matrix_rank(stack({a, ones({2, 2}, t), zeros({2, 2}, t)})).to_vector<std::int64_t>(),
            (std::vector<std::int64_t>{2, 1, 0}));
  EXPECT_EQ(matrix_rank(a, {.atol = 3}).item<std::int64_t>(), 1);
  EXPECT_EQ(matrix_rank(a, {.rtol = 0.4}).item<std::int64_t>(), 1);
  EXPECT_EQ(matrix_rank(zeros({0, 3}, t)).item<std::int64_t>(), 0);
  // The derivative at the zero matrix.
  Tensor zero = zeros({2, 2}, t).requires_grad_();
  EXPECT_EQ(values(grad(matrix_norm(zero), zero)), (Values{0, 0, 0, 0}));
}

TEST_P(Linalg, PseudoInverseIsPenroses) {
  const DType t = GetParam();
  for (const Tensor& a :
       {random({5, 3}, t), random({3, 5}, t), matmul(random({6, 2}, t), random({2, 4}, t, 3)),
        random({2, 3, 2}, t), zeros({2, 3}, t), zeros({0, 3}, t)}) {
    const Tensor p = pinv(a), ap = matmul(a, p), pa = matmul(p, a);
    EXPECT_EQ(p.shape(), mt(a).shape());
    expect_near(matmul(ap, a), a, 200, "A P A");
    expect_near(matmul(pa, p), p, 200, "P A P");
    expect_near(ap, mt(ap), 200, "A P symmetric");
    expect_near(pa, mt(pa), 200, "P A symmetric");
  }
}

TEST_P(Linalg, LeastSquares) {
  const DType t = GetParam();
  // The line through (0, 1), (1, 2), (2, 4), worked out by hand: 5/6 + 3/2 x, residual 1/6.
  const Tensor a = tensor({{1., 0.}, {1., 1.}, {1., 2.}}, t), b = tensor({{1.}, {2.}, {4.}}, t);
  const auto [x, residuals] = lstsq(a, b);
  expect_near(x, tensor({{5. / 6}, {1.5}}, t), 20, "line");
  EXPECT_NEAR(residuals.item(), 1.0 / 6, 20 * epsilon(t));
  const Tensor wide = random({2, 4}, t);
  expect_near(lstsq(wide, random({2, 3}, t, 2)).solution, matmul(pinv(wide), random({2, 3}, t, 2)), 200,
              "least norm");
  EXPECT_EQ(lstsq(wide, random({2, 3}, t)).residuals.shape(), (Shape{0}));
}

TEST_P(Linalg, PowersAndExponentials) {
  const DType t = GetParam();
  const Tensor fibonacci = tensor({{1., 1.}, {1., 0.}}, t);
  EXPECT_EQ(values(matrix_power(fibonacci, 30)), (Values{1346269, 832040, 832040, 514229}));
  EXPECT_EQ(values(matrix_power(fibonacci, -2)), (Values{1, -1, -1, 2}));
  EXPECT_EQ(values(matrix_power(fibonacci, 0)), (Values{1, 0, 0, 1}));
  for (double angle : {1e-9, 0.01, 0.2, 0.8, 2.0, 5.0, 40.0}) {
    const Tensor generator = tensor({{0., -angle}, {angle, 0.}}, t);
    const double x = generator.index({1, 0}).item(), c = std::cos(x), s = std::sin(x);
    EXPECT_LE(apart(matrix_exp(generator), tensor({{c, -s}, {s, c}}, t)), (30 + 20 * angle) * epsilon(t))
        << angle;
  }
  const Tensor nilpotent = tensor({{0., 1., 2.}, {0., 0., 3.}, {0., 0., 0.}}, t);
  expect_near(matrix_exp(nilpotent), tensor({{1., 1., 3.5}, {0., 1., 3.}, {0., 0., 1.}}, t), 20, "nilpotent");
  // Every plan in one batch; what is not finite stays by itself.
  const Tensor sizes = tensor({1e-3, 0.1, 0.7, 1.5, 4., 30., nan, inf}, t),
               batch = sizes.reshape({8, 1, 1}) * eye(1, t);
  const Values e = values(matrix_exp(batch));
  for (std::size_t i = 0; i < 6; ++i) {
    const double x = values(sizes)[i];
    EXPECT_NEAR(e[i] / std::exp(x), 1, 100 * epsilon(t)) << x;
  }
  EXPECT_TRUE(std::isnan(e[6]) && std::isnan(e[7]));
  EXPECT_EQ(matrix_exp(zeros({0, 0}, t)).shape(), (Shape{0, 0}));
}

TEST_P(Linalg, NaNPassesThroughSolutions) {
  Tensor a = eye(3, GetParam());
  a.index({1, 1}).fill_(nan);
  EXPECT_TRUE(std::isnan(inv(a).index({1, 1}).item()));
  EXPECT_TRUE(std::isnan(solve(a, ones({3}, GetParam())).select(0, 1).item()));
  EXPECT_TRUE(std::isnan(lu_factor(a).LU.index({1, 1}).item()));
  EXPECT_TRUE(std::isnan(qr(a).R.index({1, 1}).item()));
  // A zero on the diagonal of a triangle divides.
  const Tensor triangle = tensor({{1., 0.}, {1., 0.}}, GetParam());
  EXPECT_EQ(
      solve_triangular(triangle, tensor({{1.}, {3.}}, GetParam()), {.upper = false}).index({1, 0}).item(),
      inf);
}

INSTANTIATE_TEST_SUITE_P(Dtypes, Linalg, testing::Values(f32, f64),
                         [](const auto& info) { return std::string(name(info.param)); });

TEST(LinalgKnown, HilbertAndPascal) {
  // The inverse of Hilbert's matrix is whole: (-1)^(i+j) (i+j-1) C(n+i-1, n-j) C(n+j-1, n-i) C(i+j-2, i-1)^2.
  const std::int64_t n = 6;
  Values expected, factor;
  for (std::int64_t i = 1; i <= n; ++i)
    for (std::int64_t j = 1; j <= n; ++j)
      expected.push_back(((i + j) % 2 ? -1 : 1) * static_cast<double>(i + j - 1) *
                         binomial(n + i - 1, n - j) * binomial(n + j - 1, n - i) *
                         std::pow(binomial(i + j - 2, i - 1), 2));
  const Tensor inverse = inv(hilbert(n, f64));
  EXPECT_LE(apart(inverse, tensor(expected, {n, n})), 1e-9 * max(inverse).item());
  for (std::int64_t i = 0; i < n; ++i)
    for (std::int64_t j = 0; j < n; ++j) factor.push_back(j > i ? 0 : binomial(i, j));
  EXPECT_EQ(values(cholesky(pascal(n))), factor);
}

TEST(LinalgKnown, ReadsStridedMatrices) {
  const Tensor wide = random({6, 8}, f64) + 4 * eye(6, 8, f64), a = wide.slice(1, {0, 6}), copy = a.clone(),
               b = random({6, 2}, f64);
  EXPECT_TRUE(equal(solve(a, b), solve(copy, b)));
  EXPECT_TRUE(equal(inv(a.t()), inv(copy.t().clone())));
  EXPECT_TRUE(equal(det(a), det(copy)));
  EXPECT_TRUE(equal(svdvals(a), svdvals(copy)));
  EXPECT_TRUE(equal(qr(flip(a, 0)).R, qr(flip(copy, 0).clone()).R));
  EXPECT_TRUE(equal(eigvalsh(a), eigvalsh(copy)));
  const Tensor one = tensor({{4.}}, f64).expand({3, 1, 1});
  EXPECT_EQ(values(cholesky(one)), (Values{2, 2, 2}));
}

TEST(LinalgGradient, DeterminantsOfSingularMatrices) {
  // det of [[a, b], [c, d]] where all are 1 ... gradient [[d, -c], [-b, a]], its derivative constant.
  Tensor a = ones({2, 2}, f64).requires_grad_();
  const Tensor g = grad(det(a), a, {.create_graph = true});
  EXPECT_LE(apart(g.detach(), tensor({{1., -1.}, {-1., 1.}}, f64)), 1e-14);
  const Tensor second = grad(g.index({0, 1}), a);
  EXPECT_LE(apart(second, tensor({{0., 0.}, {-1., 0.}}, f64)), 1e-14);
  // At the zero matrix of order 3 the first derivative that does not vanish is the third.
  Tensor z = zeros({3, 3}, f64).requires_grad_();
  const Tensor g1 = grad(det(z), z, {.create_graph = true});
  const Tensor g2 = grad(g1.index({0, 0}), z, {.create_graph = true});
  const Tensor g3 = grad(g2.index({1, 1}), z);
  EXPECT_EQ(apart(g1.detach(), zeros({3, 3}, f64)), 0);
  EXPECT_EQ(apart(g2.detach(), zeros({3, 3}, f64)), 0);
  EXPECT_LE(apart(g3, tensor({{0., 0., 0.}, {0., 0., 0.}, {0., 0., 1.}}, f64)), 1e-14);
}

TEST(LinalgGradient, EqualEigenvaluesSpareTheValues) {
  Tensor a = eye(3, f64).requires_grad_();
  EXPECT_LE(apart(grad(sum(eigvalsh(a) * 2), a), 2 * eye(3, f64)), 1e-15);
  EXPECT_LE(apart(grad(matrix_norm(a, "nuc"), a), eye(3, f64)), 1e-15);
  EXPECT_LE(apart(grad(sum(pow(svdvals(a), 3)), a), 3 * eye(3, f64)), 1e-14);
}

TEST(LinalgGradient, ThirdOrder) {
  // Second-order checks of a recorded first derivative.
  const auto check = [](const char* what, const std::function<Tensor(const Tensor&)>& f, const Tensor& x) {
    const auto slope = [&f](const Tensor& at) {
      EnableGrad mode;
      const Tensor leaf = at.requires_grad() ? at : at.detach().requires_grad_();
      return grad(sum(sin(f(leaf))), leaf, {.create_graph = true});
    };
    const auto report = gradgradcheck(slope, x);
    EXPECT_TRUE(report) << what << ": " << report;
  };
  const Tensor x = random({2, 2}, f64) * 0.3, steps = tensor({{2., 0.}, {0., 4.}}, f64);
  const auto symmetric = [&](const Tensor& t) { return t + mt(t) + steps; };
  check(
      "cholesky", [&](const Tensor& t) { return cholesky(symmetric(t)); }, x);
  check(
      "inv", [&](const Tensor& t) { return inv(t + steps); }, x);
  check(
      "solve", [&](const Tensor& t) { return solve(t + steps, t); }, x);
  check(
      "lu", [&](const Tensor& t) { return lu_factor(t + steps).LU; }, x);
  check(
      "qr", [&](const Tensor& t) { return qr(t + steps).R; }, x);
  check(
      "eigvalsh", [&](const Tensor& t) { return eigvalsh(symmetric(t)); }, x);
  check(
      "eigh", [&](const Tensor& t) { return square(eigh(symmetric(t)).eigenvectors); }, x);
  check(
      "svd", [&](const Tensor& t) { return square(svd(t + steps).U); }, x);
  check(
      "pinv",
      [&](const Tensor& t) {
        return pinv(cat({t + steps, t}));
      },
      x);
  check(
      "det", [&](const Tensor& t) { return det(t + steps); }, x);
  check(
      "slogdet", [&](const Tensor& t) { return slogdet(t + steps).logabsdet; }, x);
  check(
      "matrix_exp", [&](const Tensor& t) { return matrix_exp(t); }, x);
}

}  // namespace
}  // namespace cadena
