#pragma once

namespace cadena::plot {

/// What the place that output goes to can show.
struct Terminal {
  bool interactive = false;  ///< a line may be redrawn in place
  bool colour = false;       ///< ANSI colours are wanted (never with NO_COLOR)
  bool unicode = true;       ///< block characters may be used
  int width = 80;            ///< columns
  int height = 24;           ///< lines
};

/// Looks at the file descriptor and at TERM, NO_COLOR, COLUMNS, LINES, LC_ALL, LC_CTYPE and LANG. Not
/// interactive where the descriptor is no terminal or TERM is "dumb" or empty.
Terminal detect_terminal(int descriptor);

struct TerminalSize {
  int width, height;
};

/// Of the terminal behind `descriptor` now (it may have been resized), else by COLUMNS and LINES, else 80
/// x 24.
TerminalSize terminal_size(int descriptor);

}  // namespace cadena::plot
