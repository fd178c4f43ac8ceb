// Numbers, small tensors and names as text and LaTeX.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "autodiff/symbol.hpp"
#include "autodiff/tensor.hpp"

namespace cadena::detail {

/// At most `digits` significant digits, whatever the locale: "0.7616", "-3", "1e-05", "nan".
std::string number_text(double v, int digits);
/// The same for math mode: "10^{-5}", "\infty".
std::string number_latex(double v, int digits);
/// Letters that LaTeX would take for commands.
std::string latex_escaped(std::string_view s);

/// "0.5", "[1, 2]", "[[1, 2], [3, 4]]"; beyond `max_elements` "mean 0.1, min -2, max 3, norm 12".
std::string tensor_text(const Tensor& t, int digits, std::int64_t max_elements, Language language);
/// A number, a row, a matrix; beyond that (or beyond two dimensions) the summary.
std::string tensor_latex(const Tensor& t, int digits, std::int64_t max_elements, Language language);

/// Columns a text takes: code points, not bytes.
std::size_t text_width(std::string_view s);
std::string padded_to(std::string s, std::size_t width);

}  // namespace cadena::detail
