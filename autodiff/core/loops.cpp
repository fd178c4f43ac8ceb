#include "autodiff/core/loops.hpp"

#include <algorithm>
#include <unordered_map>

#include "autodiff/kernels/expand.hpp"
#include "autodiff/kernels/parallel.hpp"
#include "autodiff/kernels/scratch.hpp"

namespace cadena::detail {

namespace {

constexpr std::int64_t tile_elements = 2048;  // ten arrays of floats fit the caches next to the core
constexpr std::int64_t tiles_of_task = 8;
constexpr std::size_t register_bytes = 64;

/// A register full of one value.
void fill_register(const void* from, std::size_t itemsize, void* to) {
  const auto n = static_cast<std::int64_t>(register_bytes / itemsize);
  if (itemsize == 4)
    kernels::splat_row(*static_cast<const std::uint32_t*>(from), static_cast<std::uint32_t*>(to), n);
  else
    kernels::splat_row(*static_cast<const std::uint64_t*>(from), static_cast<std::uint64_t*>(to), n);
}

}  // namespace

void LoopCall::run_general() const {
  std::size_t sizes[kernels::map_max_inputs];
  std::fill_n(sizes, kernels::map_max_inputs, itemsize);
  alignas(register_bytes) unsigned char registers[kernels::map_max_inputs][register_bytes];
  const void* from[kernels::map_max_inputs];
  for (int k = 0; k < operands; ++k) {
    from[k] = in[k];
    if (single >> k & 1U) fill_register(in[k], itemsize, registers[k]), from[k] = registers[k];
  }
  kernels::map_in_chunks(loop, op, out, itemsize, from, sizes, operands, single, n);
}

bool LoopGroup::tiles(std::int64_t n) { return n >= 2 * tile_elements; }

LoopGroup::LoopGroup(std::span<const LoopCall> calls, const std::unordered_set<const void*>& unseen)
    : n_(calls.empty() ? 0 : calls[0].n) {
  if (tiles(n_) && calls.size() > 1)
    tile(calls, unseen);
  else
    calls_.assign(calls.begin(), calls.end());
}

void LoopGroup::run() const {
  for (const LoopCall& call : calls_) call.run();
  if (!tiled_.empty()) run_tiles();
}

void LoopGroup::tile(std::span<const LoopCall> calls, const std::unordered_set<const void*>& unseen) {
  // Backwards: what is read later, and by which call last.
  std::unordered_map<const void*, std::size_t> last_reader;
  std::vector<bool> needed(calls.size());
  for (std::size_t c = calls.size(); c-- > 0;) {
    slot_bytes_ = std::max(slot_bytes_, tile_elements * calls[c].itemsize);
    needed[c] = !unseen.contains(calls[c].out) || last_reader.contains(calls[c].out);
    if (!needed[c]) continue;
    for (int k = 0; k < calls[c].operands; ++k) last_reader.try_emplace(calls[c].in[k], c);
  }
  std::unordered_map<const void*, std::size_t> slot_of;
  std::vector<std::size_t> idle;
  for (std::size_t c = 0; c < calls.size(); ++c) {
    if (!needed[c]) continue;
    const LoopCall& call = calls[c];
    Tiled t{.loop = call.loop,
            .op = call.op,
            .out = {},
            .in = {},
            .splat = call.single,
            .operands = call.operands};
    for (int k = 0; k < call.operands; ++k) {
      Place& place = t.in[k];
      if (!call.in[k]) {
        place.absent = true;
      } else if (call.single >> k & 1U) {
        place.offset = splats_.size() * register_bytes;
        splats_.push_back({call.in[k], call.itemsize});
      } else if (const auto found = slot_of.find(call.in[k]); found != slot_of.end()) {
        place.offset = found->second;
      } else {
        place.base = static_cast<unsigned char*>(const_cast<void*>(call.in[k]));
        place.itemsize = call.itemsize;
      }
    }
    // The result may take the place of an operand that is read for the last time.
    for (int k = 0; k < call.operands; ++k) {
      const auto found = call.single >> k & 1U ? slot_of.end() : slot_of.find(call.in[k]);
      if (found == slot_of.end() || last_reader.at(call.in[k]) != c) continue;
      idle.push_back(found->second);
      slot_of.erase(found);
    }
    if (unseen.contains(call.out)) {
      if (idle.empty()) idle.push_back(slots_++);
      t.out.offset = slot_of[call.out] = idle.back();
      idle.pop_back();
    } else {
      t.out.base = static_cast<unsigned char*>(call.out);
      t.out.itemsize = call.itemsize;
    }
    tiled_.push_back(t);
  }
  for (Tiled& t : tiled_) {
    const auto settle = [&](Place& place, bool splat) {
      if (!place.base && !place.absent && !splat)
        place.offset = splats_.size() * register_bytes + place.offset * slot_bytes_;
    };
    settle(t.out, false);
    for (int k = 0; k < t.operands; ++k) settle(t.in[k], t.splat >> k & 1U);
  }
}

void LoopGroup::run_tiles() const {
  const std::size_t registers = splats_.size() * register_bytes;
  const std::int64_t tiles = (n_ + tile_elements - 1) / tile_elements;
  kernels::for_blocks(
      (tiles + tiles_of_task - 1) / tiles_of_task, n_ >= kernels::map_parallel_from, [&](std::int64_t task) {
        const kernels::Scratch<unsigned char> own(
            static_cast<std::int64_t>(registers + slots_ * slot_bytes_));
        for (std::size_t i = 0; i < splats_.size(); ++i)
          fill_register(splats_[i].from, splats_[i].itemsize, own + i * register_bytes);
        for (std::int64_t i = task * tiles_of_task; i < std::min(tiles, (task + 1) * tiles_of_task); ++i) {
          const std::int64_t start = i * tile_elements;
          const auto at = [&](const Place& place) {
            return place.base ? place.base + static_cast<std::size_t>(start) * place.itemsize
                              : own + place.offset;
          };
          for (const Tiled& t : tiled_) {
            const void* operands[kernels::map_max_inputs];
            for (int k = 0; k < t.operands; ++k) operands[k] = t.in[k].absent ? nullptr : at(t.in[k]);
            t.loop(t.op, at(t.out), operands, t.splat, std::min(tile_elements, n_ - start));
          }
        }
      });
}

}  // namespace cadena::detail
