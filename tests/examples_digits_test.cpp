// The program digits from outside: what it says, what it exits with, what it leaves behind.
#include <gtest/gtest.h>
#include <zlib.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "autodiff/autodiff.hpp"
#include "data/idx.hpp"
#include "examples/support/safetensors.hpp"
#include "plot/table.hpp"
#include "program_run.hpp"

namespace cadena::examples {
using namespace plot;

namespace {

namespace fs = std::filesystem;

std::string line_with(const std::string& text, const std::string& part) {
  const std::size_t at = text.find(part);
  if (at == std::string::npos) return {};
  const std::size_t begin = text.rfind('\n', at) + 1;
  return text.substr(begin, text.find('\n', at) - begin);
}

std::ptrdiff_t lines(const std::string& text) { return std::count(text.begin(), text.end(), '\n'); }

class DigitsTest : public ProgramTest {
 protected:
  Result digits(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), "digits");
    return run(CADENA_DIGITS_PROGRAM, std::move(arguments));
  }

  /// A data set of four images of 3 x 2 pixels.
  void write_images(const fs::path& place) const {
    fs::create_directories(place);
    for (const std::string part : {"train", "t10k"}) {
      data::write_idx(place / (part + "-images-idx3-ubyte"),
                      {data::IdxType::u8, Shape{4, 3, 2}, std::vector<std::uint8_t>(24, 7)});
      data::write_idx(place / (part + "-labels-idx1-ubyte"), {data::IdxType::u8, Shape{4}, {0, 1, 2, 1}});
    }
  }
};

TEST_F(DigitsTest, HelpListsEveryOption) {
  const Result result = digits({"--help"});
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_EQ(result.err, "");
  for (const char* option : {"--help", "--data", "--draw", "--epochs", "--batch-size", "--optimizer", "--lr",
                             "--dropout", "--seed", "--threads", "--no-plot", "--out"})
    EXPECT_NE(result.out.find(std::string(option) + " "), std::string::npos) << option;
  for (std::size_t at = 0, end = 0; at < result.out.size(); at = end + 1) {
    end = result.out.find('\n', at);
    EXPECT_LT(end - at, 80U) << result.out.substr(at, end - at);
  }
}

TEST_F(DigitsTest, MistakesOnTheCommandLinePrintTheUsageAndExitWith2) {
  const std::vector<std::vector<std::string>> mistakes{
      {"--no-such-option"},   {"word"},
      {"--epochs"},           {"--epochs", "0"},
      {"--epochs", "-3"},     {"--epochs", "many"},
      {"--epochs", "1.5"},    {"--epochs", "99999999999999999999"},
      {"--batch-size", "0"},  {"--lr", "nan"},
      {"--lr", "inf"},        {"--lr", "-0.1"},
      {"--lr", "0"},          {"--optimizer", "magic"},
      {"--dropout", "1"},     {"--dropout", "nan"},
      {"--seed", "-1"},       {"--seed", "18446744073709551616"},
      {"--threads", "0"},     {"--threads", "x"},
      {"--draw", "1"},        {"--draw", "100", "--data", "x"},
      {"--epochs", "1", "-z"}};
  for (auto arguments : mistakes) {
    // What slips through shall fail at once, but otherwise, instead of training.
    if (arguments[0] != "--draw") arguments.insert(arguments.begin(), {"--data", "nowhere"});
    const Result result = digits(arguments);
    const std::string shown = testing::PrintToString(arguments);
    EXPECT_EQ(result.exit_code, 2) << shown;
    EXPECT_EQ(result.out, "") << shown;
    EXPECT_NE(result.err.find("Usage: digits"), std::string::npos) << shown << result.err;
    EXPECT_NE(result.err.find("\ndigits: "), std::string::npos) << shown << result.err;
  }
  EXPECT_FALSE(fs::exists(folder / "out"));
}

TEST_F(DigitsTest, NamesTheFolderThatItCannotRead) {
  const Result result = digits({"--data", "no/such/folder"});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_EQ(lines(result.err), 1) << result.err;
  EXPECT_NE(result.err.find("no/such/folder"), std::string::npos) << result.err;
  EXPECT_NE(result.err.find("No such file or directory"), std::string::npos) << result.err;
  EXPECT_FALSE(fs::exists(folder / "out"));

  fs::create_directories(folder / "empty");
  const Result empty = digits({"--data", "empty"});
  EXPECT_EQ(empty.exit_code, 1);
  EXPECT_NE(empty.err.find("train-images-idx3-ubyte"), std::string::npos) << empty.err;
}

TEST_F(DigitsTest, NamesTheFileThatIsTruncated) {
  write_images(folder / "cut");
  fs::resize_file(folder / "cut" / "t10k-images-idx3-ubyte", 30);
  const Result result = digits({"--data", "cut"});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_EQ(lines(result.err), 1) << result.err;
  EXPECT_NE(result.err.find("cut/t10k-images-idx3-ubyte"), std::string::npos) << result.err;
  EXPECT_NE(result.err.find("expected"), std::string::npos) << result.err;
}

