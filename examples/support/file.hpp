#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <utility>

#include "autodiff/error.hpp"

namespace cadena::examples {

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

/// Writes `content` to `path`, all of it or nothing: a reader sees the old file or the new one, never a half.
/// Missing parent folders are made. Throws WriteError; a file that was there before then stays as it was.
void write_file(const std::filesystem::path& path, std::string_view content);

}  // namespace cadena::examples
