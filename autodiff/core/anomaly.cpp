#include "autodiff/core/anomaly.hpp"

#include <cmath>
#include <cstdlib>
#include <memory>
#include <optional>
#include <sstream>
#include <string>

#include "autodiff/anomaly.hpp"
#include "autodiff/core/op.hpp"
#include "autodiff/kernels/finite.hpp"
#include "autodiff/ops/choice.hpp"
#include "autodiff/ops/movement.hpp"
#include "autodiff/ops/reduce.hpp"
#include "autodiff/ops/sort.hpp"

#if __has_include(<execinfo.h>)
#include <execinfo.h>
#define CADENA_BACKTRACE 1
#endif

namespace cadena {

AnomalyMode::AnomalyMode(AnomalyOptions options) : options_(options), outer_(detail::observers.anomaly) {
  detail::observers.anomaly = &options_;
}
AnomalyMode::~AnomalyMode() { detail::observers.anomaly = outer_; }

namespace detail {
namespace {

using Phase = AnomalyError::Phase;

struct Found {
  std::vector<std::int64_t> index;
  double value;
};

/// Of a batched tensor: among all samples. vmap then runs them one by one, and the report is about one.
std::optional<Found> find(const Tensor& batch) {
  if (!batch.defined() || !is_floating(batch.dtype())) return std::nullopt;
  const Tensor t = unwrapped(batch);
  NoGrad guard;
  const InRule quiet;
  const Tensor flat = contiguous(t);
  const bool nan_only = !observers.anomaly->check_inf;
  std::int64_t at = t.dtype() == f32 ? kernels::first_not_finite(flat.data<float>(), t.numel(), nan_only)
                                     : kernels::first_not_finite(flat.data<double>(), t.numel(), nan_only);
  if (at < 0) return std::nullopt;
  Found found{std::vector<std::int64_t>(static_cast<std::size_t>(t.dim())),
              t.dtype() == f32 ? static_cast<double>(flat.data<float>()[at]) : flat.data<double>()[at]};
  for (int i = t.dim() - 1; i >= 0; --i) {
    found.index[static_cast<std::size_t>(i)] = at % t.shape()[i];
    at /= t.shape()[i];
  }
  return found;
}

std::string text(const Found& f) {
  std::ostringstream out;
  if (std::isnan(f.value))
    out << "nan";  // without its sign
  else
    out << f.value;
  out << " at (";
  for (std::size_t i = 0; i < f.index.size(); ++i) out << (i ? ", " : "") << f.index[i];
  out << (f.index.size() == 1 ? ",)" : ")");
  return out.str();
}

std::string scope_path(const ScopeInfo* scope) {
  if (!scope) return {};
  const std::string outer = scope_path(scope->outer.get());
  const std::string own = scope->name.empty() && scope->type ? readable_type(*scope->type) : scope->name;
  return outer.empty() ? own : outer + "/" + own;
}

/// "program(function+0x12) [0x34]" with the function's name as it was written.
std::vector<std::string> symbols(const std::vector<void*>& frames) {
  std::vector<std::string> lines;
#ifdef CADENA_BACKTRACE
  if (frames.empty()) return lines;
  const std::unique_ptr<char*, void (*)(void*)> raw(
      backtrace_symbols(frames.data(), static_cast<int>(frames.size())), std::free);
  if (!raw) return lines;
  for (std::size_t i = 0; i < frames.size(); ++i) {
    std::string line = raw.get()[i];
    const auto open = line.find('('), plus = line.find('+', open);
    if (open != std::string::npos && plus != std::string::npos && plus > open + 1)
      line.replace(open + 1, plus - open - 1, demangled(line.substr(open + 1, plus - open - 1).c_str()));
    lines.push_back(std::move(line));
  }
#else
  static_cast<void>(frames);
#endif
  return lines;
}

[[noreturn]] void report(const Node& node, Phase phase, int input, const Tensor& t, Found found,
                         const std::string& of, const std::string& remark) {
  const auto* recorded = dynamic_cast<const RecordedNode*>(&node);
  std::string scope = recorded ? scope_path(recorded->scope.get()) : std::string();
  auto lines = node.extras ? symbols(node.extras->backtrace) : std::vector<std::string>();
  std::string message = "[" + std::string(node.name()) + "] expected finite values, got " + text(found) +
                        " of " + of + " of shape " + to_string(t.shape()) + " " +
                        std::string(name(t.dtype())) + remark;
  if (!scope.empty()) message += "; recorded in " + scope;
  if (!lines.empty()) message += "; recorded by (addr2line -Cfe PROGRAM +0x... names the line)";
  for (const auto& line : lines) message += "\n    " + line;
  throw AnomalyError(message, std::string(node.name()), phase, input, std::move(found.index), found.value,
                     std::move(scope), std::move(lines));
}

std::string gradient_of_input(int i) { return "the gradient of input " + std::to_string(i); }

/// Looks at the gradients in the shapes of the inputs that they are for.
void check_gradients(const Node& node, const bool* need, const Tensor* gin, Phase phase, const char* remark) {
  for (int i = 0; i < node.n_edges; ++i) {
    if (!need[i] || !gin[i].defined()) continue;
    NoGrad guard;
    const InRule quiet;
    Tensor g = gin[i];
    if (!(g.shape() == node.edges[i]->shape)) g = sum_to(g, node.edges[i]->shape);
    if (auto found = find(g)) report(node, phase, i, g, std::move(*found), gradient_of_input(i), remark);
  }
}

}  // namespace

std::vector<void*> backtrace_here() {
  std::vector<void*> frames;
#ifdef CADENA_BACKTRACE
  constexpr int most = 32, own = 3;  // this function, and those of the node
  void* all[most];
  const int n = backtrace(all, most);
  for (int i = own; i < n; ++i) frames.push_back(all[i]);
#endif
  return frames;
}

void check_output(const Node& node, const Tensor& out, const Tensor* inputs, std::size_t n) {
  auto found = find(out);
  if (!found) return;
  std::string remark;
  for (std::size_t i = 0; i < n && remark.empty(); ++i)
    if (auto before = find(inputs[i]))
      remark = "; its input " + std::to_string(i) + " already held " + text(*before);
  report(node, Phase::forward, -1, out, std::move(*found), "its output", remark);
}

void check_cotangent(const Node& node, const Tensor& g) {
  if (auto found = find(g))
    report(node, Phase::cotangent, -1, g, std::move(*found), "the gradient of its output",
           " (the seed, a hook's result, or a sum over several uses)");
}

Tensor watched_jvp(Node& node, const Tensor* tangents) {
  Tensor t;
  {
    const InRule rule;
    t = node.jvp(tangents);
  }
  if (auto found = find(t)) report(node, Phase::forward_mode, -1, t, std::move(*found), "its tangent", "");
  return t;
}

void watched_vjp(Node& node, const Tensor& g, const bool* need, Tensor* gin) {
  const Tensor kept = g;  // a second handle: the rule may not put its result into g
  {
    const InRule rule;
    node.vjp(kept, need, gin);
  }
  check_gradients(node, need, gin, Phase::backward, "");
  const Meta* meta = node.meta();
  if (!observers.anomaly->hidden || !meta || !meta->singular) return;
  NoGrad guard;
  const InRule rule;
  const Tensor zero = eq(kept, 0);
  if (sum(zero).item<std::int64_t>() == 0) return;
  std::vector<Tensor> bare(static_cast<std::size_t>(node.n_edges));
  node.vjp(where(zero, 1, kept), need, bare.data());
  check_gradients(node, need, bare.data(), Phase::hidden,
                  ", where only a zero gradient of the output hides it");
}

}  // namespace detail
}  // namespace cadena
