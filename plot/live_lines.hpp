#pragma once

#include <iosfwd>
#include <string>
#include <string_view>
#include <vector>

#include "plot/terminal.hpp"

namespace cadena::plot {

/// Lines at the bottom of a terminal that are redrawn in place. The cursor rests on the line below them and
/// is never hidden, so an interrupt at any time leaves a tidy screen. Every drawing is written at once, over
/// the former one, of which only what differs is touched: nothing flickers.
class LiveLines {
 public:
  explicit LiveLines(std::ostream& out) : out_(&out) {}

  /// Shows `lines` (none wider than the terminal) instead of those before. What the terminal's height does
  /// not hold is cut off. A terminal of another size than before has moved the old lines about: then the new
  /// ones are drawn below.
  void draw(std::vector<std::string> lines, const Terminal& terminal);
  /// Prints a line above them.
  void print_above(std::string_view text);
  /// Lets them stand; what is drawn next comes below.
  void release() { lines_.clear(); }
  bool empty() const { return lines_.empty(); }

 private:
  std::string up() const;

  std::ostream* out_;
  std::vector<std::string> lines_;  // on the screen
  int width_ = 0, height_ = 0;
};

}  // namespace cadena::plot
