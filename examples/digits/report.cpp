#include "examples/digits/report.hpp"

#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <fstream>
#include <functional>
#include <iostream>
#include <iterator>
#include <numeric>
#include <system_error>

#include "autodiff/build_info.hpp"
#include "data/files/file.hpp"
#include "data/files/safetensors.hpp"
#include "examples/digits/curves.hpp"
#include "plot/chart.hpp"
#include "plot/confusion.hpp"
#include "plot/format.hpp"
#include "plot/image_sheet.hpp"
#include "plot/table.hpp"
#include "plot/terminal.hpp"

namespace cadena::examples {
using namespace plot;

namespace {

namespace fs = std::filesystem;

constexpr std::size_t any_shown = 24, mistakes_shown = 16, per_row = 8;  // on the sheet

std::string times(std::int64_t a, std::int64_t b) { return std::to_string(a) + " x " + std::to_string(b); }

std::string shortest(double value) {
  std::array<char, 32> text{};
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value).ptr;
  return {text.data(), end};
}

std::string describe_network(const DigitsNet& net) {
  const auto size = [](const nn::Linear& layer, int axis) { return std::to_string(layer.weight.size(axis)); };
  return "perceptron " + size(net.fc1, 1) + "-" + size(net.fc1, 0) + "-" + size(net.fc2, 0) + "-" +
         size(net.fc3, 0) + " with ReLU, " + format_grouped(net.num_parameters()) + " parameters";
}

std::string describe_training(const DigitsOptions& o) {
  return o.optimizer + ", learning rate " + shortest(o.lr) + " falling to 0, batches of " +
         format_grouped(o.batch_size) + ", dropout " + shortest(o.dropout) + ", " + format_grouped(o.epochs) +
         (o.epochs == 1 ? " epoch" : " epochs");
}

ConfusionMatrix confusion(const Images& images, const Predictions& test) {
  const std::size_t n = images.classes.size();
  ConfusionMatrix matrix{.title = images.name + ": what was taken for what",
                         .subtitle = format_grouped(images.test.size()) + " test images, " +
                                     format_percent(test.score.accuracy, 2) + " right",
                         .classes = images.classes,
                         .counts = std::vector<std::int64_t>(n * n)};
  for (std::size_t i = 0; i < test.truth.size(); ++i)
    ++matrix
          .counts[static_cast<std::size_t>(test.truth[i]) * n + static_cast<std::size_t>(test.predicted[i])];
  return matrix;
}

std::string draw_curves(const Images& images, const History& history) {
  auto charts = curves(history);
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
  sheet.subtitle = format_percent(test.score.accuracy, 2) + " of " + format_grouped(images.test.size()) +
                   " right. Here are the first " + std::to_string(any);
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

data::TensorFile weights_file(const Images& images, const DigitsNet& net) {
  std::string classes;
  for (const std::string& name : images.classes) classes += (classes.empty() ? "" : ",") + name;
  return {.tensors = net.state_dict(),
          .metadata = {{"format", "pt"}, {"images", images.name}, {"classes", classes}}};
}

}  // namespace

void print_header(const Images& images, const DigitsNet& net, const DigitsOptions& o) {
  Table table = library_report();
  table.emplace_back("seed", std::to_string(o.seed));
  table.emplace_back("images", images.name + ", " + images.origin);
  table.emplace_back("", format_grouped(images.train.size()) + " to train on, " +
                             format_grouped(images.validation.size()) + " to validate, " +
                             format_grouped(images.test.size()) + " to test, " +
                             times(images.rows(), images.columns()) + " pixels, " +
                             std::to_string(images.classes.size()) + " classes");
  table.emplace_back("network", describe_network(net));
  table.emplace_back("training", describe_training(o));
  std::cout << print_table(table) << '\n' << std::flush;
}

void prepare_folder(const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) throw data::WriteError(folder, error.message());
  if (!fs::is_directory(folder, error)) throw data::WriteError(folder, "it is not a folder");
  if (::access(folder.c_str(), W_OK | X_OK) != 0)
    throw data::WriteError(folder, std::generic_category().message(errno));
}

void print_result(const Images& images, const Predictions& test, const fs::path& folder) {
  const ConfusionMatrix matrix = confusion(images, test);
  const std::string table = print_confusion(matrix);
  if (display_columns(table.substr(0, table.find('\n'))) < terminal_size(STDOUT_FILENO).width)
    std::cout << '\n' << table;
  else
    std::cout << "\nThe table of what was taken for what is too wide for here: see "
              << (folder / "confusion.svg").string() << '\n';
  const auto right = std::inner_product(test.truth.begin(), test.truth.end(), test.predicted.begin(),
                                        std::int64_t{0}, std::plus<>(), std::equal_to<>());
  std::cout << "\ntest accuracy  " << format_percent(test.score.accuracy, 2) << "   ("
            << format_grouped(right) << " of " << format_grouped(images.test.size()) << " images right)\n"
            << "test loss      " << format_number(test.score.loss) << '\n';
}

std::vector<LeftFile> leave_files(const Images& images, const DigitsNet& net, const DigitsOptions& o,
                                  const History& history, const Predictions& test) {
  data::write_file(o.out / "curves.svg", draw_curves(images, history));
  data::write_file(o.out / "confusion.svg", render_confusion(confusion(images, test)));
  data::write_file(o.out / "images.svg", draw_sheet(images, test));
  data::write_safetensors(o.out / "weights.safetensors", weights_file(images, net));
  return {{o.out / "curves.svg", "loss and accuracy over the epochs"},
          {o.out / "confusion.svg", "what was taken for what"},
          {o.out / "images.svg", "test images with what the network sees in them"},
          {o.out / "weights.safetensors", "the trained network"}};
}

std::string checksum(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(in), {}};
  const auto crc = ::crc32_z(0, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size());
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  for (int shift = 28; shift >= 0; shift -= 4) text += digits[crc >> shift & 15];
  return text;
}

}  // namespace cadena::examples
