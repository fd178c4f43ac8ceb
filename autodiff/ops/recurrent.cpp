// The steps of recurrent layers: kernels that walk the whole sequence, each beside its equations.
#include "autodiff/ops/recurrent.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include "autodiff/core/op.hpp"
#include "autodiff/core/table.hpp"
#include "autodiff/core/typed.hpp"
#include "autodiff/error.hpp"
#include "autodiff/kernels/recurrent.hpp"
#include "autodiff/ops/activation.hpp"
#include "autodiff/ops/arithmetic.hpp"
#include "autodiff/ops/exponential.hpp"
#include "autodiff/ops/movement.hpp"
#include "autodiff/ops/product.hpp"
#include "autodiff/ops/slicing.hpp"
#include "autodiff/ops/trigonometric.hpp"

namespace cadena {
namespace detail {
namespace {

constexpr std::uint8_t read_all = X1 | X2 | X3 | Y;
// Large weights saturate the gates, whose higher derivatives then spoil the suite's differences.
constexpr Domain small{.low = -0.6, .high = 0.6};

/// Columns from * n ... to * n.
Tensor gates(const Tensor& t, std::int64_t from, std::int64_t to, std::int64_t n) {
  return slice(t, 1, {from * n, to * n});
}

/// Inputs of every op here: projected (L, N, G H), weight_hh (G H, H), and rows of H: the states that the
/// first step starts from, and what else there is.
template <class Op>
struct Steps : Fused<Op> {
  bool reverse = false;

  std::int64_t place(std::int64_t k, std::int64_t steps) const { return reverse ? steps - 1 - k : k; }
  /// step(projected (N, G H), h) -> h', over all steps; the results in the order of the sequence.
  template <class Step>
  std::vector<Tensor> walk(const Tensor& projected, Tensor h, const Step& step) const {
    std::vector<Tensor> all(static_cast<std::size_t>(projected.size(0)));
    for (std::int64_t k = 0; k < projected.size(0); ++k) {
      const std::int64_t t = place(k, projected.size(0));
      h = all[static_cast<std::size_t>(t)] = step(select(projected, 0, t), h);
    }
    return all;
  }
  template <class T>
  kernels::Recurrence<T> recurrence(const Tensor& projected, const Tensor& weight, const Tensor& states,
                                    T* h) const {
    return {projected.size(0),   projected.size(1), weight.size(1),   reverse,
            projected.data<T>(), weight.data<T>(),  states.data<T>(), h};
  }
};

/// What a rule reads, contiguous, and fresh tensors for all three gradients.
struct StepsVjp {
  Tensor projected, weight, states, g, g_projected, g_weight, g_states;

  StepsVjp(const Saved& s, const Tensor& gradient)
      : projected(contiguous(s.x(0))),
        weight(contiguous(s.x(1))),
        states(contiguous(s.x(2))),
        g(contiguous(gradient)),
        g_projected(fresh(projected.shape(), g.dtype())),
        g_weight(fresh(weight.shape(), g.dtype())),
        g_states(fresh(states.shape(), g.dtype())) {}
  template <class T>
  kernels::RecurrenceGradients<T> gradients() const {
    return {g.data<T>(), written<T>(g_projected), written<T>(g_weight), written<T>(g_states)};
  }
  void hand_out(Tensor* gin) const { gin[0] = g_projected, gin[1] = g_weight, gin[2] = g_states; }
};

/// The outputs were written by the forward pass; the kernels' vjp only reads them.
template <class T>
T* saved_output(const Saved& s) {
  return static_cast<T*>(const_cast<void*>(s.node().output_data()));
}

/// states (2 N, H): h0, c0 -> (L + 1, N, H): h of every step, then the last c.
struct Lstm : Steps<Lstm> {
  static constexpr Meta meta{.name = "lstm_steps",
                             .reads = {read_all, read_all, read_all},
                             .domain = {real, small, real},
                             .keeps = 1.25,
                             .formula = "h' = o tanh(c'), c' = f c + i g",
                             .derivative = "through time: dc' += o (1 - tanh(c')^2) dh', dh = W_hh^T dgates"};
  Tensor c, kept;  ///< of every step: c, and the values of the gates

