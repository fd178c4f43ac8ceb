// libjpeg reports errors by longjmp, as libpng does: see png_read.cpp.
#include <cstddef>
#include <cstdio>
//
#include <jpeglib.h>

#include <algorithm>
#include <csetjmp>
#include <cstdlib>
#include <string>

#include "autodiff/error.hpp"
#include "data/files/raster.hpp"

namespace cadena::data {
namespace {

constexpr std::uint64_t pixels_per_byte = 512;  // a block of 64 takes at least one bit
constexpr int most_scans = 100;                 // each costs time that its few bytes do not pay for

/// What jumps and what it leaves behind; first member of the readers and writers below.
struct Errors {
  jpeg_error_mgr manager;
  std::jmp_buf escape;
  char message[JMSG_LENGTH_MAX];
};

Errors& errors_of(j_common_ptr info) { return *reinterpret_cast<Errors*>(info->err); }

[[noreturn]] void on_error(j_common_ptr info) {
  Errors& errors = errors_of(info);
  info->err->format_message(info, errors.message);
  std::longjmp(errors.escape, 1);
}
/// Negative levels are damage over which libjpeg would go on with invented pixels.
void on_message(j_common_ptr info, int level) {
  if (level < 0) on_error(info);
}
void on_output(j_common_ptr) {}

void prepare(Errors& errors, jpeg_error_mgr*& place) {
  place = jpeg_std_error(&errors.manager);
  errors.manager.error_exit = on_error;
  errors.manager.emit_message = on_message;
  errors.manager.output_message = on_output;
  errors.message[0] = '\0';
}

struct Reader {
  Errors errors;
  jpeg_progress_mgr progress;
  jpeg_decompress_struct info;

  Reader() : errors{}, progress{}, info{} { prepare(errors, info.err); }
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;
  ~Reader() { jpeg_destroy_decompress(&info); }
};

void count_scans(j_common_ptr info) {
  if (reinterpret_cast<j_decompress_ptr>(info)->input_scan_number <= most_scans) return;
  Errors& errors = errors_of(info);
  std::snprintf(errors.message, sizeof(errors.message), "more than %d scans", most_scans);
  std::longjmp(errors.escape, 1);
}

/// @return false after an error
bool read_head(Reader& r, const std::uint8_t* bytes, unsigned long size) {
  if (setjmp(r.errors.escape) != 0) return false;
  jpeg_create_decompress(&r.info);
  r.progress.progress_monitor = count_scans;
  r.info.progress = &r.progress;
  jpeg_mem_src(&r.info, bytes, size);
  jpeg_read_header(&r.info, TRUE);
  return true;
}

bool start(Reader& r) {
  if (setjmp(r.errors.escape) != 0) return false;
  jpeg_start_decompress(&r.info);
  return true;
}

bool read_pixels(Reader& r, std::uint8_t* to, std::size_t row) {
  if (setjmp(r.errors.escape) != 0) return false;
  while (r.info.output_scanline < r.info.output_height) {
    JSAMPROW line = to + r.info.output_scanline * row;
    jpeg_read_scanlines(&r.info, &line, 1);
  }
  jpeg_finish_decompress(&r.info);
  return true;
}

struct Writer {
  Errors errors;
  jpeg_compress_struct info;
  unsigned char* bytes = nullptr;  // libjpeg's own, from malloc
  unsigned long size = 0;

  Writer() : errors{}, info{} { prepare(errors, info.err); }
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;
  ~Writer() {
    jpeg_destroy_compress(&info);
    std::free(bytes);  // NOLINT(cppcoreguidelines-no-malloc)
  }
};

bool write(Writer& w, const Raster& raster, int quality) {
  if (setjmp(w.errors.escape) != 0) return false;
  jpeg_create_compress(&w.info);
  jpeg_mem_dest(&w.info, &w.bytes, &w.size);
  w.info.image_width = static_cast<JDIMENSION>(raster.width);
  w.info.image_height = static_cast<JDIMENSION>(raster.height);
  w.info.input_components = raster.channels;
  w.info.in_color_space = raster.channels == 3 ? JCS_RGB : JCS_GRAYSCALE;
  jpeg_set_defaults(&w.info);
  jpeg_set_quality(&w.info, quality, TRUE);
  jpeg_start_compress(&w.info, TRUE);
  while (w.info.next_scanline < w.info.image_height) {
    const std::size_t at = w.info.next_scanline * static_cast<std::size_t>(raster.width * raster.channels);
    JSAMPROW line = const_cast<JSAMPROW>(raster.pixels.data() + at);  // libjpeg only reads it
    jpeg_write_scanlines(&w.info, &line, 1);
  }
  jpeg_finish_compress(&w.info);
  return true;
}

}  // namespace

Raster decode_jpeg(std::span<const std::uint8_t> file, std::int64_t max_pixels) {
  Reader r;
  const auto fail = [&](const char* field, const std::string& reason) {
    const auto left = r.info.src != nullptr ? r.info.src->bytes_in_buffer : file.size();
    throw FormatError("jpeg", static_cast<std::int64_t>(file.size() - std::min(left, file.size())), field,
                      reason);
  };
  const auto expect = [&](bool done, const char* part) {
    if (!done) fail(part, std::string("expected an intact picture, got: ") + r.errors.message);
  };
  expect(read_head(r, file.data(), static_cast<unsigned long>(file.size())), "header");
  const std::uint64_t pixels = std::uint64_t{r.info.image_width} * r.info.image_height;
  const std::string size = std::to_string(r.info.image_width) + " x " + std::to_string(r.info.image_height);
  if (pixels > static_cast<std::uint64_t>(max_pixels))
    fail("size", "expected at most " + std::to_string(max_pixels) + " pixels, got " + size);
  if (pixels > file.size() * pixels_per_byte)
    fail("size", "expected what " + std::to_string(file.size()) + " bytes can hold, got " + size);
  const auto space = r.info.jpeg_color_space;
  if (space != JCS_GRAYSCALE && space != JCS_YCbCr && space != JCS_RGB)
    fail("header", "expected a grey or RGB picture, got another colour space");
  r.info.out_color_space = space == JCS_GRAYSCALE ? JCS_GRAYSCALE : JCS_RGB;
  expect(start(r), "pixels");

  Raster raster;
  raster.width = r.info.output_width;
  raster.height = r.info.output_height;
  raster.channels = r.info.output_components;
  const auto row = static_cast<std::size_t>(raster.width * raster.channels);
  raster.pixels.resize(row * static_cast<std::size_t>(raster.height));
  expect(read_pixels(r, raster.pixels.data(), row), "pixels");
  return raster;
}

std::vector<std::uint8_t> encode_jpeg(const Raster& raster, int quality) {
  Writer w;
  if (!write(w, raster, quality))
    throw ValueError(std::string("[write_image] expected a picture that JPEG can hold, got: ") +
                     w.errors.message);
  return {w.bytes, w.bytes + w.size};
}

}  // namespace cadena::data
