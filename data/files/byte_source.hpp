// Where the readers of this folder get their bytes from: a file, memory, or either of them unpacked. Not part
// of the public interface.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "autodiff/error.hpp"

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

/// A regular file, open for reading, and its size.
struct OpenFile {
  int fd = -1;
  std::uint64_t size = 0;
};

/// The caller closes it. @throws IoError with the path: missing, unreadable, a folder, a pipe, a device
OpenFile open_regular(const std::filesystem::path& path);

/// Reads a regular file. @throws IoError as open_regular
std::unique_ptr<ByteSource> open_file(const std::filesystem::path& path);

/// Reads `bytes`, which must outlive the source.
std::unique_ptr<ByteSource> open_memory(std::span<const std::uint8_t> bytes);

/// Unpacks gzip, with any number of members, if the two bytes of gzip's magic come first; else returns
/// `source` unchanged in content. Every member's checksum and length are verified.
std::unique_ptr<ByteSource> unpack_if_gzip(std::unique_ptr<ByteSource> source);

/// Unpacks one bare deflate stream, as a zip archive holds it; ends where the stream ends.
std::unique_ptr<ByteSource> unpack_deflate(std::span<const std::uint8_t> packed);

/// Reads exactly `size` bytes into `bytes`, which doubles as they arrive: what a header promises costs
/// nothing. @param offset where they begin, for the error @throws FormatError if there are fewer
void read_exactly(ByteSource& source, std::vector<std::uint8_t>& bytes, std::uint64_t size,
                  const char* format, std::uint64_t offset, const char* field = "elements");

/// Calls `f`, and adds the path to the FormatError it may throw.
template <class F>
auto naming(const std::filesystem::path& path, const F& f) {
  try {
    return f();
  } catch (const FormatError& e) {
    throw FormatError(e.format, e.offset, e.field, e.reason + " in " + path.string());
  }
}

}  // namespace cadena::data
