#include "data/files/file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <system_error>

#include "data/files/byte_source.hpp"

namespace cadena::data {
namespace {

namespace fs = std::filesystem;

std::string reason_of(int error) { return std::generic_category().message(error != 0 ? error : EIO); }

/// In the same folder as `path`, because a rename is atomic only within one file system; unique per process
/// and call, so that two writers of the same file do not write into each other's half.
fs::path temporary_beside(const fs::path& path) {
  static std::atomic<unsigned> calls{0};
  const std::string suffix = ".tmp-" + std::to_string(::getpid()) + "-" + std::to_string(calls++);
  fs::path hidden = ".";
  hidden += path.filename();
  hidden += suffix;
  return path.parent_path() / hidden;
}

/// Makes a rename in `folder` survive a power failure. Some file systems cannot, which is no reason to fail.
void sync_folder(const fs::path& folder) {
  const int fd = ::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return;
  ::fsync(fd);
  ::close(fd);
}

}  // namespace

AtomicFile::AtomicFile(fs::path path) : path_(std::move(path)) {
  if (path_.filename().empty()) throw WriteError(path_, "the path names no file");
  if (const auto parent = path_.parent_path(); !parent.empty()) {
    std::error_code error;
    fs::create_directories(parent, error);
    if (error) throw WriteError(parent, error.message());
  }
  temporary_ = temporary_beside(path_);
  fd_ = ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (fd_ < 0) throw WriteError(path_, reason_of(errno));
}

AtomicFile::~AtomicFile() {
  if (fd_ >= 0) ::close(fd_);
  if (temporary_.empty()) return;
  std::error_code ignored;
  fs::remove(temporary_, ignored);
}

void AtomicFile::fail(int error) { throw WriteError(path_, reason_of(error)); }

void AtomicFile::write(std::span<const std::uint8_t> bytes) {
  while (!bytes.empty()) {
    const auto done = ::write(fd_, bytes.data(), bytes.size());
    if (done < 0 && errno == EINTR) continue;
    if (done < 0) fail(errno);
    bytes = bytes.subspan(static_cast<std::size_t>(done));
  }
}

void AtomicFile::commit() {
  if (::fsync(fd_) != 0 && errno != EINVAL && errno != EROFS) fail(errno);  // those two: cannot be synced
  const int closed = ::close(std::exchange(fd_, -1));
  if (closed != 0) fail(errno);  // a full disk may show only here
  std::error_code error;
  fs::rename(temporary_, path_, error);
  if (error) throw WriteError(path_, error.message());
  temporary_.clear();
  sync_folder(path_.parent_path());
}

void write_file(const fs::path& path, std::span<const std::uint8_t> content) {
  AtomicFile file(path);
  file.write(content);
  file.commit();
}

void write_file(const fs::path& path, std::string_view content) {
  write_file(path, std::span(reinterpret_cast<const std::uint8_t*>(content.data()), content.size()));
}

std::vector<std::uint8_t> read_file(const fs::path& path, std::uint64_t max_bytes) {
  const auto source = open_file(path);
  const auto expect = [&](std::uint64_t size) {
    if (size > max_bytes)
      throw IoError("[read_file] expected at most " + std::to_string(max_bytes) + " bytes, got more in " +
                    path.string());
  };
  expect(source->at_most());
  std::vector<std::uint8_t> bytes(source->at_most());
  bytes.resize(source->read(bytes.data(), bytes.size()));
  std::uint8_t more = 0;
  if (source->read(&more, 1) != 0)
    throw IoError("[read_file] expected " + std::to_string(bytes.size()) + " bytes, got more in " +
                  path.string() + ", which is being written");
  return bytes;
}

}  // namespace cadena::data
