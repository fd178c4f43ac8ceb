#include "autodiff/kernels/attention.hpp"

#include <algorithm>
#include <cmath>

#include "autodiff/kernels/batch.hpp"
#include "autodiff/kernels/exponential.hpp"
#include "autodiff/kernels/gemm.hpp"
#include "autodiff/kernels/parallel.hpp"
#include "autodiff/kernels/rows.hpp"
#include "autodiff/kernels/scratch.hpp"

namespace cadena::kernels {
namespace {

// A block of scores (64 KB of float) stays in the second-level cache beside the rows it comes from.
constexpr std::int64_t query_block = 128, key_block = 128;
// Multiplications below which starting threads costs more than it brings.
constexpr std::int64_t parallel_work = 1 << 20;

std::int64_t offset_of(const Shape& batch, const Strides& strides, std::int64_t index) {
  std::int64_t offset = 0;
  for (int d = batch.rank() - 1; d >= 0; --d) {
    offset += index % batch[d] * strides[d];
    index /= batch[d];
  }
  return offset;
}

// One item of the batch.
template <class T>
struct Head {
  const Attention<T>& a;
  std::int64_t index;
  MatrixRef<T> q, k, v;
  std::int64_t mask;  // offset of its matrix

  Head(const Attention<T>& attention, std::int64_t i)
      : a(attention),
        index(i),
        q(rows(a.q)),
        k(rows(a.k)),
        v(rows(a.v)),
        mask(offset_of(a.batch, a.mask.batch, i)) {}

 private:
  MatrixRef<T> rows(const BatchedRows<T>& r) const {
    return {r.data + offset_of(a.batch, r.batch, index), r.row, 1};
  }
};

// Queries i ... i + rows against keys j ... j + columns.
struct Block {
  std::int64_t i, rows, j, columns;
};

// f(block) for the keys that the queries i ... i + rows may see.
template <class T, class F>
void for_key_blocks(const Attention<T>& a, std::int64_t i, std::int64_t rows, const F& f) {
  const std::int64_t end = a.causal ? std::min(a.keys, i + rows) : a.keys;
  for (std::int64_t j = 0; j < end; j += key_block) f(Block{i, rows, j, std::min(key_block, end - j)});
}

template <class T>
MatrixRef<T> from_row(MatrixRef<T> m, std::int64_t row) {
  return {m.data + row * m.row, m.row, m.col};
}

template <class T, class M, class F>
void apply_mask(const M* mask, std::int64_t step, std::int64_t n, T* s, const F& f) {
  if (step == 1)
    for (std::int64_t j = 0; j < n; ++j) s[j] = f(s[j], mask[j]);
  else
    for (std::int64_t j = 0; j < n; ++j) s[j] = f(s[j], mask[j * step]);
}

// Masks the scores of query i against keys j ... j + n.
template <class T>
void mask_row(const Head<T>& h, std::int64_t i, std::int64_t j, std::int64_t n, T* s) {
  const std::int64_t seen = h.a.causal ? std::clamp<std::int64_t>(i + 1 - j, 0, n) : n;
  const auto& m = h.a.mask;
  const std::int64_t at = h.mask + i * m.row + j * m.column;
  if (m.data && m.additive)
    apply_mask(static_cast<const T*>(m.data) + at, m.column, seen, s, [](T x, T add) { return x + add; });
  else if (m.data)
    apply_mask(static_cast<const bool*>(m.data) + at, m.column, seen, s,
               [](T x, bool counts) { return counts ? x : -infinity<T>; });
  std::fill(s + seen, s + n, -infinity<T>);
}

// to[r * width] = scale q[r]
template <class T>
void scale_rows(MatrixRef<T> q, std::int64_t rows, std::int64_t width, double scale, T* to) {
  const auto factor = static_cast<T>(scale);
  for (std::int64_t r = 0; r < rows; ++r)
    for (std::int64_t e = 0; e < width; ++e) to[r * width + e] = factor * q.data[r * q.row + e];
}

// The masked scores of a block; `q` holds its queries, scaled.
template <class T>
void scores(const Head<T>& h, const T* q, const Block& b, T* s) {
  gemm<T>(b.rows, b.columns, h.a.width, {q, h.a.width, 1}, from_row(h.k, b.j).transposed(), s, key_block);
  if (!h.a.mask.data && !h.a.causal) return;
  for (std::int64_t r = 0; r < b.rows; ++r) mask_row(h, b.i + r, b.j, b.columns, s + r * key_block);
}

template <class T>
void multiply_row(std::int64_t n, const T* factors, T* x) {
  for (std::int64_t i = 0; i < n; ++i) x[i] *= factors[i];
}
template <class T>
void multiply_row(std::int64_t n, T factor, T* x) {
  for (std::int64_t i = 0; i < n; ++i) x[i] *= factor;
}

// What dropout multiplies the probabilities of query i for keys j ... j + n by.
template <class T>
void dropped(const Head<T>& h, std::int64_t i, std::int64_t j, std::int64_t n, T* factors) {
  const Attention<T>& a = h.a;
  dropout_factors(a.dropout, (h.index * a.queries + i) * a.keys + j, n, factors, a.random);
}

// Of the scores that a query has met: their maximum and the sum of exp(score - maximum).
template <class T>
struct Softmax {
  T top = -infinity<T>, sum = 0;

