#include "random_programs/oracle.hpp"

#include <cmath>

namespace oracle {

std::size_t Tape::add(double value, std::vector<Parent> parents) {
  values_.push_back(value);
  parents_.push_back(std::move(parents));
  return values_.size() - 1;
}

std::vector<double> Tape::pull_back(const std::vector<std::size_t>& outputs,
                                    const std::vector<double>& weights) const {
  std::vector<double> adjoint(values_.size(), 0.0);
  for (std::size_t i = 0; i < outputs.size(); ++i) adjoint[outputs[i]] += weights[i];
  for (std::size_t s = values_.size(); s-- > 0;)
    for (const auto& p : parents_[s])
      if (adjoint[s] != 0) adjoint[p.scalar] += adjoint[s] * p.partial;
  return adjoint;
}

std::vector<double> Tape::push_forward(const std::vector<std::size_t>& inputs,
                                       const std::vector<double>& directions) const {
  std::vector<double> tangent(values_.size(), 0.0);
  for (std::size_t i = 0; i < inputs.size(); ++i) tangent[inputs[i]] += directions[i];
  for (std::size_t s = 0; s < values_.size(); ++s)
    for (const auto& p : parents_[s]) tangent[s] += tangent[p.scalar] * p.partial;
  return tangent;
}

std::size_t count_of(const Extents& shape) {
  std::size_t n = 1;
  for (auto e : shape) n *= e;
  return n;
}

std::vector<Index> positions(const Extents& shape) {
  std::vector<Index> all;
  for (std::size_t flat = 0; flat < count_of(shape); ++flat) {
    Index at(shape.size());
    std::size_t rest = flat;
    for (std::size_t d = shape.size(); d-- > 0; rest /= shape[d]) at[d] = rest % shape[d];
    all.push_back(std::move(at));
  }
  return all;
}

std::size_t offset_of(const Extents& shape, const Index& at) {
  std::size_t offset = 0;
  for (std::size_t d = 0; d < shape.size(); ++d) offset = offset * shape[d] + at[d];
  return offset;
}

Array build(const Extents& shape, const std::function<std::size_t(const Index&)>& make) {
  Array out{shape, std::make_shared<std::vector<std::size_t>>(), {}};
  for (const auto& at : positions(shape)) {
    out.places.push_back(out.store->size());
    out.store->push_back(make(at));
  }
  return out;
}

Array view(const Array& x, const Extents& shape, const std::function<Index(const Index&)>& source) {
  Array out{shape, x.store, {}};
  for (const auto& at : positions(shape)) out.places.push_back(x.places[offset_of(x.shape, source(at))]);
  return out;
}

std::size_t broadcast_scalar(const Array& x, const Index& at) {
  Index own(x.shape.size());
  for (std::size_t d = 0; d < own.size(); ++d) {
    const std::size_t there = at[at.size() - own.size() + d];
    own[d] = x.shape[d] == 1 ? 0 : there;
  }
  return x.scalar(offset_of(x.shape, own));
}

Extents broadcast_shape(const Extents& a, const Extents& b) {
  Extents out(std::max(a.size(), b.size()), 1);
  for (const auto* shape : {&a, &b})
    for (std::size_t d = 0; d < shape->size(); ++d) {
      auto& extent = out[out.size() - shape->size() + d];
      if ((*shape)[d] != 1) extent = (*shape)[d];
    }
  return out;
}

Array map(Tape& tape, const Array& x, const std::function<Slope(double)>& f) {
  return build(x.shape, [&](const Index& at) {
    const std::size_t s = x.scalar(offset_of(x.shape, at));
    const Slope r = f(tape.value(s));
    return tape.add(r.value, {{s, r.partial}});
  });
}

Array zip(Tape& tape, const Array& a, const Array& b, const std::function<Slopes(double, double)>& f) {
  return build(broadcast_shape(a.shape, b.shape), [&](const Index& at) {
    const std::size_t s = broadcast_scalar(a, at), t = broadcast_scalar(b, at);
    const Slopes r = f(tape.value(s), tape.value(t));
    return tape.add(r.value, {{s, r.first}, {t, r.second}});
  });
}

namespace {

/// The scalars along `axis` through `at`, whose entry for the axis is ignored.
std::vector<std::size_t> line(const Array& x, std::size_t axis, Index at) {
  std::vector<std::size_t> scalars;
  for (std::size_t i = 0; i < x.shape[axis]; ++i) {
    at[axis] = i;
    scalars.push_back(x.scalar(offset_of(x.shape, at)));
  }
  return scalars;
}

Extents collapsed(Extents shape, std::size_t axis) {
  shape[axis] = 1;
  return shape;
}

}  // namespace

Array sum(Tape& tape, const Array& x, std::size_t axis, double weight) {
  return build(collapsed(x.shape, axis), [&](const Index& at) {
    double total = 0;
    std::vector<Tape::Parent> parents;
    for (auto s : line(x, axis, at)) {
      total += weight * tape.value(s);
      parents.push_back({s, weight});
    }
    return tape.add(total, std::move(parents));
  });
}

Array largest(Tape& tape, const Array& x, std::size_t axis) {
  return build(collapsed(x.shape, axis), [&](const Index& at) {
    const auto scalars = line(x, axis, at);
    double top = tape.value(scalars[0]);
    for (auto s : scalars) top = std::max(top, tape.value(s));
    std::vector<Tape::Parent> parents;
    for (auto s : scalars)
      if (tape.value(s) == top) parents.push_back({s, 1});
    for (auto& p : parents) p.partial = 1 / static_cast<double>(parents.size());
    return tape.add(top, std::move(parents));
  });
}

Array softmax(Tape& tape, const Array& x, std::size_t axis) {
  return build(x.shape, [&](const Index& at) {
    const auto scalars = line(x, axis, at);
    double total = 0;
    for (auto s : scalars) total += std::exp(tape.value(s));
    const double own = std::exp(tape.value(scalars[at[axis]])) / total;
    std::vector<Tape::Parent> parents;
    for (std::size_t i = 0; i < scalars.size(); ++i) {
      const double other = std::exp(tape.value(scalars[i])) / total;
      parents.push_back({scalars[i], i == at[axis] ? own * (1 - own) : -own * other});
    }
    return tape.add(own, std::move(parents));
  });
}

Array product(Tape& tape, const Array& a, const Array& b) {
  return build({a.shape[0], b.shape[1]}, [&](const Index& at) {
    double total = 0;
    std::vector<Tape::Parent> parents;
    for (std::size_t k = 0; k < a.shape[1]; ++k) {
      const std::size_t s = a.scalar(at[0] * a.shape[1] + k), t = b.scalar(k * b.shape[1] + at[1]);
      total += tape.value(s) * tape.value(t);
      parents.push_back({s, tape.value(t)});
      parents.push_back({t, tape.value(s)});
    }
    return tape.add(total, std::move(parents));
  });
}

void write(const Array& x, const Array& values) {
  // Read everything first: the two may overlap.
  std::vector<std::size_t> scalars;
  for (const auto& at : positions(x.shape)) scalars.push_back(broadcast_scalar(values, at));
  for (std::size_t i = 0; i < scalars.size(); ++i) (*x.store)[x.places[i]] = scalars[i];
}

}  // namespace oracle
