// What the programs that train share: their options, their first lines, and what they do with an error.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "examples/support/command_line.hpp"
#include "plot/table.hpp"
#include "train/fit.hpp"

namespace cadena::examples {

/// The options of every program that trains.
struct TrainingOptions {
  std::int64_t epochs = 10;
  std::int64_t batch_size = 64;
  double lr = 1e-3;
  std::uint64_t seed = 1;
  int threads = 0;  ///< as many as the machine has, before the command line is read
  std::filesystem::path out = "out";
  bool resume = false;
  bool plot = true;  ///< curves below the progress bar, where that is on a terminal

  /// Where the run is kept: `out`/checkpoint.safetensors.
  std::filesystem::path checkpoint() const { return out / "checkpoint.safetensors"; }
};

/// Adds --epochs, --batch-size, --lr, --seed, --threads, --no-plot, --out and --resume, with the defaults in
/// `o`.
void add_training(CommandLine& line, TrainingOptions& o);

/// Parses, runs, and turns an exception into one line on standard error. @return what main shall return: 0, 1
/// after an error, 2 after a mistake on the command line, 130 after Ctrl-C
int run_program(CommandLine& line, int argc, char** argv, const std::function<train::Stop()>& body);

/// Sets threads and seed and makes the folder for what is left behind.
/// @throws WriteError unless files can be made there: better now than after the training
void prepare(const TrainingOptions& o);

/// Version, compiler, libraries, threads, seed, and below them the program's own lines, before anything takes
/// long.
void print_header(const TrainingOptions& o, const plot::Table& more);

/// Options of `fit` that follow from those of the program: epochs, checkpoint, resumption, and the curves of
/// `figures` below the progress bar.
train::FitOptions fit_options(const TrainingOptions& o, std::vector<std::string> figures);

/// "interrupted: ./run NAME --resume goes on from out/checkpoint.safetensors", for a run that did not end by
/// itself.
void say_how_it_ended(const std::string& program, const TrainingOptions& o, const train::FitResult& result);

}  // namespace cadena::examples
