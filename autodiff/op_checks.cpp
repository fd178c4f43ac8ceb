#include "autodiff/op_checks.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <sstream>

#include "autodiff/core/table.hpp"
#include "autodiff/error.hpp"
#include "autodiff/memory.hpp"
#include "autodiff/ops/arithmetic.hpp"
#include "autodiff/ops/choice.hpp"
#include "autodiff/ops/joining.hpp"
#include "autodiff/ops/movement.hpp"
#include "autodiff/ops/reduce.hpp"
#include "autodiff/ops/slicing.hpp"
#include "autodiff/parallel.hpp"
#include "autodiff/random.hpp"

namespace cadena {

namespace {

bool thorough() { return std::getenv("CADENA_THOROUGH") != nullptr; }

std::vector<OpSample> samples_of(const OpUnderTest& op, int wanted) {
  if (thorough()) wanted *= 10;
  std::vector<OpSample> all;
  for (std::uint64_t seed = 1; static_cast<int>(all.size()) < wanted; ++seed) {
    auto some = op.samples(seed);
    if (some.empty()) break;
    for (auto& s : some) all.push_back(std::move(s));
  }
  return all;
}

std::int64_t elements(const TensorList& list) {
  std::int64_t n = 0;
  for (const auto& t : list) n += t.numel();
  return n;
}

Function as_function(const TensorFunction& call) {
  return [call](const TensorList& x) { return TensorList{call(x)}; };
}

TensorList leaves(const TensorList& inputs) {
  TensorList out;
  for (const auto& x : inputs) out.push_back(x.detach().clone().requires_grad_());
  return out;
}

Tensor seed_like(const Tensor& y) {
  Generator g(5);
  return randn(y.shape(), g, f64).to(y.dtype());
}

/// Gradients of one weighted sum of the result; zeros where it does not depend on an input.
TensorList gradients(const Tensor& y, const TensorList& x, bool create_graph = false) {
  TensorList g(x.size());
  if (y.requires_grad())
    g = grad(TensorList{y}, x, {.create_graph = create_graph, .allow_unused = true}, {seed_like(y)});
  for (std::size_t i = 0; i < g.size(); ++i)
    if (!g[i].defined()) g[i] = zeros_like(x[i]);
  return g;
}

/// The value, and behind it the gradients.
TensorList value_and_gradients(const TensorFunction& call, const TensorList& x) {
  const Tensor y = call(x);
  TensorList out = gradients(y, x);
  out.insert(out.begin(), y.detach());
  return out;
}

/// Collects what is found, and stops at the first failure.
class Report {
 public:
  void begin(const OpSample& sample) { sample_ = &sample, ++report_.samples; }
  bool failed() const { return !report_.ok; }
  OpReport done() const { return report_; }
  int& third() { return report_.third; }

  void fail(const std::string& what) {
    if (failed()) return;
    report_.ok = false;
    report_.text = (sample_ && !sample_->label.empty() ? sample_->label + ": " : "") + what;
  }

  void require(const GradcheckReport& r) {
    kinks_ += r.kinks, elements_ += r.elements;
    if (!r) fail(r.text);
  }

  /// Every element of `got` within rtol of `expected` or atol; both zero ask for the same bits. NaN equals
  /// NaN.
  void compare(const std::string& what, const Tensor& got, const Tensor& expected, double rtol, double atol) {
    if (failed()) return;
    if (!(got.shape() == expected.shape()))
      return fail(what + " has shape " + to_string(got.shape()) + ", expected " +
                  to_string(expected.shape()));
    const auto a = got.to_vector<double>(), b = expected.to_vector<double>();
    double worst = 0;
    std::size_t where = a.size();
    for (std::size_t i = 0; i < a.size(); ++i) {
      if (a[i] == b[i] || (std::isnan(a[i]) && std::isnan(b[i]))) continue;
      const double allowed = atol + rtol * std::abs(b[i]), off = std::abs(a[i] - b[i]);
      const double ratio = off <= allowed ? 0 : allowed > 0 && std::isfinite(off) ? off / allowed : 1e300;
      if (ratio > worst) worst = ratio, where = i;
    }
    if (where == a.size()) return;
    std::ostringstream text;
    text.precision(17);
    text << what << " at element " << where << " is " << a[where] << ", expected " << b[where];
    fail(text.str());
  }

  void compare_all(const std::string& what, const TensorList& got, const TensorList& expected, double rtol,
                   double atol) {
    for (std::size_t i = 0; i < got.size(); ++i)
      compare(what + (i ? ", gradient of input " + std::to_string(i - 1) : ", value"), got[i], expected[i],
              rtol, atol);
  }

