// The recorded graph as data.
#include <algorithm>
#include <map>
#include <memory>
#include <queue>
#include <unordered_map>
#include <unordered_set>

#include "autodiff/core/elementwise.hpp"
#include "autodiff/core/op.hpp"
#include "autodiff/error.hpp"
#include "autodiff/inspect.hpp"
#include "autodiff/inspect/formulas.hpp"
#include "autodiff/ops/arithmetic.hpp"
#include "autodiff/ops/choice.hpp"
#include "autodiff/ops/reduce.hpp"
#include "autodiff/ops/slicing.hpp"

namespace cadena {

using detail::Edge;
using detail::Node;
using detail::raw_impl;
using detail::readable_type;
using detail::RecordedNode;
using detail::written;

namespace {

bool one_value(const Tensor& t) { return t.defined() && t.numel() == 1; }

/// The walk: collects nodes and constants, then values, gradients and formulas.
class Inspection {
 public:
  Inspection(const Tensor& loss, const TensorNames& names, const InspectOptions& options)
      : loss_(loss), names_(names), options_(options), style_{false, options.digits, options.language} {}

  Graph operator()() {
    check();
    select();
    number();
    name();
    evaluate();
    name_the_rest();
    differentiate();
    formulate();
    modules();
    return std::move(graph_);
  }

 private:
  void check() {
    const Node* node = detail::impl(loss_)->node.get();
    if (!node)
      throw GraphError("[inspect] expected a recorded tensor, got a constant of shape " +
                       to_string(loss_.shape()));
    detail::check_overwritten("inspect", detail::impl(loss_));
    if (options_.seed.defined() && !(options_.seed.shape() == loss_.shape()))
      throw ShapeError("[inspect] expected a seed of shape " + to_string(loss_.shape()) + ", got " +
                       to_string(options_.seed.shape()));
    if (options_.seed.defined() && options_.seed.dtype() != loss_.dtype())
      throw DtypeError("[inspect] expected a seed of " + std::string(cadena::name(loss_.dtype())) + ", got " +
                       std::string(cadena::name(options_.seed.dtype())));
    if (!options_.seed.defined() && loss_.numel() != 1)
      throw GraphError("[inspect] expected a seed for a tensor of several elements, got none for shape " +
                       to_string(loss_.shape()));
    if (options_.max_nodes < 1)
      throw ValueError("[inspect] expected max_nodes >= 1, got " + std::to_string(options_.max_nodes));
    std::unordered_set<std::string> seen;
    for (const auto& [name, tensor] : names_.entries) {
      if (!tensor.defined())
        throw ValueError("[inspect] expected defined tensors, got none for \"" + name + "\"");
      if (name.empty() || !seen.insert(name).second)
        throw ValueError("[inspect] expected different names, got \"" + name + "\" " +
                         (name.empty() ? "" : "twice"));
    }
  }

  /// The newest operations and the leaves they use; the rest is counted.
  void select() {
    const auto older = [](const Node* a, const Node* b) { return a->seq < b->seq; };
    std::priority_queue<Node*, std::vector<Node*>, decltype(older)> next(older);
    std::unordered_set<const Node*> seen;
    const auto visit = [&](Node* node) {
      if (node && seen.insert(node).second) next.push(node);
    };
    visit(raw_impl(loss_)->node.get());
    std::int64_t operations = 0;
    while (!next.empty()) {
      Node* node = next.top();
      next.pop();
      if (node->leaf) {
        if (operations == 0) kept_.push_back(node);  // a leaf is inspected
        continue;
      }
      if (node->freed)
        throw GraphError("[inspect] expected a graph that can be walked, got one whose " +
                         std::string(node->name()) + " of shape " + to_string(node->shape) +
                         " was already freed by a backward; inspect it before, or pass retain_graph");
      for (int i = 0; i < node->n_edges; ++i) visit(node->edges[i].get());
      if (++operations <= options_.max_nodes)
        kept_.push_back(node);
      else
        ++graph_.omitted;
    }
    std::unordered_set<const Node*> leaves;
    for (std::size_t k = 0, n = kept_.size(); k < n; ++k)
      for (int i = 0; i < kept_[k]->n_edges; ++i)
        if (Node* input = kept_[k]->edges[i].get(); input && input->leaf && leaves.insert(input).second)
          kept_.push_back(input);
    std::stable_sort(kept_.begin(), kept_.end(), older);
  }

