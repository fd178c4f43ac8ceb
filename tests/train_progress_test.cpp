#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cmath>
#include <cstdlib>
#include <limits>
#include <sstream>
#include <stdexcept>

#include "autodiff/error.hpp"
#include "plot/format.hpp"
#include "train/progress.hpp"

namespace cadena::train {
using namespace plot;

namespace {

const Terminal plain{.interactive = false, .colour = false, .unicode = true, .width = 80};
const Terminal screen80{.interactive = true, .colour = false, .unicode = true, .width = 80};

/// What stands on a terminal after `output`: knows \r, \n, "erase to the end of the line" and colours.
struct Screen {
  std::vector<std::string> lines{""};
  int widest = 0;  // of all that ever stood in a line
  std::size_t column = 0;

  explicit Screen(const std::string& output) {
    for (std::size_t at = 0; at < output.size(); ++at) feed(output, at);
  }

  void feed(const std::string& output, std::size_t& at) {
    const char c = output[at];
    if (c == '\n') {
      lines.emplace_back();
      column = 0;
    } else if (c == '\r') {
      column = 0;
    } else if (c == '\x1b') {
      const std::size_t end = output.find_first_of("Km", at);
      if (output[end] == 'K') lines.back().resize(column);
      at = end;
    } else {
      lines.back().resize(std::max(lines.back().size(), column + 1));
      lines.back()[column++] = c;
      widest = std::max(widest, display_columns(lines.back().substr(0, column)));
    }
  }
};

/// A progress bar with a clock that only moves when told to.
struct Rig {
  double now = 100;
  std::ostringstream out;
  ProgressOptions options;

