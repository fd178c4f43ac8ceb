// The program forecast from outside: what it says, what it exits with, what it leaves behind.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
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

constexpr const char* pictures[] = {"forecasts.svg", "errors.svg", "curves.svg"};

class ForecastTest : public ProgramTest {
 protected:
  Result forecast(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), "forecast");
    return run(CADENA_FORECAST_PROGRAM, std::move(arguments));
  }

  void write(const std::string& name, const std::string& text) const {
    std::ofstream(folder / name, std::ios::binary) << text;
  }

  /// `n` values of a sine of 12 around a level that rises, with two holes.
  void write_sine(const std::string& name, int n) const {
    std::ostringstream text;
    text.precision(17);
    text << "day,load,kind\n";
    for (int i = 0; i < n; ++i) {
      text << i << ',';
      if (i != 0 && i != 7) text << 1e6 + i + 10 * std::sin(i * 3.14159265358979 / 6);
      text << ",x\n";
    }
    write(name, text.str());
  }

  /// The one line of an error.
  std::string error(std::vector<std::string> arguments) const {
    const Result result = forecast(std::move(arguments));
    EXPECT_EQ(result.exit_code, 1) << result.out;
    EXPECT_EQ(result.out, "");
    EXPECT_EQ(lines(result.err), 1) << result.err;
    EXPECT_FALSE(fs::exists(folder / "out"));
    return result.err;
  }

  /// MAE and RMSE in the line of a forecast.
  static std::pair<double, double> errors_of(const std::string& out, const std::string& name) {
    std::istringstream in(line_after(out, name));
    double mae = std::nan(""), rmse = std::nan("");
    in >> mae >> rmse;
    EXPECT_TRUE(std::isfinite(mae) && std::isfinite(rmse)) << name << '\n' << out;
    return {mae, rmse};
  }

 private:
  /// What stands behind `name` in the table of errors.
  static std::string line_after(const std::string& out, const std::string& name) {
    const auto table = out.find("MAE");
    const auto at = out.find("\n" + name + " ", table == std::string::npos ? 0 : table);
    return at == std::string::npos
               ? ""
               : out.substr(at + 1 + name.size(), out.find('\n', at + 1) - at - name.size());
  }
};

TEST_F(ForecastTest, HelpListsEveryOption) {
  const Result result = forecast({"--help"});
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_EQ(result.err, "");
  for (const char* option : {"--help", "--data", "--column", "--window", "--horizon", "--season", "--epochs",
                             "--batch-size", "--lr", "--seed", "--threads", "--no-plot", "--out", "--resume"})
    EXPECT_NE(result.out.find(std::string(option) + " "), std::string::npos) << option;
  expect_narrow(result.out);
}

TEST_F(ForecastTest, MistakesOnTheCommandLinePrintTheUsageAndExitWith2) {
  const std::vector<std::vector<std::string>> mistakes{
      {"--no-such-option"}, {"word"},           {"--window", "9"}, {"--window", "0"},
      {"--window", "x"},    {"--horizon", "0"}, {"--season", "0"}, {"--epochs", "0"}};
  for (auto arguments : mistakes) {
    // What slips through shall fail at once, but otherwise, instead of training.
    arguments.insert(arguments.begin(), {"--data", "nowhere"});
    const Result result = forecast(arguments);
    EXPECT_EQ(result.exit_code, 2) << testing::PrintToString(arguments);
    EXPECT_EQ(result.out, "");
    EXPECT_NE(result.err.find("Usage: forecast"), std::string::npos) << result.err;
    EXPECT_NE(result.err.find("\nforecast: "), std::string::npos) << result.err;
  }
  EXPECT_EQ(forecast({"--column", "x"}).exit_code, 2);  // of which file?
  EXPECT_FALSE(fs::exists(folder / "out"));
}

TEST_F(ForecastTest, SaysWhatIsWrongWithASeriesInOneLine) {
  EXPECT_NE(error({"--data", "no/such.csv"}).find("no/such.csv"), std::string::npos);
  write_sine("sine.csv", 400);
  EXPECT_EQ(error({"--data", "sine.csv", "--column", "loads"}),
            "forecast: [Table::column] expected one of day, load, kind, got loads (is it \"load\"?)\n");
  EXPECT_EQ(error({"--data", "sine.csv", "--column", "kind"}),
            "forecast: [--column] expected a column of numbers, got \"kind\" with \"x\"\n");
  EXPECT_EQ(
      error({"--data", "sine.csv", "--window", "400"}),
      "forecast: [forecast] expected a longer series for a window of 400, a horizon of 24 and a season of "
      "24, got 399 values\n");
  std::string constant = "x\n";
  for (int i = 0; i < 400; ++i) constant += "3\n";
  write("constant.csv", constant);
  EXPECT_EQ(error({"--data", "constant.csv"}),
            "forecast: [forecast] expected a series that varies, got a constant in \"x\" of constant.csv\n");
  write("words.csv", "x\na\nb\n");
  EXPECT_EQ(error({"--data", "words.csv"}),
            "forecast: [forecast] expected a column of numbers, got none in words.csv\n");
}

