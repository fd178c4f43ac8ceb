#include "plot/svg.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "autodiff/error.hpp"
#include "plot/format.hpp"

namespace cadena::plot {
namespace {

/// A coordinate to a hundredth of a pixel without trailing zeros. Half a hundredth goes up whatever the last
/// bit of the value is, so that machines whose compilers contract differently draw the same bytes.
std::string number(double value) {
  if (!std::isfinite(value))
    throw ValueError("[Svg] coordinates must be finite, got " + format_fixed(value, 0));
  std::string text = format_fixed(value + 1e-7, 2);
  text.erase(text.find_last_not_of('0') + 1);
  if (text.back() == '.') text.pop_back();
  return text;
}

std::string attribute(std::string_view name, std::string_view value) {
  std::string text = " ";
  return text.append(name).append("=\"").append(escape_xml(value)).append("\"");
}

std::string attribute(std::string_view name, double value) { return attribute(name, number(value)); }

std::string box(double x, double y, double width, double height) {
  return attribute("x", x) + attribute("y", y) + attribute("width", width) + attribute("height", height);
}

std::string attributes(const Stroke& stroke) {
  std::string text = attribute("fill", "none") + attribute("stroke", stroke.colour) +
                     attribute("stroke-width", stroke.width);
  if (!stroke.dashes.empty()) text += attribute("stroke-dasharray", stroke.dashes);
  return text;
}

std::string coordinates(std::span<const Point> points) {
  std::string list;
  for (const Point& point : points) {
    if (!list.empty()) list += ' ';
    list.append(number(point.x)).append(",").append(number(point.y));
  }
  return list;
}

/// Bytes of the well-formed UTF-8 character at the start of `text`, or 0. Overlong forms, surrogates and what
/// lies beyond U+10FFFF are not well-formed; a single one makes the whole picture unreadable to an XML
/// parser.
std::size_t utf8_length(std::string_view text) {
  const auto byte = [&](std::size_t at) {
    return at < text.size() ? static_cast<unsigned char>(text[at]) : 0U;
  };
  const unsigned lead = byte(0);
  if (lead < 0x80) return 1;
  const std::size_t length = lead >= 0xC2 && lead < 0xE0   ? 2
                             : lead >= 0xE0 && lead < 0xF0 ? 3
                             : lead >= 0xF0 && lead < 0xF5 ? 4
                                                           : 0;
  for (std::size_t at = 1; at < length; ++at) {
    if ((byte(at) & 0xC0U) != 0x80U) return 0;
  }
  const bool overlong = (lead == 0xE0 && byte(1) < 0xA0) || (lead == 0xF0 && byte(1) < 0x90);
  const bool surrogate = lead == 0xED && byte(1) >= 0xA0;
  const bool beyond = lead == 0xF4 && byte(1) >= 0x90;
  const bool noncharacter = lead == 0xEF && byte(1) == 0xBF && byte(2) >= 0xBE;  // U+FFFE and U+FFFF
  return overlong || surrogate || beyond || noncharacter ? 0 : length;
}

double linear_light(double channel) {
  return channel <= 0.04045 ? channel / 12.92 : std::pow((channel + 0.055) / 1.055, 2.4);
}

/// Advance of one character in units of the font size, a little above those of the usual sans-serif fonts.
double advance_of(char c) {
  constexpr std::string_view narrow = "iljtfrI.,:;'|!()[]/- ";
  constexpr std::string_view wide = "mwMW@%";
  if (narrow.find(c) != std::string_view::npos) return 0.40;
  if (wide.find(c) != std::string_view::npos) return 0.95;
  return c >= 'A' && c <= 'Z' ? 0.70 : 0.62;
}

}  // namespace

std::string_view palette::series(std::size_t index) {
  static constexpr std::array<std::string_view, 8> colours{"#0072b2", "#d55e00", "#009e73", "#cc79a7",
                                                           "#e69f00", "#56b4e9", "#333333", "#8c6d31"};
  return colours[index % colours.size()];
}

std::string to_hex(const Rgb& colour) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text = "#";
  for (const double channel : {colour.red, colour.green, colour.blue}) {
    const auto value = static_cast<std::size_t>(std::lround(255 * std::clamp(channel, 0.0, 1.0)));
    text += digits[value / 16];
    text += digits[value % 16];
  }
  return text;
}

Rgb mix(const Rgb& from, const Rgb& to, double share) {
  const double t = std::clamp(share, 0.0, 1.0);
  return {std::lerp(from.red, to.red, t), std::lerp(from.green, to.green, t),
          std::lerp(from.blue, to.blue, t)};
}

std::string_view readable_on(const Rgb& ground) {
  const auto luminance = [](const Rgb& colour) {
    return 0.2126 * linear_light(colour.red) + 0.7152 * linear_light(colour.green) +
           0.0722 * linear_light(colour.blue);
  };
  const double on_ground = luminance(ground) + 0.05;
  const double ink = luminance({0x1f / 255.0, 0x29 / 255.0, 0x33 / 255.0}) + 0.05;  // palette::ink
  return 1.05 / on_ground > on_ground / ink ? "#ffffff" : palette::ink;
}

std::string escape_xml(std::string_view text) {
  std::string result;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = utf8_length(text.substr(at));
    const char c = text[at];
    const bool forbidden = static_cast<unsigned char>(c) < 0x20 && c != '\t' && c != '\n' && c != '\r';
    if (length == 0 || forbidden)
      result += "\xEF\xBF\xBD";
    else if (c == '&')
      result += "&amp;";
    else if (c == '<')
      result += "&lt;";
    else if (c == '>')
      result += "&gt;";
    else if (c == '"')
      result += "&quot;";
    else if (c == '\'')
      result += "&#39;";
    else
      result += text.substr(at, length);
    at += std::max<std::size_t>(length, 1);
  }
  return result;
}

