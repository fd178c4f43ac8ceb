// What is done to pictures before a network sees them. Names and meaning are torchvision's.
//
// A transform takes a picture (channels, height, width) and returns a new one. What is random draws from
// `default_generator()`, which a DataLoader sets for every sample: the same pictures for any number of
// workers, others in every epoch. `map_x(dataset, Compose{...})` applies them.
#pragma once

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <span>
#include <vector>

#include "autodiff/tensor.hpp"
#include "data/dataset.hpp"

namespace cadena::data {

using Transform = std::function<Tensor(const Tensor&)>;

/// One after the other.
class Compose {
 public:
  Compose(std::initializer_list<Transform> transforms) : transforms_(transforms) {}
  Tensor operator()(const Tensor& x) const;

 private:
  std::vector<Transform> transforms_;
};

struct ImageSize {
  std::int64_t height = 0, width = 0;
};

/// (x - mean) / std, one of each for all channels or for each. @throws ValueError for other numbers of them
/// or a std of 0
struct Normalize {
  std::vector<double> mean, std;
  Tensor operator()(const Tensor& x) const;
};

/// Bilinear, edges on edges (align_corners false). @throws ValueError for sizes below 1
struct Resize {
  ImageSize size;
  Tensor operator()(const Tensor& x) const;
};

/// The middle of the picture; half a pixel up and to the left where it is not one. @throws ShapeError if the
/// picture is smaller
struct CenterCrop {
  ImageSize size;
  Tensor operator()(const Tensor& x) const;
};

/// A random part of the picture, with `padding` zeros added on each side before. @throws ShapeError if that
/// is smaller than the part
struct RandomCrop {
  ImageSize size;
  std::int64_t padding = 0;
  Tensor operator()(const Tensor& x) const;
};

/// Left and right change places with probability p.
struct RandomHorizontalFlip {
  double p = 0.5;
  Tensor operator()(const Tensor& x) const;
};

/// Top and bottom change places with probability p.
struct RandomVerticalFlip {
  double p = 0.5;
  Tensor operator()(const Tensor& x) const;
};

/// Turns around the middle by an angle uniform on [-degrees, degrees], counter-clockwise; bilinear, zeros
/// around.
struct RandomRotation {
  double degrees = 0;
  Tensor operator()(const Tensor& x) const;
};

/// Adds normal noise. @throws ValueError if sigma < 0
struct GaussianNoise {
  double sigma = 0.1;
  Tensor operator()(const Tensor& x) const;
};

/// Mixes each sample of a batch with another one (Zhang et al., "mixup", 2018): x becomes lambda x + (1 -
/// lambda) x', and the labels, integers (N), become shares (N, classes) in the same way, one lambda ~
/// Beta(alpha, alpha) for the batch. Use it as the `collate` of a loader, or on a batch.
/// @throws ValueError unless alpha > 0 and labels lie in [0, classes), ShapeError and DtypeError for other
/// labels
struct MixUp {
  std::int64_t classes = 0;
  double alpha = 1;
  Batch operator()(const Batch& batch) const;
  Batch operator()(std::span<const Sample> samples) const;
};

}  // namespace cadena::data
