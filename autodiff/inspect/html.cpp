// The recorded graph as a page to step through. What the page does stands in page.html; here is its data.
#include <algorithm>
#include <fstream>

#include "autodiff/inspect.hpp"
#include "autodiff/inspect/format.hpp"
#include "autodiff/inspect/layout.hpp"
#include "autodiff/inspect/picture.hpp"

namespace cadena {

namespace {

using Kind = GraphNode::Kind;

/// page.html, as CMake found it.
constexpr std::string_view page =
#include "autodiff/inspect/page.inc"
    ;

constexpr double box_width = 164, box_height = 68;

/// The length of the UTF-8 character at `i`, 0 if there is none.
std::size_t character(std::string_view s, std::size_t i) {
  const auto byte = [s](std::size_t k) { return k < s.size() ? static_cast<unsigned char>(s[k]) : 0u; };
  const unsigned first = byte(i), second = byte(i + 1);
  const auto follows = [&](std::size_t n) {
    for (std::size_t k = 1; k <= n; ++k)
      if ((byte(i + k) & 0xC0u) != 0x80u) return false;
    return true;
  };
  if (first < 0x80) return 1;
  if (first >= 0xC2 && first <= 0xDF) return follows(1) ? 2 : 0;
  // Neither overlong forms, nor surrogates, nor what lies beyond U+10FFFF.
  if (first >= 0xE0 && first <= 0xEF)
    return follows(2) && (first != 0xE0 || second >= 0xA0) && (first != 0xED || second < 0xA0) ? 3 : 0;
  if (first >= 0xF0 && first <= 0xF4)
    return follows(3) && (first != 0xF0 || second >= 0x90) && (first != 0xF4 || second < 0x90) ? 4 : 0;
  return 0;
}

std::string utf8(std::string_view s) {
  std::string out;
  for (std::size_t i = 0; i < s.size();) {
    const auto length = character(s, i);
    out += length == 0 ? "\xEF\xBF\xBD" : s.substr(i, length);
    i += std::max<std::size_t>(length, 1);
  }
  return out;
}

// ---- JSON that may stand inside of an HTML page

std::string json(std::string_view s) {
  std::string out = "\"";
  for (const char c : utf8(s)) {
    const auto code = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\')
      out += '\\', out += c;
    else if (code < 0x20 || c == '<' || c == '>' || c == '&')  // no tag can begin or end in a string
      out += std::string("\\u00") + "0123456789abcdef"[code >> 4] + "0123456789abcdef"[code & 15];
    else
      out += c;
  }
  return out + '"';
}
std::string json(double v) { return detail::number_text(v, 7); }
std::string json(std::size_t v) { return std::to_string(v); }
std::string json(bool v) { return v ? "true" : "false"; }

template <class List, class F>
std::string json_list(const List& list, const F& f) {
  std::string out;
  for (const auto& element : list) out += (out.empty() ? "" : ",") + f(element);
  return "[" + out + "]";
}

struct Member {
  const char* key;
  std::string value;
};
std::string json(std::initializer_list<Member> members) {
  std::string out;
  for (const auto& [key, value] : members)
    out += (out.empty() ? "\"" : ",\"") + std::string(key) + "\":" + value;
  return "{" + out + "}";
}

/// Text that may differ by language.
std::string json(const std::string& en, const std::string& es) {
  if (en.empty()) return "null";
  return en == es ? json(en) : json({{"en", json(en)}, {"es", json(es)}});
}

// ---- The graph

class Page {
 public:
  Page(const Tensor& loss, const TensorNames& names, const HtmlOptions& options) : options_(options) {
    InspectOptions inspected{.max_nodes = options.max_nodes, .seed = options.seed, .digits = options.digits};
    en_ = inspect(loss, names, inspected);
    inspected.language = Language::es;
    es_ = inspect(loss, names, inspected);
  }

  std::string text() const {
    std::string out;
    std::string_view rest = page;
    for (auto open = rest.find("{{"); open != rest.npos; open = rest.find("{{")) {
      const auto close = rest.find("}}", open);
      out += std::string(rest.substr(0, open)) + filled(rest.substr(open + 2, close - open - 2));
      rest.remove_prefix(close + 2);
    }
    return out + std::string(rest);
  }

 private:
  std::string filled(std::string_view field) const {
    if (field == "graph") return graph();
    if (field == "title") return detail::xml_escaped(utf8(en_.nodes[en_.output].name));
    return options_.language == Language::es ? "es" : "en";
  }

