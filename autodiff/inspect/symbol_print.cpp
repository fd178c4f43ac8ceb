// Expression trees as plain text and as LaTeX.
#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <string>
#include <utility>

#include "autodiff/inspect/format.hpp"
#include "autodiff/symbol.hpp"

namespace cadena {
namespace {

using Kind = Symbol::Kind;

// How tightly a sign binds; an operand that binds less tightly than its sign asks for gets parentheses.
enum Binding { loosest, either, both, comparison, sum, product, power, atom };

Binding binding(const Symbol& s) {
  switch (s.kind()) {
    case Kind::choice:
      return loosest;
    case Kind::either:
      return either;
    case Kind::both:
      return both;
    case Kind::comparison:
      return comparison;
    case Kind::negative:
    case Kind::sum:
    case Kind::difference:
      return sum;
    case Kind::product:
    case Kind::quotient:
      return product;
    case Kind::power:
      return power;
    default:
      return atom;
  }
}

constexpr std::pair<const char*, const char*> latex_functions[] = {
    {"log", "\\log"},     {"sin", "\\sin"},      {"cos", "\\cos"},        {"tan", "\\tan"},
    {"asin", "\\arcsin"}, {"acos", "\\arccos"},  {"atan", "\\arctan"},    {"sinh", "\\sinh"},
    {"cosh", "\\cosh"},   {"tanh", "\\tanh"},    {"sigmoid", "\\sigma"},  {"maximum", "\\max"},
    {"minimum", "\\min"}, {"log2", "\\log_{2}"}, {"log10", "\\log_{10}"}, {"lgamma", "\\ln\\Gamma"},
    {"digamma", "\\psi"}};

class Printer {
 public:
  explicit Printer(const SymbolStyle& style) : style_(style) {}

  std::string operator()(const Symbol& s) const {
    const auto& x = s.arguments();
    switch (s.kind()) {
      case Kind::number:
        return style_.latex ? detail::number_latex(s.value(), style_.digits)
                            : detail::number_text(s.value(), style_.digits);
      case Kind::variable:
        return style_.latex ? latex_name(s.name()) : s.name();
      case Kind::negative:
        return "-" + operand(x[0], product, false);
      case Kind::sum:
        return operand(x[0], sum, true) + " + " + operand(x[1], sum, false);
      case Kind::difference:
        return operand(x[0], sum, true) + " - " + operand(x[1], product, false);
      case Kind::product:
        return multiplied(x[0], x[1]);
      case Kind::quotient:
        if (style_.latex) return "\\frac{" + (*this)(x[0]) + "}{" + (*this)(x[1]) + "}";
        return operand(x[0], product, true) + " / " + operand(x[1], power, false);
      case Kind::power:
        return raised(x[0], x[1]);
      case Kind::call:
        return called(s);
      case Kind::comparison:
        return operand(x[0], sum, true) + " " + sign(s.name()) + " " + operand(x[1], sum, true);
      case Kind::both:
        return operand(x[0], both, true) + (style_.latex ? " \\wedge " : " and ") + operand(x[1], both, true);
      case Kind::either:
        return operand(x[0], either, true) + (style_.latex ? " \\vee " : " or ") +
               operand(x[1], either, true);
      case Kind::opposite:
        return (style_.latex ? "\\neg " : "not ") + operand(x[0], atom, false);
      case Kind::choice:
        return style_.latex ? cases(s) : chosen(s);
    }
    return {};
  }

 private:
  std::string enclosed(const std::string& s) const {
    return style_.latex ? "\\left(" + s + "\\right)" : "(" + s + ")";
  }

  /// @param leading a minus sign may stand first without parentheses
  std::string operand(const Symbol& s, Binding least, bool leading) const {
    std::string text = (*this)(s);
    const bool fraction = style_.latex && s.kind() == Kind::quotient && least < atom;
    const bool loose = binding(s) < least && !(s.kind() == Kind::negative && leading && least <= product);
    const bool encloses = (loose && !fraction) || (text.front() == '-' && !leading);
    return encloses ? enclosed(text) : text;
  }

  std::string multiplied(const Symbol& a, const Symbol& b) const {
    std::string left = operand(a, product, true), right = operand(b, product, false);
    if (!style_.latex) {
      if (b.kind() == Kind::quotient) right = enclosed(right);
      return left + " * " + right;
    }
    const bool digits = right.front() >= '0' && right.front() <= '9';
    return left + (digits ? " \\cdot " : " ") + right;
  }

