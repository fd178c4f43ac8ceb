#include "data/files/zip.hpp"

#include <zlib.h>

#include <algorithm>
#include <set>

#include "data/files/byte_reader.hpp"
#include "data/files/byte_source.hpp"
#include "data/files/gzip.hpp"
#include "data/files/utf8.hpp"

namespace cadena::data {
namespace {

constexpr std::uint32_t local_mark = 0x04034B50, central_mark = 0x02014B50, end_mark = 0x06054B50,
                        end64_mark = 0x06064B50, locator_mark = 0x07064B50;
constexpr std::size_t end_size = 22, locator_size = 20, end64_size = 56;
constexpr std::uint16_t encrypted = 1, sizes_follow = 1 << 3, stored = 0, deflated = 8;
constexpr std::uint32_t in_zip64 = 0xFFFFFFFF;
constexpr std::uint64_t best_ratio = 1032;  // deflate cannot do better

struct Directory {
  std::uint64_t entries = 0, size = 0, offset = 0;
};

class Parser {
 public:
  Parser(std::span<const std::uint8_t> archive, const char* format) : archive_(archive), format_(format) {}

  std::vector<ZipMember> parse(std::uint64_t max_bytes) {
    const Directory directory = read_end();
    std::vector<ZipMember> members;
    std::set<std::string> names;
    ByteReader in(format_, archive_.first(directory.offset + directory.size), directory.offset);
    std::uint64_t total = 0;
    for (std::uint64_t i = 0; i < directory.entries; ++i) {  // each takes bytes, so a lie ends soon
      members.push_back(read_entry(in, directory.offset));
      const ZipMember& member = members.back();
      if (!names.insert(member.name).second)
        in.fail("directory", "expected every name once, got " + member.name + " twice");
      total += member.size;  // cannot wrap: each is at most 1032 times the archive
      if (total > max_bytes)
        in.fail("directory", "expected at most " + std::to_string(max_bytes) + " bytes unpacked, got more");
    }
    if (in.left() != 0) in.fail("directory", "expected its end, got more bytes");
    check_apart(members, directory.offset);
    return members;
  }

 private:
  [[noreturn]] void fail(std::uint64_t at, const char* field, const std::string& reason) const {
    throw FormatError(format_, static_cast<std::int64_t>(at), field, reason);
  }
  ByteReader reader(std::uint64_t at) const { return {format_, archive_, static_cast<std::size_t>(at)}; }

  /// The record at the very end: found backwards, because a comment of unknown length may follow it.
  Directory read_end() const {
    if (archive_.size() < end_size)
      fail(0, "archive", "expected a zip archive, got " + std::to_string(archive_.size()) + " bytes");
    const std::size_t last = archive_.size() - end_size;
    for (std::size_t back = 0; back <= std::min<std::size_t>(last, 0xFFFF); ++back) {
      ByteReader in = reader(last - back);
      if (in.u32("end") != end_mark) continue;
      const auto disk = in.u16("end"), directory_disk = in.u16("end");
      const std::uint64_t here = in.u16("end");
      Directory d{in.u16("end"), in.u32("end"), in.u32("end")};
      if (in.u16("end") != back) continue;
      const auto end = last - back;
      if (disk != 0 || directory_disk != 0 || here != d.entries)
        fail(end, "end", "expected an archive in one piece, got a part of one");
      const auto behind = read_end64(end, d);
      if (d.size > behind || d.offset != behind - d.size)
        fail(end, "directory", "expected it right before the end, got another place");
      return d;
    }
    fail(last, "end", "expected the end of a zip archive, got none");
  }

  /// Larger numbers, if the archive has them. @return where the directory must end
  std::uint64_t read_end64(std::size_t end, Directory& d) const {
    if (end < locator_size + end64_size) return end;
    ByteReader in = reader(end - locator_size);
    if (in.u32("zip64 locator") != locator_mark) return end;
    in.u32("zip64 locator");  // the number of a disk
    const auto at = in.number(8, "zip64 locator");
    if (at > end - locator_size - end64_size)
      fail(end - locator_size, "zip64 locator", "expected a place before it, got " + std::to_string(at));
    ByteReader record = reader(at);
    if (record.u32("zip64 end") != end64_mark) fail(at, "zip64 end", "expected its mark, got other bytes");
    if (record.number(8, "zip64 end") != end - locator_size - at - 12)
      fail(at, "zip64 end", "expected it to reach to its locator, got another length");
    record.take(12, "zip64 end");  // versions and disks
    const auto here = record.number(8, "zip64 end");
    const Directory wide{record.number(8, "zip64 end"), record.number(8, "zip64 end"),
                         record.number(8, "zip64 end")};
    const bool agree = here == wide.entries && (d.entries == 0xFFFF || d.entries == wide.entries) &&
                       (d.size == in_zip64 || d.size == wide.size) &&
                       (d.offset == in_zip64 || d.offset == wide.offset);
    if (!agree) fail(at, "zip64 end", "expected the numbers of the other end record, got different ones");
    d = wide;
    return at;
  }

