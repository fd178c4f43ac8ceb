// Building and simplifying expression trees.
#include "autodiff/symbol.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "autodiff/core/table.hpp"
#include "autodiff/error.hpp"
#include "autodiff/ops/arithmetic.hpp"
#include "autodiff/ops/choice.hpp"
#include "autodiff/ops/indexing.hpp"
#include "autodiff/ops/logic.hpp"
#include "autodiff/ops/special.hpp"

namespace cadena {

struct Symbol::Node {
  Kind kind;
  double value;
  std::string name;
  std::vector<Symbol> arguments;
  double size;
};

Symbol Symbol::number(double value) {
  return Symbol(std::make_shared<const Node>(Node{Kind::number, value, {}, {}, 1}));
}
Symbol Symbol::variable(std::string name) {
  return Symbol(std::make_shared<const Node>(Node{Kind::variable, 0, std::move(name), {}, 1}));
}
Symbol Symbol::call(std::string name, std::vector<Symbol> arguments) {
  return make(Kind::call, std::move(name), std::move(arguments));
}
Symbol Symbol::make(Kind kind, std::string name, std::vector<Symbol> arguments) {
  double size = 1;
  for (const auto& a : arguments) size += a.size();
  return Symbol(std::make_shared<const Node>(Node{kind, 0, std::move(name), std::move(arguments), size}));
}

Symbol::Kind Symbol::kind() const { return node_->kind; }
double Symbol::value() const { return node_->value; }
const std::string& Symbol::name() const { return node_->name; }
const std::vector<Symbol>& Symbol::arguments() const { return node_->arguments; }
double Symbol::size() const { return node_->size; }
bool Symbol::is(double number) const { return kind() == Kind::number && value() == number; }

bool same(const Symbol& a, const Symbol& b) {
  if (a.node_ == b.node_) return true;
  // Formulas share their parts; comparing large ones part by part could take for ever.
  if (a.kind() != b.kind() || a.size() != b.size() || a.size() > 64) return false;
  const auto nan_or_equal = [](double x, double y) { return x == y || (std::isnan(x) && std::isnan(y)); };
  return nan_or_equal(a.value(), b.value()) && a.name() == b.name() &&
         std::equal(a.arguments().begin(), a.arguments().end(), b.arguments().begin(), b.arguments().end(),
                    [](const Symbol& x, const Symbol& y) { return same(x, y); });
}

namespace {

using Kind = Symbol::Kind;

bool is_number(const Symbol& s) { return s.kind() == Kind::number; }
bool compare(const std::string& sign, double a, double b) {
  return sign == "<"    ? a < b
         : sign == "<=" ? a <= b
         : sign == ">"  ? a > b
         : sign == ">=" ? a >= b
         : sign == "==" ? a == b
                        : a != b;
}

/// A product that has z among its factors vanishes with z anyway.
bool has_factor(const Symbol& product, const Symbol& z) {
  if (z.kind() == Kind::negative) return has_factor(product, z.arguments()[0]);
  if (same(product, z)) return true;
  if (product.kind() == Kind::negative) return has_factor(product.arguments()[0], z);
  if (product.kind() != Kind::product) return false;
  return has_factor(product.arguments()[0], z) || has_factor(product.arguments()[1], z);
}

}  // namespace

Symbol operator-(const Symbol& a) {
  if (is_number(a)) return -a.value();
  if (a.kind() == Kind::negative) return a.arguments()[0];
  return Symbol::make(Kind::negative, {}, {a});
}

Symbol operator+(const Symbol& a, const Symbol& b) {
  if (is_number(a) && is_number(b)) return a.value() + b.value();
  if (a.is(0)) return b;
  if (b.is(0)) return a;
  if (b.kind() == Kind::negative) return a - b.arguments()[0];
  if (is_number(b) && b.value() < 0) return a - Symbol(-b.value());
  return Symbol::make(Kind::sum, {}, {a, b});
}

Symbol operator-(const Symbol& a, const Symbol& b) {
  if (is_number(a) && is_number(b)) return a.value() - b.value();
  if (a.is(0)) return -b;
  if (b.is(0)) return a;
  if (b.kind() == Kind::negative) return a + b.arguments()[0];
  if (is_number(b) && b.value() < 0) return a + Symbol(-b.value());
  return Symbol::make(Kind::difference, {}, {a, b});
}

Symbol operator*(const Symbol& a, const Symbol& b) {
  if (is_number(a) && is_number(b)) return a.value() * b.value();
  if (a.is(0) || b.is(0)) return 0;
  if (a.is(1)) return b;
  if (b.is(1)) return a;
  if (a.is(-1)) return -b;
  if (b.is(-1)) return -a;
  if (a.kind() == Kind::negative) return -(a.arguments()[0] * b);
  if (b.kind() == Kind::negative) return -(a * b.arguments()[0]);
  if (same(a, b)) return Symbol::make(Kind::power, {}, {a, 2});
  if (a.kind() == Kind::power && is_number(a.arguments()[1]) && same(a.arguments()[0], b))
    return Symbol::make(Kind::power, {}, {b, a.arguments()[1] + 1});
  return Symbol::make(Kind::product, {}, {a, b});
}

Symbol operator/(const Symbol& a, const Symbol& b) {
  if (b.is(1)) return a;
  if (b.is(-1)) return -a;
  if (a.is(0) && !is_number(b)) return 0;
  if (a.kind() == Kind::negative) return -(a.arguments()[0] / b);
  if (b.kind() == Kind::negative) return -(a / b.arguments()[0]);
  return Symbol::make(Kind::quotient, {}, {a, b});
}

Symbol pow(const Symbol& base, const Symbol& exponent) {
  return exponent.is(1) ? base : Symbol::simplified(Kind::power, {}, {base, exponent});
}
Symbol square(const Symbol& x) { return x * x; }
Symbol neg(const Symbol& x) { return -x; }

#define CADENA_SYMBOL(function) \
  Symbol function(const Symbol& x) { return Symbol::call(#function, {x}); }
CADENA_SYMBOL_FUNCTIONS(CADENA_SYMBOL)
#undef CADENA_SYMBOL
#define CADENA_SYMBOL(function) \
  Symbol function(const Symbol& a, const Symbol& b) { return Symbol::call(#function, {a, b}); }
CADENA_SYMBOL_FUNCTIONS_OF_TWO(CADENA_SYMBOL)
#undef CADENA_SYMBOL

#define CADENA_SYMBOL(operation, sign)                                          \
  SymbolCondition operation(const Symbol& a, const Symbol& b) {                 \
    return SymbolCondition(Symbol::simplified(Kind::comparison, sign, {a, b})); \
  }
CADENA_SYMBOL(operator<, "<")
CADENA_SYMBOL(operator<=, "<=")
CADENA_SYMBOL(operator>, ">")
CADENA_SYMBOL(operator>=, ">=")
CADENA_SYMBOL(eq, "==")
CADENA_SYMBOL(ne, "!=")
#undef CADENA_SYMBOL
SymbolCondition isnan(const Symbol& a) {
  return SymbolCondition(Symbol::simplified(Kind::call, "isnan", {a}));
}

SymbolCondition operator&(const SymbolCondition& a, const SymbolCondition& b) {
  return SymbolCondition(Symbol::simplified(Kind::both, {}, {a.symbol, b.symbol}));
}
SymbolCondition operator|(const SymbolCondition& a, const SymbolCondition& b) {
  return SymbolCondition(Symbol::simplified(Kind::either, {}, {a.symbol, b.symbol}));
}
SymbolCondition operator!(const SymbolCondition& a) {
  return SymbolCondition(Symbol::simplified(Kind::opposite, {}, {a.symbol}));
}
Symbol where(const SymbolCondition& c, const Symbol& a, const Symbol& b) {
  return Symbol::simplified(Kind::choice, {}, {c.symbol, a, b});
}

Symbol Symbol::simplified(Kind kind, const std::string& name, std::vector<Symbol> x) {
  switch (kind) {
    case Kind::negative:
      return -x[0];
    case Kind::sum:
      return x[0] + x[1];
    case Kind::difference:
      return x[0] - x[1];
    case Kind::product:
      return x[0] * x[1];
    case Kind::quotient:
      return x[0] / x[1];
    case Kind::power:
      if (x[1].is(1)) return x[0];
      break;
    case Kind::comparison:
      if (is_number(x[0]) && is_number(x[1])) return compare(name, x[0].value(), x[1].value()) ? 1 : 0;
      break;
    case Kind::both:
      if (x[0].is(0) || x[1].is(1)) return x[0];
      if (x[1].is(0) || x[0].is(1)) return x[1];
      break;
    case Kind::either:
      if (x[0].is(1) || x[1].is(0)) return x[0];
      if (x[1].is(1) || x[0].is(0)) return x[1];
      break;
    case Kind::opposite:
      if (is_number(x[0])) return x[0].is(0) ? 1 : 0;
      break;
    case Kind::choice:
      if (is_number(x[0])) return x[0].is(0) ? x[2] : x[1];
      if (same(x[1], x[2])) return x[1];
      // That NaN stays NaN is a convention of all formulas, not a part of this one.
      if (x[0].kind() == Kind::call && x[0].name() == "isnan") return x[2];
      // Neither is what holds at infinity alone.
      if (x[0].kind() == Kind::comparison && x[0].name() == "==" && is_number(x[0].arguments()[1]) &&
          std::isinf(x[0].arguments()[1].value()))
        return x[2];
      if (x[1].kind() == Kind::choice && same(x[1].arguments()[2], x[2]))
        return simplified(
            Kind::choice, {},
            {simplified(Kind::both, {}, {x[0], x[1].arguments()[0]}), x[1].arguments()[1], x[2]});
      // "Where z is 0, 0, else z times something" says only that 0 wins over infinity.
      if (x[0].kind() == Kind::comparison && x[0].name() == "==" && x[0].arguments()[1].is(0) && x[1].is(0) &&
          has_factor(x[2], x[0].arguments()[0]))
        return x[2];
      break;
    default:
      break;
  }
  return make(kind, name, std::move(x));
}

Symbol Symbol::inserted(Kind kind, const std::string& name, std::vector<Symbol> x) {
  if (kind == Kind::comparison || kind == Kind::both || kind == Kind::either || kind == Kind::opposite ||
      kind == Kind::choice)
    return simplified(kind, name, std::move(x));
  if (kind == Kind::call && name == "isnan" && is_number(x[0])) return std::isnan(x[0].value()) ? 1 : 0;
  return make(kind, name, std::move(x));
}

namespace {

template <class Rebuild>
Symbol replace(const Symbol& s, const Symbol::Substitution& values, const Rebuild& rebuild) {
  if (s.kind() == Kind::number) return s;
  if (s.kind() == Kind::variable) {
    const auto found = values.find(s.name());
    return found == values.end() ? s : found->second;
  }
  std::vector<Symbol> arguments;
  arguments.reserve(s.arguments().size());
  for (const auto& a : s.arguments()) arguments.push_back(replace(a, values, rebuild));
  return rebuild(s.kind(), s.name(), std::move(arguments));
}

/// The operation of that name on f64 scalars.
double call_operation(const std::string& name, const std::vector<double>& arguments) {
  // Its order is an attribute of the op, not an input.
  if (name == "polygamma")
    return polygamma(static_cast<int>(arguments.at(0)), full({}, arguments.at(1), f64)).item();
  for (const auto& row : detail::op_table()) {
    if (row.meta.name != name) continue;
    detail::Sampler sampler(1);
    NoGrad guard;
    TensorList inputs;
    for (double a : arguments) inputs.push_back(full({}, a, f64));
    return row.samples(sampler).at(0).call(inputs).item();
  }
  throw ValueError("[evaluate] expected a function that is an operation, got \"" + name + "\"");
}

}  // namespace

Symbol Symbol::substitute(const Substitution& values) const { return replace(*this, values, simplified); }
Symbol Symbol::insert(const Substitution& values) const { return replace(*this, values, inserted); }

double Symbol::evaluate(const std::map<std::string, double>& variables) const {
  if (kind() == Kind::number) return value();
  if (kind() == Kind::variable) {
    const auto found = variables.find(name());
    if (found == variables.end())
      throw ValueError("[evaluate] expected a value for every variable, got none for \"" + name() + "\"");
    return found->second;
  }
  if (kind() == Kind::choice)
    return arguments()[arguments()[0].evaluate(variables) != 0 ? 1 : 2].evaluate(variables);
  std::vector<double> x;
  for (const auto& a : arguments()) x.push_back(a.evaluate(variables));
  switch (kind()) {
    case Kind::negative:
      return -x[0];
    case Kind::sum:
      return x[0] + x[1];
    case Kind::difference:
      return x[0] - x[1];
    case Kind::product:
      return x[0] * x[1];
    case Kind::quotient:
      return x[0] / x[1];
    case Kind::power:
      return std::pow(x[0], x[1]);
    case Kind::comparison:
      return compare(name(), x[0], x[1]);
    case Kind::both:
      return x[0] != 0 && x[1] != 0;
    case Kind::either:
      return x[0] != 0 || x[1] != 0;
    case Kind::opposite:
      return x[0] == 0;
    default:
      return name() == "isnan" ? std::isnan(x[0]) : call_operation(name(), x);
  }
}

}  // namespace cadena
