// The recorded graph as a table, and as one would write it on the board.
#include <algorithm>
#include <array>
#include <ostream>

#include "autodiff/inspect.hpp"
#include "autodiff/inspect/format.hpp"

namespace cadena {

namespace {

using Kind = GraphNode::Kind;
using Row = std::vector<std::string>;

/// Columns as wide as they must be; those that are empty in all rows are left out.
std::string table(const Row& head, const std::vector<Row>& rows) {
  std::vector<std::size_t> width(head.size());
  for (const auto& row : rows)
    for (std::size_t c = 0; c < row.size(); ++c) width[c] = std::max(width[c], detail::text_width(row[c]));
  std::string out;
  const auto line = [&](const Row& row) {
    std::string s = "  ";
    for (std::size_t c = 0; c < row.size(); ++c)
      if (width[c] > 0) s += detail::padded_to(row[c], std::max(width[c], detail::text_width(head[c])) + 2);
    out += s.substr(0, s.find_last_not_of(' ') + 1) + "\n";
  };
  line(head);
  for (const auto& row : rows) line(row);
  return out;
}

struct Words {
  const char *forward, *backward, *gradients, *name, *formula, *numbers, *value, *shape, *node, *upstream,
      *to, *local, *product, *gradient, *leaf, *constant, *omitted, *unknown;
};
constexpr Words english{"forward",
                        "backward",
                        "gradients",
                        "name",
                        "formula",
                        "numbers",
                        "value",
                        "shape",
                        "node",
                        "upstream",
                        "to",
                        "local derivative",
                        "product",
                        "gradient",
                        "leaf",
                        "constant",
                        " older operations are not shown",
                        "?: not kept by the graph; name the tensor, or record under a Trace"};
constexpr Words spanish{"hacia delante",
                        "hacia atrás",
                        "gradientes",
                        "nombre",
                        "fórmula",
                        "números",
                        "valor",
                        "forma",
                        "nodo",
                        "recibido",
                        "hacia",
                        "derivada local",
                        "producto",
                        "gradiente",
                        "hoja",
                        "constante",
                        " operaciones anteriores no se muestran",
                        "?: el grafo no lo guarda; dé nombre al tensor o grabe con un Trace"};

class Writer {
 public:
  Writer(const Graph& graph, const ExplainOptions& options)
      : graph_(graph), options_(options), words_(options.language == Language::es ? spanish : english) {}

  std::string text() const {
    std::string out =
        std::string(words_.forward) + "\n" + forward() + "\n" + words_.backward + "\n" + backward();
    return out + "\n" + words_.gradients + "\n" + gradients();
  }

  std::string latex() const {
    std::vector<std::string> lines;
    if (graph_.omitted > 0) lines.push_back("& \\text{" + older() + "}");
    for (const auto& node : graph_.nodes)
      if (node.kind != Kind::omitted) lines.push_back(latex_value(node));
    for (std::size_t k = graph_.nodes.size(); k-- > 0;) {
      const GraphNode& node = graph_.nodes[k];
      if (node.kind == Kind::operation || node.kind == Kind::leaf) lines.push_back(latex_gradient(k));
    }
    std::string out = "\\begin{align*}\n";
    for (std::size_t i = 0; i < lines.size(); ++i)
      out += lines[i] + (i + 1 < lines.size() ? " \\\\\n" : "\n");
    return out + "\\end{align*}\n";
  }

 private:
  std::string value(const Tensor& t) const {
    return detail::tensor_text(t, options_.digits, options_.max_elements, options_.language);
  }
  std::string latex_of(const Tensor& t) const {
    return detail::tensor_latex(t, options_.digits, options_.max_elements, options_.language);
  }
  /// Gradients that nothing flows into are zero.
  std::string gradient(const Tensor& t) const { return t.defined() ? value(t) : "0"; }
  std::string older() const { return std::to_string(graph_.omitted) + words_.omitted; }

  std::string forward() const {
    const bool shapes = std::any_of(graph_.nodes.begin(), graph_.nodes.end(),
                                    [](const GraphNode& n) { return n.shape_known && n.shape.rank() > 0; });
    std::vector<Row> rows;
    for (const auto& node : graph_.nodes) {
      if (node.kind == Kind::omitted) {
        rows.push_back({node.name, older(), "", "", ""});
        continue;
      }
      const std::string formula = node.kind == Kind::leaf       ? words_.leaf
                                  : node.kind == Kind::constant ? words_.constant
                                                                : node.formula.text;
      const std::string& numbers = node.formula_numbers.text;
      const std::string shown = value(node.value);
      rows.push_back({node.name, formula, numbers == shown ? "" : numbers, shown,
                      shapes && node.shape_known ? to_string(node.shape) : ""});
    }
    const bool unknown = std::any_of(graph_.nodes.begin(), graph_.nodes.end(), [](const GraphNode& n) {
      return n.kind != Kind::omitted && !n.value.defined();
    });
    return table({words_.name, words_.formula, words_.numbers, words_.value, words_.shape}, rows) +
           (unknown ? std::string("  ") + words_.unknown + "\n" : "");
  }