  /// Replaces those of `fields` that say so by the numbers of the zip64 extra field.
  void read_extra(std::span<const std::uint8_t> extra, std::uint64_t at,
                  std::vector<std::uint64_t*> fields) const {
    std::erase_if(fields, [](const std::uint64_t* f) { return *f != in_zip64; });
    ByteReader in(format_, extra);
    while (!fields.empty() && in.left() >= 4) {
      const auto id = in.u16("extra field"), size = in.u16("extra field");
      if (size > in.left()) break;
      ByteReader content(format_, in.take(size, "extra field"));
      if (id != 1) continue;
      if (size < 8 * fields.size()) break;
      for (auto* field : fields) *field = content.number(8, "extra field");
      return;
    }
    if (!fields.empty()) fail(at, "extra field", "expected zip64 sizes, got none");
  }

  ZipMember read_entry(ByteReader& in, std::uint64_t directory) const {
    const auto at = in.at();
    if (in.u32("directory") != central_mark)
      fail(at, "directory", "expected an entry's mark, got other bytes");
    in.take(4, "directory");  // versions
    const auto flags = in.u16("directory"), method = in.u16("directory");
    in.take(4, "directory");  // time and date
    ZipMember member;
    member.crc = in.u32("directory");
    std::uint64_t packed = in.u32("directory");
    member.size = in.u32("directory");
    const auto name = in.u16("directory"), extra = in.u16("directory"), comment = in.u16("directory");
    in.take(8, "directory");  // disk, attributes
    member.offset = in.u32("directory");
    member.name = in.text(name, "directory");
    read_extra(in.take(extra, "directory"), at, {&member.size, &packed, &member.offset});
    in.take(comment, "directory");
    if (member.name.find('\0') != std::string::npos || utf8_fault(member.name) != member.name.size())
      fail(at, "directory", "expected a name in UTF-8, got other bytes");
    if ((flags & encrypted) != 0) fail(at, "directory", "expected no encryption, got it");
    if (method != stored && method != deflated)
      fail(at, "directory", "expected method 0 or 8, got " + std::to_string(method));
    member.deflated = method == deflated;
    const bool possible = member.deflated ? member.size / best_ratio <= packed : member.size == packed;
    if (!possible)
      fail(at, "directory",
           "expected a size that " + std::to_string(packed) + " bytes can hold, got " +
               std::to_string(member.size));
    locate(member, packed, flags, method, directory);
    return member;
  }

  /// Finds the bytes behind the local header, which must say what the directory says.
  void locate(ZipMember& member, std::uint64_t packed, unsigned flags, unsigned method,
              std::uint64_t directory) const {
    if (member.offset > directory) fail(member.offset, "member", "expected it before the directory");
    ByteReader in(format_, archive_.first(directory), static_cast<std::size_t>(member.offset));
    if (in.u32("member") != local_mark) fail(member.offset, "member", "expected its mark, got other bytes");
    in.u16("member");  // version
    bool agree = in.u16("member") == flags;
    agree = in.u16("member") == method && agree;
    in.take(4, "member");  // time and date
    const auto crc = in.u32("member");
    std::uint64_t local_packed = in.u32("member"), local_size = in.u32("member");
    const auto name = in.u16("member"), extra = in.u16("member");
    agree = in.text(name, "member") == member.name && agree;
    const auto fields = in.take(extra, "member");
    if ((flags & sizes_follow) == 0) {
      read_extra(fields, member.offset, {&local_size, &local_packed});
      agree = agree && crc == member.crc && local_packed == packed && local_size == member.size;
    }
    if (!agree) fail(member.offset, "member", "expected what the directory says, got something else");
    member.packed = in.take(packed, "member");
  }