  Tensor reference(const TensorList& x) const {
    const std::int64_t batch = x[0].size(1), n = x[1].size(1);
    Tensor c_now = slice(x[2], 0, {batch, 2 * batch});
    auto all = walk(x[0], slice(x[2], 0, {0, batch}), [&](const Tensor& p, const Tensor& h) {
      const Tensor a = add(p, linear(h, x[1]));
      const Tensor i = sigmoid(gates(a, 0, 1, n)), f = sigmoid(gates(a, 1, 2, n)),
                   o = sigmoid(gates(a, 3, 4, n));
      c_now = add(mul(f, c_now), mul(i, tanh(gates(a, 2, 3, n))));
      return mul(o, tanh(c_now));
    });
    all.push_back(c_now);
    return stack(all);
  }
  Tensor eval(const Tensor& p0, const Tensor& w0, const Tensor& s0) {
    const Tensor projected = contiguous(p0), weight = contiguous(w0), states = contiguous(s0);
    const std::int64_t steps = projected.size(0), batch = projected.size(1), n = weight.size(1);
    const Tensor out = fresh({steps + 1, batch, n}, projected.dtype());
    c = fresh({steps, batch, n}, projected.dtype()), kept = fresh(projected.shape(), projected.dtype());
    in_type(out.dtype(), [&]<class T>(T) {
      const auto r = this->recurrence(projected, weight, states, written<T>(out));
      kernels::lstm_steps<T>(r, r.h0 + batch * n, written<T>(c), written<T>(kept));
      std::copy_n(written<T>(c) + place(steps - 1, steps) * batch * n, batch * n, r.h + steps * batch * n);
    });
    return out;
  }
  void vjp_fast(const Saved& s, const Tensor& g, Tensor* gin) const {
    const StepsVjp v(s, g);
    const std::int64_t steps = v.projected.size(0), state = v.states.numel() / 2;
    in_type(v.g.dtype(), [&]<class T>(T) {
      const auto r = this->recurrence(v.projected, v.weight, v.states, saved_output<T>(s));
      const auto to = v.gradients<T>();
      kernels::lstm_steps_vjp<T>(r, r.h0 + state, c.data<T>(), kept.data<T>(), to.h + steps * state, to,
                                 to.h0 + state);
    });
    v.hand_out(gin);
  }
};

/// states (N + 3, H): h0, b_hh -> (L, N, H)
struct Gru : Steps<Gru> {
  static constexpr Meta meta{.name = "gru_steps",
                             .reads = {read_all, read_all, read_all},
                             .domain = {real, small, real},
                             .keeps = 4.0 / 3,
                             .formula = "h' = (1 - z) n + z h, n = tanh(p + r (W_hh h + b_hh))",
                             .derivative = "through time: dh = z dh' + W_hh^T dgates"};
  Tensor kept;  ///< of every step: the values of the gates, and W_hh h + b_hh of the candidate

  Tensor reference(const TensorList& x) const {
    const std::int64_t batch = x[0].size(1), n = x[1].size(1);
    const Tensor bias = reshape(slice(x[2], 0, {batch, batch + 3}), {3 * n});
    return stack(walk(x[0], slice(x[2], 0, {0, batch}), [&](const Tensor& p, const Tensor& h) {
      const Tensor hidden = linear(h, x[1], bias);
      const Tensor rz = sigmoid(add(gates(p, 0, 2, n), gates(hidden, 0, 2, n)));
      const Tensor candidate = tanh(add(gates(p, 2, 3, n), mul(gates(rz, 0, 1, n), gates(hidden, 2, 3, n))));
      return add(candidate, mul(gates(rz, 1, 2, n), sub(h, candidate)));
    }));
  }
  Tensor eval(const Tensor& p0, const Tensor& w0, const Tensor& s0) {
    const Tensor projected = contiguous(p0), weight = contiguous(w0), states = contiguous(s0);
    const std::int64_t steps = projected.size(0), batch = projected.size(1), n = weight.size(1);
    const Tensor out = fresh({steps, batch, n}, projected.dtype());
    kept = fresh({steps, batch, 4 * n}, projected.dtype());
    in_type(out.dtype(), [&]<class T>(T) {
      const auto r = this->recurrence(projected, weight, states, written<T>(out));
      kernels::gru_steps<T>(r, r.h0 + batch * n, written<T>(kept));
    });
    return out;
  }
  void vjp_fast(const Saved& s, const Tensor& g, Tensor* gin) const {
    const StepsVjp v(s, g);
    in_type(v.g.dtype(), [&]<class T>(T) {
      const auto r = this->recurrence(v.projected, v.weight, v.states, saved_output<T>(s));
      const auto to = v.gradients<T>();
      kernels::gru_steps_vjp<T>(r, kept.data<T>(), to, to.h0 + r.batch * r.hidden);
    });
    v.hand_out(gin);
  }
};

/// states (N, H): h0 -> (L, N, H)
struct Rnn : Steps<Rnn> {
  static constexpr Meta meta{.name = "rnn_steps",
                             .reads = {read_all, read_all, read_all},
                             .domain = {real, small, real},
                             .formula = "h' = tanh(p + W_hh h), or relu",
                             .derivative = "through time: da = (1 - h'^2) dh', dh = W_hh^T da"};
  RecurrentNonlinearity nonlinearity = RecurrentNonlinearity::tanh;