  /// Positions in the graph; constants stand before their first use.
  void number() {
    if (graph_.omitted > 0) {
      GraphNode& node = add(nullptr);
      node.kind = GraphNode::Kind::omitted;
      node.shape_known = false;
    }
    std::unordered_map<const Node*, std::size_t> position;
    std::map<std::pair<const void*, std::string>, std::size_t> constants;
    for (Node* node : kept_) {
      std::vector<GraphInput> inputs;
      for (int i = 0; i < node->n_edges; ++i) {
        GraphInput input;
        if (Node* source = node->edges[i].get()) {
          const auto found = position.find(source);
          input.source = found == position.end() ? 0 : found->second;  // 0: what is omitted
          input.needs_grad = true;
        } else {
          input.source = constant(input_value(node, i), constants);
        }
        inputs.push_back(std::move(input));
      }
      GraphNode& made = add(node);
      made.kind = node->leaf ? GraphNode::Kind::leaf : GraphNode::Kind::operation;
      if (!node->leaf) made.op = node->name();
      made.shape = node->shape;
      made.dtype = node->dtype;
      made.inputs = std::move(inputs);
      position[node] = graph_.nodes.size() - 1;
    }
    graph_.output = position.at(raw_impl(loss_)->node.get());
  }

  GraphNode& add(Node* node) {
    nodes_.push_back(node);
    return graph_.nodes.emplace_back();
  }

  std::size_t constant(const Tensor& value,
                       std::map<std::pair<const void*, std::string>, std::size_t>& known) {
    if (value.defined()) {
      const auto key = std::make_pair(raw_impl(value)->data, to_string(value.shape()));
      const auto [place, fresh] = known.emplace(key, graph_.nodes.size());
      if (!fresh) return place->second;
    }
    GraphNode& node = add(nullptr);
    node.kind = GraphNode::Kind::constant;
    node.shape_known = value.defined();
    if (value.defined()) node.shape = value.shape(), node.dtype = value.dtype(), node.value = value.detach();
    return graph_.nodes.size() - 1;
  }

  /// What a node still holds of its input; undefined if nothing. @throws GraphError if it was overwritten
  static Tensor input_value(Node* node, int i) {
    const auto* recorded = dynamic_cast<RecordedNode*>(node);
    if (!recorded) return {};
    if (i < 3)
      if (const Tensor& t = recorded->input(i); t.defined()) return t.detach();
    return traced(node, static_cast<std::size_t>(i));
  }

  static Tensor traced(const Node* node, std::size_t i) {
    if (!node->extras || !node->extras->traced) return {};
    const auto& kept = *node->extras->traced;
    return kept.values[i].version() == kept.versions[i] ? kept.values[i] : Tensor();
  }

  static Tensor output_value(Node* node) {
    if (auto* recorded = dynamic_cast<RecordedNode*>(node)) {
      if (Tensor y = recorded->output(); y.defined()) return y.detach();
      if (recorded->extras && recorded->extras->traced)
        return traced(node, recorded->extras->traced->values.size() - 1);
    }
    return {};
  }

  void name() {
    std::unordered_set<std::string> taken;
    for (const auto& [name, tensor] : names_.entries) {
      taken.insert(name);
      const Node* node = raw_impl(tensor)->node.get();
      for (std::size_t k = 0; k < nodes_.size(); ++k) {
        GraphNode& made = graph_.nodes[k];
        // A constant is known by its memory: the op may have been given a view.
        const bool hit = node ? nodes_[k] == node
                              : made.kind == GraphNode::Kind::constant && made.value.defined() &&
                                    raw_impl(made.value)->data == raw_impl(tensor)->data &&
                                    made.value.numel() == tensor.numel();
        if (hit && !made.named) made.name = name, made.named = true;
      }
    }
    taken_ = std::move(taken);
  }

