#include "plot/table.hpp"

#include <unistd.h>

#include <algorithm>
#include <string_view>

#include "plot/format.hpp"
#include "plot/terminal.hpp"

namespace cadena::plot {
namespace {

constexpr int narrowest_text = 20;  // however narrow the terminal is

std::string spaces(int n) { return std::string(static_cast<std::size_t>(std::max(n, 0)), ' '); }

/// `text` in lines of at most `columns`, each but the first indented.
std::string wrap(std::string_view text, int indent, int columns) {
  std::string lines;
  int used = 0;
  while (!text.empty()) {
    const std::string_view word = text.substr(0, text.find(' '));
    text.remove_prefix(std::min(text.size(), word.size() + 1));
    const int width = display_columns(word);
    if (used > 0 && used + 1 + width > columns) {
      lines += "\n" + spaces(indent);
      used = 0;
    } else if (used > 0) {
      lines += ' ';
      ++used;
    }
    lines += word;
    used += width;
  }
  return lines;
}

}  // namespace

std::string print_table(const Table& table, int width) {
  int indent = 10;
  for (const auto& [name, text] : table) indent = std::max(indent, display_columns(name) + 2);
  std::string lines;
  for (const auto& [name, text] : table) {
    lines += name + spaces(indent - display_columns(name));
    lines += wrap(text, indent, std::max(narrowest_text, width - indent)) + "\n";
  }
  return lines;
}

std::string print_table(const Table& table) { return print_table(table, terminal_size(STDOUT_FILENO).width); }

}  // namespace cadena::plot