  bool is_relu() const { return nonlinearity == RecurrentNonlinearity::relu; }
  Tensor reference(const TensorList& x) const {
    return stack(walk(x[0], x[2], [&](const Tensor& p, const Tensor& h) {
      const Tensor a = add(p, linear(h, x[1]));
      return is_relu() ? relu(a) : tanh(a);
    }));
  }
  Tensor eval(const Tensor& p0, const Tensor& w0, const Tensor& s0) {
    const Tensor projected = contiguous(p0), weight = contiguous(w0), states = contiguous(s0);
    const Tensor out = fresh(projected.shape(), projected.dtype());
    in_type(out.dtype(), [&]<class T>(T) {
      kernels::rnn_steps<T>(this->recurrence(projected, weight, states, written<T>(out)), is_relu());
    });
    return out;
  }
  void vjp_fast(const Saved& s, const Tensor& g, Tensor* gin) const {
    const StepsVjp v(s, g);
    in_type(v.g.dtype(), [&]<class T>(T) {
      kernels::rnn_steps_vjp<T>(this->recurrence(v.projected, v.weight, v.states, saved_output<T>(s)),
                                is_relu(), v.gradients<T>());
    });
    v.hand_out(gin);
  }
};

/// One dtype, and shapes that fit.
struct StepsCall {
  DType dtype;
  std::int64_t steps, batch, hidden;

