#include "autodiff/gradcheck.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <set>
#include <sstream>

#include "autodiff/core/differences.hpp"
#include "autodiff/error.hpp"
#include "autodiff/ops/arithmetic.hpp"
#include "autodiff/ops/choice.hpp"
#include "autodiff/ops/reduce.hpp"
#include "autodiff/random.hpp"

namespace cadena {

namespace {

using Vector = std::vector<double>;
using detail::Differences;

TensorList fresh_leaves(const TensorList& inputs) {
  TensorList leaves;
  for (const auto& x : inputs) leaves.push_back(x.detach().clone().requires_grad_());
  return leaves;
}

Vector flattened(const TensorList& list) {
  Vector all;
  for (const auto& t : list) {
    const auto values = t.to_vector<double>();
    all.insert(all.end(), values.begin(), values.end());
  }
  return all;
}

/// Vector-Jacobian product of recorded outputs, one flat vector over all inputs; missing gradients are zeros.
Vector pull_back(const TensorList& outputs, const TensorList& inputs, const TensorList& seeds) {
  TensorList sources, given;
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    if (!outputs[i].requires_grad()) continue;
    sources.push_back(outputs[i]);
    given.push_back(seeds[i]);
  }
  TensorList grads(inputs.size());
  if (!sources.empty()) grads = grad(sources, inputs, {.retain_graph = true, .allow_unused = true}, given);
  for (std::size_t i = 0; i < grads.size(); ++i)
    if (!grads[i].defined()) grads[i] = zeros_like(inputs[i]);
  return flattened(grads);
}

TensorList random_like(const TensorList& list, Generator& g) {
  TensorList out;
  for (const auto& t : list) out.push_back(randn(t.shape(), g, f64));
  return out;
}

std::string index_text(std::int64_t flat, const TensorList& list, const char* what) {
  std::size_t which = 0;
  while (which + 1 < list.size() && flat >= list[which].numel()) flat -= list[which++].numel();
  Shape index;
  for (int d = list[which].dim() - 1; d >= 0; --d) {
    index.insert(0, flat % list[which].shape()[d]);
    flat /= list[which].shape()[d];
  }
  return std::string(what) + " " + std::to_string(which) + " at " + to_string(index);
}

/// Everything that one check compares.
class Checker {
 public:
  Checker(const Function& f, const TensorList& inputs, const GradcheckOptions& o)
      : f_(f), o_(o), generator_(o.seed), x_(fresh_leaves(inputs)) {
    EnableGrad mode;
    y_ = f_(x_);
    for (const auto& y : y_)
      if (y.dtype() != f64)
        throw DtypeError("[gradcheck] expected f64 outputs, got " + std::string(name(y.dtype())));
    columns_ = flattened(x_).size();
    rows_ = flattened(y_).size();
  }

  GradcheckReport run() {
    analytic_rows();
    compare_columns();
    check_linear();
    if (o_.forward_mode) check_duality();
    if (report_.ok)
      text_ << "ok: " << rows_ << "x" << columns_ << " Jacobian, worst at " << report_.worst
            << " of the tolerance";
    report_.elements = static_cast<std::int64_t>(columns_);
    if (report_.kinks)
      text_ << "; kink at " << kink_ << ": " << report_.kinks << " of " << columns_
            << " elements not checked";
    report_.text = text_.str();
    return report_;
  }

 private:
  void analytic_rows() {
    jacobian_.reserve(rows_ * columns_);
    for (std::size_t k = 0; k < y_.size(); ++k) {
      for (std::int64_t e = 0; e < y_[k].numel(); ++e) {
        TensorList seeds;
        for (const auto& y : y_) seeds.push_back(zeros_like(y));
        seeds[k].mutable_data<double>()[e] = 1;
        const Vector row = pull_back(y_, x_, seeds);
        jacobian_.insert(jacobian_.end(), row.begin(), row.end());
      }
    }
  }

  Vector value_at(std::size_t input, std::int64_t element, double offset) {
    NoGrad guard;
    TensorList moved;
    for (const auto& x : x_) moved.push_back(x.detach());
    moved[input] = moved[input].clone();
    moved[input].mutable_data<double>()[element] += offset;
    return flattened(f_(moved));
  }

  Differences along(std::size_t column) {
    std::size_t input = 0, element = column;
    while (element >= static_cast<std::size_t>(x_[input].numel()))
      element -= static_cast<std::size_t>(x_[input++].numel());
    return Differences(
        [this, input, element](double offset) {
          return value_at(input, static_cast<std::int64_t>(element), offset);
        },
        o_.step);
  }

  /// An entry that the full step found off by `ratio` tolerances.
  struct Suspect {
    double ratio;
    std::size_t row, column;
  };

