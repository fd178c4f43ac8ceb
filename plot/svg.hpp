#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace cadena::plot {

/// The colours that all pictures share: dark text on a light ground, and series colours (Okabe and Ito's)
/// that people with any kind of colour blindness can tell apart.
namespace palette {
inline constexpr std::string_view ground = "#ffffff";
inline constexpr std::string_view ink = "#1f2933";
inline constexpr std::string_view muted = "#5a6672";
inline constexpr std::string_view grid = "#e6e9ed";
inline constexpr std::string_view axis = "#9aa5b1";
inline constexpr std::string_view good = "#0072b2";
inline constexpr std::string_view bad = "#d55e00";
/// Distinct for eight series, then from the start again.
std::string_view series(std::size_t index);
}  // namespace palette

struct Rgb {
  double red = 0, green = 0, blue = 0;  ///< each in [0, 1], sRGB
};

/// "#rrggbb".
std::string to_hex(const Rgb& colour);

/// `from` at 0, `to` at 1; `share` is clamped.
Rgb mix(const Rgb& from, const Rgb& to, double share);

/// Near-black or white, whichever contrasts more with `ground` by the WCAG formula.
std::string_view readable_on(const Rgb& ground);

/// Text fit for XML content and attributes: & < > " ' become entities, control characters that XML forbids
/// and bytes that are not UTF-8 become U+FFFD.
std::string escape_xml(std::string_view text);

/// Pixels that `text` takes at `size` pixels in a sans-serif font, on the safe side: the viewer chooses the
/// font.
double text_width(std::string_view text, double size, bool bold = false);

/// `text`, or as much of its beginning as fits in `width` pixels with an ellipsis behind.
std::string fit_text(std::string_view text, double width, double size, bool bold = false);

struct Point {
  double x = 0, y = 0;
};

struct Stroke {
  std::string_view colour = palette::ink;
  double width = 1;
  std::string_view dashes = {};  ///< as stroke-dasharray, e.g. "6 4"; solid when empty
};

enum class Anchor { start, middle, end };

struct TextStyle {
  double size = 13;  ///< pixels
  std::string_view colour = palette::ink;
  Anchor anchor = Anchor::start;
  bool bold = false;
  double rotate = 0;  ///< degrees, clockwise, around the anchor
};

/// An SVG picture under construction, in pixels from the top left corner. Coordinates that are not finite
/// throw cadena::ValueError: a viewer would drop the shape without a word.
class Svg {
 public:
  /// `title` is what a screen reader or a tooltip says; `width` and `height` are in pixels and positive.
  Svg(double width, double height, std::string_view title);

  void rect(double x, double y, double width, double height, std::string_view fill, double radius = 0);
  /// Only the outline, which lies inside the given rectangle.
  void frame(double x, double y, double width, double height, const Stroke& stroke, double radius = 0);
  void line(Point from, Point to, const Stroke& stroke);
  void polyline(std::span<const Point> points, const Stroke& stroke);
  void polygon(std::span<const Point> points, std::string_view fill);
  /// Polygons filled as one shape, so that no seam shows where two of them meet.
  void area(std::span<const std::vector<Point>> polygons, std::string_view fill);
  void circle(Point centre, double radius, std::string_view fill);
  /// A line with a filled head whose tip is at `to`.
  void arrow(Point from, Point to, const Stroke& stroke);
  /// `at` is on the baseline, at the end that the style's anchor names.
  void text(Point at, std::string_view text, const TextStyle& style = {});
  /// A raster image whose pixels stay sharp squares when it is enlarged.
  void image(double x, double y, double width, double height, std::string_view data_uri);

  /// The whole document.
  std::string str() const { return body_ + "</svg>\n"; }

 private:
  std::string body_;
};

}  // namespace cadena::plot
