#include "data/files/npy.hpp"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <optional>
#include <string_view>

#include "autodiff/error.hpp"
#include "autodiff/ops.hpp"
#include "data/files/byte_source.hpp"
#include "data/files/elements.hpp"
#include "data/files/file.hpp"
#include "data/files/zip.hpp"

namespace cadena::data {
namespace {

constexpr const char* format = "npy";
constexpr std::string_view magic = "\x93NUMPY";
constexpr std::size_t preamble = 10;  // magic, version, and two bytes of length
const std::string ending = ".npy";

[[noreturn]] void fail(std::uint64_t at, const std::string& field, const std::string& reason) {
  throw FormatError(format, static_cast<std::int64_t>(at), field, reason);
}

struct Header {
  ElementType type = ElementType::f64;
  Endian order = Endian::little;
  bool fortran = false;
  Shape shape = {};
  std::uint64_t size = 0;  ///< of everything before the elements
};

/// The one Python literal that a header may be: a dict with the keys descr, fortran_order and shape.
class Literal {
 public:
  Literal(std::string_view text, std::uint64_t offset) : text_(text), offset_(offset) {}

  void read(Header& header) {
    expect('{');
    bool descr = false, order = false, shape = false;
    while (!accept('}')) {
      const auto key = quoted();
      expect(':');
      if (key == "descr" && !std::exchange(descr, true)) {
        read_type(header);
      } else if (key == "fortran_order" && !std::exchange(order, true)) {
        header.fortran = boolean_word();
      } else if (key == "shape" && !std::exchange(shape, true)) {
        header.shape = tuple();
      } else {
        error("header", "expected each of descr, fortran_order and shape once, got " + std::string(key));
      }
      if (!accept(',')) {
        expect('}');
        break;
      }
    }
    skip();
    if (at_ != text_.size()) error("header", "expected its end, got more text");
    if (!descr || !order || !shape) error("header", "expected descr, fortran_order and shape, got fewer");
  }