  explicit Rig(const Terminal& terminal) {
    options.epochs = 2;
    options.items_per_epoch = 100;
    options.out = &out;
    options.terminal = terminal;
    options.clock = [this] { return now; };
  }
};

int count(const std::string& text, const std::string& part) {
  int times = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++times;
  return times;
}

TEST(Format, DurationsReadAsPeopleSayThem) {
  EXPECT_EQ(format_duration(0.45), "450 ms");
  EXPECT_EQ(format_duration(3.21), "3.2 s");
  EXPECT_EQ(format_duration(9.96), "10 s");
  EXPECT_EQ(format_duration(59.7), "1 min 00 s");
  EXPECT_EQ(format_duration(65), "1 min 05 s");
  EXPECT_EQ(format_duration(7620), "2 h 07 min");
  EXPECT_EQ(format_duration(273600), "3 d 04 h");
  EXPECT_EQ(format_duration(-1), "--");
  EXPECT_EQ(format_duration(std::numeric_limits<double>::infinity()), "--");
  EXPECT_EQ(format_eta(0.2), "1s");
  EXPECT_EQ(format_eta(5.0000001), "5s");
  EXPECT_EQ(format_eta(59.2), "1m00s");
  EXPECT_EQ(format_eta(3600), "1h00m");
  EXPECT_EQ(format_eta(90000), "1d01h");
  EXPECT_EQ(format_eta(std::nan("")), "--");
}

TEST(Format, NumbersKeepTheirWidthAndNeverLie) {
  EXPECT_EQ(format_number(0.34512), "0.3451");
  EXPECT_EQ(format_number(0), "0.0000");
  EXPECT_EQ(format_number(17.25), "17.250");
  EXPECT_EQ(format_number(3.14e-5), "3.1e-05");
  EXPECT_EQ(format_number(std::nan("")), "nan");
  EXPECT_EQ(format_fixed(-0.001, 2), "0.00");
  EXPECT_EQ(format_fixed(-std::numeric_limits<double>::infinity(), 2), "-inf");
  EXPECT_EQ(format_si(999.4), "999");
  EXPECT_EQ(format_si(999.6), "1.0k");
  EXPECT_EQ(format_si(12345), "12.3k");
  EXPECT_EQ(format_si(123456), "123k");
  EXPECT_EQ(format_si(-2.5e6), "-2.5M");
  EXPECT_EQ(format_grouped(60000), "60,000");
  EXPECT_EQ(format_grouped(-1234567), "-1,234,567");
  EXPECT_EQ(format_grouped(999), "999");
  EXPECT_EQ(format_percent(0.8764), "87.6%");
  EXPECT_EQ(format_metric({"images", 12345, Format::rate}), "12.3k images/s");
  EXPECT_EQ(format_metric({"seen", 60000, Format::count}), "seen 60,000");
  EXPECT_EQ(format_metric({"seen", std::nan(""), Format::count}), "seen nan");
}

TEST(Bar, FillsInEighths) {
  EXPECT_EQ(paint_bar(0, 4, true), "    ");
  EXPECT_EQ(paint_bar(1, 4, true), "████");
  EXPECT_EQ(paint_bar(0.5, 4, true), "██  ");
  EXPECT_EQ(paint_bar(1.0 / 32, 4, true), "▏   ");
  EXPECT_EQ(paint_bar(15.0 / 32, 4, true), "█▉  ");
  EXPECT_EQ(paint_bar(0.999, 4, true), "███▉");
  EXPECT_EQ(paint_bar(0.5, 4, false), "##..");
  EXPECT_EQ(paint_bar(std::nan(""), 4, false), "....");
  EXPECT_EQ(paint_bar(-3, 4, false), "....");
  EXPECT_EQ(paint_bar(7, 4, false), "####");
  for (int step = 0; step <= 1000; ++step) {
    ASSERT_EQ(display_columns(paint_bar(step / 1000.0, 13, true)), 13) << step;
  }
}

TEST(Status, FitsEveryWidth) {
  const StatusLine line{
      "epoch  3/10", " 3/10", 0.355, {"ETA 1m05s", "loss 0.3451", "acc 87.6%", "12.3k images/s"}};
  for (int width = 0; width <= 250; ++width) {
    Terminal terminal = screen80;
    terminal.width = width;
    ASSERT_LE(display_columns(compose_status(line, terminal)), std::max(width - 1, 0)) << width;
  }
}

TEST(Status, LeavesOutWhatMattersLeast) {
  const StatusLine line{
      "epoch  3/10", " 3/10", 0.355, {"ETA 1m05s", "loss 0.3451", "acc 87.6%", "12.3k images/s"}};
  Terminal terminal = screen80;
  EXPECT_EQ(compose_status(line, terminal),
            "epoch  3/10 ▕███▏     ▏  35%  ETA 1m05s  loss 0.3451  acc 87.6%  12.3k images/s");
  terminal.width = 20;
  EXPECT_EQ(compose_status(line, terminal), " 3/10 ▕██▏   ▏  35%");
  terminal.width = 200;
  const std::string wide = compose_status(line, terminal);
  EXPECT_EQ(display_columns(wide), 11 + 1 + 42 + 1 + 4 + 51) << wide;  // the bar stops growing at 40 columns
  terminal.width = 4;
  EXPECT_EQ(compose_status(line, terminal), " 35");
  terminal.width = 80;
  terminal.unicode = false;
  EXPECT_EQ(compose_status(line, terminal).substr(0, 23), "epoch  3/10 [###......]");
  terminal.colour = true;
  EXPECT_NE(compose_status(line, terminal).find("\x1b[36m###......\x1b[0m"), std::string::npos);
}

TEST(Progress, RedrawsOneLineAndKeepsOneForEachEpoch) {
  Rig rig(screen80);
  {
    Progress progress(rig.options);
    for (int epoch = 0; epoch < 2; ++epoch) {
      for (int batch = 0; batch < 10; ++batch) {
        rig.now += 1;
        progress.advance(10, {{"loss", 0.5}, {"acc", 0.25, Format::percent}});
      }
      progress.end_epoch({{"test acc", 0.5, Format::percent}});
    }
    progress.finish();
  }
  const Screen screen(rig.out.str());
  ASSERT_EQ(screen.lines.size(), 4U) << rig.out.str();
  EXPECT_EQ(screen.lines[0], "epoch 1/2  10 s  test acc 50.0%  10 images/s");
  EXPECT_EQ(screen.lines[1], "epoch 2/2  10 s  test acc 50.0%  10 images/s");
  EXPECT_EQ(screen.lines[2].substr(0, 10), "epoch 2/2 ");
  EXPECT_NE(screen.lines[2].find(" 100%  in 20s"), std::string::npos) << screen.lines[2];
  EXPECT_EQ(screen.lines[3], "");
  EXPECT_LT(screen.widest, 80);
}

TEST(Progress, DrawsAtMostTenTimesASecond) {
  Rig rig(screen80);
  Progress progress(rig.options);
  for (int batch = 0; batch < 100; ++batch) {
    rig.now += 0.01;
    progress.advance(1);
  }
  EXPECT_GE(count(rig.out.str(), "\r"), 9);
  EXPECT_LE(count(rig.out.str(), "\r"), 11);
}

TEST(Progress, EstimatesFromThePaceSoFar) {
  Rig rig(screen80);
  Progress progress(rig.options);
  EXPECT_FALSE(progress.remaining_seconds());
  EXPECT_FALSE(progress.rate());
  rig.now += 5;
  progress.advance(25);
  EXPECT_NEAR(*progress.remaining_seconds(), 35, 1e-9);  // an eighth of the run took 5 s
  EXPECT_FALSE(progress.rate());                         // no interval between two batches yet
  rig.now += 1;
  progress.advance(25);
  EXPECT_NEAR(*progress.rate(), 25, 1e-9);
  EXPECT_NEAR(*progress.remaining_seconds(), 18, 1e-9);
  rig.now += 4;  // an evaluation: it counts into the time that is left, not into the rate
  EXPECT_NEAR(*progress.rate(), 25, 1e-9);
  EXPECT_NEAR(*progress.remaining_seconds(), 30, 1e-9);
  progress.end_epoch();
  EXPECT_NEAR(*progress.remaining_seconds(), 10, 1e-9);
  EXPECT_NEAR(*progress.rate(), 25, 1e-9);  // of the epoch before
}

TEST(Progress, CountsOnlyItsOwnEpochsAfterAResume) {
  Rig rig(screen80);
  rig.options.epochs = 4;
  rig.options.first_epoch = 2;
  Progress progress(rig.options);
  rig.now += 10;
  progress.advance(100);
  EXPECT_NEAR(*progress.remaining_seconds(), 10, 1e-9);
  EXPECT_NE(rig.out.str().find("epoch 3/4"), std::string::npos);
}

TEST(Progress, WritesPlainLinesWhereNothingCanBeRedrawn) {
  Rig rig(plain);
  Progress progress(rig.options);
  for (int epoch = 0; epoch < 2; ++epoch) {
    for (int batch = 0; batch < 100; ++batch) {
      rig.now += 0.2;
      progress.advance(1, {{"loss", 0.5}});
    }
    progress.end_epoch({{"loss", 0.5}});
  }
  progress.finish();
  const std::string text = rig.out.str();
  EXPECT_EQ(text.find_first_of("\r\x1b"), std::string::npos) << text;
  EXPECT_EQ(count(text, "\n"), 8) << text;  // for each epoch: at 25, 50 and 75%, and its end
  EXPECT_EQ(text.substr(0, text.find('\n')), "epoch 1/2   25%  ETA 35s  loss 0.5000  5 images/s");
}

TEST(Progress, IsBriefWhereEpochsAreShort) {
  Rig rig(plain);
  Progress progress(rig.options);
  for (int batch = 0; batch < 100; ++batch) {
    rig.now += 0.01;
    progress.advance(1);
  }
  progress.end_epoch();
  EXPECT_EQ(rig.out.str(), "epoch 1/2  1.0 s  100 images/s\n");
}

TEST(Progress, EndsItsLineWhenAnExceptionPasses) {
  Rig rig(screen80);
  rig.options.terminal->colour = true;
  try {
    Progress progress(rig.options);
    progress.advance(10, {{"loss", std::nan("")}});
    throw std::runtime_error("out of luck");
  } catch (const std::runtime_error&) {
    rig.out << "error: out of luck";
  }
  const Screen screen(rig.out.str());
  ASSERT_EQ(screen.lines.size(), 2U);
  EXPECT_NE(screen.lines[0].find("loss nan"), std::string::npos);
  EXPECT_EQ(screen.lines[1], "error: out of luck");
  EXPECT_EQ(count(rig.out.str(), "\x1b[36m"), count(rig.out.str(), "\x1b[0m"));
}

TEST(Progress, PrintsAboveTheBar) {
  Rig rig(screen80);
  Progress progress(rig.options);
  progress.advance(10);
  progress.print("saved");
  const Screen screen(rig.out.str());
  ASSERT_EQ(screen.lines.size(), 2U);
  EXPECT_EQ(screen.lines[0], "saved");
  EXPECT_EQ(screen.lines[1].substr(0, 9), "epoch 1/2");
}

TEST(Progress, LeavesNothingOfALongerLine) {
  Rig rig(screen80);
  rig.options.terminal->width = 200;  // so that the bar does not grow over what is left
  Progress progress(rig.options);
  progress.advance(10, {{"a name as long as a sentence", 0.5}});
  rig.now += 1;
  progress.advance(10);
  EXPECT_EQ(Screen(rig.out.str()).lines.back().find("0.5000"), std::string::npos);
}

TEST(Progress, RefusesWhatIsNoTraining) {
  Rig rig(plain);
  rig.options.epochs = 0;
  EXPECT_THROW(Progress{rig.options}, ValueError);
  rig.options.epochs = 1;
  rig.options.items_per_epoch = -1;
  EXPECT_THROW(Progress{rig.options}, ValueError);
}

/// A pseudo terminal, and the environment put back as it was.
class TerminalTest : public testing::Test {
 protected:
  void SetUp() override {
    master = ::posix_openpt(O_RDWR | O_NOCTTY);
    if (master < 0 || ::grantpt(master) != 0 || ::unlockpt(master) != 0)
      GTEST_SKIP() << "no pseudo terminals here";
    slave = ::open(::ptsname(master), O_RDWR | O_NOCTTY);
    ASSERT_GE(slave, 0);
    for (const char* name : {"TERM", "NO_COLOR", "COLUMNS", "LC_ALL", "LC_CTYPE", "LANG"}) {
      const char* value = std::getenv(name);
      before.emplace_back(name, value == nullptr ? std::optional<std::string>{} : value);
      ::unsetenv(name);
    }
    ::setenv("TERM", "xterm-256color", 1);
  }
  void TearDown() override {
    for (const auto& [name, value] : before) {
      if (value)
        ::setenv(name.c_str(), value->c_str(), 1);
      else
        ::unsetenv(name.c_str());
    }
    if (slave >= 0) ::close(slave);
    if (master >= 0) ::close(master);
  }

