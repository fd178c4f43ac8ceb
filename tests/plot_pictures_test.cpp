// Contours, planes, networks, histograms and bars as pictures.
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <limits>
#include <regex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "autodiff/autodiff.hpp"
#include "autodiff/error.hpp"
#include "messages.hpp"
#include "plot/bars.hpp"
#include "plot/contour.hpp"
#include "plot/decision.hpp"
#include "plot/histogram.hpp"
#include "plot/network.hpp"
#include "plot/plane.hpp"

namespace cadena::plot {
namespace {

using Lines = std::vector<std::vector<Point>>;

double area_of(const Lines& polygons) {
  double twice = 0;
  for (const auto& p : polygons)
    for (std::size_t i = 0; i < p.size(); ++i) {
      const Point &a = p[i], &b = p[(i + 1) % p.size()];
      twice += a.x * b.y - b.x * a.y;
    }
  return twice / 2;
}

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t n = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++n;
  return n;
}

TEST(Contour, OfAPlaneIsTheLine) {
  const ScalarField field({-1, -2}, {3, 2}, 9, 5, [](double x, double y) { return x + y - 0.25; });
  const Lines lines = contour_lines(field, 0);
  ASSERT_EQ(lines.size(), 1U);
  for (const Point& p : lines[0]) EXPECT_NEAR(p.x + p.y, 0.25, 1e-12);
  // It leads from rim to rim.
  const Point a = lines[0].front(), b = lines[0].back();
  EXPECT_NEAR(std::abs(a.x - b.x), 3.25, 1e-12);
  // Above it lies the rectangle 4 x 4 less the triangle below the line, 3.25 x 3.25 / 2.
  EXPECT_NEAR(area_of(area_above(field, 0)), 16 - 3.25 * 3.25 / 2, 1e-9);
}

TEST(Contour, OfAHillIsClosed) {
  const ScalarField field({-1, -1}, {1, 1}, 101, 101, [](double x, double y) { return 1 - x * x - y * y; });
  const Lines lines = contour_lines(field, 0.75);
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_EQ(lines[0].front().x, lines[0].back().x);
  EXPECT_EQ(lines[0].front().y, lines[0].back().y);
  for (const Point& p : lines[0]) EXPECT_NEAR(std::hypot(p.x, p.y), 0.5, 5e-4);
  EXPECT_NEAR(area_of(area_above(field, 0.75)), 3.14159265 / 4, 1e-3);
  EXPECT_TRUE(contour_lines(field, 2).empty());
  EXPECT_TRUE(area_above(field, 2).empty());
  EXPECT_NEAR(area_of(area_above(field, -9)), 4, 1e-12);
}

TEST(Contour, SaddlesJoinWhatTheMiddleJoins) {
  // Corners 1, -1, 1, -1 and a middle that is above or below.
  for (const double lift : {0.2, -0.2}) {
    const ScalarField field({0, 0}, {1, 1}, 2, 2,
                            [&](double x, double y) { return (x == y ? 1 : -1) + lift; });
    const Lines lines = contour_lines(field, 0);
    ASSERT_EQ(lines.size(), 2U);
    for (const auto& line : lines) {
      ASSERT_EQ(line.size(), 2U);
      const double x = (line[0].x + line[1].x) / 2, y = (line[0].y + line[1].y) / 2;
      // Above in the middle: the lines cut off the corners (1, 0) and (0, 1); else (0, 0) and (1, 1).
      EXPECT_EQ(std::abs(x + y - 1) < std::abs(x - y), lift > 0);
    }
  }
}

TEST(Contour, RefusesAGridWithoutCells) {
  EXPECT_THROW(ScalarField({0, 0}, {1, 1}, 1, 5, [](double, double) { return 0; }), ValueError);
}

TEST(Planes, DrawEverythingThatIsInThem) {
  Plane plane{.title = "a < b",
              .low = {0, 0},
              .high = {1, 1},
              .fields = {{.f = [](double x, double y) { return x - y; },
                          .levels = {0},
                          .line_name = "border",
                          .shade_above = 0,
                          .shade_name = "right"}},
              .paths = {{.name = "way", .at = {{0, 0}, {0.5, 0.25}, {1, 1}}, .dots = 2}},
              .points = {{.name = "dots", .at = {{0.2, 0.3}, {0.4, 0.5}}}}};
  const std::string svg = render_planes(std::array{plane, plane, plane}, 2);
  for (const char* name : {"a &lt; b", "border", "right", "way", "dots"})
    EXPECT_EQ(count(svg, ">" + std::string(name) + "</text>"), 3U) << name;
  EXPECT_NE(svg.find("width=\"920\" height=\"920\""), std::string::npos);
  EXPECT_EQ(count(svg, "<path "), 3U);
  EXPECT_EQ(count(svg, "<circle "), 3U * (1 + 2 + 3));  // in the legend, of points, on the way
  plane.width = 100;
  EXPECT_THROW(render_plane(plane), ValueError);
  plane.width = 400;
  plane.high.y = 0;
  EXPECT_THROW(render_plane(plane), ValueError);
  EXPECT_THROW(render_planes({}, 0), ValueError);
}

TEST(Networks, DrawUnitsAndLinks) {
  NetworkPicture picture{.title = "net",
                         .layers = {{.name = "in", .units = {{"a", "1"}, {"b", "2"}}},
                                    {.name = "out", .units = {{"c", "3"}, {"d", "4"}, {"e", "5"}}}}};
  picture.links = all_links(picture.layers);
  ASSERT_EQ(picture.links.size(), 1U);
  EXPECT_EQ(picture.links[0].size(), 6U);
  picture.links[0][0].label = "0.5";
  const std::string svg = render_network(picture);
  EXPECT_EQ(count(svg, "<polygon "), 6U);
  for (const char* word : {"net", "in", "out", "a", "e", "1", "5", "0.5"})
    EXPECT_EQ(count(svg, ">" + std::string(word) + "</text>"), 1U) << word;
  picture.links[0].push_back({0, 3, ""});
  EXPECT_THROW(render_network(picture), ValueError);
  picture.links[0].pop_back();
  picture.height = 120;
  EXPECT_THROW(render_network(picture), ValueError);
}

TEST(DecisionPlane, ShadesWhereEachClassWins) {
  // Three classes side by side: 0 left of -1, 2 right of 1, 1 between.
  const auto scores = [](const Tensor& p) {
    const Tensor x = p.select(1, 0);
    return stack({-x - 1, zeros_like(x), x - 1}, 1);
  };
  const Tensor points = tensor({{-3.0, 0.0}, {0.0, 1.0}, {3.0, 2.0}});
  const Plane plane = decision_plane(scores, points, tensor({0, 1, 2}), {"left", "middle", "right"});
  ASSERT_EQ(plane.fields.size(), 3u);
  EXPECT_NEAR(plane.low.x, -3.48, 1e-6);
  EXPECT_NEAR(plane.high.y, 2.16, 1e-6);
  const auto& at = plane.fields;
  EXPECT_GT(at[0].f(plane.low.x, plane.low.y), 0);
  EXPECT_LT(at[1].f(plane.low.x, plane.low.y), 0);
  EXPECT_NEAR(at[2].f(plane.high.x, plane.low.y), 3.48 - 1, 1e-5);
  EXPECT_EQ(plane.points[1].at.size(), 1u);
  const std::string svg = render_plane(plane);
  for (const char* name : {"left", "middle", "right"})
    EXPECT_EQ(count(svg, ">" + std::string(name) + "</text>"), 1U);

  // One logit: class 1 above 0.
  const Plane two =
      decision_plane([](const Tensor& p) { return p.select(1, 1) - 1; }, points, tensor({0, 0, 1}));
  EXPECT_GT(two.fields[1].f(0, two.high.y), 0);
  EXPECT_EQ(two.fields[0].f(0, two.high.y), -two.fields[1].f(0, two.high.y));
  EXPECT_EQ(two.points[0].name, "0");
}

TEST(DecisionPlane, RefusesWhatDoesNotFit) {
  const auto first = [](const Tensor& p) { return p.select(1, 0); };
  EXPECT_EQ(message_of<ShapeError>([&] {
              decision_plane(first, zeros({2, 3}), zeros({2}, i64));
            }),
            "[decision_plane] expected points (n, 2) and labels (n), n > 0, got (2, 3) and (2,)");
  EXPECT_EQ(message_of<ShapeError>([&] {
              decision_plane(first, zeros({0, 2}), zeros({0}, i64));
            }),
            "[decision_plane] expected points (n, 2) and labels (n), n > 0, got (0, 2) and (0,)");
  EXPECT_EQ(message_of<ValueError>([&] {
              decision_plane(first, zeros({1, 2}), full({1}, 2, i64));
            }),
            "[decision_plane] expected labels from 0 to 1, got 2");
  EXPECT_EQ(message_of<ShapeError>([&] {
              decision_plane([](const Tensor&) { return zeros({4}); }, zeros({1, 2}), zeros({1}, i64));
            }),
            "[decision_plane] expected scores (n, C) or (n) of n points, got (4, 1) of 10201");
}

TEST(Histograms, CountEveryValueOnce) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  Histogram h{.title = "weights", .series = {{"a", {0, 0.5, 1, 1, nan}}, {"b", {4}}}, .bins = 4};
  const Bins bins = count_bins(h);
  EXPECT_EQ(bins.borders, (std::vector<double>{0, 1, 2, 3, 4}));
  EXPECT_EQ(bins.counts, (std::vector<std::vector<double>>{{2, 2, 0, 0}, {0, 0, 0, 1}}));
  h.share = true;
  EXPECT_EQ(count_bins(h).counts[0], (std::vector<double>{0.5, 0.5, 0, 0}));
  const std::string several = render_histogram(h);
  EXPECT_EQ(count(several, ">a</text>"), 1U);
  EXPECT_GE(count(several, "<polyline "), 2U);
  h.series.resize(1);
  EXPECT_EQ(count(render_histogram(h), "<polygon "), 1U);
  h.series[0].values = {7, 7};  // no extent
  EXPECT_EQ(count_bins(h).borders, (std::vector<double>{6.5, 6.75, 7, 7.25, 7.5}));
  h.series.clear();
  EXPECT_EQ(render_histogram(h).find("<svg "), 0U);
  h.bins = 0;
  EXPECT_EQ(message_of<ValueError>([&] { count_bins(h); }), "[count_bins] expected at least one bin, got 0");
  h.width = 100;
  EXPECT_THROW(render_histogram(h), ValueError);
}