  std::string raised(const Symbol& base, const Symbol& exponent) const {
    std::string b = operand(base, atom, false);
    // Upright e to the power of something is a power, too.
    const bool stacked =
        style_.latex && base.kind() == Kind::call && (base.name() == "exp" || base.name() == "exp2");
    if (stacked || b.find("10^") != b.npos) b = enclosed(b);
    return style_.latex ? b + "^{" + (*this)(exponent) + "}" : b + "^" + operand(exponent, atom, false);
  }

  std::string called(const Symbol& s) const {
    std::string arguments;
    for (const auto& a : s.arguments()) arguments += (arguments.empty() ? "" : ", ") + (*this)(a);
    if (!style_.latex) return s.name() + "(" + arguments + ")";
    if (s.name() == "exp") return "e^{" + arguments + "}";
    if (s.name() == "exp2") return "2^{" + arguments + "}";
    if (s.name() == "sqrt") return "\\sqrt{" + arguments + "}";
    if (s.name() == "abs") return "\\left|" + arguments + "\\right|";
    if (s.name() == "floor") return "\\left\\lfloor " + arguments + "\\right\\rfloor";
    if (s.name() == "ceil") return "\\left\\lceil " + arguments + "\\right\\rceil";
    for (const auto& [name, command] : latex_functions)
      if (s.name() == name) return command + enclosed(arguments);
    return "\\operatorname{" + detail::latex_escaped(s.name()) + "}" + enclosed(arguments);
  }

  std::string sign(const std::string& s) const {
    if (!style_.latex) return s;
    return s == "<=" ? "\\le" : s == ">=" ? "\\ge" : s == "==" ? "=" : s == "!=" ? "\\ne" : s;
  }

  std::string chosen(const Symbol& s) const {
    const auto& x = s.arguments();
    const std::string last = (*this)(x[2]);
    return operand(x[1], either, true) + (style_.language == Language::es ? " si " : " if ") + (*this)(x[0]) +
           (style_.language == Language::es ? " si no " : " else ") + last;
  }

  std::string cases(const Symbol& s) const {
    std::string text = "\\begin{cases} ";
    Symbol rest = s;
    for (; rest.kind() == Kind::choice; rest = Symbol(rest.arguments()[2]))
      text += (*this)(rest.arguments()[1]) + " & " + (*this)(rest.arguments()[0]) + " \\\\ ";
    const char* otherwise = style_.language == Language::es ? "\\text{si no}" : "\\text{otherwise}";
    return text + (*this)(rest) + " & " + otherwise + " \\end{cases}";
  }

  SymbolStyle style_;
};

}  // namespace

std::string Symbol::to_string(const SymbolStyle& style) const { return Printer(style)(*this); }

std::string latex_name(std::string_view name) {
  static constexpr const char* greek[] = {
      "alpha", "beta",  "gamma", "delta", "epsilon", "zeta",  "eta", "theta", "kappa", "lambda",
      "mu",    "nu",    "xi",    "pi",    "rho",     "sigma", "tau", "phi",   "chi",   "psi",
      "omega", "Gamma", "Delta", "Theta", "Lambda",  "Sigma", "Phi", "Psi",   "Omega"};
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  const auto digit = [](char c) { return c >= '0' && c <= '9'; };
  const auto stem_end = std::find_if_not(name.begin(), name.end(), letter);
  const std::string stem(name.begin(), stem_end);
  std::string_view rest = name.substr(stem.size());
  std::string head;
  if (stem.size() == 1)
    head = stem;
  else if (std::find(std::begin(greek), std::end(greek), stem) != std::end(greek))
    head = "\\" + stem;
  if (!head.empty()) {
    if (rest.empty()) return head;
    if (rest.size() > 1 && rest.front() == '_') rest.remove_prefix(1);
    if (std::all_of(rest.begin(), rest.end(), digit)) return head + "_{" + std::string(rest) + "}";
    if (std::all_of(rest.begin(), rest.end(), [&](char c) { return letter(c) || digit(c); }))
      return head + "_{\\mathrm{" + std::string(rest) + "}}";
  }
  return "\\mathrm{" + detail::latex_escaped(name) + "}";
}

}  // namespace cadena
