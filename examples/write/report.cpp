#include "examples/write/report.hpp"

#include <cmath>
#include <iostream>

#include "data/files/file.hpp"
#include "examples/write/writing.hpp"
#include "plot/chart.hpp"
#include "plot/format.hpp"
#include "train/curves.hpp"

namespace cadena::examples {
using namespace plot;

plot::Table describe(const Corpus& corpus, const Gpt& gpt, const WriteOptions& o) {
  return {{"text", corpus.origin},
          {"", format_grouped(corpus.train.numel()) + " characters to train on, " +
                   format_grouped(corpus.validation.numel()) + " to validate, " +
                   std::to_string(corpus.vocabulary.size()) + " different ones"},
          {"network", "GPT with " + std::to_string(o.shape.layers) + " layers of " +
                          std::to_string(o.shape.dim) + ", " + std::to_string(o.shape.heads) +
                          " heads, context " + std::to_string(o.shape.context) + ", " +
                          format_grouped(gpt.num_parameters()) + " parameters"},
          {"training", "AdamW, learning rate " + format_number(o.lr) + " falling to 0, batches of " +
                           format_grouped(o.batch_size) + ", " + format_grouped(o.epochs) +
                           (o.epochs == 1 ? " epoch" : " epochs")}};
}

void print_result(const Corpus& corpus, const train::FitResult& result, double trigram) {
  const auto line = [](const char* name, double nats) {
    std::cout << name << format_fixed(nats, 4) << "   (" << format_fixed(nats / std::log(2.0), 3)
              << " bits)\n";
  };
  const double best = result.best_epoch == 0
                          ? std::nan("")
                          : result.history[static_cast<std::size_t>(result.best_epoch - 1)].value("val loss");
  std::cout << "\nnats per character of the validation text\n";
  line("  GPT       ", best);
  line("  trigrams  ", trigram);
  line("  uniform   ", std::log(static_cast<double>(corpus.vocabulary.size())));
  std::cout << '\n';
}

std::vector<LeftFile> leave_files(const Corpus& corpus, const Gpt& gpt, const WriteOptions& o,
                                  const train::FitResult& result, const std::string& sample) {
  data::write_file(o.out / "curves.svg", render_charts(train::curves(result.history, {"loss"})));
  data::write_file(o.out / "sample.txt", sample + "\n");
  save_gpt(o.out / "weights.safetensors", gpt, corpus.vocabulary);
  return {{o.out / "curves.svg", "nats per character over the epochs"},
          {o.out / "sample.txt", "what it writes"},
          {o.out / "weights.safetensors", "the trained network, for --load"}};
}

}  // namespace cadena::examples
