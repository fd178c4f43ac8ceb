// Looking at what was recorded: the graph as data, as a table of numbers, as a picture.
//
//   Tensor loss = square(tanh(w * x + b) - t);
//   std::cout << explain(loss, {{"w", w}, {"x", x}, {"b", b}, {"t", t}}).text();
//
// Nothing here changes gradients, and all of it walks the graph, so call it before backward() frees that.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <iosfwd>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "autodiff/scope.hpp"
#include "autodiff/symbol.hpp"
#include "autodiff/tensor.hpp"

namespace cadena {

/// While it lives, operations recorded by this thread keep their inputs and their output, which a graph
/// otherwise keeps only where a derivative reads them. For looking at a few passes, not for training.
class Trace {
 public:
  Trace();
  ~Trace();
  Trace(const Trace&) = delete;
  Trace& operator=(const Trace&) = delete;
};

/// Names for tensors: a list in braces, or anything that runs over pairs of a name and a tensor, such as
/// `net.named_parameters()`.
class TensorNames {
 public:
  using Entry = std::pair<std::string, Tensor>;
  TensorNames() = default;
  TensorNames(std::initializer_list<Entry> list) : entries(list) {}
  template <class Pairs>
  requires requires(const Pairs& p) { std::string(p.begin()->first), Tensor(p.begin()->second); }
  TensorNames(const Pairs& pairs) {  // NOLINT(google-explicit-constructor)
    for (const auto& [name, tensor] : pairs) entries.emplace_back(name, tensor);
  }
  TensorNames& add(std::string name, const Tensor& tensor) {
    entries.emplace_back(std::move(name), tensor);
    return *this;
  }

  std::vector<Entry> entries;
};

/// A formula as plain text and for LaTeX's math mode.
struct Formula {
  std::string text, latex;
};

/// An operation's formulas.
struct OpFormula {
  std::string name;
  Formula value;
  /// By argument. One line for all of them where the operation is not elementwise.
  std::vector<Formula> derivatives;
  /// The elementwise ones as trees.
  std::optional<SymbolicOp> symbols;
};

/// The formulas of the operation of that name: those that compute it, read with symbols.
/// `formula_of("tanh").derivatives[0].text` is "1 - y^2".
/// @throws ValueError if the op table has no such operation
OpFormula formula_of(std::string_view name);

/// One argument of an operation.
struct GraphInput {
  std::size_t source = 0;  ///< the node it comes from
  bool needs_grad = false;
  Formula derivative;          ///< of the operation by this argument; empty if not elementwise
  Formula derivative_numbers;  ///< the same with numbers, if all are scalars
  Tensor local;    ///< value of that derivative; undefined if neither elementwise nor of one element
  Tensor product;  ///< what flows back to the source; undefined if nothing does
};

struct GraphNode {
  enum class Kind {
    leaf,       ///< asks for a gradient
    constant,   ///< enters an operation, but needs none
    operation,  //
    omitted     ///< stands for all that is older than what is shown
  };
  Kind kind = Kind::leaf;
  std::string op;      ///< of an operation
  std::string name;    ///< the given one, or v1, v2, ...
  bool named = false;  ///< given by the user
  Shape shape;         ///< of the value, if `shape_known`
  bool shape_known = true;
  DType dtype = f32;
  Tensor value;  ///< undefined where it is not known
  Tensor grad;   ///< upstream gradient: of the output with respect to this node; undefined for zero
  Formula formula, formula_numbers;  ///< of an operation, with the names (the numbers) of its arguments
  Formula call;                      ///< the operation by its name, "tanh(z)"
  Formula rule;                      ///< how its gradient is computed, if not elementwise
  std::vector<GraphInput> inputs;
  int module = -1;  ///< index into Graph::modules
};

/// One use of a part of the program: a NamedScope, a layer.
struct GraphModule {
  std::string path;  ///< "encoder.fc1"
  std::string type;  ///< "Linear"; empty for a plain scope
  int outer = -1;
};

/// What was recorded, oldest first: every source comes before those that use it.
struct Graph {
  std::vector<GraphNode> nodes;
  std::vector<GraphModule> modules;
  std::size_t output = 0;    ///< index of the node that was inspected
  std::int64_t omitted = 0;  ///< operations too old to be shown
};

struct InspectOptions {
  std::int64_t max_nodes = 200;  ///< operations shown, the newest ones
  Tensor seed = {};              ///< cotangent to start from; may be left out for a single element
  int digits = 4;                ///< significant ones, of numbers in formulas
  Language language = Language::en;
};

/// The recorded graph of `loss`: names, formulas, values, gradients and what each operation sends to each of
/// its arguments. Values come from the graph, from the named tensors, and by computing the rest again; a
/// constant that no derivative reads is known only under a Trace. Hooks are not called, no `.grad()` changes.
/// @throws GraphError if loss was not recorded, was freed, has several elements and no seed, or if a value
/// was overwritten since; ValueError for a name given twice or to an undefined tensor
Graph inspect(const Tensor& loss, const TensorNames& names = {}, const InspectOptions& options = {});

struct ExplainOptions {
  std::int64_t max_nodes = 60;    ///< operations shown, the newest ones
  std::int64_t max_elements = 6;  ///< larger tensors are summarised
  int digits = 4;
  Language language = Language::en;
  Tensor seed = {};
};

/// A graph written out: forward values, then backward, operation by operation.
class Explanation {
 public:
  Explanation(Graph graph, ExplainOptions options) : graph_(std::move(graph)), options_(std::move(options)) {}
  const Graph& graph() const { return graph_; }
  /// Aligned plain text (UTF-8).
  std::string text() const;
  /// An align* environment, symbols first, then numbers; needs amsmath.
  std::string latex() const;

