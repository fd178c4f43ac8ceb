// Where the results of a tape lie. As recorded each has memory of its own; in a replay one may lie where
// another was that nothing reads any more, and is still in the cache.
#include <algorithm>
#include <map>

#include "autodiff/core/address_map.hpp"
#include "autodiff/core/op.hpp"
#include "autodiff/core/tape.hpp"

namespace cadena::detail {

namespace {

using Byte = unsigned char;

// Small results stay apart: sharing made 1000 scalar steps 1.4 times as slow, and they fit any cache.
constexpr std::size_t least_shared = 1024;

/// What is known of memory of the tape: when it is in use, and by whom.
struct Life {
  Storage* storage;
  std::size_t first = ~std::size_t{0}, last = 0;
  std::unordered_map<TensorImpl*, std::uint32_t> bodies =
      {};                                   ///< of tensors that steps and nodes hold: how often
  std::vector<Ref<Storage>*> outputs = {};  ///< of nodes

  /// Nobody else has it in hands: one reference is the tape's.
  bool all_known() const {
    return first <= last && storage->count == 1 + bodies.size() + outputs.size() &&
           std::all_of(bodies.begin(), bodies.end(),
                       [](const auto& b) { return b.first->count == b.second; });
  }
};

/// The lives of all memory that steps and loops fill.
class Lives {
 public:
  void add(Storage* storage) { lives_.add(storage->data, storage->bytes, {storage}); }
  void use(const void* p, std::size_t time) {
    if (Life* life = find(p)) life->last = std::max(life->last, time);
  }
  void fill(const void* p, std::size_t time) {
    if (Life* life = find(p))
      life->first = std::min(life->first, time), life->last = std::max(life->last, time);
  }
  void hold(const Tensor& t, std::size_t until) {
    if (!t.defined()) return;
    TensorImpl* body = raw_impl(t);
    if (Life* life = held(*body->storage, until)) ++life->bodies[body];
  }
  void hold(Ref<Storage>& output, std::size_t until) {
    if (!output) return;
    if (Life* life = held(*output, until)) life->outputs.push_back(&output);
  }
  AddressMap<Life>& all() { return lives_; }

 private:
  Life* find(const void* p) {
    const auto piece = lives_.find(p);
    return piece == lives_.end() ? nullptr : &piece->second.about;
  }
  Life* held(const Storage& storage, std::size_t until) {
    Life* life = find(storage.data);
    if (!life || life->storage != &storage) return nullptr;
    life->last = std::max(life->last, until);
    return life;
  }
  AddressMap<Life> lives_;
};

/// New places for lives that do not overlap in time.
std::vector<std::pair<Life*, Ref<Storage>>> placed(Lives& lives, std::size_t end) {
  std::vector<std::vector<Life*>> beginning(end), ending(end);
  for (auto& [first, piece] : lives.all()) {
    Life& life = piece.about;
    if (life.all_known()) beginning[life.first].push_back(&life), ending[life.last].push_back(&life);
  }
  std::vector<std::pair<Life*, Ref<Storage>>> places;
  std::unordered_map<const Life*, Ref<Storage>> place_of;
  std::multimap<std::size_t, Ref<Storage>> idle;  // by size
  for (std::size_t t = 0; t < end; ++t) {
    for (Life* life : beginning[t]) {
      const std::size_t bytes = life->storage->bytes;
      // Of those of one size the last that became idle.
      const auto above = idle.lower_bound(bytes);
      Ref<Storage> place;
      if (above != idle.end() && above->first <= bytes + bytes / 2) {
        const auto latest = std::prev(idle.upper_bound(above->first));
        place = latest->second;
        idle.erase(latest);
      } else {
        place = Storage::create(bytes);
      }
      place_of[life] = place;
      places.emplace_back(life, std::move(place));
    }
    for (Life* life : ending[t]) {
      const auto& place = place_of.at(life);
      idle.emplace(place->bytes, place);
    }
  }
  return places;
}

}  // namespace

/// f(calls, step, time) for all that a replay does, in order: loops, with null for the step, and steps. What
/// runs in tiles has one time. @return the time at the end
template <class F>
std::size_t Tape::in_order(const Groups& groups, const F& f) {
  std::size_t time = 0, next = 0;
  const auto groups_until = [&](std::size_t end) {
    for (; next < end; ++next) {
      const auto calls = groups.calls[next];
      if (LoopGroup::in_tiles(calls))
        f(calls, nullptr, time++);
      else
        for (std::size_t i = 0; i < calls.size(); ++i) f(calls.subspan(i, 1), nullptr, time++);
    }
  };
  for (std::size_t i = 0; i < steps_.size(); ++i) {
    groups_until(groups.before_step[i]);
    f({}, &steps_[i], time++);
  }
  groups_until(groups.calls.size());
  return time;
}

void Tape::share_memory(const Groups& groups, const std::unordered_set<const void*>& without) {
  Lives lives;
  for (const auto& [storage, made] : made_)
    if (made.origin == Origin::step && storage->bytes >= least_shared && !without.contains(storage->data))
      lives.add(made.storage.get());
  std::unordered_map<const Node*, std::size_t> last_rule;
  const auto look_at = [&](std::span<const LoopCall> calls, Step* step, std::size_t time) {
    for (const LoopCall& c : calls) {
      lives.fill(c.out, time);
      for (int k = 0; k < c.operands; ++k) lives.use(c.in[k], time);
    }
    if (!step) return;
    for (const Placement& p : step->placements) lives.fill(p.storage->data, time);
    for (const Tensor& held : step->holds) lives.hold(held, time);
    lives.hold(step->target, time);
    if (step->node) last_rule[step->node.get()] = time;
    if (!step->map) return;
    lives.fill(step->map->out, time);
    for (const auto& in : step->map->in) lives.use(in.data, time);
  };
  const std::size_t end = in_order(groups, look_at);
  for (const auto& [node, edge] : own_nodes_)
    if (auto* recorded = dynamic_cast<RecordedNode*>(edge.get())) {
      const auto found = last_rule.find(node);
      recorded->for_saved(
          [&](auto& saved) { lives.hold(saved, found == last_rule.end() ? 0 : found->second); });
    }
  AddressMap<Byte*> moves;
  const auto move = [&](auto*& p) {
    if (const auto from = moves.find(p); from != moves.end()) p = from->second.about + moves.offset(from, p);
  };
  std::unordered_map<const Storage*, Storage*> places;
  for (auto& [life, place] : placed(lives, end)) {
    moves.add(life->storage->data, life->storage->bytes, static_cast<Byte*>(place->data));
    places[life->storage] = place.get();
    for (auto& [body, count] : life->bodies) move(body->data), body->storage = place;
    for (Ref<Storage>* output : life->outputs) *output = place;
    made_.try_emplace(place.get(), Made{place, Origin::step, {}});
  }
  for (LoopCall& c : loops_) {
    move(c.out);
    for (auto& in : c.in) move(in);
  }
  for (Step& step : steps_) {
    for (Result& r : step.results) move(r.data);
    for (Placement& p : step.placements)
      if (const auto found = places.find(p.storage); found != places.end()) p.storage = found->second;
    if (!step.map) continue;
    move(step.map->out);
    for (auto& in : step.map->in) move(in.data);
  }
  for (const auto& [former, place] : places) made_.erase(former);
}

}  // namespace cadena::detail
