#include "autodiff/inspect/format.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <vector>

#include "autodiff/error.hpp"

namespace cadena::detail {

std::string number_text(double v, int digits) {
  if (std::isnan(v)) return "nan";
  if (std::isinf(v)) return v < 0 ? "-inf" : "inf";
  if (v == 0) return "0";  // also -0
  char buffer[64];
  const auto end =
      std::to_chars(buffer, buffer + sizeof buffer, v, std::chars_format::general, std::clamp(digits, 1, 17))
          .ptr;
  return {buffer, end};
}

std::string number_latex(double v, int digits) {
  if (std::isnan(v)) return "\\mathrm{NaN}";
  if (std::isinf(v)) return v < 0 ? "-\\infty" : "\\infty";
  const std::string s = number_text(v, digits);
  const auto e = s.find('e');
  if (e == s.npos) return s;
  const std::string mantissa = s.substr(0, e),
                    power = "10^{" + std::to_string(std::stoi(s.substr(e + 1))) + "}";
  return mantissa == "1" ? power : mantissa == "-1" ? "-" + power : mantissa + " \\cdot " + power;
}

std::string latex_escaped(std::string_view s) {
  std::string out;
  for (const char c : s) {
    if (c == '\\') {
      out += "\\backslash ";
    } else if (c == '~' || c == '^') {
      out += '\\', out += c, out += "{}";
    } else {
      if (std::string_view("#$%&_{}").find(c) != std::string_view::npos) out += '\\';
      out += c;
    }
  }
  return out;
}

namespace {

std::string summary(const std::vector<double>& v, int digits, Language language) {
  double sum = 0, squares = 0, least = v.empty() ? 0 : v[0], most = least;
  for (const double x : v) {
    sum += x;
    squares += x * x;
    least = std::isnan(x) || x < least ? x : least;
    most = std::isnan(x) || x > most ? x : most;
  }
  const auto text = [digits](double x) { return number_text(x, digits); };
  const bool es = language == Language::es;
  return std::string(es ? "media " : "mean ") + text(sum / static_cast<double>(v.size())) +
         (es ? ", mín " : ", min ") + text(least) + (es ? ", máx " : ", max ") + text(most) +
         (es ? ", norma " : ", norm ") + text(std::sqrt(squares));
}

std::string nested(const std::vector<double>& v, const Shape& shape, int axis, std::size_t& next,
                   int digits) {
  if (axis == shape.rank()) return number_text(v[next++], digits);
  std::string s = "[";
  for (std::int64_t i = 0; i < shape[axis]; ++i)
    s += (i == 0 ? "" : ", ") + nested(v, shape, axis + 1, next, digits);
  return s + "]";
}

}  // namespace

std::string tensor_text(const Tensor& t, int digits, std::int64_t max_elements, Language language) {
  if (!t.defined()) return "?";
  const auto v = t.to_vector<double>();
  if (t.numel() > max_elements) return summary(v, digits, language);
  if (t.numel() == 0) return "[]";
  std::size_t next = 0;
  return nested(v, t.shape(), 0, next, digits);
}

std::string tensor_latex(const Tensor& t, int digits, std::int64_t max_elements, Language language) {
  if (!t.defined()) return "\\text{?}";
  const auto v = t.to_vector<double>();
  if (t.numel() > max_elements || t.dim() > 2) return "\\text{(" + summary(v, digits, language) + ")}";
  if (t.dim() == 0) return number_latex(v[0], digits);
  const std::int64_t columns = t.dim() == 1 ? t.numel() : t.size(1);
  std::string s = "\\begin{pmatrix} ";
  for (std::size_t i = 0; i < v.size(); ++i) {
    if (i > 0) s += static_cast<std::int64_t>(i) % columns == 0 ? " \\\\ " : " & ";
    s += number_latex(v[i], digits);
  }
  return s + " \\end{pmatrix}";
}

std::size_t text_width(std::string_view s) {
  return static_cast<std::size_t>(std::count_if(
      s.begin(), s.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0u) != 0x80u; }));
}

std::string padded_to(std::string s, std::size_t width) {
  const std::size_t now = text_width(s);
  if (now < width) s.append(width - now, ' ');
  return s;
}

}  // namespace cadena::detail
