#include "autodiff/inspect/picture.hpp"

#include <algorithm>
#include <cmath>
#include <set>
#include <tuple>

#include "autodiff/inspect/format.hpp"

namespace cadena::detail {

namespace {

using Kind = GraphNode::Kind;
using Role = PictureLine::Role;

class Painter {
 public:
  Painter(const Graph& graph, const DrawOptions& options) : graph_(graph), options_(options) {}

  Picture operator()() {
    picture_.modules = graph_.modules;
    box_of_.assign(graph_.nodes.size(), none);
    start_.resize(graph_.nodes.size());
    if (options_.collapse) collapse();
    for (std::size_t k = 0; k < graph_.nodes.size(); ++k) {
      if (!start_[k].has_group)
        box_of_[k] = node_box(k);
      else if (groups_[start_[k].group].last == k)  // all that it uses has come by now
        group_box(groups_[start_[k].group]);
    }
    arrows();
    return std::move(picture_);
  }

 private:
  static constexpr std::size_t none = ~std::size_t{0};
  struct Place {
    bool has_group = false;
    std::size_t group = 0;
  };
  struct Group {
    int module;
    std::size_t last;  // operation
    std::vector<std::size_t> nodes;
  };

  /// Operations of one module that were recorded one after the other become one box: an arrow leads from an
  /// earlier run to a later one, so the picture has no cycles, whatever the modules call.
  void collapse() {
    const auto n = graph_.nodes.size();
    int last = -1;
    for (std::size_t k = 0; k < n; ++k) {
      const GraphNode& node = graph_.nodes[k];
      if (node.kind != Kind::operation) continue;
      if (node.module >= 0) {
        if (node.module != last) groups_.push_back({node.module, k, {}});
        groups_.back().nodes.push_back(k);
        groups_.back().last = k;
        start_[k] = {true, groups_.size() - 1};
      }
      last = node.module;
    }
    // What only one of them uses lies within, but for inputs of some size.
    std::vector<std::set<std::size_t>> users(n);
    for (std::size_t k = 0; k < n; ++k)
      for (const auto& input : graph_.nodes[k].inputs)
        users[input.source].insert(start_[k].has_group ? start_[k].group : none);
    for (std::size_t k = 0; k < n; ++k) {
      const GraphNode& node = graph_.nodes[k];
      const bool parameter = node.kind == Kind::leaf;
      const bool number =
          node.kind == Kind::constant && !node.named && (!node.shape_known || node.shape.numel() == 1);
      if ((parameter || number) && users[k].size() == 1 && *users[k].begin() != none) {
        start_[k] = {true, *users[k].begin()};
        groups_[start_[k].group].nodes.push_back(k);
      }
    }
  }

  void group_box(const Group& group) {
    const GraphModule& module = graph_.modules[static_cast<std::size_t>(group.module)];
    PictureBox box;
    box.collapsed = true;
    box.module = group.module;
    box.lines.push_back({module.path, Role::title});
    if (!module.type.empty() && module.type != module.path) box.lines.push_back({module.type, Role::module});
    std::int64_t parameters = 0;
    for (const auto k : group.nodes) {
      if (graph_.nodes[k].kind == Kind::leaf) parameters += graph_.nodes[k].shape.numel();
      box_of_[k] = picture_.boxes.size();
      box.output = box.output || k == graph_.output;
    }
    if (parameters > 0)
      box.lines.push_back({std::to_string(parameters) + (es() ? " parámetros" : " parameters"), Role::plain});
    describe(graph_.nodes[group.last], box);
    picture_.boxes.push_back(std::move(box));
  }

  std::size_t node_box(std::size_t k) {
    const GraphNode& node = graph_.nodes[k];
    PictureBox box;
    box.kind = node.kind;
    box.output = k == graph_.output;
    box.module = node.module;
    if (node.kind == Kind::omitted) {
      box.lines.push_back({"...", Role::title});
      box.lines.push_back(
          {std::to_string(graph_.omitted) + (es() ? " operaciones" : " operations"), Role::plain});
    } else {
      const bool number =
          node.kind == Kind::constant && !node.named && node.value.defined() && node.value.numel() == 1;
      if (!number) box.lines.push_back({title(node), Role::title});
      describe(node, box);
    }
    picture_.boxes.push_back(std::move(box));
    return picture_.boxes.size() - 1;
  }

  /// Arithmetic as a formula, functions by their names.
  static std::string title(const GraphNode& node) {
    if (node.kind != Kind::operation) return node.name;
    const bool arithmetic = node.formula.text.find('(') == node.formula.text.npos;
    return node.name + " = " + (arithmetic ? node.formula : node.call).text;
  }

  /// Shape, value and gradient, as asked for.
  void describe(const GraphNode& node, PictureBox& box) const {
    const bool large = node.shape.numel() > options_.max_elements;
    const std::string shape = node.shape_known && node.shape.rank() > 0 ? to_string(node.shape) : "";
    if (options_.values && node.value.defined() && !(large && box.collapsed)) {
      const std::string value = large ? norm(node.value) : text(node.value);
      box.lines.push_back({shape.empty() ? value : shape + "  " + value, Role::plain});
    } else if (!shape.empty()) {
      box.lines.push_back({shape, Role::plain});
    }
    if (options_.gradients && node.kind != Kind::constant)
      box.lines.push_back({std::string("grad ") + (!node.grad.defined() ? "0"
                                                   : large              ? norm(node.grad)
                                                                        : text(node.grad)),
                           Role::gradient});
  }

  std::string text(const Tensor& t) const {
    return tensor_text(t, options_.digits, options_.max_elements, options_.language);
  }
  std::string norm(const Tensor& t) const {
    double squares = 0;
    for (const double v : t.to_vector<double>()) squares += v * v;
    return (es() ? "norma " : "norm ") + number_text(std::sqrt(squares), options_.digits);
  }
  bool es() const { return options_.language == Language::es; }

  void arrows() {
    std::set<std::pair<std::size_t, std::size_t>> known;
    for (std::size_t k = 0; k < graph_.nodes.size(); ++k) {
      for (const auto& input : graph_.nodes[k].inputs) {
        const auto from = box_of_[input.source], to = box_of_[k];
        if (from == to || (options_.collapse && !known.emplace(from, to).second)) continue;
        picture_.arrows.push_back({from, to, input.needs_grad});
      }
    }
  }

  const Graph& graph_;
  const DrawOptions& options_;
  std::vector<std::size_t> box_of_;
  std::vector<Place> start_;
  std::vector<Group> groups_;
  Picture picture_;
};

}  // namespace

Picture picture_of(const Graph& graph, const DrawOptions& options) { return Painter(graph, options)(); }

std::string xml_escaped(std::string_view s) {
  std::string out;
  for (const char c : s) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        // Control characters have no place in XML, not even escaped.
        out += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
    }
  }
  return out;
}

}  // namespace cadena::detail
