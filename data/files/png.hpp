#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace cadena::data {

/// The number of 8-bit channels of a pixel.
enum class PngColour { grey = 1, rgb = 3 };

/// A PNG file from 8-bit pixels, row by row from the top, channels interleaved. Throws cadena::ValueError if
/// the sizes are not positive, exceed 2^20 pixels a side, or disagree with the number of pixels.
std::vector<std::uint8_t> encode_png(std::span<const std::uint8_t> pixels, std::int64_t width,
                                     std::int64_t height, PngColour colour = PngColour::grey);

/// RFC 4648 base64 with padding.
std::string base64(std::span<const std::uint8_t> bytes);

/// encode_png as a "data:image/png;base64,..." URI, for an image inside an SVG or HTML page.
std::string png_data_uri(std::span<const std::uint8_t> pixels, std::int64_t width, std::int64_t height,
                         PngColour colour = PngColour::grey);

}  // namespace cadena::data
