// Everything that a training run needs to go on, in one file.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "autodiff/random.hpp"
#include "autodiff/tensor.hpp"

namespace cadena::data {

using CheckpointValue = std::variant<bool, std::int64_t, double, std::string>;

/// Tensors and values by name: the state of one thing, such as a model, an optimizer or a loader.
struct CheckpointSection {
  std::map<std::string, Tensor> tensors = {};
  std::map<std::string, CheckpointValue> values = {};

  /// The value of that name. @throws ValueError if it is missing or of another type
  template <class T>
  const T& value(const std::string& name) const;

  /// A random stream: its seed and position, to the bit.
  void put(const std::string& name, const Generator& generator);
  /// @throws ValueError if it is missing
  Generator generator(const std::string& name) const;
};

/// Sections by name: `checkpoint["model"].tensors = net.state_dict()`.
class Checkpoint {
 public:
  CheckpointSection& operator[](const std::string& section) { return sections_[section]; }
  /// @throws ValueError with the sections there are
  const CheckpointSection& at(const std::string& section) const;
  bool contains(const std::string& section) const { return sections_.contains(section); }
  const std::map<std::string, CheckpointSection>& sections() const { return sections_; }

 private:
  std::map<std::string, CheckpointSection> sections_;
};

/// Writes all or nothing: a power failure or a full disk leaves the file that was there before.
///
/// The file is a safetensors file, which other programs can look into. Tensors are named "section/name"; the
/// metadata have "cadena.checkpoint", the version of this layout, "section/name" for each value, with its
/// type in front ("i:3", "f:0.1", "b:1", "s:text"), and "cadena.checksum", the CRC-32 of all names, shapes,
/// elements and values.
/// @throws ValueError if the name of a section has a slash, WriteError
void save_checkpoint(const std::filesystem::path& path, const Checkpoint& checkpoint);

/// @throws IoError if the file cannot be read, FormatError if it is damaged, no checkpoint, or of a later
///   version
Checkpoint load_checkpoint(const std::filesystem::path& path);

/// The same in memory.
std::vector<std::uint8_t> format_checkpoint(const Checkpoint& checkpoint);
Checkpoint parse_checkpoint(std::span<const std::uint8_t> file);

}  // namespace cadena::data
