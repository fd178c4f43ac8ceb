#include "autodiff/kernels/recurrent.hpp"

#include <algorithm>

#include "autodiff/kernels/gemm.hpp"
#include "autodiff/kernels/parallel.hpp"
#include "autodiff/kernels/rows.hpp"
#include "autodiff/kernels/scratch.hpp"
#include "autodiff/kernels/transpose.hpp"

namespace cadena::kernels {
namespace {

constexpr std::int64_t group_rows = 16;
// Multiplications of all steps below which starting threads costs more than it brings.
constexpr std::int64_t parallel_work = 1 << 20;

// Rows n ... n + rows of the batch.
template <class T>
struct Group {
  const Recurrence<T>& r;
  std::int64_t n, rows;

  // Place in the sequence of the step that comes k-th.
  std::int64_t place(std::int64_t k) const { return r.reverse ? r.steps - 1 - k : k; }
  // These rows of the k-th step, in an array of `width` numbers to a row.
  template <class P>
  P* at(P* array, std::int64_t k, std::int64_t width) const {
    return array + (place(k) * r.batch + n) * width;
  }
  // What the k-th step starts from: the step before, or `first` (batch, hidden).
  const T* before(const T* array, const T* first, std::int64_t k) const {
    return k == 0 ? first + n * r.hidden : at(array, k - 1, r.hidden);
  }
  MatrixRef<T> h_before(std::int64_t k) const { return {before(r.h, r.h0, k), r.hidden, 1}; }
};

template <class T, class F>
void for_groups(const Recurrence<T>& r, std::int64_t gates, const F& f) {
  const std::int64_t work = r.steps * r.batch * gates * r.hidden * r.hidden;
  for_blocks<Schedule::stealing>((r.batch + group_rows - 1) / group_rows, work >= parallel_work,
                                 [&](std::int64_t block) {
                                   const std::int64_t n = block * group_rows;
                                   f(Group<T>{r, n, std::min(group_rows, r.batch - n)});
                                 });
}

// W^T: read by every step, and products read rows faster than columns.
template <class T>
Scratch<T> transposed_weight(const Recurrence<T>& r, std::int64_t gates) {
  const std::int64_t width = gates * r.hidden;
  Scratch<T> to(width * r.hidden);
  transpose_block(r.weight, r.hidden, to.get(), width, width, r.hidden);
  return to;
}

template <class T>
Batch<T> sigmoid(Batch<T> x) {
  return Batch<T>(T(1)) / (Batch<T>(T(1)) + xsimd::exp(-x));
}
// Derivatives by what stands under the sigmoid and the tanh, from their values.
template <class T>
Batch<T> sigmoid_slope(Batch<T> y) {
  return y * (Batch<T>(T(1)) - y);
}
template <class T>
Batch<T> tanh_slope(Batch<T> y) {
  return Batch<T>(T(1)) - y * y;
}

template <class T>
void add_to(std::int64_t n, const T* x, T* sum) {
  for (std::int64_t i = 0; i < n; ++i) sum[i] += x[i];
}

// The gradient of the weight: sum over the steps of gates^T h_before, which for all steps but the first one
// is a single product, because the outputs lie one after the other.
template <class T>
void weight_gradient(const Recurrence<T>& r, std::int64_t gates, const T* g_hidden, T* to) {
  const std::int64_t width = gates * r.hidden, rest = (r.steps - 1) * r.batch;
  const std::int64_t later = r.reverse ? 0 : r.batch, earlier = r.reverse ? r.batch : 0;
  const std::int64_t first = r.reverse ? rest : 0;
  const MatrixRef<T> start{g_hidden + first * width, width, 1};
  gemm<T>(width, r.hidden, r.batch, start.transposed(), {r.h0, r.hidden, 1}, to, r.hidden);
  const MatrixRef<T> g{g_hidden + later * width, width, 1};
  gemm<T>(width, r.hidden, rest, g.transposed(), {r.h + earlier * r.hidden, r.hidden, 1}, to, r.hidden,
          {.accumulate = true});
}

// All steps of a group from the last to the first. cell(k, dh) turns dh, the gradient of the k-th h, into
// what of it goes to the h before directly, and writes that of the gates to g_hidden; `direct` says whether
// anything does.
template <class T, class Cell>
void walk_back(const Group<T>& b, std::int64_t gates, bool direct, const T* g_hidden,
               const RecurrenceGradients<T>& g, const Cell& cell) {
  const std::int64_t width = gates * b.r.hidden, size = b.rows * b.r.hidden;
  const Scratch<T> dh(size);
  std::fill_n(dh.get(), size, T(0));
  for (std::int64_t k = b.r.steps - 1; k >= 0; --k) {
    add_to(size, b.at(g.h, k, b.r.hidden), dh.get());
    cell(k, dh.get());
    gemm<T>(b.rows, b.r.hidden, width, {b.at(g_hidden, k, width), width, 1}, {b.r.weight, b.r.hidden, 1}, dh,
            b.r.hidden, {.accumulate = direct});
  }
  std::copy_n(dh.get(), size, g.h0 + b.n * b.r.hidden);
}

}  // namespace

template <class T>
void lstm_steps(const Recurrence<T>& r, const T* c0, T* c, T* kept) {
  const std::int64_t n = r.hidden, width = 4 * n;
  const Scratch<T> weight = transposed_weight(r, 4);
  for_groups(r, 4, [&](const Group<T>& b) {
    for (std::int64_t k = 0; k < r.steps; ++k) {
      T* gates = b.at(kept, k, width);
      std::copy_n(b.at(r.projected, k, width), b.rows * width, gates);
      gemm<T>(b.rows, width, n, b.h_before(k), {weight, width, 1}, gates, width, {.accumulate = true});
      const T* c_before = b.before(c, c0, k);
      for (std::int64_t row = 0; row < b.rows; ++row) {
        T *a = gates + row * width, *c_now = b.at(c, k, n) + row * n, *h_now = b.at(r.h, k, n) + row * n;
        for_vectors<T>(n, T(0), [&](std::int64_t j, auto load, auto store) {
          const Batch<T> i = sigmoid<T>(load(a + j)), f = sigmoid<T>(load(a + n + j));
          const Batch<T> g = xsimd::tanh(load(a + 2 * n + j)), o = sigmoid<T>(load(a + 3 * n + j));
          const Batch<T> now = f * load(c_before + row * n + j) + i * g;
          store(a + j, i), store(a + n + j, f), store(a + 2 * n + j, g), store(a + 3 * n + j, o);
          store(c_now + j, now), store(h_now + j, o * xsimd::tanh(now));
        });
      }
    }
  });
}

template <class T>
void lstm_steps_vjp(const Recurrence<T>& r, const T* c0, const T* c, const T* kept, const T* gc,
                    const RecurrenceGradients<T>& g, T* gc0) {
  const std::int64_t n = r.hidden, width = 4 * n;
  for_groups(r, 4, [&](const Group<T>& b) {
    T* dc = gc0 + b.n * n;  // the gradient of c, from step to step
    std::copy_n(gc + b.n * n, b.rows * n, dc);
    walk_back(b, 4, false, g.projected, g, [&](std::int64_t k, const T* dh) {
      const T *gates = b.at(kept, k, width), *c_now = b.at(c, k, n), *c_before = b.before(c, c0, k);
      T* to = b.at(g.projected, k, width);
      for (std::int64_t row = 0; row < b.rows; ++row) {
        const T* a = gates + row * width;
        T* d = to + row * width;
        const std::int64_t first = row * n;
        for_vectors<T>(n, T(0), [&](std::int64_t j, auto load, auto store) {
          const Batch<T> i = load(a + j), f = load(a + n + j), z = load(a + 2 * n + j),
                         o = load(a + 3 * n + j);
          const Batch<T> top = xsimd::tanh(load(c_now + first + j)), h = load(dh + first + j);
          const Batch<T> now = load(dc + first + j) + h * o * tanh_slope<T>(top);
          store(d + j, now * z * sigmoid_slope<T>(i));
          store(d + n + j, now * load(c_before + first + j) * sigmoid_slope<T>(f));
          store(d + 2 * n + j, now * i * tanh_slope<T>(z));
          store(d + 3 * n + j, h * top * sigmoid_slope<T>(o));
          store(dc + first + j, now * f);
        });
      }
    });
  });
  weight_gradient(r, 4, g.projected, g.weight);
}

template <class T>
void gru_steps(const Recurrence<T>& r, const T* bias, T* kept) {
  const std::int64_t n = r.hidden, width = 3 * n;
  const Scratch<T> weight = transposed_weight(r, 3);
  for_groups(r, 3, [&](const Group<T>& b) {
    const Scratch<T> hidden(b.rows * width);
    for (std::int64_t k = 0; k < r.steps; ++k) {
      gemm<T>(b.rows, width, n, b.h_before(k), {weight, width, 1}, hidden, width, {.bias = bias});
      for (std::int64_t row = 0; row < b.rows; ++row) {
        const T *p = b.at(r.projected, k, width) + row * width, *q = hidden + row * width;
        const T* before = b.h_before(k).data + row * n;
        T *a = b.at(kept, k, 4 * n) + row * 4 * n, *h_now = b.at(r.h, k, n) + row * n;
        for_vectors<T>(n, T(0), [&](std::int64_t j, auto load, auto store) {
          const Batch<T> reset = sigmoid<T>(load(p + j) + load(q + j));
          const Batch<T> z = sigmoid<T>(load(p + n + j) + load(q + n + j)), inner = load(q + 2 * n + j);
          const Batch<T> candidate = xsimd::tanh(load(p + 2 * n + j) + reset * inner);
          store(a + j, reset), store(a + n + j, z), store(a + 2 * n + j, candidate),
              store(a + 3 * n + j, inner);
          store(h_now + j, candidate + z * (load(before + j) - candidate));
        });
      }
    }
  });
}

template <class T>
void gru_steps_vjp(const Recurrence<T>& r, const T* kept, const RecurrenceGradients<T>& g, T* gbias) {
  const std::int64_t n = r.hidden, width = 3 * n;
  // The gradients of W h + b: those of `projected` but for the candidate's.
  const Scratch<T> hidden(r.steps * r.batch * width);
  for_groups(r, 3, [&](const Group<T>& b) {
    walk_back(b, 3, true, hidden.get(), g, [&](std::int64_t k, T* dh) {
      for (std::int64_t row = 0; row < b.rows; ++row) {
        const T *a = b.at(kept, k, 4 * n) + row * 4 * n, *before = b.h_before(k).data + row * n;
        T *p = b.at(g.projected, k, width) + row * width, *q = b.at(hidden.get(), k, width) + row * width;
        T* d = dh + row * n;
        for_vectors<T>(n, T(0), [&](std::int64_t j, auto load, auto store) {
          const Batch<T> reset = load(a + j), z = load(a + n + j), candidate = load(a + 2 * n + j);
          const Batch<T> h = load(d + j), one(T(1));
          const Batch<T> inner = h * (one - z) * tanh_slope<T>(candidate);
          const Batch<T> by_reset = inner * load(a + 3 * n + j) * sigmoid_slope<T>(reset);
          const Batch<T> by_z = h * (load(before + j) - candidate) * sigmoid_slope<T>(z);
          store(p + j, by_reset), store(p + n + j, by_z), store(p + 2 * n + j, inner);
          store(q + j, by_reset), store(q + n + j, by_z), store(q + 2 * n + j, inner * reset);
          store(d + j, h * z);
        });
      }
    });
  });
  weight_gradient(r, 3, hidden.get(), g.weight);
  std::fill_n(gbias, width, T(0));
  for (std::int64_t row = 0; row < r.steps * r.batch; ++row) add_to(width, hidden + row * width, gbias);
}

template <class T>
void rnn_steps(const Recurrence<T>& r, bool relu) {
  const std::int64_t n = r.hidden;
  const Scratch<T> weight = transposed_weight(r, 1);
  for_groups(r, 1, [&](const Group<T>& b) {
    for (std::int64_t k = 0; k < r.steps; ++k) {
      T* h = b.at(r.h, k, n);
      std::copy_n(b.at(r.projected, k, n), b.rows * n, h);
      gemm<T>(b.rows, n, n, b.h_before(k), {weight, n, 1}, h, n, {.accumulate = true});
      for_vectors<T>(b.rows * n, T(0), [&](std::int64_t j, auto load, auto store) {
        const Batch<T> x = load(h + j);
        store(h + j, relu ? Max::combine(x, Batch<T>(T(0))) : xsimd::tanh(x));
      });
    }
  });
}

template <class T>
void rnn_steps_vjp(const Recurrence<T>& r, bool relu, const RecurrenceGradients<T>& g) {
  const std::int64_t n = r.hidden;
  for_groups(r, 1, [&](const Group<T>& b) {
    walk_back(b, 1, false, g.projected, g, [&](std::int64_t k, const T* dh) {
      const T* h = b.at(r.h, k, n);
      T* to = b.at(g.projected, k, n);
      for_vectors<T>(b.rows * n, T(0), [&](std::int64_t j, auto load, auto store) {
        const Batch<T> y = load(h + j), d = load(dh + j);
        store(to + j, relu ? xsimd::select(y > Batch<T>(T(0)), d, y) : d * tanh_slope<T>(y));
      });
    });
  });
  weight_gradient(r, 1, g.projected, g.weight);
}

#define CADENA_INSTANTIATE(T)                                                                     \
  template void lstm_steps(const Recurrence<T>&, const T*, T*, T*);                               \
  template void lstm_steps_vjp(const Recurrence<T>&, const T*, const T*, const T*, const T*,      \
                               const RecurrenceGradients<T>&, T*);                                \
  template void gru_steps(const Recurrence<T>&, const T*, T*);                                    \
  template void gru_steps_vjp(const Recurrence<T>&, const T*, const RecurrenceGradients<T>&, T*); \
  template void rnn_steps(const Recurrence<T>&, bool);                                            \
  template void rnn_steps_vjp(const Recurrence<T>&, bool, const RecurrenceGradients<T>&)

CADENA_INSTANTIATE(float);
CADENA_INSTANTIATE(double);

}  // namespace cadena::kernels