  void name_the_rest() {
    int values = 0, leaves = 0, constants = 0;
    const auto unused = [&](const char* letter, int& count) {
      std::string s;
      do s = letter + std::to_string(++count);
      while (taken_.contains(s));
      return s;
    };
    for (std::size_t k = 0; k < graph_.nodes.size(); ++k) {
      GraphNode& node = graph_.nodes[k];
      if (node.named) continue;
      switch (node.kind) {
        case GraphNode::Kind::leaf:
          node.name = unused("p", leaves);
          break;
        case GraphNode::Kind::constant:
          node.name = unused("c", constants);
          break;
        case GraphNode::Kind::operation:
          node.name = k == graph_.output && !taken_.contains("loss") ? "loss" : unused("v", values);
          break;
        case GraphNode::Kind::omitted:
          node.name = "...";
          break;
      }
    }
  }

  void evaluate() {
    // What users of a value have saved is what it was; a named leaf may have changed since.
    for (std::size_t k = 0; k < nodes_.size(); ++k) {
      for (std::size_t i = 0; i < graph_.nodes[k].inputs.size(); ++i) {
        GraphNode& source = graph_.nodes[graph_.nodes[k].inputs[i].source];
        if (source.kind == GraphNode::Kind::omitted || source.value.defined()) continue;
        source.value = input_value(nodes_[k], static_cast<int>(i));
      }
    }
    for (const auto& [name, tensor] : names_.entries)
      for (std::size_t k = 0; k < nodes_.size(); ++k)
        if (nodes_[k] && nodes_[k] == raw_impl(tensor)->node.get() && !graph_.nodes[k].value.defined())
          graph_.nodes[k].value = tensor.detach();
    NoGrad guard;
    for (std::size_t k = 0; k < nodes_.size(); ++k) {
      GraphNode& node = graph_.nodes[k];
      if (node.kind != GraphNode::Kind::operation) continue;
      Tensor known = k == graph_.output ? loss_.detach() : output_value(nodes_[k]);
      if (!known.defined()) known = node.value;
      if (known.defined()) recognise(k, known);
      TensorList inputs;
      for (const auto& input : node.inputs) inputs.push_back(graph_.nodes[input.source].value);
      const bool complete =
          std::all_of(inputs.begin(), inputs.end(), [](const Tensor& t) { return t.defined(); });
      Tensor again = complete ? nodes_[k]->replay(inputs) : Tensor();
      if (known.defined() && again.defined() && !allclose(known, again, 0, 0, true))
        throw GraphError(
            "[inspect] expected leaves and constants unchanged since the forward pass, got a value of " +
            std::string(nodes_[k]->name()) + " that no longer fits them");
      node.value = known.defined() ? known : again;
    }
  }

  /// A constant that the graph did not keep is the named one that gives the known result, bit for bit.
  void recognise(std::size_t k, const Tensor& result) {
    const auto* node = dynamic_cast<detail::ElementwiseNode*>(nodes_[k]);
    TensorList inputs;
    int missing = -1, count = 0;
    for (const auto& input : graph_.nodes[k].inputs) {
      if (!graph_.nodes[input.source].value.defined()) missing = static_cast<int>(inputs.size()), ++count;
      inputs.push_back(graph_.nodes[input.source].value);
    }
    if (!node || count != 1) return;
    const auto place = static_cast<std::size_t>(missing);
    GraphNode& unknown = graph_.nodes[graph_.nodes[k].inputs[place].source];
    if (unknown.kind != GraphNode::Kind::constant) return;
    for (const auto& [name, tensor] : names_.entries) {
      if (raw_impl(tensor)->node || tensor.dtype() != node->dtype) continue;
      inputs[place] = tensor;
      Shape shape;
      try {
        for (const auto& x : inputs) shape = broadcast("inspect", shape, x.shape());
      } catch (const ShapeError&) {
        continue;
      }
      if (!(shape == node->shape) || !allclose(node->replay(inputs), result, 0, 0, true)) continue;
      unknown.value = tensor.detach();
      unknown.shape = tensor.shape();
      unknown.shape_known = unknown.named = true;
      unknown.dtype = tensor.dtype();
      unknown.name = name;
      return;
    }
  }

