#include "nn/attention.hpp"

#include <cmath>
#include <limits>

#include "autodiff/ops.hpp"
#include "nn/init.hpp"

namespace cadena::nn {

MultiheadAttention::MultiheadAttention(std::int64_t embed_dim, std::int64_t num_heads,
                                       const MultiheadAttentionOptions& o)
    : out_proj(embed_dim, embed_dim, {.bias = o.bias, .dtype = o.dtype}),
      embed_dim_(embed_dim),
      num_heads_(num_heads),
      options_(o) {
  if (num_heads < 1 || embed_dim < 1 || embed_dim % num_heads != 0)
    throw ValueError("[MultiheadAttention] expected num_heads that divide embed_dim, got " +
                     std::to_string(num_heads) + " and " + std::to_string(embed_dim));
  if (!(o.dropout >= 0 && o.dropout <= 1))
    throw ValueError("[MultiheadAttention] expected 0 <= dropout <= 1, got " + std::to_string(o.dropout));
  const auto kdim = o.kdim.value_or(embed_dim), vdim = o.vdim.value_or(embed_dim);
  if (kdim == embed_dim && vdim == embed_dim) {
    in_proj_weight = empty({3 * embed_dim, embed_dim}, o.dtype);
  } else {
    q_proj_weight = empty({embed_dim, embed_dim}, o.dtype);
    k_proj_weight = empty({embed_dim, kdim}, o.dtype);
    v_proj_weight = empty({embed_dim, vdim}, o.dtype);
  }
  if (o.bias) in_proj_bias = empty({3 * embed_dim}, o.dtype);
  if (o.add_bias_kv) bias_k = empty({1, 1, embed_dim}, o.dtype), bias_v = empty({1, 1, embed_dim}, o.dtype);
  reset_parameters();
}

void MultiheadAttention::reset_parameters() {
  for (auto* w : {&in_proj_weight, &q_proj_weight, &k_proj_weight, &v_proj_weight})
    if (w->defined()) init::xavier_uniform_(*w);
  for (auto* b : {&in_proj_bias, &out_proj.bias})
    if (b->defined()) init::zeros_(*b);
  for (auto* b : {&bias_k, &bias_v})
    if (b->defined()) init::xavier_normal_(*b);
}

void MultiheadAttention::visit(Visitor& v) {
  v("in_proj_weight", in_proj_weight);
  v("q_proj_weight", q_proj_weight);
  v("k_proj_weight", k_proj_weight);
  v("v_proj_weight", v_proj_weight);
  v("in_proj_bias", in_proj_bias);
  v("bias_k", bias_k);
  v("bias_v", bias_v);
  v("out_proj", out_proj);
}

std::int64_t MultiheadAttention::macs(const std::vector<Shape>& inputs, const std::vector<Shape>&) const {
  const auto rows = [](const Shape& s) { return s.numel() / s.back(); };
  const auto in =
      inputs[0].numel() * embed_dim_ + inputs[1].numel() * embed_dim_ + inputs[2].numel() * embed_dim_;
  const auto keys = inputs[1].rank() == 3 ? inputs[1][options_.batch_first ? 1 : 0] : inputs[1][0];
  return in + 2 * rows(inputs[0]) * keys * embed_dim_;  // what out_proj does is its own
}

void MultiheadAttention::check(const Tensor& query, const Tensor& key, const Tensor& value) const {
  const auto batch = [&](const Tensor& x) { return x.dim() == 3 ? x.size(options_.batch_first ? 0 : 1) : 1; };
  const auto length = [&](const Tensor& x) { return x.size(x.dim() == 3 && options_.batch_first ? 1 : 0); };
  const bool ranks =
      (query.dim() == 2 || query.dim() == 3) && key.dim() == query.dim() && value.dim() == query.dim();
  if (!ranks || query.size(-1) != embed_dim_ || key.size(-1) != options_.kdim.value_or(embed_dim_) ||
      value.size(-1) != options_.vdim.value_or(embed_dim_) || length(key) != length(value) ||
      batch(key) != batch(query) || batch(value) != batch(query))
    throw ShapeError("[MultiheadAttention] expected query, key and value as " +
                     std::string(options_.batch_first ? "(N, L, " : "(L, N, ") + std::to_string(embed_dim_) +
                     "), " + (options_.batch_first ? "(N, S, " : "(S, N, ") +
                     std::to_string(options_.kdim.value_or(embed_dim_)) + ") and " +
                     (options_.batch_first ? "(N, S, " : "(S, N, ") +
                     std::to_string(options_.vdim.value_or(embed_dim_)) + ") or without N, got " +
                     cadena::to_string(query.shape()) + ", " + cadena::to_string(key.shape()) + " and " +
                     cadena::to_string(value.shape()));
}

/// (N, heads, L, E / heads) from (L, N, E), (N, L, E) or (L, E).
Tensor MultiheadAttention::split(const Tensor& x) const {
  const Tensor batched = x.dim() == 2 ? x.unsqueeze(0) : options_.batch_first ? x : x.transpose(0, 1);
  return batched.reshape({batched.size(0), batched.size(1), num_heads_, embed_dim_ / num_heads_})
      .transpose(1, 2);
}

MultiheadAttention::Heads MultiheadAttention::project(const Tensor& query, const Tensor& key,
                                                      const Tensor& value) const {
  if (in_proj_weight.defined() && query.raw() == key.raw() && key.raw() == value.raw()) {
    const Tensor all = linear(query, in_proj_weight, in_proj_bias);
    return {split(third(all, -1, 0)), split(third(all, -1, 1)), split(third(all, -1, 2))};
  }
  return {split(linear(query, weight(0), in_bias(0))), split(linear(key, weight(1), in_bias(1))),
          split(linear(value, weight(2), in_bias(2)))};
}

Tensor MultiheadAttention::third(const Tensor& t, int axis, int i) const {
  return t.slice(axis, {i * embed_dim_, (i + 1) * embed_dim_});
}
/// Of query (0), key (1) or value (2).
Tensor MultiheadAttention::weight(int i) const {
  if (in_proj_weight.defined()) return third(in_proj_weight, 0, i);
  const Parameter* own[] = {&q_proj_weight, &k_proj_weight, &v_proj_weight};
  return *own[i];
}
Tensor MultiheadAttention::in_bias(int i) const {
  return in_proj_bias.defined() ? third(in_proj_bias, 0, i) : Tensor();
}

namespace {

/// What a mask of bool or numbers adds to the scores.
Tensor added(const Tensor& mask, DType dtype) {
  if (mask.dtype() != boolean) return mask.to(dtype);
  return masked_fill(zeros(mask.shape(), dtype), mask, -std::numeric_limits<double>::infinity());
}

/// Both together; either may be missing. True hides.
Tensor both(const Tensor& a, const Tensor& b, DType dtype) {
  if (!a.defined()) return b;
  if (!b.defined()) return a;
  if (a.dtype() == boolean && b.dtype() == boolean) return logical_or(a, b);
  return added(a, dtype) + added(b, dtype);
}

/// `mask` for `extra` more keys, which all see.
Tensor widened(const Tensor& mask, std::int64_t extra) {
  if (!mask.defined() || extra == 0) return mask;
  Shape shape = mask.shape();
  shape[shape.rank() - 1] = extra;
  return cat({mask, zeros(shape, mask.dtype())}, -1);
}

/// Attention with its weights, (..., L, S).
AttentionOutput with_weights(const Tensor& q, const Tensor& k, const Tensor& v, const Tensor& hidden,
                             double p) {
  Tensor scores = matmul(q / std::sqrt(static_cast<double>(q.size(-1))), k.transpose(-2, -1));
  if (!hidden.defined()) {
    const Tensor weights = dropout(softmax(scores, -1), p, p > 0);
    return {matmul(weights, v), weights};
  }
  scores = scores + added(hidden, scores.dtype());
  // Rows that see nothing would be NaN.
  const Tensor blind = eq(amax(scores.detach(), -1, true), -std::numeric_limits<double>::infinity());
  const Tensor weights = dropout(where(blind, 0, softmax(where(blind, 0, scores), -1)), p, p > 0);
  return {matmul(weights, v), weights};
}

}  // namespace

/// (N or 1, heads or 1, L or 1, S), or undefined if everything is seen. `past` keys come before the first
/// query, `extra` ones are behind all others.
Tensor MultiheadAttention::mask(const AttentionCall& o, const Heads& heads, std::int64_t past,
                                std::int64_t extra) const {
  const auto n = heads.q.size(0), l = heads.q.size(2), s = heads.k.size(2) - extra;
  const auto check = [&](const char* what, const Tensor& m, bool fits) {
    if (!fits)
      throw ShapeError("[MultiheadAttention] expected " + std::string(what) + ", got " +
                       cadena::to_string(m.shape()));
    if (m.dtype() != boolean && !is_floating(m.dtype()))
      throw DtypeError("[MultiheadAttention] expected masks of bool, f32 or f64, got " +
                       std::string(cadena::name(m.dtype())));
  };
  Tensor given, padding, causal;
  if (o.attn_mask.defined()) {
    const auto& m = o.attn_mask;
    const Shape all{l, s}, per_head{num_heads_, l, s}, each{n * num_heads_, l, s};
    check(("attn_mask as " + cadena::to_string(all) + ", " + cadena::to_string(per_head) + " or " +
           cadena::to_string(each))
              .c_str(),
          m, m.shape() == all || m.shape() == per_head || m.shape() == each);
    given = m.dim() == 2            ? m.reshape({1, 1, l, s})
            : m.shape() == per_head ? m.unsqueeze(0)
                                    : m.reshape({n, num_heads_, l, s});
  }
  if (o.key_padding_mask.defined()) {
    const auto& m = o.key_padding_mask;
    check(("key_padding_mask as " + cadena::to_string(Shape{n, s})).c_str(), m,
          m.shape() == Shape{n, s} || (n == 1 && m.shape() == Shape{s}));
    padding = m.reshape({n, 1, 1, s});
  }
  if (o.is_causal && l > 1) {
    const Tensor query = arange(past, past + l, 1, i64).reshape({l, 1});
    causal = (arange(0, s, 1, i64) > query).reshape({1, 1, l, s});
  }
  const auto dtype = heads.q.dtype();
  return widened(both(both(given, padding, dtype), causal, dtype), extra);
}

AttentionOutput MultiheadAttention::forward(const Tensor& query, const Tensor& key, const Tensor& value,
                                            const AttentionCall& o) {
  check(query, key, value);
  const bool known = o.fixed && o.fixed->k.defined();
  auto heads = known ? Heads{split(linear(query, weight(0), in_bias(0))), o.fixed->k, o.fixed->v}
                     : project(query, key, value);
  if (o.fixed) o.fixed->k = heads.k, o.fixed->v = heads.v;
  std::int64_t past = 0;
  if (o.cache) {
    past = o.cache->length();
    if (past > 0) heads.k = cat({o.cache->k, heads.k}, 2), heads.v = cat({o.cache->v, heads.v}, 2);
    o.cache->k = heads.k, o.cache->v = heads.v;
  }
  std::int64_t extra = 0;
  const auto append = [&](const Tensor& k, const Tensor& v) {
    const Shape shape{heads.k.size(0), num_heads_, 1, embed_dim_ / num_heads_};
    const auto as_head = [&](const Tensor& t) {
      return t.defined() ? t.reshape({1, num_heads_, 1, embed_dim_ / num_heads_}).expand(shape)
                         : zeros(shape, heads.k.dtype());
    };
    heads.k = cat({heads.k, as_head(k)}, 2), heads.v = cat({heads.v, as_head(v)}, 2);
    ++extra;
  };
  if (options_.add_bias_kv) append(bias_k, bias_v);
  if (options_.add_zero_attn) append({}, {});

  const double p = is_training() ? options_.dropout : 0;
  const bool plain_causal = o.is_causal && past == 0 && extra == 0 && !o.need_weights &&
                            !o.attn_mask.defined() && !o.key_padding_mask.defined();
  const Tensor hidden = plain_causal ? Tensor() : mask(o, heads, past, extra);
  AttentionOutput result;
  if (o.need_weights) {
    result = with_weights(heads.q, heads.k, heads.v, hidden, p);
    if (o.average_attn_weights) result.weights = mean(result.weights, 1);
    if (query.dim() == 2) result.weights = result.weights.squeeze({0});
  } else {
    const Tensor shown = hidden.defined() && hidden.dtype() == boolean ? logical_not(hidden) : hidden;
    result.output = scaled_dot_product_attention(
        heads.q, heads.k, heads.v, {.attn_mask = shown, .dropout_p = p, .is_causal = plain_causal});
  }
  const auto n = heads.q.size(0), l = heads.q.size(2);
  const Tensor joined = result.output.transpose(1, 2).reshape({n, l, embed_dim_});
  const Tensor y = out_proj(joined);
  result.output = query.dim() == 2 ? y.squeeze({0}) : options_.batch_first ? y : y.transpose(0, 1);
  return result;
}

}  // namespace cadena::nn