  std::string backward() const {
    std::vector<Row> rows;
    for (std::size_t k = graph_.nodes.size(); k-- > 0;) {
      const GraphNode& node = graph_.nodes[k];
      bool first = true;
      for (const auto& input : node.inputs) {
        if (!input.needs_grad) continue;
        const std::string local = input.local.defined() ? value(input.local) : "";
        std::string numbers = input.derivative_numbers.text;
        if (numbers == local || numbers == input.derivative.text) numbers.clear();
        rows.push_back({first ? node.name : "", first ? gradient(node.grad) : "",
                        graph_.nodes[input.source].name,
                        input.derivative.text.empty() && first ? node.rule.text : input.derivative.text,
                        numbers, local, gradient(input.product)});
        first = false;
      }
    }
    return table(
        {words_.node, words_.upstream, words_.to, words_.local, words_.numbers, words_.value, words_.product},
        rows);
  }

  std::string gradients() const {
    std::vector<std::vector<std::string>> terms(graph_.nodes.size());
    for (std::size_t k = graph_.nodes.size(); k-- > 0;)
      for (const auto& input : graph_.nodes[k].inputs)
        if (input.needs_grad) terms[input.source].push_back(gradient(input.product));
    std::vector<Row> rows;
    for (std::size_t k = 0; k < graph_.nodes.size(); ++k) {
      if (graph_.nodes[k].kind != Kind::leaf) continue;
      std::string sum;
      if (terms[k].size() > 1 && graph_.nodes[k].shape.numel() == 1)
        for (const auto& t : terms[k])
          sum += sum.empty() ? t : " + " + (t.front() == '-' ? "(" + t + ")" : t);
      rows.push_back({graph_.nodes[k].name, sum, gradient(graph_.nodes[k].grad)});
    }
    return table({words_.name, words_.numbers, words_.gradient}, rows);
  }

  // ---- LaTeX

  static std::string chain(const std::vector<std::string>& parts) {
    std::string s = parts.front() + " &";
    for (std::size_t i = 1; i < parts.size(); ++i)
      if (i == 1 || parts[i] != parts[i - 1]) s += (i == 1 ? "= " : " = ") + parts[i];
    return s;
  }

  std::string latex_value(const GraphNode& node) const {
    std::vector<std::string> parts = {latex_name(node.name)};
    if (node.kind == Kind::operation) parts.push_back(node.formula.latex);
    if (!node.formula_numbers.latex.empty()) parts.push_back(node.formula_numbers.latex);
    if (node.value.defined() || parts.size() == 1) parts.push_back(latex_of(node.value));
    return chain(parts);
  }

  std::string partial(std::size_t k) const {
    return "\\frac{\\partial " + latex_name(graph_.nodes[graph_.output].name) + "}{\\partial " +
           latex_name(graph_.nodes[k].name) + "}";
  }

  /// A factor, enclosed unless it is a single one.
  static std::string factor(const Formula& f) {
    const bool single = f.text.find_first_of(" -") == f.text.npos;
    return single ? f.latex : "\\left(" + f.latex + "\\right)";
  }

  std::string latex_gradient(std::size_t k) const {
    std::vector<std::string> parts = {partial(k)};
    std::string symbols, numbers;
    bool all = true;
    for (std::size_t user = graph_.nodes.size(); user-- > k;) {
      const GraphNode& node = graph_.nodes[user];
      for (const auto& input : node.inputs) {
        if (!input.needs_grad || input.source != k) continue;
        symbols += (symbols.empty() ? "" : " + ") + latex_term(user, input);
        all = all && !input.derivative_numbers.text.empty() && node.grad.defined();
        if (!all) continue;
        const std::string term = latex_numbers(node, input);
        numbers +=
            numbers.empty() ? term : " + " + (term.front() == '-' ? "\\left(" + term + "\\right)" : term);
      }
    }
    if (!symbols.empty()) parts.push_back(symbols);
    if (!symbols.empty() && all) parts.push_back(numbers);
    parts.push_back(graph_.nodes[k].grad.defined() ? latex_of(graph_.nodes[k].grad) : "0");
    return chain(parts);
  }

  std::string latex_term(std::size_t user, const GraphInput& input) const {
    const std::string upstream = partial(user);
    if (input.derivative.text == "1") return upstream;
    if (!input.derivative.text.empty()) return upstream + " \\cdot " + factor(input.derivative);
    const std::string& rule = graph_.nodes[user].rule.latex;
    return upstream + "\\frac{\\partial " + latex_name(graph_.nodes[user].name) + "}{\\partial " +
           latex_name(graph_.nodes[input.source].name) + "}" + (rule.empty() ? "" : "\\ (" + rule + ")");
  }

  std::string latex_numbers(const GraphNode& node, const GraphInput& input) const {
    const std::string g = latex_of(node.grad);
    if (input.derivative.text == "1") return g;
    return g + " \\cdot " + factor(input.derivative_numbers);
  }

  const Graph& graph_;
  const ExplainOptions& options_;
  const Words& words_;
};

}  // namespace

std::string Explanation::text() const { return Writer(graph_, options_).text(); }
std::string Explanation::latex() const { return Writer(graph_, options_).latex(); }
std::ostream& operator<<(std::ostream& out, const Explanation& e) { return out << e.text(); }

Explanation explain(const Tensor& loss, const TensorNames& names, const ExplainOptions& options) {
  return {inspect(loss, names,
                  {.max_nodes = options.max_nodes,
                   .seed = options.seed,
                   .digits = options.digits,
                   .language = options.language}),
          options};
}

}  // namespace cadena