  /// A check that had nothing to compare proves nothing.
  OpReport proven(const char* what) {
    sample_ = nullptr;
    if (report_.samples == 0) fail(std::string("no sample that could be checked: ") + what);
    if (2 * kinks_ > elements_)
      fail(
          "most input elements lie on kinks, where nothing can be compared: give a domain with other points");
    return report_;
  }

 private:
  const OpSample* sample_ = nullptr;
  OpReport report_;
  std::int64_t kinks_ = 0, elements_ = 0;
};

OpReport check_value(const OpUnderTest& op) {
  Report report;
  for (const auto& s : samples_of(op, 1)) {
    report.begin(s);
    const TensorList got = value_and_gradients(s.call, leaves(s.inputs));
    report.compare_all("called again", value_and_gradients(s.call, leaves(s.inputs)), got, 0, 0);
    if (!s.reference) continue;
    const TensorList x = leaves(s.inputs);
    const Tensor y = s.reference(x);
    report.compare("value", got[0], y.detach(), 1e-12, 1e-13);
    if (!y.requires_grad()) continue;
    TensorList expected = gradients(y, x);
    expected.insert(expected.begin(), y.detach());
    report.compare_all("against the reference", got, expected, 1e-11, 1e-12);
  }
  return report.proven("shapes is empty");
}

OpReport check_first_order(const OpUnderTest& op) {
  Report report;
  for (const auto& s : samples_of(op, op.wanted)) {
    report.begin(s);
    report.require(gradcheck(as_function(s.call), s.inputs, op.options));
    if (report.failed()) break;
  }
  return report.proven("shapes is empty");
}

/// What `gradgradcheck` differentiates twice more: the recorded gradient.
Function recorded_gradient(const TensorFunction& call) {
  return [call](const TensorList& x) {
    EnableGrad mode;
    TensorList in;
    for (const auto& t : x) in.push_back(t.requires_grad() ? t : t.detach().requires_grad_());
    return gradients(call(in), in, true);
  };
}

/// The elements of the smallest sample that has any.
std::int64_t smallest(const std::vector<OpSample>& samples) {
  std::int64_t least = std::numeric_limits<std::int64_t>::max();
  for (const auto& s : samples)
    if (elements(s.inputs) > 0) least = std::min(least, elements(s.inputs));
  return least;
}

OpReport check_higher_orders(const OpUnderTest& op) {
  if (op.orders < 2) return {};
  Report report;
  const auto samples = samples_of(op, op.wanted);
  std::int64_t few = 8;  // elements for third orders; more if every sample has more
  if (std::int64_t least = smallest(samples); least > few) few = least;
  for (const auto& s : samples) {
    if (elements(s.inputs) > 30) continue;
    report.begin(s);
    report.require(gradgradcheck(as_function(s.call), s.inputs, op.options));
    if (op.orders >= 3 && elements(s.inputs) <= few && report.third() < (thorough() ? 30 : 3)) {
      ++report.third();
      // Every recorded derivative loses some digits where its terms cancel (det beside singular matrices).
      GradcheckOptions wide = op.options;
      wide.atol *= 100;
      report.require(gradgradcheck(recorded_gradient(s.call), s.inputs, wide));
    }
    if (report.failed()) break;
  }
  return report.proven("none has at most 30 elements");
}

Tensor reversed_axes(const Tensor& x) {
  Axes axes;
  for (int i = x.dim() - 1; i >= 0; --i) axes.push_back(i);
  return permute(x, axes);
}

/// Every third element of a wider tensor.
Tensor stepped(const Tensor& x) {
  if (x.dim() == 0) return x;
  Shape wide = x.shape();
  wide[x.dim() - 1] *= 3;
  Tensor base = full(wide, 7.5, x.dtype());
  Tensor view = base.slice(-1, {1, {}, 3});
  return x.numel() ? view.copy_(x) : view;
}

/// The value and gradient for inputs laid out differently. Where elements are accumulated the order may
/// follow the layout; everywhere else the bits must not change.
OpReport check_layouts(const OpUnderTest& op) {
  using Layout = Tensor (*)(const Tensor&);
  const Layout transposed = [](const Tensor& x) { return reversed_axes(clone(reversed_axes(x))); };
  const Layout reversed = [](const Tensor& x) { return flip(clone(flip(x, {})), {}); };
  Report report;
  for (const auto& s : samples_of(op, 1)) {
    report.begin(s);
    const TensorList plain = value_and_gradients(s.call, leaves(s.inputs));
    for (const auto& [what, layout] :
         {std::pair{"transposed", transposed}, {"strided", &stepped}, {"reversed", reversed}}) {
      TensorList moved;
      {
        NoGrad guard;
        for (const auto& x : s.inputs) moved.push_back(layout(x));
      }
      for (auto& x : moved) x.requires_grad_();
      report.compare_all(std::string(what) + " inputs", value_and_gradients(s.call, moved), plain,
                         op.reorders ? 1e-13 : 0, op.reorders ? 1e-14 : 0);
    }
  }
  return report.proven("shapes is empty");
}

/// Inputs that repeat one element with stride 0: the gradient is the sum over the repetitions.
void check_expanded(const OpSample& s, Report& report) {
  if (s.inputs[0].numel() == 0) return;
  const TensorList first = leaves({s.inputs[0].reshape({-1}).slice(0, {0, 1}).clone()});
  auto with = [&](const Tensor& x) {
    TensorList in = s.inputs;
    in[0] = x;
    return s.call(in);
  };
  const Shape shape = s.inputs[0].shape();
  const Tensor repeated = with(first[0].reshape({}).expand(shape));
  const Tensor copied_input = first[0].detach().reshape({}).expand(shape).clone().requires_grad_();
  const Tensor copied = with(copied_input);
  report.compare("one element expanded, value", repeated.detach(), copied.detach(), 1e-13, 1e-14);
  report.compare("one element expanded, gradient", gradients(repeated, first)[0],
                 gradients(copied, {copied_input})[0].sum().reshape({1}), 1e-12, 1e-12);
}

/// One tensor in two places gets the sum of the gradients of both.
void check_shared(const OpSample& s, Report& report) {
  for (std::size_t i = 0; i < s.inputs.size(); ++i) {
    for (std::size_t j = i + 1; j < s.inputs.size(); ++j) {
      if (!(s.inputs[i].shape() == s.inputs[j].shape())) continue;
      TensorList apart = leaves(s.inputs);
      apart[i] = apart[j].detach().clone().requires_grad_();
      TensorList shared = apart;
      shared[i] = shared[j];
      const Tensor y = s.call(shared);
      const TensorList both = value_and_gradients(s.call, apart);
      report.compare("one tensor in two places, value", y.detach(), both[0], 1e-13, 1e-14);
      report.compare("one tensor in two places, gradient", gradients(y, {shared[j]})[0],
                     both[i + 1] + both[j + 1], 1e-12, 1e-12);
    }
  }
}

OpReport check_repeated(const OpUnderTest& op) {
  Report report;
  for (const auto& s : samples_of(op, 1)) {
    if (s.inputs.empty()) continue;
    report.begin(s);
    check_expanded(s, report);
    check_shared(s, report);
  }
  return report.proven("no input");
}

double largest(const Tensor& t) {
  double top = 0;
  for (double v : t.to_vector<double>()) top = std::max(top, std::abs(v));
  return top;
}

OpReport check_float(const OpUnderTest& op) {
  Report report;
  for (const auto& s : samples_of(op, 1)) {
    report.begin(s);
    TensorList x32, x64;
    for (const auto& x : s.inputs) {
      x32.push_back(x.to(f32).requires_grad_());
      x64.push_back(x32.back().detach().to(f64).requires_grad_());
    }
    const TensorList single = value_and_gradients(s.call, x32), exact = value_and_gradients(s.call, x64);
    for (std::size_t i = 0; i < single.size(); ++i) {
      const std::string what = i ? "f32, gradient of input " + std::to_string(i - 1) : "f32, value";
      if (single[i].dtype() != f32) report.fail(what + " has dtype " + std::string(name(single[i].dtype())));
      report.compare(what, single[i].to(f64), exact[i], 0, op.single * std::max(largest(exact[i]), 1e-3));
    }
  }
  return report.proven("shapes is empty");
}

/// After the forward pass only the output and what the rules declared to read is alive; after it all,
/// nothing.
OpReport check_memory(const OpUnderTest& op) {
  OpSample s = op.large(3, 1 << 16);
  Report report;
  report.begin(s);
  std::int64_t declared = 0, inputs = 0;
  for (std::size_t i = 0; i < s.inputs.size(); ++i) {
    inputs += s.inputs[i].numel() * 4;
    if (i < 3 && (op.keeps.value_or(0) >> i & 1u)) declared += s.inputs[i].numel() * 4;
  }
  for (auto& x : s.inputs) x.requires_grad_();
  value_and_gradients(s.call, s.inputs);  // warm up
  const auto before = memory_stats().live_bytes;
  value_and_gradients(s.call, s.inputs);
  if (const auto left = memory_stats().live_bytes - before; left != 0)
    report.fail(std::to_string(left) + " bytes are still alive when value and gradients are gone");
  if (!op.keeps) return report.done();
  const Tensor y = s.call(s.inputs);
  s.inputs.clear();
  const auto kept = memory_stats().live_bytes - before + inputs;
  // Indices and conditions are attributes that the caller holds anyway; blocks are up to a quarter larger.
  const double allowed = 1.27 * static_cast<double>(declared + y.numel() * 4 + inputs) -
                         1.0 * static_cast<double>(inputs) + 8192;
  if (static_cast<double>(kept) > allowed)
    report.fail(std::to_string(kept) + " bytes are kept: the output's " + std::to_string(y.numel() * 4) +
                " and the declared " + std::to_string(declared) + " allow " + std::to_string(allowed));
  return report.done();
}

class Threads {
 public:
  Threads() : former_(num_threads()) {}
  ~Threads() { set_num_threads(former_); }

