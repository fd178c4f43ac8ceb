#include "data/files/idx.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>
#include <memory>
#include <string>

#include "data/files/byte_source.hpp"
#include "data/files/file.hpp"
#include "data/files/gzip.hpp"

namespace cadena::data {
namespace {

constexpr int most_extents = max_rank;

[[noreturn]] void fail(std::int64_t offset, const char* field, const std::string& reason) {
  throw FormatError("idx", offset, field, reason);
}

std::string hex(unsigned byte) {
  constexpr char digits[] = "0123456789abcdef";
  return {'0', 'x', digits[byte >> 4 & 15], digits[byte & 15]};
}

bool is_known(std::uint8_t code) { return code == 0x08 || code == 0x09 || (code >= 0x0B && code <= 0x0E); }

/// Swaps between big-endian and this machine's order, in place.
void swap_order(std::vector<std::uint8_t>& bytes, std::size_t item) {
  if (item == 1 || std::endian::native == std::endian::big) return;
  for (std::size_t i = 0; i + item <= bytes.size(); i += item)
    std::reverse(bytes.begin() + static_cast<std::ptrdiff_t>(i),
                 bytes.begin() + static_cast<std::ptrdiff_t>(i + item));
}

std::uint32_t big_endian(const std::uint8_t* p) {
  return std::uint32_t{p[0]} << 24 | std::uint32_t{p[1]} << 16 | std::uint32_t{p[2]} << 8 | p[3];
}

/// Fills type and shape. @return the length of the header
std::int64_t read_header(ByteSource& source, IdxData& data) {
  std::uint8_t word[4];
  if (const auto n = source.read(word, 4); n < 4)
    fail(static_cast<std::int64_t>(n), "magic", "expected 4 bytes, got " + std::to_string(n));
  if (word[0] != 0 || word[1] != 0)
    fail(0, "magic", "expected 0x00 0x00, got " + hex(word[0]) + " " + hex(word[1]));
  if (!is_known(word[2]))
    fail(2, "type", "expected one of 0x08, 0x09, 0x0b, 0x0c, 0x0d, 0x0e, got " + hex(word[2]));
  data.type = static_cast<IdxType>(word[2]);
  const int rank = word[3];
  if (rank < 1 || rank > most_extents)
    fail(3, "number of dimensions", "expected 1 to 8, got " + std::to_string(rank));
  for (int i = 0; i < rank; ++i) {
    const std::int64_t at = 4 + 4 * i;
    if (const auto n = source.read(word, 4); n < 4)
      fail(at + static_cast<std::int64_t>(n), "dimensions",
           "expected " + std::to_string(rank) + " of 4 bytes, got the end of the data in number " +
               std::to_string(i));
    data.shape.push_back(big_endian(word));
  }
  return 4 + 4 * rank;
}

/// Size of the elements in bytes. Extents of 0 do not excuse others whose product overflows.
std::uint64_t payload_bytes(const IdxData& data, const IdxOptions& options) {
  std::uint64_t bytes = itemsize(data.type);
  bool none = false;
  for (const auto extent : data.shape) {
    none = none || extent == 0;
    const auto factor = static_cast<std::uint64_t>(std::max<std::int64_t>(extent, 1));
    if (bytes > std::uint64_t{std::numeric_limits<std::int64_t>::max()} / factor)
      fail(4, "dimensions", "expected fewer than 2^63 bytes of elements, got " + to_string(data.shape));
    bytes *= factor;
  }
  if (none) return 0;
  if (bytes > options.max_bytes)
    fail(4, "dimensions",
         "expected at most " + std::to_string(options.max_bytes) + " bytes of elements, got " +
             to_string(data.shape) + ", " + std::to_string(bytes) + " bytes");
  return bytes;
}

IdxData parse(ByteSource& source, const IdxOptions& options) {
  IdxData data;
  const auto header = read_header(source, data);
  const auto size = payload_bytes(data, options);
  read_exactly(source, data.bytes, size, "idx", static_cast<std::uint64_t>(header));
  std::uint8_t more = 0;  // asking for one byte too many also lets gzip verify its checksum
  if (source.read(&more, 1) != 0)
    fail(header + static_cast<std::int64_t>(size), "end", "expected the end of the data, got more bytes");
  swap_order(data.bytes, itemsize(data.type));
  return data;
}

void append_big_endian(std::vector<std::uint8_t>& out, std::int64_t v) {
  for (int shift = 24; shift >= 0; shift -= 8) out.push_back(static_cast<std::uint8_t>(v >> shift));
}

/// Calls f with a value of the C++ type behind `t`.
template <class F>
decltype(auto) visit(IdxType t, F&& f) {
  switch (t) {
    case IdxType::u8:
      return f(std::uint8_t{});
    case IdxType::i8:
      return f(std::int8_t{});
    case IdxType::i16:
      return f(std::int16_t{});
    case IdxType::i32:
      return f(std::int32_t{});
    case IdxType::f32:
      return f(float{});
    default:
      return f(double{});
  }
}

void expect_consistent(const char* op, const IdxData& data) {
  const auto n = checked_numel(op, data.shape, itemsize(data.type));
  const auto expected = static_cast<std::uint64_t>(n) * itemsize(data.type);
  if (expected != data.bytes.size())
    throw ValueError(std::string("[").append(op) + "] expected " + std::to_string(expected) +
                     " bytes for shape " + to_string(data.shape) + " of " + std::string(name(data.type)) +
                     ", got " + std::to_string(data.bytes.size()));
}

}  // namespace

std::string_view name(IdxType t) {
  switch (t) {
    case IdxType::u8:
      return "u8";
    case IdxType::i8:
      return "i8";
    case IdxType::i16:
      return "i16";
    case IdxType::i32:
      return "i32";
    case IdxType::f32:
      return "f32";
    default:
      return "f64";
  }
}

IdxData read_idx(const std::filesystem::path& path, const IdxOptions& options) {
  return naming(path, [&] {
    const auto source = unpack_if_gzip(open_file(path));
    return parse(*source, options);
  });
}

IdxData parse_idx(std::span<const std::uint8_t> file, const IdxOptions& options) {
  const auto source = unpack_if_gzip(open_memory(file));
  return parse(*source, options);
}

std::vector<std::uint8_t> format_idx(const IdxData& data) {
  expect_consistent("format_idx", data);
  const int rank = data.shape.rank();
  if (rank == 0) throw ValueError("[format_idx] expected 1 to 8 dimensions, got none");
  std::vector<std::uint8_t> out = {0, 0, static_cast<std::uint8_t>(data.type),
                                   static_cast<std::uint8_t>(rank)};
  for (const auto extent : data.shape) {
    if (extent > std::numeric_limits<std::uint32_t>::max())
      throw ValueError("[format_idx] expected extents below 2^32, got " + to_string(data.shape));
    append_big_endian(out, extent);
  }
  auto elements = data.bytes;
  swap_order(elements, itemsize(data.type));
  out.insert(out.end(), elements.begin(), elements.end());
  return out;
}

void write_idx(const std::filesystem::path& path, const IdxData& data) {
  auto bytes = format_idx(data);
  if (path.extension() == ".gz") bytes = gzip(bytes);
  write_file(path, bytes);
}

Tensor to_tensor(const IdxData& data) {
  expect_consistent("to_tensor", data);
  return visit(data.type, [&]<class From>(From) {
    using To = std::conditional_t<std::is_floating_point_v<From>, From, std::int64_t>;
    Tensor out = empty(data.shape, dtype_of<To>());
    auto* to = out.mutable_data<To>();
    for (std::size_t i = 0; i < data.bytes.size() / sizeof(From); ++i) {
      From v;
      std::memcpy(&v, data.bytes.data() + i * sizeof(From), sizeof(From));
      to[i] = v;
    }
    return out;
  });
}

Tensor pixels(const IdxData& data) {
  if (data.type != IdxType::u8)
    throw DtypeError("[pixels] expected type u8, got " + std::string(name(data.type)));
  expect_consistent("pixels", data);
  Tensor out = empty(data.shape);
  std::transform(data.bytes.begin(), data.bytes.end(), out.mutable_data<float>(),
                 [](std::uint8_t v) { return static_cast<float>(v) / 255.0F; });
  return out;
}

Tensor labels(const IdxData& data, std::int64_t classes) {
  if (data.type == IdxType::f32 || data.type == IdxType::f64)
    throw DtypeError("[labels] expected an integer type, got " + std::string(name(data.type)));
  if (data.shape.rank() != 1)
    throw ShapeError("[labels] expected one dimension, got shape " + to_string(data.shape));
  Tensor out = to_tensor(data);
  const auto* p = out.data<std::int64_t>();
  for (std::int64_t i = 0; i < out.numel(); ++i) {
    if (p[i] >= 0 && p[i] < classes) continue;
    throw ValueError("[labels] expected labels from 0 to " + std::to_string(classes - 1) + ", got " +
                     std::to_string(p[i]) + " at index " + std::to_string(i));
  }
  return out;
}

}  // namespace cadena::data