TEST_F(DigitsTest, NamesTheFolderThatItCannotWriteBeforeItTrains) {
  std::ofstream(folder / "file") << "x";
  for (const char* out : {"file", "file/below"}) {
    const Result result = digits({"--draw", "50", "--epochs", "1", "--out", out});
    EXPECT_EQ(result.exit_code, 1);
    EXPECT_EQ(result.out, "");
    EXPECT_EQ(lines(result.err), 1) << result.err;
    EXPECT_NE(result.err.find(out), std::string::npos) << result.err;
  }
  EXPECT_EQ(read(folder / "file"), "x");
}

TEST_F(DigitsTest, SaysThatTheLearningRateIsTooLarge) {
  const Result result = digits({"--draw", "200", "--epochs", "30", "--optimizer", "sgd", "--lr", "1e30"});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_NE(result.err.find("--lr"), std::string::npos) << result.err;
  EXPECT_TRUE(fs::is_empty(folder / "out"));
}

TEST_F(DigitsTest, ReadsImagesOfAnySizeWhoseClassesItDoesNotKnow) {
  write_images(folder / "small");
  const Result result = digits({"--data", "small", "--epochs", "2"});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_NE(result.out.find("perceptron 6-256-128-3"), std::string::npos) << result.out;
  EXPECT_NE(result.out.find("test accuracy"), std::string::npos) << result.out;
}

TEST_F(DigitsTest, SameSeedSameBitsForAnyNumberOfThreads) {
  const std::vector<std::string> common{"--draw", "3000", "--epochs",     "2",
                                        "--seed", "7",    "--batch-size", "512"};
  const auto with = [&](const std::string& threads, const std::string& out) {
    auto arguments = common;
    arguments.insert(arguments.end(), {"--threads", threads, "--out", out});
    return digits(arguments);
  };
  const Result one = with("1", "one"), two = with("2", "two"), again = with("2", "again");
  ASSERT_EQ(one.exit_code, 0) << one.err;
  ASSERT_EQ(two.exit_code, 0) << two.err;
  for (const char* part : {"checksum", "test accuracy", "test loss"}) {
    EXPECT_NE(line_with(one.out, part), "") << part << one.out;
    EXPECT_EQ(line_with(one.out, part), line_with(two.out, part));
    EXPECT_EQ(line_with(one.out, part), line_with(again.out, part));
  }
  for (const char* file : {"curves.svg", "confusion.svg", "images.svg", "weights.safetensors"}) {
    EXPECT_NE(read(folder / "one" / file), "") << file;
    EXPECT_TRUE(read(folder / "one" / file) == read(folder / "two" / file)) << file;
    EXPECT_TRUE(read(folder / "one" / file) == read(folder / "again" / file)) << file;
  }
  auto other = common;
  other[5] = "8";
  EXPECT_NE(line_with(digits(other).out, "checksum"), line_with(one.out, "checksum"));
}

TEST_F(DigitsTest, LeavesPicturesAndWeightsThatCanBeRead) {
  const Result result = digits({"--draw", "500", "--epochs", "2", "--out", "a/b", "--optimizer", "adamw"});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(result.err, "");
  EXPECT_NE(result.out.find("drawn by this program"), std::string::npos) << result.out;
  for (const std::string name : {"curves", "confusion", "images"}) {
    const fs::path path = folder / "a/b" / (name + ".svg");
    const std::string svg = read(path);
    EXPECT_EQ(svg.find("<svg "), svg.find('<')) << name;
    EXPECT_TRUE(svg.ends_with("</svg>\n")) << name;
    EXPECT_NE(result.out.find("a/b/" + name + ".svg"), std::string::npos) << result.out;
  }
  EXPECT_NE(read(folder / "a/b/images.svg").find("data:image/png;base64,"), std::string::npos);

  const fs::path path = folder / "a/b/weights.safetensors";
  const TensorFile file = read_safetensors(path);
  EXPECT_EQ(file.metadata.at("classes"), "0,1,2,3,4,5,6,7,8,9");
  EXPECT_EQ(file.tensors.at("fc1.weight").shape(), Shape({256, 784}));
  EXPECT_EQ(file.tensors.at("fc3.bias").shape(), Shape({10}));
  EXPECT_EQ(file.tensors.size(), 8U);  // three layers, mean and deviation
  const std::string bytes = read(path);
  EXPECT_TRUE(format_safetensors(file) == bytes);
  char crc[9];
  std::snprintf(crc, sizeof crc, "%08lx",
                ::crc32_z(0, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()));
  EXPECT_NE(line_with(result.out, "checksum").find(crc), std::string::npos) << crc << '\n' << result.out;
}

// The accuracy that is promised; half a minute each.
TEST_F(DigitsTest, ThoroughLearnsDrawnDigits) {
  const Result result = digits({"--draw", "60000", "--epochs", "8"});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  const std::string line = line_with(result.out, "test accuracy");
  EXPECT_GE(std::strtod(line.c_str() + line.find_first_of("0123456789"), nullptr), 97.0) << line;
}