  void differentiate() {
    NoGrad guard;
    graph_.nodes[graph_.output].grad =
        options_.seed.defined() ? options_.seed.detach() : ones(loss_.shape(), loss_.dtype());
    for (std::size_t k = nodes_.size(); k-- > 0;) {
      GraphNode& node = graph_.nodes[k];
      if (node.kind != GraphNode::Kind::operation) continue;
      const auto n = node.inputs.size();
      const std::unique_ptr<bool[]> need(new bool[n]);
      for (std::size_t i = 0; i < n; ++i) need[i] = node.inputs[i].needs_grad;
      const bool local = dynamic_cast<detail::ElementwiseNode*>(nodes_[k]) || node.shape.numel() == 1;
      if (local) {
        TensorList partial(n);
        const Tensor one = ones(node.shape, node.dtype),
                     shared = one;  // shared, so that no rule writes into it
        nodes_[k]->vjp(one, need.get(), partial.data());
        for (std::size_t i = 0; i < n; ++i)
          if (need[i])
            node.inputs[i].local = partial[i].defined() ? partial[i] : zeros(node.shape, node.dtype);
      }
      if (!node.grad.defined()) continue;
      TensorList products(n);
      const Tensor g = node.grad;
      nodes_[k]->vjp(g, need.get(), products.data());
      for (std::size_t i = 0; i < n; ++i) {
        if (!need[i] || !products[i].defined()) continue;
        GraphInput& input = node.inputs[i];
        input.product = sum_to(products[i], nodes_[k]->edges[i]->shape);
        Tensor& total = graph_.nodes[input.source].grad;
        if (graph_.nodes[input.source].kind == GraphNode::Kind::omitted) continue;
        total = total.defined() ? cadena::add(total, input.product) : input.product;
      }
    }
  }

  void formulate() {
    for (std::size_t k = 0; k < nodes_.size(); ++k) {
      GraphNode& node = graph_.nodes[k];
      if (node.kind != GraphNode::Kind::operation) continue;
      std::vector<Formula> arguments;
      for (const auto& input : node.inputs)
        arguments.push_back(written(symbol(graph_.nodes[input.source]), style_));
      node.call = node.formula = detail::called(node.op, arguments);
      const SymbolicOp symbols = nodes_[k]->symbolic();
      if (detail::readable(symbols))
        formulate(node, symbols);
      else if (const auto* meta = nodes_[k]->meta(); meta && !meta->derivative.empty())
        node.rule = detail::plain(meta->derivative);
    }
  }

  void formulate(GraphNode& node, const SymbolicOp& symbols) {
    Symbol::Substitution names, numbers;
    bool known = one_value(node.value);
    for (std::size_t i = 0; i < node.inputs.size(); ++i) {
      const GraphNode& source = graph_.nodes[node.inputs[i].source];
      names.emplace(symbols.arguments[i], symbol(source));
      known = known && one_value(source.value);
      if (known) numbers.emplace(symbols.arguments[i], Symbol(source.value.item()));
    }
    node.formula = written(symbols.value.substitute(names), style_);
    names.emplace("y", Symbol::variable(node.name));
    if (known) {
      node.formula_numbers = written(symbols.value.insert(numbers), style_);
      numbers.emplace("y", Symbol(node.value.item()));
    }
    for (std::size_t i = 0; i < node.inputs.size(); ++i) {
      if (!node.inputs[i].needs_grad) continue;
      node.inputs[i].derivative = written(symbols.derivatives[i].substitute(names), style_);
      if (known) node.inputs[i].derivative_numbers = written(symbols.derivatives[i].insert(numbers), style_);
    }
  }

