// The program diagnose from outside: what it says, what it exits with, what it leaves behind.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "data/files/csv.hpp"
#include "data/files/safetensors.hpp"
#include "program_run.hpp"

namespace cadena::examples {
namespace {

namespace fs = std::filesystem;

constexpr const char* pictures[] = {"roc.svg", "calibration.svg", "curves.svg", "importances.svg"};

class DiagnoseTest : public ProgramTest {
 protected:
  Result diagnose(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), "diagnose");
    return run(CADENA_DIAGNOSE_PROGRAM, std::move(arguments));
  }

  void write(const std::string& name, const std::string& text) const {
    std::ofstream(folder / name, std::ios::binary) << text;
  }

  /// `n` rows: sick where `a` and the mood agree, which no weighted sum can say; a name for each; some holes.
  void write_sick(const std::string& name, int n) const {
    std::ostringstream text;
    text << "name,a,mood,always,state,note\n";
    for (int i = 0; i < n; ++i) {
      const bool high = i % 2 == 1, good = i / 2 % 2 == 1;
      text << "p" << i << ','
           << (i % 7 == 3 ? ""
               : high     ? "1000000010"
                          : "1000000000")
           << ','
           << (i % 11 == 5 ? "NA"
               : good      ? "good"
                           : "bad")
           << ",1," << (high == good ? "sick" : "healthy") << ',' << i % 5 << '\n';
    }
    write(name, text.str());
  }

  /// The one line of an error.
  std::string error(std::vector<std::string> arguments) const {
    const Result result = diagnose(std::move(arguments));
    EXPECT_EQ(result.exit_code, 1) << result.out;
    EXPECT_EQ(result.out, "");
    EXPECT_EQ(lines(result.err), 1) << result.err;
    EXPECT_FALSE(fs::exists(folder / "out"));
    return result.err;
  }
};

/// The numbers in a line, behind its first `width` columns.
std::vector<double> numbers_in(const std::string& line, std::size_t width = 20) {
  std::istringstream in(line.substr(std::min(width, line.size())));
  std::vector<double> found;
  for (std::string word; in >> word;) found.push_back(std::strtod(word.c_str(), nullptr));
  return found;
}

TEST_F(DiagnoseTest, HelpListsEveryOption) {
  const Result result = diagnose({"--help"});
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_EQ(result.err, "");
  for (const char* option :
       {"--help", "FILE", "--target", "--ignore", "--dropout", "--write-example", "--epochs", "--batch-size",
        "--lr", "--seed", "--threads", "--no-plot", "--out", "--resume"})
    EXPECT_NE(result.out.find(std::string(option) + " "), std::string::npos) << option;
  expect_narrow(result.out);
}

TEST_F(DiagnoseTest, MistakesOnTheCommandLinePrintTheUsageAndExitWith2) {
  const std::vector<std::vector<std::string>> mistakes{
      {"--no-such-option"}, {"two.csv"}, {"--target"}, {"--epochs", "0"}, {"--dropout", "1"}, {"--ignore"}};
  for (auto arguments : mistakes) {
    arguments.insert(arguments.begin(), "nowhere.csv");  // what slips through shall fail otherwise
    const Result result = diagnose(arguments);
    EXPECT_EQ(result.exit_code, 2) << testing::PrintToString(arguments);
    EXPECT_EQ(result.out, "");
    EXPECT_NE(result.err.find("Usage: diagnose"), std::string::npos) << result.err;
    EXPECT_NE(result.err.find("\ndiagnose: "), std::string::npos) << result.err;
  }
  EXPECT_FALSE(fs::exists(folder / "out"));
}

TEST_F(DiagnoseTest, SaysWhatIsWrongWithATableInOneLine) {
  EXPECT_NE(error({"no/such.csv"}).find("no/such.csv"), std::string::npos);
  write_sick("sick.csv", 100);
  EXPECT_EQ(error({"sick.csv", "--target", "stat"}),
            "diagnose: [Table::column] expected one of name, a, mood, always, state, note, got stat (is it "
            "\"state\"?)\n");
  EXPECT_EQ(error({"sick.csv", "--ignore", "nam", "--target", "state"}),
            "diagnose: [Table::column] expected one of name, a, mood, always, state, note, got nam (is it "
            "\"name\"?)\n");
  EXPECT_EQ(error({"sick.csv"}), "diagnose: [--target] expected a column of two values, got 5 in \"note\"\n");
  EXPECT_EQ(error({"sick.csv", "--target", "always"}),
            "diagnose: [--target] expected a column of two values, got 1 in \"always\"\n");
  write("few.csv", "a,b\n1,0\n2,1\n3,1\n4,\n");
  EXPECT_EQ(error({"few.csv"}),
            "diagnose: [diagnose] expected at least 10 rows of each class, got 1 of \"0\"\n");
  write("empty.csv", "");
  EXPECT_NE(error({"empty.csv"}).find("empty.csv"), std::string::npos);
  write("ragged.csv", "a,b\n1,0\n2\n");
  EXPECT_NE(error({"ragged.csv"}).find("ragged.csv"), std::string::npos);
  std::string alone = "b\n";
  for (int i = 0; i < 100; ++i) alone += i % 2 == 0 ? "yes\n" : "no\n";
  write("alone.csv", alone);
  EXPECT_EQ(error({"alone.csv"}),
            "diagnose: [diagnose] expected a column to learn \"b\" from, got none in alone.csv\n");
}

