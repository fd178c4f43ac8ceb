// Rows of a table by their numbers, alone or in bags.
#include "autodiff/ops/embedding.hpp"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "autodiff/core/op.hpp"
#include "autodiff/core/table.hpp"
#include "autodiff/core/tape.hpp"
#include "autodiff/core/typed.hpp"
#include "autodiff/error.hpp"
#include "autodiff/kernels/embedding.hpp"
#include "autodiff/kernels/index.hpp"
#include "autodiff/ops/arithmetic.hpp"
#include "autodiff/ops/choice.hpp"
#include "autodiff/ops/index.hpp"
#include "autodiff/ops/movement.hpp"
#include "autodiff/ops/reduce.hpp"
#include "autodiff/ops/search.hpp"
#include "autodiff/ops/statistics.hpp"

namespace cadena {
namespace detail {
namespace {

Tensor column(const Tensor& vector) { return unsqueeze(vector, 1); }

/// Rows of a table (V, D) by a vector of valid numbers, and what becomes of their gradients. Forward mode
/// follows the gradients: a row that gets none is a constant.
struct RowUse {
  Constant index;
  Tensor kept = {};   ///< bool (n): which uses pass their gradient on; undefined: all
  Tensor share = {};  ///< (n): which part of it; undefined: all of it

  Tensor passed(const Tensor& rows) const {
    const Tensor some = kept.defined() ? where(column(kept), rows, 0) : rows;
    return share.defined() ? mul(some, column(share)) : some;
  }
};

/// (n, D)
struct Embedding : RowUse {
  static constexpr Meta meta{.name = "embedding",
                             .formula = "weight[indices]",
                             .derivative = "dW = G added to the rows that were read",
                             .conventions = "the row padding_idx is a constant"};

  Tensor eval(const Tensor& weight) const {
    const Tensor& i = index.get(meta.name);
    const Tensor out = fresh({i.numel(), weight.size(1)}, weight.dtype());
    if (kernels::index_select(view_of(weight), 0, view_of(i), view_of(out)))
      throw IndexError("[embedding] expected checked indices");
    return out;
  }
  void vjp(const Saved& s, const Tensor& g, Tensor* gin) const {
    if (s.needs(0)) gin[0] = index_add(zeros(s.shape(0), g.dtype()), 0, index.get(meta.name), passed(g));
  }
  Tensor jvp(const Saved&, const Tensor* t) const { return passed(apply(*this, t[0])); }
};

/// Sums of rows: weight (V, D) [, a factor for each entry (n)] -> (bags, D)
struct EmbeddingBag : RowUse {
  static constexpr Meta meta{.name = "embedding_bag",
                             .reads = {X2, X1},
                             .formula = "sum, mean or max of weight[indices] in bags",
                             .derivative = "dW = G of each bag added to the rows it read",
                             .conventions = "an empty bag gives 0; padding_idx is left out"};
  Tensor first = {};  ///< (bags + 1)

  Tensor eval(std::span<const Tensor> in) const {
    const Tensor table = contiguous(in[0]), factors = in.size() > 1 ? contiguous(in[1]) : Tensor();
    const Tensor out = fresh({first.numel() - 1, table.size(1)}, table.dtype());
    in_type(table.dtype(), [&]<class T>(T) {
      kernels::sum_bags<T>(entries<T>(table), data_or_null<T>(factors), written<T>(out));
    });
    return out;
  }
  void vjp(const Saved& s, const Tensor& g, Tensor* gin) const {
    const Tensor rows = index_select(g, 0, bag_of_entries());
    if (s.needs(0)) {
      const Tensor scaled = s.count() > 1 ? mul(rows, column(s.x(1))) : rows;
      gin[0] = index_add(zeros(s.shape(0), g.dtype()), 0, index.get(meta.name), passed(scaled));
    }
    if (s.count() > 1 && s.needs(1))
      gin[1] = sum(mul(rows, index_select(s.x(0), 0, index.get(meta.name))), 1);
  }
  Tensor jvp(const Saved& s, const Tensor* t) const {
    Tensor out;
    if (t[0].defined()) {
      Tensor factors = s.count() > 1 ? s.x(1) : share;
      if (s.count() > 1 && share.defined()) factors = mul(factors, share);
      out = factors.defined() ? call({t[0], factors}) : call({t[0]});
    }
    if (s.count() < 2 || !t[1].defined()) return out;
    const Tensor by_factors = call({s.x(0), t[1]});
    return out.defined() ? add(out, by_factors) : by_factors;
  }
  Tensor call(const TensorList& in) const { return apply_list(*this, in); }
  /// The largest row of each bag for each column, (bags, D), -1 for empty bags; contiguous `table`.
  Tensor argmax(const Tensor& table) const {
    const Tensor rows = fresh({first.numel() - 1, table.size(1)}, i64);
    in_type(table.dtype(),
            [&]<class T>(T) { kernels::argmax_bags<T>(entries<T>(table), written<std::int64_t>(rows)); });
    return rows;
  }

