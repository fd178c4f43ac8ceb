// The network that digits trains.
#pragma once

#include <cstdint>

#include "autodiff/ops.hpp"
#include "nn/nn.hpp"

namespace cadena::examples {

/// A multilayer perceptron: pixels -> 256 -> 128 -> classes. It knows the mean and the deviation of the
/// pixels, so that whoever loads its weights feeds it images as they are, in [0, 1].
struct DigitsNet : nn::Module {
  nn::Buffer mean, deviation;
  nn::Linear fc1, fc2, fc3;
  nn::Dropout dropout;

  DigitsNet(std::int64_t pixels, std::int64_t classes, double p)
      : mean(zeros({1})),
        deviation(ones({1})),
        fc1(pixels, 256),
        fc2(256, 128),
        fc3(128, classes),
        dropout(p) {}

  /// (batch, rows, columns) -> (batch, classes), before the softmax
  Tensor operator()(const Tensor& images) {
    Tensor h = (images.flatten(1) - mean) / deviation;
    h = dropout(relu(fc1(h)));
    h = dropout(relu(fc2(h)));
    return fc3(h);
  }

  void visit(nn::Visitor& v) override {
    v("mean", mean);
    v("deviation", deviation);
    v("fc1", fc1);
    v("fc2", fc2);
    v("fc3", fc3);
    v("dropout", dropout);
  }
};

}  // namespace cadena::examples
