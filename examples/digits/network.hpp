// The networks that digits trains.
#pragma once

#include <memory>
#include <string>

#include "examples/digits/options.hpp"
#include "examples/support/images.hpp"
#include "nn/nn.hpp"

namespace cadena::examples {

/// What both have in common: they know the mean and the deviation of the pixels, so that whoever loads their
/// weights feeds them images as they are, in [0, 1].
struct DigitsNet : nn::Module {
  nn::Buffer mean, deviation;

  explicit DigitsNet(const Images& images);

  /// (batch, rows, columns) -> (batch, classes), before the softmax
  Tensor operator()(const Tensor& images) { return logits((images - mean) / deviation); }
  virtual Tensor logits(const Tensor& normalized) = 0;

  void visit(nn::Visitor& v) override {
    v("mean", mean);
    v("deviation", deviation);
  }
  /// "perceptron 784-256-128-10 with ReLU"
  virtual std::string describe() const = 0;
  /// What the units of the first layer weigh, (units, rows, columns).
  virtual Tensor filters() const = 0;
};

/// A multilayer perceptron: pixels -> 256 -> 128 -> classes.
struct Perceptron : DigitsNet {
  nn::Linear fc1, fc2, fc3;
  nn::Dropout dropout;

  Perceptron(const Images& images, double p);
  Tensor logits(const Tensor& normalized) override;
  void visit(nn::Visitor& v) override;
  std::string describe() const override;
  Tensor filters() const override;

 private:
  std::int64_t rows_, columns_;
};

/// Two convolutions, each normalised over the batch and halved in both directions, and two linear layers.
struct ConvNet : DigitsNet {
  nn::Conv2d conv1, conv2;
  nn::BatchNorm2d norm1, norm2;
  nn::MaxPool2d pool;
  nn::Linear fc1, fc2;
  nn::Dropout dropout;

  /// @throws ValueError for images that cannot be halved twice
  ConvNet(const Images& images, double p);
  Tensor logits(const Tensor& normalized) override;
  void visit(nn::Visitor& v) override;
  std::string describe() const override;
  Tensor filters() const override;
};

/// The one that the options name.
std::unique_ptr<DigitsNet> make_net(const Images& images, const DigitsOptions& options);

}  // namespace cadena::examples
