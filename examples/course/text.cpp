#include "examples/course/text.hpp"

#include <algorithm>
#include <cmath>

#include "autodiff/ops.hpp"
#include "plot/format.hpp"

namespace cadena::examples::course {
using namespace plot;

std::string number(double value, int decimals) {
  const double size = std::abs(value);
  if (size >= 1e9 || (size > 1e-12 && size < 0.5 * std::pow(10, -decimals))) return format_number(value);
  // A value halfway between two decimals must not be rounded by its last bit, which may differ between
  // machines: away from zero it goes.
  std::string text = format_fixed(value * (1 + 1e-12), decimals);
  if (text.find('.') == std::string::npos) return text;
  text.erase(text.find_last_not_of('0') + 1);
  if (text.back() == '.') text.pop_back();
  return text;
}

std::string factor(double value, int decimals) {
  const std::string text = number(value, decimals);
  return text.front() == '-' ? "(" + text + ")" : text;
}

std::string numbers(std::span<const double> values, int decimals) {
  std::string text;
  for (const double value : values) text += (text.empty() ? "" : ", ") + number(value, decimals);
  return "[" + text + "]";
}

std::string numbers(const Tensor& values, int decimals) {
  if (values.dim() < 2) return numbers(values.detach().to_vector<double>(), decimals);
  std::string text;
  for (std::int64_t i = 0; i < values.size(0); ++i)
    text += (text.empty() ? "" : ", ") + numbers(values[i], decimals);
  return "[" + text + "]";
}

std::vector<std::string> wrap(std::string_view text, int columns) {
  std::vector<std::string> lines(1);
  while (!text.empty()) {
    const std::string_view word = text.substr(0, text.find(' '));
    text.remove_prefix(std::min(text.size(), word.size() + 1));
    const int used = display_columns(lines.back());
    if (used > 0 && used + 1 + display_columns(word) > columns)
      lines.emplace_back();
    else if (used > 0)
      lines.back() += ' ';
    lines.back() += word;
  }
  return lines;
}

std::string fill(const std::string& text, int columns, bool right) {
  const std::string spaces(static_cast<std::size_t>(std::max(columns - display_columns(text), 0)), ' ');
  return right ? spaces + text : text + spaces;
}

}  // namespace cadena::examples::course
