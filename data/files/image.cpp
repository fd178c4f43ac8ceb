#include "data/files/image.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include "autodiff/ops.hpp"
#include "data/files/byte_source.hpp"
#include "data/files/file.hpp"
#include "data/files/png.hpp"
#include "data/files/raster.hpp"

namespace cadena::data {
namespace {

Raster decode(std::span<const std::uint8_t> file, std::int64_t max_pixels) {
  const auto starts = [&](std::initializer_list<std::uint8_t> magic) {
    return file.size() >= magic.size() && std::equal(magic.begin(), magic.end(), file.begin());
  };
  if (starts({0x89, 'P', 'N', 'G'})) return decode_png(file, max_pixels);
  if (starts({0xFF, 0xD8})) return decode_jpeg(file, max_pixels);
  throw FormatError("image", 0, "magic", "expected a PNG or JPEG picture, got something else");
}

/// What channel `c` of the result is, from one pixel of `have` channels. Grey is luma with weights in
/// 2^16ths.
std::uint8_t channel(const std::uint8_t* pixel, int have, int want, int c) {
  if (have == want || have < 3) return pixel[have == want ? c : 0];
  if (want == 3) return pixel[c];
  return static_cast<std::uint8_t>((19595U * pixel[0] + 38470U * pixel[1] + 7471U * pixel[2] + 0x8000U) >>
                                   16U);
}

bool is_jpeg(const std::string& ending) { return ending == ".jpg" || ending == ".jpeg"; }

}  // namespace

Tensor parse_image(std::span<const std::uint8_t> file, const ImageOptions& options) {
  if (options.channels != 0 && options.channels != 1 && options.channels != 3)
    throw ValueError("[read_image] expected 0, 1 or 3 channels, got " + std::to_string(options.channels));
  const Raster raster = decode(file, options.max_pixels);
  const int have = raster.channels, want = options.channels == 0 ? have : options.channels;
  Tensor image = empty({want, raster.height, raster.width});
  float* to = image.mutable_data<float>();
  const auto pixels = static_cast<std::size_t>(raster.width * raster.height);
  for (int c = 0; c < want; ++c)
    for (std::size_t i = 0; i < pixels; ++i)
      *to++ = static_cast<float>(
                  channel(raster.pixels.data() + i * static_cast<std::size_t>(have), have, want, c)) /
              255.0F;
  return image;
}

Tensor read_image(const std::filesystem::path& path, const ImageOptions& options) {
  return naming(path, [&] { return parse_image(read_file(path), options); });
}

void write_image(const std::filesystem::path& path, const Tensor& image, const ImageWriteOptions& options) {
  const std::string ending = path.extension().string();
  if (ending != ".png" && !is_jpeg(ending))
    throw ValueError("[write_image] expected a name that ends in .png, .jpg or .jpeg, got " + path.string());
  if (options.quality < 1 || options.quality > 100)
    throw ValueError("[write_image] expected a quality of 1 to 100, got " + std::to_string(options.quality));
  const Tensor planes = (image.dim() == 2 ? image.unsqueeze(0) : image).detach().to(f64).contiguous();
  if (planes.dim() != 3 || (planes.size(0) != 1 && planes.size(0) != 3) || planes.numel() == 0)
    throw ShapeError("[write_image] expected (height, width) or (1 or 3, height, width), got " +
                     to_string(image.shape()));
  Raster raster;
  raster.height = planes.size(1);
  raster.width = planes.size(2);
  raster.channels = static_cast<int>(planes.size(0));
  const std::int64_t pixels = raster.height * raster.width;
  const double* from = planes.data<double>();
  for (std::int64_t i = 0; i < pixels; ++i)
    for (int c = 0; c < raster.channels; ++c) {
      const double value = from[c * pixels + i];
      raster.pixels.push_back(static_cast<std::uint8_t>(value > 0 ? std::min(value, 1.0) * 255 + 0.5 : 0.0));
    }
  write_file(path, is_jpeg(ending) ? encode_jpeg(raster, options.quality)
                                   : encode_png(raster.pixels, raster.width, raster.height,
                                                raster.channels == 3 ? PngColour::rgb : PngColour::grey));
}

}  // namespace cadena::data
