#include "examples/digits/report.hpp"

#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <iostream>
#include <numeric>

#include "data/files/file.hpp"
#include "data/files/safetensors.hpp"
#include "optim/options.hpp"
#include "plot/chart.hpp"
#include "plot/confusion.hpp"
#include "plot/format.hpp"
#include "plot/image_sheet.hpp"
#include "plot/table.hpp"
#include "plot/terminal.hpp"
#include "plot/tile_sheet.hpp"
#include "train/curves.hpp"

namespace cadena::examples {
using namespace plot;

namespace {

namespace fs = std::filesystem;

constexpr std::size_t any_shown = 24, mistakes_shown = 16, per_row = 8;  // on the sheet
constexpr std::int64_t filters_shown = 64;

std::string describe_training(const DigitsOptions& o) {
  return o.optimizer + ", learning rate " + optim::to_text(o.lr) + " falling to 0, batches of " +
         format_grouped(o.batch_size) + ", dropout " + optim::to_text(o.dropout) + ", " +
         format_grouped(o.epochs) + (o.epochs == 1 ? " epoch" : " epochs");
}

ConfusionMatrix confusion(const Images& images, const Predictions& test) {
  return {.title = images.name + ": what was taken for what",
          .subtitle = format_grouped(images.test.size()) + " test images, " +
                      format_percent(test.confusion.accuracy(), 2) + " right",
          .classes = images.classes,
          .counts = test.confusion.counts()};
}

std::string draw_curves(const Images& images, const train::History& history) {
  auto charts = train::curves(history, {"loss", "accuracy"});
  for (Chart& chart : charts) {
    chart.title = images.name + ": " + chart.title;
    chart.subtitle = "training: during the epoch, with dropout; validation: after it, without";
  }
  return render_charts(charts);
}

/// The first images of the test set as they come, and behind them the mistakes of which the network was
/// surest.
std::vector<std::size_t> choose_images(const Predictions& test) {
  std::vector<std::size_t> chosen(std::min(any_shown, test.truth.size()));
  std::iota(chosen.begin(), chosen.end(), std::size_t{0});
  std::vector<std::size_t> wrong;
  for (std::size_t i = chosen.size(); i < test.truth.size(); ++i)
    if (test.truth[i] != test.predicted[i]) wrong.push_back(i);
  std::stable_sort(wrong.begin(), wrong.end(),
                   [&](std::size_t a, std::size_t b) { return test.probability[a] > test.probability[b]; });
  wrong.resize(std::min(wrong.size(), mistakes_shown));
  chosen.insert(chosen.end(), wrong.begin(), wrong.end());
  return chosen;
}

std::vector<std::uint8_t> grey_pixels(const Tensor& image) {
  std::vector<std::uint8_t> pixels;
  for (const double value : image.to_vector<double>())
    pixels.push_back(static_cast<std::uint8_t>(std::lround(255 * std::clamp(value, 0.0, 1.0))));
  return pixels;
}

std::string draw_sheet(const Images& images, const Predictions& test) {
  const auto chosen = choose_images(test);
  std::vector<std::vector<std::uint8_t>> pixels;
  ImageSheet sheet{
      .title = images.name + ": what the network sees in images it never saw",
      .rows = images.rows(),
      .columns = images.columns(),
      .per_row = static_cast<int>(per_row),
      .enlarge = std::clamp(112 / static_cast<double>(std::max(images.rows(), images.columns())), 1.0, 8.0),
      .dark_on_light = images.dark_on_light};
  const std::size_t any = std::min(any_shown, chosen.size());
  sheet.subtitle = format_percent(test.confusion.accuracy(), 2) + " of " +
                   format_grouped(images.test.size()) + " right. Here are the first " + std::to_string(any);
  if (chosen.size() > any)
    sheet.subtitle +=
        ", and the " + std::to_string(chosen.size() - any) + " surest mistakes among the others";
  for (const std::size_t i : chosen)
    pixels.push_back(grey_pixels(images.test.x()[static_cast<std::int64_t>(i)]));
  const auto& names = images.classes;
  for (std::size_t k = 0; k < chosen.size(); ++k) {
    const std::size_t i = chosen[k];
    sheet.items.push_back({.pixels = pixels[k],
                           .predicted = names[static_cast<std::size_t>(test.predicted[i])],
                           .truth = names[static_cast<std::size_t>(test.truth[i])],
                           .probability = test.probability[i]});
  }
  return render_image_sheet(sheet);
}

std::string draw_filters(const Images& images, const DigitsNet& net) {
  const Tensor filters = net.filters();
  const std::int64_t all = filters.size(0), shown = std::min(all, filters_shown);
  return render_tile_sheet(
      {.title = images.name + ": what the first layer looks for",
       .subtitle = (shown < all ? "weights of " + std::to_string(shown) + " of its " : "weights of its ") +
                   std::to_string(all) + " units",
       .rows = filters.size(1),
       .columns = filters.size(2),
       .values = filters.slice(0, {0, shown}).to_vector<double>(),
       .tone = Tone::by_sign,
       .enlarge = 72 / static_cast<double>(std::max(filters.size(1), filters.size(2)))});
}

data::TensorFile weights_file(const Images& images, const DigitsNet& net) {
  std::string classes;
  for (const std::string& name : images.classes) classes += (classes.empty() ? "" : ",") + name;
  return {.tensors = net.state_dict(),
          .metadata = {{"format", "pt"}, {"images", images.name}, {"classes", classes}}};
}

}  // namespace

plot::Table describe(const Images& images, const DigitsNet& net, const DigitsOptions& o) {
  return {{"images", images.name + ", " + images.origin},
          {"", images.sizes()},
          {"network", net.describe() + ", " + format_grouped(net.num_parameters()) + " parameters"},
          {"training", describe_training(o)}};
}

void print_result(const Images& images, const Predictions& test, const fs::path& folder) {
  const ConfusionMatrix matrix = confusion(images, test);
  const std::string table = print_confusion(matrix);
  if (display_columns(table.substr(0, table.find('\n'))) < terminal_size(STDOUT_FILENO).width)
    std::cout << '\n' << table;
  else
    std::cout << "\nThe table of what was taken for what is too wide for here: see "
              << (folder / "confusion.svg").string() << '\n';
  std::int64_t right = 0;
  for (std::int64_t c = 0; c < test.confusion.classes(); ++c) right += test.confusion.count(c, c);
  std::cout << "\ntest accuracy  " << format_percent(test.confusion.accuracy(), 2) << "   ("
            << format_grouped(right) << " of " << format_grouped(images.test.size()) << " images right)\n"
            << "test loss      " << format_number(test.loss) << '\n';
}

std::vector<LeftFile> leave_files(const Images& images, const DigitsNet& net, const DigitsOptions& o,
                                  const train::History& history, const Predictions& test) {
  data::write_file(o.out / "curves.svg", draw_curves(images, history));
  data::write_file(o.out / "confusion.svg", render_confusion(confusion(images, test)));
  data::write_file(o.out / "images.svg", draw_sheet(images, test));
  data::write_file(o.out / "filters.svg", draw_filters(images, net));
  data::write_safetensors(o.out / "weights.safetensors", weights_file(images, net));
  return {{o.out / "curves.svg", "loss and accuracy over the epochs"},
          {o.out / "confusion.svg", "what was taken for what"},
          {o.out / "images.svg", "test images with what the network sees in them"},
          {o.out / "filters.svg", "what the first layer looks for"},
          {o.out / "weights.safetensors", "the trained network"}};
}

}  // namespace cadena::examples
