// The recorded graph as an SVG picture, laid out by layout.hpp.
#include <algorithm>
#include <array>
#include <cmath>

#include "autodiff/inspect/format.hpp"
#include "autodiff/inspect/layout.hpp"
#include "autodiff/inspect/picture.hpp"

namespace cadena {

namespace {

using detail::PictureBox;
using Kind = GraphNode::Kind;
using Role = detail::PictureLine::Role;

constexpr double font_size = 15, line_height = 20, padding = 10;
/// One colour per module, in turn.
constexpr std::array<const char*, 6> module_colours = {"#3b6fb6", "#c9762b", "#4c8f4c",
                                                       "#8a5aa8", "#b0506a", "#3a9096"};

std::string number(double v) { return detail::number_text(std::round(v * 10) / 10, 7); }

/// Width of a letter as a part of the font's size: those of DejaVu Sans, which is among the widest, so that
/// the text fits whichever of the named fonts there is.
double letter_width(unsigned char c) {
  if (c >= 0x80) return (c & 0xC0u) == 0x80u ? 0 : 0.7;  // a code point counts once
  if (std::string_view(" .,:;'|!ijl").find(static_cast<char>(c)) != std::string_view::npos) return 0.34;
  if (std::string_view("()[]-frt/\\").find(static_cast<char>(c)) != std::string_view::npos) return 0.42;
  if (std::string_view("mwMWQO@%").find(static_cast<char>(c)) != std::string_view::npos) return 0.98;
  if (std::string_view("+=<>*^_~").find(static_cast<char>(c)) != std::string_view::npos) return 0.84;
  if (c >= 'A' && c <= 'Z') return 0.74;
  return 0.64;
}

double text_width(const detail::PictureLine& line) {
  double width = 0;
  for (const char c : line.text) width += letter_width(static_cast<unsigned char>(c));
  return width * font_size * (line.role == Role::title ? 1.12 : 1.0);
}

const char* fill(const PictureBox& box) {
  if (box.collapsed) return "#e6eef9";
  return box.kind == Kind::leaf ? "#fdf0c8" : box.kind == Kind::operation ? "#ffffff" : "#ececec";
}

class Drawing {
 public:
  Drawing(const detail::Picture& picture, bool down) : picture_(picture), down_(down) {
    for (const auto& box : picture.boxes) {
      double width = 40;
      for (const auto& line : lines_of(box)) width = std::max(width, text_width(line));
      boxes_.push_back({.width = width + 2 * padding + (box.module >= 0 ? 4.0 : 0.0),
                        .height = static_cast<double>(lines_of(box).size()) * line_height + padding,
                        .input = box.kind != Kind::operation});
    }
    for (const auto& arrow : picture.arrows) arrows_.push_back({arrow.from, arrow.to, {}});
    // Downwards is to the right with x and y exchanged, before and after.
    if (down_) exchange();
    size_ = detail::lay_out(boxes_, arrows_,
                            {.between_layers = down_ ? 34.0 : 52.0, .between_boxes = down_ ? 24.0 : 16.0});
    if (down_) exchange();
  }

  /// How large it can be shown on a slide of 16 by 9.
  double scale() const { return std::min(1600 / size_.width, 900 / size_.height); }

  std::string svg() const {
    const std::string w = number(size_.width), h = number(size_.height);
    std::string out = "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"" + w + "\" height=\"" + h +
                      "\" viewBox=\"0 0 " + w + " " + h +
                      "\" font-family=\"DejaVu Sans, Verdana, Helvetica, Arial, sans-serif\" font-size=\"" +
                      number(font_size) + "\">\n";
    out +=
        "<defs><marker id=\"arrow\" viewBox=\"0 0 10 10\" refX=\"9\" refY=\"5\" markerWidth=\"7\" "
        "markerHeight=\"7\" "
        "orient=\"auto\"><path d=\"M 0 0 L 10 5 L 0 10 z\" fill=\"#555555\"/></marker></defs>\n";
    out += "<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n";
    for (std::size_t a = 0; a < arrows_.size(); ++a) out += arrow(a);
    for (std::size_t b = 0; b < boxes_.size(); ++b) out += box(b);
    return out + "</svg>\n";
  }