/// Left edges and widths of the rectangles of a colour.
std::vector<std::pair<double, double>> bars_of(const std::string& svg, std::string_view colour) {
  static const std::regex shape("<rect x=\"([-.0-9]+)\"[^>]* width=\"([-.0-9]+)\"[^>]*>");
  std::vector<std::pair<double, double>> found;
  for (auto i = std::sregex_iterator(svg.begin(), svg.end(), shape); i != std::sregex_iterator(); ++i)
    if (i->str().find(colour) != std::string::npos)
      found.emplace_back(std::stod((*i)[1]), std::stod((*i)[2]));
  return found;
}

TEST(BarPicture, LengthsAreTheValuesFromZeroOn) {
  const std::string svg =
      render_bars({.title = "t & u", .names = {"a", "b", "c"}, .values = {1, -0.5, 0.25}, .decimals = 2});
  const auto above = bars_of(svg, palette::good), below = bars_of(svg, palette::bad);
  ASSERT_EQ(above.size(), 2U);
  ASSERT_EQ(below.size(), 1U);
  EXPECT_NEAR(above[1].second, above[0].second / 4, 0.1);
  EXPECT_NEAR(below[0].second, above[0].second / 2, 0.1);
  EXPECT_NEAR(above[0].first, above[1].first, 0.01);
  EXPECT_NEAR(below[0].first + below[0].second, above[0].first, 0.1);  // they meet at zero
  for (const char* text : {">t &amp; u<", ">a<", ">c<", ">1.00<", ">-0.50<", ">0.25<"})
    EXPECT_NE(svg.find(text), std::string::npos) << text;
}

TEST(BarPicture, IsPossibleForZerosAndLongNamesAndRefusesTheRest) {
  EXPECT_EQ(bars_of(render_bars({.names = {"a"}, .values = {0}}), palette::good).at(0).second, 0);
  const std::string wide(300, 'w');
  EXPECT_EQ(render_bars({.names = {wide}, .values = {1}, .width = 320}).find(wide), std::string::npos);
  const auto refusal = [](const Bars& bars) { return message_of<ValueError>([&] { render_bars(bars); }); };
  EXPECT_EQ(refusal({}),
            "[render_bars] expected as many values as names and at least one, got 0 values for 0 names");
  EXPECT_EQ(refusal({.names = {"a"}, .values = {1, 2}}),
            "[render_bars] expected as many values as names and at least one, got 2 values for 1 names");
  EXPECT_EQ(refusal({.names = {"a"}, .values = {std::numeric_limits<double>::infinity()}}),
            "[render_bars] expected finite values, got others");
  EXPECT_EQ(refusal({.names = {"a"}, .values = {1}, .width = 300}),
            "[render_bars] expected a width of 320 pixels or more, got 300");
}

}  // namespace
}  // namespace cadena::plot
