// Pictures in folders, one folder for each class.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "data/dataset.hpp"
#include "data/files/image.hpp"

namespace cadena::data {

/// Finds folder/CLASS/... .png, .jpg and .jpeg files, also in folders below; reads them when asked for.
/// Classes and files are sorted by name, so that the same folder gives the same order everywhere.
class ImageFolder {
 public:
  /// @throws IoError if the folder cannot be listed, or has no folders with pictures
  explicit ImageFolder(const std::filesystem::path& folder, const ImageOptions& options = {});

  std::int64_t size() const { return static_cast<std::int64_t>(files_.size()); }
  /// x f32 (channels, height, width) in [0, 1], y i64, the number of the class.
  /// @throws IndexError, and as read_image
  Sample get(std::int64_t i) const;

  const std::vector<std::string>& classes() const { return classes_; }
  const std::filesystem::path& path(std::int64_t i) const;  ///< @throws IndexError
  /// The classes of all samples, i64 (size), without reading a picture: for samplers.
  Tensor labels() const;

 private:
  std::vector<std::string> classes_;
  std::vector<std::filesystem::path> files_;
  std::vector<std::int64_t> labels_;
  ImageOptions options_;
};

}  // namespace cadena::data
