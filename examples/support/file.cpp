#include "examples/support/file.hpp"

#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <system_error>

namespace cadena::examples {
namespace {

namespace fs = std::filesystem;

std::string reason_of(int error) { return std::generic_category().message(error != 0 ? error : EIO); }

/// In the same folder as `path`, because a rename is atomic only within one file system; unique per process
/// and call, so that two writers of the same picture do not write into each other's half.
fs::path temporary_beside(const fs::path& path) {
  static std::atomic<unsigned> calls{0};
  const std::string suffix = ".tmp-" + std::to_string(::getpid()) + "-" + std::to_string(calls++);
  fs::path hidden = ".";
  hidden += path.filename();
  hidden += suffix;
  return path.parent_path() / hidden;
}

/// 0, or the errno of the first step that failed. close() is checked too: a full disk may show only there.
int write_all(const fs::path& path, std::string_view content) {
  errno = 0;
  std::FILE* file = std::fopen(path.c_str(), "wb");
  if (file == nullptr) return errno != 0 ? errno : EIO;
  int error = 0;
  if (std::fwrite(content.data(), 1, content.size(), file) != content.size() || std::fflush(file) != 0) {
    error = errno != 0 ? errno : EIO;
  }
  if (std::fclose(file) != 0 && error == 0) error = errno != 0 ? errno : EIO;
  return error;
}

}  // namespace

void write_file(const fs::path& path, std::string_view content) {
  if (path.filename().empty()) throw WriteError(path, "the path names no file");
  std::error_code status;
  if (!path.parent_path().empty()) {
    fs::create_directories(path.parent_path(), status);
    if (status) throw WriteError(path.parent_path(), status.message());
  }
  const fs::path temporary = temporary_beside(path);
  if (const int error = write_all(temporary, content); error != 0) {
    fs::remove(temporary, status);
    throw WriteError(path, reason_of(error));
  }
  fs::rename(temporary, path, status);
  if (status) {
    std::error_code ignored;
    fs::remove(temporary, ignored);
    throw WriteError(path, status.message());
  }
}

}  // namespace cadena::examples
