// What a tape does with its elementwise loops before the first replay.
#include "autodiff/core/address_map.hpp"
#include "autodiff/core/tape.hpp"

namespace cadena::detail {

namespace {

std::size_t bytes_of(const LoopCall& c) { return static_cast<std::size_t>(c.n) * c.itemsize; }

}  // namespace

/// Memory that no tensor lies in, of which only loops can know, by its size.
std::unordered_map<const void*, std::size_t> Tape::hidden() const {
  std::unordered_map<const void*, std::size_t> all;
  for (const auto& [storage, made] : made_)
    if (made.origin == Origin::step && !made.pinned && storage->count == 1)
      all.emplace(storage->data, storage->bytes);
  return all;
}

/// Drops loops whose result nothing reads, and its memory.
void Tape::drop_unread() {
  const auto only_loops_know = hidden();
  AddressMap<bool> is_read;
  for (const auto& [data, bytes] : only_loops_know) is_read.add(data, bytes, false);
  std::vector<bool> needed(loops_.size());
  for (std::size_t i = loops_.size(); i-- > 0;) {
    const LoopCall& c = loops_[i];
    const auto result = is_read.find(c.out);
    needed[i] = result == is_read.end() || result->second.about;
    for (int k = 0; k < c.operands && needed[i]; ++k)
      if (const auto operand = is_read.find(c.in[k]); operand != is_read.end()) operand->second.about = true;
  }
  std::unordered_set<const void*> dropped;
  std::size_t kept = 0, i = 0;
  const auto keep_until = [&](std::size_t end) {
    for (; i < end; ++i)
      if (needed[i])
        loops_[kept++] = loops_[i];
      else
        dropped.insert(loops_[i].out);
    return kept;
  };
  for (Step& step : steps_) step.loops_before = keep_until(step.loops_before);
  loops_.resize(keep_until(loops_.size()));
  std::erase_if(made_, [&](const auto& entry) { return dropped.contains(entry.first->data); });
}

/// Loops between two steps, over the same number of elements. A loop that reads the result of another at
/// other places than its own starts the next group.
Tape::Groups Tape::groups() const {
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
        list.calls.emplace_back(&c, 1);
      } else {
        list.calls.back() = {&loops_[first], at + 1 - first};
      }
      written.add(c.out, bytes_of(c), true);
    }
    return list.calls.size();
  };
  for (const Step& step : steps_) list.before_step.push_back(gather_until(step.loops_before));
  gather_until(loops_.size());
  return list;
}

/// Memory that the loops of one group in tiles write and read, and nothing else knows.
std::unordered_set<const void*> Tape::unseen(const Groups& groups) const {
  const auto only_loops_know = hidden();
  AddressMap<std::size_t> written;  // by which group
  for (std::size_t g = 0; g < groups.calls.size(); ++g) {
    if (!LoopGroup::in_tiles(groups.calls[g])) continue;
    for (const LoopCall& c : groups.calls[g])
      if (const auto found = only_loops_know.find(c.out);
          found != only_loops_know.end() && found->second == bytes_of(c))
        written.add(c.out, bytes_of(c), g);
  }
  for (std::size_t g = 0; g < groups.calls.size(); ++g)
    for (const LoopCall& c : groups.calls[g])
      for (int k = 0; k < c.operands; ++k)
        if (const auto piece = written.find(c.in[k]); piece != written.end() && piece->second.about != g)
          written.erase(piece);
  std::unordered_set<const void*> all;
  for (const auto& piece : written) all.insert(piece.first);
  return all;
}

void Tape::fuse() {
  drop_unread();
  const Groups together = groups();
  const auto none_sees = unseen(together);
  share_memory(together, none_sees);
  for (const auto& calls : together.calls) groups_.emplace_back(calls, none_sees);
  groups_before_ = together.before_step;
  loops_ = {}, order_ = {};
  std::erase_if(made_, [&](const auto& entry) { return none_sees.contains(entry.first->data); });
}

}  // namespace cadena::detail
