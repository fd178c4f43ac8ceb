// Words in both languages of the course, side by side, and numbers as one writes them on a board.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "autodiff/symbol.hpp"
#include "autodiff/tensor.hpp"

namespace cadena::examples::course {

/// The same words twice. Whatever a slide says is one of these, so that no output is half translated.
struct Text {
  std::string es = {}, en = {};

  const std::string& in(Language language) const { return language == Language::es ? es : en; }
};

/// At most `decimals` digits after the point, without trailing zeros: 0.4, -2, 0.3333. What is too large or
/// too small for that is written as 3.1e-05; below 1e-12 it is 0, being nothing but rounding.
std::string number(double value, int decimals = 4);

/// number(), in parentheses if it is negative: for sums and products.
std::string factor(double value, int decimals = 4);

/// "[0.1, 0.2]", and a matrix as "[[1, 2], [3, 4]]".
std::string numbers(const Tensor& values, int decimals = 4);
std::string numbers(std::span<const double> values, int decimals = 4);

/// `text` in lines of at most `columns`, broken between words.
std::vector<std::string> wrap(std::string_view text, int columns);

/// `text` filled up with spaces to `columns`, on its right or (`right`) on its left.
std::string fill(const std::string& text, int columns, bool right = false);

}  // namespace cadena::examples::course
