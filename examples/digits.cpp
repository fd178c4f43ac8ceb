// Trains a network on small grey images, tests it, and leaves pictures and the weights: ./run digits --help
//
// This page is the order of events. What is worth reading first: digits/network.hpp and digits/training.cpp.
#include <exception>
#include <iostream>

#include "autodiff/autodiff.hpp"
#include "examples/digits/images.hpp"
#include "examples/digits/network.hpp"
#include "examples/digits/options.hpp"
#include "examples/digits/report.hpp"
#include "examples/digits/training.hpp"
#include "plot/format.hpp"

namespace cadena::examples {
using namespace plot;

namespace {

void run(const DigitsOptions& options) {
  set_num_threads(options.threads);
  manual_seed(options.seed);

  const Images images = load_images(options);
  prepare_folder(options.out);
  DigitsNet net(images.rows() * images.columns(), static_cast<std::int64_t>(images.classes.size()),
                options.dropout);
  net.mean.fill_(images.mean);
  net.deviation.fill_(images.deviation);
  print_header(images, net, options);

  const History history = train(net, images, options);
  const Predictions test = predict(net, images.test);
  print_result(images, test, options.out);

  const auto files = leave_files(images, net, options, history, test);
  std::cout << "checksum       " << checksum(files.back().path) << "   (of the weights)\n"
            << "training time  " << format_duration(history.seconds) << "\n\n";
  for (const auto& [path, what] : files) std::cout << path.string() << ": " << what << '\n';
}

}  // namespace
}  // namespace cadena::examples

int main(int argc, char** argv) {
  using namespace cadena::examples;
  const auto [options, exit_code] = parse_options(argc, argv);
  if (exit_code) return *exit_code;
  try {
    run(options);
    return 0;
  } catch (const std::exception& error) {
    std::cout << std::flush;
    std::cerr << "digits: " << error.what() << '\n';
    return 1;
  }
}
