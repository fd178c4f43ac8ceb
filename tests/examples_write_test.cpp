// The program write from outside: what it says, what it exits with, what it leaves behind.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "data/files/safetensors.hpp"
#include "program_run.hpp"

namespace cadena::examples {
namespace {

namespace fs = std::filesystem;

class WriteTest : public ProgramTest {
 protected:
  Result write(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), "write");
    return run(CADENA_WRITE_PROGRAM, std::move(arguments));
  }
  /// A text of `n` characters that takes turns: whoever learns it knows each next character.
  void write_text(const std::string& name, std::size_t n) const {
    std::string text;
    while (text.size() < n) text += "el día de mañana, ";
    std::ofstream(folder / name) << text;
  }
  /// Arguments for a network that takes no time.
  static std::vector<std::string> tiny(std::vector<std::string> more) {
    more.insert(more.begin(), {"--dim", "16", "--layers", "1", "--context", "16"});
    return more;
  }
};

TEST_F(WriteTest, HelpListsEveryOption) {
  const Result result = write({"--help"});
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_EQ(result.err, "");
  for (const char* option :
       {"--help", "--context", "--dim", "--layers", "--load", "--prompt", "--length", "--temperature",
        "--epochs", "--batch-size", "--lr", "--seed", "--threads", "--no-plot", "--out", "--resume"})
    EXPECT_NE(result.out.find(std::string(option) + " "), std::string::npos) << option;
  expect_narrow(result.out);
}

TEST_F(WriteTest, MistakesOnTheCommandLinePrintTheUsageAndExitWith2) {
  const std::vector<std::vector<std::string>> mistakes{
      {"--no-such-option"}, {"--dim", "18"},        {"--layers", "0"},        {"--context", "1"},
      {"--length", "0"},    {"--temperature", "0"}, {"--temperature", "nan"}, {"--load", "a file"}};
  for (auto arguments : mistakes) {
    arguments.insert(arguments.begin(),
                     "no-such-text");  // what slips through shall fail at once, but otherwise
    const Result result = write(arguments);
    EXPECT_EQ(result.exit_code, 2) << testing::PrintToString(arguments);
    EXPECT_EQ(result.out, "");
    EXPECT_NE(result.err.find("\nwrite: "), std::string::npos) << result.err;
  }
  EXPECT_FALSE(fs::exists(folder / "out"));
}

TEST_F(WriteTest, SaysWhatIsWrongWithATextInOneLine) {
  const auto error = [&](std::vector<std::string> arguments) {
    const Result result = write(std::move(arguments));
    EXPECT_EQ(result.exit_code, 1);
    EXPECT_EQ(lines(result.err), 1) << result.err;
    return result.err;
  };
  EXPECT_NE(error({"no/such/text"}).find("no/such/text"), std::string::npos);
  write_text("short", 200);
  EXPECT_EQ(
      error({"short"}),
      "write: [write] expected a text of more than 1300 characters for a context of 128, got 180 in short\n");
  std::ofstream(folder / "latin1") << "ma\xf1"
                                      "ana";
  EXPECT_NE(error({"latin1"}).find("latin1"), std::string::npos);
  EXPECT_NE(error({"--load", "short"}).find("short"), std::string::npos);
}

TEST_F(WriteTest, LearnsATextAndWritesItAgain) {
  write_text("text", 6000);
  const Result result = write(tiny({"text", "--epochs", "6", "--lr", "0.02", "--out", "a/b", "--prompt",
                                    "el d", "--length", "60", "--temperature", "0.1"}));
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(result.err, "");
  const std::string expected = "el día de mañana, el día de mañana, el día de mañana";
  EXPECT_NE(result.out.find(expected), std::string::npos) << result.out;
  EXPECT_TRUE(read(folder / "a/b/sample.txt").starts_with(expected));
  const std::string svg = read(folder / "a/b/curves.svg");
  EXPECT_TRUE(svg.starts_with("<svg ") && svg.ends_with("</svg>\n"));

  // With its weights it goes on without training, and past its context.
  const Result again = write(
      {"--load", "a/b/weights.safetensors", "--prompt", "mañana", "--length", "100", "--temperature", "0.1"});
  ASSERT_EQ(again.exit_code, 0) << again.err;
  EXPECT_EQ(again.out.find("mañana, el día de mañana, el día de mañana, el día de mañana, "), 0U)
      << again.out;
  const Result foreign = write({"--load", "a/b/weights.safetensors", "--prompt", "x"});
  EXPECT_EQ(foreign.exit_code, 1);
  EXPECT_EQ(lines(foreign.err), 1) << foreign.err;
}

TEST_F(WriteTest, SameSeedSameBitsForAnyNumberOfThreadsAndAfterCtrlC) {
  write_text("text", 20000);
  write_text("other text", 20018);
  const auto with = [&](std::vector<std::string> more) {
    more.insert(more.begin(), {"text", "--epochs", "6"});
    more.insert(more.begin(), "write");
    more.insert(more.end(), {"--dim", "32", "--layers", "2", "--context", "32"});
    return more;
  };
  const Result one = run(CADENA_WRITE_PROGRAM, with({"--out", "one", "--threads", "1"}));
  ASSERT_EQ(one.exit_code, 0) << one.err;
  const Result half =
      run_and_interrupt(CADENA_WRITE_PROGRAM, with({"--out", "half", "--threads", "2"}), "val loss");
  EXPECT_EQ(half.exit_code, 130) << half.out << half.err;
  EXPECT_NE(half.out.find("interrupted: ./run write --resume goes on from half/checkpoint.safetensors"),
            std::string::npos)
      << half.out;
  auto changed = with({"--out", "half", "--resume"});
  changed[1] = "other text";
  const Result other = run(CADENA_WRITE_PROGRAM, changed);
  EXPECT_EQ(other.exit_code, 1);
  EXPECT_NE(other.err.find("[--resume] expected the data"), std::string::npos) << other.err;
  const Result rest = run(CADENA_WRITE_PROGRAM, with({"--out", "half", "--threads", "2", "--resume"}));
  ASSERT_EQ(rest.exit_code, 0) << rest.err;
  EXPECT_NE(line_with(one.out, "checksum"), "") << one.out;
  EXPECT_EQ(line_with(one.out, "checksum"), line_with(rest.out, "checksum"));
  EXPECT_EQ(line_with(one.out, "GPT  "), line_with(rest.out, "GPT  "));
  for (const char* file : {"curves.svg", "sample.txt", "weights.safetensors"})
    EXPECT_TRUE(read(folder / "one" / file) == read(folder / "half" / file)) << file;
}

/// The first number in a line.
double number_in(const std::string& line) {
  return std::strtod(line.c_str() + line.find_first_of("0123456789"), nullptr);
}

// What is promised; minutes.
TEST_F(WriteTest, ThoroughKnowsMoreThanTrigrams) {
  const Result result = write({});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_LT(number_in(line_with(result.out, "  GPT  ")), number_in(line_with(result.out, "  trigrams")) - 0.1)
      << result.out;
}

}  // namespace
}  // namespace cadena::examples
