// Layered drawing after Sugiyama: longest paths give the layers, barycentres the order within them, and the
// places are those nearest to the neighbours' that leave the gaps free. Arrows that pass layers get a place
// in each of them, so they never cross a box.
#include "autodiff/inspect/layout.hpp"

#include <algorithm>
#include <limits>
#include <numeric>
#include <utility>

namespace cadena::detail {

namespace {

struct Slot {
  double width = 0, height = 0;
  std::size_t layer = 0;
  double y = 0;
  double pull = 1;  // on its neighbours
  double rank = 0;  // position in its layer
  std::vector<std::size_t> before = {}, after = {};
};

class Layout {
 public:
  Layout(std::vector<LayoutBox>& boxes, std::vector<LayoutArrow>& arrows, const LayoutGaps& gaps)
      : boxes_(boxes), arrows_(arrows), gaps_(gaps) {}

  LayoutSize operator()() {
    if (boxes_.empty()) return {2 * gaps_.border, 2 * gaps_.border};
    assign_layers();
    thread_arrows();
    order();
    place();
    return finish();
  }

 private:
  void assign_layers() {
    std::vector<std::size_t> layer(boxes_.size(), 0);
    std::vector<std::vector<std::size_t>> users(boxes_.size());
    std::vector<std::size_t> by_target(arrows_.size());
    std::iota(by_target.begin(), by_target.end(), std::size_t{0});
    std::stable_sort(by_target.begin(), by_target.end(),
                     [&](auto a, auto b) { return arrows_[a].to < arrows_[b].to; });
    for (const auto a : by_target) {
      layer[arrows_[a].to] = std::max(layer[arrows_[a].to], layer[arrows_[a].from] + 1);
      users[arrows_[a].from].push_back(arrows_[a].to);
    }
    for (std::size_t b = 0; b < boxes_.size(); ++b) {
      if (!boxes_[b].input || users[b].empty()) continue;
      std::size_t first = std::numeric_limits<std::size_t>::max();
      for (const auto u : users[b]) first = std::min(first, layer[u]);
      layer[b] = first - 1;
    }
    for (std::size_t b = 0; b < boxes_.size(); ++b) {
      Slot slot{.width = boxes_[b].width, .height = boxes_[b].height, .layer = layer[b]};
      // Inputs follow the operations, which should stand in one line.
      if (boxes_[b].input) slot.pull = 0.05;
      slots_.push_back(slot);
    }
    layers_.resize(*std::max_element(layer.begin(), layer.end()) + 1);
  }

  /// A slot in every layer that an arrow passes.
  void thread_arrows() {
    for (auto& arrow : arrows_) {
      std::vector<std::size_t> way = {arrow.from};
      for (std::size_t l = slots_[arrow.from].layer + 1; l < slots_[arrow.to].layer; ++l) {
        slots_.push_back({.width = 0, .height = 2, .layer = l});
        way.push_back(slots_.size() - 1);
      }
      way.push_back(arrow.to);
      for (std::size_t i = 0; i + 1 < way.size(); ++i) {
        slots_[way[i]].after.push_back(way[i + 1]);
        slots_[way[i + 1]].before.push_back(way[i]);
      }
      ways_.push_back(std::move(way));
    }
  }

  /// Barycentre sweeps forth and back; the order with the fewest crossings wins.
  void order() {
    // First order: as a walk from the last box backwards meets them, so that relatives stand together.
    std::vector<bool> seen(slots_.size());
    for (std::size_t root = boxes_.size(); root-- > 0;) {
      std::vector<std::size_t> stack = {root};
      while (!stack.empty()) {
        const auto s = stack.back();
        stack.pop_back();
        if (seen[s]) continue;
        seen[s] = true;
        layers_[slots_[s].layer].push_back(s);
        for (std::size_t i = slots_[s].before.size(); i-- > 0;) stack.push_back(slots_[s].before[i]);
      }
    }
    rank();
    auto best = layers_;
    std::size_t fewest = crossings();
    for (int sweep = 0; sweep < 16 && fewest > 0; ++sweep) {
      const bool forth = sweep % 2 == 0;
      for (std::size_t i = 0; i < layers_.size(); ++i) sort_layer(forth ? i : layers_.size() - 1 - i, forth);
      if (const auto n = crossings(); n < fewest) fewest = n, best = layers_;
    }
    layers_ = std::move(best);
    rank();
  }

  void rank() {
    for (const auto& layer : layers_)
      for (std::size_t i = 0; i < layer.size(); ++i) slots_[layer[i]].rank = static_cast<double>(i);
  }

  void sort_layer(std::size_t l, bool forth) {
    auto& layer = layers_[l];
    std::vector<std::pair<double, std::size_t>> keys;
    for (const auto s : layer) {
      const auto& neighbours = forth ? slots_[s].before : slots_[s].after;
      double sum = 0;
      for (const auto n : neighbours) sum += slots_[n].rank;
      keys.emplace_back(neighbours.empty() ? slots_[s].rank : sum / static_cast<double>(neighbours.size()),
                        s);
    }
    std::stable_sort(keys.begin(), keys.end(),
                     [](const auto& a, const auto& b) { return a.first < b.first; });
    for (std::size_t i = 0; i < layer.size(); ++i) {
      layer[i] = keys[i].second;
      slots_[layer[i]].rank = static_cast<double>(i);
    }
  }

  std::size_t crossings() const {
    std::size_t count = 0;
    for (std::size_t l = 0; l + 1 < layers_.size(); ++l) {
      std::vector<std::pair<double, double>> lines;
      for (const auto s : layers_[l])
        for (const auto t : slots_[s].after) lines.emplace_back(slots_[s].rank, slots_[t].rank);
      for (std::size_t i = 0; i < lines.size(); ++i)
        for (std::size_t j = i + 1; j < lines.size(); ++j)
          count += (lines[i].first - lines[j].first) * (lines[i].second - lines[j].second) < 0;
    }
    return count;
  }

