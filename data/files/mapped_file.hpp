// A file as memory. Not part of the public interface.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>

namespace cadena::data {

/// Maps a regular file privately: pages are read when they are touched, and writing to them changes this
/// process's copy only. A file that another process shortens meanwhile ends this one with SIGBUS, which is
/// why readers do this only when asked to.
class MappedFile {
 public:
  /// @throws IoError with the path
  explicit MappedFile(const std::filesystem::path& path);
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;
  ~MappedFile();

  std::span<std::uint8_t> bytes() const { return bytes_; }

 private:
  std::span<std::uint8_t> bytes_;
};

}  // namespace cadena::data
