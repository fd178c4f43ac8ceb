// What a tape does with its elementwise loops before the first replay.
#include "autodiff/core/address_map.hpp"
#include "autodiff/core/tape.hpp"

namespace cadena::detail {

namespace {

std::size_t bytes_of(const LoopCall& c) { return static_cast<std::size_t>(c.n) * c.itemsize; }

}  // namespace

/// Loops between two steps, over the same number of elements. A loop that reads the result of another at
/// other places than its own starts the next group.
Tape::Groups Tape::groups() {
  Groups list;
  AddressMap<bool> written;  // by the last group
  const auto reads_elsewhere = [&](const LoopCall& c, int k) {
    const auto piece = written.find(c.in[k]);
    return piece != written.end() && (piece->first != c.in[k] || c.single >> k & 1U);
  };
  std::size_t at = 0;
  const auto gather_until = [&](std::size_t end) {
    for (std::size_t first = at; at < end; ++at) {
      const LoopCall& c = loops_[at];
      bool apart = at == first || c.n != loops_[first].n;
      for (int k = 0; k < c.operands && !apart; ++k) apart = reads_elsewhere(c, k);
      if (apart) {
        written.clear();
        first = at;
        list.emplace_back(&c, 1);
      } else {
        list.back() = {&loops_[first], at + 1 - first};
      }
      written.add(c.out, bytes_of(c), true);
    }
  };
  for (Step& step : steps_) {
    gather_until(step.loops_before);
    step.loops_before = list.size();
  }
  gather_until(loops_.size());
  return list;
}

/// Memory that the loops of one group write and read, and nothing else knows.
std::unordered_set<const void*> Tape::unseen(const Groups& groups) const {
  std::unordered_map<const void*, std::size_t> hidden;  // and its size
  for (const auto& [storage, made] : made_)
    if (made.origin == Origin::step && !made.pinned && storage->count == 1)
      hidden.emplace(storage->data, storage->bytes);
  AddressMap<std::size_t> written;  // by which group
  for (std::size_t g = 0; g < groups.size(); ++g)
    for (const LoopCall& c : groups[g]) {
      const auto found = hidden.find(c.out);
      if (LoopGroup::tiles(c.n) && groups[g].size() > 1 && found != hidden.end() &&
          found->second == bytes_of(c))
        written.add(c.out, bytes_of(c), g);
    }
  for (std::size_t g = 0; g < groups.size(); ++g)
    for (const LoopCall& c : groups[g])
      for (int k = 0; k < c.operands; ++k)
        if (const auto piece = written.find(c.in[k]); piece != written.end() && piece->second.about != g)
          written.erase(piece);
  std::unordered_set<const void*> all;
  for (const auto& piece : written) all.insert(piece.first);
  return all;
}

void Tape::fuse() {
  described_ = description();
  order_ = {};
  const Groups calls = groups();
  const auto none_sees = unseen(calls);
  share_memory(calls, none_sees);
  for (const auto& group : calls) groups_.emplace_back(group, none_sees);
  loops_ = {};
  std::erase_if(made_, [&](const auto& entry) { return none_sees.contains(entry.first->data); });
}

}  // namespace cadena::detail
