// Charts in characters, and what is redrawn in place.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <sstream>

#include "autodiff/error.hpp"
#include "plot/format.hpp"
#include "plot/live_plot.hpp"
#include "plot/terminal_plot.hpp"
#include "train/progress.hpp"

namespace cadena::plot {
using namespace train;

namespace {

const Terminal ascii{.interactive = true, .colour = false, .unicode = false, .width = 31, .height = 24};
const Terminal unicode{.interactive = true, .colour = false, .unicode = true, .width = 31, .height = 24};
const Terminal colour{.interactive = true, .colour = true, .unicode = true, .width = 80, .height = 24};
const Terminal file{.interactive = false, .colour = false, .unicode = true, .width = 80, .height = 24};

std::string join(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += line + "\n";
  return text;
}

std::string without_colours(const std::string& text) {
  std::string plain;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] == '\x1b')
      at = text.find('m', at);
    else
      plain += text[at];
  }
  return plain;
}

/// What stands on a terminal after `output`, and where its cursor is. Knows what LiveLines and Progress use.
struct Screen {
  std::vector<std::string> lines{""};
  std::size_t row = 0, column = 0;

  explicit Screen(const std::string& output) {
    for (std::size_t at = 0; at < output.size(); ++at) feed(output, at);
  }

  std::string text() const {
    std::string all;
    for (const std::string& line : lines) all += line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
    return all;
  }

 private:
  void feed(const std::string& output, std::size_t& at) {
    const char c = output[at];
    if (c == '\n') {
      if (++row == lines.size()) lines.emplace_back();
      column = 0;
    } else if (c == '\r') {
      column = 0;
    } else if (c == '\x1b') {
      const std::size_t end = output.find_first_not_of("[0123456789;", at + 1);
      ASSERT_NE(end, std::string::npos);
      const std::string digits = output.substr(at + 2, end - at - 2);
      at = end;
      if (output[end] == 'K' || output[end] == 'J') lines[row].resize(column);
      if (output[end] == 'J') lines.resize(row + 1);
      if (output[end] == 'A') {
        ASSERT_LE(std::stoul(digits), row) << "up beyond the first line";
        row -= std::stoul(digits);
      }
      ASSERT_NE(std::string("KJAm").find(output[end]), std::string::npos) << "unknown escape " << output[end];
    } else {
      lines[row].resize(std::max(lines[row].size(), column + 1));
      lines[row][column++] = c;
    }
  }
};

Chart line_chart() {
  return {
      .title = "loss",
      .x_label = "epoch",
      .series = {{.name = "a", .x = {0, 10}, .y = {0, 4}}, {.name = "b", .x = {0, 5, 10}, .y = {4, 4, 4}}},
      .x_integer = true};
}

TEST(TerminalChart, PutsPointsWhereTheyBelong) {
  EXPECT_EQ(join(render_terminal_chart(line_chart(), ascii, 5)),
            "loss\n"
            "* a 4.00  + b 4.00\n"
            "4 ++++++++++++++++++++++++++++\n"
            "  |                 ******\n"
            "2 +          *******\n"
            "  |    ******\n"
            "0 +****\n"
            "  ++------------+------------+\n"
            "   0            5   epoch   10\n");
}

TEST(TerminalChart, DrawsDots) {
  const Chart chart{.series = {{.name = "", .x = {0, 1}, .y = {0, 1}}}, .y_min = 0, .y_max = 1};
  Terminal narrow = unicode;
  narrow.width = 14;  // 8 columns of dots: 16 x 12
  EXPECT_EQ(join(render_terminal_chart(chart, narrow, 3)),
            "\n"
            "⠤⠤ 1.00\n"
            "1.0 ┤     ⢀⠔⠊\n"
            "0.5 ┤  ⢀⡠⠊⠁\n"
            "0.0 ┤⡠⠔⠁\n"
            "    └┬───┬──┬\n"
            "    0.0 0.5\n");  // dot i of the line is (i, 11 - 11 i / 15), rounded
}

