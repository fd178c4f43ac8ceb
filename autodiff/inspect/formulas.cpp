#include "autodiff/inspect/formulas.hpp"

#include <algorithm>

#include "autodiff/core/node.hpp"
#include "autodiff/core/table.hpp"
#include "autodiff/error.hpp"
#include "autodiff/inspect/format.hpp"
#include "autodiff/ops/arithmetic.hpp"

namespace cadena {
namespace detail {

namespace {
/// Formulas longer than this are told by their name: nobody reads them, and a loop in a lambda can make them
/// astronomically long.
constexpr double readable_size = 60;
}  // namespace

Formula written(const Symbol& s, const SymbolStyle& style) {
  SymbolStyle latex = style;
  latex.latex = true;
  return {s.to_string(style), s.to_string(latex)};
}

Formula called(std::string_view op, const std::vector<Formula>& arguments) {
  Formula f{std::string(op) + "(", "\\operatorname{" + latex_escaped(op) + "}\\left("};
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    f.text += (i == 0 ? "" : ", ") + arguments[i].text;
    f.latex += (i == 0 ? "" : ", ") + arguments[i].latex;
  }
  f.text += ")";
  f.latex += "\\right)";
  if (op == "matmul" && arguments.size() == 2) f.latex = arguments[0].latex + " \\, " + arguments[1].latex;
  return f;
}

Formula plain(std::string_view s) {
  std::string math;
  bool words = false;
  for (std::size_t i = 0, run = 0; i < s.size(); ++i) {
    const bool letter = (s[i] >= 'a' && s[i] <= 'z') || (s[i] >= 'A' && s[i] <= 'Z');
    run = letter ? run + 1 : 0;
    words = words || run > 2 || !(letter || std::string_view(" =^,").find(s[i]) != std::string_view::npos);
    math += s[i];
    if (s[i] == ',') math += "\\";  // a space that stays one
  }
  return {std::string(s), words ? "\\text{" + latex_escaped(s) + "}" : math};
}

bool readable(const SymbolicOp& s) {
  if (s.derivatives.empty() || s.value.size() > readable_size) return false;
  return std::all_of(s.derivatives.begin(), s.derivatives.end(),
                     [](const Symbol& d) { return d.size() <= readable_size; });
}

}  // namespace detail

OpFormula formula_of(std::string_view name) {
  for (const auto& row : detail::op_table()) {
    if (row.meta.name != name) continue;
    OpFormula out{std::string(name), {}, {}, {}};
    if (!row.meta.formula.empty()) out.value = detail::plain(row.meta.formula);
    if (!row.meta.derivative.empty()) out.derivatives = {detail::plain(row.meta.derivative)};
    if (row.composite) return out;
    // Any call of it makes a node, and that knows its formulas.
    detail::Sampler sampler(1);
    auto sample = row.samples(sampler).at(0);
    EnableGrad recorded;
    for (auto& x : sample.inputs) x.requires_grad_();
    const Tensor y = sample.call(sample.inputs);
    const detail::Node* node = detail::raw_impl(y)->node.get();
    if (!node || node->name() != name) return out;
    SymbolicOp symbols = node->symbolic();
    if (!detail::readable(symbols)) return out;
    out.value = detail::written(symbols.value, {});
    out.derivatives.clear();
    for (const auto& d : symbols.derivatives) out.derivatives.push_back(detail::written(d, {}));
    out.symbols = std::move(symbols);
    return out;
  }
  throw ValueError("[formula_of] expected the name of an operation, got \"" + std::string(name) + "\"");
}

}  // namespace cadena