 private:
  Graph graph_;
  ExplainOptions options_;
};
std::ostream& operator<<(std::ostream& out, const Explanation& e);

/// @throws as inspect
Explanation explain(const Tensor& loss, const TensorNames& names = {}, const ExplainOptions& options = {});

/// Where the arrows of a picture lead; `automatic` (to_svg only) takes what is larger on a slide.
enum class Direction { automatic, right, down };

struct DrawOptions {
  bool values = true;  ///< of small tensors; the norm of large ones
  bool gradients = true;
  bool collapse = false;  ///< one box per module, where inspect's NamedScopes and layers tell them apart
  std::int64_t max_nodes = 120;   ///< operations shown, the newest ones
  std::int64_t max_elements = 4;  ///< larger tensors show their shape and norm
  Direction direction = Direction::automatic;
  int digits = 4;
  Language language = Language::en;
  Tensor seed = {};

  InspectOptions inspect_options() const {
    return {.max_nodes = max_nodes, .seed = seed, .digits = digits, .language = language};
  }
};

/// A picture for Graphviz: boxes with formula, value and gradient, clusters by module. @throws as inspect
std::string to_dot(const Tensor& loss, const TensorNames& names = {}, const DrawOptions& options = {});
std::string to_dot(const Graph& graph, const DrawOptions& options = {});
/// The same as an SVG picture, laid out here: no Graphviz is needed.
std::string to_svg(const Tensor& loss, const TensorNames& names = {}, const DrawOptions& options = {});
std::string to_svg(const Graph& graph, const DrawOptions& options = {});

struct HtmlOptions {
  std::int64_t max_nodes = 60;       ///< operations shown, the newest ones
  std::int64_t max_elements = 36;    ///< larger tensors are summarised
  int digits = 4;                    ///< significant ones
  Language language = Language::en;  ///< at first; the page has a switch
  Tensor seed = {};
};

/// A page for a browser, to step through forward and backward: the graph, and beside it what happens at the
/// current node in symbols and numbers. One file that loads nothing; arrow keys, buttons, a slider; English
/// and Spanish. `page.html#step=5&language=es` opens it there. @throws as inspect
std::string to_html(const Tensor& loss, const TensorNames& names = {}, const HtmlOptions& options = {});
/// Writes it into a file. @throws as inspect, IoError
void to_html(const Tensor& loss, const std::string& file, const TensorNames& names = {},
             const HtmlOptions& options = {});

}  // namespace cadena
