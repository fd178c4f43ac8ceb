// libpng reports errors by longjmp. A jump over a C++ object that has a destructor is undefined, so setjmp is
// called only in functions that have none; everything that owns memory lives in their callers.
#include <png.h>

#include <csetjmp>
#include <cstdio>
#include <cstring>
#include <new>
#include <string>

#include "autodiff/error.hpp"
#include "data/files/raster.hpp"

namespace cadena::data {
namespace {

constexpr png_uint_32 longest_side = 1'000'000;  // libpng's own default, said aloud
constexpr std::uint64_t best_ratio = 1032;       // deflate cannot do better

struct Reader {
  std::span<const std::uint8_t> file = {};
  std::size_t at = 0;
  png_structp png = nullptr;
  png_infop info = nullptr;
  char message[128] = "";

  Reader() = default;
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;
  ~Reader() { png_destroy_read_struct(&png, &info, nullptr); }
};

[[noreturn]] void on_error(png_structp png, png_const_charp message) {
  auto* reader = static_cast<Reader*>(png_get_error_ptr(png));
  std::snprintf(reader->message, sizeof(reader->message), "%s", message);
  png_longjmp(png, 1);
}
void on_warning(png_structp, png_const_charp) {}

void take(png_structp png, png_bytep to, png_size_t n) {
  auto* reader = static_cast<Reader*>(png_get_io_ptr(png));
  if (n > reader->file.size() - reader->at) png_error(png, "the end of the data");
  std::memcpy(to, reader->file.data() + reader->at, n);
  reader->at += n;
}

/// Everything before the pixels. @return false after an error
bool read_head(Reader& r) {
  if (setjmp(png_jmpbuf(r.png)) != 0) return false;
  png_set_read_fn(r.png, &r, take);
  png_set_crc_action(r.png, PNG_CRC_ERROR_QUIT, PNG_CRC_ERROR_QUIT);
  png_set_user_limits(r.png, longest_side, longest_side);
  png_read_info(r.png, r.info);
  return true;
}

/// Asks for 8 bits a channel and no palette. @return false after an error
bool choose_output(Reader& r) {
  if (setjmp(png_jmpbuf(r.png)) != 0) return false;
  png_set_scale_16(r.png);
  png_set_expand(r.png);  // palettes, few bits, and transparency of one colour
  png_set_interlace_handling(r.png);
  png_read_update_info(r.png, r.info);
  return true;
}

bool read_pixels(Reader& r, png_bytep* rows) {
  if (setjmp(png_jmpbuf(r.png)) != 0) return false;
  png_read_image(r.png, rows);
  png_read_end(r.png, nullptr);
  return true;
}

[[noreturn]] void fail(const Reader& r, const std::string& field, const std::string& reason) {
  throw FormatError("png", static_cast<std::int64_t>(r.at), field, reason);
}

void check_size(const Reader& r, std::int64_t max_pixels) {
  const std::uint64_t width = png_get_image_width(r.png, r.info),
                      height = png_get_image_height(r.png, r.info);
  const std::string size = std::to_string(width) + " x " + std::to_string(height);
  if (static_cast<std::int64_t>(width * height) > max_pixels)
    fail(r, "size", "expected at most " + std::to_string(max_pixels) + " pixels, got " + size);
  if (height * png_get_rowbytes(r.png, r.info) > r.file.size() * best_ratio)
    fail(r, "size", "expected what " + std::to_string(r.file.size()) + " bytes can hold, got " + size);
}

}  // namespace

Raster decode_png(std::span<const std::uint8_t> file, std::int64_t max_pixels) {
  Reader r;
  r.file = file;
  r.png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &r, on_error, on_warning);
  if (r.png != nullptr) r.info = png_create_info_struct(r.png);
  if (r.info == nullptr) throw std::bad_alloc();
  const auto expect = [&](bool done, const char* part) {
    if (!done) fail(r, part, std::string("expected an intact picture, got: ") + r.message);
  };
  expect(read_head(r), "header");
  check_size(r, max_pixels);
  expect(choose_output(r), "header");

  Raster raster;
  raster.width = png_get_image_width(r.png, r.info);
  raster.height = png_get_image_height(r.png, r.info);
  raster.channels = png_get_channels(r.png, r.info);
  const std::size_t row = png_get_rowbytes(r.png, r.info);
  raster.pixels.resize(row * static_cast<std::size_t>(raster.height));
  std::vector<png_bytep> rows;
  for (std::size_t y = 0; y < static_cast<std::size_t>(raster.height); ++y)
    rows.push_back(raster.pixels.data() + y * row);
  expect(read_pixels(r, rows.data()), "pixels");
  return raster;
}

}  // namespace cadena::data
