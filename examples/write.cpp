// Learns to write like a text, character by character, with a small GPT. ./run write --help
//
// This page is the order of events. What is worth reading first: write/model.hpp and write/writing.cpp.
#include <iostream>

#include "autodiff/autodiff.hpp"
#include "data/files/safetensors.hpp"
#include "examples/support/left_files.hpp"
#include "examples/support/same_run.hpp"
#include "examples/write/corpus.hpp"
#include "examples/write/model.hpp"
#include "examples/write/options.hpp"
#include "examples/write/report.hpp"
#include "examples/write/training.hpp"
#include "examples/write/trigram.hpp"
#include "examples/write/writing.hpp"
#include "plot/format.hpp"

namespace cadena::examples {
namespace {

train::Stop train_and_write(const WriteOptions& o) {
  const Corpus corpus = load_corpus(o);
  prepare(o);
  Gpt gpt(corpus.vocabulary.size(), o.shape);
  gpt.text = corpus.fingerprint;
  print_header(o, describe(corpus, gpt, o));
  if (o.resume) check_same_data(o.checkpoint(), {{"text", gpt.text}, {"shape", gpt.shape}});

  const train::FitResult result = train_gpt(gpt, corpus, o);
  say_how_it_ended("write", o, result);
  if (result.stop == train::Stop::interrupt) return result.stop;

  print_result(corpus, result, trigram_loss(corpus));
  const std::string sample = write_text(gpt, corpus.vocabulary, o);
  std::cout << sample << "\n\n";
  const auto files = leave_files(corpus, gpt, o, result, sample);
  std::cout << "checksum       " << checksum(files.back().path) << "   (of the weights)\n"
            << "training time  " << plot::format_duration(result.seconds) << "\n\n";
  print_files(files);
  return result.stop;
}

/// With weights that an earlier run left.
train::Stop only_write(const WriteOptions& o) {
  set_num_threads(o.threads);
  auto [gpt, vocabulary] = load_gpt(o.load);
  std::cout << write_text(gpt, vocabulary, o) << '\n';
  return train::Stop::epochs;
}

}  // namespace
}  // namespace cadena::examples

int main(int argc, char** argv) {
  using namespace cadena::examples;
  CommandLine line("write",
                   "Learns to write like a text, character by character, with a small GPT;\n"
                   "prints and leaves a sample.");
  WriteOptions options;
  add_options(line, options);
  return run_program(line, argc, argv,
                     [&] { return options.load.empty() ? train_and_write(options) : only_write(options); });
}
