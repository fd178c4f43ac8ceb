#include "plot/live_lines.hpp"

#include <algorithm>
#include <ostream>

namespace cadena::plot {

namespace {
// Overwrite, then erase what is left of a longer line: erasing first would flicker.
constexpr std::string_view end_of_line = "\x1b[K\n";
constexpr std::string_view erase_below = "\x1b[J";
}  // namespace

std::string LiveLines::up() const {
  return lines_.empty() ? "\r" : "\r\x1b[" + std::to_string(lines_.size()) + "A";
}

void LiveLines::draw(std::vector<std::string> lines, const Terminal& terminal) {
  // One row is the cursor's own.
  lines.resize(std::min(lines.size(), static_cast<std::size_t>(std::max(terminal.height - 1, 1))));
  if (terminal.width != width_ || terminal.height != height_) release();
  width_ = terminal.width;
  height_ = terminal.height;
  std::string text = up();
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const bool same = i < lines_.size() && lines[i] == lines_[i];
    text += same ? "\n" : lines[i] + std::string(end_of_line);
  }
  if (lines.size() < lines_.size()) text += erase_below;
  if (lines != lines_) *out_ << text << std::flush;
  lines_ = std::move(lines);
}

void LiveLines::print_above(std::string_view line) {
  std::string text = up();
  text += line;
  text += end_of_line;
  for (const std::string& below : lines_) text += below + std::string(end_of_line);
  *out_ << text << std::flush;
}

}  // namespace cadena::plot