 private:
  [[noreturn]] void error(const char* field, const std::string& reason) const {
    fail(offset_ + at_, field, reason);
  }
  void skip() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n')) ++at_;
  }
  bool accept(char c) {
    skip();
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  void expect(char c) {
    if (!accept(c)) error("header", std::string("expected '") + c + "', got something else");
  }
  std::string_view quoted() {
    const char quote = accept('\'') ? '\'' : '"';
    if (quote == '"') expect('"');
    const auto end = text_.find(quote, at_);
    if (end == std::string_view::npos) error("header", "expected a closing quote, got none");
    const auto inside = text_.substr(at_, end - at_);
    at_ = end + 1;
    return inside;
  }
  bool boolean_word() {
    skip();
    for (const std::string_view word : {"True", "False"}) {
      if (text_.substr(at_, word.size()) != word) continue;
      at_ += word.size();
      return word == "True";
    }
    error("fortran_order", "expected True or False, got something else");
  }
  Shape tuple() {
    Shape shape;
    expect('(');
    while (!accept(')')) {
      skip();
      std::int64_t extent = 0;
      const char* begin = text_.data() + at_;
      const auto [end, problem] = std::from_chars(begin, text_.data() + text_.size(), extent);
      if (problem != std::errc() || extent < 0) error("shape", "expected whole numbers, got something else");
      at_ += static_cast<std::size_t>(end - begin);
      if (shape.rank() == max_rank) error("shape", "expected at most 8 dimensions, got more");
      shape.push_back(extent);
      if (accept(',')) continue;
      expect(')');
      break;
    }
    return shape;
  }
  void read_type(Header& header) {
    skip();
    if (at_ < text_.size() && text_[at_] == '[')
      error("descr", "expected a bool, integer or float type, got a record");
    const auto text = quoted();
    const auto known = type_named(text);
    if (!known || (itemsize(*known) > 1 && text[0] == '|'))
      error("descr", "expected b1, i1 to i8, u1 to u8, f2, f4 or f8 behind <, >, = or |, got '" +
                         std::string(text) + "'");
    header.type = *known;
    header.order = text[0] == '>' ? Endian::big : Endian::little;
  }
  static std::optional<ElementType> type_named(std::string_view text) {
    if (text.size() != 3 || std::string_view("<>=|").find(text[0]) == std::string_view::npos)
      return std::nullopt;
    const std::string_view type = text.substr(1);
    constexpr std::pair<std::string_view, ElementType> types[] = {
        {"b1", ElementType::boolean}, {"i1", ElementType::i8},  {"u1", ElementType::u8},
        {"i2", ElementType::i16},     {"u2", ElementType::u16}, {"i4", ElementType::i32},
        {"u4", ElementType::u32},     {"i8", ElementType::i64}, {"u8", ElementType::u64},
        {"f2", ElementType::f16},     {"f4", ElementType::f32}, {"f8", ElementType::f64}};
    for (const auto& [name, element] : types)
      if (name == type) return element;
    return std::nullopt;
  }

  std::string_view text_;
  std::uint64_t offset_;
  std::size_t at_ = 0;
};

Header read_header(ByteSource& source, const NpyOptions& options) {
  std::uint8_t start[preamble + 2];
  if (const auto n = source.read(start, preamble); n < preamble)
    fail(n, "magic", "expected 10 bytes, got " + std::to_string(n));
  if (std::memcmp(start, magic.data(), magic.size()) != 0)
    fail(0, "magic", "expected \\x93NUMPY, got other bytes");
  const int major = start[6];
  if (major < 1 || major > 3 || start[7] != 0)
    fail(6, "version",
         "expected 1.0, 2.0 or 3.0, got " + std::to_string(major) + "." + std::to_string(start[7]));
  std::uint64_t length = start[8] + 256ULL * start[9];
  std::uint64_t offset = preamble;
  if (major > 1) {
    if (source.read(start + preamble, 2) < 2) fail(preamble, "header", "expected its length, got the end");
    length += (std::uint64_t{start[10]} << 16) + (std::uint64_t{start[11]} << 24);
    offset += 2;
  }
  if (length > options.max_header)
    fail(8, "header",
         "expected at most " + std::to_string(options.max_header) + " bytes, got " + std::to_string(length));
  std::vector<std::uint8_t> text;
  read_exactly(source, text, length, format, offset, "header");
  Header header{.size = offset + length};
  Literal({reinterpret_cast<const char*>(text.data()), text.size()}, offset).read(header);
  return header;
}

/// Number of elements; 0 beside extents whose product overflows is an error, too.
std::int64_t count(const Header& header, const NpyOptions& options) {
  Shape nonzero;
  for (const auto extent : header.shape) nonzero.push_back(std::max<std::int64_t>(extent, 1));
  try {
    checked_numel(format, nonzero, sizeof(double));
  } catch (const ShapeError&) {
    fail(preamble, "shape", "expected fewer than 2^63 bytes of elements, got " + to_string(header.shape));
  }
  const auto n = header.shape.numel();
  const auto bytes = static_cast<std::uint64_t>(n) * itemsize(dtype_of(header.type));
  if (bytes > options.max_bytes)
    fail(preamble, "shape",
         "expected at most " + std::to_string(options.max_bytes) + " bytes of elements, got " +
             to_string(header.shape) + ", " + std::to_string(bytes) + " bytes");
  return n;
}

Tensor parse(ByteSource& source, const NpyOptions& options) {
  const Header header = read_header(source, options);
  const auto n = count(header, options);
  std::vector<std::uint8_t> bytes;
  read_exactly(source, bytes, static_cast<std::uint64_t>(n) * itemsize(header.type), format, header.size);
  std::uint8_t more = 0;
  if (source.read(&more, 1) != 0)
    fail(header.size + bytes.size(), "end", "expected the end of the array, got more bytes");
  Shape stored = header.shape;
  if (header.fortran) std::reverse(stored.begin(), stored.end());
  Tensor t = empty(stored, dtype_of(header.type));
  if (const auto misfit = decode(header.type, header.order, bytes.data(), n, t))
    fail(header.size + 8 * static_cast<std::uint64_t>(*misfit), "elements",
         "expected numbers below 2^63, got a larger one");
  if (!header.fortran || stored.rank() < 2) return t;
  Axes reversed;
  for (int axis = stored.rank(); axis-- > 0;) reversed.push_back(axis);
  return t.permute(reversed).contiguous();
}

std::string_view type_name(DType t) { return t == f32 ? "<f4" : t == f64 ? "<f8" : t == i64 ? "<i8" : "|b1"; }

}  // namespace

Tensor parse_npy(std::span<const std::uint8_t> file, const NpyOptions& options) {
  return parse(*open_memory(file), options);
}

Tensor read_npy(const std::filesystem::path& path, const NpyOptions& options) {
  return naming(path, [&] { return parse(*open_file(path), options); });
}

std::map<std::string, Tensor> parse_npz(std::span<const std::uint8_t> file, const NpyOptions& options) {
  std::map<std::string, Tensor> arrays;
  for (const ZipMember& member : read_zip(file, "npz", options.max_bytes)) {
    if (!member.name.ends_with(ending))
      throw FormatError("npz", static_cast<std::int64_t>(member.offset), member.name,
                        "expected a name that ends in .npy, got another");
    const auto bytes = unpack(member, "npz");
    try {
      arrays.emplace(member.name.substr(0, member.name.size() - ending.size()), parse_npy(bytes, options));
    } catch (const FormatError& e) {
      throw FormatError("npz", static_cast<std::int64_t>(member.offset), member.name, e.what());
    }
  }
  return arrays;
}

std::map<std::string, Tensor> read_npz(const std::filesystem::path& path, const NpyOptions& options) {
  return naming(path, [&] { return parse_npz(read_file(path), options); });
}

std::vector<std::uint8_t> format_npy(const Tensor& t, const NpyWriteOptions& options) {
  const Shape& shape = t.shape();
  std::string header = "{'descr': '" + std::string(type_name(t.dtype())) +
                       "', 'fortran_order': " + (options.fortran_order ? "True" : "False") + ", 'shape': (";
  for (const auto extent : shape) header += std::to_string(extent) + (shape.rank() == 1 ? "," : ", ");
  if (shape.rank() > 1) header.resize(header.size() - 2);
  header += "), }";
  constexpr std::size_t alignment = 64;
  header.resize((preamble + header.size() + 1 + alignment - 1) / alignment * alignment - preamble - 1, ' ');
  header += '\n';
  Tensor dense = t.detach();
  if (options.fortran_order && shape.rank() > 1) {
    Axes reversed;
    for (int axis = shape.rank(); axis-- > 0;) reversed.push_back(axis);
    dense = dense.permute(reversed);
  }
  dense = dense.contiguous();
  std::vector<std::uint8_t> out(magic.begin(), magic.end());
  for (const std::size_t byte : {std::size_t{1}, std::size_t{0}, header.size() & 255U, header.size() >> 8U})
    out.push_back(static_cast<std::uint8_t>(byte));
  out.insert(out.end(), header.begin(), header.end());
  const auto bytes = raw_bytes(dense);
  out.insert(out.end(), bytes.begin(), bytes.end());
  return out;
}

std::vector<std::uint8_t> format_npz(const std::map<std::string, Tensor>& arrays,
                                     const NpzWriteOptions& options) {
  ZipWriter zip;
  for (const auto& [name, array] : arrays) zip.add(name + ending, format_npy(array), options.compressed);
  return zip.finish();
}

void write_npy(const std::filesystem::path& path, const Tensor& t, const NpyWriteOptions& options) {
  write_file(path, format_npy(t, options));
}

void write_npz(const std::filesystem::path& path, const std::map<std::string, Tensor>& arrays,
               const NpzWriteOptions& options) {
  write_file(path, format_npz(arrays, options));
}

}  // namespace cadena::data
