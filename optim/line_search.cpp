#include "optim/line_search.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace cadena::optim {

namespace {

constexpr double enough_decrease = 1e-4, enough_curvature = 0.9, shortest = 1e-9;
constexpr int most_trials = 25;

/// The minimum between `low` and `high` of the cubic through losses and slopes at a and b, or the middle if
/// it has none.
double cubic_minimum(const LinePoint& a, const LinePoint& b, double low, double high) {
  const auto& left = a.t <= b.t ? a : b;
  const auto& right = a.t <= b.t ? b : a;
  const double d1 = left.slope + right.slope - 3 * (left.loss - right.loss) / (left.t - right.t);
  const double square = d1 * d1 - left.slope * right.slope;
  if (!(square >= 0)) return (low + high) / 2;
  const double d2 = std::sqrt(square);
  const double t =
      right.t - (right.t - left.t) * ((right.slope + d2 - d1) / (right.slope - left.slope + 2 * d2));
  return std::min(std::max(t, low), high);
}

class Search {
 public:
  Search(const std::function<LinePoint(double)>& at, const LinePoint& start) : at_(at), start_(start) {}

  LinePoint run(double t, double longest) {
    if (bracket(t)) return a_;
    if (!(b_.loss < a_.loss)) std::swap(a_, b_);  // now b is the better end
    return zoom(longest);
  }

 private:
  bool fell_enough(const LinePoint& p) const {
    return p.loss <= start_.loss + enough_decrease * p.t * start_.slope;
  }
  bool is_flat_enough(const LinePoint& p) const {
    return std::abs(p.slope) <= -enough_curvature * start_.slope;
  }

  /// Finds two ends a, b with a solution between them, or the solution itself, in a: true.
  bool bracket(double t) {
    LinePoint before = start_, now = at_(t);
    for (; trials_ < most_trials; ++trials_) {
      const bool rose = !fell_enough(now) || (trials_ > 1 && !(now.loss < before.loss));
      if (!rose && is_flat_enough(now)) {
        a_ = now;
        return true;
      }
      if (rose || now.slope >= 0) {
        a_ = before, b_ = now;
        return false;
      }
      const double next = cubic_minimum(before, now, now.t + 0.01 * (now.t - before.t), now.t * 10);
      before = std::exchange(now, at_(next));
    }
    a_ = start_, b_ = now;
    return false;
  }

  LinePoint zoom(double longest) {
    bool stuck = false;
    for (; trials_ < most_trials && std::abs(a_.t - b_.t) * longest >= shortest; ++trials_) {
      const LinePoint now = at_(trial(stuck));
      if (!fell_enough(now) || !(now.loss < b_.loss)) {
        a_ = now;
        if (a_.loss < b_.loss) std::swap(a_, b_);
        continue;
      }
      const bool done = is_flat_enough(now);
      if (!done && now.slope * (a_.t - b_.t) >= 0) a_ = b_;
      b_ = now;
      if (done) break;
    }
    return b_;
  }

  /// A point between the ends. The second one in a row that comes close to an end is moved away from it, so
  /// that the interval shrinks.
  double trial(bool& stuck) const {
    const auto [low, high] = std::minmax(a_.t, b_.t);
    const double t = cubic_minimum(a_, b_, low, high), margin = 0.1 * (high - low);
    if (std::min(high - t, t - low) >= margin) {
      stuck = false;
      return t;
    }
    if (!stuck && t < high && t > low) {
      stuck = true;
      return t;
    }
    stuck = false;
    return high - t < t - low ? high - margin : low + margin;
  }

  const std::function<LinePoint(double)>& at_;
  const LinePoint& start_;
  int trials_ = 0;
  LinePoint a_ = {}, b_ = {};
};

}  // namespace

LinePoint strong_wolfe(const std::function<LinePoint(double t)>& at, const LinePoint& start, double t,
                       double longest) {
  return Search(at, start).run(t, longest);
}

}  // namespace cadena::optim