double text_width(std::string_view text, double size, bool bold) {
  double ems = 0;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = std::max<std::size_t>(utf8_length(text.substr(at)), 1);
    // Three bytes and more: mostly East Asian, as wide as high; the others are merely overestimated.
    ems += length == 1 ? advance_of(text[at]) : length == 2 ? 0.65 : 1.0;
    at += length;
  }
  return ems * size * (bold ? 1.08 : 1.0);
}

std::string fit_text(std::string_view text, double width, double size, bool bold) {
  if (text_width(text, size, bold) <= width) return std::string(text);
  int columns = display_columns(text);
  std::string shortened = "…";
  while (columns > 0) {
    shortened = std::string(first_columns(text, --columns)) + "…";
    if (text_width(shortened, size, bold) <= width) break;
  }
  return shortened;
}

Svg::Svg(double width, double height, std::string_view title) {
  if (!(width > 0 && height > 0)) {
    throw ValueError("[Svg] width and height must be positive, got " + format_fixed(width, 0) + " and " +
                     format_fixed(height, 0));
  }
  body_ = "<svg xmlns=\"http://www.w3.org/2000/svg\"" + attribute("width", width) +
          attribute("height", height) + attribute("viewBox", "0 0 " + number(width) + " " + number(height)) +
          attribute("font-family", "Inter, 'Segoe UI', 'Helvetica Neue', Arial, 'DejaVu Sans', sans-serif") +
          " role=\"img\">\n<title>" + escape_xml(title) + "</title>\n";
  rect(0, 0, width, height, palette::ground);
}

void Svg::rect(double x, double y, double width, double height, std::string_view fill, double radius) {
  body_ += "<rect" + box(x, y, width, height) + attribute("fill", fill) +
           (radius > 0 ? attribute("rx", radius) : "") + "/>\n";
}

void Svg::frame(double x, double y, double width, double height, const Stroke& stroke, double radius) {
  const double w = stroke.width;  // SVG centres a stroke on its outline
  body_ += "<rect" + box(x + w / 2, y + w / 2, width - w, height - w) + attributes(stroke) +
           (radius > 0 ? attribute("rx", radius) : "") + "/>\n";
}

void Svg::line(Point from, Point to, const Stroke& stroke) {
  body_ += "<line" + attribute("x1", from.x) + attribute("y1", from.y) + attribute("x2", to.x) +
           attribute("y2", to.y) + attributes(stroke) + "/>\n";
}

void Svg::polyline(std::span<const Point> points, const Stroke& stroke) {
  body_ += "<polyline" + attribute("points", coordinates(points)) + attributes(stroke) +
           " stroke-linejoin=\"round\" stroke-linecap=\"round\"/>\n";
}

void Svg::polygon(std::span<const Point> points, std::string_view fill) {
  body_ += "<polygon" + attribute("points", coordinates(points)) + attribute("fill", fill) + "/>\n";
}

void Svg::area(std::span<const std::vector<Point>> polygons, std::string_view fill) {
  std::string path;
  for (const auto& polygon : polygons) path += "M" + coordinates(polygon) + "Z";
  if (!path.empty()) body_ += "<path" + attribute("d", path) + attribute("fill", fill) + "/>\n";
}

void Svg::arrow(Point from, Point to, const Stroke& stroke) {
  const double length = std::hypot(to.x - from.x, to.y - from.y);
  if (!(length > 0)) return;
  const double head = std::min(5 + 2 * stroke.width, length);
  const double dx = (to.x - from.x) / length * head, dy = (to.y - from.y) / length * head;
  const Point base{to.x - dx, to.y - dy};
  line(from, base, stroke);
  polygon(std::array{to, Point{base.x - dy * 0.4, base.y + dx * 0.4},
                     Point{base.x + dy * 0.4, base.y - dx * 0.4}},
          stroke.colour);
}

void Svg::circle(Point centre, double radius, std::string_view fill) {
  body_ += "<circle" + attribute("cx", centre.x) + attribute("cy", centre.y) + attribute("r", radius) +
           attribute("fill", fill) + "/>\n";
}

void Svg::text(Point at, std::string_view text, const TextStyle& style) {
  static constexpr std::array<std::string_view, 3> anchors{"start", "middle", "end"};
  body_ += "<text" + attribute("x", at.x) + attribute("y", at.y) + attribute("font-size", style.size) +
           attribute("fill", style.colour);
  if (style.anchor != Anchor::start) {
    body_ += attribute("text-anchor", anchors[static_cast<std::size_t>(style.anchor)]);
  }
  if (style.bold) body_ += attribute("font-weight", "600");
  if (style.rotate != 0) {
    body_ += attribute("transform",
                       "rotate(" + number(style.rotate) + " " + number(at.x) + " " + number(at.y) + ")");
  }
  body_.append(">").append(escape_xml(text)).append("</text>\n");
}

void Svg::image(double x, double y, double width, double height, std::string_view data_uri) {
  body_ += "<image" + box(x, y, width, height) + attribute("href", data_uri) +
           " preserveAspectRatio=\"none\" style=\"image-rendering:pixelated\"/>\n";
}

}  // namespace cadena::plot
