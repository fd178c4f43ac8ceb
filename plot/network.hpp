#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace cadena::plot {

/// A unit: what stands in its circle, and below it.
struct NetworkUnit {
  std::string label = {};
  std::string note = {};
};

struct NetworkLayer {
  std::string name = {};
  std::vector<NetworkUnit> units = {};
};

/// An arrow from a unit of one layer to a unit of the next, with what stands on it.
struct NetworkLink {
  std::size_t from = 0;
  std::size_t to = 0;
  std::string label = {};
};

/// Layers from left to right. `links[k]` lead from layer k to layer k + 1.
struct NetworkPicture {
  std::string title = {};
  std::string subtitle = {};
  std::vector<NetworkLayer> layers = {};
  std::vector<std::vector<NetworkLink>> links = {};
  double width = 720;  ///< pixels
  double height = 420;
};

/// Every unit of each layer linked to every unit of the next, without labels.
std::vector<std::vector<NetworkLink>> all_links(const std::vector<NetworkLayer>& layers);

/// The network as an SVG document. Throws cadena::ValueError for links to units that are not there and for
/// pictures that are too small.
std::string render_network(const NetworkPicture& picture);

}  // namespace cadena::plot
