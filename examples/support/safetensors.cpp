#include "examples/support/safetensors.hpp"

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <optional>
#include <system_error>
#include <vector>

#include "autodiff/error.hpp"
#include "autodiff/ops.hpp"
#include "examples/support/file.hpp"

namespace cadena::examples {
namespace {

using Json = nlohmann::json;

static_assert(std::endian::native == std::endian::little, "numbers are copied as they lie in memory");

constexpr const char* format = "safetensors";
constexpr std::size_t prefix = 8;  // bytes of the header's length
constexpr std::string_view metadata_key = "__metadata__";

std::string dtype_name(DType dtype) {
  return dtype == f32 ? "F32" : dtype == f64 ? "F64" : dtype == i64 ? "I64" : "BOOL";
}

std::optional<DType> dtype_named(std::string_view text) {
  for (const DType dtype : {f32, f64, i64, boolean})
    if (text == dtype_name(dtype)) return dtype;
  return std::nullopt;
}

std::size_t bytes_of(const Tensor& t) { return static_cast<std::size_t>(t.numel()) * itemsize(t.dtype()); }

std::string elements(const Tensor& t) {
  const Tensor dense = t.detach().contiguous();
  return visit(t.dtype(), [&]<class T>(T) {
    return std::string(reinterpret_cast<const char*>(dense.data<T>()), bytes_of(dense));
  });
}

/// Where a tensor lies, counted from the end of the header.
struct Place {
  std::string name;
  DType dtype = f32;
  Shape shape;
  std::uint64_t begin = 0, end = 0;
};

class Parser {
 public:
  explicit Parser(std::string_view bytes) : bytes_(bytes) {}

  TensorFile parse() {
    std::vector<Place> places;
    TensorFile file;
    const Json header = read_header();
    for (const auto& [name, entry] : header.items()) {
      if (name == metadata_key)
        file.metadata = read_metadata(entry);
      else
        places.push_back(read_place(name, entry));
    }
    check_cover(places);
    for (const Place& place : places) file.tensors.emplace(place.name, read_tensor(place));
    return file;
  }

 private:
  [[noreturn]] static void fail(std::size_t at, const std::string& field, const std::string& reason) {
    throw FormatError(format, static_cast<std::int64_t>(at), field, reason);
  }

  Json read_header() {
    std::uint64_t length = 0;
    if (bytes_.size() < prefix)
      fail(0, "length of the header", "expected 8 bytes, got " + std::to_string(bytes_.size()));
    std::memcpy(&length, bytes_.data(), prefix);
    if (length > bytes_.size() - prefix)
      fail(0, "length of the header",
           "expected at most " + std::to_string(bytes_.size() - prefix) + ", as much as the file has, got " +
               std::to_string(length));
    const std::string_view text = bytes_.substr(prefix, length);
    data_ = bytes_.substr(prefix + length);
    Json header = Json::parse(text, nullptr, false);
    if (!header.is_object()) fail(prefix, "header", "expected a JSON object, got something else");
    return header;
  }

  static std::map<std::string, std::string> read_metadata(const Json& entry) {
    std::map<std::string, std::string> metadata;
    if (!entry.is_object()) fail(prefix, "metadata", "expected an object, got something else");
    for (const auto& [key, value] : entry.items()) {
      if (!value.is_string())
        fail(prefix, "metadata", "expected text for \"" + key + "\", got something else");
      metadata[key] = value.get<std::string>();
    }
    return metadata;
  }

