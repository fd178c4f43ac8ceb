// safetensors, the file format in which weights travel: eight bytes with the length of a JSON header (little
// endian), the header with dtype, shape and place of each tensor, and their elements in row-major order.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "autodiff/tensor.hpp"

namespace cadena::data {

/// Named tensors, and text about them.
struct TensorFile {
  std::map<std::string, Tensor> tensors = {};
  std::map<std::string, std::string> metadata = {};
};

struct SafetensorsOptions {
  /// Tensors look into the mapped file instead of holding copies, where dtype and alignment allow it: pages
  /// are read when they are first used, and writing to a tensor leaves the file as it is. The file must not
  /// be shortened while a tensor lives; replacing it by a rename, as write_safetensors does, is fine.
  bool mapped = false;
};

/// Reads all or nothing; never allocates more than the file's own bytes need. BOOL, F32, F64 and I64 are read
/// as they are, F16 and BF16 as f32, and I8, U8, I16, U16, I32, U32, U64 as i64.
/// @throws IoError if `path` cannot be read or is not a regular file, FormatError if its content is something
///   else: truncated, bytes left over, no JSON, a name twice, another dtype, shapes that disagree with the
///   places or overflow, places that overlap or leave gaps, a U64 above 2^63 - 1
TensorFile read_safetensors(const std::filesystem::path& path, const SafetensorsOptions& options = {});

/// The same for a file that is in memory already.
TensorFile parse_safetensors(std::span<const std::uint8_t> file);

/// The bytes of such a file; the same tensors and metadata give the same bytes.
/// @throws ValueError for a tensor named "__metadata__", or a name or text that is not UTF-8
std::vector<std::uint8_t> format_safetensors(const TensorFile& file);

/// Writes all or nothing. @throws ValueError as format_safetensors, WriteError
void write_safetensors(const std::filesystem::path& path, const TensorFile& file);

}  // namespace cadena::data
