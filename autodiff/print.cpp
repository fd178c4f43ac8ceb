// Text of tensors, laid out as NumPy lays out arrays: shortest digits that tell neighbours apart but at most
// eight after the point, one format for all numbers, columns aligned, lines of at most 75 characters, and
// beyond 1000 elements only the first and last three along each axis. Only what is printed is read.
#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "autodiff/tensor.hpp"

namespace cadena {
namespace {

constexpr std::int64_t summary_above = 1000, edge_items = 3;
constexpr std::size_t line_width = 75;
constexpr std::size_t precision = 8;  // digits after the point

// ---- numbers ----

struct Digits {
  std::string sign, whole, fraction;
  int exponent = 0;  // of ten; used by the scientific format only
};

std::string padded(std::string_view s, std::size_t width) {
  return std::string(width > s.size() ? width - s.size() : 0, ' ').append(s);
}

void strip_zeros(std::string& s) { s.erase(s.find_last_not_of('0') + 1); }

/// d.ddd times a power of ten, `s` being what std::to_chars makes of a finite number.
Digits parse_scientific(std::string_view s) {
  Digits d;
  if (s.front() == '-') d.sign = "-", s.remove_prefix(1);
  const auto e = s.find('e');
  d.whole = s[0];
  if (e > 2) d.fraction = s.substr(2, e - 2);
  const auto first = e + (s[e + 1] == '+' ? 2 : 1);
  std::from_chars(s.data() + first, s.data() + s.size(), d.exponent);
  return d;
}

template <class T>
Digits shortest(T v) {
  char buffer[64];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, v, std::chars_format::scientific).ptr;
  return parse_scientific({buffer, end});
}

/// Exactly `digits` digits after the point, correctly rounded. (printf would follow the locale's decimal
/// comma.)
std::string rounded(double v, std::chars_format format, std::size_t digits) {
  char buffer[400];  // the largest double has 309 digits before the point
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, v, format, static_cast<int>(digits)).ptr;
  return {buffer, end};
}

/// Shortest digits that read back as the same T, cut to `precision` after the point.
template <class T>
Digits scientific(T v) {
  Digits d = shortest(v);
  if (d.fraction.size() <= precision) return d;
  d = parse_scientific(rounded(v, std::chars_format::scientific, precision));
  strip_zeros(d.fraction);
  return d;
}

/// The same without an exponent, for |v| < 1e8. Digits before the point are exact.
template <class T>
Digits positional(T v) {
  Digits d = shortest(v);
  std::string all = d.whole + d.fraction;
  if (d.exponent < 0) all.insert(0, static_cast<std::size_t>(-d.exponent), '0');
  const auto point = static_cast<std::size_t>(std::max(d.exponent, 0) + 1);
  if (all.size() < point) all = rounded(std::abs(v), std::chars_format::fixed, 0);
  d.whole = all.substr(0, point);
  d.fraction = all.substr(point);
  strip_zeros(d.fraction);
  if (d.fraction.size() <= precision) return d;
  const auto text = rounded(std::abs(v), std::chars_format::fixed, precision);
  d.whole = text.substr(0, text.find('.'));
  d.fraction = text.substr(text.find('.') + 1);
  strip_zeros(d.fraction);
  return d;
}

/// How to write every number of one tensor; made from all of them.
template <class T>
class Format;

template <class T>
requires std::is_floating_point_v<T>
class Format<T> {
 public:
  explicit Format(const std::vector<T>& values) {
    choose_notation(values);
    std::size_t special = 0;
    for (const T v : values) {
      if (!std::isfinite(v))
        special = std::max<std::size_t>(special, std::isinf(v) && v < 0 ? 4 : 3);
      else
        measure(exponential_ ? scientific(v) : positional(v));
    }
    const std::size_t right = exponential_ ? exponent_width_ + 2 + fraction_width_ : fraction_width_;
    if (special > right + 1) left_ = std::max(left_, special - right - 1);
    width_ = left_ + 1 + right;
  }

  std::string operator()(T v) const {
    if (std::isnan(v)) return padded("nan", width_);
    if (std::isinf(v)) return padded(v < 0 ? "-inf" : "inf", width_);
    return exponential_ ? with_exponent(v) : without_exponent(positional(v));
  }

 private:
  void choose_notation(const std::vector<T>& values) {
    T largest = 0, smallest = std::numeric_limits<T>::infinity();
    for (const T v : values) {
      if (!std::isfinite(v) || v == 0) continue;
      largest = std::max(largest, std::abs(v));
      smallest = std::min(smallest, std::abs(v));
    }
    exponential_ = largest != 0 &&
                   (largest >= T{1e8} || smallest < static_cast<T>(0.0001) || largest / smallest > T{1000});
  }

  void measure(const Digits& d) {
    left_ = std::max(left_, d.sign.size() + d.whole.size());
    fraction_width_ = std::max(fraction_width_, d.fraction.size());
    exponent_width_ = std::max<std::size_t>(exponent_width_, std::abs(d.exponent) > 99 ? 3 : 2);
  }

  std::string without_exponent(Digits d) const {
    d.fraction.resize(fraction_width_, ' ');
    return padded(d.sign + d.whole, left_) + "." + d.fraction;
  }

