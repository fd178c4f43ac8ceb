// Learns to draw: a variational autoencoder that is shown digits. ./run generate --help
//
// This page is the order of events. What is worth reading first: generate/vae.hpp and generate/vae.cpp.
#include <iostream>

#include "autodiff/autodiff.hpp"
#include "examples/generate/options.hpp"
#include "examples/generate/report.hpp"
#include "examples/generate/training.hpp"
#include "examples/generate/vae.hpp"
#include "examples/support/images.hpp"
#include "examples/support/left_files.hpp"
#include "plot/format.hpp"

namespace cadena::examples {
namespace {

train::Stop run(const GenerateOptions& options) {
  const Images images = load_images(options.images, options.seed);
  prepare(options);
  Vae vae(images.rows(), images.columns(), options.latent);
  print_header(options, describe(images, vae, options));

  const train::FitResult result = train_vae(vae, images, options);
  say_how_it_ended("generate", options, result);
  if (result.stop == train::Stop::interrupt) return result.stop;

  print_result(images, vae, options.seed);
  const auto files = leave_files(images, vae, options, result.history);
  std::cout << "checksum       " << checksum(files.back().path) << "   (of the weights)\n"
            << "training time  " << plot::format_duration(result.seconds) << "\n\n";
  print_files(files);
  return result.stop;
}

}  // namespace
}  // namespace cadena::examples

int main(int argc, char** argv) {
  using namespace cadena::examples;
  CommandLine line("generate",
                   "Learns to draw images like those it is shown, digits by default, with a\n"
                   "variational autoencoder; leaves sheets of what it draws.");
  GenerateOptions options;
  add_options(line, options);
  return run_program(line, argc, argv, [&] { return run(options); });
}
