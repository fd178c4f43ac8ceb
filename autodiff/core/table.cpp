#include "autodiff/core/table.hpp"

#include <algorithm>
#include <cmath>

#include "autodiff/ops/arithmetic.hpp"
#include "autodiff/ops/choice.hpp"
#include "autodiff/ops/indexing.hpp"
#include "autodiff/ops/movement.hpp"
#include "autodiff/ops/reduce.hpp"
#include "autodiff/ops/slicing.hpp"

namespace cadena::detail {

namespace {

const std::vector<Shape>& shapes() {
  static const std::vector<Shape> list = {
      {},     {1},       {5},     {17},         {0},     {3, 4}, {2, 0, 3},       {1, 1},
      {7, 1}, {2, 3, 4}, {33, 5}, {2, 1, 3, 2}, {1, 70}, {4, 9}, {2, 2, 1, 3, 2}, {130}};
  return list;
}

const std::vector<std::pair<Shape, Shape>>& broadcast_pairs() {
  static const std::vector<std::pair<Shape, Shape>> list = {{{}, {}},
                                                            {{5}, {5}},
                                                            {{5}, {}},
                                                            {{}, {4}},
                                                            {{1}, {6}},
                                                            {{3, 4}, {4}},
                                                            {{3, 1}, {1, 4}},
                                                            {{4}, {3, 4}},
                                                            {{3, 4}, {3, 1}},
                                                            {{2, 1, 3}, {4, 1}},
                                                            {{0}, {1}},
                                                            {{0}, {}},
                                                            {{2, 0}, {2, 1}},
                                                            {{1, 3}, {2, 3}},
                                                            {{19}, {19}},
                                                            {{2, 3, 4}, {4}},
                                                            {{65}, {65}},
                                                            {{2, 3}, {1, 2, 3}},
                                                            {{6, 5}, {6, 5}},
                                                            {{1, 1, 1}, {2, 3}},
                                                            {{2, 2, 2, 2}, {2, 1, 2}},
                                                            {{2, 1, 2, 1, 3}, {2, 1, 2, 1}}};
  return list;
}

const std::vector<std::vector<Shape>>& broadcast_triples() {
  static const std::vector<std::vector<Shape>> list = {{{}, {}, {}},
                                                       {{5}, {5}, {5}},
                                                       {{5}, {}, {5}},
                                                       {{}, {4}, {}},
                                                       {{1}, {6}, {6}},
                                                       {{3, 4}, {4}, {3, 1}},
                                                       {{3, 1}, {1, 4}, {}},
                                                       {{4}, {3, 4}, {1}},
                                                       {{0}, {1}, {0}},
                                                       {{2, 0}, {2, 1}, {}},
                                                       {{19}, {19}, {19}},
                                                       {{2, 3}, {1, 2, 3}, {3}},
                                                       {{6, 5}, {6, 5}, {6, 5}},
                                                       {{65}, {65}, {65}},
                                                       {{}, {}, {3, 3}},
                                                       {{2, 2, 2, 2}, {2, 1, 2}, {2, 1}}};
  return list;
}

/// Moves an element next to one of `b`'s so that the two never tie.
Tensor apart(const Tensor& a, const Tensor& b) {
  NoGrad guard;
  return where(lt(abs(sub(a, b)), 0.05), add(a, 0.2), a);
}

}  // namespace

Tensor Sampler::draw(const Shape& shape, const Domain& d) {
  if (d.distinct) return distinct(shape);
  NoGrad guard;
  Tensor x = rand(shape, generator, f64);
  x = add(mul(x, d.high - d.low), d.low);
  for (double kink : d.kinks)
    x = where(lt(abs(sub(x, kink)), d.margin), add(mul(sub(x, kink), 0.5), kink + 2 * d.margin), x);
  return to(x, dtype_);
}

Tensor Sampler::distinct(const Shape& shape) {
  NoGrad guard;
  const auto n = std::max<std::int64_t>(shape.numel(), 1);
  Tensor order = reshape(slice(randperm(n, generator), 0, {0, shape.numel()}), shape);
  return to(sub(div(to(order, f64), 0.5 * static_cast<double>(n)), 1), dtype_);
}

Tensor Sampler::index(const Shape& shape, std::int64_t extent) {
  return randint(0, extent, shape, generator);
}

OpInfo case_row(const Meta& meta, std::string_view family, std::vector<Case> cases,
                std::function<Case(std::int64_t n)> large) {
  auto draw = [meta](Sampler& s, const Case& c) {
    Sample sample{c.label, {}, c.call, c.reference};
    for (std::size_t i = 0; i < c.shapes.size(); ++i) {
      sample.label += (sample.label.empty() ? "" : " ") + to_string(c.shapes[i]);
      sample.inputs.push_back(s.draw(c.shapes[i], meta.domain[std::min<std::size_t>(i, 2)]));
    }
    return sample;
  };
  auto samples = [draw, cases = std::move(cases)](Sampler& s) {
    std::vector<Sample> list;
    for (const auto& c : cases) list.push_back(draw(s, c));
    return list;
  };
  return {meta, family, samples,
          [draw, large = std::move(large)](Sampler& s, std::int64_t n) { return draw(s, large(n)); }};
}

OpInfo elementwise_row(const Meta& meta, std::string_view family, Tensor (*f)(const Tensor&)) {
  auto call = [f](const TensorList& x) { return f(x[0]); };
  auto samples = [meta, call](Sampler& s) {
    std::vector<Sample> list;
    for (const auto& shape : shapes())
      list.push_back({to_string(shape), {s.draw(shape, meta.domain[0])}, call});
    return list;
  };
  auto large = [meta, call](Sampler& s, std::int64_t n) {
    return Sample{to_string(Shape{n}), {s.draw({n}, meta.domain[0])}, call};
  };
  return {meta, family, samples, large};
}

OpInfo elementwise_row(const Meta& meta, std::string_view family,
                       Tensor (*f)(const Operand&, const Operand&)) {
  auto call = [f](const TensorList& x) { return f(x[0], x[1]); };
  auto draw = [meta, call](Sampler& s, const Shape& a, const Shape& b) {
    Tensor x = s.draw(a, meta.domain[0]), y = s.draw(b, meta.domain[1]);
    // Ties are kinks of maximum and minimum. Broadcast operands are moved as a whole.
    if (meta.name == "maximum" || meta.name == "minimum") {
      if (a == b)
        x = apart(x, y);
      else
        x = add(s.distinct(a), 0), y = add(s.distinct(b), 0.013);
    }
    return Sample{to_string(a) + " " + to_string(b), {x, y}, call};
  };
  auto samples = [draw](Sampler& s) {
    std::vector<Sample> list;
    for (const auto& [a, b] : broadcast_pairs()) list.push_back(draw(s, a, b));
    return list;
  };
  auto large = [draw](Sampler& s, std::int64_t n) { return draw(s, {n}, {n}); };
  return {meta, family, samples, large};
}

OpInfo elementwise_row(const Meta& meta, std::string_view family, int arity, std::vector<Variant> variants) {
  auto draw = [meta](Sampler& s, const std::vector<Shape>& list, const Variant& v) {
    Sample sample{v.label, {}, v.call};
    for (std::size_t i = 0; i < list.size(); ++i) {
      sample.label += (sample.label.empty() ? "" : " ") + to_string(list[i]);
      sample.inputs.push_back(s.draw(list[i], meta.domain[i]));
    }
    return sample;
  };
  auto samples = [=](Sampler& s) {
    std::vector<std::vector<Shape>> lists;
    if (arity == 1)
      for (const auto& shape : shapes()) lists.push_back({shape});
    else if (arity == 2)
      for (const auto& [a, b] : broadcast_pairs()) lists.push_back({a, b});
    else
      lists = broadcast_triples();
    std::vector<Sample> list;
    for (std::size_t i = 0; i < lists.size(); ++i)
      list.push_back(draw(s, lists[i], variants[i % variants.size()]));
    return list;
  };
  auto large = [=](Sampler& s, std::int64_t n) {
    return draw(s, std::vector<Shape>(static_cast<std::size_t>(arity), Shape{n}), variants[0]);
  };
  return {meta, family, samples, large};
}

const OpList& op_table() {
  static const OpList table = [] {
    OpList all;
    for (auto family : {
             arithmetic_ops,     //
             exponential_ops,    //
             trigonometric_ops,  //
             activation_ops,     //
             rounding_ops,       //
             special_ops,        //
             choice_ops,         //
             movement_ops,       //
             slicing_ops,        //
             reduce_ops,         //
             softmax_ops,        //
             product_ops,        //
             contraction_ops,    //
             einsum_ops,         //
             linalg_ops,         //
             index_ops,          //
             loss_ops,           //
             ctc_ops,            //
             regression_ops,     //
             margin_ops,         //
             similarity_ops,     //
             attention_ops,      //
             recurrent_ops,      //
             embedding_ops,      //
             convolution_ops,    //
             resample_ops,       //
             pooling_ops,        //
             fractional_pooling_ops,
             normalization_ops,  //
             distance_ops,       //
             vision_ops,         //
             random_ops,         //
             statistics_ops,     //
             scan_ops,           //
             calculus_ops,       //
             sort_ops,           //
             quantile_ops,       //
             search_ops,         //
             arrange_ops,        //
             joining_ops,        //
             diagonal_ops,       //
             padding_ops,        //
             window_ops,         //
             rearrange_ops,      //
             indexing_ops,       //
             scatter_ops,        //
         })
      for (auto& row : family()) all.push_back(std::move(row));
    return all;
  }();
  return table;
}

}  // namespace cadena::detail
