// Every pattern comes down to: reshape to single axes, reduce or expand, permute, reshape to the composed
// ones.
#include "autodiff/ops/rearrange.hpp"

#include <algorithm>
#include <cctype>
#include <vector>

#include "autodiff/core/table.hpp"
#include "autodiff/error.hpp"
#include "autodiff/ops/arithmetic.hpp"
#include "autodiff/ops/indexing.hpp"
#include "autodiff/ops/movement.hpp"
#include "autodiff/ops/reduce.hpp"

namespace cadena {
namespace detail {
namespace {

/// A named axis and where its name stands in the pattern. A number is an axis of that size without a name.
struct Named {
  std::string name;
  std::size_t at;
  bool composed = false;  ///< stands in parentheses

  bool ellipsis() const { return name == "..."; }
  bool number() const { return std::isdigit(static_cast<unsigned char>(name[0])) != 0; }
};
using Group = std::vector<Named>;
using Side = std::vector<Group>;

/// An ellipsis without parentheses: as many axes as it stands for.
bool spreads(const Group& group) { return group.size() == 1 && group[0].ellipsis() && !group[0].composed; }

/// Reads a pattern; knows who asked, for the errors.
class Pattern {
 public:
  Pattern(const char* op, std::string_view text) : op_(op), text_(text) {
    const std::size_t arrow = text.find("->");
    if (arrow == text.npos) fail("\"->\"", text.size());
    left = side(0, arrow);
    right = side(arrow + 2, text.size());
    check_once(left);
    check_once(right);
  }

  [[noreturn]] void fail(const std::string& expected, std::size_t at) const {
    const std::string found = at < text_.size() ? "\"" + std::string(text_.substr(at, 1)) + "\"" : "its end";
    throw ValueError(prefix() + expected + " at position " + std::to_string(at) + " of \"" +
                     std::string(text_) + "\", got " + found);
  }
  [[noreturn]] void misfit(const std::string& expected, const Shape& got) const {
    throw ShapeError(prefix() + expected + " for \"" + std::string(text_) + "\", got " + to_string(got));
  }
  std::string prefix() const { return "[" + std::string(op_) + "] expected "; }
  const char* op() const { return op_; }

  Side left, right;

 private:
  Side side(std::size_t at, std::size_t end) const {
    Side groups;
    bool open = false;
    std::size_t opened = 0;
    while (at < end) {
      const char c = text_[at];
      if (c == ' ') {
        ++at;
      } else if (c == '(') {
        if (open) fail("no parentheses within parentheses", at);
        open = true, opened = at++;
        groups.emplace_back();
      } else if (c == ')') {
        if (!open) fail("an opening parenthesis before the closing one", at);
        open = false, ++at;
      } else {
        Named axis = name(at, end);
        axis.composed = open;
        if (!open) groups.emplace_back();
        if (axis.name != "1") groups.back().push_back(axis);
        at += axis.name.size();
      }
    }
    if (open) fail("a closing parenthesis for the one", opened);
    return groups;
  }

  Named name(std::size_t at, std::size_t end) const {
    if (text_.substr(at, 3) == "...") return {"...", at};
    const auto is_letter = [](char c) { return std::isalpha(static_cast<unsigned char>(c)) || c == '_'; };
    const auto is_digit = [](char c) { return std::isdigit(static_cast<unsigned char>(c)) != 0; };
    std::size_t last = at;
    if (is_digit(text_[at])) {
      while (last < end && is_digit(text_[last])) ++last;
      if (last - at > 12 || text_[at] == '0') fail("a number from 1 to 10^12", at);
    } else if (is_letter(text_[at])) {
      while (last < end && (is_letter(text_[last]) || is_digit(text_[last]))) ++last;
    } else {
      fail("a name, a number, \"...\" or a parenthesis", at);
    }
    return {std::string(text_.substr(at, last - at)), at};
  }

