#include "examples/support/images.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <utility>

#include "autodiff/error.hpp"
#include "autodiff/random.hpp"
#include "data/drawn_digits.hpp"
#include "data/files/idx_images.hpp"
#include "plot/format.hpp"

namespace cadena::examples {
namespace {

constexpr const char* fashion_folder = "/usr/share/datasets/fashion-mnist";
constexpr std::int64_t drawn_by_default = 60'000;
constexpr std::int64_t validation_share = 12;  // one in so many training images

/// A set that is recognised by its first labels, wherever it lies; the files themselves carry no name.
struct KnownSet {
  const char* name;
  std::array<std::int64_t, 12> first_labels;
  std::vector<std::string> classes;
};

const KnownSet* recognise(const Tensor& labels) {
  static const std::array<KnownSet, 2> known{{
      {"Fashion-MNIST",
       {9, 0, 0, 3, 0, 2, 7, 2, 5, 5, 0, 9},
       {"T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag",
        "Ankle boot"}},
      {"MNIST", {5, 0, 4, 1, 9, 2, 1, 3, 1, 4, 3, 5}, {}},
  }};
  const auto numbers = labels.to_vector<std::int64_t>();
  for (const KnownSet& set : known) {
    const auto& first = set.first_labels;
    if (numbers.size() >= first.size() && std::equal(first.begin(), first.end(), numbers.begin()))
      return &set;
  }
  return nullptr;
}

struct Sets {
  data::TensorDataset train, test;
};

Sets read_sets(const std::filesystem::path& folder) {
  constexpr std::int64_t any_byte = 256;
  Sets sets{data::load_idx_images(folder, data::Part::train, any_byte),
            data::load_idx_images(folder, data::Part::test, any_byte)};
  const Shape &train = sets.train.x().shape(), &test = sets.test.x().shape();
  const auto fail = [&](const std::string& expected) {
    throw ShapeError("[load_images] expected " + expected + " in " + folder.string() + ", got " +
                     to_string(train) + " for training and " + to_string(test) + " for testing");
  };
  if (train[1] != test[1] || train[2] != test[2]) fail("images of one size");
  if (train[0] < 2 || test[0] < 1 || train[1] * train[2] == 0) fail("images to train on and to test");
  return sets;
}

/// The test images come from a seed of their own. Neither seed is the user's: runs with different seeds can
/// be compared.
Sets draw_sets(std::int64_t count) {
  return {data::image_dataset(data::draw_digits(count, 1)),
          data::image_dataset(data::draw_digits(count / 5, 2))};
}

std::int64_t largest(const Tensor& labels) {
  const auto numbers = labels.to_vector<std::int64_t>();
  return *std::max_element(numbers.begin(), numbers.end());
}

std::vector<std::string> class_names(const Sets& sets, const KnownSet* known) {
  const std::int64_t count = 1 + std::max(largest(sets.train.y()), largest(sets.test.y()));
  std::vector<std::string> names;
  for (std::int64_t i = 0; i < std::max<std::int64_t>(count, 2); ++i) names.push_back(std::to_string(i));
  return known != nullptr && known->classes.size() >= names.size() ? known->classes : names;
}

/// Mean and standard deviation over all pixels; 1 instead of 0, for images of one colour.
std::pair<double, double> moments(const Tensor& x) {
  const std::span<const float> values(x.data<float>(), static_cast<std::size_t>(x.numel()));
  double sum = 0, squares = 0;
  for (const float value : values) {
    sum += value;
    squares += static_cast<double>(value) * value;
  }
  const double n = static_cast<double>(values.size()), mean = sum / n;
  const double deviation = std::sqrt(std::max(0.0, squares / n - mean * mean));
  return {mean, deviation > 1e-6 ? deviation : 1};
}

/// Copied: batches are then gathered from one tensor, which is faster than data::subset's sample by sample.
data::TensorDataset rows(const data::TensorDataset& all, const std::vector<std::int64_t>& indices) {
  const data::Batch chosen = all.batch(indices);
  return {chosen.x, chosen.y};
}

Images assemble(const Sets& sets, std::string name, std::string origin, const KnownSet* known,
                std::uint64_t seed) {
  const std::int64_t n = sets.train.size();
  Generator generator = Generator(seed).split(1);
  const auto order = randperm(n, generator).to_vector<std::int64_t>();
  const auto held_out = order.begin() + std::max<std::int64_t>(1, n / validation_share);
  const auto [mean, deviation] = moments(sets.train.x());
  auto classes = class_names(sets, known);
  const bool clothes = known != nullptr && !known->classes.empty();
  return {.name = std::move(name),
          .origin = std::move(origin),
          .classes = std::move(classes),
          .dark_on_light = !clothes,
          .mean = mean,
          .deviation = deviation,
          .train = rows(sets.train, {held_out, order.end()}),
          .validation = rows(sets.train, {order.begin(), held_out}),
          .test = sets.test};
}

}  // namespace

void add_image_source(CommandLine& line, ImageSource& source) {
  const std::string otherwise = source.fashion ? "\n(otherwise Fashion-MNIST, if Debian's package\n"
                                                 "dataset-fashion-mnist is installed, else --draw 60000)"
                                               : "\n(otherwise --draw 60000)";
  const Option data =
      line.add("--data", source.data, "DIR",
               "Folder with IDX files of MNIST or a relative of it, plain\nor .gz" + otherwise);
  line.add("--draw", source.draw, "N", "Draw N digits to train on, N/5 to test; no files are read")
      .check(whole_number(50, 10'000'000))
      .excludes(data);
}

std::string Images::sizes() const {
  return plot::format_grouped(train.size()) + " to train on, " + plot::format_grouped(validation.size()) +
         " to validate, " + plot::format_grouped(test.size()) + " to test, " + std::to_string(rows()) +
         " x " + std::to_string(columns()) + " pixels, " + std::to_string(classes.size()) + " classes";
}

Images load_images(const ImageSource& source, std::uint64_t seed) {
  std::filesystem::path folder = source.data;
  const bool look = source.fashion && folder.empty() && !source.draw;
  if (look && data::has_idx_images(fashion_folder)) folder = fashion_folder;
  if (!folder.empty()) {
    const Sets sets = read_sets(folder);
    const KnownSet* known = recognise(sets.train.y());
    return assemble(sets, known != nullptr ? known->name : "IDX images", "read from " + folder.string(),
                    known, seed);
  }
  const std::string why = look ? ", as Debian's package dataset-fashion-mnist is not installed" : "";
  return assemble(draw_sets(source.draw.value_or(drawn_by_default)), "Drawn digits",
                  "drawn by this program" + why, nullptr, seed);
}

}  // namespace cadena::examples
