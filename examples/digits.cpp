// Trains a network on small grey images, tests it, and leaves pictures and the weights: ./run digits --help
//
// This page is the order of events. What is worth reading first: digits/network.hpp and digits/training.cpp.
#include <iostream>

#include "autodiff/autodiff.hpp"
#include "examples/digits/network.hpp"
#include "examples/digits/options.hpp"
#include "examples/digits/report.hpp"
#include "examples/digits/training.hpp"
#include "examples/support/images.hpp"
#include "examples/support/left_files.hpp"
#include "plot/format.hpp"

namespace cadena::examples {
namespace {

train::Stop run(const DigitsOptions& options) {
  const Images images = load_images(options.images, options.seed);
  prepare(options);
  const auto net = make_net(images, options);
  print_header(options, describe(images, *net, options));

  const train::FitResult result = train_net(*net, images, options);
  say_how_it_ended("digits", options, result);
  if (result.stop == train::Stop::interrupt) return result.stop;

  const auto test = predict(*net, images.test, static_cast<std::int64_t>(images.classes.size()));
  print_result(images, test, options.out);
  const auto files = leave_files(images, *net, options, result.history, test);
  std::cout << "checksum       " << checksum(files.back().path) << "   (of the weights)\n"
            << "training time  " << plot::format_duration(result.seconds) << "\n\n";
  print_files(files);
  return result.stop;
}

}  // namespace
}  // namespace cadena::examples

int main(int argc, char** argv) {
  using namespace cadena::examples;
  CommandLine line("digits", "Trains a network on images of clothes or digits, tests it, leaves pictures.");
  DigitsOptions options;
  add_options(line, options);
  return run_program(line, argc, argv, [&] { return run(options); });
}