  void check_once(const Side& groups) const {
    std::vector<std::string> seen;
    for (const auto& group : groups)
      for (const auto& axis : group) {
        if (axis.number()) continue;
        if (std::find(seen.begin(), seen.end(), axis.name) != seen.end())
          fail("each name once on a side, not again \"" + axis.name + "\"", axis.at);
        seen.push_back(axis.name);
      }
  }

  const char* op_;
  std::string_view text_;
};

/// Single axes by key; numbers get keys that no name can have.
class Binding {
 public:
  Binding(const Pattern& p, const Tensor& x, const AxisSizes& sizes) : p_(p), sizes_(sizes) {
    const int named = static_cast<int>(p.left.size());
    const bool has_ellipsis = std::any_of(p.left.begin(), p.left.end(), spreads);
    hidden_ = x.dim() - named + 1;
    if (has_ellipsis ? hidden_ < 0 : named != x.dim())
      p.misfit((has_ellipsis ? "at least " + std::to_string(named - 1) : std::to_string(named)) + " axes",
               x.shape());
    int axis = 0;
    for (const auto& group : p.left) {
      if (spreads(group)) {
        for (int i = 0; i < hidden_; ++i) add("..." + std::to_string(i), x.shape()[axis++]);
      } else {
        take(group, axis, x.shape());
        ++axis;
      }
    }
    for (const auto& [name, size] : sizes)
      if (!mentioned(name))
        throw ValueError(p.prefix() + "sizes for axes of the pattern, got one for \"" + name + "\"");
  }

  Shape shape() const {
    Shape s;
    if (extents.size() > max_rank)
      throw ShapeError(p_.prefix() + "at most 8 single axes, got " + std::to_string(extents.size()));
    for (auto e : extents) s.push_back(e);
    return s;
  }
  int find(const std::string& key) const {
    const auto it = std::find(keys.begin(), keys.end(), key);
    return it == keys.end() ? -1 : static_cast<int>(it - keys.begin());
  }
  int add(const std::string& key, std::int64_t extent) {
    keys.push_back(key);
    extents.push_back(extent);
    return static_cast<int>(keys.size()) - 1;
  }
  /// Keys of an axis: several for an ellipsis.
  std::vector<std::string> keys_of(const Named& axis) const {
    if (!axis.ellipsis()) return {axis.name};
    std::vector<std::string> list;
    for (int i = 0; i < hidden_; ++i) list.push_back("..." + std::to_string(i));
    return list;
  }
  /// The size that the caller or a number gives, or -1.
  std::int64_t given(const Named& axis) const {
    if (axis.number()) return std::stoll(axis.name);
    const auto it = sizes_.find(axis.name);
    if (it == sizes_.end()) return -1;
    if (it->second < 0)
      throw ValueError(p_.prefix() + "sizes >= 0, got " + std::to_string(it->second) + " for \"" + axis.name +
                       "\"");
    return it->second;
  }

  std::vector<std::string> keys;
  std::vector<std::int64_t> extents;

 private:
  void take(const Group& group, int axis, const Shape& shape) {
    std::int64_t known = 1, unknown = 0;
    for (const auto& a : group) {
      if (a.ellipsis()) p_.fail("no ellipsis in parentheses on the left", a.at);
      const std::int64_t size = given(a);
      if (size < 0 && unknown++ > 0) p_.fail("a size for \"" + a.name + "\"", a.at);
      if (size >= 0 && size > 0 && known > (std::int64_t{1} << 62) / size) known = 0;
      known *= size < 0 ? 1 : size;
    }
    const std::int64_t extent = shape[axis];
    if (unknown ? known == 0 || extent % known != 0 : known != extent)
      p_.misfit("an extent of " + std::string(unknown ? "a multiple of " : "") + std::to_string(known) +
                    " along axis " + std::to_string(axis),
                shape);
    for (const auto& a : group) {
      const std::int64_t size = given(a);
      add(a.number() ? "#" + std::to_string(a.at) : a.name, size < 0 ? extent / known : size);
    }
  }
  bool mentioned(const std::string& name) const {
    for (const Side* side : {&p_.left, &p_.right})
      for (const auto& group : *side)
        for (const auto& axis : group)
          if (axis.name == name) return true;
    return false;
  }

