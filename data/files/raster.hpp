// Pixels as the codecs have them. Not part of the public interface.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace cadena::data {

/// 8 bits a channel, row by row from the top, channels interleaved: grey, grey-alpha, RGB or RGBA.
struct Raster {
  std::vector<std::uint8_t> pixels = {};
  std::int64_t width = 0, height = 0;
  int channels = 1;
};

/// @throws FormatError as read_image says
Raster decode_png(std::span<const std::uint8_t> file, std::int64_t max_pixels);
Raster decode_jpeg(std::span<const std::uint8_t> file, std::int64_t max_pixels);

/// @param raster grey or RGB
std::vector<std::uint8_t> encode_jpeg(const Raster& raster, int quality);

}  // namespace cadena::data
