// Attention: one fused op, whose kernel never holds all scores.
#include "autodiff/ops/attention.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <string>

#include "autodiff/core/op.hpp"
#include "autodiff/core/table.hpp"
#include "autodiff/core/tape.hpp"
#include "autodiff/core/typed.hpp"
#include "autodiff/error.hpp"
#include "autodiff/kernels/attention.hpp"
#include "autodiff/ops/arithmetic.hpp"
#include "autodiff/ops/choice.hpp"
#include "autodiff/ops/exponential.hpp"
#include "autodiff/ops/logic.hpp"
#include "autodiff/ops/movement.hpp"
#include "autodiff/ops/product.hpp"
#include "autodiff/ops/random.hpp"
#include "autodiff/ops/reduce.hpp"
#include "autodiff/ops/slicing.hpp"
#include "autodiff/ops/trigonometric.hpp"

namespace cadena {
namespace detail {
namespace {

constexpr const char* attention_name = "scaled_dot_product_attention";

Shape leading(const Tensor& t) {
  Shape batch = t.shape();
  batch.erase(batch.rank() - 1);
  batch.erase(batch.rank() - 1);
  return batch;
}
Shape followed_by(Shape batch, std::int64_t rows, std::int64_t columns) {
  batch.push_back(rows);
  batch.push_back(columns);
  return batch;
}
Strides leading_strides(const Tensor& t) {
  Strides s = t.strides();
  s.erase(s.rank() - 1);
  s.erase(s.rank() - 1);
  return s;
}

bool broadcasts_to(const Shape& from, const Shape& to) {
  bool fits = from.rank() <= to.rank();
  for (int i = 1; fits && i <= from.rank(); ++i) {
    const std::int64_t extent = from[from.rank() - i];
    fits = extent == 1 || extent == to[to.rank() - i];
  }
  return fits;
}

/// t itself if its rows are contiguous: heads may lie in the memory of a projection.
Tensor with_contiguous_rows(const Tensor& t) {
  return t.strides()[t.dim() - 1] == 1 || t.size(-1) == 1 ? t : contiguous(t);
}

/// What the scores become, apart from q, k and v.
struct AttentionRule {
  double scale = 1;
  bool causal = false;
  double dropout = 0;
  std::int64_t draws = 0;  ///< of dropout: one for each score
  kernels::RandomStart random = {0, 0};

  void draw(Generator& g) { random = {g.seed(), g.advance(static_cast<std::uint64_t>((draws + 3) / 4))}; }

  /// The value in plain operations.
  Tensor plain(const Tensor& q, const Tensor& k, const Tensor& v, const Tensor& mask) const {
    constexpr double infinity = std::numeric_limits<double>::infinity();
    Tensor s = matmul(mul(q, scale), transpose(k, -2, -1));
    if (mask.defined()) s = mask.dtype() == boolean ? where(mask, s, -infinity) : add(s, mask);
    if (causal) s = where(le(arange(k.size(-2)), unsqueeze(arange(q.size(-2)), 1)), s, -infinity);
    // The largest score is a constant: softmax does not change with it. Without any, 0 keeps inf - inf away.
    Tensor top = zeros({}, s.dtype());
    if (k.size(-2) > 0) {
      NoGrad guard;
      top = amax(s.detach(), -1, true);
      top = where(isneginf(top), 0, top);
    }
    const Tensor e = exp(sub(s, top)), total = sum(e, -1, true);
    Tensor p = div(e, where(eq(total.detach(), 0), 1, total));
    if (dropout > 0) {
      refuse_on_tape(attention_name, "first derivatives of attention with dropout within capture()");
      Generator g(random.seed);
      g.set_position(random.position);
      p = cadena::dropout(p, dropout, true, g);
    }
    return matmul(p, v);
  }
};

/// q, k and v of one batch shape.
struct Attention : Fused<Attention> {
  static constexpr std::uint8_t all = X1 | X2 | X3 | Y;
  static constexpr Meta meta{.name = attention_name,
                             .reads = {all, all, all},
                             .formula = "P v, P = softmax(scale q k^T + mask)",
                             .derivative =
                                 "dv = P^T G, dS = P (G v^T - rowsum(G y)), dq = scale dS k, "
                                 "dk = scale dS^T q",
                             .conventions = "a query that sees no key gives 0"};
  AttentionRule rule;
  Constant mask;
  std::optional<DrawnFrom> generator = {};  ///< of dropout
  Tensor lse;                               ///< of each query's scores, from the forward pass

