// Margins as layers: see `pad` in autodiff/ops/padding.hpp.
#pragma once

#include "autodiff/ops.hpp"
#include "nn/module.hpp"

namespace cadena::nn {

/// Base of the layers below, which widen the last one to three dimensions. `padding` is one number for all
/// sides or one for each, in PyTorch's order: left, right, top, bottom, front, back.
class Pad : public Layer {
 public:
  Tensor forward(const Tensor& x) override;
  std::string extra_repr() const override;

 protected:
  /// @throws ValueError unless there are 1 or 2 `rank` numbers
  Pad(int rank, const PerAxis& padding, PadMode mode, Scalar value = 0);
  std::string constant_repr() const;  ///< with the value

 private:
  PerAxis padding_;  // 2 rank numbers
  PadMode mode_;
  Scalar value_;
};

/// The elements mirrored at the edge, which is not repeated.
class ReflectionPad1d : public Pad {
 public:
  explicit ReflectionPad1d(const PerAxis& padding) : Pad(1, padding, PadMode::reflect) {}
};
class ReflectionPad2d : public Pad {
 public:
  explicit ReflectionPad2d(const PerAxis& padding) : Pad(2, padding, PadMode::reflect) {}
};
class ReflectionPad3d : public Pad {
 public:
  explicit ReflectionPad3d(const PerAxis& padding) : Pad(3, padding, PadMode::reflect) {}
};

/// The edge repeated.
class ReplicationPad1d : public Pad {
 public:
  explicit ReplicationPad1d(const PerAxis& padding) : Pad(1, padding, PadMode::replicate) {}
};
class ReplicationPad2d : public Pad {
 public:
  explicit ReplicationPad2d(const PerAxis& padding) : Pad(2, padding, PadMode::replicate) {}
};
class ReplicationPad3d : public Pad {
 public:
  explicit ReplicationPad3d(const PerAxis& padding) : Pad(3, padding, PadMode::replicate) {}
};

/// The elements from the other end.
class CircularPad1d : public Pad {
 public:
  explicit CircularPad1d(const PerAxis& padding) : Pad(1, padding, PadMode::circular) {}
};
class CircularPad2d : public Pad {
 public:
  explicit CircularPad2d(const PerAxis& padding) : Pad(2, padding, PadMode::circular) {}
};
class CircularPad3d : public Pad {
 public:
  explicit CircularPad3d(const PerAxis& padding) : Pad(3, padding, PadMode::circular) {}
};

/// Zeros.
class ZeroPad1d : public Pad {
 public:
  explicit ZeroPad1d(const PerAxis& padding) : Pad(1, padding, PadMode::constant) {}
};
class ZeroPad2d : public Pad {
 public:
  explicit ZeroPad2d(const PerAxis& padding) : Pad(2, padding, PadMode::constant) {}
};
class ZeroPad3d : public Pad {
 public:
  explicit ZeroPad3d(const PerAxis& padding) : Pad(3, padding, PadMode::constant) {}
};

/// One number everywhere.
class ConstantPad1d : public Pad {
 public:
  ConstantPad1d(const PerAxis& padding, Scalar value) : Pad(1, padding, PadMode::constant, value) {}
  std::string extra_repr() const override { return constant_repr(); }
};
class ConstantPad2d : public Pad {
 public:
  ConstantPad2d(const PerAxis& padding, Scalar value) : Pad(2, padding, PadMode::constant, value) {}
  std::string extra_repr() const override { return constant_repr(); }
};
class ConstantPad3d : public Pad {
 public:
  ConstantPad3d(const PerAxis& padding, Scalar value) : Pad(3, padding, PadMode::constant, value) {}
  std::string extra_repr() const override { return constant_repr(); }
};

}  // namespace cadena::nn