  std::string with_exponent(T v) const {
    const Digits d = parse_scientific(rounded(v, std::chars_format::scientific, fraction_width_));
    const auto e = std::to_string(std::abs(d.exponent));
    return padded(d.sign + d.whole, left_) + "." + d.fraction + (d.exponent < 0 ? "e-" : "e+") +
           std::string(exponent_width_ - std::min(exponent_width_, e.size()), '0') + e;
  }

  bool exponential_ = false;
  std::size_t left_ = 0, fraction_width_ = 0, exponent_width_ = 2, width_ = 0;
};

template <class T>
requires std::is_integral_v<T>
class Format<T> {
 public:
  explicit Format(const std::vector<T>& values) {
    for (const T v : values) width_ = std::max(width_, text(v).size());
  }
  std::string operator()(T v) const { return padded(text(v), width_); }

 private:
  static std::string text(T v) {
    if constexpr (std::is_same_v<T, bool>)
      return v ? " True" : "False";
    else
      return std::to_string(v);
  }

  std::size_t width_ = 0;
};

// ---- brackets, lines, dots ----

template <class T>
class Layout {
 public:
  Layout(const T* data, const Shape& shape, const Strides& strides)
      : shape_(shape), strides_(strides), summary_(shape.numel() > summary_above), format_(shown(data)) {
    text_ = block(data, 0, std::string(7, ' '), line_width - 1);  // 7 for "tensor(", 1 for what follows
  }

  const std::string& text() const { return text_; }

 private:
  bool dotted(int axis) const { return summary_ && shape_[axis] > 2 * edge_items; }

  /// Calls f(index) for the shown positions along `axis`, and dots() in the gap if there is one.
  template <class F, class Dots>
  void for_shown(int axis, const F& f, const Dots& dots) const {
    const std::int64_t n = shape_[axis], first = dotted(axis) ? edge_items : n;
    for (std::int64_t i = 0; i < first; ++i) f(i);
    if (!dotted(axis)) return;
    dots();
    for (std::int64_t i = n - edge_items; i < n; ++i) f(i);
  }

  std::vector<T> shown(const T* data) const {
    std::vector<T> values;
    collect(data, 0, values);
    return values;
  }
  void collect(const T* data, int axis, std::vector<T>& values) const {
    if (axis == shape_.rank()) return values.push_back(*data);
    for_shown(
        axis, [&](std::int64_t i) { collect(data + i * strides_[axis], axis + 1, values); }, [] {});
  }

  /// Text of one bracket. @param indent spaces before it on lines after the first @param width columns left
  std::string block(const T* data, int axis, const std::string& indent, std::size_t width) const {
    const int left = shape_.rank() - axis;
    if (left == 0) return format_(*data);
    if (left == 1) return row(data, indent + ' ', width);
    const std::string newline = "," + std::string(static_cast<std::size_t>(left - 1), '\n') + indent + ' ';
    std::string s;
    const auto append = [&](const std::string& part) { (s += s.empty() ? "" : newline) += part; };
    for_shown(
        axis,
        [&](std::int64_t i) { append(block(data + i * strides_[axis], axis + 1, indent + ' ', width - 1)); },
        [&] { append("..."); });
    return '[' + s + ']';
  }

  /// The innermost bracket, wrapped where it would pass `width`.
  std::string row(const T* data, const std::string& indent, std::size_t width) const {
    const int axis = shape_.rank() - 1;
    std::string s, line = indent;
    bool first = true;
    const auto append = [&](const std::string& word) {
      if (!first) line += ", ";
      first = false;
      if (line.size() + word.size() + 1 > width && line.size() > indent.size()) {
        s.append(line, 0, line.find_last_not_of(' ') + 1) += '\n';
        line = indent;
      }
      line += word;
    };
    for_shown(
        axis, [&](std::int64_t i) { append(format_(data[i * strides_[axis]])); }, [&] { append("..."); });
    return '[' + (s + line).substr(indent.size()) + ']';
  }

  Shape shape_;
  Strides strides_;
  bool summary_;
  Format<T> format_;
  std::string text_;
};

std::string numbers(const Tensor& t) {
  if (t.numel() == 0) return "[]";
  if (t.dim() == 0 && t.dtype() == boolean) return *t.data<bool>() ? "True" : "False";
  return visit(t.dtype(), [&]<class T>(T) { return Layout<T>(t.data<T>(), t.shape(), t.strides()).text(); });
}

}  // namespace

std::string Tensor::to_string() const {
  if (!defined()) return "tensor(undefined)";
  std::string s = "tensor(" + numbers(*this) + ",", tail;
  if (numel() == 0 && shape() != Shape{0}) tail = "shape=" + cadena::to_string(shape()) + ", ";
  tail += name(dtype());
  if (!is_leaf())
    tail += ", grad_fn=<" + grad_fn() + ">";
  else if (requires_grad())
    tail += ", requires_grad";
  tail += ")";
  const auto column = s.size() - (s.rfind('\n') + 1);  // npos + 1 is 0
  return s + (column + 1 + tail.size() > line_width ? "\n       " : " ") + tail;
}

std::ostream& operator<<(std::ostream& out, const Tensor& t) { return out << t.to_string(); }

}  // namespace cadena