TEST_F(DiagnoseTest, LearnsFromNumbersCategoriesAndHoles) {
  write_sick("sick.csv", 600);
  const Result result =
      diagnose({"sick.csv", "--target", "state", "--ignore", "note", "--epochs", "30", "--out", "a/b"});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(result.err, "");
  EXPECT_NE(line_with(result.out, "target").find("\"state\", sick (300) against healthy (300)"),
            std::string::npos)
      << result.out;
  EXPECT_EQ(line_with(result.out, "columns   ").find("name"), std::string::npos) << result.out;
  EXPECT_NE(line_with(result.out, "left out").find("name, always"), std::string::npos) << result.out;
  const auto auc = numbers_in(line_with(result.out, "AUC   "));
  ASSERT_EQ(auc.size(), 2U) << result.out;
  EXPECT_GT(auc[0], 0.85) << result.out;
  EXPECT_LT(auc[1], 0.65) << result.out;

  for (const char* name : pictures) {
    const std::string svg = read(folder / "a/b" / name);
    EXPECT_EQ(svg.find("<svg "), svg.find('<')) << name;
    EXPECT_TRUE(svg.ends_with("</svg>\n")) << name;
    EXPECT_NE(result.out.find(std::string("a/b/") + name), std::string::npos) << result.out;
  }
  const auto table = data::read_csv(folder / "a/b/predictions.csv");
  EXPECT_EQ(table.names(), (std::vector<std::string>{"row", "truth", "network", "logistic regression"}));
  EXPECT_EQ(table.rows(), 120);
  const auto& truth = table.column("truth");
  for (std::size_t i = 0; i < truth.codes.size(); ++i) {
    const int row = static_cast<int>(table.column("row").numbers[i]) - 1;
    EXPECT_EQ(truth.categories[static_cast<std::size_t>(truth.codes[i])],
              (row % 2 == row / 2 % 2) ? "sick" : "healthy");
  }
  const auto file = data::read_safetensors(folder / "a/b/weights.safetensors");
  // a, that a is missing, three moods (one of them none)
  EXPECT_EQ(file.tensors.at("fc1.weight").shape(), Shape({64, 5}));
}

TEST_F(DiagnoseTest, SameSeedSameBitsForAnyNumberOfThreadsAndAfterCtrlC) {
  const auto with = [&](std::vector<std::string> more) {
    more.insert(more.begin(), {"diagnose", "--epochs", "40", "--out"});
    return more;
  };
  const Result one = run(CADENA_DIAGNOSE_PROGRAM, with({"one", "--threads", "1"}));
  ASSERT_EQ(one.exit_code, 0) << one.err;
  EXPECT_EQ(one.err, "");
  const Result half =
      run_and_interrupt(CADENA_DIAGNOSE_PROGRAM, with({"half", "--threads", "2"}), "epoch  1/40");
  EXPECT_EQ(half.exit_code, 130) << half.out << half.err;
  EXPECT_NE(half.out.find("interrupted: ./run diagnose --resume goes on from half/checkpoint.safetensors"),
            std::string::npos)
      << half.out;
  EXPECT_FALSE(fs::exists(folder / "half" / "weights.safetensors"));

  const Result other = run(CADENA_DIAGNOSE_PROGRAM, with({"half", "--seed", "2", "--resume"}));
  EXPECT_EQ(other.exit_code, 1);
  EXPECT_NE(other.err.find("[--resume] expected the data, the seed and the settings of the run that left "
                           "half/checkpoint.safetensors, got others"),
            std::string::npos)
      << other.err;

  const Result rest = run(CADENA_DIAGNOSE_PROGRAM, with({"half", "--threads", "2", "--resume"}));
  ASSERT_EQ(rest.exit_code, 0) << rest.err;
  for (const char* part : {"checksum", "AUC  ", "Brier", "best epoch"}) {
    EXPECT_NE(line_with(one.out, part), "") << part << one.out;
    EXPECT_EQ(line_with(one.out, part), line_with(rest.out, part));
  }
  for (const char* file :
       {"roc.svg", "importances.svg", "curves.svg", "predictions.csv", "weights.safetensors"})
    EXPECT_TRUE(read(folder / "one" / file) == read(folder / "half" / file)) << file;
  EXPECT_NE(line_with(run(CADENA_DIAGNOSE_PROGRAM, with({"other", "--seed", "2"})).out, "checksum"),
            line_with(one.out, "checksum"));
}

TEST_F(DiagnoseTest, WritesItsExample) {
  const Result written = diagnose({"--write-example", "patients.csv"});
  ASSERT_EQ(written.exit_code, 0) << written.err;
  EXPECT_EQ(written.out, "patients.csv: patients that are made up\n");
  const Result from_file = diagnose({"patients.csv", "--epochs", "1", "--out", "file"});
  const Result without = diagnose({"--epochs", "1", "--out", "made"});
  ASSERT_EQ(from_file.exit_code, 0) << from_file.err;
  EXPECT_EQ(line_with(from_file.out, "checksum"), line_with(without.out, "checksum"));
  EXPECT_NE(line_with(without.out, "checksum"), "") << without.out;
}

// What is promised: on the table that is made up the network's AUC is ahead, however the rows are split.
TEST_F(DiagnoseTest, ThoroughBeatsLogisticRegressionForFiveSeeds) {
  for (const char* seed : {"1", "2", "3", "4", "5"}) {
    const Result result = diagnose({"--seed", seed});
    ASSERT_EQ(result.exit_code, 0) << result.err;
    const auto auc = numbers_in(line_with(result.out, "AUC   "));
    ASSERT_EQ(auc.size(), 2U) << result.out;
    EXPECT_GT(auc[0], auc[1] + 0.05) << "seed " << seed << '\n' << result.out;
  }
}

}  // namespace
}  // namespace cadena::examples
