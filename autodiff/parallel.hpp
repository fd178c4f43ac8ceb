// The one knob for threads.
#pragma once

namespace cadena {

/// Threads used inside operations; starts as the number of cores (or OMP_NUM_THREADS). Results have the same
/// bits for every value. @throws ValueError unless n >= 1
void set_num_threads(int n);
int num_threads();

}  // namespace cadena