  void compare_columns() {
    std::vector<Suspect> suspects;
    for (std::size_t column = 0; column < columns_; ++column) {
      Differences differences = along(column);
      const Vector& numerical = differences.central(0);
      for (std::size_t row = 0; row < rows_; ++row) {
        const double ratio = off(row, column, numerical[row]);
        if (ratio <= 1)
          report_.worst = std::max(report_.worst, ratio);
        else
          suspects.push_back({ratio, row, column});
      }
    }
    judge(std::move(suspects));
  }

  double off(std::size_t row, std::size_t column, double numerical) const {
    const double analytic = jacobian_[row * columns_ + column];
    const double tolerance = o_.atol + o_.rtol * std::max(std::abs(analytic), std::abs(numerical));
    const double ratio = std::abs(analytic - numerical) / tolerance;
    return std::isnan(ratio) ? std::numeric_limits<double>::infinity() : ratio;
  }

  /// The worst suspect first, until one is guilty: a step across a kink makes innocent ones.
  void judge(std::vector<Suspect> suspects) {
    std::stable_sort(suspects.begin(), suspects.end(),
                     [](const Suspect& a, const Suspect& b) { return a.ratio > b.ratio; });
    std::map<std::size_t, Differences> columns;
    std::set<std::size_t> kinks;
    for (const auto& s : suspects) {
      Differences& differences = columns.try_emplace(s.column, along(s.column)).first->second;
      const double analytic = jacobian_[s.row * columns_ + s.column];
      const auto verdict = differences.judge(s.row, analytic, o_.rtol, o_.atol);
      if (verdict == Differences::Verdict::agrees) continue;
      if (verdict == Differences::Verdict::differs) return convict(s, differences.central(0)[s.row]);
      kinks.insert(s.column);
    }
    report_.kinks = static_cast<std::int64_t>(kinks.size());
    if (!kinks.empty()) kink_ = index_text(static_cast<std::int64_t>(*kinks.begin()), x_, "input");
  }

  void convict(const Suspect& s, double numerical) {
    const double analytic = jacobian_[s.row * columns_ + s.column];
    report_.ok = false;
    report_.worst = s.ratio;
    text_.precision(17);
    text_ << "d(" << index_text(static_cast<std::int64_t>(s.row), y_, "output") << ") / d("
          << index_text(static_cast<std::int64_t>(s.column), x_, "input") << "): analytic " << analytic
          << ", numerical " << numerical << " (five points, h = " << o_.step << "), difference "
          << analytic - numerical;
  }

  void fail(const std::string& what, double got, double expected) {
    report_.ok = false;
    text_.precision(17);
    text_ << (text_.str().empty() ? "" : "; ") << what << ": got " << got << ", expected " << expected;
  }

  /// What two ways to one number may differ by: rounding of the terms, whose sizes add up to `size`, and of
  /// what cancelled inside the rule before it became a term (sigmoid'' near 0 is 1e-5 from terms of 0.1).
  double rounding(double size) const { return 1e-13 * size + 1e-6 * o_.atol; }

  void check_linear() {
    const TensorList v = random_like(y_, generator_);
    const Vector weights = flattened(v), product = pull_back(y_, x_, v);
    for (std::size_t c = 0; c < columns_; ++c) {
      double expected = 0, size = 0;
      for (std::size_t r = 0; r < rows_; ++r) {
        expected += weights[r] * jacobian_[r * columns_ + c];
        size += std::abs(weights[r] * jacobian_[r * columns_ + c]);
      }
      if (!(std::abs(product[c] - expected) <= rounding(size)))
        return fail(
            "J^T v at " + index_text(static_cast<std::int64_t>(c), x_, "input") + " is not linear in v",
            product[c], expected);
    }
  }

  void check_duality() {
    const TensorList u = random_like(x_, generator_), v = random_like(y_, generator_);
    NoGrad guard;
    const TensorList tangents = jvp_replay(y_, x_, u);
    double forward = 0, reverse = 0, size = 0;
    for (std::size_t i = 0; i < y_.size(); ++i) {
      if (!tangents[i].defined()) continue;
      const Vector t = tangents[i].to_vector<double>(), w = v[i].to_vector<double>();
      for (std::size_t k = 0; k < t.size(); ++k) forward += t[k] * w[k], size += std::abs(t[k] * w[k]);
    }
    const Vector g = pull_back(y_, x_, v), direction = flattened(u);
    for (std::size_t k = 0; k < g.size(); ++k)
      reverse += g[k] * direction[k], size += std::abs(g[k] * direction[k]);
    // Cancellation inside J u and J^T v is bounded by the magnitudes that enter them.
    const Vector weights = flattened(v);
    for (std::size_t r = 0; r < rows_; ++r)
      for (std::size_t c = 0; c < columns_; ++c)
        size += std::abs(weights[r] * jacobian_[r * columns_ + c] * direction[c]);
    if (!(std::abs(forward - reverse) <= rounding(size))) fail("forward mode: <v, J u>", forward, reverse);
  }

