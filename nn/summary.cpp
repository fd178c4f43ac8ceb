#include "nn/summary.hpp"

#include <algorithm>
#include <array>
#include <ostream>
#include <unordered_map>

namespace cadena::nn {

namespace {

std::int64_t bytes_of(const Tensor& t) { return t.numel() * static_cast<std::int64_t>(itemsize(t.dtype())); }

std::vector<Shape> shapes_of(const TensorList& tensors) {
  std::vector<Shape> shapes;
  for (auto& t : tensors)
    if (t.defined()) shapes.push_back(t.shape());
  return shapes;
}

/// Adds a call to a row.
void count(SummaryRow& row, const Callable* module, const TensorList& inputs, const TensorList& outputs) {
  row.outputs = shapes_of(outputs);
  ++row.calls;
  if (module) row.macs += module->macs(shapes_of(inputs), row.outputs);
  for (auto& t : outputs)
    if (t.defined()) row.bytes += bytes_of(t);
}

/// Evaluation mode while it lives; afterwards every module is in its former one.
class Evaluating {
 public:
  explicit Evaluating(Module& model) {
    for (auto& [name, m] : model.named_modules()) modes_.emplace_back(m, m->is_training());
    model.eval();
  }
  ~Evaluating() {
    for (auto& [m, training] : modes_) m->train(training);  // outer modules first, so that inner ones prevail
  }
  Evaluating(const Evaluating&) = delete;
  Evaluating& operator=(const Evaluating&) = delete;

 private:
  std::vector<std::pair<Module*, bool>> modes_;
};

/// Hooks that are gone at the end.
class Watching {
 public:
  Watching() = default;
  ~Watching() {
    for (auto& handle : handles_) handle.remove();
  }
  Watching(const Watching&) = delete;
  Watching& operator=(const Watching&) = delete;
  void add(RemovableHandle handle) { handles_.push_back(std::move(handle)); }

 private:
  std::vector<RemovableHandle> handles_;
};

/// The row of the module that a dotted name belongs to.
SummaryRow& owner(const std::unordered_map<std::string, SummaryRow*>& rows, std::string path) {
  while (!rows.contains(path)) {
    const auto dot = path.rfind('.');
    path = dot == path.npos ? "" : path.substr(0, dot);
  }
  return *rows.at(path);
}

std::string grouped(std::int64_t n) {
  auto digits = std::to_string(n);
  for (auto i = static_cast<std::ptrdiff_t>(digits.size()) - 3; i > 0; i -= 3)
    digits.insert(static_cast<std::size_t>(i), ",");
  return digits;
}

std::string described(const std::vector<Shape>& shapes) {
  std::string text;
  for (auto& s : shapes) text += (text.empty() ? "" : " ") + cadena::to_string(s);
  return text.empty() ? "-" : text;
}

using Line = std::array<std::string, 7>;

std::string table(const std::vector<Line>& lines) {
  Line::size_type columns = std::tuple_size_v<Line>;
  std::vector<std::size_t> width(columns);
  for (auto& line : lines)
    for (std::size_t c = 0; c < columns; ++c) width[c] = std::max(width[c], line[c].size());
  std::string text;
  for (auto& line : lines) {
    std::string row;
    for (std::size_t c = 0; c < columns; ++c) {
      const std::string fill(width[c] - line[c].size(), ' ');
      row += (c == 0 ? "" : "  ") + (c < 3 ? line[c] + fill : fill + line[c]);  // names left, numbers right
    }
    text += row + "\n";
  }
  return text;
}

}  // namespace

Summary detail::summarize(Module& model, const std::function<TensorList()>& run) {
  Summary s;
  const auto modules = model.named_modules();
  s.rows.reserve(modules.size());
  std::unordered_map<std::string, SummaryRow*> by_path;
  Watching watching;
  const Evaluating evaluating(model);
  NoGrad no_grad;
  for (auto& [path, m] : modules) {
    auto& row = s.rows.emplace_back(
        SummaryRow{path,
                   m->type_name(),
                   {},
                   0,
                   0,
                   0,
                   0,
                   0,
                   path.empty() ? 0 : 1 + static_cast<int>(std::count(path.begin(), path.end(), '.'))});
    by_path[path] = &row;
    if (auto* callable = dynamic_cast<Callable*>(m))
      watching.add(callable->register_forward_hook(
          [&row, callable](Module&, const TensorList& in, const TensorList& out) {
            count(row, callable, in, out);
          }));
  }
  const auto result = run();
  if (s.rows[0].calls == 0) count(s.rows[0], nullptr, {}, result);

  for (auto& [path, p] : model.named_parameters()) {
    auto& row = owner(by_path, path);
    row.parameters += p.numel();
    if (p.requires_grad()) row.trainable += p.numel();
    s.parameter_bytes += bytes_of(p);
  }
  for (auto& b : model.buffers()) s.buffer_bytes += bytes_of(b);
  for (std::size_t i = 0; i < modules.size(); ++i) {
    s.parameters += s.rows[i].parameters;
    s.trainable += s.rows[i].trainable;
    s.macs += s.rows[i].macs;
    if (modules[i].second->children().empty()) s.output_bytes += s.rows[i].bytes;
  }
  return s;
}

std::string Summary::to_string() const {
  std::vector<Line> lines{{"module", "type", "output", "parameters", "trainable", "MACs", "bytes"}};
  for (auto& r : rows) {
    const auto dot = r.path.rfind('.');
    const auto name = r.path.empty() ? "(model)" : dot == r.path.npos ? r.path : r.path.substr(dot + 1);
    lines.push_back({std::string(static_cast<std::size_t>(2 * r.depth), ' ') + name, r.type,
                     described(r.outputs), grouped(r.parameters), grouped(r.trainable), grouped(r.macs),
                     grouped(r.bytes)});
  }
  lines.push_back(
      {"total", "", "", grouped(parameters), grouped(trainable), grouped(macs), grouped(output_bytes)});
  return table(lines) + "parameters " + grouped(parameter_bytes) + " bytes, buffers " +
         grouped(buffer_bytes) + " bytes\n";
}

std::ostream& operator<<(std::ostream& out, const Summary& summary) { return out << summary.to_string(); }

}  // namespace cadena::nn
