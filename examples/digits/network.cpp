#include "examples/digits/network.hpp"

#include "autodiff/autodiff.hpp"

namespace cadena::examples {
namespace {

constexpr std::int64_t hidden1 = 256, hidden2 = 128;                  // of the perceptron
constexpr std::int64_t channels1 = 16, channels2 = 32, hidden = 128;  // of the convolutional net
constexpr std::int64_t kernel1 = 5, kernel2 = 3;

std::int64_t class_count(const Images& images) { return static_cast<std::int64_t>(images.classes.size()); }

/// Numbers that the last convolution hands on.
std::int64_t features(const Images& images) {
  constexpr std::int64_t least = 4;
  if (images.rows() < least || images.columns() < least)
    throw ValueError("[--model cnn] expected images of at least 4 x 4 pixels, got " +
                     std::to_string(images.rows()) + " x " + std::to_string(images.columns()));
  return channels2 * (images.rows() / 4) * (images.columns() / 4);
}

}  // namespace

DigitsNet::DigitsNet(const Images& images)
    : mean(full({1}, images.mean)), deviation(full({1}, images.deviation)) {}

Perceptron::Perceptron(const Images& images, double p)
    : DigitsNet(images),
      fc1(images.rows() * images.columns(), hidden1),
      fc2(hidden1, hidden2),
      fc3(hidden2, class_count(images)),
      dropout(p),
      rows_(images.rows()),
      columns_(images.columns()) {}

Tensor Perceptron::logits(const Tensor& normalized) {
  Tensor h = dropout(relu(fc1(normalized.flatten(1))));
  h = dropout(relu(fc2(h)));
  return fc3(h);
}

void Perceptron::visit(nn::Visitor& v) {
  DigitsNet::visit(v);
  v("fc1", fc1);
  v("fc2", fc2);
  v("fc3", fc3);
  v("dropout", dropout);
}

std::string Perceptron::describe() const {
  const auto size = [](const nn::Linear& layer, int axis) { return std::to_string(layer.weight.size(axis)); };
  return "perceptron " + size(fc1, 1) + "-" + size(fc1, 0) + "-" + size(fc2, 0) + "-" + size(fc3, 0) +
         " with ReLU";
}

Tensor Perceptron::filters() const { return fc1.weight.detach().reshape({hidden1, rows_, columns_}); }

ConvNet::ConvNet(const Images& images, double p)
    : DigitsNet(images),
      conv1(1, channels1, kernel1, {.padding = kernel1 / 2}),
      conv2(channels1, channels2, kernel2, {.padding = kernel2 / 2}),
      norm1(channels1),
      norm2(channels2),
      pool(2),
      fc1(features(images), hidden),
      fc2(hidden, class_count(images)),
      dropout(p) {}

Tensor ConvNet::logits(const Tensor& normalized) {
  Tensor h = pool(relu(norm1(conv1(normalized.unsqueeze(1)))));
  h = pool(relu(norm2(conv2(h))));
  h = dropout(relu(fc1(dropout(h.flatten(1)))));
  return fc2(h);
}

void ConvNet::visit(nn::Visitor& v) {
  DigitsNet::visit(v);
  v("conv1", conv1);
  v("norm1", norm1);
  v("conv2", conv2);
  v("norm2", norm2);
  v("pool", pool);
  v("fc1", fc1);
  v("fc2", fc2);
  v("dropout", dropout);
}

std::string ConvNet::describe() const {
  const auto filters = [](const nn::Conv2d& layer) {
    return std::to_string(layer.weight.size(0)) + " filters of " + std::to_string(layer.weight.size(2)) +
           " x " + std::to_string(layer.weight.size(3));
  };
  return "convolutional: " + filters(conv1) + ", " + filters(conv2) + ", linear " +
         std::to_string(fc1.weight.size(1)) + "-" + std::to_string(fc1.weight.size(0)) + "-" +
         std::to_string(fc2.weight.size(0));
}

Tensor ConvNet::filters() const { return conv1.weight.detach().squeeze(1); }

std::unique_ptr<DigitsNet> make_net(const Images& images, const DigitsOptions& options) {
  if (options.model == "cnn") return std::make_unique<ConvNet>(images, options.dropout);
  return std::make_unique<Perceptron>(images, options.dropout);
}

}  // namespace cadena::examples
