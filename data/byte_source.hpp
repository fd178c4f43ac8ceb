// Where the readers of this folder get their bytes from: a file, memory, or either of them through gzip. Not
// part of the public interface.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>

namespace cadena::data {

class ByteSource {
 public:
  ByteSource() = default;
  ByteSource(const ByteSource&) = delete;
  ByteSource& operator=(const ByteSource&) = delete;
  virtual ~ByteSource() = default;

  /// Stores up to `n` bytes; fewer only at the end. @return their number
  /// @throws IoError, and FormatError if compressed data are damaged
  virtual std::size_t read(std::uint8_t* to, std::size_t n) = 0;
  /// A bound on the bytes still to come. A reader refuses any promise beyond it before it allocates.
  virtual std::uint64_t at_most() const = 0;
};

/// Reads a regular file. @throws IoError with the path: missing, unreadable, a folder, a pipe, a device
std::unique_ptr<ByteSource> open_file(const std::filesystem::path& path);

/// Reads `bytes`, which must outlive the source.
std::unique_ptr<ByteSource> open_memory(std::span<const std::uint8_t> bytes);

/// Unpacks gzip, with any number of members, if the two bytes of gzip's magic come first; else returns
/// `source` unchanged in content. Every member's checksum and length are verified.
std::unique_ptr<ByteSource> unpack_if_gzip(std::unique_ptr<ByteSource> source);

}  // namespace cadena::data
