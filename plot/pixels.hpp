#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "data/files/png.hpp"

namespace cadena::plot {

/// A picture for Svg::image in which every pixel is a square of about `enlarge` ones: several viewers ignore
/// image-rendering and would blur.
/// @param pixels rows * columns of them, row by row, channels interleaved
std::string enlarged_uri(std::span<const std::uint8_t> pixels, std::int64_t rows, std::int64_t columns,
                         double enlarge, data::PngColour colour = data::PngColour::grey);

}  // namespace cadena::plot