 private:
  /// (n)
  Tensor bag_of_entries() const {
    const Tensor bags = fresh({index.get(meta.name).numel()}, i64);
    auto* to = written<std::int64_t>(bags);
    const auto* begin = first.data<std::int64_t>();
    for (std::int64_t b = 0; b + 1 < first.numel(); ++b) std::fill(to + begin[b], to + begin[b + 1], b);
    return bags;
  }
  template <class T>
  kernels::Bags<T> entries(const Tensor& table) const {
    return {first.numel() - 1, first.data<std::int64_t>(), index.get(meta.name).data<std::int64_t>(),
            table.data<T>(), table.size(1)};
  }
};

void check_table(const std::string& op, const Tensor& indices, const Tensor& weight) {
  if (indices.dtype() != i64)
    throw DtypeError("[" + op + "] expected i64 indices, got " + std::string(name(indices.dtype())));
  if (!is_floating(weight.dtype()))
    throw DtypeError("[" + op + "] expected a weight of f32 or f64, got " +
                     std::string(name(weight.dtype())));
  if (weight.dim() != 2)
    throw ShapeError("[" + op + "] expected weight (V, D), got " + to_string(weight.shape()));
}

/// @param indices contiguous
void check_indices(const std::string& op, const Tensor& indices, std::int64_t rows) {
  if (on_tape()) [[unlikely]]
    return tape->act(op, [=] { check_indices(op, indices, rows); });
  if (!kernels::find_bad_index(view_of(indices), rows)) return;
  const auto* i = indices.data<std::int64_t>();
  const auto* bad =
      std::find_if(i, i + indices.numel(), [rows](std::int64_t v) { return v < 0 || v >= rows; });
  Dims at = indices.shape();
  for (std::int64_t d = at.rank() - 1, rest = bad - i; d >= 0; --d) {
    const auto axis = static_cast<int>(d);
    at[axis] = rest % indices.shape()[axis];
    rest /= indices.shape()[axis];
  }
  throw IndexError("[" + op + "] expected indices in [0, " + std::to_string(rows) + "), got " +
                   std::to_string(*bad) + " at " + to_string(at));
}

std::optional<std::int64_t> padding_row(const std::string& op, std::optional<std::int64_t> padding,
                                        std::int64_t rows) {
  if (padding && (*padding < -rows || *padding >= rows))
    throw IndexError("[" + op + "] expected padding_idx in [" + std::to_string(-rows) + ", " +
                     std::to_string(rows) + "), got " + std::to_string(*padding));
  return padding && *padding < 0 ? *padding + rows : padding;
}

/// Shortens the rows that are used. @param used valid
void shorten_rows(const std::string& op, const Tensor& weight, const Tensor& used, double max_norm,
                  double ord) {
  if (!(max_norm >= 0))
    throw ValueError("[" + op + "] expected max_norm >= 0, got " + std::to_string(max_norm));
  NoGrad guard;
  const Tensor index = unique(used).values, rows = index_select(weight, 0, index);
  const Tensor size = norm(rows, ord, 1, true);
  Tensor table = weight;
  table.index_put_({index}, where(gt(size, max_norm), mul(rows, div(max_norm, add(size, 1e-7))), rows));
}

/// 1 / how often each use's row is used.
Tensor shares(const Tensor& used, DType dtype) {
  const Unique u = unique(used);
  return div(ones({}, dtype), to(index_select(u.counts, 0, u.inverse), dtype));
}

/// Where each bag begins, and the end of the last one.
std::vector<std::int64_t> bag_bounds(const Tensor& indices, const Tensor& offsets, bool include_last) {
  const auto prefix = [] { return std::string("[embedding_bag] expected "); };
  std::vector<std::int64_t> bounds;
  if (indices.dim() == 2) {
    if (offsets.defined())
      throw ValueError(prefix() + "no offsets beside indices (B, N), got offsets " +
                       to_string(offsets.shape()));
    for (std::int64_t b = 0; b <= indices.size(0); ++b) bounds.push_back(b * indices.size(1));
    return bounds;
  }
  if (indices.dim() != 1)
    throw ShapeError(prefix() + "indices (B, N) or (n), got " + to_string(indices.shape()));
  if (!offsets.defined()) throw ValueError(prefix() + "offsets beside indices (n), got none");
  if (offsets.dtype() != i64)
    throw DtypeError(prefix() + "i64 offsets, got " + std::string(name(offsets.dtype())));
  if (offsets.dim() != 1 || (include_last && offsets.numel() == 0))
    throw ShapeError(prefix() + "offsets (B)" + (include_last ? " with the last end" : "") + ", got " +
                     to_string(offsets.shape()));
  bounds = offsets.to_vector<std::int64_t>();
  if (!include_last) bounds.push_back(indices.numel());
  for (std::size_t b = 0; b < bounds.size(); ++b) {
    const std::int64_t least = b == 0 ? 0 : bounds[b - 1], most = b == 0 ? 0 : indices.numel();
    if (bounds[b] < least || bounds[b] > most)
      throw ValueError(prefix() + "offsets that ascend from 0 to at most " + std::to_string(indices.numel()) +
                       ", got " + std::to_string(bounds[b]) + " at (" + std::to_string(b) + ",)");
  }
  return bounds;
}

/// A call without what is left out of it.
struct BagCall {
  EmbeddingBag op;
  Tensor entries;  ///< positions in the flattened indices; undefined: all of them
  Tensor counts;   ///< of each bag