  // Turns scores into exp(score - maximum). @return by what terms of earlier scores must be multiplied
  T add(std::int64_t n, T* s) {
    const T before = top;
    top = Max::combine(top, row_max(n, s));
    const T shift = top == -infinity<T> ? T(0) : top;  // if nothing was seen so far, all exponentials are 0
    const T factor = std::exp(before - shift);
    const Batch<T> wide(shift);
    sum = sum * factor + row_sum_of<T>(n, -infinity<T>, [&](std::int64_t i, auto load, auto store) {
            const Batch<T> e = exp_of_gap<T>(load(s + i) - wide);
            store(s + i, e);
            return e;
          });
    return factor;
  }
  T inverse() const { return sum == 0 ? T(0) : 1 / sum; }
  T logsumexp() const { return sum == 0 ? infinity<T> : top + std::log(sum); }
};

// The queries i ... i + rows of one head.
template <class T>
void attend(const Head<T>& h, std::int64_t i, std::int64_t rows, T* out, T* lse) {
  const Attention<T>& a = h.a;
  const std::int64_t n = a.value_width;
  const Scratch<T> q(query_block * a.width), s(query_block * key_block), factors(key_block);
  Softmax<T> state[query_block];
  scale_rows(from_row(h.q, i), rows, a.width, a.scale, q.get());
  if (a.keys == 0) std::fill_n(out, rows * n, T(0));
  for_key_blocks(a, i, rows, [&](const Block& b) {
    scores(h, q.get(), b, s.get());
    for (std::int64_t r = 0; r < rows; ++r) {
      T* row = s + r * key_block;
      const T factor = state[r].add(b.columns, row);
      if (b.j > 0 && factor != 1) multiply_row(n, factor, out + r * n);
      if (a.dropout == 0) continue;
      dropped(h, i + r, b.j, b.columns, factors.get());
      multiply_row(b.columns, factors.get(), row);
    }
    gemm<T>(rows, n, b.columns, {s, key_block, 1}, from_row(h.v, b.j), out, n, {.accumulate = b.j > 0});
  });
  for (std::int64_t r = 0; r < rows; ++r) {
    multiply_row(n, state[r].inverse(), out + r * n);
    lse[r] = state[r].logsumexp();
  }
}

// Gradients of one head, contiguous; null where not wanted.
template <class T>
struct HeadGradients {
  T *q, *k, *v;
};

// What is known of each query of a head: scale q, logsumexp, output's gradient and its product with the
// output.
template <class T>
struct QueryRows {
  const T *q, *lse, *g, *dot;
};

// s = probabilities of a block, from its scores; ds = their gradient times s: the gradient of the scores.
// Dropout multiplied the probabilities: `s` afterwards holds what multiplied the values.
template <class T>
void score_gradients(const Head<T>& h, const QueryRows<T>& rows, const Block& b, T* s, T* ds, T* factors) {
  for (std::int64_t r = 0; r < b.rows; ++r) {
    T *p = s + r * key_block, *d = ds + r * key_block;
    const std::int64_t i = b.i + r;
    const Batch<T> lse(rows.lse[i]), dot(rows.dot[i]);
    const bool drops = h.a.dropout > 0;
    if (drops) dropped(h, i, b.j, b.columns, factors);
    for_vectors<T>(b.columns, T(0), [&](std::int64_t j, auto load, auto store) {
      const Batch<T> probability = exp_of_gap<T>(load(p + j) - lse);
      const Batch<T> gradient = drops ? load(d + j) * load(factors + j) : load(d + j);
      store(d + j, probability * (gradient - dot));
      store(p + j, drops ? probability * load(factors + j) : probability);
    });
  }
}

template <class T>
void head_vjp(const Head<T>& h, const T* out, const T* lse, const T* g, const HeadGradients<T>& to) {
  const Attention<T>& a = h.a;
  const std::int64_t width = a.width, n = a.value_width;
  const Scratch<T> q(a.queries * width), dot(a.queries), factors(key_block);
  const Scratch<T> s(query_block * key_block), ds(query_block * key_block);
  scale_rows(h.q, a.queries, width, a.scale, q.get());
  for (std::int64_t i = 0; i < a.queries; ++i)
    dot[i] = row_sum_of<T>(n, T(0), [&](std::int64_t e, auto load, auto) {
      return load(out + i * n + e) * load(g + i * n + e);
    });
  if (to.q) std::fill_n(to.q, a.queries * width, T(0));
  if (to.k) std::fill_n(to.k, a.keys * width, T(0));
  if (to.v) std::fill_n(to.v, a.keys * n, T(0));
  const GemmOptions<T> add{.accumulate = true};
  for (std::int64_t i = 0; i < a.queries; i += query_block) {
    const std::int64_t rows = std::min(query_block, a.queries - i);
    for_key_blocks(a, i, rows, [&](const Block& b) {
      const MatrixRef<T> g_rows{g + i * n, n, 1}, p{s, key_block, 1}, d{ds, key_block, 1};
      scores(h, q + i * width, b, s.get());
      gemm<T>(rows, b.columns, n, g_rows, from_row(h.v, b.j).transposed(), ds, key_block);
      score_gradients(h, {q, lse, g, dot}, b, s.get(), ds.get(), factors.get());
      if (to.v) gemm<T>(b.columns, n, rows, p.transposed(), g_rows, to.v + b.j * n, n, add);
      if (to.q) gemm<T>(rows, width, b.columns, d, from_row(h.k, b.j), to.q + i * width, width, add);
      if (to.k)
        gemm<T>(b.columns, width, rows, d.transposed(), {q + i * width, width, 1}, to.k + b.j * width, width,
                add);
    });
  }
  if (to.q) multiply_row(a.queries * width, static_cast<T>(a.scale), to.q);
}

}  // namespace

template <class T>
void attention(const Attention<T>& a, T* out, T* lse) {
  const std::int64_t blocks = (a.queries + query_block - 1) / query_block, count = a.batch.numel() * blocks;
  const std::int64_t work = a.batch.numel() * a.queries * a.keys * (a.width + a.value_width);
  for_blocks<Schedule::stealing>(count, work >= parallel_work, [&](std::int64_t block) {
    const std::int64_t index = block / blocks, i = block % blocks * query_block, row = index * a.queries + i;
    attend(Head<T>(a, index), i, std::min(query_block, a.queries - i), out + row * a.value_width, lse + row);
  });
}

template <class T>
void attention_vjp(const Attention<T>& a, const T* out, const T* lse, const T* g, T* gq, T* gk, T* gv) {
  const std::int64_t work = a.queries * a.keys * (3 * a.width + 2 * a.value_width);
  for_matrices(a.batch.numel(), work, [&](std::int64_t index) {
    const std::int64_t row = index * a.queries, key = index * a.keys;
    head_vjp(Head<T>(a, index), out + row * a.value_width, lse + row, g + row * a.value_width,
             HeadGradients<T>{gq ? gq + row * a.width : nullptr, gk ? gk + key * a.width : nullptr,
                              gv ? gv + key * a.value_width : nullptr});
  });
}

template void attention(const Attention<float>&, float*, float*);
template void attention(const Attention<double>&, double*, double*);
template void attention_vjp(const Attention<float>&, const float*, const float*, const float*, float*, float*,
                            float*);
template void attention_vjp(const Attention<double>&, const double*, const double*, const double*, double*,
                            double*, double*);

}  // namespace cadena::kernels