 private:
  /// The module's name stands in its boxes, unless the box is the module.
  std::vector<detail::PictureLine> lines_of(const PictureBox& box) const {
    auto lines = box.lines;
    if (box.module >= 0 && !box.collapsed)
      lines.insert(lines.begin(),
                   {picture_.modules[static_cast<std::size_t>(box.module)].path, Role::module});
    return lines;
  }

  std::string colour(const PictureBox& box) const {
    return box.module < 0 ? "#666666"
                          : module_colours[static_cast<std::size_t>(box.module) % module_colours.size()];
  }

  void exchange() {
    for (auto& box : boxes_) std::swap(box.width, box.height), std::swap(box.x, box.y);
    for (auto& arrow : arrows_)
      for (auto& p : arrow.points) std::swap(p.x, p.y);
    std::swap(size_.width, size_.height);
  }

  /// A point of a curve, `bend` further along the direction of the picture.
  std::string point(const detail::LayoutPoint& p, double bend = 0) const {
    return " " + number(p.x + (down_ ? 0 : bend)) + " " + number(p.y + (down_ ? bend : 0));
  }

  std::string arrow(std::size_t a) const {
    const auto& p = arrows_[a].points;
    std::string path = "M" + point(p[0]);
    for (std::size_t i = 0; i + 1 < p.size(); i += 2) {
      if (i > 0) path += " L" + point(p[i]);
      const double length = down_ ? p[i + 1].y - p[i].y : p[i + 1].x - p[i].x,
                   bend = std::max(16.0, length / 2);
      path += " C" + point(p[i], bend) + point(p[i + 1], -bend) + point(p[i + 1]);
    }
    return "<path class=\"arrow\" d=\"" + path + "\" fill=\"none\" stroke=\"#555555\" stroke-width=\"1.4\"" +
           (picture_.arrows[a].needs_grad ? "" : " stroke-dasharray=\"5 4\"") +
           " marker-end=\"url(#arrow)\"/>\n";
  }

  std::string box(std::size_t b) const {
    const PictureBox& box = picture_.boxes[b];
    const auto& place = boxes_[b];
    const double left = place.x - place.width / 2, top = place.y - place.height / 2;
    std::string out = "<rect class=\"box\" x=\"" + number(left) + "\" y=\"" + number(top) + "\" width=\"" +
                      number(place.width) + "\" height=\"" + number(place.height) + "\" rx=\"6\" fill=\"" +
                      fill(box) + "\" stroke=\"" + colour(box) + "\" stroke-width=\"" +
                      (box.output ? "3" : "1.4") + "\"/>\n";
    double y = top + padding / 2 + line_height * 0.72;
    for (const auto& line : lines_of(box)) {
      const std::string style = line.role == Role::title      ? " font-weight=\"bold\""
                                : line.role == Role::gradient ? " fill=\"#b02a2a\""
                                : line.role == Role::module   ? " fill=\"" + colour(box) + "\""
                                                              : "";
      out += "<text x=\"" + number(place.x) + "\" y=\"" + number(y) + "\" text-anchor=\"middle\"" + style +
             ">" + detail::xml_escaped(line.text) + "</text>\n";
      y += line_height;
    }
    return out;
  }

  const detail::Picture& picture_;
  bool down_;
  std::vector<detail::LayoutBox> boxes_;
  std::vector<detail::LayoutArrow> arrows_;
  detail::LayoutSize size_;
};

}  // namespace

std::string to_svg(const Graph& graph, const DrawOptions& options) {
  const auto picture = detail::picture_of(graph, options);
  const Drawing right(picture, false), down(picture, true);
  if (options.direction == Direction::automatic) return (down.scale() > right.scale() ? down : right).svg();
  return (options.direction == Direction::down ? down : right).svg();
}

std::string to_svg(const Tensor& loss, const TensorNames& names, const DrawOptions& options) {
  return to_svg(inspect(loss, names, options.inspect_options()), options);
}

}  // namespace cadena