  int master = -1;
  int slave = -1;
  std::vector<std::pair<std::string, std::optional<std::string>>> before;
};

TEST_F(TerminalTest, AsksTheTerminalForItsWidth) {
  const winsize size{.ws_row = 24, .ws_col = 123, .ws_xpixel = 0, .ws_ypixel = 0};
  ASSERT_EQ(::ioctl(slave, TIOCSWINSZ, &size), 0);
  EXPECT_EQ(terminal_size(slave).width, 123);
  const Terminal terminal = detect_terminal(slave);
  EXPECT_TRUE(terminal.interactive && terminal.colour && terminal.unicode);
  EXPECT_EQ(terminal.width, 123);
}

TEST_F(TerminalTest, HonoursTheEnvironment) {
  ::setenv("NO_COLOR", "1", 1);
  EXPECT_TRUE(detect_terminal(slave).interactive);
  EXPECT_FALSE(detect_terminal(slave).colour);
  ::setenv("TERM", "dumb", 1);
  EXPECT_FALSE(detect_terminal(slave).interactive);
  ::setenv("LANG", "C", 1);
  EXPECT_FALSE(detect_terminal(slave).unicode);
  ::setenv("LC_ALL", "C.UTF-8", 1);
  EXPECT_TRUE(detect_terminal(slave).unicode);
}

TEST_F(TerminalTest, KnowsAPipeFromATerminal) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  EXPECT_FALSE(detect_terminal(ends[1]).interactive);
  EXPECT_EQ(terminal_size(ends[1]).width, 80);
  ::setenv("COLUMNS", "133", 1);
  EXPECT_EQ(terminal_size(ends[1]).width, 133);
  ::close(ends[0]);
  ::close(ends[1]);
}

}  // namespace
}  // namespace cadena::train
