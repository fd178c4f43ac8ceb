// The program digits from outside: what it says, what it exits with, what it leaves behind.
#include <gtest/gtest.h>
#include <zlib.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "autodiff/autodiff.hpp"
#include "data/files/idx.hpp"
#include "data/files/safetensors.hpp"
#include "plot/table.hpp"
#include "program_run.hpp"

namespace cadena::examples {
using namespace plot;

namespace {

namespace fs = std::filesystem;

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
  expect_narrow(result.out);
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
  const data::TensorFile file = data::read_safetensors(path);
  EXPECT_EQ(file.metadata.at("classes"), "0,1,2,3,4,5,6,7,8,9");
  EXPECT_EQ(file.tensors.at("fc1.weight").shape(), Shape({256, 784}));
  EXPECT_EQ(file.tensors.at("fc3.bias").shape(), Shape({10}));
  EXPECT_EQ(file.tensors.size(), 8U);  // three layers, mean and deviation
  const std::string bytes = read(path);
  const auto formatted = data::format_safetensors(file);
  EXPECT_TRUE(std::string(formatted.begin(), formatted.end()) == bytes);
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
