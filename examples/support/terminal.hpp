#pragma once

namespace cadena::examples {

/// What the place that output goes to can show.
struct Terminal {
  bool interactive = false;  ///< a line may be redrawn in place
  bool colour = false;       ///< ANSI colours are wanted (never with NO_COLOR)
  bool unicode = true;       ///< block characters may be used
  int width = 80;            ///< columns
};

/// Looks at the file descriptor and at TERM, NO_COLOR, COLUMNS, LC_ALL, LC_CTYPE and LANG. Not interactive
/// where the descriptor is no terminal or TERM is "dumb" or empty.
Terminal detect_terminal(int descriptor);

/// Columns of the terminal behind `descriptor` now (it may have been resized), else of COLUMNS, else 80.
int terminal_width(int descriptor);

}  // namespace cadena::examples
