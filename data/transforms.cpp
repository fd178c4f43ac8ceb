#include "data/transforms.hpp"

#include <cmath>
#include <numbers>
#include <string>

#include "autodiff/ops.hpp"
#include "autodiff/random.hpp"
#include "data/compose.hpp"

namespace cadena::data {
namespace {

void expect_picture(const char* op, const Tensor& x) {
  if (x.dim() != 3 || x.numel() == 0)
    throw ShapeError(std::string("[").append(op) +
                     "] expected a picture (channels, height, width), got shape " + to_string(x.shape()));
}

/// Uniform on [0, 1).
double uniform() { return static_cast<double>(default_generator().next() >> 11) * 0x1p-53; }

Tensor crop(const char* op, const Tensor& x, ImageSize size, const auto& first) {
  const std::int64_t down = x.size(1) - size.height, right = x.size(2) - size.width;
  if (size.height < 1 || size.width < 1 || down < 0 || right < 0)
    throw ShapeError(std::string("[").append(op) + "] expected a picture of at least " +
                     std::to_string(size.height) + " x " + std::to_string(size.width) + ", got shape " +
                     to_string(x.shape()));
  const std::int64_t top = first(down), left = first(right);
  return x.slice(1, {top, top + size.height}).slice(2, {left, left + size.width});
}

Tensor per_channel(const std::vector<double>& values, const Tensor& x) {
  const auto n = static_cast<std::int64_t>(values.size());
  if (n != 1 && n != x.size(0))
    throw ValueError("[Normalize] expected 1 or " + std::to_string(x.size(0)) + " numbers, got " +
                     std::to_string(n));
  return tensor(values, {n, 1, 1}).to(x.dtype());
}

}  // namespace

Tensor Compose::operator()(const Tensor& x) const {
  Tensor y = x;
  for (const Transform& transform : transforms_) y = transform(y);
  return y;
}

Tensor Normalize::operator()(const Tensor& x) const {
  expect_picture("Normalize", x);
  for (const double s : std)
    if (s == 0) throw ValueError("[Normalize] expected a std that is not 0, got 0");
  return (x - per_channel(mean, x)) / per_channel(std, x);
}

Tensor Resize::operator()(const Tensor& x) const {
  expect_picture("Resize", x);
  if (size.height < 1 || size.width < 1)
    throw ValueError("[Resize] expected sizes of 1 or more, got " + std::to_string(size.height) + " x " +
                     std::to_string(size.width));
  return interpolate(x.unsqueeze(0), {.size = {size.height, size.width}, .mode = InterpolateMode::bilinear})
      .squeeze(0);
}

Tensor CenterCrop::operator()(const Tensor& x) const {
  expect_picture("CenterCrop", x);
  return crop("CenterCrop", x, size, [](std::int64_t spare) { return spare / 2; });
}

Tensor RandomCrop::operator()(const Tensor& x) const {
  expect_picture("RandomCrop", x);
  if (padding < 0) throw ValueError("[RandomCrop] expected padding >= 0, got " + std::to_string(padding));
  const Tensor wide = padding > 0 ? pad(x, {{padding, padding}, {padding, padding}}) : x;
  return crop("RandomCrop", wide, size, [](std::int64_t spare) {
    return static_cast<std::int64_t>(default_generator().below(static_cast<std::uint64_t>(spare) + 1));
  });
}

Tensor RandomHorizontalFlip::operator()(const Tensor& x) const {
  expect_picture("RandomHorizontalFlip", x);
  return uniform() < p ? flip(x, 2) : x;
}

Tensor RandomVerticalFlip::operator()(const Tensor& x) const {
  expect_picture("RandomVerticalFlip", x);
  return uniform() < p ? flip(x, 1) : x;
}

Tensor RandomRotation::operator()(const Tensor& x) const {
  expect_picture("RandomRotation", x);
  const double angle = (2 * uniform() - 1) * degrees * std::numbers::pi / 180;
  // The grid says where each pixel comes from, in half heights and widths: a square pixel is not square
  // there.
  const double c = std::cos(angle), s = std::sin(angle);
  const double ratio = static_cast<double>(x.size(1)) / static_cast<double>(x.size(2));
  const Tensor theta = tensor({{{c, -s * ratio, 0.0}, {s / ratio, c, 0.0}}}, x.dtype());
  const Tensor image = x.unsqueeze(0);
  return grid_sample(image, affine_grid(theta, image.shape())).squeeze(0);
}

Tensor GaussianNoise::operator()(const Tensor& x) const {
  expect_picture("GaussianNoise", x);
  if (!(sigma >= 0)) throw ValueError("[GaussianNoise] expected sigma >= 0, got " + std::to_string(sigma));
  return x + randn(x.shape(), x.dtype()) * sigma;
}

Batch MixUp::operator()(const Batch& batch) const {
  if (!(alpha > 0)) throw ValueError("[MixUp] expected alpha > 0, got " + std::to_string(alpha));
  if (batch.y.dim() != 1 || batch.x.dim() == 0 || batch.x.size(0) != batch.y.size(0))
    throw ShapeError("[MixUp] expected x (N, ...) and labels (N), got " + to_string(batch.x.shape()) +
                     " and " + to_string(batch.y.shape()));
  if (batch.y.dtype() != i64)
    throw DtypeError("[MixUp] expected labels of i64, got " + std::string(name(batch.y.dtype())));
  const double lambda = random::beta(alpha, alpha, {.shape = Shape{}, .dtype = f64}).item();
  const Tensor other = randperm(batch.y.size(0));
  for (const auto label : batch.y.to_vector<std::int64_t>())
    if (label < 0 || label >= classes)
      throw ValueError("[MixUp] expected labels in [0, " + std::to_string(classes) + "), got " +
                       std::to_string(label));
  const Tensor shares = to(eq(batch.y.unsqueeze(1), arange(classes)), batch.x.dtype());
  const auto mix = [&](const Tensor& t) { return t * lambda + index_select(t, 0, other) * (1 - lambda); };
  return {mix(batch.x), mix(shares)};
}

Batch MixUp::operator()(std::span<const Sample> samples) const { return (*this)(default_collate(samples)); }

}  // namespace cadena::data
