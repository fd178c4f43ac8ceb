// The steps of recurrent layers. Rows of the batch go through all steps on their own, in groups of fixed
// size: the same bits for any number of threads.
#pragma once

#include <cstdint>

namespace cadena::kernels {

/// Everything contiguous; G is the number of gates.
template <class T>
struct Recurrence {
  std::int64_t steps, batch, hidden;
  bool reverse;
  const T* projected;  ///< (steps, batch, G hidden)
  const T* weight;     ///< (G hidden, hidden)
  const T* h0;         ///< (batch, hidden)
  T* h;                ///< (steps, batch, hidden)
};

/// Gradients, of the shapes of what they belong to.
template <class T>
struct RecurrenceGradients {
  const T* h;  ///< given
  T *projected, *weight, *h0;
};

// Forward functions write `h` and `kept`, which the vjp reads again. Gates are those of ops/recurrent.hpp.

/// @param c0 (batch, hidden) @param c (steps, batch, hidden) @param kept (steps, batch, 4 hidden)
template <class T>
void lstm_steps(const Recurrence<T>& r, const T* c0, T* c, T* kept);
/// @param gc (batch, hidden): gradient of the last c @param gc0 that of c0
template <class T>
void lstm_steps_vjp(const Recurrence<T>& r, const T* c0, const T* c, const T* kept, const T* gc,
                    const RecurrenceGradients<T>& g, T* gc0);

/// @param bias (3 hidden) @param kept (steps, batch, 4 hidden)
template <class T>
void gru_steps(const Recurrence<T>& r, const T* bias, T* kept);
template <class T>
void gru_steps_vjp(const Recurrence<T>& r, const T* kept, const RecurrenceGradients<T>& g, T* gbias);

template <class T>
void rnn_steps(const Recurrence<T>& r, bool relu);
template <class T>
void rnn_steps_vjp(const Recurrence<T>& r, bool relu, const RecurrenceGradients<T>& g);

}  // namespace cadena::kernels