  StepsCall(const std::string& op, std::int64_t count, const Tensor& projected, const Tensor& weight,
            std::initializer_list<const Tensor*> states)
      : dtype(promote(projected.dtype(), weight.dtype())) {
    const auto prefix = [&] { return "[" + op + "] expected "; };
    for (const Tensor* t : states) dtype = promote(dtype, t->dtype());
    for (const Tensor* t : {&projected, &weight})
      if (!is_floating(t->dtype()))
        throw DtypeError(prefix() + "f32 or f64, got " + std::string(name(t->dtype())));
    bool fits = projected.dim() == 3 && projected.size(0) > 0 && weight.dim() == 2 &&
                weight.size(0) == count * weight.size(1) && projected.size(2) == weight.size(0);
    for (const Tensor* t : states) fits = fits && t->shape() == Shape{projected.size(1), weight.size(1)};
    std::string found = to_string(projected.shape()) + ", " + to_string(weight.shape());
    for (const Tensor* t : states) found += ", " + to_string(t->shape());
    if (!fits) {
      const std::string rows = count == 1 ? "H" : std::to_string(count) + " H";
      throw ShapeError(prefix() + "projected (L, N, " + rows + ") with L > 0, weight_hh (" + rows +
                       ", H) and states (N, H), got " + found);
    }
    steps = projected.size(0), batch = projected.size(1), hidden = weight.size(1);
  }
  template <class Op>
  Tensor run(Op op, const Tensor& projected, const Tensor& weight, const Tensor& states) const {
    return apply(std::move(op), to(projected, dtype), to(weight, dtype), states);
  }
};

struct StepsShape {
  std::int64_t steps, batch, hidden;
};
constexpr StepsShape step_shapes[] = {{1, 1, 1},  {2, 1, 1},  {1, 2, 1}, {3, 2, 2},
                                      {2, 19, 3}, {4, 1, 17}, {3, 0, 2}};

/// @param states how many vectors of H for each sample, `vectors` more of G H
template <class Call>
OpInfo steps_row(const Meta& meta, std::int64_t count, int states, bool bias, const Call& call) {
  const auto shapes_of = [=](const StepsShape& s) {
    std::vector<Shape> shapes{{s.steps, s.batch, count * s.hidden}, {count * s.hidden, s.hidden}};
    for (int i = 0; i < states; ++i) shapes.push_back({s.batch, s.hidden});
    if (bias) shapes.push_back({count * s.hidden});
    return shapes;
  };
  std::vector<Case> cases;
  for (const auto& s : step_shapes)
    for (const bool reverse : {false, true})
      cases.push_back(
          {shapes_of(s), [=](const TensorList& x) { return call(x, reverse); }, reverse ? "reverse" : ""});
  return case_row(meta, "recurrent", std::move(cases), [=](std::int64_t n) {
    const std::int64_t steps = std::max<std::int64_t>(n / (32 * count * 64), 1);
    return Case{shapes_of({steps, 32, 64}), [=](const TensorList& x) { return call(x, false); }};
  });
}

}  // namespace

OpList recurrent_ops() {
  return {
      steps_row(Lstm::meta, 4, 2, false,
                [](const TensorList& x, bool reverse) {
                  const auto [h, c] = lstm_steps(x[0], x[2], x[3], x[1], reverse);
                  return cat({h, unsqueeze(mul(c, 2), 0)}, 0);
                }),
      steps_row(Gru::meta, 3, 1, true,
                [](const TensorList& x, bool reverse) { return gru_steps(x[0], x[2], x[1], x[3], reverse); }),
      steps_row(Rnn::meta, 1, 1, false, [](const TensorList& x, bool reverse) {
        return rnn_steps(x[0], x[2], x[1], RecurrentNonlinearity::tanh, reverse);
      })};
}

}  // namespace detail

LstmSteps lstm_steps(const Tensor& projected, const Tensor& h0, const Tensor& c0, const Tensor& weight_hh,
                     bool reverse) {
  const detail::StepsCall call("lstm_steps", 4, projected, weight_hh, {&h0, &c0});
  detail::Lstm op;
  op.reverse = reverse;
  const Tensor all =
      call.run(std::move(op), projected, weight_hh, cat({to(h0, call.dtype), to(c0, call.dtype)}, 0));
  return {slice(all, 0, {0, call.steps}), select(all, 0, call.steps)};
}

Tensor gru_steps(const Tensor& projected, const Tensor& h0, const Tensor& weight_hh, const Tensor& bias_hh,
                 bool reverse) {
  const detail::StepsCall call("gru_steps", 3, projected, weight_hh, {&h0});
  if (bias_hh.defined() && !(bias_hh.shape() == Shape{3 * call.hidden}))
    throw ShapeError("[gru_steps] expected bias_hh (" + std::to_string(3 * call.hidden) + ",), got " +
                     to_string(bias_hh.shape()));
  const Shape rows{3, call.hidden};
  const Tensor bias = bias_hh.defined() ? reshape(to(bias_hh, call.dtype), rows) : zeros(rows, call.dtype);
  detail::Gru op;
  op.reverse = reverse;
  return call.run(std::move(op), projected, weight_hh, cat({to(h0, call.dtype), bias}, 0));
}

Tensor rnn_steps(const Tensor& projected, const Tensor& h0, const Tensor& weight_hh,
                 RecurrentNonlinearity nonlinearity, bool reverse) {
  const detail::StepsCall call("rnn_steps", 1, projected, weight_hh, {&h0});
  detail::Rnn op;
  op.reverse = reverse, op.nonlinearity = nonlinearity;
  return call.run(std::move(op), projected, weight_hh, to(h0, call.dtype));
}

}  // namespace cadena