 private:
  int former_;
};

OpReport check_threads(const OpUnderTest& op) {
  const Threads restore;
  const OpSample s = op.large(4, 1 << 17);
  Report report;
  report.begin(s);
  TensorList one;
  for (int n : {1, 2, 3}) {
    set_num_threads(n);
    const TensorList got = value_and_gradients(s.call, leaves(s.inputs));
    if (n == 1) one = got;
    report.compare_all(std::to_string(n) + " threads", got, one, 0, 0);
  }
  return report.done();
}

constexpr OpCheck checks[] = {
    {"Value", check_value},
    {"FirstOrderAndForwardMode", check_first_order},
    {"HigherOrders", check_higher_orders},
    {"Layouts", check_layouts},
    {"RepeatedInputs", check_repeated},
    {"FloatAgreesWithDouble", check_float},
    {"Memory", check_memory},
    {"ThreadsDoNotChangeBits", check_threads},
};

}  // namespace

std::span<const OpCheck> op_checks() { return checks; }

namespace detail {

OpUnderTest op_under_test(const OpInfo& row) {
  OpUnderTest op;
  op.samples = [samples = row.samples](std::uint64_t seed) {
    Sampler sampler(seed);
    return samples(sampler);
  };
  op.large = [large = row.large](std::uint64_t seed, std::int64_t n) {
    Sampler sampler(seed, f32);
    return large(sampler, n);
  };
  return op;
}

namespace {

void check_test(int arity, const OpTest& test) {
  const auto refuse = [](const std::string& what) { throw ValueError("[op_under_test] expected " + what); };
  if (test.shapes.empty() && arity == 0)
    refuse("shapes: a function of a TensorList takes any number of inputs");
  auto lists = test.shapes;
  if (!test.large.empty()) lists.push_back(test.large);
  for (const auto& list : lists)
    if (arity > 0 && list.size() != static_cast<std::size_t>(arity))
      refuse(std::to_string(arity) + " shapes for each sample, as many as the function has arguments, got " +
             std::to_string(list.size()));
  if (test.orders < 1 || test.orders > 3) refuse("orders from 1 to 3, got " + std::to_string(test.orders));
  if (test.samples < 1) refuse("samples >= 1, got " + std::to_string(test.samples));
}

}  // namespace

OpUnderTest op_under_test(const TensorFunction& f, int arity, const OpTest& test) {
  check_test(arity, test);
  Meta meta{.name = "user"};
  for (std::size_t i = 0; i < meta.domain.size() && !test.domain.empty(); ++i)
    meta.domain[i] = test.domain[std::min(i, test.domain.size() - 1)];
  OpInfo row = elementwise_row(meta, "user", std::max(arity, 1), {{"", f}});
  if (!test.shapes.empty() || !test.large.empty()) {
    std::vector<Case> cases;
    for (const auto& shapes : test.shapes) cases.push_back({shapes, f});
    const Case large{test.large.empty() ? test.shapes.back() : test.large, f};
    OpInfo given = case_row(meta, "user", std::move(cases), [large](std::int64_t) { return large; });
    row.large = given.large;
    if (!test.shapes.empty()) row.samples = given.samples;
  }
  if (test.reference)
    row.samples = [plain = row.samples, reference = test.reference](Sampler& sampler) {
      auto list = plain(sampler);
      for (auto& s : list) s.reference = reference;
      return list;
    };
  OpUnderTest op = op_under_test(row);
  op.reorders = true;
  op.wanted = test.samples;
  op.orders = test.orders;
  op.single = test.single;
  op.options = test.options;
  return op;
}

Tensor join_outputs(const TensorList& outputs) {
  TensorList lines;
  for (const auto& y : outputs) lines.push_back(reshape(y, {-1}));
  return lines.size() == 1 ? lines[0] : cat(lines);
}

}  // namespace detail
}  // namespace cadena
