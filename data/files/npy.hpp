// NumPy's files: npy for one array, npz for several by name.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "autodiff/tensor.hpp"

namespace cadena::data {

struct NpyOptions {
  std::uint64_t max_bytes = std::uint64_t{4} << 30;  ///< refuse files whose elements take more, unpacked
  std::uint64_t max_header = 10'000;                 ///< refuse longer headers, as NumPy does
};

/// Reads one array of bool, integers or floats, C or Fortran order, little or big endian. bool, f32, f64 and
/// i64 are read as they are, f16 as f32, all other integers as i64. All or nothing; never allocates more than
/// the file's own bytes need.
/// @throws IoError if `path` cannot be read or is not a regular file, FormatError if its content is something
///   else: truncated, bytes left over, a header that is not NumPy's, objects, text, complex numbers, times or
///   records (nothing in a file is ever run), a u64 above 2^63 - 1
Tensor read_npy(const std::filesystem::path& path, const NpyOptions& options = {});
Tensor parse_npy(std::span<const std::uint8_t> file, const NpyOptions& options = {});

/// All arrays of an npz file, stored or compressed, by name (without ".npy"). Checksums are verified.
/// @throws as read_npy, and FormatError for damaged or encrypted archives and members that are not arrays
std::map<std::string, Tensor> read_npz(const std::filesystem::path& path, const NpyOptions& options = {});
std::map<std::string, Tensor> parse_npz(std::span<const std::uint8_t> file, const NpyOptions& options = {});

struct NpyWriteOptions {
  bool fortran_order = false;  ///< the first index runs fastest
};
struct NpzWriteOptions {
  bool compressed = false;  ///< as numpy.savez_compressed
};

/// The bytes of such a file: version 1.0, little endian.
std::vector<std::uint8_t> format_npy(const Tensor& t, const NpyWriteOptions& options = {});
/// @throws ValueError from 2 GiB an array or 4 GiB in all
std::vector<std::uint8_t> format_npz(const std::map<std::string, Tensor>& arrays,
                                     const NpzWriteOptions& options = {});

/// Write all or nothing. @throws ValueError as above, WriteError
void write_npy(const std::filesystem::path& path, const Tensor& t, const NpyWriteOptions& options = {});
void write_npz(const std::filesystem::path& path, const std::map<std::string, Tensor>& arrays,
               const NpzWriteOptions& options = {});

}  // namespace cadena::data
