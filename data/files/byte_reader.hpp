// Walks over bytes in memory without ever leaving them. Not part of the public interface.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "autodiff/error.hpp"

namespace cadena::data {

class ByteReader {
 public:
  /// @param format named in errors
  ByteReader(const char* format, std::span<const std::uint8_t> bytes, std::size_t at = 0)
      : format_(format), bytes_(bytes), at_(at) {}

  std::size_t at() const { return at_; }
  std::size_t left() const { return bytes_.size() - at_; }

  /// The next `n` bytes. @throws FormatError if there are fewer
  std::span<const std::uint8_t> take(std::uint64_t n, const char* field) {
    if (n > left()) fail(field, "expected " + std::to_string(n) + " bytes, got " + std::to_string(left()));
    const auto taken = bytes_.subspan(at_, static_cast<std::size_t>(n));
    at_ += static_cast<std::size_t>(n);
    return taken;
  }
  std::string_view text(std::uint64_t n, const char* field) {
    const auto taken = take(n, field);
    return {reinterpret_cast<const char*>(taken.data()), taken.size()};
  }
  /// A little-endian number of 1 to 8 bytes.
  std::uint64_t number(int bytes, const char* field) {
    std::uint64_t value = 0;
    int shift = 0;
    for (const std::uint8_t b : take(static_cast<std::uint64_t>(bytes), field)) {
      value |= std::uint64_t{b} << shift;
      shift += 8;
    }
    return value;
  }
  std::uint32_t u32(const char* field) { return static_cast<std::uint32_t>(number(4, field)); }
  std::uint16_t u16(const char* field) { return static_cast<std::uint16_t>(number(2, field)); }

  [[noreturn]] void fail(const char* field, const std::string& reason) const {
    throw FormatError(format_, static_cast<std::int64_t>(at_), field, reason);
  }

 private:
  const char* format_;
  std::span<const std::uint8_t> bytes_;
  std::size_t at_;
};

}  // namespace cadena::data
