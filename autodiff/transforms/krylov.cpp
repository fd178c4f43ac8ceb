#include "autodiff/transforms/krylov.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "autodiff/grad.hpp"
#include "autodiff/ops/arithmetic.hpp"
#include "autodiff/ops/logic.hpp"
#include "autodiff/ops/reduce.hpp"

namespace cadena::detail {

namespace {

constexpr int restart = 40;  // basis vectors kept at a time

double dot_of(const Tensor& a, const Tensor& b) { return sum(mul(a, b)).item(); }
double length_of(const Tensor& a) { return std::sqrt(dot_of(a, a)); }

/// One cycle: the least residual over the Krylov space of r, found by Givens rotations as the space grows.
class Cycle {
 public:
  Cycle(const Tensor& r, double beta) : basis_{div(r, beta)}, rhs_{beta} {}

  double residual() const { return std::abs(rhs_.back()); }

  /// Adds A times the last vector to the space. @return false if that was in the space already
  bool extend(const std::function<Tensor(const Tensor&)>& a) {
    Tensor w = a(basis_.back());
    const double size = length_of(w);
    std::vector<double> h(basis_.size() + 1);
    // Twice is enough (Kahan, Parlett).
    for (int pass = 0; pass < 2; ++pass)
      for (std::size_t i = 0; i < basis_.size(); ++i) {
        const double along = dot_of(w, basis_[i]);
        h[i] += along;
        w = sub(w, mul(basis_[i], along));
      }
    const double rest = length_of(w);
    const bool grew = rest > 1e-14 * size && std::isfinite(rest);
    h.back() = grew ? rest : 0;
    rotate(h);
    columns_.push_back(std::move(h));
    if (grew) basis_.push_back(div(w, rest));
    return grew;
  }

  /// The combination of basis vectors with that residual.
  Tensor correction() const {
    const std::size_t n = columns_.size();
    std::vector<double> y(n);
    for (std::size_t i = n; i-- > 0;) {
      y[i] = rhs_[i];
      for (std::size_t k = i + 1; k < n; ++k) y[i] -= columns_[k][i] * y[k];
      y[i] = columns_[i][i] == 0 ? 0 : y[i] / columns_[i][i];
    }
    Tensor x = mul(basis_[0], n > 0 ? y[0] : 0.0);
    for (std::size_t i = 1; i < n; ++i) x = add(x, mul(basis_[i], y[i]));
    return x;
  }

 private:
  void rotate(std::vector<double>& h) {
    const std::size_t n = columns_.size();
    for (std::size_t i = 0; i < n; ++i) turn(cosines_[i], sines_[i], h[i], h[i + 1]);
    const double r = std::hypot(h[n], h[n + 1]);
    cosines_.push_back(r == 0 ? 1 : h[n] / r);
    sines_.push_back(r == 0 ? 0 : h[n + 1] / r);
    turn(cosines_[n], sines_[n], h[n], h[n + 1]);
    rhs_.push_back(0);
    turn(cosines_[n], sines_[n], rhs_[n], rhs_[n + 1]);
  }
  static void turn(double c, double s, double& a, double& b) {
    const double first = c * a + s * b;
    b = c * b - s * a;
    a = first;
  }

  std::vector<Tensor> basis_;
  std::vector<std::vector<double>> columns_;  // of the triangular matrix
  std::vector<double> rhs_, cosines_, sines_;
};

}  // namespace

Solution gmres(const std::function<Tensor(const Tensor&)>& a, const Tensor& b, double tol, int max_iter) {
  NoGrad guard;
  const double scale = length_of(b);
  Solution s{zeros_like(b), 0, true};
  if (scale == 0) return s;
  Tensor r = b;
  double former = scale;
  for (int done = 0; done < max_iter;) {
    Cycle cycle(r, former);
    for (int k = 0; k < restart && done < max_iter && cycle.residual() > tol * scale; ++k) {
      ++done;
      if (!cycle.extend(a)) break;
    }
    s.x = add(s.x, cycle.correction());
    r = sub(b, a(s.x));
    ++done;
    const double now = length_of(r);
    s.residual = now / scale;
    // Rounding bounds what can be reached; a cycle that gains nothing any more has got there.
    if (now <= 2 * tol * scale || !(now < 0.5 * former)) break;
    former = now;
  }
  s.converged = s.residual <= 2 * tol;
  return s;
}

}  // namespace cadena::detail
