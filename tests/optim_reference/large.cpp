// Lion, LAMB, Adafactor and Muon as their papers have them.
#include "newer.hpp"

namespace cadena {
namespace {

using Options = std::map<std::string, long double>;

ReferenceStep lion(const Options& o, const Shape&) {
  return [o, m = Vector()](Vector& w, const Vector& g, int) mutable {
    fit(m, w);
    const auto b1 = o.at("beta1"), b2 = o.at("beta2");
    for (std::size_t i = 0; i < w.size(); ++i) {
      const auto c = b1 * m[i] + (1 - b1) * g[i];
      w[i] -= o.at("lr") * ((c > 0 ? 1 : (c < 0 ? -1 : 0)) + o.at("weight_decay") * w[i]);
      m[i] = b2 * m[i] + (1 - b2) * g[i];
    }
  };
}
TEST(OptimReference, Lion) {
  compare_all({"Lion", {{"lr", 0.01}}, lion}, {{"weight_decay", 0.5}, {"beta1", 0.5}, {"beta2", 0.8}});
}

long double norm(const Vector& v) {
  long double sum = 0;
  for (auto x : v) sum += x * x;
  return std::sqrt(sum);
}

ReferenceStep lamb(const Options& o, const Shape&) {
  return [o, m = Vector(), v = Vector()](Vector& w, const Vector& g, int t) mutable {
    fit(m, w), fit(v, w);
    const auto b1 = o.at("beta1"), b2 = o.at("beta2");
    Vector r(w.size());
    for (std::size_t i = 0; i < w.size(); ++i) {
      m[i] = b1 * m[i] + (1 - b1) * g[i];
      v[i] = b2 * v[i] + (1 - b2) * g[i] * g[i];
      r[i] = m[i] / (1 - std::pow(b1, t)) / (std::sqrt(v[i] / (1 - std::pow(b2, t))) + o.at("eps"));
      r[i] += o.at("weight_decay") * w[i];
    }
    const auto ratio = norm(w) / norm(r);
    for (std::size_t i = 0; i < w.size(); ++i) w[i] -= o.at("lr") * ratio * r[i];
  };
}
TEST(OptimReference, LAMB) {
  const optim::OptionValues choices{{"weight_decay", 0.5}, {"beta1", 0.5}, {"beta2", 0.9}, {"eps", 0.1}};
  compare_all({"LAMB", {}, lamb}, choices);
  compare_all({"LAMB", {}, lamb, {5, 7}}, choices);  // longer than the lanes of its sums
}

TEST(OptimReference, LambOfZeroWeightsIsAdam) {
  auto w = zeros({5}, f64).requires_grad_(), v = zeros({5}, f64).requires_grad_();
  optim::LAMB lamb({w}, {.eps = 1e-8, .weight_decay = 0});
  optim::Adam adam({v});
  const auto g = linspace(-1, 2, 5, f64);
  w.set_grad(g), v.set_grad(g);
  lamb.step(), adam.step();
  EXPECT_TRUE(allclose(w, v, 1e-14, 0));
  w = zeros({5}, f64).requires_grad_();
  optim::LAMB still({w});
  w.set_grad(zeros({5}, f64));
  still.step();
  EXPECT_TRUE(equal(w, zeros({5}, f64)));
}

/// The last two axes of a shape, and how many such matrices there are.
struct Matrices {
  explicit Matrices(const Shape& s)
      : rows(static_cast<std::size_t>(s[s.rank() - 2])),
        columns(static_cast<std::size_t>(s[s.rank() - 1])),
        count(static_cast<std::size_t>(s.numel()) / (rows * columns)) {}
  std::size_t rows, columns, count;
};

/// The second moment of matrices from rows and columns, updated by g.
struct Factored {
  Matrices s;
  Vector row, column;
  long double operator()(std::size_t matrix, std::size_t i, std::size_t j, long double eps1) const {
    long double mean = 0;
    for (std::size_t k = 0; k < s.rows; ++k)
      mean += row[matrix * s.rows + k] / static_cast<long double>(s.rows);
    return row[matrix * s.rows + i] * column[matrix * s.columns + j] / std::max(mean, eps1);
  }
  void update(const Vector& g, long double gain) {
    row.resize(s.count * s.rows), column.resize(s.count * s.columns);
    for (auto& x : row) x *= 1 - gain;
    for (auto& x : column) x *= 1 - gain;
    for (std::size_t k = 0; k < g.size(); ++k) {
      const auto matrix = k / (s.rows * s.columns), i = k / s.columns % s.rows, j = k % s.columns;
      row[matrix * s.rows + i] += gain * g[k] * g[k] / static_cast<long double>(s.columns);
      column[matrix * s.columns + j] += gain * g[k] * g[k] / static_cast<long double>(s.rows);
    }
  }
};

ReferenceStep adafactor(const Options& o, const Shape& shape) {
  const Shape of = shape.rank() > 1 ? shape : Shape{1, shape[0]};
  return [o, vector = shape.rank() == 1, f = Factored{Matrices(of), {}, {}}, v = Vector()](
             Vector& w, const Vector& g, int t) mutable {
    fit(v, w);
    const auto eps1 = o.at("eps1"), count = std::sqrt(static_cast<long double>(w.size()));
    const auto gain = std::pow(static_cast<long double>(t), o.at("beta2_decay"));
    const auto rate = std::max(o.at("eps2"), norm(w) / count) *
                      std::min(o.at("lr"), 1 / std::sqrt(static_cast<long double>(t)));
    f.update(g, gain);
    Vector u(w.size());
    for (std::size_t k = 0; k < w.size(); ++k) {
      v[k] += gain * (g[k] * g[k] - v[k]);
      const auto in_matrix = k % (f.s.rows * f.s.columns);
      const auto factored =
          f(k / (f.s.rows * f.s.columns), in_matrix / f.s.columns, in_matrix % f.s.columns, eps1);
      u[k] = g[k] / std::max(std::sqrt(vector ? v[k] : factored), eps1);
      w[k] -= o.at("lr") * o.at("weight_decay") * w[k];
    }
    const auto clip = std::max(1.0L, norm(u) / count / o.at("d"));
    for (std::size_t k = 0; k < w.size(); ++k) w[k] -= rate * u[k] / clip;
  };
}
TEST(OptimReference, Adafactor) {
  const optim::OptionValues choices{
      {"weight_decay", 0.1}, {"beta2_decay", -0.3}, {"eps1", 0.5}, {"eps2", 2}, {"d", 1.5}};
  for (const Shape& shape : {Shape{11}, Shape{3, 4}, Shape{4, 1}, Shape{2, 3, 5}})
    compare_all({"Adafactor", {{"lr", 0.05}, {"eps1", 1e-4}}, adafactor, shape}, choices);
}

TEST(OptimReference, AdafactorsEpsilonKeepsZeroGradientsQuiet) {
  for (const DType dtype : {f32, f64})
    for (const Shape& shape : {Shape{3}, Shape{2, 2}}) {
      auto w = ones(shape, dtype).requires_grad_();
      optim::Adafactor adafactor({w});
      w.set_grad(zeros(shape, dtype));
      adafactor.step();
      EXPECT_TRUE(equal(w, ones(shape, dtype)));
    }
}

/// Row-major matrices.
Vector product(const Vector& a, const Vector& b, std::size_t rows, std::size_t inner, std::size_t columns) {
  Vector c(rows * columns);
  for (std::size_t i = 0; i < rows; ++i)
    for (std::size_t k = 0; k < inner; ++k)
      for (std::size_t j = 0; j < columns; ++j) c[i * columns + j] += a[i * inner + k] * b[k * columns + j];
  return c;
}
Vector transposed(const Vector& a, std::size_t rows, std::size_t columns) {
  Vector t(a.size());
  for (std::size_t i = 0; i < rows; ++i)
    for (std::size_t j = 0; j < columns; ++j) t[j * rows + i] = a[i * columns + j];
  return t;
}

/// a X + b (X X^T) X + c (X X^T)^2 X, again and again, whatever the shape: PyTorch's transposing changes
/// nothing but cost.
Vector newton_schulz(Vector x, const Options& o, std::size_t rows, std::size_t columns) {
  const auto size = std::max(norm(x), o.at("eps"));
  for (auto& e : x) e /= size;
  for (int i = 0; i < static_cast<int>(o.at("ns_steps")); ++i) {
    const auto gram = product(x, transposed(x, rows, columns), rows, columns, rows);
    const auto third = product(gram, x, rows, rows, columns),
               fifth = product(gram, third, rows, rows, columns);
    for (std::size_t k = 0; k < x.size(); ++k)
      x[k] = o.at("ns_a") * x[k] + o.at("ns_b") * third[k] + o.at("ns_c") * fifth[k];
  }
  return x;
}

ReferenceStep muon(const Options& o, const Shape& shape) {
  return [o, s = Matrices(shape), m = Vector()](Vector& w, const Vector& g, int) mutable {
    fit(m, w);
    const auto momentum = o.at("momentum");
    Vector direction(w.size());
    for (std::size_t i = 0; i < w.size(); ++i) {
      m[i] += (1 - momentum) * (g[i] - m[i]);
      direction[i] = o.at("nesterov") != 0 ? g[i] + momentum * (m[i] - g[i]) : m[i];
    }
    const auto a = static_cast<long double>(s.rows), b = static_cast<long double>(s.columns);
    const auto scale =
        o.at("adjust_lr_fn") == 0 ? std::sqrt(std::max(1.0L, a / b)) : 0.2L * std::sqrt(std::max(a, b));
    const auto x = newton_schulz(direction, o, s.rows, s.columns);
    for (std::size_t i = 0; i < w.size(); ++i)
      w[i] -= o.at("lr") * o.at("weight_decay") * w[i] + o.at("lr") * scale * x[i];
  };
}
TEST(OptimReference, Muon) {
  const optim::OptionValues choices{{"weight_decay", 1}, {"momentum", 0.5}, {"nesterov", 0},
                                    {"adjust_lr_fn", 1}, {"ns_steps", 2},   {"ns_a", 2},
                                    {"eps", 1}};
  for (const Shape& shape : {Shape{3, 4}, Shape{6, 2}, Shape{1, 5}})
    compare_all({"Muon", {{"lr", 0.01}}, muon, shape}, choices);
}

TEST(OptimReference, MuonsDirectionIsNearlyOrthogonal) {
  auto w = zeros({4, 6}, f64).requires_grad_();
  optim::Muon muon({w}, {.lr = 1, .weight_decay = 0});
  Generator g(3);
  w.set_grad(randn({4, 6}, g, f64));
  muon.step();
  for (const double s : svdvals(w.detach()).to_vector<double>()) EXPECT_TRUE(s > 0.6 && s < 1.3) << s;
}

}  // namespace
}  // namespace cadena
