// The recorded graph for Graphviz.
#include <array>

#include "autodiff/inspect/picture.hpp"

namespace cadena {

namespace {

using detail::Picture;
using Kind = GraphNode::Kind;
using Role = detail::PictureLine::Role;

std::string quoted(std::string_view s) {
  std::string out = "\"";
  for (const char c : s) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + '"';
}

std::string label(const detail::PictureBox& box) {
  std::string out;
  for (const auto& line : box.lines) {
    const std::string text = detail::xml_escaped(line.text);
    if (!out.empty()) out += "<br/>";
    out += line.role == Role::title      ? "<b>" + text + "</b>"
           : line.role == Role::gradient ? "<font color=\"#b02a2a\">" + text + "</font>"
                                         : text;
  }
  return "<" + out + ">";
}

std::string node_line(std::size_t b, const detail::PictureBox& box, const std::string& indent) {
  const char* fill = box.collapsed                 ? "#dfe8f6"
                     : box.kind == Kind::leaf      ? "#fdf0c8"
                     : box.kind == Kind::operation ? "#ffffff"
                                                   : "#ececec";
  return indent + "n" + std::to_string(b) + " [label=" + label(box) + ", fillcolor=\"" + fill + "\"" +
         (box.output ? ", penwidth=2.5" : "") + "];\n";
}

/// The boxes of a module and, within it, the modules that it encloses. Modules deeper than what is drawn as
/// one box are part of that.
void cluster(const Picture& picture, int module, bool collapse, const std::string& indent, std::string& out) {
  for (std::size_t b = 0; b < picture.boxes.size(); ++b) {
    const auto& box = picture.boxes[b];
    int home = box.module;
    if (collapse && box.collapsed) home = picture.modules[static_cast<std::size_t>(home)].outer;
    if (home == module) out += node_line(b, box, indent);
  }
  for (std::size_t m = 0; m < picture.modules.size(); ++m) {
    if (picture.modules[m].outer != module) continue;
    std::string inner;
    cluster(picture, static_cast<int>(m), collapse, indent + "  ", inner);
    if (inner.empty()) continue;
    const auto& [path, type, outer] = picture.modules[m];
    out += indent + "subgraph cluster_" + std::to_string(m) + " {\n" + indent +
           "  label=" + quoted(type.empty() || type == path ? path : path + " (" + type + ")") + ";\n" +
           inner + indent + "}\n";
  }
}

}  // namespace

std::string to_dot(const Graph& graph, const DrawOptions& options) {
  const Picture picture = detail::picture_of(graph, options);
  std::string out = std::string("digraph cadena {\n  rankdir=") +
                    (options.direction == Direction::down ? "TB" : "LR") +
                    ";\n"
                    "  node [shape=box, style=\"rounded,filled\", fontname=\"Helvetica\", fontsize=12];\n"
                    "  edge [color=\"#555555\"];\n"
                    "  style=rounded; color=\"#999999\"; fontname=\"Helvetica\"; fontsize=12;\n";
  cluster(picture, -1, options.collapse, "  ", out);
  for (const auto& arrow : picture.arrows)
    out += "  n" + std::to_string(arrow.from) + " -> n" + std::to_string(arrow.to) +
           (arrow.needs_grad ? ";\n" : " [style=dashed];\n");
  return out + "}\n";
}

std::string to_dot(const Tensor& loss, const TensorNames& names, const DrawOptions& options) {
  return to_dot(inspect(loss, names, options.inspect_options()), options);
}

}  // namespace cadena
