#include "plot/pixels.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

namespace cadena::plot {

std::string enlarged_uri(std::span<const std::uint8_t> pixels, std::int64_t rows, std::int64_t columns,
                         double enlarge, data::PngColour colour) {
  const auto factor = static_cast<std::int64_t>(std::clamp(std::ceil(enlarge), 1.0, 16.0));
  const auto channels = static_cast<std::int64_t>(colour);
  const std::int64_t width = columns * factor, height = rows * factor;
  std::vector<std::uint8_t> squares;
  squares.reserve(static_cast<std::size_t>(width * height * channels));
  for (std::int64_t y = 0; y < height; ++y)
    for (std::int64_t x = 0; x < width; ++x) {
      const std::int64_t at = (y / factor * columns + x / factor) * channels;
      const auto pixel = pixels.subspan(static_cast<std::size_t>(at), static_cast<std::size_t>(channels));
      squares.insert(squares.end(), pixel.begin(), pixel.end());
    }
  return data::png_data_uri(squares, width, height, colour);
}

}  // namespace cadena::plot
