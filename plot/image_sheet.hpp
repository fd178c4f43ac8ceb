#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace cadena::plot {

/// One image with what a classifier said about it.
struct SheetItem {
  std::span<const std::uint8_t> pixels =
      {};  ///< grey, rows * columns of them, row by row; must outlive the call
  std::string predicted = {};
  std::string truth = {};
  double probability = 0;  ///< of `predicted`, in [0, 1]
};

struct ImageSheet {
  std::string title = {};
  std::string subtitle = {};
  std::int64_t rows = 28;  ///< pixels of each image
  std::int64_t columns = 28;
  int per_row = 8;                  ///< images beside one another
  double enlarge = 5;               ///< screen pixels for a pixel of an image
  bool dark_on_light = false;       ///< inverts the greys: ink on paper
  std::string correct = "correct";  ///< the words of the legend and of the captions
  std::string wrong = "wrong";
  std::string truth = "true:";
  std::vector<SheetItem> items = {};
};

/// The sheet as an SVG document: every image with a caption "predicted, probability" and, where it is wrong,
/// the true class; right and wrong ones differ in colour, in the frame's weight and by a tick or a cross.
/// Throws cadena::ValueError if an item's pixels do not fit `rows` and `columns`, or a size is not positive.
std::string render_image_sheet(const ImageSheet& sheet);

}  // namespace cadena::plot