TEST(TerminalChart, FitsEveryWidth) {
  Chart wide = line_chart();
  wide.title = "a title that is longer than many a terminal is wide";
  wide.series[1].name = "a long name of a series";
  const std::vector<Chart> charts{wide, line_chart(), wide};
  for (const bool in_unicode : {true, false}) {
    for (const bool in_colour : {true, false}) {
      for (int width = 1; width <= 150; ++width) {
        const Terminal t{.interactive = true, .colour = in_colour, .unicode = in_unicode, .width = width};
        for (const std::string& line : render_terminal_charts(charts, t, 6)) {
          EXPECT_LT(display_columns(without_colours(line)), std::max(width, 2)) << line;
          EXPECT_TRUE(in_colour || line == without_colours(line));
          if (!in_unicode) {
            EXPECT_EQ(static_cast<std::size_t>(display_columns(line)), line.size()) << line;
          }
        }
      }
    }
  }
}

TEST(TerminalChart, StandsBesideAnotherWhereThereIsRoom) {
  const std::vector<Chart> two{line_chart(), line_chart()};
  Terminal t = unicode;
  t.width = 80;
  EXPECT_EQ(render_terminal_charts(two, t, 6).size(), 10u);
  EXPECT_EQ(render_terminal_charts(two, t, 6)[0], "loss" + std::string(36, ' ') + "loss");
  t.width = 60;
  EXPECT_EQ(render_terminal_charts(two, t, 6).size(), 20u);
}

TEST(TerminalChart, TellsSeriesApart) {
  Terminal t = unicode;
  t.width = 60;
  Chart chart{.series = {{.name = "a", .x = {0, 1}, .y = {1, 1}}, {.name = "b", .x = {0, 1}, .y = {2, 2}}}};
  const auto plain = render_terminal_chart(chart, t, 6);
  const auto dots_of = [&](const std::string& label) {
    for (const std::string& line : plain)
      if (line.rfind(label, 0) == 0) return line.substr(line.find("┤") + 3);
    return std::string("no such line");
  };
  EXPECT_NE(dots_of("1.0"), dots_of("2.0")) << "without colour by dashes";
  EXPECT_EQ(plain[1], "⠤⠤ a 1.00  ⠤⠀ b 2.00");
  const auto coloured = render_terminal_chart(chart, colour, 6);
  EXPECT_NE(coloured[1].find("\x1b[36m⠤⠤\x1b[0m a"), std::string::npos) << coloured[1];
  EXPECT_NE(coloured[1].find("\x1b[33m  ⠤⠤\x1b[0m b"), std::string::npos) << coloured[1];
}

TEST(TerminalChart, SurvivesOddData) {
  constexpr double inf = std::numeric_limits<double>::infinity(),
                   nan = std::numeric_limits<double>::quiet_NaN();
  EXPECT_EQ(render_terminal_chart({}, unicode, 3).size(), 7u);
  EXPECT_EQ(render_terminal_chart({}, unicode, -5).size(), 7u) << "at least 3 rows";
  const Chart empty{.title = "t", .series = {{.name = "s"}}};
  EXPECT_NE(join(render_terminal_chart(empty, unicode)).find("s --"), std::string::npos);
  const Chart gap{.series = {{.name = "g", .x = {0, 1, 2, 3, 4, 5}, .y = {0, nan, 1, inf, -inf, 1}}}};
  const auto drawn = render_terminal_chart(gap, ascii, 5);
  std::string row = drawn[2].substr(drawn[2].find('+') + 1);
  EXPECT_EQ(std::count(row.begin(), row.end(), '*'), 2) << "no line across what is no number: " << row;
  const Chart logarithmic{.series = {{.name = "l", .x = {1, 2, 3}, .y = {1e-3, 0, 1e3}}},
                          .y_scale = Scale::log};
  EXPECT_NE(join(render_terminal_chart(logarithmic, ascii, 7)).find("1,000 +"), std::string::npos);
  const Chart huge{.series = {{.name = "h", .x = {-1e300, 1e300}, .y = {-1e300, 1e300}}}};
  EXPECT_EQ(render_terminal_chart(huge, ascii, 5).size(), 9u);
  Terminal none = ascii;
  none.width = 0;
  EXPECT_EQ(join(render_terminal_chart(gap, none)), "\n");
  none.width = 9;
  EXPECT_EQ(join(render_terminal_chart(gap, none)), "g 1.00\n") << "too narrow for a drawing";
  EXPECT_THROW(render_terminal_chart({.series = {{.name = "s", .x = {1}}}}, ascii), ValueError);
}

