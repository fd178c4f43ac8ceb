#include "data/files/checkpoint.hpp"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <optional>

#include "autodiff/error.hpp"
#include "autodiff/ops.hpp"
#include "data/files/byte_source.hpp"
#include "data/files/elements.hpp"
#include "data/files/safetensors.hpp"

namespace cadena::data {
namespace {

const std::string version_key = "cadena.checkpoint", checksum_key = "cadena.checksum", version = "1";

[[noreturn]] void fail(const std::string& field, const std::string& reason) {
  throw FormatError("checkpoint", 0, field, reason);
}

/// Of everything but the checksum itself. Lengths stand before texts, so that nothing can move between them.
std::string checksum(const TensorFile& file) {
  std::uint32_t crc = 0;
  const auto add = [&](const void* bytes, std::size_t n) {
    if (n > 0) crc = static_cast<std::uint32_t>(crc32_z(crc, static_cast<const Bytef*>(bytes), n));
  };
  const auto add_text = [&](const std::string& text) {
    const std::uint64_t length = text.size();
    add(&length, sizeof(length));
    add(text.data(), text.size());
  };
  for (const auto& [name, t] : file.tensors) {
    add_text(name);
    add_text(std::string(cadena::name(t.dtype())) + to_string(t.shape()));
    const Tensor dense = t.detach().contiguous();
    const auto bytes = raw_bytes(dense);
    add(bytes.data(), bytes.size());
  }
  for (const auto& [key, text] : file.metadata) {
    if (key == checksum_key) continue;
    add_text(key);
    add_text(text);
  }
  std::array<char, 8> digits{};
  return {digits.data(), std::to_chars(digits.data(), digits.data() + digits.size(), crc, 16).ptr};
}

std::string text_of(const CheckpointValue& value) {
  if (const auto* b = std::get_if<bool>(&value)) return *b ? "b:1" : "b:0";
  if (const auto* i = std::get_if<std::int64_t>(&value)) return "i:" + std::to_string(*i);
  if (const auto* s = std::get_if<std::string>(&value)) return "s:" + *s;
  std::array<char, 32> text{};  // the shortest that reads back as the same double
  const auto d = std::get<double>(value);
  return "f:" + std::string(text.data(), std::to_chars(text.data(), text.data() + text.size(), d).ptr);
}

template <class T>
std::optional<CheckpointValue> number(std::string_view text) {
  T value{};
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || stop != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<CheckpointValue> value_of(std::string_view text) {
  const auto kind = text.substr(0, 2), rest = text.substr(std::min<std::size_t>(text.size(), 2));
  if (kind == "s:") return std::string(rest);
  if (kind == "i:") return number<std::int64_t>(rest);
  if (kind == "f:") return number<double>(rest);
  if (text == "b:0" || text == "b:1") return text == "b:1";
  return std::nullopt;
}

struct Place {
  std::string section, name;
};

Place split(const std::string& key) {
  const auto slash = key.find('/');
  if (slash == std::string::npos) fail(key, "expected a name like section/name, got none");
  return {key.substr(0, slash), key.substr(slash + 1)};
}

TensorFile pack(const Checkpoint& checkpoint) {
  TensorFile file;
  file.metadata[version_key] = version;
  for (const auto& [section, content] : checkpoint.sections()) {
    if (section.find('/') != std::string::npos)
      throw ValueError("[save_checkpoint] expected sections without a slash in their name, got " + section);
    for (const auto& [name, t] : content.tensors) file.tensors.emplace(section + "/" + name, t);
    for (const auto& [name, value] : content.values) file.metadata[section + "/" + name] = text_of(value);
  }
  file.metadata[checksum_key] = checksum(file);
  return file;
}

Checkpoint unpack(TensorFile file) {
  const auto found = file.metadata.find(version_key);
  if (found == file.metadata.end()) fail("version", "expected a checkpoint, got another safetensors file");
  if (found->second != version) fail("version", "expected " + version + ", got " + found->second);
  if (const auto sum = file.metadata.find(checksum_key);
      sum == file.metadata.end() || sum->second != checksum(file))
    fail("checksum", "expected that of the contents, got another one: the file is damaged");
  file.metadata.erase(version_key);
  file.metadata.erase(checksum_key);
  Checkpoint checkpoint;
  for (auto& [key, t] : file.tensors) {
    const Place place = split(key);
    checkpoint[place.section].tensors.emplace(place.name, std::move(t));
  }
  for (const auto& [key, text] : file.metadata) {
    const Place place = split(key);
    const auto value = value_of(text);
    if (!value) fail(key, "expected a value behind b:, i:, f: or s:, got " + text);
    checkpoint[place.section].values.emplace(place.name, *value);
  }
  return checkpoint;
}

}  // namespace

template <class T>
const T& CheckpointSection::value(const std::string& name) const {
  const auto found = values.find(name);
  const T* value = found == values.end() ? nullptr : std::get_if<T>(&found->second);
  if (value == nullptr)
    throw ValueError("[CheckpointSection::value] expected " + name + " of the type asked for, got " +
                     (found == values.end() ? "none" : "another type"));
  return *value;
}
template const bool& CheckpointSection::value(const std::string&) const;
template const std::int64_t& CheckpointSection::value(const std::string&) const;
template const double& CheckpointSection::value(const std::string&) const;
template const std::string& CheckpointSection::value(const std::string&) const;

void CheckpointSection::put(const std::string& name, const Generator& generator) {
  values[name + ".seed"] = std::bit_cast<std::int64_t>(generator.seed());
  values[name + ".position"] = std::bit_cast<std::int64_t>(generator.position());
}

Generator CheckpointSection::generator(const std::string& name) const {
  Generator generator(std::bit_cast<std::uint64_t>(value<std::int64_t>(name + ".seed")));
  generator.set_position(std::bit_cast<std::uint64_t>(value<std::int64_t>(name + ".position")));
  return generator;
}

const CheckpointSection& Checkpoint::at(const std::string& section) const {
  if (const auto found = sections_.find(section); found != sections_.end()) return found->second;
  std::string known;
  for (const auto& [name, content] : sections_) known += (known.empty() ? "" : ", ") + name;
  throw ValueError("[Checkpoint::at] expected one of the sections " + known + ", got " + section);
}

void save_checkpoint(const std::filesystem::path& path, const Checkpoint& checkpoint) {
  write_safetensors(path, pack(checkpoint));
}

Checkpoint load_checkpoint(const std::filesystem::path& path) {
  return naming(path, [&] { return unpack(read_safetensors(path)); });
}

std::vector<std::uint8_t> format_checkpoint(const Checkpoint& checkpoint) {
  return format_safetensors(pack(checkpoint));
}

Checkpoint parse_checkpoint(std::span<const std::uint8_t> file) { return unpack(parse_safetensors(file)); }

}  // namespace cadena::data