  static Place read_place(const std::string& name, const Json& entry) {
    const auto member = [&](const char* key, Json::value_t type) -> const Json& {
      const bool there = entry.is_object() && entry.contains(key);
      if (!there || entry[key].type() != type) fail(prefix, name, std::string("expected a fitting ") + key);
      return entry[key];
    };
    const auto numbers = [&](const char* key) {
      std::vector<std::int64_t> values;
      for (const Json& number : member(key, Json::value_t::array)) {
        if (!number.is_number_unsigned() || number.get<std::uint64_t>() >> 62 != 0)
          fail(prefix, name, std::string("expected whole numbers below 2^62 in ") + key);
        values.push_back(number.get<std::int64_t>());
      }
      return values;
    };
    Place place;
    place.name = name;
    const auto dtype = member("dtype", Json::value_t::string).get<std::string>();
    const auto known = dtype_named(dtype);
    if (!known) fail(prefix, name, "expected dtype F32, F64, I64 or BOOL, got " + dtype);
    place.dtype = *known;
    const auto offsets = numbers("data_offsets"), extents = numbers("shape");
    if (offsets.size() != 2 || offsets[0] > offsets[1])
      fail(prefix, name, "expected begin <= end as data_offsets");
    place.begin = static_cast<std::uint64_t>(offsets[0]);
    place.end = static_cast<std::uint64_t>(offsets[1]);
    try {
      place.shape = Shape(std::span<const std::int64_t>(extents));
      const auto n = checked_numel(format, place.shape, itemsize(place.dtype));
      if (static_cast<std::uint64_t>(n) * itemsize(place.dtype) != place.end - place.begin)
        fail(prefix, name,
             "expected bytes for " + to_string(place.shape) + " of " + dtype + ", got " +
                 std::to_string(place.end - place.begin));
    } catch (const ShapeError& error) {
      fail(prefix, name, error.what());
    }
    return place;
  }

  /// Every byte behind the header belongs to exactly one tensor.
  void check_cover(std::vector<Place>& places) const {
    std::sort(places.begin(), places.end(), [](const Place& a, const Place& b) {
      return std::pair(a.begin, a.end) < std::pair(b.begin, b.end);
    });
    std::uint64_t end = 0;
    for (const Place& place : places) {
      if (place.begin != end)
        fail(prefix, place.name,
             "expected to begin at " + std::to_string(end) + ", where the one before ends, got " +
                 std::to_string(place.begin));
      end = place.end;
    }
    if (end != data_.size())
      fail(bytes_.size(), "end",
           "expected " + std::to_string(end) + " bytes behind the header, got " +
               std::to_string(data_.size()));
  }

  Tensor read_tensor(const Place& place) const {
    const std::string_view from = data_.substr(place.begin, place.end - place.begin);
    Tensor t = empty(place.shape, place.dtype);
    if (place.dtype == boolean) {
      std::transform(from.begin(), from.end(), t.mutable_data<bool>(), [](char c) { return c != 0; });
    } else if (!from.empty()) {
      visit(place.dtype, [&]<class T>(T) { std::memcpy(t.mutable_data<T>(), from.data(), from.size()); });
    }
    return t;
  }

  std::string_view bytes_;
  std::string_view data_;  // what follows the header
};

}  // namespace

std::string format_safetensors(const TensorFile& file) {
  Json header = Json::object();
  std::string data;
  if (!file.metadata.empty()) header[std::string(metadata_key)] = file.metadata;
  for (const auto& [name, tensor] : file.tensors) {
    const std::size_t begin = data.size();
    data += elements(tensor);
    const Shape& shape = tensor.shape();
    header[name] = {{"dtype", dtype_name(tensor.dtype())},
                    {"shape", std::vector<std::int64_t>(shape.begin(), shape.end())},
                    {"data_offsets", {begin, data.size()}}};
  }
  std::string text = header.dump();
  text.resize((text.size() + 7) / 8 * 8, ' ');  // so that the elements are aligned
  const std::uint64_t length = text.size();
  return std::string(reinterpret_cast<const char*>(&length), prefix) + text + data;
}

TensorFile parse_safetensors(std::string_view bytes) { return Parser(bytes).parse(); }

void write_safetensors(const std::filesystem::path& path, const TensorFile& file) {
  write_file(path, format_safetensors(file));
}

TensorFile read_safetensors(const std::filesystem::path& path) {
  errno = 0;
  std::ifstream in(path, std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(in), {}};
  if (!in.is_open() || in.bad())
    throw IoError("[read_safetensors] cannot read " + path.string() + ": " +
                  std::generic_category().message(errno != 0 ? errno : EIO));
  try {
    return parse_safetensors(bytes);
  } catch (const FormatError& error) {
    throw FormatError(error.format, error.offset, error.field, error.reason + " in " + path.string());
  }
}

}  // namespace cadena::examples
