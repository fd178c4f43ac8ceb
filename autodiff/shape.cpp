#include "autodiff/shape.hpp"

#include <algorithm>
#include <limits>

namespace cadena {

void Dims::insert(int at, std::int64_t v) {
  push_back(v);
  std::rotate(d_ + at, d_ + rank_ - 1, d_ + rank_);
}

void Dims::erase(int at) {
  std::copy(d_ + at + 1, d_ + rank_, d_ + at);
  --rank_;
}

std::string to_string(const Dims& dims) {
  std::string text = "(";
  for (int i = 0; i < dims.rank(); ++i) text += (i ? ", " : "") + std::to_string(dims[i]);
  return text + (dims.rank() == 1 ? ",)" : ")");
}

Strides contiguous_strides(const Shape& shape) {
  Strides strides;
  for (int i = 0; i < shape.rank(); ++i) strides.push_back(1);
  for (int i = shape.rank() - 2; i >= 0; --i)
    strides[i] = strides[i + 1] * std::max<std::int64_t>(shape[i + 1], 1);
  return strides;
}

std::int64_t checked_numel(const char* op, const Shape& shape, std::size_t itemsize) {
  const auto refuse = [&](const char* expected) {
    throw ShapeError("[" + std::string(op) + "] expected " + expected + ", got " + to_string(shape));
  };
  std::int64_t n = 1, bytes = static_cast<std::int64_t>(itemsize);
  bool overflow = false;
  for (auto d : shape) {
    if (d < 0) refuse("extents >= 0");
    // Zero extents must not hide an overflow of the others: strides are products of them.
    overflow |= __builtin_mul_overflow(bytes, d > 0 ? d : 1, &bytes);
    n = static_cast<std::int64_t>(static_cast<std::uint64_t>(n) * static_cast<std::uint64_t>(d));
  }
  if (overflow || bytes > std::numeric_limits<std::int64_t>::max() >> 1) refuse("a size below 2^62 bytes");
  return n;
}

Shape broadcast(const char* op, const Shape& a, const Shape& b) {
  const int rank = std::max(a.rank(), b.rank());
  Shape out;
  for (int i = 0; i < rank; ++i) {
    const int ia = i - (rank - a.rank()), ib = i - (rank - b.rank());
    const auto da = ia < 0 ? 1 : a[ia], db = ib < 0 ? 1 : b[ib];
    if (da != db && da != 1 && db != 1)
      throw ShapeError("[" + std::string(op) + "] expected shapes that broadcast, got " + to_string(a) +
                       " and " + to_string(b));
    out.push_back(da == 1 ? db : da);
  }
  return out;
}

int normalize_axis(const char* op, std::int64_t axis, int rank) {
  if (axis < -rank || axis >= rank)
    throw IndexError("[" + std::string(op) + "] expected an axis in [" + std::to_string(-rank) + ", " +
                     std::to_string(rank) + "), got " + std::to_string(axis));
  return static_cast<int>(axis < 0 ? axis + rank : axis);
}

Axes normalize_axes(const char* op, const Axes& axes, int rank) {
  Axes out;
  if (axes.empty()) {
    for (int i = 0; i < rank; ++i) out.push_back(i);
    return out;
  }
  for (auto a : axes) out.push_back(normalize_axis(op, a, rank));
  std::sort(out.begin(), out.end());
  if (std::adjacent_find(out.begin(), out.end()) != out.end())
    throw ValueError("[" + std::string(op) + "] expected each axis once, got " + to_string(axes));
  return out;
}

}  // namespace cadena
