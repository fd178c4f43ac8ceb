#include "data/byte_source.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <new>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "autodiff/error.hpp"

namespace cadena::data {
namespace {

std::string reason(int error) { return std::error_code(error, std::generic_category()).message(); }

class FileSource : public ByteSource {
 public:
  explicit FileSource(const std::filesystem::path& path) : path_(path.string()) {
    // Without O_NONBLOCK, opening a pipe nobody writes to would never return.
    do fd_ = ::open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    while (fd_ < 0 && errno == EINTR);
    if (fd_ < 0) throw IoError("[open] cannot read " + path_ + ": " + reason(errno));
    struct stat status {};
    const int error = ::fstat(fd_, &status) == 0 ? 0 : errno;
    if (error == 0 && S_ISREG(status.st_mode)) {
      left_ = static_cast<std::uint64_t>(status.st_size);
      return;
    }
    ::close(fd_);
    if (error != 0) throw IoError("[open] cannot examine " + path_ + ": " + reason(error));
    throw IoError("[open] expected a regular file, got " + path_ + ", which is " +
                  (S_ISDIR(status.st_mode) ? "a folder" : "a pipe, socket or device"));
  }
  ~FileSource() override { ::close(fd_); }

  std::size_t read(std::uint8_t* to, std::size_t n) override {
    std::size_t done = 0;
    while (done < n) {
      const auto got = ::read(fd_, to + done, n - done);
      if (got == 0) break;
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) throw IoError("[read] cannot read " + path_ + ": " + reason(errno));
      done += static_cast<std::size_t>(got);
    }
    left_ -= std::min<std::uint64_t>(left_, done);
    return done;
  }
  std::uint64_t at_most() const override { return left_; }

 private:
  std::string path_;
  int fd_ = -1;
  std::uint64_t left_ = 0;  // by the size when it was opened; a file that grows meanwhile has bytes too many
};

class MemorySource : public ByteSource {
 public:
  explicit MemorySource(std::span<const std::uint8_t> bytes) : bytes_(bytes) {}

  std::size_t read(std::uint8_t* to, std::size_t n) override {
    n = std::min(n, bytes_.size());
    std::copy_n(bytes_.begin(), n, to);
    bytes_ = bytes_.subspan(n);
    return n;
  }
  std::uint64_t at_most() const override { return bytes_.size(); }

 private:
  std::span<const std::uint8_t> bytes_;
};

/// `head` and then `rest`: gives back what was read to look at the magic.
class JoinedSource : public ByteSource {
 public:
  JoinedSource(std::vector<std::uint8_t> head, std::unique_ptr<ByteSource> rest)
      : head_(std::move(head)), rest_(std::move(rest)) {}

  std::size_t read(std::uint8_t* to, std::size_t n) override {
    const std::size_t first = std::min(n, head_.size() - used_);
    std::copy_n(head_.begin() + static_cast<std::ptrdiff_t>(used_), first, to);
    used_ += first;
    return first < n ? first + rest_->read(to + first, n - first) : first;
  }
  std::uint64_t at_most() const override { return head_.size() - used_ + rest_->at_most(); }

 private:
  std::vector<std::uint8_t> head_;
  std::size_t used_ = 0;
  std::unique_ptr<ByteSource> rest_;
};

class GzipSource : public ByteSource {
 public:
  explicit GzipSource(std::unique_ptr<ByteSource> packed)
      : packed_(std::move(packed)), most_(packed_->at_most() * best_ratio) {
    constexpr int gzip_only = 16;
    if (inflateInit2(&stream_, MAX_WBITS + gzip_only) != Z_OK) throw std::bad_alloc();
  }
  ~GzipSource() override { inflateEnd(&stream_); }

  std::size_t read(std::uint8_t* to, std::size_t n) override {
    std::size_t done = 0;
    while (done < n && !finished_) {
      const auto room = static_cast<uInt>(std::min<std::size_t>(n - done, 1U << 30));
      stream_.next_out = to + done;
      stream_.avail_out = room;
      step();
      done += room - stream_.avail_out;
      given_ += room - stream_.avail_out;
    }
    return done;
  }
  std::uint64_t at_most() const override { return most_ - std::min(most_, given_); }

 private:
  static constexpr std::uint64_t best_ratio = 1032;  // deflate cannot do better: 258 bytes from two bits

  void refill() {
    stream_.next_in = buffer_.data();
    stream_.avail_in = static_cast<uInt>(packed_->read(buffer_.data(), buffer_.size()));
  }

  void step() {
    if (stream_.avail_in == 0) refill();
    if (between_members_) {
      finished_ = stream_.avail_in == 0;
      if (finished_) return;
      inflateReset(&stream_);
      between_members_ = false;
    }
    if (stream_.avail_in == 0) fail("expected more compressed data, got the end of the file");
    switch (inflate(&stream_, Z_NO_FLUSH)) {
      case Z_STREAM_END:
        between_members_ = true;
        break;  // zlib has verified checksum and length
      case Z_OK:
      case Z_BUF_ERROR:
        break;
      case Z_MEM_ERROR:
        throw std::bad_alloc();
      default:
        fail(std::string("expected intact gzip data, got ") +
             (stream_.msg != nullptr ? stream_.msg : "something else"));
    }
  }

  [[noreturn]] void fail(std::string why) const {
    throw FormatError("gzip", static_cast<std::int64_t>(given_), "compressed data", std::move(why));
  }

  std::unique_ptr<ByteSource> packed_;
  std::uint64_t most_;
  std::uint64_t given_ = 0;
  bool between_members_ = false, finished_ = false;
  z_stream stream_{};
  std::array<std::uint8_t, 1 << 16> buffer_;
};

}  // namespace

std::unique_ptr<ByteSource> open_file(const std::filesystem::path& path) {
  return std::make_unique<FileSource>(path);
}

std::unique_ptr<ByteSource> open_memory(std::span<const std::uint8_t> bytes) {
  return std::make_unique<MemorySource>(bytes);
}

std::unique_ptr<ByteSource> unpack_if_gzip(std::unique_ptr<ByteSource> source) {
  std::vector<std::uint8_t> head(2);
  head.resize(source->read(head.data(), head.size()));
  const bool gzip = head.size() == 2 && head[0] == 0x1F && head[1] == 0x8B;
  auto whole = std::make_unique<JoinedSource>(std::move(head), std::move(source));
  if (!gzip) return whole;
  return std::make_unique<GzipSource>(std::move(whole));
}

}  // namespace cadena::data
