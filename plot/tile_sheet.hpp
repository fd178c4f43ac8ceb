#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace cadena::plot {

/// What a value looks like.
enum class Tone {
  light_on_dark,  ///< from 0, black, to 1, white
  dark_on_light,  ///< from 0, white, to 1, black: ink on paper
  by_sign,        ///< 0 white, positive ones orange, negative ones blue, the deeper the larger
};

/// Small pictures side by side: what a network draws, the filters of a layer.
struct TileSheet {
  std::string title = {};
  std::string subtitle = {};
  std::int64_t rows = 28;  ///< pixels of each tile
  std::int64_t columns = 28;
  std::vector<double> values = {};  ///< (tiles, rows, columns), row by row
  Tone tone = Tone::light_on_dark;
  int per_row = 8;     ///< tiles beside one another
  double enlarge = 3;  ///< screen pixels for a pixel of a tile
  /// What stands to the left of the rows of tiles; the names start again when they run out.
  std::vector<std::string> row_names = {};
};

/// The sheet as an SVG document. With Tone::by_sign the largest magnitude of all tiles has the deepest
/// colour, and a key says how large it is; with the others, values outside [0, 1] count as 0 or 1.
/// @throws cadena::ValueError unless sizes are positive, the values fill whole tiles, and all are finite
std::string render_tile_sheet(const TileSheet& sheet);

}  // namespace cadena::plot