  const Function& f_;
  GradcheckOptions o_;
  Generator generator_;
  TensorList x_, y_;
  std::size_t rows_ = 0, columns_ = 0;
  Vector jacobian_;  // rows_ x columns_, reverse mode
  GradcheckReport report_;
  std::string kink_;  // where the first one is
  std::ostringstream text_;
};

void check_inputs(const char* op, const TensorList& inputs) {
  for (const auto& x : inputs)
    if (x.dtype() != f64)
      throw DtypeError("[" + std::string(op) +
                       "] expected f64 inputs (differences of f32 are too coarse), got " +
                       std::string(name(x.dtype())));
}

}  // namespace

std::ostream& operator<<(std::ostream& out, const GradcheckReport& report) { return out << report.text; }

GradcheckReport gradcheck(const Function& f, const TensorList& inputs, const GradcheckOptions& options) {
  check_inputs("gradcheck", inputs);
  return Checker(f, inputs, options).run();
}

GradcheckReport gradgradcheck(const Function& f, const TensorList& inputs, GradcheckOptions options) {
  check_inputs("gradgradcheck", inputs);
  if (options.rtol == GradcheckOptions{}.rtol) options.rtol = 1e-6;
  Generator generator(options.seed + 1);
  TensorList all = inputs;
  {
    NoGrad guard;
    const TensorList seeds = random_like(f(inputs), generator);
    all.insert(all.end(), seeds.begin(), seeds.end());
  }
  const std::size_t n = inputs.size();
  auto first_order = [&f, n](const TensorList& args) {
    EnableGrad mode;
    TensorList x, v(args.begin() + static_cast<std::ptrdiff_t>(n), args.end());
    for (std::size_t i = 0; i < n; ++i)
      x.push_back(args[i].requires_grad() ? args[i] : args[i].detach().requires_grad_());
    const TensorList y = f(x);
    TensorList sources, seeds;
    for (std::size_t i = 0; i < y.size(); ++i) {
      if (!y[i].requires_grad()) continue;
      sources.push_back(y[i]);
      seeds.push_back(v[i]);
    }
    TensorList grads(n);
    if (!sources.empty())
      grads = grad(sources, x, {.create_graph = true, .retain_graph = true, .allow_unused = true}, seeds);
    for (std::size_t i = 0; i < n; ++i)
      if (!grads[i].defined()) grads[i] = zeros_like(x[i]);
    return grads;
  };
  return Checker(first_order, all, options).run();
}

namespace {

/// Largest |a - b| in units of the tolerance; NaN agrees with NaN.
GradcheckReport compared(const std::string& what, const Tensor& a, const Tensor& b,
                         const GradcheckOptions& o) {
  GradcheckReport report;
  if (a.defined() != b.defined() && !(a.defined() ? a : b).numel()) return report;
  const Tensor like = a.defined() ? a : b;
  if (!like.defined()) return report;
  const Vector x = a.defined() ? a.to_vector<double>() : Vector(static_cast<std::size_t>(b.numel())),
               y = b.defined() ? b.to_vector<double>() : Vector(static_cast<std::size_t>(a.numel()));
  if (a.defined() && b.defined() && !(a.shape() == b.shape())) {
    report.ok = false;
    report.text = what + ": shape " + to_string(a.shape()) + ", reference " + to_string(b.shape());
    return report;
  }
  for (std::size_t i = 0; i < x.size(); ++i) {
    if (x[i] == y[i] || (std::isnan(x[i]) && std::isnan(y[i]))) continue;
    const double off = std::abs(x[i] - y[i]) / (o.atol + o.rtol * std::max(std::abs(x[i]), std::abs(y[i])));
    if (off <= report.worst) continue;
    report.worst = off;
    report.ok = off <= 1;
    std::ostringstream text;
    text.precision(12);
    text << what << " at element " << i << ": " << x[i] << ", reference " << y[i];
    report.text = text.str();
  }
  return report;
}

}  // namespace

GradcheckReport opcheck(const CustomOp& op, const TensorList& inputs, const GradcheckOptions& options) {
  check_inputs("opcheck", inputs);
  const Function f = [&op](const TensorList& x) { return TensorList{op(x)}; };
  if (op.reference) {
    const Function plain = [&op](const TensorList& x) { return TensorList{op.reference(x)}; };
    Generator generator(options.seed);
    const Vjp own = vjp(f, inputs), reference = vjp(plain, inputs);
    const TensorList v = random_like(reference.outputs, generator), u = random_like(inputs, generator);
    auto report = compared("value", own.outputs[0], reference.outputs[0], options);
    if (!report) return report;
    NoGrad guard;
    const TensorList a = own.pullback(v), b = reference.pullback(v);
    for (std::size_t i = 0; i < a.size(); ++i) {
      report = compared("vjp, input " + std::to_string(i), a[i], b[i], options);
      if (!report) return report;
    }
    report = compared("jvp", jvp(f, inputs, u).tangents[0], jvp(plain, inputs, u).tangents[0], options);
    if (!report) return report;
  }
  auto report = gradcheck(f, inputs, options);
  return report ? gradgradcheck(f, inputs, options) : report;
}

}  // namespace cadena
