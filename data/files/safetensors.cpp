#include "data/files/safetensors.hpp"

#include <algorithm>
#include <cstring>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string_view>

#include "autodiff/error.hpp"
#include "data/files/byte_source.hpp"
#include "data/files/elements.hpp"
#include "data/files/file.hpp"
#include "data/files/mapped_file.hpp"

namespace cadena::data {
namespace {

using Json = nlohmann::json;

constexpr const char* format = "safetensors";
constexpr std::size_t prefix = 8;                      // bytes of the header's length
constexpr std::uint64_t longest_header = 100'000'000;  // the reference implementation's cap
constexpr int deepest = 3;                             // the header, a tensor's entry, its lists
const std::string metadata_key = "__metadata__";

struct NamedType {
  std::string_view name;
  ElementType type;
};
constexpr NamedType types[] = {
    {"BOOL", ElementType::boolean}, {"I8", ElementType::i8},     {"U8", ElementType::u8},
    {"I16", ElementType::i16},      {"U16", ElementType::u16},   {"I32", ElementType::i32},
    {"U32", ElementType::u32},      {"I64", ElementType::i64},   {"U64", ElementType::u64},
    {"F16", ElementType::f16},      {"BF16", ElementType::bf16}, {"F32", ElementType::f32},
    {"F64", ElementType::f64}};

std::string type_name(DType dtype) {
  for (const auto& [name, type] : types)
    if (type == element_type(dtype)) return std::string(name);
  return {};
}

/// Where a tensor lies, counted from the end of the header.
struct Place {
  std::string name;
  ElementType type = ElementType::f32;
  Shape shape;
  std::uint64_t begin = 0, end = 0;
};

struct Header {
  std::uint64_t size = 0;          ///< with the eight bytes in front
  std::vector<Place> places = {};  ///< by position
  std::map<std::string, std::string> metadata = {};
};

[[noreturn]] void fail(std::uint64_t at, const std::string& field, const std::string& reason) {
  throw FormatError(format, static_cast<std::int64_t>(at), field, reason);
}

/// JSON without names that stand twice, which the library would silently let win, and without depth.
Json parse_json(std::string_view text) {
  std::vector<std::set<std::string>> seen;
  const auto watch = [&](int depth, Json::parse_event_t event, Json& parsed) {
    if (depth > deepest) fail(prefix, "header", "expected JSON of depth 3, got more");
    if (event == Json::parse_event_t::object_start) seen.emplace_back();
    if (event == Json::parse_event_t::object_end) seen.pop_back();
    if (event == Json::parse_event_t::key && !seen.back().insert(parsed.get<std::string>()).second)
      fail(prefix, parsed.get<std::string>(), "expected every name once, got it twice");
    return true;
  };
  Json header = Json::parse(text, watch, false);
  if (!header.is_object()) fail(prefix, "header", "expected a JSON object, got something else");
  return header;
}

std::map<std::string, std::string> read_metadata(const Json& entry) {
  std::map<std::string, std::string> metadata;
  if (!entry.is_object()) fail(prefix, "metadata", "expected an object, got something else");
  for (const auto& [key, value] : entry.items()) {
    if (!value.is_string()) fail(prefix, "metadata", "expected text for \"" + key + "\", got something else");
    metadata[key] = value.get<std::string>();
  }
  return metadata;
}

const Json& member(const std::string& name, const Json& entry, const char* key, Json::value_t type) {
  const bool there = entry.is_object() && entry.contains(key);
  if (!there || entry[key].type() != type)
    fail(prefix, name, std::string("expected a fitting ") + key + ", got none");
  return entry[key];
}

std::vector<std::int64_t> numbers(const std::string& name, const Json& entry, const char* key) {
  std::vector<std::int64_t> values;
  for (const Json& number : member(name, entry, key, Json::value_t::array)) {
    if (!number.is_number_unsigned() || number.get<std::uint64_t>() >> 62 != 0)
      fail(prefix, name,
           std::string("expected whole numbers below 2^62 in ") + key + ", got " + number.dump());
    values.push_back(number.get<std::int64_t>());
  }
  return values;
}

ElementType read_type(const std::string& name, const std::string& text) {
  std::string known;
  for (const auto& [type_name, type] : types) {
    if (text == type_name) return type;
    known.append(known.empty() ? "" : ", ").append(type_name);
  }
  fail(prefix, name, "expected a dtype of " + known + ", got " + text);
}

Place read_place(const std::string& name, const Json& entry) {
  Place place;
  place.name = name;
  const auto dtype = member(name, entry, "dtype", Json::value_t::string).get<std::string>();
  place.type = read_type(name, dtype);
  const auto offsets = numbers(name, entry, "data_offsets"), extents = numbers(name, entry, "shape");
  if (offsets.size() != 2 || offsets[0] > offsets[1])
    fail(prefix, name, "expected begin <= end as data_offsets, got " + entry["data_offsets"].dump());
  place.begin = static_cast<std::uint64_t>(offsets[0]);
  place.end = static_cast<std::uint64_t>(offsets[1]);
  try {
    place.shape = Shape(std::span<const std::int64_t>(extents));
    // In the larger of the two sizes, so that neither can overflow.
    const auto n =
        checked_numel(format, place.shape, std::max(itemsize(place.type), itemsize(dtype_of(place.type))));
    if (static_cast<std::uint64_t>(n) * itemsize(place.type) != place.end - place.begin)
      fail(prefix, name,
           "expected bytes for " + to_string(place.shape) + " of " + dtype + ", got " +
               std::to_string(place.end - place.begin));
  } catch (const ShapeError& error) {
    fail(prefix, name, error.what());
  }
  return place;
}

/// Every byte behind the header belongs to exactly one tensor.
void check_cover(const Header& header, std::uint64_t available) {
  std::uint64_t end = 0;
  for (const Place& place : header.places) {
    if (place.begin != end)
      fail(prefix, place.name,
           "expected to begin at " + std::to_string(end) + ", where the one before ends, got " +
               std::to_string(place.begin));
    end = place.end;
  }
  if (end != available)
    fail(header.size, "tensors",
         "expected " + std::to_string(end) + " bytes behind the header, got " + std::to_string(available));
}

Header read_header(ByteSource& source) {
  std::uint8_t word[prefix];
  if (const auto n = source.read(word, prefix); n < prefix)
    fail(0, "length of the header", "expected 8 bytes, got " + std::to_string(n));
  std::uint64_t length = 0;
  std::memcpy(&length, word, prefix);
  const auto most = std::min(longest_header, source.at_most());
  if (length > most)
    fail(0, "length of the header",
         "expected at most " + std::to_string(most) + ", got " + std::to_string(length));
  std::vector<std::uint8_t> text;
  read_exactly(source, text, length, format, prefix, "header");
  const Json json = parse_json({reinterpret_cast<const char*>(text.data()), text.size()});
  Header header{.size = prefix + length};
  for (const auto& [name, entry] : json.items()) {
    if (name == metadata_key)
      header.metadata = read_metadata(entry);
    else
      header.places.push_back(read_place(name, entry));
  }
  std::sort(header.places.begin(), header.places.end(), [](const Place& a, const Place& b) {
    return std::pair(a.begin, a.end) < std::pair(b.begin, b.end);
  });
  check_cover(header, source.at_most());
  return header;
}

void expect_fits(std::optional<std::int64_t> misfit, std::uint64_t at, const Place& place) {
  if (misfit)
    fail(at + static_cast<std::uint64_t>(*misfit) * itemsize(place.type), place.name,
         "expected numbers below 2^63, got a larger one");
}

/// The next tensor of the source, by way of a small buffer.
Tensor read_tensor(ByteSource& source, const Place& place, std::uint64_t at) {
  Tensor t = empty(place.shape, dtype_of(place.type));
  std::vector<std::uint8_t> buffer;
  const std::int64_t n = t.numel(), step = 1 << 15;
  for (std::int64_t first = 0; first < n; first += step) {
    const auto count = std::min(step, n - first);
    read_exactly(source, buffer, static_cast<std::uint64_t>(count) * itemsize(place.type), format, at);
    expect_fits(decode(place.type, Endian::little, buffer.data(), count, t, first), at, place);
    at += buffer.size();
  }
  return t;
}

TensorFile parse(ByteSource& source) {
  Header header = read_header(source);
  TensorFile file;
  file.metadata = std::move(header.metadata);
  for (const Place& place : header.places)
    file.tensors.emplace(place.name, read_tensor(source, place, header.size + place.begin));
  std::uint8_t more = 0;
  if (source.read(&more, 1) != 0) fail(header.size, "end", "expected the end of the file, got more bytes");
  return file;
}

/// A view of the mapped elements, or a copy where they are not what a tensor of ours can hold.
Tensor view_tensor(const std::shared_ptr<MappedFile>& file, const Place& place, std::uint64_t at) {
  std::uint8_t* from = file->bytes().data() + at;
  const DType dtype = dtype_of(place.type);
  const bool same = element_type(dtype) == place.type && dtype != boolean;
  const bool aligned = reinterpret_cast<std::uintptr_t>(from) % itemsize(dtype) == 0;
  if (same && aligned && place.begin != place.end)
    return from_blob(from, place.shape, dtype, [file](void*) {});
  Tensor t = empty(place.shape, dtype);
  expect_fits(decode(place.type, Endian::little, from, t.numel(), t), at, place);
  return t;
}

TensorFile map(const std::filesystem::path& path) {
  const auto mapped = std::make_shared<MappedFile>(path);
  Header header = read_header(*open_memory(mapped->bytes()));
  TensorFile file;
  file.metadata = std::move(header.metadata);
  for (const Place& place : header.places)
    file.tensors.emplace(place.name, view_tensor(mapped, place, header.size + place.begin));
  return file;
}

using Entry = std::pair<const std::string, Tensor>;

/// Large elements first, as the reference implementation does it: so all of them lie aligned.
std::vector<const Entry*> in_order(const TensorFile& file) {
  std::vector<const Entry*> entries;
  for (const Entry& entry : file.tensors) entries.push_back(&entry);
  std::stable_sort(entries.begin(), entries.end(), [](const Entry* a, const Entry* b) {
    return itemsize(a->second.dtype()) > itemsize(b->second.dtype());
  });
  return entries;
}

/// The eight bytes and the JSON.
std::string header_of(const TensorFile& file) {
  Json header = Json::object();
  if (!file.metadata.empty()) header[metadata_key] = file.metadata;
  std::uint64_t at = 0;
  for (const Entry* entry : in_order(file)) {
    const auto& [name, tensor] = *entry;
    if (name == metadata_key) throw ValueError("[format_safetensors] expected names of tensors, got " + name);
    const Shape& shape = tensor.shape();
    const auto end = at + static_cast<std::uint64_t>(tensor.numel()) * itemsize(tensor.dtype());
    header[name] = {{"dtype", type_name(tensor.dtype())},
                    {"shape", std::vector<std::int64_t>(shape.begin(), shape.end())},
                    {"data_offsets", {at, end}}};
    at = end;
  }
  std::string text;
  try {
    text = header.dump();
  } catch (const Json::type_error&) {
    throw ValueError("[format_safetensors] expected names and metadata in UTF-8, got other bytes");
  }
  text.resize((text.size() + 7) / 8 * 8, ' ');  // so that the elements are aligned
  const std::uint64_t length = text.size();
  return std::string(reinterpret_cast<const char*>(&length), prefix) + text;
}

/// Hands the file to `sink` piece by piece.
void emit(const TensorFile& file, const std::function<void(std::span<const std::uint8_t>)>& sink) {
  const std::string header = header_of(file);
  sink({reinterpret_cast<const std::uint8_t*>(header.data()), header.size()});
  for (const Entry* entry : in_order(file)) sink(raw_bytes(entry->second.detach().contiguous()));
}

}  // namespace

std::vector<std::uint8_t> format_safetensors(const TensorFile& file) {
  std::vector<std::uint8_t> bytes;
  emit(file,
       [&](std::span<const std::uint8_t> part) { bytes.insert(bytes.end(), part.begin(), part.end()); });
  return bytes;
}

TensorFile parse_safetensors(std::span<const std::uint8_t> file) { return parse(*open_memory(file)); }

void write_safetensors(const std::filesystem::path& path, const TensorFile& file) {
  AtomicFile out(path);
  emit(file, [&](std::span<const std::uint8_t> part) { out.write(part); });
  out.commit();
}

TensorFile read_safetensors(const std::filesystem::path& path, const SafetensorsOptions& options) {
  return naming(path, [&] { return options.mapped ? map(path) : parse(*open_file(path)); });
}

}  // namespace cadena::data
