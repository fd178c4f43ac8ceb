#include "examples/digits/options.hpp"

#include <CLI/CLI.hpp>

namespace cadena::examples {
namespace {

constexpr std::int64_t mlp_epochs = 25, cnn_epochs = 10;
constexpr double adaptive_lr = 1e-3, cnn_lr = 3e-3, sgd_lr = 0.05;

}  // namespace

void add_options(CommandLine& line, DigitsOptions& o) {
  CLI::App& app = line.app();
  add_image_source(line, o.images);
  app.add_option("--model", o.model, "mlp (a perceptron of two hidden layers), or cnn (two\nconvolutions)")
      ->type_name("NAME")
      ->check(CLI::IsMember({"mlp", "cnn"}).description(""))
      ->capture_default_str();
  app.add_option("--optimizer", o.optimizer, "sgd (Nesterov momentum 0.9), adam, or adamw")
      ->type_name("NAME")
      ->check(CLI::IsMember({"sgd", "adam", "adamw"}).description(""))
      ->capture_default_str();
  app.add_option("--dropout", o.dropout, "Share of hidden units left out at random in a step")
      ->type_name("SHARE")
      ->check(share())
      ->capture_default_str();
  o.batch_size = 128;
  line.add_training(o);
  auto* epochs = app.get_option("--epochs")->description("Passes over the training images [25, for cnn 10]");
  auto* lr = app.get_option("--lr")->description(
      "Learning rate at the start; it falls to 0 along a cosine\n[0.001, for cnn 0.003, for sgd 0.05]");
  for (auto* option : {epochs, lr}) option->default_str("");
  app.parse_complete_callback([&o, epochs, lr] {
    const bool cnn = o.model == "cnn";
    if (epochs->empty()) o.epochs = cnn ? cnn_epochs : mlp_epochs;
    if (lr->empty()) o.lr = o.optimizer == "sgd" ? sgd_lr : cnn ? cnn_lr : adaptive_lr;
  });
}

}  // namespace cadena::examples