TEST(LiveLines, RewritesOnlyWhatDiffers) {
  std::ostringstream out;
  LiveLines live(out);
  out << "before\n";
  live.draw({"one", "two", "three"}, ascii);
  live.draw({"one", "2", "three"}, ascii);
  EXPECT_EQ(Screen(out.str()).text(), "before\none\n2\nthree\n\n");
  const auto so_far = out.str().size();
  live.draw({"one", "2", "three"}, ascii);
  EXPECT_EQ(out.str().size(), so_far) << "nothing to do, nothing written";
  live.draw({"one", "2", "drei"}, ascii);
  EXPECT_EQ(out.str().substr(so_far).find("one"), std::string::npos);
  live.print_above("new");
  live.draw({"1"}, ascii);
  const Screen screen(out.str());
  EXPECT_EQ(screen.text(), "before\nnew\n1\n\n");
  EXPECT_EQ(screen.row, 3u) << "the cursor rests below";
  EXPECT_EQ(out.str().find("\x1b[?"), std::string::npos) << "no mode is changed, the cursor is not hidden";
}

TEST(LiveLines, KnowsTheTerminalsHeightAndItsChanges) {
  std::ostringstream out;
  LiveLines live(out);
  Terminal low = ascii;
  low.height = 3;
  live.draw({"1", "2", "3", "4"}, low);
  EXPECT_EQ(Screen(out.str()).text(), "1\n2\n\n");
  low.width = 20;  // the lines may have been wrapped: start afresh
  live.draw({"5", "6"}, low);
  EXPECT_EQ(Screen(out.str()).text(), "1\n2\n5\n6\n\n");
  live.release();
  live.draw({"7"}, low);
  EXPECT_EQ(Screen(out.str()).text(), "1\n2\n5\n6\n7\n\n");
}

TEST(LivePlot, PrintsLinesWhereThereIsNoTerminal) {
  std::ostringstream out;
  Chart chart{.x_label = "epoch", .series = {{.name = "loss"}, {.name = "error"}}};
  LivePlot plot(chart, {.out = &out, .terminal = file, .plain_every = 2});
  for (int epoch = 1; epoch <= 5; ++epoch) plot.add(epoch, {1.0 / epoch, 0.25 * epoch});
  plot.print("a remark");
  plot.finish();
  plot.finish();
  EXPECT_EQ(out.str(),
            "epoch 2  loss 0.5000  error 0.5000\n"
            "epoch 4  loss 0.2500  error 1.0000\n"
            "a remark\n"
            "epoch 5  loss 0.2000  error 1.2500\n");
  EXPECT_EQ(plot.chart().series[1].y.size(), 5u);
  EXPECT_THROW(plot.add(6, {1}), ValueError);

  std::ostringstream percent;
  LivePlot({.series = {{.name = "accuracy"}}, .y_percent = true}, {.out = &percent, .terminal = file})
      .add(0.5, {0.876});
  EXPECT_EQ(percent.str(), "x 0.5000  accuracy 87.6%\n");
}