TEST_F(DigitsTest, ThoroughLearnsFashion) {
  if (!fs::exists("/usr/share/datasets/fashion-mnist"))
    GTEST_SKIP() << "dataset-fashion-mnist is not installed";
  const Result result = digits({});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  const std::string line = line_with(result.out, "test accuracy");
  EXPECT_GE(std::strtod(line.c_str() + line.find_first_of("0123456789"), nullptr), 89.0) << line;
  EXPECT_NE(result.out.find("T-shirt/top"), std::string::npos);
}

// ------------------------------------------------------------------------------------------- safetensors

std::string raw_file(const std::string& header, const std::string& data) {
  std::string bytes(8, '\0');
  bytes[0] = static_cast<char>(header.size() & 0xff);
  bytes[1] = static_cast<char>(header.size() >> 8);
  return bytes + header + data;
}

TEST(Safetensors, RoundTrip) {
  TensorFile file;
  file.metadata = {{"format", "pt"}, {"quote", "\"é\""}};
  file.tensors["f32"] = tensor({{1.5, -2.0}, {3.25, 1e-30}});
  file.tensors["f64"] = tensor({0.1, 1e300}, f64);
  file.tensors["i64"] = tensor({-1, 1 << 30});
  file.tensors["bool"] = tensor({true, false, true});
  file.tensors["number"] = full({}, 4.5);
  file.tensors["none"] = zeros({0, 3});
  file.tensors["view"] = arange(6).reshape({2, 3}).t();
  const std::string bytes = format_safetensors(file);
  const TensorFile back = parse_safetensors(bytes);
  EXPECT_EQ(back.metadata, file.metadata);
  ASSERT_EQ(back.tensors.size(), file.tensors.size());
  for (const auto& [name, t] : file.tensors) EXPECT_TRUE(equal(t, back.tensors.at(name))) << name;
  EXPECT_EQ(format_safetensors(back), bytes);
  EXPECT_TRUE(parse_safetensors(format_safetensors({})).tensors.empty());
}

TEST(Safetensors, WritesWhatTheFormatAsksFor) {
  TensorFile file;
  file.tensors["w"] = tensor({1.0, 2.0});
  const std::string bytes = format_safetensors(file);
  const auto length = static_cast<std::size_t>(static_cast<unsigned char>(bytes[0]));
  EXPECT_EQ((8 + length) % 8, 0U);
  EXPECT_EQ(bytes.size(), 8 + length + 8);
  EXPECT_EQ(nlohmann::json::parse(bytes.substr(8, length)),
            nlohmann::json::parse(R"({"w": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}})"));
  EXPECT_EQ(bytes.substr(8 + length), std::string("\0\0\x80\x3f\0\0\0\x40", 8));
}

TEST(Safetensors, RefusesDamagedFiles) {
  const std::string four(4, 'x');
  const auto entry = [](const std::string& shape, const std::string& offsets,
                        const std::string& dtype = "F32") {
    return R"("w": {"dtype": ")" + dtype + R"(", "shape": )" + shape + R"(, "data_offsets": )" + offsets +
           "}";
  };
  ASSERT_EQ(parse_safetensors(raw_file("{" + entry("[1]", "[0, 4]") + "}", four)).tensors.size(), 1U);
  const std::vector<std::string> bad{"",
                                     "1234567",
                                     std::string(8, '\xff'),
                                     raw_file("{", ""),
                                     raw_file("[]", ""),
                                     raw_file("{} x", ""),
                                     raw_file("{}", "left over"),
                                     raw_file("{" + entry("[1]", "[0, 4]") + "}", "cut"),
                                     raw_file("{" + entry("[1]", "[0, 4]") + "}", four + "x"),
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
                                     raw_file(R"({"w": 1})", ""),
                                     raw_file(R"({"w": {}})", ""),
                                     raw_file(R"({"__metadata__": {"a": 1}})", ""),
                                     raw_file(R"({"__metadata__": []})", "")};
  for (const std::string& bytes : bad) EXPECT_THROW(parse_safetensors(bytes), FormatError) << bytes;

  TensorFile file;
  file.tensors["w"] = arange(5);
  file.tensors["v"] = ones({2, 2});
  const std::string whole = format_safetensors(file);
  for (std::size_t n = 0; n < whole.size(); ++n)
    EXPECT_THROW(parse_safetensors(whole.substr(0, n)), FormatError) << n;
  EXPECT_THROW(read_safetensors("/no/such/file"), IoError);
}

TEST(PrintTable, WrapsBetweenWords) {
  const Table table{{"CPU", "one two three four five six"},
                    {"a long name", "x"},
                    {"", "averyveryverylongwordthatdoesnotfit"}};
  EXPECT_EQ(print_table(table, 33),
            "CPU          one two three four\n"
            "             five six\n"
            "a long name  x\n"
            "             averyveryverylongwordthatdoesnotfit\n");
}

}  // namespace
}  // namespace cadena::examples
