// Reading what torch.save wrote.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>

#include "data/files/safetensors.hpp"

namespace cadena::data {

struct TorchOptions {
  std::uint64_t max_bytes = std::uint64_t{4} << 30;  ///< refuse larger files
};

/// Reads a state dict, or any nest of dicts, lists and tuples of tensors, numbers and text, from a file that
/// torch.save wrote (PyTorch 1.6 or later; .pt, .pth). Names are joined by dots, `{"model": {"fc.weight":
/// w}}` gives "model.fc.weight", list items bear their number; a tensor that was saved alone has the name "".
/// Numbers, text, True, False and None come as `metadata`, as Python prints them. dtypes as in
/// read_safetensors; tensors are contiguous, and two that were one tensor are one here, too.
///
/// Nothing in the file is run. Its pickle may mention OrderedDict, Parameter, tensors and storages; any other
/// name is an error that says which.
/// @throws IoError if `path` cannot be read or is not a regular file, FormatError for everything else:
///   truncated, damaged checksums, other objects, tensors outside their storage, a name twice, cycles
TensorFile read_torch(const std::filesystem::path& path, const TorchOptions& options = {});
TensorFile parse_torch(std::span<const std::uint8_t> file, const TorchOptions& options = {});

}  // namespace cadena::data
