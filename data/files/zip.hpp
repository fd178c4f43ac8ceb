// Zip archives, as far as npz and PyTorch's files need them: stored and deflated members, zip64. Not part of
// the public interface.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace cadena::data {

struct ZipMember {
  std::string name;
  std::uint64_t offset = 0;              ///< of its local header
  std::span<const std::uint8_t> packed;  ///< within the archive
  std::uint64_t size = 0;                ///< unpacked
  std::uint32_t crc = 0;
  bool deflated = false;
};

/// The table of contents, checked: it and the members cover the archive from its first byte without overlaps,
/// local and central headers agree, no name twice, sizes within what deflate can do and, together, within
/// `max_bytes`.
/// @param format named in errors @throws FormatError; encrypted, split and otherwise packed archives are
/// refused
std::vector<ZipMember> read_zip(std::span<const std::uint8_t> archive, const char* format,
                                std::uint64_t max_bytes);

/// A member's bytes, their checksum verified. @throws FormatError
std::vector<std::uint8_t> unpack(const ZipMember& member, const char* format);

/// Builds an archive in memory, without time stamps: the same members give the same bytes.
class ZipWriter {
 public:
  /// @throws ValueError from 2 GiB on, or for a name of more than 65,535 bytes
  void add(std::string_view name, std::span<const std::uint8_t> bytes, bool deflate);
  /// The archive. @throws ValueError if it has 4 GiB or 65,535 members
  std::vector<std::uint8_t> finish();

 private:
  std::vector<std::uint8_t> archive_, directory_;
  std::size_t members_ = 0;
};

}  // namespace cadena::data
