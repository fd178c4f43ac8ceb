// An array language on a scalar tape: the independent opinion that random programs are compared with. It
// shares no code with the library: every element is a scalar with explicit parents and partial derivatives,
// every view is an explicit list of places in a store, every loop is written out.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

namespace oracle {

using Extents = std::vector<std::size_t>;
using Index = std::vector<std::size_t>;

/// Scalars in order of creation.
class Tape {
 public:
  struct Parent {
    std::size_t scalar;
    double partial;
  };

  std::size_t add(double value, std::vector<Parent> parents = {});
  double value(std::size_t s) const { return values_[s]; }
  std::size_t size() const { return values_.size(); }
  /// d(sum of weights[i] * outputs[i]) / d(every scalar)
  std::vector<double> pull_back(const std::vector<std::size_t>& outputs,
                                const std::vector<double>& weights) const;
  /// Derivative of every scalar when `inputs` move along `directions`.
  std::vector<double> push_forward(const std::vector<std::size_t>& inputs,
                                   const std::vector<double>& directions) const;

 private:
  std::vector<double> values_;
  std::vector<std::vector<Parent>> parents_;
};

/// Memory that several arrays may see: each place holds a scalar.
using Store = std::shared_ptr<std::vector<std::size_t>>;

struct Array {
  Extents shape;
  Store store;
  std::vector<std::size_t> places;  ///< of the elements in row-major order

  std::size_t count() const { return places.size(); }
  std::size_t scalar(std::size_t i) const { return (*store)[places[i]]; }
};

std::size_t count_of(const Extents& shape);
/// All positions of a shape in row-major order.
std::vector<Index> positions(const Extents& shape);
std::size_t offset_of(const Extents& shape, const Index& at);

/// A fresh array whose elements `make(position)` returns as scalars.
Array build(const Extents& shape, const std::function<std::size_t(const Index&)>& make);
/// A view: element `at` of the result is element `source(at)` of x.
Array view(const Array& x, const Extents& shape, const std::function<Index(const Index&)>& source);
/// The element of x that stands at `at` of a shape to which x broadcasts.
std::size_t broadcast_scalar(const Array& x, const Index& at);
Extents broadcast_shape(const Extents& a, const Extents& b);

struct Slope {
  double value, partial;
};
struct Slopes {
  double value, first, second;
};
Array map(Tape& tape, const Array& x, const std::function<Slope(double)>& f);
Array zip(Tape& tape, const Array& a, const Array& b, const std::function<Slopes(double, double)>& f);
/// Sums with weight over one axis, which stays as an extent of 1.
Array sum(Tape& tape, const Array& x, std::size_t axis, double weight);
/// The largest along an axis, which stays as an extent of 1; equals share the derivative.
Array largest(Tape& tape, const Array& x, std::size_t axis);
Array softmax(Tape& tape, const Array& x, std::size_t axis);
Array product(Tape& tape, const Array& a, const Array& b);  ///< matrices
/// Overwrites the elements of x, where they are stored, with those of `values`, which broadcasts.
void write(const Array& x, const Array& values);

}  // namespace oracle
