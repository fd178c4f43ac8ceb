#include "nn/positions.hpp"

#include <bit>
#include <cmath>
#include <string>
#include <vector>

#include "autodiff/ops.hpp"

namespace cadena::nn {

namespace {

/// p base^(-2 i / extent) for all positions and pairs, in f64.
Tensor angles(std::int64_t max_length, std::int64_t extent, double base) {
  const Tensor p = arange(0, max_length, 1, f64).unsqueeze(1);
  return p * pow(full({}, base, f64), arange(0, extent, 2, f64) * (-1.0 / static_cast<double>(extent)));
}

void check(const char* layer, std::int64_t extent, std::int64_t max_length, bool even) {
  if (extent < 1 || max_length < 1 || (even && extent % 2 != 0))
    throw ValueError("[" + std::string(layer) + "] expected " + (even ? "an even extent" : "an extent") +
                     " > 0 and max_length > 0, got " + std::to_string(extent) + " and " +
                     std::to_string(max_length));
}

/// Rows offset ... of a table, for a sequence of some length.
Tensor rows(const char* layer, const Tensor& table, std::int64_t offset, std::int64_t length) {
  if (offset < 0 || offset + length > table.size(0))
    throw ValueError("[" + std::string(layer) +
                     "] expected positions below max_length = " + std::to_string(table.size(0)) + ", got " +
                     std::to_string(offset) + " to " + std::to_string(offset + length - 1));
  return table.slice(0, {offset, offset + length});
}

}  // namespace

SinusoidalPositions::SinusoidalPositions(std::int64_t embed_dim, const SinusoidalPositionsOptions& o)
    : batch_first_(o.batch_first) {
  check("SinusoidalPositions", embed_dim, o.max_length, false);
  const Tensor a = angles(o.max_length, embed_dim, o.base);
  const Tensor pairs = stack({sin(a), cos(a)}, 2).reshape({o.max_length, 2 * a.size(1)});
  positions = pairs.slice(1, {0, embed_dim}).to(f32);
}

Tensor SinusoidalPositions::forward(const Tensor& x, std::int64_t offset) {
  if ((x.dim() != 2 && x.dim() != 3) || x.size(-1) != positions.size(1))
    throw ShapeError("[SinusoidalPositions] expected 2 or 3 dimensions, the last of " +
                     std::to_string(positions.size(1)) + ", got " + cadena::to_string(x.shape()));
  const bool batch_inside = x.dim() == 3 && !batch_first_;
  const Tensor table =
      rows("SinusoidalPositions", positions, offset, x.size(x.dim() == 3 && batch_first_ ? 1 : 0));
  return x + (batch_inside ? table.unsqueeze(1) : table).to(x.dtype());
}

std::string SinusoidalPositions::extra_repr() const {
  return std::to_string(positions.size(1)) + ", max_length=" + std::to_string(positions.size(0));
}

RotaryPositions::RotaryPositions(std::int64_t head_dim, const RotaryPositionsOptions& o)
    : interleaved_(o.interleaved) {
  check("RotaryPositions", head_dim, o.max_length, true);
  const Tensor a = angles(o.max_length, head_dim, o.base);
  cosines = cos(a).to(f32);
  sines = sin(a).to(f32);
}

Tensor RotaryPositions::forward(const Tensor& x, std::int64_t offset) {
  const auto half = cosines.size(1);
  if (x.dim() < 2 || x.size(-1) != 2 * half)
    throw ShapeError("[RotaryPositions] expected (..., L, " + std::to_string(2 * half) + "), got " +
                     cadena::to_string(x.shape()));
  const Tensor c = rows("RotaryPositions", cosines, offset, x.size(-2)).to(x.dtype());
  const Tensor s = rows("RotaryPositions", sines, offset, x.size(-2)).to(x.dtype());
  const Tensor a = x.slice(-1, interleaved_ ? Slice{0, {}, 2} : Slice{0, half});
  const Tensor b = x.slice(-1, interleaved_ ? Slice{1, {}, 2} : Slice{half, {}});
  const Tensor first = a * c - b * s, second = a * s + b * c;
  return interleaved_ ? stack({first, second}, -1).reshape(x.shape()) : cat({first, second}, -1);
}

void RotaryPositions::visit(Visitor& v) {
  v("cosines", cosines, false);
  v("sines", sines, false);
}

std::string RotaryPositions::extra_repr() const {
  return std::to_string(2 * cosines.size(1)) + ", max_length=" + std::to_string(cosines.size(0)) +
         (interleaved_ ? "" : ", interleaved=False");
}

AlibiPositions::AlibiPositions(std::int64_t num_heads) {
  if (num_heads < 1)
    throw ValueError("[AlibiPositions] expected num_heads > 0, got " + std::to_string(num_heads));
  const auto even = static_cast<std::int64_t>(std::bit_floor(static_cast<std::uint64_t>(num_heads)));
  const auto slope = [](double h, std::int64_t heads) {
    return std::exp2(-8 * h / static_cast<double>(heads));
  };
  std::vector<double> values;
  for (std::int64_t h = 1; h <= even; ++h) values.push_back(slope(static_cast<double>(h), even));
  for (std::int64_t h = 1; even + h <= num_heads; ++h)
    values.push_back(slope(static_cast<double>(2 * h - 1), 2 * even));
  slopes = tensor(values).to(f32);
}

Tensor AlibiPositions::operator()(std::int64_t queries, std::int64_t keys) const {
  if (queries < 0 || queries > keys)
    throw ValueError("[AlibiPositions] expected 0 <= queries <= keys, got " + std::to_string(queries) +
                     " and " + std::to_string(keys));
  const Tensor distances = abs(arange(keys - queries, keys).unsqueeze(1) - arange(keys));
  return -slopes.reshape({-1, 1, 1}) * distances;
}

std::string AlibiPositions::extra_repr() const { return std::to_string(slopes.size(0)); }

}  // namespace cadena::nn
