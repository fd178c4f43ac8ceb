// Folders that hold a data set the way MNIST is distributed.
#pragma once

#include <cstdint>
#include <filesystem>

#include "data/dataset.hpp"

namespace cadena::data {

enum class Part : std::uint8_t { train, test };

/// Reads the images and labels of one part from `folder`: train-images-idx3-ubyte and
/// train-labels-idx1-ubyte, or t10k-... for the test part; "-idx" may be ".idx", and each name may end in
/// ".gz".
/// @param classes labels must be below it
/// @return x f32 (N, rows, columns) in [0, 1], y i64 (N)
/// @throws IoError if the folder or a file is missing or unreadable (the message names what was looked for),
///   FormatError if a file is damaged, holds something else than images or labels, disagrees with the other
///   in their number, or has a label out of range
TensorDataset load_idx_images(const std::filesystem::path& folder, Part part, std::int64_t classes = 10);

/// True if `folder` holds files with the names of both parts; whether they are intact, loading will tell.
bool has_idx_images(const std::filesystem::path& folder);

}  // namespace cadena::data
