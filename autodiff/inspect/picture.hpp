// What a picture of a graph shows, before it is drawn: boxes with lines of text, arrows, modules.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "autodiff/inspect.hpp"

namespace cadena::detail {

struct PictureLine {
  enum class Role { title, module, plain, gradient };
  std::string text;
  Role role = Role::plain;
};

struct PictureBox {
  GraphNode::Kind kind = GraphNode::Kind::operation;
  bool output = false, collapsed = false;
  std::vector<PictureLine> lines;
  int module = -1;  ///< index into Graph::modules
};

struct PictureArrow {
  std::size_t from = 0, to = 0;
  bool needs_grad = true;
};

/// Boxes are in an order in which every arrow leads forward.
struct Picture {
  std::vector<PictureBox> boxes;
  std::vector<PictureArrow> arrows;
  std::vector<GraphModule> modules;
};

Picture picture_of(const Graph& graph, const DrawOptions& options);

/// For XML, and for Graphviz's HTML-like labels.
std::string xml_escaped(std::string_view s);

}  // namespace cadena::detail