  /// A name, or the number itself for unnamed constants.
  static Symbol symbol(const GraphNode& node) {
    if (node.kind == GraphNode::Kind::constant && !node.named && one_value(node.value))
      return node.value.item();
    return Symbol::variable(node.name);
  }

  /// Scopes as far as they are used, outer ones first. A layer that nobody named goes by the common beginning
  /// of its parameters' names, "fc1" for fc1.weight and fc1.bias, else by its class.
  void modules() {
    std::unordered_map<const detail::ScopeInfo*, int> known;
    const auto index = [&](auto&& self, const detail::ScopeInfo* scope) -> int {
      if (!scope) return -1;
      if (const auto found = known.find(scope); found != known.end()) return found->second;
      GraphModule module;
      module.outer = self(self, scope->outer.get());
      module.path = scope->name;
      if (scope->type) module.type = readable_type(*scope->type);
      graph_.modules.push_back(std::move(module));
      return known[scope] = static_cast<int>(graph_.modules.size()) - 1;
    };
    for (std::size_t k = 0; k < nodes_.size(); ++k)
      if (const auto* recorded = dynamic_cast<RecordedNode*>(nodes_[k]))
        graph_.nodes[k].module = index(index, recorded->scope.get());
    const auto prefixes = common_prefixes();
    std::unordered_map<std::string, int> uses;
    for (std::size_t m = 0; m < graph_.modules.size(); ++m) {
      GraphModule& module = graph_.modules[m];
      const std::string outer =
          module.outer < 0 ? "" : graph_.modules[static_cast<std::size_t>(module.outer)].path;
      if (module.path.empty() && !prefixes[m].empty() && prefixes[m] != outer) {
        module.path = prefixes[m];
      } else {
        if (module.path.empty()) module.path = module.type;
        if (!outer.empty()) module.path = outer + "." + module.path;
      }
      // A module that is called again is another node of the picture.
      if (const int n = ++uses[module.path]; n > 1) module.path += " (" + std::to_string(n) + ")";
    }
  }

  /// By module: the dotted beginning that the names of all leaves used in it share.
  std::vector<std::string> common_prefixes() const {
    std::vector<std::string> prefixes(graph_.modules.size());
    std::vector<bool> any(graph_.modules.size());
    for (const auto& node : graph_.nodes) {
      for (const auto& input : node.inputs) {
        const GraphNode& leaf = graph_.nodes[input.source];
        if (leaf.kind != GraphNode::Kind::leaf || !leaf.named) continue;
        const auto dot = leaf.name.rfind('.');
        const std::string prefix = dot == leaf.name.npos ? "" : leaf.name.substr(0, dot);
        for (int m = node.module; m >= 0; m = graph_.modules[static_cast<std::size_t>(m)].outer) {
          const auto at = static_cast<std::size_t>(m);
          prefixes[at] = any[at] ? common(prefixes[at], prefix) : prefix;
          any[at] = true;
        }
      }
    }
    return prefixes;
  }

  static std::string common(const std::string& a, const std::string& b) {
    const auto end =
        static_cast<std::size_t>(std::mismatch(a.begin(), a.end(), b.begin(), b.end()).first - a.begin());
    const bool whole = (end == a.size() || a[end] == '.') && (end == b.size() || b[end] == '.');
    if (whole) return a.substr(0, end);
    const auto dot = a.rfind('.', end);
    return end == 0 || dot == a.npos ? "" : a.substr(0, dot);
  }

  const Tensor& loss_;
  const TensorNames& names_;
  const InspectOptions& options_;
  SymbolStyle style_;
  std::unordered_set<std::string> taken_;
  std::vector<Node*> kept_;
  std::vector<Node*> nodes_;  // by position in the graph; null for constants and what is omitted
  Graph graph_;
};

}  // namespace

Graph inspect(const Tensor& loss, const TensorNames& names, const InspectOptions& options) {
  return Inspection(loss, names, options)();
}

}  // namespace cadena