TEST_F(ForecastTest, ForecastsAColumnOfAFile) {
  write_sine("sine.csv", 600);
  const Result result = forecast({"--data", "sine.csv", "--window", "24", "--horizon", "12", "--season", "12",
                                  "--epochs", "40", "--out", "a/b"});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(result.err, "");
  EXPECT_NE(line_with(result.out, "series").find("\"load\" of sine.csv, 599 values"), std::string::npos)
      << result.out;
  EXPECT_NE(result.out.find("1 missing ones"), std::string::npos) << result.out;

  // The linear forecast is exact, the season is off by its rise, the last value by the swing.
  EXPECT_LT(errors_of(result.out, "linear").first, 0.2);
  EXPECT_NEAR(errors_of(result.out, "last season").first, 12, 0.1);
  EXPECT_GT(errors_of(result.out, "last value").first, 8);
  // 1e6 beside a swing of 10 must not drown in single precision.
  EXPECT_LT(errors_of(result.out, "LSTM").first, 5);
  EXPECT_LT(errors_of(result.out, "Transformer").first, 5);

  const auto next = data::read_csv(folder / "a/b/next.csv");
  EXPECT_EQ(next.names(), (std::vector<std::string>{"value number", "last value", "last season", "linear",
                                                    "LSTM", "Transformer"}));
  ASSERT_EQ(next.rows(), 12);
  for (std::size_t i = 0; i < 12; ++i) {
    const double at = 600 + static_cast<double>(i),
                 truth = 1e6 + at + 10 * std::sin(at * 3.14159265358979 / 6);
    EXPECT_NEAR(next.column("linear").numbers[i], truth, 1) << i;
    EXPECT_NEAR(next.column("last season").numbers[i], truth - 12, 0.1) << i;
    EXPECT_NEAR(next.column("Transformer").numbers[i], truth, 15) << i;
  }
  for (const char* name : pictures) {
    const std::string svg = read(folder / "a/b" / name);
    EXPECT_EQ(svg.find("<svg "), svg.find('<')) << name;
    EXPECT_TRUE(svg.ends_with("</svg>\n")) << name;
    EXPECT_NE(result.out.find(std::string("a/b/") + name), std::string::npos) << result.out;
  }
  EXPECT_EQ(data::read_safetensors(folder / "a/b/LSTM.safetensors").tensors.at("out.weight").size(0), 12);
}

TEST_F(ForecastTest, SameSeedSameBitsForAnyNumberOfThreadsAndAfterCtrlC) {
  write_sine("sine.csv", 2000);  // long enough to be interrupted
  const auto with = [&](std::vector<std::string> more) {
    more.insert(more.begin(), {"forecast", "--data", "sine.csv", "--window", "24", "--horizon", "8",
                               "--epochs", "12", "--out"});
    return more;
  };
  const Result one = run(CADENA_FORECAST_PROGRAM, with({"one", "--threads", "1"}));
  ASSERT_EQ(one.exit_code, 0) << one.err;
  // Once in the first training, once in the second: the first goes on behind its first epoch then.
  for (const bool resumed : {false, true}) {
    auto arguments = with({"half", "--threads", "2"});
    if (resumed) arguments.push_back("--resume");
    const Result half = run_and_interrupt(CADENA_FORECAST_PROGRAM, arguments, "epoch  1/12");
    EXPECT_EQ(half.exit_code, 130) << half.out << half.err;
    EXPECT_NE(half.out.find("interrupted: ./run forecast --resume goes on from half/"), std::string::npos)
        << half.out;
    EXPECT_FALSE(fs::exists(folder / "half" / "forecasts.svg"));
  }
  auto changed = with({"half", "--resume"});
  *std::find(changed.begin(), changed.end(), "24") = "32";  // another window
  const Result other = run(CADENA_FORECAST_PROGRAM, changed);
  EXPECT_EQ(other.exit_code, 1);
  EXPECT_NE(other.err.find("[--resume] expected the data, the seed and the settings"), std::string::npos)
      << other.err;

  const Result rest = run(CADENA_FORECAST_PROGRAM, with({"half", "--threads", "2", "--resume"}));
  ASSERT_EQ(rest.exit_code, 0) << rest.err;
  for (const char* name : {"LSTM", "Transformer"})
    EXPECT_EQ(errors_of(one.out, name), errors_of(rest.out, name));
  for (const char* file : {"forecasts.svg", "errors.svg", "curves.svg", "next.csv", "LSTM.safetensors",
                           "Transformer.safetensors"}) {
    EXPECT_NE(read(folder / "one" / file), "") << file;
    EXPECT_TRUE(read(folder / "one" / file) == read(folder / "half" / file)) << file;
  }
  EXPECT_NE(line_with(run(CADENA_FORECAST_PROGRAM, with({"other", "--seed", "2"})).out, "checksum"),
            line_with(one.out, "checksum"));
}

// What is promised; minutes.
TEST_F(ForecastTest, ThoroughNetworksBeatTheSimpleForecastsForThreeSeeds) {
  for (const char* seed : {"1", "2", "3"}) {
    const Result result = forecast({"--seed", seed});
    ASSERT_EQ(result.exit_code, 0) << result.err;
    for (const char* network : {"LSTM", "Transformer"})
      for (const char* simple : {"last value", "last season", "linear"}) {
        const auto ours = errors_of(result.out, network), theirs = errors_of(result.out, simple);
        EXPECT_LT(ours.first, 0.9 * theirs.first) << "seed " << seed << '\n' << result.out;
        EXPECT_LT(ours.second, 0.9 * theirs.second) << "seed " << seed << '\n' << result.out;
      }
  }
}

}  // namespace
}  // namespace cadena::examples
