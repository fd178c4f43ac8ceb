#include "data/files/gzip.hpp"

#include <zlib.h>

#include <new>
#include <string>

#include "autodiff/error.hpp"

namespace cadena::data {
namespace {

/// @param window zlib's way of saying which header it should write
std::vector<std::uint8_t> pack(const char* op, std::span<const std::uint8_t> bytes, int window) {
  constexpr std::size_t limit = std::size_t{1} << 31;  // zlib counts in 32 bits, and packing may add a little
  if (bytes.size() >= limit)
    throw ValueError(std::string("[").append(op) + "] expected fewer than 2^31 bytes, got " +
                     std::to_string(bytes.size()));
  z_stream stream{};
  constexpr int memory_level = 8;
  if (deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, window, memory_level, Z_DEFAULT_STRATEGY) !=
      Z_OK)
    throw std::bad_alloc();
  try {
    std::vector<std::uint8_t> out(deflateBound(&stream, bytes.size()));
    stream.next_in = const_cast<std::uint8_t*>(bytes.data());  // zlib only reads it
    stream.avail_in = static_cast<uInt>(bytes.size());
    stream.next_out = out.data();
    stream.avail_out = static_cast<uInt>(out.size());
    deflate(&stream, Z_FINISH);  // cannot fail with deflateBound bytes of room
    out.resize(stream.total_out);
    deflateEnd(&stream);
    return out;
  } catch (...) {
    deflateEnd(&stream);
    throw;
  }
}

}  // namespace

std::vector<std::uint8_t> gzip(std::span<const std::uint8_t> bytes) {
  constexpr int gzip_header = 16;
  return pack("gzip", bytes, MAX_WBITS + gzip_header);
}

std::vector<std::uint8_t> deflate_raw(std::span<const std::uint8_t> bytes) {
  return pack("deflate", bytes, -MAX_WBITS);
}

}  // namespace cadena::data
