// The program generate from outside: what it says, what it exits with, what it leaves behind.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "data/files/safetensors.hpp"
#include "program_run.hpp"

namespace cadena::examples {
namespace {

namespace fs = std::filesystem;

class GenerateTest : public ProgramTest {
 protected:
  Result generate(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), "generate");
    return run(CADENA_GENERATE_PROGRAM, std::move(arguments));
  }
};

constexpr const char* pictures[] = {"curves.svg", "samples.svg", "reconstructions.svg", "walk.svg"};
constexpr const char* same_lines[] = {"checksum", "training     ", "test         ", "samples ",
                                      "test images"};

TEST_F(GenerateTest, HelpListsEveryOption) {
  const Result result = generate({"--help"});
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_EQ(result.err, "");
  for (const char* option : {"--help", "--data", "--draw", "--latent", "--epochs", "--batch-size", "--lr",
                             "--seed", "--threads", "--no-plot", "--out", "--resume"})
    EXPECT_NE(result.out.find(std::string(option) + " "), std::string::npos) << option;
  expect_narrow(result.out);
}

TEST_F(GenerateTest, MistakesOnTheCommandLinePrintTheUsageAndExitWith2) {
  const std::vector<std::vector<std::string>> mistakes{
      {"--no-such-option"}, {"word"}, {"--latent", "0"}, {"--latent", "many"}, {"--latent", "1025"}};
  for (auto arguments : mistakes) {
    // What slips through shall fail at once, but otherwise, instead of training.
    arguments.insert(arguments.begin(), {"--data", "nowhere"});
    const Result result = generate(arguments);
    EXPECT_EQ(result.exit_code, 2) << testing::PrintToString(arguments);
    EXPECT_EQ(result.out, "");
    EXPECT_NE(result.err.find("Usage: generate"), std::string::npos) << result.err;
    EXPECT_NE(result.err.find("\ngenerate: "), std::string::npos) << result.err;
  }
  EXPECT_FALSE(fs::exists(folder / "out"));
}

TEST_F(GenerateTest, NamesTheFolderThatItCannotRead) {
  const Result result = generate({"--data", "no/such/folder"});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_EQ(lines(result.err), 1) << result.err;
  EXPECT_NE(result.err.find("no/such/folder"), std::string::npos) << result.err;
}

TEST_F(GenerateTest, SameSeedSameBitsForAnyNumberOfThreadsAndAfterCtrlC) {
  const auto with = [&](std::vector<std::string> more) {
    more.insert(more.begin(), {"generate", "--draw", "2000", "--epochs", "12", "--latent", "4", "--out"});
    return more;
  };
  const Result one = run(CADENA_GENERATE_PROGRAM, with({"one", "--threads", "1"}));
  ASSERT_EQ(one.exit_code, 0) << one.err;
  EXPECT_EQ(one.err, "");
  const Result half =
      run_and_interrupt(CADENA_GENERATE_PROGRAM, with({"half", "--threads", "2"}), "val loss");
  EXPECT_EQ(half.exit_code, 130) << half.out << half.err;
  EXPECT_NE(half.out.find("interrupted: ./run generate --resume goes on from half/checkpoint.safetensors"),
            std::string::npos)
      << half.out;
  EXPECT_FALSE(fs::exists(folder / "half" / "weights.safetensors"));
  const Result rest = run(CADENA_GENERATE_PROGRAM, with({"half", "--threads", "2", "--resume"}));
  ASSERT_EQ(rest.exit_code, 0) << rest.err;
  for (const char* part : same_lines) {
    EXPECT_NE(line_with(one.out, part), "") << part << one.out;
    EXPECT_EQ(line_with(one.out, part), line_with(rest.out, part));
  }
  for (const char* file : pictures)
    EXPECT_TRUE(read(folder / "one" / file) == read(folder / "half" / file)) << file;
  EXPECT_NE(line_with(run(CADENA_GENERATE_PROGRAM, with({"other", "--seed", "2"})).out, "checksum"),
            line_with(one.out, "checksum"));
}

TEST_F(GenerateTest, LeavesPicturesAndWeightsThatCanBeRead) {
  const Result result = generate({"--draw", "100", "--epochs", "1", "--out", "a/b", "--latent", "3"});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  for (const char* name : pictures) {
    const std::string svg = read(folder / "a/b" / name);
    EXPECT_EQ(svg.find("<svg "), svg.find('<')) << name;
    EXPECT_TRUE(svg.ends_with("</svg>\n")) << name;
    EXPECT_NE(result.out.find(std::string("a/b/") + name), std::string::npos) << result.out;
  }
  const auto images = [&](const char* name) { return count(read(folder / "a/b" / name), "<image "); };
  EXPECT_EQ(images("samples.svg"), 100);
  EXPECT_EQ(images("reconstructions.svg"), 40);  // all 20 test images, twice
  EXPECT_EQ(images("walk.svg"), 90);             // nine walks of ten steps between ten digits
  const auto file = data::read_safetensors(folder / "a/b/weights.safetensors");
  EXPECT_EQ(file.tensors.at("to_mean.weight").size(0), 3);
}

/// The first number in a line.
double number_in(const std::string& line) {
  return std::strtod(line.c_str() + line.find_first_of("-0123456789"), nullptr);
}

// What is promised; minutes.
TEST_F(GenerateTest, ThoroughDrawsDigitsThatCanBeRead) {
  const Result result = generate({});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_GT(number_in(line_with(result.out, "test         ")),
            number_in(line_with(result.out, "to beat")) + 40)
      << result.out;
  EXPECT_GE(number_in(line_with(result.out, "samples ")), 60) << result.out;
}

}  // namespace
}  // namespace cadena::examples
