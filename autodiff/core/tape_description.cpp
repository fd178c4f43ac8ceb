// What two recordings of a function are compared by.
#include <sstream>

#include "autodiff/core/address_map.hpp"
#include "autodiff/core/node.hpp"
#include "autodiff/core/tape.hpp"
#include "autodiff/kernels/checksum.hpp"

namespace cadena::detail {

namespace {

std::string describe(const Tensor& t) { return to_string(t.shape()) + " " + std::string(name(t.dtype())); }

}  // namespace

/// A line for each step: what is called, and where its operands and results are. Memory is numbered in the
/// order in which it was made, or met.
std::vector<std::string> Tape::description(const TensorList& outputs) const {
  AddressMap<std::string> names;
  const auto number = [&](const Storage* storage, const char* kind, std::size_t i) {
    if (names.find(storage->data) == names.end())
      names.add(storage->data, storage->bytes, kind + std::to_string(i));
  };
  for (std::size_t i = 0; i < inputs_.size(); ++i) number(inputs_[i], "input ", i);
  for (std::size_t i = 0; i < order_.size(); ++i) number(order_[i], "#", i);
  for (std::size_t i = 0; i < foreign_.size(); ++i)
    number(raw_impl(foreign_[i].tensor)->storage.get(), "outside ", i);
  const auto place = [&](const void* data) -> std::string {
    if (!data) return " none";
    const auto piece = names.find(data);
    if (piece == names.end()) return " other";
    const auto offset = names.offset(piece, data);
    return " " + piece->second.about + (offset ? "+" + std::to_string(offset) : "");
  };
  const auto view = [&](const Tensor& t) -> std::string {
    if (!t.defined()) return " undefined";
    const TensorImpl* p = raw_impl(t);
    std::string text = " " + to_string(p->shape);
    if (!p->contiguous)
      for (int d = 0; d < p->strides.rank(); ++d)
        text += (d ? "," : " strides ") + std::to_string(p->strides[d]);
    return text + place(p->data);
  };
  std::vector<std::string> lines;
  std::size_t next = 0;
  const auto loops_until = [&](std::size_t end) {
    for (; next < end; ++next) {
      const LoopCall& c = loops_[next];
      std::ostringstream line;
      line << "elementwise loop " << reinterpret_cast<const void*>(c.loop) << " over " << c.n << " elements"
           << place(c.out);
      for (int i = 0; i < c.operands && c.n > 0; ++i) line << place(c.in[i]);
      if (c.single) line << " with single elements " << c.single;
      lines.push_back(line.str());
    }
  };
  for (const Step& step : steps_) {
    loops_until(step.loops_before);
    std::ostringstream line;
    line << step.name;
    for (const Tensor& held : step.holds) line << view(held);
    if (step.map) {
      line << " " << reinterpret_cast<const void*>(step.map->loop) << " over " << to_string(step.map->shape)
           << place(step.map->out);
      for (int i = 0; i < step.map->operands; ++i)
        line << place(step.map->in[static_cast<std::size_t>(i)].data);
    }
    for (const Result& r : step.results)
      line << (r.defined ? " " + to_string(r.shape) + place(r.data) : " undefined");
    lines.push_back(line.str());
  }
  loops_until(loops_.size());
  for (const Tensor& t : outputs) lines.push_back("output" + view(t));
  std::unordered_map<const Storage*, const void*> first_values;  // those that others may have changed since
  for (const Initial& i : initial_) first_values[i.storage.get()] = i.bytes.data();
  for (const Storage* storage : order_) {
    const auto found = first_values.find(storage);
    if (found == first_values.end() && made_.at(storage).origin != Origin::constant) continue;
    const void* bytes = found == first_values.end() ? storage->data : found->second;
    lines.push_back("constant" + place(storage->data) + " of checksum " +
                    std::to_string(kernels::checksum(bytes, storage->bytes)));
  }
  for (const auto& [tensor, node] : foreign_)
    lines.push_back("tensor of outside " + describe(tensor) + (node ? ", which requires grad" : ""));
  return lines;
}

std::string Tape::difference(const Tape& a, const Tape& b) {
  const auto &was = a.described_, &is = b.described_;
  for (std::size_t i = 0; i < was.size() || i < is.size(); ++i) {
    const std::string before = i < was.size() ? was[i] : "the end", now = i < is.size() ? is[i] : "the end";
    if (before != now) return now + " instead of " + before;
  }
  for (std::size_t i = 0; i < a.foreign_.size(); ++i)
    if (raw_impl(a.foreign_[i].tensor)->data != raw_impl(b.foreign_[i].tensor)->data)
      return "another tensor of outside, " + describe(b.foreign_[i].tensor);
  return {};
}

}  // namespace cadena::detail
