// IDX, the file format of MNIST and its relatives: a magic with type and rank, big-endian extents, big-endian
// numbers; plain or gzip.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string_view>
#include <vector>

#include "autodiff/tensor.hpp"

namespace cadena::data {

/// Element types, with their code in the file.
enum class IdxType : std::uint8_t { u8 = 0x08, i8 = 0x09, i16 = 0x0B, i32 = 0x0C, f32 = 0x0D, f64 = 0x0E };

/// Bytes of one element.
constexpr std::size_t itemsize(IdxType t) {
  return t == IdxType::u8 || t == IdxType::i8 ? 1 : t == IdxType::i16 ? 2 : t == IdxType::f64 ? 8 : 4;
}
std::string_view name(IdxType t);

/// What a file holds: `shape` has 1 to 8 extents, `bytes` the elements in row-major order and in the byte
/// order of this machine.
struct IdxData {
  IdxType type = IdxType::u8;
  Shape shape;
  std::vector<std::uint8_t> bytes;

  friend bool operator==(const IdxData&, const IdxData&) = default;
};

struct IdxOptions {
  std::uint64_t max_bytes = std::uint64_t{4} << 30;  ///< refuse files whose elements take more
};

/// Reads a file, compressed or not (its content tells, not its name). All or nothing; never allocates more
/// than the elements that are really there need, up to a factor of two.
/// @throws IoError if `path` cannot be read or is not a regular file, FormatError if its content is not IDX:
///   truncated, bytes left over, unknown type, no or more than 8 extents, overflowing or lying extents,
///   damaged gzip
IdxData read_idx(const std::filesystem::path& path, const IdxOptions& options = {});

/// The same for a file that is in memory already.
IdxData parse_idx(std::span<const std::uint8_t> file, const IdxOptions& options = {});

/// The bytes of a file that holds `data`. @throws ValueError if shape and bytes disagree or an extent exceeds
/// 2^32-1
std::vector<std::uint8_t> format_idx(const IdxData& data);

/// Writes a file, compressed if its name ends in ".gz". @throws ValueError as format_idx, IoError
void write_idx(const std::filesystem::path& path, const IdxData& data);

/// All numbers, exactly: integers as i64, floats as f32 or f64; the file's shape.
Tensor to_tensor(const IdxData& data);

/// Pixels 0..255 of type u8 -> f32 in [0, 1], the file's shape. @throws DtypeError for other types
Tensor pixels(const IdxData& data);

/// A vector of class numbers of any integer type -> i64.
/// @throws DtypeError for floats, ShapeError unless there is one extent, ValueError for a label outside
///   [0, classes)
Tensor labels(const IdxData& data, std::int64_t classes);

}  // namespace cadena::data