  std::string graph() const {
    std::vector<std::string> nodes;
    for (std::size_t k = 0; k < en_.nodes.size(); ++k) nodes.push_back(node(k));
    std::vector<std::string> arrows;
    for (std::size_t k = 0; k < en_.nodes.size(); ++k)
      for (const auto& input : en_.nodes[k].inputs)
        arrows.push_back(
            json({{"from", json(input.source)}, {"to", json(k)}, {"needs", json(input.needs_grad)}}));
    const auto same = [](const std::string& s) { return s; };
    return json({{"output", json(en_.output)},
                 {"omitted", std::to_string(en_.omitted)},
                 {"nodes", json_list(nodes, same)},
                 {"arrows", json_list(arrows, same)},
                 {"box", json({{"width", json(box_width)}, {"height", json(box_height)}})},
                 {"right", layout(false)},
                 {"down", layout(true)}});
  }

  std::string node(std::size_t k) const {
    static constexpr const char* kinds[] = {"leaf", "constant", "operation", "omitted"};
    const GraphNode &en = en_.nodes[k], &es = es_.nodes[k];
    std::vector<std::string> inputs;
    for (std::size_t i = 0; i < en.inputs.size(); ++i) inputs.push_back(input(en.inputs[i], es.inputs[i]));
    const std::string module = en.module < 0 ? "" : en_.modules[static_cast<std::size_t>(en.module)].path;
    return json({{"kind", json(std::string_view(kinds[static_cast<int>(en.kind)]))},
                 {"op", json(en.op)},
                 {"name", json(en.name)},
                 {"module", json(module)},
                 {"value", tensor(en.value)},
                 {"grad", tensor(en.grad)},
                 {"formula", json(en.formula.text, es.formula.text)},
                 {"numbers", json(en.formula_numbers.text, es.formula_numbers.text)},
                 {"rule", json(en.rule.text, es.rule.text)},
                 {"inputs", json_list(inputs, [](const std::string& s) { return s; })}});
  }

  std::string input(const GraphInput& en, const GraphInput& es) const {
    return json({{"source", json(en.source)},
                 {"needs", json(en.needs_grad)},
                 {"derivative", json(en.derivative.text, es.derivative.text)},
                 {"numbers", json(en.derivative_numbers.text, es.derivative_numbers.text)},
                 {"local", tensor(en.local)},
                 {"product", tensor(en.product)}});
  }

  /// All elements, or what is to be said about many.
  std::string tensor(const Tensor& t) const {
    if (!t.defined()) return "null";
    std::vector<std::int64_t> extents;
    for (int axis = 0; axis < t.dim(); ++axis) extents.push_back(t.size(axis));
    const Member shape{"shape", json_list(extents, [](std::int64_t n) { return std::to_string(n); })};
    const auto text = [&](Language language) {
      return detail::tensor_text(t, options_.digits, options_.max_elements, language);
    };
    if (t.numel() > options_.max_elements)
      return json({shape, {"text", json(text(Language::en), text(Language::es))}});
    return json({shape, {"v", json_list(t.to_vector<double>(), [&](double v) {
                           return json(std::string_view(detail::number_text(v, options_.digits)));
                         })}});
  }

  /// Centres of the boxes and ends of the arrows' curves. Downwards is to the right with x and y exchanged.
  std::string layout(bool down) const {
    std::vector<detail::LayoutBox> boxes;
    for (const auto& node : en_.nodes)
      boxes.push_back({.width = down ? box_height : box_width,
                       .height = down ? box_width : box_height,
                       .input = node.kind != Kind::operation});
    std::vector<detail::LayoutArrow> arrows;
    for (std::size_t k = 0; k < en_.nodes.size(); ++k)
      for (const auto& input : en_.nodes[k].inputs) arrows.push_back({input.source, k, {}});
    const auto size =
        detail::lay_out(boxes, arrows, {.between_layers = down ? 40.0 : 56.0, .between_boxes = 18.0});
    const auto place = [down](const auto& p) {
      return "[" + json(down ? p.y : p.x) + "," + json(down ? p.x : p.y) + "]";
    };
    return json({{"width", json(down ? size.height : size.width)},
                 {"height", json(down ? size.width : size.height)},
                 {"places", json_list(boxes, place)},
                 {"points", json_list(arrows, [&](const detail::LayoutArrow& a) {
                    return json_list(a.points, place);
                  })}});
  }

  const HtmlOptions& options_;
  Graph en_, es_;
};

}  // namespace

std::string to_html(const Tensor& loss, const TensorNames& names, const HtmlOptions& options) {
  if (options.max_elements < 1)
    throw ValueError("[to_html] expected max_elements >= 1, got " + std::to_string(options.max_elements));
  return Page(loss, names, options).text();
}

void to_html(const Tensor& loss, const std::string& file, const TensorNames& names,
             const HtmlOptions& options) {
  const std::string text = to_html(loss, names, options);
  std::ofstream out(file, std::ios::binary);
  out << text << std::flush;
  if (!out) throw IoError("[to_html] expected a file that can be written, got " + file);
}

}  // namespace cadena
