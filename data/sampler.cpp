#include "data/sampler.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <span>
#include <string>
#include <utility>

#include "autodiff/error.hpp"

namespace cadena::data {
namespace {

using Indices = std::vector<std::int64_t>;

Indices counting(std::int64_t n) {
  Indices all(static_cast<std::size_t>(n));
  std::iota(all.begin(), all.end(), std::int64_t{0});
  return all;
}

/// Fisher and Yates.
template <class T>
void shuffle(std::vector<T>& items, Generator& g) {
  for (std::size_t i = items.size(); i > 1; --i) std::swap(items[i - 1], items[g.below(i)]);
}

/// Uniform on (0, 1].
double positive_uniform(Generator& g) { return static_cast<double>((g.next() >> 11) + 1) * 0x1p-53; }

void expect_size(const char* op, std::int64_t n) {
  if (n < 0) throw ValueError(std::string("[").append(op) + "] expected n >= 0, got " + std::to_string(n));
}

Indices integers(const char* op, const Tensor& t) {
  if (t.dim() != 1)
    throw ShapeError(std::string("[").append(op) + "] expected a vector, got shape " + to_string(t.shape()));
  if (is_floating(t.dtype()))
    throw DtypeError(std::string("[").append(op) + "] expected integers, got " +
                     std::string(name(t.dtype())));
  return t.to_vector<std::int64_t>();
}

std::vector<double> checked_weights(const Tensor& weights, std::int64_t count, bool replacement) {
  if (weights.dim() != 1)
    throw ShapeError("[weighted_sampler] expected a vector, got shape " + to_string(weights.shape()));
  auto w = weights.to_vector<double>();
  std::int64_t positive = 0;
  double sum = 0;
  for (const double v : w) {
    sum += v;
    if (!(v >= 0) || std::isinf(sum))
      throw ValueError("[weighted_sampler] expected weights of 0 or more with a finite sum, got " +
                       std::to_string(v));
    positive += v > 0 ? 1 : 0;
  }
  expect_size("weighted_sampler", count);
  if (count > 0 && (positive == 0 || (!replacement && positive < count)))
    throw ValueError("[weighted_sampler] expected " + std::string(replacement ? "a" : std::to_string(count)) +
                     " positive weights, got " + std::to_string(positive));
  return w;
}

/// Independent draws, by their place in the running sum.
Indices draw(const std::vector<double>& weights, std::int64_t count, Generator g) {
  std::vector<double> sums(weights.size());
  std::partial_sum(weights.begin(), weights.end(), sums.begin());
  Indices chosen;
  for (std::int64_t k = 0; k < count; ++k) {
    // Up to the whole sum, which is the place of the last positive weight.
    const auto at = std::lower_bound(sums.begin(), sums.end(), positive_uniform(g) * sums.back());
    chosen.push_back(at - sums.begin());
  }
  return chosen;
}

/// Efraimidis and Spirakis (2006): the smallest exponential variates of these rates.
Indices draw_apart(const std::vector<double>& weights, std::int64_t count, Generator g) {
  std::vector<std::pair<double, std::int64_t>> keys;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    const double u = positive_uniform(g);
    if (weights[i] > 0) keys.emplace_back(-std::log(u) / weights[i], static_cast<std::int64_t>(i));
  }
  std::partial_sort(keys.begin(), keys.begin() + count, keys.end());
  Indices chosen;
  for (std::int64_t k = 0; k < count; ++k) chosen.push_back(keys[static_cast<std::size_t>(k)].second);
  return chosen;
}

void expect_batch(const char* op, std::int64_t batch_size) {
  if (batch_size < 1)
    throw ValueError(std::string("[").append(op) + "] expected batch_size >= 1, got " +
                     std::to_string(batch_size));
}

std::int64_t batches_of(std::int64_t samples, std::int64_t batch_size, bool drop_last) {
  return samples / batch_size + (!drop_last && samples % batch_size != 0 ? 1 : 0);
}

std::vector<Indices> cut(const Indices& order, std::int64_t batch_size, bool drop_last) {
  const auto n = static_cast<std::int64_t>(order.size());
  std::vector<Indices> batches;
  for (std::int64_t b = 0; b < batches_of(n, batch_size, drop_last); ++b)
    batches.emplace_back(order.begin() + b * batch_size, order.begin() + std::min(n, (b + 1) * batch_size));
  return batches;
}

}  // namespace

Sampler sequential_sampler(std::int64_t n) {
  expect_size("sequential_sampler", n);
  return {n, [n](Generator) { return counting(n); }};
}

Sampler random_sampler(std::int64_t n) {
  expect_size("random_sampler", n);
  return subset_sampler(counting(n));
}

Sampler subset_sampler(std::vector<std::int64_t> indices) {
  const auto n = static_cast<std::int64_t>(indices.size());
  return {n, [indices = std::move(indices)](Generator g) {
            Indices order = indices;
            shuffle(order, g);
            return order;
          }};
}

Sampler weighted_sampler(const Tensor& weights, std::int64_t count, bool replacement) {
  return {count, [w = checked_weights(weights, count, replacement), count, replacement](Generator g) {
            return replacement ? draw(w, count, g) : draw_apart(w, count, g);
          }};
}

Sampler stratified_sampler(const Tensor& labels) {
  std::map<std::int64_t, Indices> classes;
  const Indices of = integers("stratified_sampler", labels);
  for (std::size_t i = 0; i < of.size(); ++i) classes[of[i]].push_back(static_cast<std::int64_t>(i));
  return {static_cast<std::int64_t>(of.size()), [classes = std::move(classes)](Generator g) {
            // Member k of a class of n stands at (k + u) / n of the epoch, with one random u for the class.
            std::vector<std::pair<double, std::int64_t>> places;
            for (auto [label, members] : classes) {
              shuffle(members, g);
              const double u = positive_uniform(g);
              for (std::size_t k = 0; k < members.size(); ++k)
                places.emplace_back((static_cast<double>(k) + u) / static_cast<double>(members.size()),
                                    members[k]);
            }
            std::sort(places.begin(), places.end());
            Indices order;
            for (const auto& [place, index] : places) order.push_back(index);
            return order;
          }};
}

BatchSampler batch_sampler(Sampler sampler, std::int64_t batch_size, bool drop_last) {
  expect_batch("batch_sampler", batch_size);
  const auto size = batches_of(sampler.size, batch_size, drop_last);
  return {size, [order = std::move(sampler.order), batch_size, drop_last](Generator g) {
            return cut(order(g), batch_size, drop_last);
          }};
}

BatchSampler bucket_sampler(const Tensor& lengths, std::int64_t batch_size, bool drop_last) {
  expect_batch("bucket_sampler", batch_size);
  const Indices length = integers("bucket_sampler", lengths);
  const auto n = static_cast<std::int64_t>(length.size());
  return {batches_of(n, batch_size, drop_last), [=](Generator g) {
            Indices order = counting(n);
            shuffle(order, g);
            const std::int64_t stretch = 50 * batch_size;
            for (std::int64_t at = 0; at < n; at += stretch)
              std::stable_sort(order.begin() + at, order.begin() + std::min(n, at + stretch),
                               [&](std::int64_t a, std::int64_t b) {
                                 return length[static_cast<std::size_t>(a)] <
                                        length[static_cast<std::size_t>(b)];
                               });
            auto batches = cut(order, batch_size, drop_last);
            shuffle(batches, g);
            return batches;
          }};
}

}  // namespace cadena::data
