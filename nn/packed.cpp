#include "nn/packed.hpp"

#include <algorithm>
#include <string>

#include "autodiff/ops.hpp"

namespace cadena::nn {

PackedSequence pack_padded_sequence(const Tensor& x, const Tensor& lengths, const PackOptions& o) {
  if (x.dim() < 2 || lengths.dim() != 1 || lengths.size(0) != x.size(o.batch_first ? 0 : 1))
    throw ShapeError("[pack_padded_sequence] expected " +
                     std::string(o.batch_first ? "(N, L, ...)" : "(L, N, ...)") + " and lengths (N), got " +
                     to_string(x.shape()) + " and " + to_string(lengths.shape()));
  if (lengths.dtype() != i64)
    throw DtypeError("[pack_padded_sequence] expected i64 lengths, got " +
                     std::string(name(lengths.dtype())));
  const Tensor steps = o.batch_first ? x.transpose(0, 1) : x;
  const Tensor order = argsort(lengths, 0, true);
  const auto sorted = index_select(lengths, 0, order).to_vector<std::int64_t>();
  if (sorted.empty() || sorted.back() < 1 || sorted.front() > steps.size(0))
    throw ValueError("[pack_padded_sequence] expected lengths from 1 to " + std::to_string(steps.size(0)) +
                     (sorted.empty() ? ", got none"
                                     : ", got " + std::to_string(sorted.back()) + " to " +
                                           std::to_string(sorted.front())));
  if (o.enforce_sorted && sorted != lengths.to_vector<std::int64_t>())
    throw ValueError("[pack_padded_sequence] expected lengths that fall, or enforce_sorted = false, got " +
                     lengths.to_string());
  PackedSequence result;
  result.sorted_indices = order;
  result.unsorted_indices = argsort(order);
  const Tensor batch = index_select(steps, 1, order);
  TensorList parts;
  for (std::int64_t t = 0; t < sorted.front(); ++t) {
    const auto longer = std::count_if(sorted.begin(), sorted.end(), [t](auto length) { return length > t; });
    result.batch_sizes.push_back(longer);
    parts.push_back(batch[t].slice(0, {0, longer}));
  }
  result.data = cat(parts, 0);
  return result;
}

PaddedSequence pad_packed_sequence(const PackedSequence& p, const PadOptions& o) {
  const auto longest = static_cast<std::int64_t>(p.batch_sizes.size());
  if (o.total_length != 0 && o.total_length < longest)
    throw ValueError("[pad_packed_sequence] expected a total_length of at least " + std::to_string(longest) +
                     ", got " + std::to_string(o.total_length));
  const auto n = p.batch_sizes.at(0);
  Shape rest = p.data.shape();
  rest.erase(0);
  TensorList steps;
  std::int64_t from = 0;
  std::vector<std::int64_t> lengths(static_cast<std::size_t>(n), 0);
  for (auto size : p.batch_sizes) {
    Shape missing = rest;
    missing.insert(0, n - size);
    steps.push_back(
        cat({p.data.slice(0, {from, from + size}), full(missing, o.padding_value, p.data.dtype())}, 0));
    from += size;
    for (std::int64_t i = 0; i < size; ++i) ++lengths[static_cast<std::size_t>(i)];
  }
  Shape empty_step = rest;
  empty_step.insert(0, n);
  while (static_cast<std::int64_t>(steps.size()) < o.total_length)
    steps.push_back(full(empty_step, o.padding_value, p.data.dtype()));
  const Tensor output = index_select(stack(steps), 1, p.unsorted_indices);
  return {o.batch_first ? output.transpose(0, 1) : output,
          index_select(tensor(lengths), 0, p.unsorted_indices)};
}

Tensor pad_sequence(const TensorList& sequences, bool batch_first, double padding_value) {
  if (sequences.empty()) throw ValueError("[pad_sequence] expected at least one sequence, got none");
  std::int64_t longest = 0;
  for (auto& s : sequences) longest = std::max(longest, s.dim() > 0 ? s.size(0) : 0);
  TensorList padded;
  for (auto& s : sequences) {
    Shape missing = s.shape();
    if (missing.empty()) throw ShapeError("[pad_sequence] expected sequences (L, ...), got ()");
    missing[0] = longest - s.size(0);
    padded.push_back(cat({s, full(missing, padding_value, s.dtype())}, 0));
  }
  return stack(padded, batch_first ? 0 : 1);
}

PackedSequence pack_sequence(const TensorList& sequences, bool enforce_sorted) {
  std::vector<std::int64_t> lengths;
  for (auto& s : sequences) lengths.push_back(s.dim() > 0 ? s.size(0) : 0);
  return pack_padded_sequence(pad_sequence(sequences), tensor(lengths), {.enforce_sorted = enforce_sorted});
}

}  // namespace cadena::nn
