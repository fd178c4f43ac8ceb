#include "examples/digits/options.hpp"

namespace cadena::examples {
namespace {

constexpr std::int64_t mlp_epochs = 25, cnn_epochs = 10;
constexpr double adaptive_lr = 1e-3, cnn_lr = 3e-3, sgd_lr = 0.05;

}  // namespace

void add_options(CommandLine& line, DigitsOptions& o) {
  add_image_source(line, o.images);
  line.add("--model", o.model, "NAME", "mlp (a perceptron of two hidden layers), or cnn (two\nconvolutions)")
      .check(one_of({"mlp", "cnn"}))
      .shows_default();
  line.add("--optimizer", o.optimizer, "NAME", "sgd (Nesterov momentum 0.9), adam, or adamw")
      .check(one_of({"sgd", "adam", "adamw"}))
      .shows_default();
  line.add("--dropout", o.dropout, "SHARE", "Share of hidden units left out at random in a step")
      .check(share())
      .shows_default();
  o.batch_size = 128;
  add_training(line, o);
  Option epochs = line.option("--epochs"), lr = line.option("--lr");
  epochs.describe("Passes over the training images [25, for cnn 10]").shows_default("");
  lr.describe(
        "Learning rate at the start; it falls to 0 along a cosine\n[0.001, for cnn 0.003, for sgd 0.05]")
      .shows_default("");
  line.after_parsing([&o, epochs, lr] {
    const bool cnn = o.model == "cnn";
    if (!epochs.given()) o.epochs = cnn ? cnn_epochs : mlp_epochs;
    if (!lr.given()) o.lr = o.optimizer == "sgd" ? sgd_lr : cnn ? cnn_lr : adaptive_lr;
  });
}

}  // namespace cadena::examples