  BagCall(const Tensor& at, const std::vector<std::int64_t>& bounds, std::optional<std::int64_t> padding) {
    const auto* i = at.data<std::int64_t>();
    std::vector<std::int64_t> index, first = bounds, entry, count;
    const bool all = !padding && bounds.back() == at.numel();
    for (std::size_t b = 0; b + 1 < bounds.size(); ++b) {
      for (std::int64_t e = bounds[b]; !all && e < bounds[b + 1]; ++e)
        if (i[e] != padding) index.push_back(i[e]), entry.push_back(e);
      if (!all) first[b + 1] = static_cast<std::int64_t>(index.size());
      count.push_back(first[b + 1] - first[b]);
    }
    op.index = Constant(all ? reshape(at, {at.numel()}) : tensor(index));
    op.first = tensor(first), counts = tensor(count);
    if (!all) entries = tensor(entry);
  }
  Tensor largest(const Tensor& weight) const {
    const Tensor rows = op.argmax(contiguous(weight.detach())), empty = lt(rows, 0);
    return where(empty, 0, gather(weight, 0, where(empty, 0, rows)));
  }
};

void check_bag_options(const Tensor& indices, const EmbeddingBagOptions& o) {
  const auto prefix = [] { return std::string("[embedding_bag] expected "); };
  const Tensor& w = o.per_sample_weights;
  if (w.defined() && o.mode != BagMode::sum)
    throw ValueError(prefix() + "per_sample_weights with mode sum only, got another mode");
  if (w.defined() && !(w.shape() == indices.shape()))
    throw ShapeError(prefix() + "per_sample_weights of the indices' shape " + to_string(indices.shape()) +
                     ", got " + to_string(w.shape()));
  if (w.defined() && !is_floating(w.dtype()))
    throw DtypeError(prefix() + "per_sample_weights of f32 or f64, got " + std::string(name(w.dtype())));
  if (o.scale_grad_by_freq && o.mode == BagMode::max)
    throw ValueError(prefix() + "scale_grad_by_freq with mode sum or mean, got max");
}

std::vector<Sample> embedding_samples(Sampler& s) {
  std::vector<Sample> list;
  const std::pair<Shape, Shape> shapes[] = {{{4, 2}, {3}},       {{3, 2}, {}},  {{5, 3}, {2, 4}},
                                            {{2, 1}, {2, 1, 3}}, {{4, 2}, {0}}, {{0, 2}, {0}},
                                            {{3, 0}, {2}},       {{7, 5}, {6}}};
  for (const auto& [table, indices] : shapes) {
    const Tensor index = s.index(indices, std::max<std::int64_t>(table[0], 1));
    list.push_back({to_string(table) + " " + to_string(indices),
                    {s.draw(table)},
                    [index](const TensorList& x) { return embedding(index, x[0]); }});
  }
  return list;
}

std::vector<Sample> embedding_bag_samples(Sampler& s) {
  std::vector<Sample> list;
  const auto add = [&](const char* label, const TensorList& inputs, const Tensor& index,
                       const Tensor& offsets, const EmbeddingBagOptions& o) {
    list.push_back({label, inputs, [=](const TensorList& x) {
                      EmbeddingBagOptions options = o;
                      if (x.size() > 1) options.per_sample_weights = x[1];
                      return embedding_bag(index, x[0], offsets, options);
                    }});
  };
  const Tensor pairs = s.index({3, 2}, 4), line = s.index({7}, 5), offsets = tensor({0, 2, 2, 5});
  add("factors", {s.draw({4, 2}), s.draw({3, 2})}, pairs, {}, {.mode = BagMode::sum});
  add("factors, offsets", {s.draw({5, 2}), s.draw({7})}, line, offsets,
      {.mode = BagMode::sum, .include_last_offset = true});
  add("factors, padding", {s.draw({2, 2}), s.draw({3, 2})}, tensor({{0, 1}, {1, 1}, {0, 0}}), {},
      {.mode = BagMode::sum, .padding_idx = 1});
  add("one row", {s.draw({2, 1}), s.draw({2, 1})}, tensor({{1}, {0}}), {}, {.mode = BagMode::sum});
  add("sum", {s.draw({4, 2})}, pairs, {}, {.mode = BagMode::sum});
  add("mean", {s.draw({4, 2})}, pairs, {}, {});
  add("mean, offsets, padding", {s.draw({5, 3})}, line, offsets, {.padding_idx = -2});
  add("max", {s.distinct({4, 2})}, pairs, {}, {.mode = BagMode::max});
  add("max, offsets", {s.distinct({5, 3})}, line, offsets, {.mode = BagMode::max});
  add("no bags", {s.draw({4, 2})}, pairs.slice(0, {0, 0}), {}, {.mode = BagMode::max});
  add("empty bags", {s.draw({4, 2})}, pairs.slice(1, {0, 0}), {}, {.mode = BagMode::mean});
  return list;
}

}  // namespace

OpList embedding_ops() {
  const auto table = [](std::int64_t n) { return Shape{std::max<std::int64_t>(n / 256, 1), 256}; };
  return {{Embedding::meta, "index", embedding_samples,
           [=](Sampler& s, std::int64_t n) {
             const Tensor index = s.index({table(n)[0]}, table(n)[0]);
             return Sample{"rows of 256", {s.draw(table(n))}, [index](const TensorList& x) {
                             return embedding(index, x[0]);
                           }};
           }},
          {EmbeddingBag::meta, "index", embedding_bag_samples, [=](Sampler& s, std::int64_t n) {
             const Tensor index = s.index({table(n)[0], 4}, table(n)[0]);
             return Sample{"4 rows of 256 to a bag",
                           {s.draw(table(n)), s.draw(index.shape())},
                           [index](const TensorList& x) {
                             return embedding_bag(index, x[0], {},
                                                  {.mode = BagMode::sum, .per_sample_weights = x[1]});
                           }};
           }}};
}

}  // namespace detail

Tensor embedding(const Tensor& indices, const Tensor& weight, const EmbeddingOptions& o) {
  detail::check_table("embedding", indices, weight);
  const std::int64_t rows = weight.size(0);
  const auto padding = detail::padding_row("embedding", o.padding_idx, rows);
  const Tensor at = contiguous(indices.detach());
  detail::check_indices("embedding", at, rows);
  const Tensor used = reshape(at, {at.numel()});
  if (o.max_norm) detail::shorten_rows("embedding", weight, used, *o.max_norm, o.norm_type);
  detail::Embedding op{{detail::Constant(used)}};
  if (padding) op.kept = ne(used, *padding);
  if (o.scale_grad_by_freq) op.share = detail::shares(used, weight.dtype());
  Shape shape = indices.shape();
  shape.push_back(weight.size(1));
  checked_numel("embedding", shape, itemsize(weight.dtype()));
  return reshape(detail::apply(std::move(op), weight), shape);
}

Tensor embedding_bag(const Tensor& indices, const Tensor& weight, const Tensor& offsets,
                     const EmbeddingBagOptions& o) {
  detail::check_table("embedding_bag", indices, weight);
  const std::int64_t rows = weight.size(0);
  const auto padding = detail::padding_row("embedding_bag", o.padding_idx, rows);
  const auto bounds = detail::bag_bounds(indices, offsets, o.include_last_offset);
  detail::check_bag_options(indices, o);
  const Tensor at = contiguous(indices.detach());
  detail::check_indices("embedding_bag", at, rows);
  if (o.max_norm)
    detail::shorten_rows("embedding_bag", weight, reshape(at, {at.numel()}), *o.max_norm, o.norm_type);
  detail::BagCall call(at, bounds, padding);
  if (o.mode == BagMode::max && call.op.index.get("embedding_bag").numel() > 0) return call.largest(weight);
  if (o.scale_grad_by_freq)
    call.op.share = detail::shares(call.op.index.get("embedding_bag"), weight.dtype());
  TensorList inputs{weight};
  if (o.per_sample_weights.defined()) {
    const Tensor factors = reshape(to(o.per_sample_weights, weight.dtype()), {indices.numel()});
    inputs.push_back(call.entries.defined() ? index_select(factors, 0, call.entries) : factors);
  }
  const Tensor counts = call.counts;
  const Tensor sums = call.op.call(inputs);
  return o.mode == BagMode::mean ? div(sums, detail::column(to(maximum(counts, 1), weight.dtype()))) : sums;
}

}  // namespace cadena
