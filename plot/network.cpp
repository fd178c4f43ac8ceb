#include "plot/network.hpp"

#include <algorithm>
#include <cmath>

#include "autodiff/error.hpp"
#include "plot/svg.hpp"

namespace cadena::plot {
namespace {

constexpr double margin = 24;
constexpr double label_size = 15;
constexpr double note_size = 13;
constexpr double note_room = 22;  // below a circle
constexpr double largest_radius = 26;

class Drawing {
 public:
  explicit Drawing(const NetworkPicture& picture)
      : picture_(picture), svg_(picture.width, picture.height, picture.title) {}

  std::string draw() {
    heading();
    place();
    for (std::size_t k = 0; k < picture_.links.size(); ++k)
      for (const NetworkLink& link : picture_.links[k]) arrow(k, link);
    // Labels after all arrows, so that no arrow crosses one.
    for (std::size_t k = 0; k < picture_.links.size(); ++k)
      for (const NetworkLink& link : picture_.links[k]) label(k, link);
    for (std::size_t k = 0; k < picture_.layers.size(); ++k) layer(k);
    return svg_.str();
  }

 private:
  void heading() {
    y_ = margin;
    const double inner = picture_.width - 2 * margin;
    if (!picture_.title.empty())
      svg_.text({margin, (y_ += 17) - 3}, fit_text(picture_.title, inner, 17, true),
                {.size = 17, .bold = true});
    if (!picture_.subtitle.empty())
      svg_.text({margin, (y_ += 20) - 3}, fit_text(picture_.subtitle, inner, 13),
                {.size = 13, .colour = palette::muted});
    y_ += 34;  // for the names of the layers
  }

  /// Layers at equal distances, the units of each around the middle of the height.
  void place() {
    const double bottom = picture_.height - margin;
    const double columns = static_cast<double>(picture_.layers.size());
    std::size_t most = 1;
    for (const NetworkLayer& layer : picture_.layers) most = std::max(most, layer.units.size());
    const double pitch = (bottom - y_) / static_cast<double>(most);
    radius_ = std::min(largest_radius, (pitch - note_room) / 2);
    if (!(radius_ >= 6) || !((picture_.width - 2 * margin) / columns >= 4 * radius_))
      throw ValueError("[render_network] no room for " + std::to_string(most) + " units in a layer and " +
                       std::to_string(picture_.layers.size()) + " layers");
    for (std::size_t k = 0; k < picture_.layers.size(); ++k) {
      const std::size_t n = picture_.layers[k].units.size();
      const double room = (picture_.width - 2 * margin) / columns;
      at_.emplace_back();
      for (std::size_t i = 0; i < n; ++i)
        at_.back().push_back({margin + room * (static_cast<double>(k) + 0.5),
                              (y_ + bottom - note_room) / 2 +
                                  pitch * (static_cast<double>(i) - (static_cast<double>(n) - 1) / 2)});
    }
  }

  struct Ends {
    Point from, to;
  };

  /// From circle to circle.
  Ends ends(std::size_t k, const NetworkLink& link) const {
    if (k + 1 >= at_.size() || link.from >= at_[k].size() || link.to >= at_[k + 1].size())
      throw ValueError("[render_network] a link of layer " + std::to_string(k) + " leads nowhere");
    const Point a = at_[k][link.from], b = at_[k + 1][link.to];
    const double length = std::hypot(b.x - a.x, b.y - a.y);
    const double dx = (b.x - a.x) / length, dy = (b.y - a.y) / length;
    return {{a.x + dx * radius_, a.y + dy * radius_}, {b.x - dx * (radius_ + 2), b.y - dy * (radius_ + 2)}};
  }

  void arrow(std::size_t k, const NetworkLink& link) {
    const auto [from, to] = ends(k, link);
    svg_.arrow(from, to, {palette::axis, 1.5});
  }

  /// At a third of the way, where links that cross have not met yet.
  void label(std::size_t k, const NetworkLink& link) {
    if (link.label.empty()) return;
    const auto [from, to] = ends(k, link);
    const double share = at_[k].size() > 1 ? 0.3 : 0.5;
    const Point at{std::lerp(from.x, to.x, share), std::lerp(from.y, to.y, share)};
    const double width = text_width(link.label, note_size) + 4;
    svg_.rect(at.x - width / 2, at.y - 9, width, 18, palette::ground, 3);
    svg_.text({at.x, at.y + 4.5}, link.label, {.size = note_size, .anchor = Anchor::middle});
  }

  void layer(std::size_t k) {
    const NetworkLayer& layer = picture_.layers[k];
    const double room = (picture_.width - 2 * margin) / static_cast<double>(picture_.layers.size());
    svg_.text({margin + room * (static_cast<double>(k) + 0.5), y_ - 8},
              fit_text(layer.name, room - 6, note_size),
              {.size = note_size, .colour = palette::muted, .anchor = Anchor::middle});
    for (std::size_t i = 0; i < layer.units.size(); ++i) {
      const Point at = at_[k][i];
      svg_.circle(at, radius_, palette::series(k));
      svg_.circle(at, radius_ - 2, palette::ground);
      if (!layer.units[i].label.empty())
        svg_.text({at.x, at.y + 5}, layer.units[i].label,
                  {.size = label_size, .anchor = Anchor::middle, .bold = true});
      if (!layer.units[i].note.empty())
        svg_.text({at.x, at.y + radius_ + 17}, layer.units[i].note,
                  {.size = note_size, .anchor = Anchor::middle});
    }
  }

  const NetworkPicture& picture_;
  Svg svg_;
  double y_ = 0;  // where the units begin
  double radius_ = 0;
  std::vector<std::vector<Point>> at_;
};

}  // namespace

std::vector<std::vector<NetworkLink>> all_links(const std::vector<NetworkLayer>& layers) {
  std::vector<std::vector<NetworkLink>> links;
  for (std::size_t k = 0; k + 1 < layers.size(); ++k) {
    links.emplace_back();
    for (std::size_t i = 0; i < layers[k].units.size(); ++i)
      for (std::size_t j = 0; j < layers[k + 1].units.size(); ++j) links.back().push_back({i, j, ""});
  }
  return links;
}

std::string render_network(const NetworkPicture& picture) { return Drawing(picture).draw(); }

}  // namespace cadena::plot