TEST(LivePlot, RedrawsInPlaceAndLeavesTheChart) {
  std::ostringstream out;
  double now = 0;
  {
    LivePlot plot({.title = "loss", .x_label = "epoch", .series = {{.name = "training"}}},
                  {.out = &out, .terminal = unicode, .clock = [&] { return now; }, .rows = 5});
    for (int epoch = 1; epoch <= 20; ++epoch) {
      plot.add(epoch, {1.0 / epoch});
      if (epoch == 10) plot.print("half");
      now += 0.04;  // faster than it is redrawn
    }
  }
  const Screen screen(out.str());
  Chart whole{.title = "loss", .x_label = "epoch", .series = {{.name = "training"}}};
  for (int epoch = 1; epoch <= 20; ++epoch) {
    whole.series[0].x.push_back(epoch);
    whole.series[0].y.push_back(1.0 / epoch);
  }
  EXPECT_EQ(screen.text(), Screen("half\n" + join(render_terminal_chart(whole, unicode, 5))).text());
  EXPECT_EQ(screen.row, 10u);
  int drawings = 0;
  for (std::size_t at = 0; (at = out.str().find("epoch", at)) != std::string::npos; ++at) ++drawings;
  EXPECT_LE(drawings, 10) << "at most every 0.1 s";
}

TEST(LivePlot, BecomesLowerOnALowTerminal) {
  std::ostringstream out;
  Terminal low = unicode;
  low.height = 10;
  LivePlot plot({.series = {{.name = "s"}}}, {.out = &out, .terminal = low, .rows = 12});
  plot.add(1, {1});
  EXPECT_EQ(Screen(out.str()).row, 8u);  // 4 rows of drawing, and 4 lines around them
}

TEST(ProgressPanel, StandsBelowTheBarAndFollowsTheEpochs) {
  std::ostringstream out;
  double now = 100;
  int asked = 0;
  Terminal t = unicode;
  t.width = 60;
  Progress progress({.epochs = 2,
                     .items_per_epoch = 10,
                     .out = &out,
                     .terminal = t,
                     .clock = [&] { return now; },
                     .panel =
                         [&](const Terminal&) {
                           ++asked;
                           return std::vector<std::string>{"panel " + std::to_string(asked), "last"};
                         }});
  const auto line = [&](std::size_t i) { return Screen(out.str()).lines.at(i); };
  progress.advance(5, {{"loss", 0.5}});
  EXPECT_EQ(asked, 0);
  EXPECT_EQ(line(0).rfind("epoch 1/2", 0), 0u);
  now += 1;
  progress.end_epoch({{"loss", 0.4}});
  EXPECT_EQ(line(0).rfind("epoch 1/2  1.0 s  loss 0.4000", 0), 0u) << line(0);
  EXPECT_EQ(line(1).rfind("epoch 2/2", 0), 0u);
  EXPECT_EQ(line(2), "panel 1");
  EXPECT_EQ(line(3), "last");
  EXPECT_EQ(Screen(out.str()).row, 4u);
  now += 1;
  progress.advance(5, {{"loss", 0.3}});
  progress.print("a remark");
  EXPECT_EQ(line(1), "a remark");
  EXPECT_EQ(line(3), "panel 1");
  progress.end_epoch({{"loss", 0.2}});
  progress.finish();
  progress.print("after");
  const Screen screen(out.str());
  EXPECT_EQ(asked, 2);
  ASSERT_EQ(screen.lines.size(), 8u);
  EXPECT_EQ(screen.lines[2].rfind("epoch 2/2  ", 0), 0u);
  EXPECT_NE(screen.lines[3].find("100%"), std::string::npos);
  EXPECT_EQ(screen.lines[4], "panel 2");
  EXPECT_EQ(screen.lines[6], "after");
}

TEST(ProgressPanel, IsNotAskedForElsewhere) {
  std::ostringstream out;
  ProgressOptions options{.epochs = 1, .items_per_epoch = 1, .out = &out, .terminal = file};
  options.panel = [](const Terminal&) -> std::vector<std::string> { throw ValueError("must not be called"); };
  Progress progress(options);
  progress.advance(1);
  progress.end_epoch();
  progress.finish();
  EXPECT_EQ(out.str().find('\x1b'), std::string::npos);
}

}  // namespace
}  // namespace cadena::plot
