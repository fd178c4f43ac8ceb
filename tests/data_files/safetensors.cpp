#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "autodiff/autodiff.hpp"
#include "data/data.hpp"
#include "files.hpp"
#include "messages.hpp"

namespace cadena::data {
namespace {

Bytes raw_file(const std::string& header, const std::string& data) {
  Bytes bytes(8);
  bytes[0] = static_cast<std::uint8_t>(header.size() & 0xff);
  bytes[1] = static_cast<std::uint8_t>(header.size() >> 8);
  for (const char c : header + data) bytes.push_back(static_cast<std::uint8_t>(c));
  return bytes;
}

std::string entry(const std::string& shape, const std::string& offsets, const std::string& dtype = "F32",
                  const std::string& name = "w") {
  return '"' + name + R"(": {"dtype": ")" + dtype + R"(", "shape": )" + shape + R"(, "data_offsets": )" +
         offsets + "}";
}

TensorFile sample() {
  TensorFile file;
  file.metadata = {{"format", "pt"}, {"quote", "\"é\""}};
  file.tensors["f32"] = tensor({{1.5, -2.0}, {3.25, 1e-30}});
  file.tensors["f64"] = tensor({0.1, 1e300}, f64);
  file.tensors["i64"] = tensor({-1, 1 << 30});
  file.tensors["bool"] = tensor({true, false, true});
  file.tensors["number"] = full({}, 4.5);
  file.tensors["none"] = zeros({0, 3});
  file.tensors["view"] = arange(6).reshape({2, 3}).t();
  return file;
}

void expect_equal(const TensorFile& a, const TensorFile& b) {
  EXPECT_EQ(a.metadata, b.metadata);
  ASSERT_EQ(a.tensors.size(), b.tensors.size());
  for (const auto& [name, t] : a.tensors) {
    EXPECT_TRUE(equal(t, b.tensors.at(name))) << name;
    EXPECT_EQ(t.dtype(), b.tensors.at(name).dtype()) << name;
  }
}

TEST(Safetensors, RoundTrip) {
  const TensorFile file = sample();
  const Bytes bytes = format_safetensors(file);
  const TensorFile back = parse_safetensors(bytes);
  expect_equal(file, back);
  EXPECT_EQ(format_safetensors(back), bytes);
  EXPECT_TRUE(parse_safetensors(format_safetensors({})).tensors.empty());
  const Folder folder;
  write_safetensors(folder / "a", file);
  EXPECT_EQ(read_file(folder / "a"), bytes);
  expect_equal(file, read_safetensors(folder / "a"));
}

TEST(Safetensors, MappedTensorsLookIntoTheFile) {
  const Folder folder;
  const auto path = folder / "a";
  write_safetensors(path, sample());
  TensorFile mapped = read_safetensors(path, {.mapped = true});
  expect_equal(sample(), mapped);
  const Bytes before = read_file(path);
  mapped.tensors["f64"].fill_(3);  // this process's copy of the page
  EXPECT_EQ(read_file(path), before);
  write_safetensors(path, {});  // another file takes the name; the mapping keeps the old one
  EXPECT_TRUE(equal(mapped.tensors["f32"], sample().tensors["f32"]));
  EXPECT_TRUE(equal(mapped.tensors["f64"], full({2}, 3, f64)));
  const Tensor kept = mapped.tensors["i64"];
  mapped = {};
  EXPECT_TRUE(equal(kept, tensor({-1, 1 << 30})));
}

TEST(Safetensors, MisalignedTensorsAreCopied) {
  const Folder folder;
  const std::string header = "{" + entry("[1]", "[0, 1]", "BOOL", "a") + "," + entry("[1]", "[1, 5]") + "}";
  save(folder / "a", raw_file(header, std::string("\x05\0\0\x80\x3f", 5)));
  const TensorFile file = read_safetensors(folder / "a", {.mapped = true});
  EXPECT_TRUE(equal(file.tensors.at("w"), tensor({1.0})));
  EXPECT_TRUE(equal(file.tensors.at("a"), tensor({true})));
}

TEST(Safetensors, WritesWhatTheFormatAsksFor) {
  TensorFile file;
  file.tensors["w"] = tensor({1.0, 2.0});
  const Bytes bytes = format_safetensors(file);
  const std::size_t length = bytes[0];
  EXPECT_EQ((8 + length) % 8, 0U);
  EXPECT_EQ(bytes.size(), 8 + length + 8);
  EXPECT_EQ(nlohmann::json::parse(bytes.begin() + 8, bytes.begin() + 8 + static_cast<std::ptrdiff_t>(length)),
            nlohmann::json::parse(R"({"w": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}})"));
  EXPECT_EQ(Bytes(bytes.end() - 8, bytes.end()), bytes_of(std::string("\0\0\x80\x3f\0\0\0\x40", 8)));
  // Whatever the names, larger elements come first: all are aligned.
  file.tensors["a"] = tensor({true});
  file.tensors["x"] = tensor({1.0}, f64);
  const Bytes more = format_safetensors(file);
  EXPECT_EQ(more[more.size() - 1], 1);
  EXPECT_EQ(more[more.size() - 2], 0x40);
}

TEST(Safetensors, ReadsEveryNumberTypeAsDocumented) {
  const auto read = [](const std::string& dtype, const std::string& bytes) {
    const std::string n = std::to_string(bytes.size());
    const std::size_t item = dtype == "BOOL" || dtype.ends_with("8") ? 1
                             : dtype.ends_with("16")                 ? 2
                             : dtype.ends_with("32")                 ? 4
                                                                     : 8;
    const std::string shape = "[" + std::to_string(bytes.size() / item) + "]";
    return parse_safetensors(raw_file("{" + entry(shape, "[0, " + n + "]", dtype) + "}", bytes))
        .tensors.at("w");
  };
  const auto text = [](std::initializer_list<int> bytes) {
    std::string s;
    for (const int b : bytes) s += static_cast<char>(b);
    return s;
  };
  EXPECT_TRUE(equal(read("I8", text({0x80, 0xFF, 0x7F})), tensor({-128, -1, 127})));
  EXPECT_TRUE(equal(read("U8", text({0x80, 0xFF, 0x7F})), tensor({128, 255, 127})));
  EXPECT_TRUE(equal(read("I16", text({0, 0x80, 2, 1})), tensor({-32768, 258})));
  EXPECT_TRUE(equal(read("U16", text({0, 0x80, 2, 1})), tensor({32768, 258})));
  EXPECT_TRUE(equal(read("I32", text({0, 0, 0, 0x80})), tensor({-2147483648LL})));
  EXPECT_TRUE(equal(read("U32", text({0, 0, 0, 0x80})), tensor({2147483648LL})));
  EXPECT_TRUE(equal(read("U64", text({1, 0, 0, 0, 0, 0, 0, 0})), tensor({1})));
  EXPECT_TRUE(contains(message_of<FormatError>([&] {
                         read("U64", text({0, 0, 0, 0, 0, 0, 0, 0x80}));
                       }),
                       "expected numbers below 2^63"));
  // f16: 1, -2, the largest, the smallest, infinity
  EXPECT_TRUE(equal(read("F16", text({0, 0x3C, 0, 0xC0, 0xFF, 0x7B, 1, 0, 0, 0x7C})),
                    tensor({1.0, -2.0, 65504.0, 0x1p-24, HUGE_VAL}, f32)));
  EXPECT_TRUE(std::isnan(read("F16", text({1, 0x7E})).item()));
  EXPECT_TRUE(std::signbit(read("F16", text({0, 0x80})).item()));
  EXPECT_TRUE(equal(read("BF16", text({0x80, 0x3F, 0, 0xC0})), tensor({1.0, -2.0}, f32)));
}

TEST(Safetensors, RefusesDamagedFiles) {
  const std::string four(4, 'x');
  const std::string one = entry("[1]", "[0, 4]");
  ASSERT_EQ(parse_safetensors(raw_file("{" + one + "}", four)).tensors.size(), 1U);
  const std::vector<Bytes> bad{
      {},
      bytes_of("1234567"),
      Bytes(8, 0xFF),
      raw_file("{", ""),
      raw_file("[]", ""),
      raw_file("{} x", ""),
      raw_file("{}", "left over"),
      raw_file("{" + one + "}", "cut"),
      raw_file("{" + one + "}", four + "x"),
      raw_file("{" + entry("[2]", "[0, 4]") + "}", four),
      raw_file("{" + entry("[1]", "[4, 0]") + "}", four),
      raw_file("{" + entry("[1]", "[0]") + "}", four),
      raw_file("{" + entry("[-1]", "[0, 4]") + "}", four),
      raw_file("{" + entry("[1.0]", "[0, 4]") + "}", four),
      raw_file("{" + entry("1", "[0, 4]") + "}", four),
      raw_file("{" + entry("[1]", "[0, 4]", "F8") + "}", four),
      raw_file("{" + entry("[4611686018427387904]", "[0, 4]") + "}", four),
      raw_file("{" + entry("[4294967296, 4294967296]", "[0, 4]") + "}", four),
      raw_file("{" + entry("[1,1,1,1,1,1,1,1,1]", "[0, 4]") + "}", four),
      raw_file("{" + entry("[1]", "[4, 8]") + "}", four + four),
      raw_file("{" + entry("[1]", "[0, 4611686018427387903]") + "}", four),
      raw_file("{" + one + ", " + entry("[1]", "[0, 4]", "F32", "v") + "}", four),
      raw_file("{" + one + ", " + one + "}", four),
      raw_file("{" + one + ", " + entry("[1]", "[4, 8]") + "}", four + four),
      raw_file(R"({"w": {"dtype": "F32", "dtype": "F32", "shape": [1], "data_offsets": [0, 4]}})", four),
      raw_file(R"({"w": 1})", ""),
      raw_file(R"({"w": {}})", ""),
      raw_file(R"({"a": [[[[[[1]]]]]]})", ""),
      raw_file("{\"\xFF\": {}}", ""),
      raw_file(R"({"__metadata__": {"a": 1}})", ""),
      raw_file(R"({"__metadata__": {"a": "1", "a": "2"}})", ""),
      raw_file(R"({"__metadata__": []})", "")};
  for (const Bytes& bytes : bad)
    EXPECT_THROW(parse_safetensors(bytes), FormatError) << std::string(bytes.begin(), bytes.end());
}

TEST(Safetensors, MessagesTellWhereAndWhy) {
  EXPECT_EQ(message_of<FormatError>([] { parse_safetensors(bytes_of("123")); }),
            "[safetensors] length of the header at byte 0: expected 8 bytes, got 3");
  EXPECT_EQ(message_of<FormatError>([] { parse_safetensors(raw_file("{}", "abc")); }),
            "[safetensors] tensors at byte 10: expected 0 bytes behind the header, got 3");
  EXPECT_EQ(
      message_of<FormatError>(
          [] { parse_safetensors(raw_file("{" + entry("[1]", "[0, 4]", "C64") + "}", "")); }),
      "[safetensors] w at byte 8: expected a dtype of BOOL, I8, U8, I16, U16, I32, U32, I64, U64, F16, BF16, "
      "F32, F64, got C64");
}

TEST(Safetensors, WritingRefusesNamesThatCannotBeRead) {
  EXPECT_THROW(format_safetensors({.tensors = {{"__metadata__", ones({1})}}}), ValueError);
  EXPECT_THROW(format_safetensors({.tensors = {{"\xFF", ones({1})}}}), ValueError);
}

}  // namespace
}  // namespace cadena::data
