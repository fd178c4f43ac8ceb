#include "plot/terminal.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <charconv>
#include <cstdlib>
#include <string_view>

namespace cadena::plot {
namespace {

/// An unset variable reads as an empty one; no rule below tells them apart.
std::string_view variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string_view{} : std::string_view{value};
}

int positive_variable(const char* name, int otherwise) {
  const std::string_view text = variable(name);
  int value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value > 0 ? value : otherwise;
}

/// A locale that is set and is not UTF-8 says so for a reason. Nothing set at all is the usual state of a
/// container behind a modern terminal, which does show UTF-8. The Linux console's font lacks the partial
/// blocks.
bool shows_unicode() {
  if (variable("TERM") == "linux") return false;
  for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    const std::string_view locale = variable(name);
    if (locale.empty()) continue;
    for (const char* charset : {"UTF-8", "utf-8", "UTF8", "utf8"}) {
      if (locale.find(charset) != std::string_view::npos) return true;
    }
    return false;
  }
  return true;
}

}  // namespace

TerminalSize terminal_size(int descriptor) {
  winsize size{};
  if (::ioctl(descriptor, TIOCGWINSZ, &size) != 0) size = {};
  return {size.ws_col > 0 ? size.ws_col : positive_variable("COLUMNS", 80),
          size.ws_row > 0 ? size.ws_row : positive_variable("LINES", 24)};
}

Terminal detect_terminal(int descriptor) {
  const std::string_view term = variable("TERM");
  Terminal terminal;
  terminal.interactive = ::isatty(descriptor) == 1 && !term.empty() && term != "dumb";
  terminal.colour = terminal.interactive && variable("NO_COLOR").empty();
  terminal.unicode = shows_unicode();
  const TerminalSize size = terminal_size(descriptor);
  terminal.width = size.width;
  terminal.height = size.height;
  return terminal;
}

}  // namespace cadena::plot
