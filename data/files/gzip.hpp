// Packing. Unpacking is in byte_source.hpp.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace cadena::data {

/// One gzip member that holds `bytes`; the same input gives the same output (no time stamp, no name).
/// @throws ValueError from 2 GiB on
std::vector<std::uint8_t> gzip(std::span<const std::uint8_t> bytes);

/// The same without header and checksum: a bare deflate stream. @throws ValueError from 2 GiB on
std::vector<std::uint8_t> deflate_raw(std::span<const std::uint8_t> bytes);

}  // namespace cadena::data
