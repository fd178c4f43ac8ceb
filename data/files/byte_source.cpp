#include "data/files/byte_source.hpp"

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
    const OpenFile file = open_regular(path);
    fd_ = file.fd;
    left_ = file.size;
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

/// What the kinds of compressed streams share: zlib's state, its input, and what to do with its answers.
class InflateSource : public ByteSource {
 public:
  InflateSource(std::unique_ptr<ByteSource> packed, const char* format, int window)
      : packed_(std::move(packed)), format_(format), most_(packed_->at_most() * best_ratio) {
    if (inflateInit2(&stream_, window) != Z_OK) throw std::bad_alloc();
  }
  ~InflateSource() override { inflateEnd(&stream_); }

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

 protected:
  virtual void step() = 0;

  bool refilled() {
    if (stream_.avail_in == 0) {
      stream_.next_in = buffer_.data();
      stream_.avail_in = static_cast<uInt>(packed_->read(buffer_.data(), buffer_.size()));
    }
    return stream_.avail_in != 0;
  }

  /// @return true at the end of a stream
  bool unpack() {
    if (!refilled()) fail("expected more compressed data, got their end");
    switch (inflate(&stream_, Z_NO_FLUSH)) {
      case Z_STREAM_END:
        return true;
      case Z_OK:
      case Z_BUF_ERROR:
        return false;
      case Z_MEM_ERROR:
        throw std::bad_alloc();
      default:
        fail(std::string("expected intact data, got ") +
             (stream_.msg != nullptr ? stream_.msg : "something else"));
    }
  }

  [[noreturn]] void fail(std::string why) const {
    throw FormatError(format_, static_cast<std::int64_t>(given_), "compressed data", std::move(why));
  }

  bool finished_ = false;
  z_stream stream_{};

 private:
  static constexpr std::uint64_t best_ratio = 1032;  // deflate cannot do better: 258 bytes from two bits

  std::unique_ptr<ByteSource> packed_;
  const char* format_;
  std::uint64_t most_;
  std::uint64_t given_ = 0;
  std::array<std::uint8_t, 1 << 16> buffer_;
};

class GzipSource : public InflateSource {
 public:
  explicit GzipSource(std::unique_ptr<ByteSource> packed)
      : InflateSource(std::move(packed), "gzip", MAX_WBITS + gzip_only) {}

 private:
  static constexpr int gzip_only = 16;

  void step() override {
    if (between_members_) {
      finished_ = !refilled();
      if (finished_) return;
      inflateReset(&stream_);
    }
    between_members_ = unpack();  // at the end of a member zlib has verified its checksum and length
  }

  bool between_members_ = false;
};

class DeflateSource : public InflateSource {
 public:
  explicit DeflateSource(std::span<const std::uint8_t> packed)
      : InflateSource(open_memory(packed), "deflate", -MAX_WBITS) {}

 private:
  void step() override {
    finished_ = unpack();
    if (finished_ && refilled()) fail("expected the end of the data, got more bytes");
  }
};

}  // namespace

OpenFile open_regular(const std::filesystem::path& path) {
  OpenFile file;
  // Without O_NONBLOCK, opening a pipe nobody writes to would never return.
  do file.fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  while (file.fd < 0 && errno == EINTR);
  if (file.fd < 0) throw IoError("[open] cannot read " + path.string() + ": " + reason(errno));
  struct stat status {};
  const int error = ::fstat(file.fd, &status) == 0 ? 0 : errno;
  if (error == 0 && S_ISREG(status.st_mode)) {
    file.size = static_cast<std::uint64_t>(status.st_size);
    return file;
  }
  ::close(file.fd);
  if (error != 0) throw IoError("[open] cannot examine " + path.string() + ": " + reason(error));
  throw IoError("[open] expected a regular file, got " + path.string() + ", which is " +
                (S_ISDIR(status.st_mode) ? "a folder" : "a pipe, socket or device"));
}

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

std::unique_ptr<ByteSource> unpack_deflate(std::span<const std::uint8_t> packed) {
  return std::make_unique<DeflateSource>(packed);
}

void read_exactly(ByteSource& source, std::vector<std::uint8_t>& bytes, std::uint64_t size,
                  const char* format, std::uint64_t offset, const char* field) {
  const auto fail = [&](std::uint64_t at, std::uint64_t got, const char* bound) {
    throw FormatError(format, static_cast<std::int64_t>(at), field,
                      "expected " + std::to_string(size) + " bytes, got " + bound + std::to_string(got));
  };
  if (size > source.at_most()) fail(offset, source.at_most(), "at most ");
  std::uint64_t have = 0;
  while (have < size) {
    const auto target = std::min(size, std::max<std::uint64_t>(2 * have, 1 << 16));
    bytes.reserve(target);
    bytes.resize(target);
    const auto got = source.read(bytes.data() + have, target - have);
    if (got < target - have) fail(offset + have + got, have + got, "");
    have = target;
  }
}

}  // namespace cadena::data
