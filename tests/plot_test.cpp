#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <iterator>
#include <limits>
#include <map>

#include "autodiff/error.hpp"
#include "plot/chart.hpp"
#include "plot/confusion.hpp"
#include "plot/svg.hpp"
#include "plot/ticks.hpp"

namespace cadena::plot {
namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();
constexpr double infinity = std::numeric_limits<double>::infinity();

int count(const std::string& text, const std::string& part) {
  int times = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++times;
  return times;
}

/// What is wrong with an XML document; empty if it is well-formed as far as SVG files of ours go: one root,
/// elements nest, attributes are quoted and unique, no bare '<' or '&', no control characters, no number that
/// is none.
std::string fault(const std::string& xml) {
  std::vector<std::string> open;
  bool root = false;
  for (std::size_t at = 0; at < xml.size();) {
    const char c = xml[at];
    if (c == '<') {
      const std::size_t end = xml.find('>', at);
      if (end == std::string::npos) return "a tag is not closed";
      std::string tag = xml.substr(at + 1, end - at - 1);
      at = end + 1;
      if (tag.front() == '/') {
        if (open.empty() || open.back() != tag.substr(1)) return "unexpected </" + tag.substr(1) + ">";
        open.pop_back();
        continue;
      }
      const bool empty = tag.back() == '/';
      if (empty) tag.pop_back();
      const std::string name = tag.substr(0, tag.find(' '));
      if (open.empty() && root) return "a second root";
      root = true;
      std::map<std::string, int> names;
      for (std::size_t i = name.size(); i < tag.size();) {
        const std::size_t equals = tag.find('=', i);
        if (equals == std::string::npos || tag[i] != ' ' || tag[equals + 1] != '"')
          return "bad attribute in " + tag;
        const std::size_t close = tag.find('"', equals + 2);
        if (close == std::string::npos) return "an attribute is not closed in " + tag;
        if (names[tag.substr(i + 1, equals - i - 1)]++ > 0) return "an attribute is there twice in " + tag;
        const std::string value = tag.substr(equals + 2, close - equals - 2);
        if (value.find('<') != std::string::npos || value == "nan" || value == "inf")
          return "bad value in " + tag;
        i = close + 1;
      }
      if (!empty) open.push_back(name);
    } else {
      if (c == '&') {
        const std::string entity = xml.substr(at, xml.find(';', at) - at + 1);
        const std::vector<std::string> known{"&amp;", "&lt;", "&gt;", "&quot;", "&#39;"};
        if (std::find(known.begin(), known.end(), entity) == known.end()) return "bad entity " + entity;
      }
      if (static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\t') return "a control character";
      if (open.empty() && c != '\n') return "text outside the root";
      ++at;
    }
  }
  return open.empty() && root ? "" : "an element is not closed";
}

TEST(Checker, FindsFaults) {
  EXPECT_EQ(fault("<a><b c=\"1\" d=\"2\"/>x &amp; y</a>\n"), "");
  for (const char* bad : {"<a>", "<a></b>", "<a/><a/>", "<a>&x</a>", "<a b=1/>", "<a b=\"1\" b=\"2\"/>",
                          "<a>\x01</a>", "<a b=\"nan\"/>", "", "x<a/>"}) {
    EXPECT_NE(fault(bad), "") << bad;
  }
}

// ---------------------------------------------------------------------------------------------------- SVG

TEST(SvgText, EscapesWhatXmlForbids) {
  EXPECT_EQ(escape_xml("a<b> & \"c\" 'd'"), "a&lt;b&gt; &amp; &quot;c&quot; &#39;d&#39;");
  EXPECT_EQ(escape_xml("ñ… 漢 😀"), "ñ… 漢 😀");
  const std::string replaced = "\xEF\xBF\xBD";
  EXPECT_EQ(escape_xml("\x01"), replaced);
  EXPECT_EQ(escape_xml("\xFF"), replaced);
  EXPECT_EQ(escape_xml("\xC3"), replaced);                                // cut off
  EXPECT_EQ(escape_xml("\xC0\xAF"), replaced + replaced);                 // overlong
  EXPECT_EQ(escape_xml("\xED\xA0\x80"), replaced + replaced + replaced);  // a surrogate
  EXPECT_EQ(escape_xml("\xEF\xBF\xBF"), replaced + replaced + replaced);  // U+FFFF
}

TEST(SvgText, CutsWhatDoesNotFit) {
  EXPECT_EQ(fit_text("short", 1000, 12), "short");
  const std::string cut = fit_text("Ankle boot with a long name", 80, 12);
  EXPECT_EQ(cut.substr(0, 5), "Ankle");
  EXPECT_EQ(cut.substr(cut.size() - 3), "…");
  EXPECT_LE(text_width(cut, 12), 80);
  EXPECT_EQ(fit_text("anything", 0, 12), "…");
}

TEST(SvgColour, ContrastDecidesTheTextColour) {
  EXPECT_EQ(readable_on({1, 1, 1}), palette::ink);
  EXPECT_EQ(readable_on({0, 0, 0}), "#ffffff");
  EXPECT_EQ(readable_on({0.6, 0.6, 0.6}), palette::ink);
  EXPECT_EQ(readable_on({0.45, 0.45, 0.45}), "#ffffff");
  EXPECT_EQ(readable_on({0, 0.353, 0.596}), "#ffffff");
  EXPECT_EQ(readable_on({1, 1, 0}), palette::ink);  // bright, although its mean is that of a middle grey
  EXPECT_EQ(to_hex(mix({0, 0, 0}, {1, 0.5, 2}, 1)), "#ff80ff");
  EXPECT_EQ(to_hex(mix({0, 0, 0}, {1, 1, 1}, -1)), "#000000");
}

TEST(SvgDocument, RefusesWhatAViewerWouldDrop) {
  EXPECT_THROW(Svg(0, 10, ""), ValueError);
  EXPECT_THROW(Svg(nan, 10, ""), ValueError);
  Svg svg(10, 10, "a & b");
  EXPECT_THROW(svg.circle({nan, 0}, 1, "#fff"), ValueError);
  EXPECT_THROW(svg.line({0, 0}, {infinity, 0}, {}), ValueError);
  EXPECT_EQ(fault(svg.str()), "");
}

// ---------------------------------------------------------------------------------------------------- ticks

/// What must hold for every range.
void expect_sound(const Ticks& ticks) {
  ASSERT_EQ(ticks.at.size(), ticks.labels.size());
  ASSERT_TRUE(std::isfinite(ticks.lo) && std::isfinite(ticks.hi));
  ASSERT_LT(ticks.lo, ticks.hi);
  ASSERT_GE(ticks.at.size(), 1U);
  ASSERT_LE(ticks.at.size(), 16U);
  const double slack = 1e-6 * (ticks.hi - ticks.lo);
  for (std::size_t i = 0; i < ticks.at.size(); ++i) {
    EXPECT_GE(ticks.at[i], ticks.lo - slack);
    EXPECT_LE(ticks.at[i], ticks.hi + slack);
    if (i > 0) {
      EXPECT_LT(ticks.at[i - 1], ticks.at[i]);
      EXPECT_NE(ticks.labels[i - 1], ticks.labels[i]);
    }
  }
}

TEST(Ticks, AreRound) {
  using Labels = std::vector<std::string>;
  EXPECT_EQ(linear_ticks(0.07, 0.52, {.target = 5}).labels,
            (Labels{"0.0", "0.1", "0.2", "0.3", "0.4", "0.5", "0.6"}));
  EXPECT_EQ(linear_ticks(1, 10, {.target = 7, .integer = true, .outward = false}).labels,
            (Labels{"2", "4", "6", "8", "10"}));
  EXPECT_EQ(linear_ticks(1, 3, {.target = 7, .integer = true, .outward = false}).labels,
            (Labels{"1", "2", "3"}));
  EXPECT_EQ(linear_ticks(0.82, 0.93, {.target = 5, .percent = true}).labels,
            (Labels{"80%", "85%", "90%", "95%"}));
  EXPECT_EQ(linear_ticks(0, 180000, {.target = 4}).labels,
            (Labels{"0", "50,000", "100,000", "150,000", "200,000"}));
  EXPECT_EQ(linear_ticks(-1e6, 2e6, {.target = 4}).labels, (Labels{"-1M", "0", "1M", "2M"}));
  EXPECT_EQ(linear_ticks(0, 3e-7, {.target = 3}).labels, (Labels{"0", "1e-7", "2e-7", "3e-7"}));
  EXPECT_EQ(log_ticks(0.003, 400).labels, (Labels{"0.001", "0.01", "0.1", "1", "10", "100", "1,000"}));
  EXPECT_EQ(log_ticks(0.3, 3).labels, (Labels{"0.2", "0.5", "1", "2", "5"}));
  EXPECT_EQ(log_ticks(0.31, 0.39, {.target = 4, .outward = false}).labels,
            (Labels{"0.32", "0.34", "0.36", "0.38"}));
  EXPECT_EQ(log_ticks(1e-9, 1e-7).labels, (Labels{"1e-9", "1e-8", "1e-7"}));
}

TEST(Ticks, SurviveOddRanges) {
  const std::vector<double> odd{0,           1,       -1,           0.5,        1e-300,   -1e-300,   1e300,
                                -1e300,      1.7e308, -1.7e308,     1e16,       1e16 + 4, 1e-9,      0.1,
                                0.1 + 1e-15, 1e-6,    1e-6 + 1e-14, 12345678.9, infinity, -infinity, nan};
  for (const double lo : odd) {
    for (const double hi : odd) {
      for (const bool flag : {false, true}) {
        SCOPED_TRACE(testing::Message() << lo << " to " << hi << (flag ? " flags" : ""));
        expect_sound(linear_ticks(lo, hi, {.integer = flag, .percent = !flag, .outward = true}));
        expect_sound(linear_ticks(lo, hi, {.integer = flag, .percent = flag, .outward = false}));
        expect_sound(log_ticks(lo, hi, {.outward = flag}));
      }
    }
  }
}

TEST(Ticks, CoverTheDataWhenAskedTo) {
  for (double lo = -3.7; lo < 3; lo += 0.31) {
    for (double length = 0.001; length < 1e4; length *= 3.3) {
      const Ticks ticks = linear_ticks(lo, lo + length);
      EXPECT_LE(ticks.lo, lo + 1e-5 * length);
      EXPECT_GE(ticks.hi, lo + length * (1 - 1e-5));
      EXPECT_GE(ticks.at.size(), 3U);
    }
  }
}

TEST(Ticks, RangeSkipsWhatIsNoNumber) {
  double lo = 7, hi = 8;
  EXPECT_FALSE(finite_range(std::vector<double>{nan, infinity}, false, lo, hi));
  EXPECT_EQ(lo, 7);
  EXPECT_TRUE(finite_range(std::vector<double>{nan, 3, -infinity, -2}, false, lo, hi));
  EXPECT_EQ(lo, -2);
  EXPECT_EQ(hi, 3);
  EXPECT_TRUE(finite_range(std::vector<double>{0, 3, -2, 5}, true, lo, hi));
  EXPECT_EQ(lo, 3);
}

// ---------------------------------------------------------------------------------------------------- charts

Chart chart_of(std::vector<double> y, Scale scale = Scale::linear) {
  Series series{.name = "loss <train> & more", .y = std::move(y)};
  for (std::size_t i = 0; i < series.y.size(); ++i) series.x.push_back(static_cast<double>(i + 1));
  return {.title = "Loss", .x_label = "epoch", .y_label = "nats", .series = {series}, .y_scale = scale};
}

TEST(ChartPicture, IsWellFormedForOddSeries) {
  for (const Scale scale : {Scale::linear, Scale::log}) {
    for (const std::vector<double>& y : std::vector<std::vector<double>>{{},
                                                                         {1},
                                                                         {nan},
                                                                         {nan, nan, 3},
                                                                         {2, 2, 2},
                                                                         {0, 0},
                                                                         {-1, -2},
                                                                         {1e300, -1e300},
                                                                         {1.7e308, -1.7e308},
                                                                         {1, infinity, 2},
                                                                         {1e-308, 1}}) {
      const std::string svg = render_chart(chart_of(y, scale));
      EXPECT_EQ(fault(svg), "") << testing::PrintToString(y);
      EXPECT_NE(svg.find("loss &lt;train&gt; &amp; more"), std::string::npos);
    }
  }
  EXPECT_EQ(fault(render_chart({})), "");
  EXPECT_EQ(fault(render_charts({})), "");
}

TEST(ChartPicture, BreaksTheLineAtGaps) {
  EXPECT_EQ(count(render_chart(chart_of({1, 2, 3, 4})), "<polyline"), 1);
  EXPECT_EQ(count(render_chart(chart_of({1, 2, nan, 3, 4})), "<polyline"), 2);
  EXPECT_EQ(count(render_chart(chart_of({1, 2, -1, 3, 4}, Scale::log)), "<polyline"), 2);
  EXPECT_EQ(count(render_chart(chart_of({1, 2, -1, 3, 4})), "<polyline"), 1);
  const std::string lonely = render_chart(chart_of({1, 2, nan, 3, nan, 5, 6}));
  EXPECT_EQ(count(lonely, "<polyline"), 2);
  EXPECT_EQ(count(lonely, "<circle"), 2);  // the point between the gaps, and the end of the line
  EXPECT_NE(render_chart(chart_of({nan})).find("no data"), std::string::npos);
  EXPECT_EQ(lonely.find("no data"), std::string::npos);
}

TEST(ChartPicture, PutsPointsWhereTheyBelong) {
  Chart chart = chart_of({0, 1, 0.5});
  chart.y_min = 0;
  chart.y_max = 1;
  const std::string svg = render_chart(chart);
  const std::size_t at = svg.find("<polyline points=\"") + 18;
  double x[3], y[3];
  ASSERT_EQ(std::sscanf(svg.c_str() + at, "%lf,%lf %lf,%lf %lf,%lf", x, y, x + 1, y + 1, x + 2, y + 2), 6);
  EXPECT_NEAR(x[1] - x[0], x[2] - x[1], 0.02);
  EXPECT_GT(x[1], x[0]);
  EXPECT_GT(y[0], y[1]);  // up is smaller in SVG
  EXPECT_NEAR(y[2], (y[0] + y[1]) / 2, 0.02);
}

TEST(ChartPicture, KeepsManyPointsSmallAndTheirPeaks) {
  std::vector<double> y(200000, 0.5);
  y[77777] = 1;
  Chart chart = chart_of(y);
  chart.y_min = 0;
  chart.y_max = 1;
  const std::string svg = render_chart(chart);
  EXPECT_LT(svg.size(), 60000U);
  const std::size_t at = svg.find("<polyline points=\"") + 18;
  const std::string points = svg.substr(at, svg.find('"', at) - at);
  const std::size_t top = svg.find("stroke=\"#e6e9ed\"", svg.find("y1=\"") - 40);
  ASSERT_NE(top, std::string::npos);
  double highest = infinity;
  for (std::size_t comma = points.find(','); comma != std::string::npos;
       comma = points.find(',', comma + 1)) {
    highest = std::min(highest, std::strtod(points.c_str() + comma + 1, nullptr));
  }
  const double first = std::strtod(points.c_str() + points.find(',') + 1, nullptr);
  EXPECT_GT(first - highest, 100);  // the single peak is still half a plot above the rest
}

TEST(ChartPicture, RefusesWhatItCannotDraw) {
  Chart chart = chart_of({1, 2});
  chart.series[0].x.pop_back();
  EXPECT_THROW(render_chart(chart), ValueError);
  chart = chart_of({1, 2});
  chart.width = 100;
  EXPECT_THROW(render_chart(chart), ValueError);
  chart.width = nan;
  EXPECT_THROW(render_chart(chart), ValueError);
}

// ----------------------------------------------------------------------------------------------------
// confusion matrix

TEST(Confusion, ShowsEveryCountAndBothShares) {
  const ConfusionMatrix matrix{"T", "S", {"cat & dog", "b"}, {31, 1, 0, 47}};
  const std::string svg = render_confusion(matrix);
  EXPECT_EQ(fault(svg), "");
  for (const char* text :
       {">31<", ">1<", ">0<", ">47<", ">96.9%<", ">100.0%<", ">97.9%<", ">true<", ">predicted<"}) {
    EXPECT_NE(svg.find(text), std::string::npos) << text;
  }
  EXPECT_EQ(count(svg, ">cat &amp; dog<"), 2);  // on both axes
  EXPECT_EQ(print_confusion(matrix),
            "true \\ predicted    0    1   recall\n"
            "0 cat & dog        31    1    96.9%\n"
            "1 b                 ·   47   100.0%\n"
            "precision        100%  98%\n");
}

TEST(Confusion, HandlesEmptyClassesAndRefusesNonsense) {
  const std::string empty = render_confusion({"", "", {"a", "b"}, {0, 0, 0, 0}});
  EXPECT_EQ(fault(empty), "");
  EXPECT_EQ(count(empty, ">–<"), 4);
  EXPECT_THROW(render_confusion({"", "", {"a", "b"}, {0, 0, 0}}), ValueError);
  EXPECT_THROW(render_confusion({"", "", {}, {}}), ValueError);
  EXPECT_THROW(print_confusion({"", "", {"a"}, {-1}}), ValueError);
}

}  // namespace
}  // namespace cadena::plot
