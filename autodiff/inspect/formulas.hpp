// From an operation to the text that tells what it does.
#pragma once

#include <string_view>
#include <vector>

#include "autodiff/inspect.hpp"

namespace cadena::detail {

/// As text and as LaTeX.
Formula written(const Symbol& s, const SymbolStyle& style);
/// "matmul(x, w)".
Formula called(std::string_view op, const std::vector<Formula>& arguments);
/// A line written by hand. "dA = G B^T" is mathematics; most others are words.
Formula plain(std::string_view s);
/// There are formulas, and none that is too long for a reader.
bool readable(const SymbolicOp& s);

}  // namespace cadena::detail
