// Formulas as expression trees that print themselves. The elementwise operations are read with lanes, duals
// and tensors (formulas/formula.hpp); read with symbols the same lines become text, so that no value and no
// derivative is ever written twice, not even for a page of documentation.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace cadena {

class SymbolCondition;

/// Language of headings and of the words within formulas.
enum class Language { en, es };

/// How formulas are written.
struct SymbolStyle {
  bool latex = false;
  int digits = 6;  ///< significant ones, of numbers
  Language language = Language::en;
};

/// A formula in numbers and names. Operators and functions simplify lightly: x * x is x^2, 1 * x is x.
class Symbol {
 public:
  enum class Kind {
    number,
    variable,
    negative,
    sum,
    difference,
    product,
    quotient,
    power,
    call,
    choice,
    comparison,
    both,
    either,
    opposite
  };

  template <class T>
  requires std::is_arithmetic_v<T> Symbol(
      T value)  // NOLINT(google-explicit-constructor): literals of formulas
      : Symbol(number(static_cast<double>(value))) {}
  static Symbol number(double value);
  static Symbol variable(std::string name);
  /// `name(arguments...)`, for functions that have no sign of their own.
  static Symbol call(std::string name, std::vector<Symbol> arguments);

  /// "1 - y^2", or "1 - y^{2}" in LaTeX (math mode), without needless parentheses.
  std::string to_string(const SymbolStyle& style = {}) const;
  std::string latex() const { return to_string({.latex = true}); }
  /// Its value where the variables have these values. Functions are those of the op table, in f64.
  /// @throws ValueError for a variable without a value or a function that is no operation
  double evaluate(const std::map<std::string, double>& variables) const;

  using Substitution = std::map<std::string, Symbol, std::less<>>;
  /// With variables replaced, and simplified again.
  Symbol substitute(const Substitution& values) const;
  /// With variables replaced and nothing computed, "1 - 0.5^2"; only choices between known numbers are made.
  Symbol insert(const Substitution& values) const;

  Kind kind() const;
  double value() const;             ///< of a number
  const std::string& name() const;  ///< of a variable, function or comparison
  const std::vector<Symbol>& arguments() const;
  double size() const;  ///< number of signs, numbers and names when written out
  bool is(double number) const;
  friend bool same(const Symbol& a, const Symbol& b);

  friend Symbol operator-(const Symbol& a);
  friend Symbol operator+(const Symbol& a, const Symbol& b);
  friend Symbol operator-(const Symbol& a, const Symbol& b);
  friend Symbol operator*(const Symbol& a, const Symbol& b);
  friend Symbol operator/(const Symbol& a, const Symbol& b);
  friend SymbolCondition operator<(const Symbol& a, const Symbol& b);
  friend SymbolCondition operator<=(const Symbol& a, const Symbol& b);
  friend SymbolCondition operator>(const Symbol& a, const Symbol& b);
  friend SymbolCondition operator>=(const Symbol& a, const Symbol& b);
  friend SymbolCondition eq(const Symbol& a, const Symbol& b);
  friend SymbolCondition ne(const Symbol& a, const Symbol& b);
  friend SymbolCondition isnan(const Symbol& a);

  // For the library: a tree as it is, simplified, and with known choices made.
  static Symbol make(Kind kind, std::string name, std::vector<Symbol> arguments);
  static Symbol simplified(Kind kind, const std::string& name, std::vector<Symbol> arguments);
  static Symbol inserted(Kind kind, const std::string& name, std::vector<Symbol> arguments);

 private:
  struct Node;
  explicit Symbol(std::shared_ptr<const Node> node) : node_(std::move(node)) {}

  std::shared_ptr<const Node> node_;
};

/// What formulas compare.
class SymbolCondition {
 public:
  explicit SymbolCondition(Symbol s) : symbol(std::move(s)) {}
  friend SymbolCondition operator&(const SymbolCondition& a, const SymbolCondition& b);
  friend SymbolCondition operator|(const SymbolCondition& a, const SymbolCondition& b);
  friend SymbolCondition operator!(const SymbolCondition& a);
  friend Symbol where(const SymbolCondition& c, const Symbol& a, const Symbol& b);

  Symbol symbol;
};
Symbol where(const SymbolCondition& c, const Symbol& a, const Symbol& b);

/// The functions that formulas may call. A formula that needs another one adds it here.
// clang-format off
#define CADENA_SYMBOL_FUNCTIONS(F)                                                                          \
  F(abs) F(exp) F(exp2) F(expm1) F(log) F(log2) F(log10) F(log1p) F(sqrt) F(rsqrt) F(reciprocal) F(sin)     \
  F(cos) F(tan) F(asin) F(acos) F(atan) F(sinh) F(cosh) F(tanh) F(asinh) F(acosh) F(atanh) F(erf) F(erfc)   \
  F(erfinv) F(lgamma) F(digamma) F(trigamma) F(sinc) F(sigmoid) F(logit) F(log_sigmoid) F(softplus) F(relu) \
  F(elu) F(selu) F(celu) F(gelu) F(silu) F(mish) F(softsign) F(tanhshrink) F(hardtanh) F(hardsigmoid)       \
  F(hardswish) F(relu6) F(floor) F(ceil) F(round) F(trunc) F(frac) F(sign) F(erfcx) F(ndtr)      \
  F(log_ndtr) F(i0) F(i0e) F(i1) F(i1e) F(deg2rad) F(rad2deg)
#define CADENA_SYMBOL_FUNCTIONS_OF_TWO(F) \
  F(maximum) F(minimum) F(atan2) F(hypot) F(fmod) F(remainder) F(logaddexp) F(logaddexp2) F(copysign) F(xlogy) \
  F(floor_divide) F(polygamma) F(xlog1py) F(heaviside)
// clang-format on
#define CADENA_SYMBOL(function) Symbol function(const Symbol& x);
CADENA_SYMBOL_FUNCTIONS(CADENA_SYMBOL)
#undef CADENA_SYMBOL
#define CADENA_SYMBOL(function) Symbol function(const Symbol& a, const Symbol& b);
CADENA_SYMBOL_FUNCTIONS_OF_TWO(CADENA_SYMBOL)
#undef CADENA_SYMBOL
Symbol square(const Symbol& x);
Symbol neg(const Symbol& x);
Symbol pow(const Symbol& base, const Symbol& exponent);

/// An elementwise operation read with symbols.
struct SymbolicOp {
  std::vector<std::string> arguments;  ///< x, or a and b, as they are called below; y is the value
  Symbol value = 0;
  std::vector<Symbol> derivatives;  ///< by argument
};

/// How a name is written in formulas: "w1" as w_{1}, "theta" as \theta, "fc1.weight" upright.
std::string latex_name(std::string_view name);

}  // namespace cadena
