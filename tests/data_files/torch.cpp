#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>

#include "autodiff/autodiff.hpp"
#include "data/data.hpp"
#include "data_files/fixture.hpp"
#include "messages.hpp"
#include "nn/nn.hpp"

namespace cadena::data {
namespace {

/// 0, 1/4, 2/4, ..., as the generator of the fixtures counts.
Tensor counting(const Shape& shape, DType dtype = f32) {
  const Tensor n = arange(0, shape.numel(), 1, dtype).reshape(shape);
  return is_floating(dtype) ? n / 4 : n;
}

TensorFile parse(const std::string& name) { return parse_torch(fixture("torch_" + name)); }

TEST(Torch, ReadsAStateDict) {
  const TensorFile file = parse("state_dict");
  EXPECT_EQ(file.tensors.size(), 7U);
  EXPECT_TRUE(equal(file.tensors.at("0.weight"), counting({2, 3})));
  EXPECT_TRUE(equal(file.tensors.at("0.bias"), counting({2})));
  EXPECT_TRUE(equal(file.tensors.at("1.running_var"), ones({2})));
  EXPECT_TRUE(equal(file.tensors.at("1.num_batches_tracked"), full({}, 0, i64)));
  EXPECT_TRUE(file.metadata.empty());
  EXPECT_TRUE(equal(parse("protocol4").tensors.at("w"), counting({2})));
  EXPECT_TRUE(equal(parse("alone").tensors.at(""), counting({2, 3})));
}

TEST(Torch, LoadsIntoAModelOfTheSameNames) {
  nn::Sequential net(nn::Linear(3, 2), nn::BatchNorm1d(2));
  net.load_state_dict(parse("state_dict").tensors);  // strict: all names and shapes must agree
  net.eval();
  const Tensor x = tensor({{1.0, 2.0, 4.0}});
  const Tensor linear = tensor({{2.5, 8.0}});  // {0, 1/4, 1/2} . x and {3/4, 1, 5/4} . x + 1/4
  const Tensor want = linear / std::sqrt(1 + 1e-5) * tensor({0.0, 0.25}) + tensor({0.0, 0.25});
  EXPECT_LT(amax(abs(net(x) - want)).item(), 1e-6);
}

TEST(Torch, ReadsEveryDtype) {
  const auto tensors = parse("dtypes").tensors;
  EXPECT_EQ(tensors.size(), 13U);
  for (const char* name : {"float16", "bfloat16", "float32"})
    EXPECT_TRUE(equal(tensors.at(name), counting({2, 2}))) << name;
  EXPECT_TRUE(equal(tensors.at("float64"), counting({2, 2}, f64)));
  for (const char* name : {"uint8", "int8", "int16", "int32", "int64"})
    EXPECT_TRUE(equal(tensors.at(name), counting({2, 2}, i64))) << name;
  EXPECT_TRUE(equal(tensors.at("negative"), tensor({0, -1, -2})));
  EXPECT_TRUE(equal(tensors.at("bool"), tensor({true, false, true})));
  EXPECT_TRUE(equal(tensors.at("number"), full({}, 2.5)));
  EXPECT_TRUE(equal(tensors.at("none"), zeros({0, 3})));
}

TEST(Torch, ReadsViewsAndKeepsWhatIsShared) {
  const auto tensors = parse("views").tensors;
  const Tensor base = counting({3, 4});
  EXPECT_TRUE(equal(tensors.at("base"), base));
  EXPECT_TRUE(tensors.at("base").shares_storage(tensors.at("again")));
  EXPECT_TRUE(equal(tensors.at("transposed"), base.t()));
  EXPECT_TRUE(equal(tensors.at("part"), base.index({Slice{1, {}}, Slice{{}, {}, 2}})));
  EXPECT_TRUE(equal(tensors.at("expanded"), base[0].expand({2, 4})));
  EXPECT_TRUE(equal(tensors.at("parameter"), counting({2})));
  for (const auto& [name, t] : tensors) EXPECT_TRUE(t.is_contiguous()) << name;
}

TEST(Torch, FlattensNestsAndKeepsNumbersAsText) {
  const TensorFile file = parse("nested");
  EXPECT_TRUE(equal(file.tensors.at("model.0.weight"), counting({2, 3})));
  EXPECT_TRUE(equal(file.tensors.at("list.0"), counting({1})));
  const std::map<std::string, std::string> want = {
      {"epoch", "3"},   {"lr", "0.1"},   {"done", "True"},     {"nothing", "None"}, {"big", "-1099511627776"},
      {"text", "café"}, {"list.1", "7"}, {"state.0.step", "5"}};
  EXPECT_EQ(file.metadata, want);
}

TEST(Torch, RunsNothing) {
  std::filesystem::remove("harmed");
  const auto message = message_of<FormatError>([] { parse("harmful"); });
  EXPECT_TRUE(
      contains(message, "expected tensors, numbers and text only, got posix.system, which is not run"))
      << message;
  EXPECT_TRUE(contains(message, "[torch] pickle at byte ")) << message;
  EXPECT_FALSE(std::filesystem::exists("harmed"));
  EXPECT_TRUE(contains(message_of<FormatError>([] { parse("counter"); }), "collections.Counter"));
}

TEST(Torch, RefusesCyclesAndOldFiles) {
  EXPECT_TRUE(contains(message_of<FormatError>([] { parse("cycle"); }), "expected at most 32 levels"));
  EXPECT_TRUE(
      contains(message_of<FormatError>([] { parse("old"); }), "expected a file of PyTorch 1.6 or later"));
  EXPECT_THROW(parse_torch(fixture("npz_stored")), FormatError);
}

/// A PyTorch file around a pickle written by hand: npz's zip, with the names changed in place.
Bytes around(const std::string& pickle) {
  // One stored member "a.npy" whose bytes are replaced would need checksums, so the archive is built here.
  const auto le = [](std::uint64_t v, int n) {
    std::string s;
    for (int i = 0; i < n; ++i) s += static_cast<char>(v >> (8 * i));
    return s;
  };
  std::uint32_t crc = 0xFFFFFFFF;  // CRC-32 bit by bit
  for (const char c : pickle) {
    crc ^= static_cast<std::uint8_t>(c);
    for (int k = 0; k < 8; ++k) crc = crc >> 1 ^ (0xEDB88320 & (0 - (crc & 1)));
  }
  const std::string name = "x/data.pkl";
  const std::string common = le(0, 2) + le(0, 2) + le(0, 4) + le(crc ^ 0xFFFFFFFF, 4) + le(pickle.size(), 4) +
                             le(pickle.size(), 4) + le(name.size(), 2) + le(0, 2);
  const std::string local = "PK\3\4" + le(20, 2) + common + name + pickle;
  const std::string central =
      "PK\1\2" + le(20, 2) + le(20, 2) + common + le(0, 4) + le(0, 6) + le(0, 4) + name;
  return bytes_of(local + central + "PK\5\6" + le(0, 4) + le(1, 2) + le(1, 2) + le(central.size(), 4) +
                  le(local.size(), 4) + le(0, 2));
}

std::string pickle_of(std::initializer_list<int> opcodes) {
  std::string s("\x80\x02", 2);
  for (const int c : opcodes) s += static_cast<char>(c);
  return s + '.';
}

TEST(Torch, RefusesPicklesThatAreNone) {
  ASSERT_EQ(parse_torch(around(pickle_of({'K', 5}))).metadata.at(""), "5");
  const auto refused = [](const std::string& pickle) {
    EXPECT_THROW(parse_torch(around(pickle)), FormatError) << ::testing::PrintToString(pickle);
  };
  refused("");
  refused(".");
  refused("\x80\x01K\5.");
  refused(pickle_of({}));
  refused(pickle_of({'K', 5, 'K', 5}));
  refused(pickle_of({'K', 5}) + "x");
  for (const int op : std::initializer_list<int>{'(', 't', 'R',  'b',  'Q',  's', 'u', 'a', 'e',  '0',
                                                 '1', '2', 0x93, 0x85, 0x87, 'i', 'o', 'P', 0x81, 0x82})
    refused(pickle_of({op}));
  refused(pickle_of({'h', 0}));                        // a value that was never put away
  refused(pickle_of({')', 'K', 1, 'a'}));              // appending to a tuple
  refused(pickle_of({'}', '(', 'K', 1, 'u'}));         // a key without a value
  refused(pickle_of({'}', '}', 'K', 1, 's'}));         // a dict as key
  refused(pickle_of({'K', 1, ')', 'R'}));              // calling a number
  refused(pickle_of({'X', 255, 255, 255, 255, 'a'}));  // text that is not there
  refused(pickle_of({'X', 1, 0, 0, 0, 0xFF}));         // not UTF-8
  refused(pickle_of({0x8A, 9, 1, 1, 1, 1, 1, 1, 1, 1, 1}));
  refused(
      "\x80\x02"
      "cos\nsystem\n.");
  refused(
      "\x80\x02"
      "ctorch\nFloatStorage\n.");  // a type is no value
  refused(
      "\x80\x02"
      "ctorch._utils\n_rebuild_tensor_v2\n)R.");
}

TEST(Torch, SmallFilesCannotAskForMuch) {
  // [[]] doubled thirty times over: a billion items, if each were visited.
  std::string laughs("\x80\x02]q\0", 5);
  for (int i = 0; i < 30; ++i) laughs += std::string("0](h\0h\0eq\0", 10);
  EXPECT_TRUE(contains(message_of<FormatError>([&] { parse_torch(around(laughs + '.')); }),
                       "as many values as the file has"));
  // A text of a thousand bytes, mentioned ten thousand times.
  std::string texts =
      std::string("\x80\x02(X\xE8\x03\0\0", 8) + std::string(1000, 'a') + std::string("q\0", 2);
  for (int i = 0; i < 10000; ++i) texts += std::string("h\0", 2);
  EXPECT_TRUE(contains(message_of<FormatError>([&] { parse_torch(around(texts + "t.")); }),
                       "at most 16 times the file"));
  // A million tuples, each inside the next, must be refused and destroyed without recursion.
  EXPECT_TRUE(contains(
      message_of<FormatError>([] { parse_torch(around("\x80\x02)" + std::string(1000000, '\x85') + ".")); }),
      "at most 32 levels"));
}

}  // namespace
}  // namespace cadena::data
