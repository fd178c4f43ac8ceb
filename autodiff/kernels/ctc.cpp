#include "autodiff/kernels/ctc.hpp"

#include <algorithm>
#include <cmath>

#include "autodiff/kernels/parallel.hpp"
#include "autodiff/kernels/rows.hpp"
#include "autodiff/kernels/scratch.hpp"

namespace cadena::kernels {
namespace {

using Wide = Batch<double>;
constexpr double nothing = -infinity<double>;
// Rows of states have room for two states that cannot be reached, on the side that a step looks to.
constexpr std::int64_t margin = 2;

// log(exp(a) + exp(b) + exp(c))
Wide logaddexp(Wide a, Wide b, Wide c) {
  const Wide top = Max::combine(Max::combine(a, b), c);
  const Wide shift = xsimd::select(top == Wide(nothing), Wide(0.0), top);
  return shift + xsimd::log(xsimd::exp(a - shift) + xsimd::exp(b - shift) + xsimd::exp(c - shift));
}

double logaddexp(double a, double b) {
  const double top = std::max(a, b);
  return top == nothing ? top : top + std::log1p(std::exp(std::min(a, b) - top));
}

// One sample: its labels with blanks around each, states 0 ... states - 1.
template <class T>
class Lattice {
 public:
  Lattice(const Ctc<T>& c, std::int64_t n)
      : c_(c),
        n_(n),
        steps_(c.input_lengths[n]),
        states_(2 * c.target_lengths[n] + 1),
        labels_(states_),
        skip_(states_ + margin),
        emitted_(states_ + margin) {
    for (std::int64_t s = 0; s < states_; ++s) {
      labels_[s] = s % 2 == 0 ? c.blank : c.targets[c.first[n] + s / 2];
      // The blank between two labels may be left out if they differ.
      skip_[s] = s % 2 == 1 && s > 1 && labels_[s] != labels_[s - 2] ? 0.0 : nothing;
    }
    std::fill_n(skip_ + states_, margin, nothing);
    std::fill_n(emitted_ + states_, margin, nothing);
  }

  // rows + margin + t * stride(): log of the probability of all ways to state s at step t, its emission
  // included.
  // @return the loss
  double forward(double* rows) {
    if (steps_ == 0) return states_ == 1 ? 0.0 : infinity<double>;
    double* now = rows + margin;
    std::fill_n(rows, stride(), nothing);
    emit(0);
    for (std::int64_t s = 0; s < std::min<std::int64_t>(states_, 2); ++s) now[s] = emitted_[s];
    for (std::int64_t t = 1; t < steps_; ++t) {
      const double* before = now;
      now += stride();
      std::fill_n(now - margin, margin, nothing);
      emit(t);
      for_vectors<double>(states_, nothing, [&](std::int64_t s, auto load, auto store) {
        const Wide ways =
            logaddexp(load(before + s), load(before + s - 1), load(before + s - 2) + load(skip_ + s));
        store(now + s, ways + load(emitted_ + s));
      });
    }
    return -logaddexp(now[states_ - 1], states_ > 1 ? now[states_ - 2] : nothing);
  }

  // Adds -factor * (share of the ways through each state) to the gradient by its emission.
  void backward(const double* forward_rows, double loss, double factor, T* gx) {
    const Scratch<double> rows(2 * stride());
    double *after = rows, *now = rows + stride();
    std::fill_n(after, 2 * stride(), nothing);
    for (std::int64_t t = steps_ - 1; t >= 0; --t) {
      if (t == steps_ - 1)
        std::fill(now + std::max<std::int64_t>(states_ - 2, 0), now + states_, 0.0);
      else
        step_back(t + 1, after, now);
      const double* at = forward_rows + margin + t * stride();
      T* g = gx + (t * c_.batch + n_) * c_.classes;
      for (std::int64_t s = 0; s < states_; ++s)
        g[labels_[s]] -= static_cast<T>(factor * std::exp(at[s] + now[s] + loss));
      std::swap(now, after);
    }
  }

  std::int64_t stride() const { return states_ + margin; }
  std::int64_t steps() const { return steps_; }

 private:
  void emit(std::int64_t t) {
    const T* p = c_.log_probs + (t * c_.batch + n_) * c_.classes;
    for (std::int64_t s = 0; s < states_; ++s) emitted_[s] = static_cast<double>(p[labels_[s]]);
  }
  // now[s] = log of the probability of all ways on from state s, from those of the next step `t`.
  void step_back(std::int64_t t, double* after, double* now) {
    emit(t);
    for (std::int64_t s = 0; s < states_; ++s) after[s] += emitted_[s];
    for_vectors<double>(states_, nothing, [&](std::int64_t s, auto load, auto store) {
      store(now + s,
            logaddexp(load(after + s), load(after + s + 1), load(after + s + 2) + load(skip_ + s + 2)));
    });
  }

  const Ctc<T>& c_;
  std::int64_t n_, steps_, states_;
  Scratch<std::int64_t> labels_;
  Scratch<double> skip_, emitted_;
};

template <class T, class F>
void for_samples(const Ctc<T>& c, const F& f) {
  std::int64_t cells = 0;
  for (std::int64_t n = 0; n < c.batch; ++n) cells += c.input_lengths[n] * (2 * c.target_lengths[n] + 1);
  for_blocks<Schedule::stealing>(c.batch, cells >= 1 << 14, f);
}

}  // namespace

template <class T>
void ctc_loss(const Ctc<T>& c, T* loss) {
  for_samples(c, [&](std::int64_t n) {
    Lattice<T> lattice(c, n);
    const Scratch<double> rows(lattice.steps() * lattice.stride());
    loss[n] = static_cast<T>(lattice.forward(rows));
  });
}

template <class T>
void ctc_loss_vjp(const Ctc<T>& c, const T* g, T* gx) {
  std::fill_n(gx, c.steps * c.batch * c.classes, T(0));
  for_samples(c, [&](std::int64_t n) {
    Lattice<T> lattice(c, n);
    const Scratch<double> rows(lattice.steps() * lattice.stride());
    const double loss = lattice.forward(rows);
    if (loss != infinity<double>) lattice.backward(rows, loss, static_cast<double>(g[n]), gx);
  });
}

template void ctc_loss(const Ctc<float>&, float*);
template void ctc_loss(const Ctc<double>&, double*);
template void ctc_loss_vjp(const Ctc<float>&, const float*, float*);
template void ctc_loss_vjp(const Ctc<double>&, const double*, double*);

}  // namespace cadena::kernels
