// What a network consists of, seen on one input.
#pragma once

#include <cstdint>
#include <functional>
#include <iosfwd>
#include <string>
#include <vector>

#include "nn/module.hpp"

namespace cadena::nn {

struct SummaryRow {
  std::string path;            ///< dotted, "" for the model itself
  std::string type;            ///< name of the class
  std::vector<Shape> outputs;  ///< of the last call; empty if it was not called through Callable::call
  std::int64_t parameters;     ///< numbers in the module's own parameters, not those of its children
  std::int64_t trainable;      ///< of these, those that require grad
  std::int64_t macs;   ///< multiply-adds of all its calls: the module's own, not those of its children
  std::int64_t bytes;  ///< of its outputs, of all calls
  std::int64_t calls;
  int depth;
};

/// Parameters and modules that occur twice count once.
struct Summary {
  std::vector<SummaryRow> rows;  ///< the model, then its modules in the order of definition
  std::int64_t parameters = 0, trainable = 0;
  std::int64_t parameter_bytes = 0, buffer_bytes = 0;
  std::int64_t macs = 0;
  std::int64_t output_bytes = 0;  ///< of modules without children: about what a backward pass keeps

  std::string to_string() const;  ///< a table
};
std::ostream& operator<<(std::ostream& out, const Summary& summary);

namespace detail {
Summary summarize(Module& model, const std::function<TensorList()>& run);
}

/// Calls `model(inputs...)` once, unrecorded and in evaluation mode (afterwards every module is in its former
/// one), and lists what took part.
///
///   std::cout << nn::summary(net, zeros({1, 3, 32, 32}));
template <std::derived_from<Module> M, class... T>
Summary summary(M& model, const T&... inputs) {
  return detail::summarize(model, [&] {
    auto result = model(inputs...);
    TensorList outputs;
    for (const Tensor* t : tensors_of(result)) outputs.push_back(*t);
    return outputs;
  });
}

}  // namespace cadena::nn
