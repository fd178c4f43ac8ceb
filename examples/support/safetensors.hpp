#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <string_view>

#include "autodiff/tensor.hpp"

namespace cadena::examples {

/// What a safetensors file holds: named tensors, and text about them. The format, which PyTorch and its
/// relatives read: eight bytes with the length of a JSON header (little endian), the header with dtype, shape
/// and place of each tensor, and then their elements in row-major order.
struct TensorFile {
  std::map<std::string, Tensor> tensors = {};
  std::map<std::string, std::string> metadata = {};
};

/// The bytes of such a file. The same tensors and metadata give the same bytes.
std::string format_safetensors(const TensorFile& file);

/// The reverse. Throws cadena::FormatError for everything that is not a safetensors file of f32, f64, i64 and
/// bool: truncated, bytes left over, no JSON, unknown dtypes, shapes that disagree with the places or
/// overflow, places that overlap or leave gaps.
TensorFile parse_safetensors(std::string_view bytes);

/// Writes all or nothing. Throws WriteError.
void write_safetensors(const std::filesystem::path& path, const TensorFile& file);

/// Throws cadena::IoError if `path` cannot be read and FormatError, naming it, as parse_safetensors.
TensorFile read_safetensors(const std::filesystem::path& path);

}  // namespace cadena::examples
