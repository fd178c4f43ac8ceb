#include "data/files/idx_images.hpp"

#include <optional>
#include <string>
#include <system_error>

#include "data/files/idx.hpp"

namespace cadena::data {
namespace {

namespace fs = std::filesystem;

enum class Kind : std::uint8_t { images, labels };

std::string file_name(Part part, Kind kind, char separator) {
  const std::string prefix = part == Part::train ? "train-" : "t10k-";
  const std::string middle = kind == Kind::images ? "images" : "labels";
  return prefix + middle + separator + (kind == Kind::images ? "idx3-ubyte" : "idx1-ubyte");
}

std::optional<fs::path> find(const fs::path& folder, Part part, Kind kind) {
  for (const char separator : {'-', '.'})
    for (const char* ending : {"", ".gz"}) {
      auto path = folder / (file_name(part, kind, separator) + ending);
      std::error_code error;  // what cannot be examined is not there, as far as the search goes
      if (fs::exists(path, error)) return path;
    }
  return std::nullopt;
}

fs::path expect(const fs::path& folder, Part part, Kind kind) {
  if (auto path = find(folder, part, kind)) return *path;
  std::error_code error;
  const fs::directory_iterator listing(folder, error);  // says why, if the folder is at fault
  throw IoError("[load_idx_images] expected " + file_name(part, kind, '-') +
                " (or with .idx, or with .gz) in " + folder.string() + ", got " +
                (error ? error.message() : "a folder without it"));
}

IdxData read(const fs::path& path, int rank) {
  auto data = read_idx(path);
  if (data.type != IdxType::u8)
    throw FormatError("idx", 2, "type",
                      "expected u8, got " + std::string(name(data.type)) + " in " + path.string());
  if (data.shape.rank() != rank)
    throw FormatError("idx", 3, "number of dimensions",
                      "expected " + std::to_string(rank) + ", got " + std::to_string(data.shape.rank()) +
                          " in " + path.string());
  return data;
}

}  // namespace

TensorDataset load_idx_images(const fs::path& folder, Part part, std::int64_t classes) {
  const auto image_path = expect(folder, part, Kind::images), label_path = expect(folder, part, Kind::labels);
  const auto images = read(image_path, 3), numbers = read(label_path, 1);
  if (images.shape[0] != numbers.shape[0])
    throw FormatError("idx", 4, "dimensions",
                      "expected as many labels as images, got " + std::to_string(images.shape[0]) +
                          " images in " + image_path.string() + " and " + std::to_string(numbers.shape[0]) +
                          " labels in " + label_path.string());
  try {
    return {pixels(images), labels(numbers, classes)};
  } catch (const ValueError& e) {
    throw FormatError("idx", 8, "labels", std::string(e.what()) + " in " + label_path.string());
  }
}

bool has_idx_images(const fs::path& folder) {
  for (const auto part : {Part::train, Part::test})
    for (const auto kind : {Kind::images, Kind::labels})
      if (!find(folder, part, kind)) return false;
  return true;
}

}  // namespace cadena::data
