// Whole files: read with a bound, written all or nothing.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "autodiff/error.hpp"

namespace cadena::data {

/// A file could not be written. The message names the path and the system's reason.
class WriteError : public IoError {
 public:
  WriteError(std::filesystem::path path, const std::string& reason)
      : IoError("[write_file] cannot write " + path.string() + ": " + reason), path_(std::move(path)) {}

  /// The file (or the folder) that could not be written.
  const std::filesystem::path& path() const noexcept { return path_; }

 private:
  std::filesystem::path path_;
};

/// A file that appears at its path only when it is complete and on the disk: it is written under another name
/// beside it and renamed by `commit`. Until then, or if anything fails, what was at the path stays.
class AtomicFile {
 public:
  /// Makes missing parent folders. @throws WriteError
  explicit AtomicFile(std::filesystem::path path);
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;
  ~AtomicFile();  ///< removes what was not committed

  void write(std::span<const std::uint8_t> bytes);  ///< appends. @throws WriteError
  void commit();                                    ///< once, at the end. @throws WriteError

 private:
  [[noreturn]] void fail(int error);

  std::filesystem::path path_, temporary_;
  int fd_ = -1;
};

/// Writes `content` to `path` through an AtomicFile. @throws WriteError
void write_file(const std::filesystem::path& path, std::string_view content);
void write_file(const std::filesystem::path& path, std::span<const std::uint8_t> content);

/// All bytes of a regular file. @throws IoError if it is missing, unreadable, no regular file, or larger than
/// `max_bytes`
std::vector<std::uint8_t> read_file(const std::filesystem::path& path,
                                    std::uint64_t max_bytes = std::uint64_t{4} << 30);

}  // namespace cadena::data