  void redraw() {
    if (generator) rule.draw(**generator);
  }
  Tensor reference(const TensorList& x) const {
    return rule.plain(x[0], x[1], x[2], mask.defined() ? mask.get(meta.name) : Tensor());
  }
  Tensor eval(const Tensor& q0, const Tensor& k0, const Tensor& v0) {
    const Tensor q = with_contiguous_rows(q0), k = with_contiguous_rows(k0), v = with_contiguous_rows(v0);
    const Shape batch = leading(q), shape = followed_by(batch, q.size(-2), v.size(-1));
    const Tensor out =
        make_tensor(shape, checked_numel(attention_name, shape, itemsize(q.dtype())), q.dtype());
    Shape rows = batch;
    rows.push_back(q.size(-2));
    lse = fresh(rows, q.dtype());
    in_type(q.dtype(),
            [&]<class T>(T) { kernels::attention<T>(call<T>(q, k, v), written<T>(out), written<T>(lse)); });
    return out;
  }
  void vjp_fast(const Saved& s, const Tensor& g0, Tensor* gin) const {
    const Tensor q = with_contiguous_rows(s.x(0)), k = with_contiguous_rows(s.x(1)),
                 v = with_contiguous_rows(s.x(2)), g = contiguous(g0);
    for (int i = 0; i < 3; ++i)
      if (s.needs(i)) gin[i] = fresh(s.shape(i), q.dtype());
    in_type(q.dtype(), [&]<class T>(T) {
      kernels::attention_vjp<T>(call<T>(q, k, v), static_cast<const T*>(s.node().output_data()),
                                lse.data<T>(), g.data<T>(), written<T>(gin[0]), written<T>(gin[1]),
                                written<T>(gin[2]));
    });
  }

