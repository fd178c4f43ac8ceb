#include <zlib.h>

#include <algorithm>
#include <array>
#include <new>
#include <string_view>

#include "autodiff/error.hpp"
#include "data/files/png.hpp"

namespace cadena::data {
namespace {

using Bytes = std::vector<std::uint8_t>;

constexpr std::int64_t longest_side = 1 << 20;

void append_u32(Bytes& bytes, std::uint32_t value) {
  for (const int shift : {24, 16, 8, 0}) bytes.push_back(static_cast<std::uint8_t>(value >> shift));
}

void append_chunk(Bytes& png, std::string_view type, std::span<const std::uint8_t> data) {
  append_u32(png, static_cast<std::uint32_t>(data.size()));
  const std::size_t checked_from = png.size();  // the checksum covers type and data, not the length
  png.insert(png.end(), type.begin(), type.end());
  png.insert(png.end(), data.begin(), data.end());
  const auto checked = static_cast<z_size_t>(png.size() - checked_from);
  append_u32(png, static_cast<std::uint32_t>(crc32_z(0, png.data() + checked_from, checked)));
}

/// Every row behind a filter byte of 0: pictures of a few hundred pixels gain nothing from prediction.
Bytes with_filter_bytes(std::span<const std::uint8_t> pixels, std::size_t row_bytes) {
  Bytes raw;
  raw.reserve(pixels.size() + pixels.size() / row_bytes);
  for (std::size_t at = 0; at < pixels.size(); at += row_bytes) {
    raw.push_back(0);
    const auto row = pixels.subspan(at, row_bytes);
    raw.insert(raw.end(), row.begin(), row.end());
  }
  return raw;
}

Bytes deflated(const Bytes& raw) {
  uLongf size = compressBound(static_cast<uLong>(raw.size()));
  Bytes result(size);
  if (compress2(result.data(), &size, raw.data(), static_cast<uLong>(raw.size()), Z_BEST_COMPRESSION) !=
      Z_OK) {
    throw std::bad_alloc();  // with a buffer of compressBound bytes nothing else can go wrong
  }
  result.resize(size);
  return result;
}

void check(std::size_t size, std::int64_t width, std::int64_t height, PngColour colour) {
  const bool possible = width > 0 && height > 0 && width <= longest_side && height <= longest_side;
  if (!possible || static_cast<std::uint64_t>(width * height * static_cast<int>(colour)) != size) {
    throw ValueError("[encode_png] " + std::to_string(width) + " x " + std::to_string(height) +
                     " pixels of " + std::to_string(static_cast<int>(colour)) +
                     " bytes were announced, got " + std::to_string(size) + " bytes");
  }
}

}  // namespace

Bytes encode_png(std::span<const std::uint8_t> pixels, std::int64_t width, std::int64_t height,
                 PngColour colour) {
  check(pixels.size(), width, height, colour);
  static constexpr std::array<std::uint8_t, 8> signature{0x89, 'P', 'N', 'G', '\r', '\n', 0x1A, '\n'};
  Bytes png(signature.begin(), signature.end());
  Bytes header;
  append_u32(header, static_cast<std::uint32_t>(width));
  append_u32(header, static_cast<std::uint32_t>(height));
  const std::uint8_t colour_type = colour == PngColour::rgb ? 2 : 0;
  for (const std::uint8_t byte :
       {std::uint8_t{8}, colour_type, std::uint8_t{0}, std::uint8_t{0}, std::uint8_t{0}}) {
    header.push_back(byte);
  }
  append_chunk(png, "IHDR", header);
  append_chunk(
      png, "IDAT",
      deflated(with_filter_bytes(pixels, static_cast<std::size_t>(width * static_cast<int>(colour)))));
  append_chunk(png, "IEND", {});
  return png;
}

std::string base64(std::span<const std::uint8_t> bytes) {
  constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t at = 0; at < bytes.size(); at += 3) {
    const auto byte = [&](std::size_t i) {
      return at + i < bytes.size() ? std::uint32_t{bytes[at + i]} : 0U;
    };
    const std::uint32_t group = byte(0) << 16U | byte(1) << 8U | byte(2);
    const std::size_t present = std::min<std::size_t>(bytes.size() - at, 3);
    for (std::size_t i = 0; i < 4; ++i) {
      text += i <= present ? alphabet[group >> (18U - 6U * i) & 63U] : '=';
    }
  }
  return text;
}

std::string png_data_uri(std::span<const std::uint8_t> pixels, std::int64_t width, std::int64_t height,
                         PngColour colour) {
  return "data:image/png;base64," + base64(encode_png(pixels, width, height, colour));
}

}  // namespace cadena::data