  const Pattern& p_;
  const AxisSizes& sizes_;
  int hidden_ = 0;
};

enum class Kind { rearrange, reduce, repeat };

/// Single axes of the right side in order; new ones are added to the binding where the kind allows.
Axes right_order(const Pattern& p, Binding& b, Kind kind) {
  Axes order;
  for (const auto& group : p.right)
    for (const auto& axis : group) {
      if (axis.number() && kind != Kind::repeat) p.fail("no number but 1 on the right", axis.at);
      for (const auto& key : b.keys_of(axis)) {
        int at = axis.number() ? -1 : b.find(key);
        if (at < 0) {
          const std::int64_t size = b.given(axis);
          if (kind != Kind::repeat || axis.ellipsis())
            p.fail("an axis of the left side, not \"" + axis.name + "\"", axis.at);
          if (size < 0) p.fail("a size for \"" + axis.name + "\"", axis.at);
          at = b.add("#" + std::to_string(axis.at), size);
        }
        if (order.rank() == max_rank) throw ShapeError(p.prefix() + "at most 8 single axes, got more");
        order.push_back(at);
      }
    }
  return order;
}

/// @throws ValueError naming the first axis of the left side that the right side lacks
void check_all_kept(const Pattern& p, const Binding& b, const Axes& order) {
  for (const auto& group : p.left)
    for (const auto& axis : group)
      for (const auto& key : axis.number() ? std::vector{"#" + std::to_string(axis.at)} : b.keys_of(axis))
        if (std::find(order.begin(), order.end(), b.find(key)) == order.end())
          p.fail("every axis of the left side on the right, too, not without \"" + axis.name + "\"", axis.at);
}

Shape composed(const Pattern& p, const Binding& b, const Axes& order) {
  Shape shape;
  int next = 0;
  for (const auto& group : p.right) {
    if (spreads(group)) {
      for (std::size_t i = 0; i < b.keys_of(group[0]).size(); ++i)
        shape.push_back(b.extents[static_cast<std::size_t>(order[next++])]);
      continue;
    }
    std::int64_t extent = 1;
    for (const auto& axis : group)
      for (std::size_t i = 0; i < b.keys_of(axis).size(); ++i)
        extent *= b.extents[static_cast<std::size_t>(order[next++])];
    shape.push_back(extent);
  }
  return shape;
}

Tensor reduced(const Pattern& p, const Tensor& x, const Axes& axes, std::string_view reduction) {
  if (reduction != "sum" && reduction != "mean" && reduction != "max" && reduction != "min" &&
      reduction != "prod")
    throw ValueError(p.prefix() + "\"sum\", \"mean\", \"max\", \"min\" or \"prod\", got \"" +
                     std::string(reduction) + "\"");
  if (axes.empty()) return x;  // no axes would mean all of them
  if (reduction == "sum") return sum(x, axes);
  if (reduction == "mean") return mean(x, axes);
  if (reduction == "max") return amax(x, axes);
  if (reduction == "min") return amin(x, axes);
  return prod(x, axes);
}

Tensor arranged(const char* op, Kind kind, const Tensor& x, std::string_view pattern, const AxisSizes& sizes,
                std::string_view reduction) {
  const Pattern p(op, pattern);
  Binding b(p, x, sizes);
  Tensor y = reshape(x, b.shape());
  const int before = y.dim();
  Axes order = right_order(p, b, kind);
  Axes gone, place;  // axes that the right side lacks; where the others go when they are reduced
  for (int i = 0; i < before; ++i) {
    const bool kept = std::find(order.begin(), order.end(), i) != order.end();
    place.push_back(i - gone.rank());
    if (!kept) gone.push_back(i);
  }
  if (!gone.empty() && kind != Kind::reduce) check_all_kept(p, b, order);
  checked_numel(op, b.shape(), sizeof(double));
  const Shape shape = composed(p, b, order);
  if (kind == Kind::reduce) {
    y = reduced(p, y, gone, reduction);
    for (auto& o : order) o = place[static_cast<int>(o)];
  }
  if (const Shape all = b.shape(); kind == Kind::repeat && all.rank() > before) {
    Shape raised = y.shape();
    while (raised.rank() < all.rank()) raised.push_back(1);
    y = expand(reshape(y, raised), all);
  }
  return reshape(permute(y, order), shape);
}

OpInfo row(const char* name, const char* formula, std::vector<Case> cases) {
  const auto call = cases[0].call;
  return composite(
      case_row({.name = name, .formula = formula}, "reduce", std::move(cases), [call](std::int64_t n) {
        return Case{{{n / 512, 8, 8, 8}}, call};
      }));
}

}  // namespace

OpList rearrange_ops() {
  using L = const TensorList&;
  return {
      row("rearrange", "x by names of axes",
          {{{{2, 3, 2, 2}}, [](L x) { return rearrange(x[0], "b c h w -> b (h w) c"); }},
           {{{2, 6}},
            [](L x) {
              return rearrange(x[0], "a (b c) -> c a b", {{"b", 2}});
            }},
           {{{2, 3, 2}}, [](L x) { return rearrange(x[0], "a ... -> ... a 1"); }},
           {{{2, 1, 3}}, [](L x) { return rearrange(x[0], "a 1 b -> (b a)"); }},
           {{{}}, [](L x) { return rearrange(x[0], "-> () 1"); }},
           {{{0, 3}}, [](L x) { return rearrange(x[0], "a b -> (b a)"); }}}),
      row("reduce", "sum, mean, amax, amin or prod by names of axes",
          {{{{2, 3, 2, 2}}, [](L x) { return cadena::reduce(x[0], "b c h w -> c b", "mean"); }},
           {{{2, 4, 6}}, [](L x) { return cadena::reduce(x[0], "b (h 2) (w 3) -> b w h", "sum"); }},
           {{{2, 3}}, [](L x) { return cadena::reduce(x[0], "a b -> 1 b", "prod"); }},
           {{{2, 3}}, [](L x) { return cadena::reduce(x[0], "... -> ", "sum"); }},
           {{{2, 3}}, [](L x) { return cadena::reduce(x[0], "a b -> b a", "max"); }}}),
      row("einops_repeat", "expand by names of axes",
          {{{{2, 3, 2, 2}}, [](L x) { return einops_repeat(x[0], "b c h w -> b (h 2) w c"); }},
           {{{2, 3}},
            [](L x) {
              return einops_repeat(x[0], "a b -> a r (b s)", {{"r", 2}, {"s", 3}});
            }},
           {{{}},
            [](L x) {
              return einops_repeat(x[0], "-> a", {{"a", 4}});
            }},
           {{{2}}, [](L x) { return einops_repeat(x[0], "... -> 2 ...", {}); }}}),
  };
}

}  // namespace detail

Tensor rearrange(const Tensor& x, std::string_view pattern, const AxisSizes& sizes) {
  return detail::arranged("rearrange", detail::Kind::rearrange, x, pattern, sizes, {});
}
Tensor reduce(const Tensor& x, std::string_view pattern, std::string_view reduction, const AxisSizes& sizes) {
  return detail::arranged("reduce", detail::Kind::reduce, x, pattern, sizes, reduction);
}
Tensor einops_repeat(const Tensor& x, std::string_view pattern, const AxisSizes& sizes) {
  return detail::arranged("einops_repeat", detail::Kind::repeat, x, pattern, sizes, {});
}

}  // namespace cadena