 private:
  template <class T>
  kernels::Attention<T> call(const Tensor& q, const Tensor& k, const Tensor& v) const {
    const auto rows = [](const Tensor& t) {
      return kernels::BatchedRows<T>{t.data<T>(), leading_strides(t), t.strides()[t.dim() - 2]};
    };
    kernels::Attention<T> a{.batch = leading(q),
                            .queries = q.size(-2),
                            .keys = k.size(-2),
                            .width = q.size(-1),
                            .value_width = v.size(-1),
                            .q = rows(q),
                            .k = rows(k),
                            .v = rows(v),
                            .mask = {},
                            .scale = rule.scale,
                            .causal = rule.causal,
                            .dropout = rule.dropout,
                            .random = rule.random};
    if (!mask.defined()) {
      for (int d = 0; d < a.batch.rank(); ++d) a.mask.batch.push_back(0);
      return a;
    }
    const Tensor& m = mask.get(meta.name);
    a.mask = {raw_data(m), m.dtype() != boolean, leading_strides(m), m.strides()[m.dim() - 2],
              m.strides()[m.dim() - 1]};
    return a;
  }
};

[[noreturn]] void refuse_attention(const std::string& expected, const Tensor& q, const Tensor& k,
                                   const Tensor& v) {
  throw ShapeError("[" + std::string(attention_name) + "] expected " + expected + ", got q " +
                   to_string(q.shape()) + ", k " + to_string(k.shape()) + ", v " + to_string(v.shape()));
}

/// Floating inputs of one dtype and shapes that fit but for the leading axes.
void check_attention(const Tensor& q, const Tensor& k, const Tensor& v, const AttentionOptions& o) {
  const auto prefix = [&] { return "[" + std::string(attention_name) + "] expected "; };
  for (const Tensor* t : {&q, &k, &v})
    if (!is_floating(t->dtype()))
      throw DtypeError(prefix() + "f32 or f64, got " + std::string(name(t->dtype())));
  const bool fits = q.dim() >= 2 && k.dim() >= 2 && v.dim() >= 2 && q.size(-1) == k.size(-1) &&
                    q.size(-1) > 0 && k.size(-2) == v.size(-2);
  if (!fits) refuse_attention("q (..., L, E), k (..., S, E), v (..., S, Ev) with E > 0", q, k, v);
  if (o.attn_mask.defined() && o.attn_mask.dtype() == i64)
    throw DtypeError(prefix() + "a bool, f32 or f64 attn_mask, got i64");
  if (!(o.dropout_p >= 0 && o.dropout_p <= 1))
    throw ValueError(prefix() + "0 <= dropout_p <= 1, got " + std::to_string(o.dropout_p));
}

Tensor in_batch(const Tensor& t, const Shape& batch) {
  return leading(t) == batch ? t : expand(t, followed_by(batch, t.size(-2), t.size(-1)));
}

/// Of equal batch but for axes that broadcast.
Tensor attend(Tensor q, Tensor k, Tensor v, Tensor mask, const AttentionOptions& o) {
  const Shape batch =
      broadcast(attention_name, leading(q), broadcast(attention_name, leading(k), leading(v)));
  q = in_batch(q, batch), k = in_batch(k, batch), v = in_batch(v, batch);
  AttentionRule rule{.scale = o.scale.value_or(1 / std::sqrt(static_cast<double>(q.size(-1)))),
                     .causal = o.is_causal,
                     .dropout = o.dropout_p};
  const Shape scores = followed_by(batch, q.size(-2), k.size(-2));
  rule.draws = checked_numel(attention_name, scores, itemsize(q.dtype()));
  Generator& generator = o.generator ? *o.generator : default_generator();
  if (o.dropout_p > 0 && !on_tape()) rule.draw(generator);
  if (mask.defined()) {
    if (!broadcasts_to(mask.shape(), scores))
      throw ShapeError("[" + std::string(attention_name) +
                       "] expected an attn_mask that broadcasts to the scores " + to_string(scores) +
                       ", got " + to_string(mask.shape()));
    if (mask.dtype() != boolean) mask = to(mask, q.dtype());
    if (grad_enabled && mask.requires_grad())
      return rule.plain(contiguous(q), contiguous(k), contiguous(v), contiguous(mask));
    mask = expand(mask, scores);
  }
  if (is_batched(q) || is_batched(k) || is_batched(v) || is_batched(mask)) return rule.plain(q, k, v, mask);
  Attention op;
  op.rule = rule;
  if (mask.defined()) op.mask = Constant(mask);
  if (o.dropout_p > 0) op.generator.emplace(generator);
  return apply(std::move(op), q, k, v);
}

/// The heads of q in groups, one for each head of k and v.
Tensor attend_in_groups(const Tensor& q, const Tensor& k, const Tensor& v, Tensor mask,
                        const AttentionOptions& o) {
  const bool heads = q.dim() >= 3 && k.dim() >= 3 && v.dim() >= 3;
  if (!heads || k.size(-3) != v.size(-3) || k.size(-3) == 0 || q.size(-3) % k.size(-3) != 0)
    refuse_attention("q's heads (axis -3) to be a multiple of k's and v's with enable_gqa", q, k, v);
  const std::int64_t groups = k.size(-3);
  const auto grouped = [&](const Tensor& t) {
    Shape shape = t.shape();
    shape[t.dim() - 3] /= groups;
    shape.insert(t.dim() - 3, groups);
    return reshape(t, shape);
  };
  if (mask.defined() && mask.dim() >= 3)
    mask = mask.size(-3) == q.size(-3) ? grouped(mask) : unsqueeze(mask, -3);
  const Tensor y = attend(grouped(q), unsqueeze(k, -3), unsqueeze(v, -3), mask, o);
  Shape shape = y.shape();
  shape[y.dim() - 3] *= groups;
  shape.erase(y.dim() - 4);
  return reshape(y, shape);
}

/// Shapes of q, k, v (and of a mask that is differentiated), and what else is passed.
struct AttentionCase {
  std::vector<Shape> shapes;
  AttentionOptions options = {};
  const char* label = "";
};

std::vector<AttentionCase> attention_cases(Sampler& s) {
  const auto seen = [&](const Shape& shape) { return gt(s.draw(shape), -0.8); };
  const Tensor one_row_masked = gt(arange(3), 0).unsqueeze(1).expand({3, 4});
  const Tensor infinite = where(seen({3, 4}), 0.5, -std::numeric_limits<double>::infinity());
  return {
      {{{3, 2}, {4, 2}, {4, 3}}},
      {{{1, 1}, {2, 1}, {2, 1}}},
      {{{2, 1}, {2, 1}, {2, 1}}, {.is_causal = true}, "causal"},
      {{{2, 3, 2}, {2, 5, 2}, {2, 5, 2}}, {.is_causal = true}, "causal"},
      {{{3, 2}, {4, 2}, {4, 1}}, {.attn_mask = one_row_masked}, "mask of a whole row"},
      {{{2, 3, 2}, {4, 2}, {4, 1}}, {.attn_mask = seen({3, 4}), .is_causal = true}, "mask, causal"},
      {{{3, 2}, {4, 2}, {4, 2}}, {.attn_mask = infinite}, "added mask"},
      {{{2, 1, 2, 2}, {3, 3, 2}, {3, 3, 1}},
       {.attn_mask = seen({2, 1, 1, 3}), .scale = -0.7},
       "scaled, broadcast"},
      {{{3, 2}, {4, 2}, {4, 2}, {3, 4}}, {}, "differentiable mask"},
      {{{1, 4, 2, 2}, {1, 2, 3, 2}, {2, 3, 1}},
       {.attn_mask = seen({4, 2, 3}), .enable_gqa = true},
       "grouped"},
      {{{2, 2, 3}, {2, 4, 3}, {2, 4, 2}}, {.dropout_p = 0.4}, "dropout"},
      {{{135, 1}, {135, 1}, {135, 1}}, {.is_causal = true}, "blocks, causal"},
      {{{2, 2}, {131, 2}, {131, 1}}, {.attn_mask = s.draw({2, 131}), .dropout_p = 0.2}, "blocks, dropout"},
      {{{2, 2}, {0, 2}, {0, 3}}, {}, "no keys"},
      {{{0, 2}, {3, 2}, {3, 3}}, {}, "no queries"},
      {{{0, 2, 2}, {0, 3, 2}, {0, 3, 2}}, {}, "no batch"}};
}

Sample attention_sample(Sampler& s, const AttentionCase& c) {
  Sample sample{c.label, {}, {}};
  for (const auto& shape : c.shapes) {
    sample.label += " " + to_string(shape);
    sample.inputs.push_back(s.draw(shape));
  }
  sample.call = [o = c.options](const TensorList& x) {
    Generator g(31);
    AttentionOptions options = o;
    options.generator = &g;
    if (x.size() > 3) options.attn_mask = x[3];
    return scaled_dot_product_attention(x[0], x[1], x[2], options);
  };
  return sample;
}

OpInfo rotary_row() {
  const auto with = [](const RotaryOptions& o) {
    return [o](const TensorList& x) { return rotary_embedding(x[0], o); };
  };
  return composite(
      case_row({.name = "rotary_embedding", .formula = "pairs of each row turned by position / base^(2i/D)"},
               "attention",
               {{{{3, 4}}, with({}), "halves"},
                {{{2, 2, 2}}, with({.base = 7}), "halves"},
                {{{2, 3, 4}}, with({.offset = 5, .base = 10, .interleaved = true}), "interleaved"},
                {{{4, 2}}, with({.interleaved = true}), "interleaved"},
                {{{0, 4}}, with({}), "nothing"}},
               [=](std::int64_t n) {
                 return Case{{{std::max<std::int64_t>(n / 64, 1), 64}}, with({})};
               }));
}

}  // namespace

OpList attention_ops() {
  return {
      rotary_row(),
      {Attention::meta, "attention",
       [](Sampler& s) {
         std::vector<Sample> list;
         for (const auto& c : attention_cases(s)) list.push_back(attention_sample(s, c));
         return list;
       },
       [](Sampler& s, std::int64_t n) {
         const Shape shape{std::max<std::int64_t>(n >> 14, 1), std::clamp<std::int64_t>(n >> 6, 1, 256), 64};
         return attention_sample(s, {{shape, shape, shape}, {.is_causal = true}, "causal"});
       }}};
}

}  // namespace detail

Tensor rotary_embedding(const Tensor& x, const RotaryOptions& o) {
  if (!is_floating(x.dtype()))
    throw DtypeError("[rotary_embedding] expected f32 or f64, got " + std::string(name(x.dtype())));
  if (x.dim() < 2 || x.size(-1) % 2 != 0)
    throw ShapeError("[rotary_embedding] expected x (..., L, D) with even D, got " + to_string(x.shape()));
  if (!(o.base > 0)) throw ValueError("[rotary_embedding] expected base > 0, got " + std::to_string(o.base));
  const std::int64_t length = x.size(-2), half = x.size(-1) / 2;
  Tensor cosines, sines;
  {
    NoGrad guard;
    const Tensor position = unsqueeze(arange(o.offset, o.offset + length, 1, f64), 1);
    const Tensor turns = exp(mul(arange(0, half, 1, f64), -std::log(o.base) / static_cast<double>(half)));
    const Tensor angles = mul(position, turns);
    cosines = to(cos(angles), x.dtype()), sines = to(sin(angles), x.dtype());
  }
  Shape pairs = x.shape();
  pairs[x.dim() - 1] = o.interleaved ? half : 2;
  pairs.push_back(o.interleaved ? 2 : half);
  const int axis = o.interleaved ? x.dim() : x.dim() - 1;  // of the two numbers of a pair
  const Tensor parts = reshape(x, pairs), a = select(parts, axis, 0), b = select(parts, axis, 1);
  return reshape(stack({sub(mul(a, cosines), mul(b, sines)), add(mul(a, sines), mul(b, cosines))}, axis),
                 x.shape());
}

Tensor scaled_dot_product_attention(const Tensor& q0, const Tensor& k0, const Tensor& v0,
                                    const AttentionOptions& o) {
  detail::check_attention(q0, k0, v0, o);
  const DType dtype = promote(q0.dtype(), promote(k0.dtype(), v0.dtype()));
  const Tensor q = to(q0, dtype), k = to(k0, dtype), v = to(v0, dtype);
  return o.enable_gqa ? detail::attend_in_groups(q, k, v, o.attn_mask, o)
                      : detail::attend(q, k, v, o.attn_mask, o);
}

}  // namespace cadena
