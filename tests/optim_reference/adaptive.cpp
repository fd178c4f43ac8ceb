// Adagrad, RMSprop, Adadelta, Adamax, NAdam, RAdam, ASGD and Rprop as their papers (and PyTorch's pages) have
// them.
#include "newer.hpp"

namespace cadena {
namespace {

using Options = std::map<std::string, long double>;

ReferenceStep adagrad(const Options& o, const Shape&) {
  return [o, s = Vector()](Vector& w, const Vector& grad, int t) mutable {
    fit(s, w, o.at("initial_accumulator_value"));
    for (std::size_t i = 0; i < w.size(); ++i) {
      const auto g = grad[i] + o.at("weight_decay") * w[i];
      s[i] += g * g;
      w[i] -= o.at("lr") / (1 + (t - 1) * o.at("lr_decay")) * g / (std::sqrt(s[i]) + o.at("eps"));
    }
  };
}
TEST(OptimReference, Adagrad) {
  compare_all({"Adagrad", {{"lr", 0.05}}, adagrad},
              {{"lr_decay", 0.1}, {"weight_decay", 0.1}, {"initial_accumulator_value", 0.5}, {"eps", 0.1}});
}

ReferenceStep rmsprop(const Options& o, const Shape&) {
  return [o, v = Vector(), a = Vector(), b = Vector()](Vector& w, const Vector& grad, int) mutable {
    fit(v, w), fit(a, w), fit(b, w);
    const auto keep = o.at("alpha");
    for (std::size_t i = 0; i < w.size(); ++i) {
      const auto g = grad[i] + o.at("weight_decay") * w[i];
      v[i] = keep * v[i] + (1 - keep) * g * g;
      a[i] = keep * a[i] + (1 - keep) * g;
      const auto variance = o.at("centered") != 0 ? v[i] - a[i] * a[i] : v[i];
      b[i] = o.at("momentum") * b[i] + g / (std::sqrt(variance) + o.at("eps"));
      w[i] -= o.at("lr") * b[i];
    }
  };
}
TEST(OptimReference, RMSprop) {
  const optim::OptionValues choices{{"weight_decay", 0.1}, {"momentum", 0.9}, {"alpha", 0.8}, {"eps", 0.1}};
  compare_all({"RMSprop", {{"lr", 0.01}}, rmsprop}, choices);
  compare_all({"RMSprop", {{"lr", 0.01}, {"centered", 1}, {"eps", 1e-2}}, rmsprop}, choices);
}

ReferenceStep adadelta(const Options& o, const Shape&) {
  return [o, v = Vector(), a = Vector()](Vector& w, const Vector& grad, int) mutable {
    fit(v, w), fit(a, w);
    const auto keep = o.at("rho"), eps = o.at("eps");
    for (std::size_t i = 0; i < w.size(); ++i) {
      const auto g = grad[i] + o.at("weight_decay") * w[i];
      v[i] = keep * v[i] + (1 - keep) * g * g;
      const auto d = std::sqrt(a[i] + eps) / std::sqrt(v[i] + eps) * g;
      a[i] = keep * a[i] + (1 - keep) * d * d;
      w[i] -= o.at("lr") * d;
    }
  };
}
TEST(OptimReference, Adadelta) {
  compare_all({"Adadelta", {}, adadelta}, {{"weight_decay", 0.1}, {"rho", 0.5}, {"eps", 1e-3}, {"lr", 0.5}});
}

ReferenceStep adamax(const Options& o, const Shape&) {
  return [o, m = Vector(), u = Vector()](Vector& w, const Vector& grad, int t) mutable {
    fit(m, w), fit(u, w);
    const auto b1 = o.at("beta1"), b2 = o.at("beta2");
    for (std::size_t i = 0; i < w.size(); ++i) {
      const auto g = grad[i] + o.at("weight_decay") * w[i];
      m[i] = b1 * m[i] + (1 - b1) * g;
      u[i] = std::max(b2 * u[i], std::fabs(g) + o.at("eps"));
      w[i] -= o.at("lr") / (1 - std::pow(b1, t)) * m[i] / u[i];
    }
  };
}
TEST(OptimReference, Adamax) {
  compare_all({"Adamax", {}, adamax}, {{"weight_decay", 0.1}, {"beta1", 0.5}, {"beta2", 0.9}, {"eps", 0.1}});
}

/// Weight decay of NAdam and RAdam: L2, or decoupled.
long double decayed(const Options& o, long double& w, long double g) {
  if (o.at("decoupled_weight_decay") == 0) return g + o.at("weight_decay") * w;
  w -= o.at("lr") * o.at("weight_decay") * w;
  return g;
}

ReferenceStep nadam(const Options& o, const Shape&) {
  return [o, m = Vector(), v = Vector(), product = 1.0L](Vector& w, const Vector& grad, int t) mutable {
    fit(m, w), fit(v, w);
    const auto b1 = o.at("beta1"), b2 = o.at("beta2"), psi = o.at("momentum_decay");
    const auto mu = b1 * (1 - 0.5L * std::pow(0.96L, t * psi)),
               next = b1 * (1 - 0.5L * std::pow(0.96L, (t + 1) * psi));
    product *= mu;
    for (std::size_t i = 0; i < w.size(); ++i) {
      const auto g = decayed(o, w[i], grad[i]);
      m[i] = b1 * m[i] + (1 - b1) * g;
      v[i] = b2 * v[i] + (1 - b2) * g * g;
      const auto direction = (1 - mu) * g / (1 - product) + next * m[i] / (1 - product * mu * next);
      w[i] -= o.at("lr") * direction / (std::sqrt(v[i] / (1 - std::pow(b2, t))) + o.at("eps"));
    }
  };
}
TEST(OptimReference, NAdam) {
  const optim::OptionValues choices{
      {"weight_decay", 0.1}, {"beta1", 0.5}, {"beta2", 0.9}, {"momentum_decay", 0.1}};
  compare_all({"NAdam", {}, nadam}, choices);
  compare_all({"NAdam", {{"weight_decay", 0.1}, {"decoupled_weight_decay", 1}}, nadam}, choices);
}

ReferenceStep radam(const Options& o, const Shape&) {
  return [o, m = Vector(), v = Vector()](Vector& w, const Vector& grad, int t) mutable {
    fit(m, w), fit(v, w);
    const auto b1 = o.at("beta1"), b2 = o.at("beta2"), power = std::pow(b2, t);
    const auto most = 2 / (1 - b2) - 1, rho = most - 2 * t * power / (1 - power);
    for (std::size_t i = 0; i < w.size(); ++i) {
      const auto g = decayed(o, w[i], grad[i]);
      m[i] = b1 * m[i] + (1 - b1) * g;
      v[i] = b2 * v[i] + (1 - b2) * g * g;
      auto move = o.at("lr") * m[i] / (1 - std::pow(b1, t));
      if (rho > 5) {
        const auto r = std::sqrt((rho - 4) * (rho - 2) * most / ((most - 4) * (most - 2) * rho));
        move *= r * std::sqrt(1 - power) / (std::sqrt(v[i]) + o.at("eps"));
      }
      w[i] -= move;
    }
  };
}
TEST(OptimReference, RAdam) {
  const optim::OptionValues choices{{"weight_decay", 0.1}, {"beta1", 0.5}, {"beta2", 0.9}, {"eps", 0.1}};
  compare_all({"RAdam", {}, radam}, choices);
  compare_all({"RAdam", {{"weight_decay", 0.1}, {"decoupled_weight_decay", 1}}, radam}, choices);
}

ReferenceStep asgd(const Options& o, const Shape&) {
  return [o, eta = o.at("lr")](Vector& w, const Vector& grad, int t) mutable {
    for (std::size_t i = 0; i < w.size(); ++i) {
      const auto g = grad[i] + o.at("weight_decay") * w[i];
      w[i] = w[i] * (1 - o.at("lambd") * eta) - eta * g;
    }
    eta = o.at("lr") / std::pow(1 + o.at("lambd") * o.at("lr") * t, o.at("alpha"));
  };
}
TEST(OptimReference, ASGD) {
  compare_all({"ASGD", {}, asgd}, {{"weight_decay", 0.1}, {"lambd", 0.5}, {"lr", 0.1}});
  compare({"ASGD", {{"alpha", 0.3}, {"lambd", 0.5}, {"t0", 7}}, asgd});
}

ReferenceStep rprop(const Options& o, const Shape&) {
  return [o, prev = Vector(), size = Vector()](Vector& w, const Vector& grad, int) mutable {
    fit(prev, w), fit(size, w, o.at("lr"));
    for (std::size_t i = 0; i < w.size(); ++i) {
      auto g = grad[i];
      if (g * prev[i] > 0) size[i] *= o.at("etaplus");
      if (g * prev[i] < 0) size[i] *= o.at("etaminus"), g = 0;
      size[i] = std::min(std::max(size[i], o.at("step_size_min")), o.at("step_size_max"));
      w[i] -= g > 0 ? size[i] : (g < 0 ? -size[i] : 0);
      prev[i] = g;
    }
  };
}
TEST(OptimReference, Rprop) {
  compare_all({"Rprop", {}, rprop},
              {{"etaplus", 1.5}, {"etaminus", 0.9}, {"step_size_min", 0.005}, {"step_size_max", 0.02}});
}

}  // namespace
}  // namespace cadena
