#include "examples/course/board.hpp"

#include <algorithm>
#include <ostream>

#include "plot/format.hpp"

namespace cadena::examples::course {
using namespace plot;

namespace {

constexpr int page = 78;  // columns

std::string line_of(const char* dash, int columns) {
  std::string line;
  for (int i = 0; i < columns; ++i) line += dash;
  return line;
}

bool is_number(const std::string& cell) {
  return cell.empty() || cell.find_first_not_of("0123456789.-+%, ") == std::string::npos;
}

}  // namespace

void Board::title(const Text& text) {
  const std::string& words = (*this)(text);
  out_ << words << '\n' << line_of("=", display_columns(words)) << '\n';
}

void Board::step(const Text& text) {
  out_ << '\n' << ++steps_ << ". " << (*this)(text) << '\n';
  after_lines_ = false;
}

void Board::say(const Text& text) {
  if (after_lines_) out_ << '\n';
  after_lines_ = false;
  for (const std::string& line : wrap((*this)(text), page - 3)) out_ << "   " << line << '\n';
}

void Board::math(const std::string& line) {
  out_ << (line.empty() ? "" : "     ") << line << '\n';
  after_lines_ = !line.empty();
}

void Board::table(const std::vector<std::vector<std::string>>& rows) {
  std::string rule;
  std::vector<int> widths;
  std::vector<bool> right;
  for (std::size_t column = 0; column < rows.front().size(); ++column) {
    int width = 0;
    bool numeric = true;
    for (std::size_t row = 0; row < rows.size(); ++row) {
      width = std::max(width, display_columns(rows[row][column]));
      numeric = numeric && (row == 0 || is_number(rows[row][column]));
    }
    widths.push_back(width);
    right.push_back(numeric);
    rule += (column > 0 ? "──" : "") + line_of("─", width);
  }
  for (std::size_t row = 0; row < rows.size(); ++row) {
    std::string line;
    for (std::size_t column = 0; column < widths.size(); ++column)
      line += (column > 0 ? "  " : "") + fill(rows[row][column], widths[column], right[column]);
    line.erase(line.find_last_not_of(' ') + 1);
    math(line);
    if (row == 0) math(rule);
  }
}

void Board::picture(const std::string& name, const std::string& svg, const Text& what) {
  const std::string path = keep_(name, svg);
  out_ << '\n' << (*this)({"Dibujo", "Picture"}) << ": " << path << " (" << (*this)(what) << ")\n";
}

Text yes_or_no(bool yes) { return yes ? Text{"sí", "yes"} : Text{"no", "no"}; }

}  // namespace cadena::examples::course