  void check_apart(const std::vector<ZipMember>& members, std::uint64_t directory) const {
    std::vector<std::pair<std::uint64_t, std::uint64_t>> ranges;
    for (const ZipMember& m : members)
      ranges.emplace_back(m.offset,
                          static_cast<std::uint64_t>(m.packed.data() - archive_.data()) + m.packed.size());
    ranges.emplace_back(directory, directory);
    std::sort(ranges.begin(), ranges.end());
    if (ranges.front().first != 0) fail(0, "archive", "expected a member first, got other bytes");
    for (std::size_t i = 1; i < ranges.size(); ++i)
      if (ranges[i].first < ranges[i - 1].second)
        fail(ranges[i].first, "member", "expected members apart from each other, got two that overlap");
  }

  std::span<const std::uint8_t> archive_;
  const char* format_;
};

void append(std::vector<std::uint8_t>& out, std::uint64_t value, int bytes) {
  for (int i = 0; i < bytes; ++i) out.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
}

}  // namespace

std::vector<ZipMember> read_zip(std::span<const std::uint8_t> archive, const char* format,
                                std::uint64_t max_bytes) {
  return Parser(archive, format).parse(max_bytes);
}

std::vector<std::uint8_t> unpack(const ZipMember& member, const char* format) {
  const auto source = member.deflated ? unpack_deflate(member.packed) : open_memory(member.packed);
  std::vector<std::uint8_t> bytes;
  read_exactly(*source, bytes, member.size, format, member.offset, "member");
  const auto fail = [&](const char* reason) {
    throw FormatError(format, static_cast<std::int64_t>(member.offset), member.name, reason);
  };
  std::uint8_t more = 0;
  if (source->read(&more, 1) != 0) fail("expected the end of the member, got more bytes");
  if (crc32_z(0, bytes.data(), bytes.size()) != member.crc) fail("expected its checksum, got another one");
  return bytes;
}

void ZipWriter::add(std::string_view name, std::span<const std::uint8_t> bytes, bool deflate) {
  constexpr std::size_t limit = std::size_t{1} << 31;
  if (bytes.size() >= limit || name.size() > 0xFFFF)
    throw ValueError("[zip] expected fewer than 2^31 bytes and a name below 2^16, got " +
                     std::to_string(bytes.size()) + " and " + std::to_string(name.size()));
  std::vector<std::uint8_t> packed;
  if (deflate) packed = deflate_raw(bytes);
  const std::span<const std::uint8_t> content = deflate ? packed : bytes;
  const auto offset = archive_.size();
  const auto append_common = [&](std::vector<std::uint8_t>& out) {
    constexpr std::uint16_t version = 20, utf8_name = 1 << 11;
    constexpr std::uint32_t first_of_1980 = 0x00210000;  // the earliest that a zip can say
    append(out, version, 2);
    append(out, utf8_name, 2);
    append(out, deflate ? deflated : stored, 2);
    append(out, first_of_1980, 4);
    append(out, crc32_z(0, bytes.data(), bytes.size()), 4);
    append(out, content.size(), 4);
    append(out, bytes.size(), 4);
    append(out, name.size(), 2);
    append(out, 0, 2);  // no extra field
  };
  append(archive_, local_mark, 4);
  append_common(archive_);
  archive_.insert(archive_.end(), name.begin(), name.end());
  archive_.insert(archive_.end(), content.begin(), content.end());
  append(directory_, central_mark, 4);
  append(directory_, 20, 2);
  append_common(directory_);
  append(directory_, 0, 4);  // comment, disk
  append(directory_, 0, 6);  // attributes
  append(directory_, offset, 4);
  directory_.insert(directory_.end(), name.begin(), name.end());
  ++members_;
}

std::vector<std::uint8_t> ZipWriter::finish() {
  const auto offset = archive_.size();
  if (offset + directory_.size() >= in_zip64 || members_ >= 0xFFFF)
    throw ValueError("[zip] expected less than 4 GiB in fewer than 65,535 members, got " +
                     std::to_string(offset) + " bytes in " + std::to_string(members_));
  archive_.insert(archive_.end(), directory_.begin(), directory_.end());
  append(archive_, end_mark, 4);
  append(archive_, 0, 4);
  append(archive_, members_, 2);
  append(archive_, members_, 2);
  append(archive_, directory_.size(), 4);
  append(archive_, offset, 4);
  append(archive_, 0, 2);
  return std::move(archive_);
}

}  // namespace cadena::data