  /// Every layer in turn as near to its neighbours as its gaps allow.
  void place() {
    for (const auto& layer : layers_) settle(layer, std::vector<double>(layer.size(), 0));
    for (int pass = 0; pass < 120; ++pass) {
      for (std::size_t i = 0; i < layers_.size(); ++i) {
        const auto& layer = layers_[pass % 2 == 0 ? i : layers_.size() - 1 - i];
        std::vector<double> wish;
        for (const auto s : layer) {
          double sum = 0, n = 0;
          for (const auto* side : {&slots_[s].before, &slots_[s].after})
            for (const auto neighbour : *side)
              sum += slots_[neighbour].pull * slots_[neighbour].y, n += slots_[neighbour].pull;
          wish.push_back(n > 0 ? sum / n : slots_[s].y);
        }
        settle(layer, wish);
      }
    }
  }

  /// The places nearest to the wishes (weighted least squares) in the given order with the gaps kept:
  /// neighbours whose wishes collide move as one block.
  void settle(const std::vector<std::size_t>& layer, const std::vector<double>& wish) {
    struct Block {
      double sum, weight;
      std::size_t count;
      double mean() const { return sum / weight; }
    };
    std::vector<double> offset(layer.size(), 0);
    for (std::size_t i = 1; i < layer.size(); ++i)
      offset[i] =
          offset[i - 1] + (slots_[layer[i - 1]].height + slots_[layer[i]].height) / 2 + gaps_.between_boxes;
    std::vector<Block> blocks;
    for (std::size_t i = 0; i < layer.size(); ++i) {
      const double weight = slots_[layer[i]].pull;
      blocks.push_back({weight * (wish[i] - offset[i]), weight, 1});
      while (blocks.size() > 1 && blocks[blocks.size() - 2].mean() > blocks.back().mean()) {
        const Block last = blocks.back();
        blocks.pop_back();
        blocks.back().sum += last.sum;
        blocks.back().weight += last.weight;
        blocks.back().count += last.count;
      }
    }
    std::size_t i = 0;
    for (const auto& block : blocks)
      for (std::size_t k = 0; k < block.count; ++k, ++i) slots_[layer[i]].y = block.mean() + offset[i];
  }

  LayoutSize finish() {
    std::vector<double> centre, half;
    double x = gaps_.border;
    for (const auto& layer : layers_) {
      double width = 0;
      for (const auto s : layer) width = std::max(width, slots_[s].width);
      half.push_back(width / 2);
      centre.push_back(x + width / 2);
      x += width + gaps_.between_layers;
    }
    double top = std::numeric_limits<double>::infinity(), bottom = -top;
    for (const auto& s : slots_)
      top = std::min(top, s.y - s.height / 2), bottom = std::max(bottom, s.y + s.height / 2);
    for (auto& s : slots_) s.y += gaps_.border - top;
    for (std::size_t b = 0; b < boxes_.size(); ++b)
      boxes_[b].x = centre[slots_[b].layer], boxes_[b].y = slots_[b].y;
    for (std::size_t a = 0; a < arrows_.size(); ++a) {
      const auto& way = ways_[a];
      for (std::size_t i = 0; i + 1 < way.size(); ++i) {
        const Slot &from = slots_[way[i]], &to = slots_[way[i + 1]];
        // Boxes narrower than their layer are left at their own edge; what passes through leaves at the
        // layer's.
        const double leave = i == 0 ? from.width / 2 : half[from.layer];
        const double arrive = i + 2 == way.size() ? to.width / 2 : half[to.layer];
        arrows_[a].points.push_back({centre[from.layer] + leave, from.y});
        arrows_[a].points.push_back({centre[to.layer] - arrive, to.y});
      }
    }
    spread();
    return {x - gaps_.between_layers + gaps_.border, bottom - top + 2 * gaps_.border};
  }

  /// Arrows that end at the same side of a box share its height, in the order in which they come.
  void spread() {
    for (const bool ends : {false, true}) {
      std::vector<std::vector<std::size_t>> at(boxes_.size());
      for (std::size_t a = 0; a < arrows_.size(); ++a)
        at[ends ? arrows_[a].to : arrows_[a].from].push_back(a);
      for (std::size_t b = 0; b < boxes_.size(); ++b) {
        const auto other = [&](std::size_t a) {
          const auto& p = arrows_[a].points;
          return ends ? p[p.size() - 2].y : p[1].y;
        };
        std::stable_sort(at[b].begin(), at[b].end(), [&](auto m, auto n) { return other(m) < other(n); });
        const auto n = static_cast<double>(at[b].size());
        const double step = std::min(12.0, boxes_[b].height / (n + 1));
        for (std::size_t i = 0; i < at[b].size(); ++i) {
          auto& p = arrows_[at[b][i]].points;
          (ends ? p.back() : p.front()).y += (static_cast<double>(i) - (n - 1) / 2) * step;
        }
      }
    }
  }

  std::vector<LayoutBox>& boxes_;
  std::vector<LayoutArrow>& arrows_;
  LayoutGaps gaps_;
  std::vector<Slot> slots_;  // boxes first, then places of passing arrows
  std::vector<std::vector<std::size_t>> layers_, ways_;
};

}  // namespace

LayoutSize lay_out(std::vector<LayoutBox>& boxes, std::vector<LayoutArrow>& arrows, const LayoutGaps& gaps) {
  return Layout(boxes, arrows, gaps)();
}

}  // namespace cadena::detail
