// Pictures as tensors: PNG and JPEG.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>

#include "autodiff/tensor.hpp"

namespace cadena::data {

struct ImageOptions {
  int channels = 0;  ///< 0: as the file has them (grey, grey and alpha, RGB, RGB and alpha); 1: grey; 3: RGB
  std::int64_t max_pixels = std::int64_t{1} << 28;  ///< refuse larger pictures
};

/// Reads a PNG or JPEG picture; its first bytes tell which. Palettes become RGB, 16 bits 8. RGB becomes grey
/// by ITU-R BT.601 luma (0.299, 0.587, 0.114), and alpha is ignored, where `channels` asks for it.
/// @return f32 (channels, height, width) in [0, 1]
/// @throws IoError if `path` cannot be read or is not a regular file, FormatError if its content is no
/// picture,
///   truncated, damaged (a warning of the decoder counts), larger than allowed or than its bytes can hold, or
///   CMYK, ValueError for another number of channels
Tensor read_image(const std::filesystem::path& path, const ImageOptions& options = {});
Tensor parse_image(std::span<const std::uint8_t> file, const ImageOptions& options = {});

struct ImageWriteOptions {
  int quality = 95;  ///< of JPEG, 1 to 100
};

/// Writes a picture whose name ends in .png, .jpg or .jpeg, all or nothing. Values are clamped to [0, 1] and
/// rounded to 255ths; NaN is written as 0.
/// @param image (height, width), or (channels, height, width) with 1 or 3 channels; any dtype
/// @throws ShapeError for other shapes and empty pictures, ValueError for another ending or quality,
/// WriteError
void write_image(const std::filesystem::path& path, const Tensor& image,
                 const ImageWriteOptions& options = {});

}  // namespace cadena::data
