#pragma once

#include <string>
#include <utility>
#include <vector>

namespace cadena::plot {

/// Lines of a name and what is to be said about it, as library_report() returns them.
using Table = std::vector<std::pair<std::string, std::string>>;

/// Names in one column, texts in another. A text that does not fit into `width` columns goes on in the next
/// line, broken between words.
std::string print_table(const Table& table, int width);
/// The same for the terminal behind standard output.
std::string print_table(const Table& table);

}  // namespace cadena::plot
