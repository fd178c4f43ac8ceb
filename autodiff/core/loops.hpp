// Elementwise loops of a tape. Those that follow one another over equally many elements run together: all of
// them on a tile that stays in the cache, then on the next. What only they see needs no memory beyond a tile,
// and what nobody reads is not computed.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <unordered_set>
#include <vector>

#include "autodiff/kernels/map.hpp"

namespace cadena::detail {

struct LoopCall {
  kernels::MapLoop loop;
  const void* op;
  void* out;
  const void* in[kernels::map_max_inputs];  ///< null for absent ones
  unsigned single;                          ///< bit k: in[k] is one element, which stands for all
  int operands;
  std::size_t itemsize;  ///< of every operand and of `out`
  std::int64_t n;

  void run() const {
    if (!single && n < kernels::map_parallel_from)
      loop(op, out, in, 0, n);
    else
      run_general();
  }

 private:
  void run_general() const;
};

/// A loop over operands of any layout, which kernels::map brings into form.
struct MapCall {
  kernels::MapLoop loop;
  kernels::Splats splats;
  const void* op;
  void* out;
  std::size_t itemsize;
  Shape shape;
  std::array<kernels::MapInput, kernels::map_max_inputs> in;
  int operands;

  void run() const { kernels::map(loop, splats, op, out, itemsize, shape, in.data(), operands); }
};

/// Calls over the same number of elements, in order. No memory is written by two of them, and what one writes
/// is read at the same places or not at all.
class LoopGroup {
 public:
  /// @param unseen memory written here that nothing else reads
  LoopGroup(std::span<const LoopCall> calls, const std::unordered_set<const void*>& unseen);
  void run() const;

  /// Whether calls over n elements gain from running tile by tile.
  static bool tiles(std::int64_t n);

 private:
  struct Place {
    unsigned char* base = nullptr;  ///< null for memory of the task
    std::size_t offset = 0;         ///< there
    std::size_t itemsize = 0;       ///< from element to element of `base`
    bool absent = false;
  };
  struct Tiled {
    kernels::MapLoop loop;
    const void* op;
    Place out, in[kernels::map_max_inputs];
    unsigned splat;
    int operands;
  };
  struct Splat {
    const void* from;
    std::size_t itemsize;
  };

  void tile(std::span<const LoopCall> calls, const std::unordered_set<const void*>& unseen);
  void run_tiles() const;

  std::int64_t n_ = 0;
  std::vector<LoopCall> calls_;  ///< of a group that is not tiled
  std::vector<Tiled> tiled_;
  std::vector<Splat> splats_;   ///< their registers come first in memory of the task
  std::size_t slots_ = 0;       ///< tiles in memory of the task
  std::size_t slot_bytes_ = 0;  ///< of each
};

}  // namespace cadena::detail
