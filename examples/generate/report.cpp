#include "examples/generate/report.hpp"

#include <algorithm>
#include <iostream>
#include <utility>

#include "autodiff/autodiff.hpp"
#include "data/files/file.hpp"
#include "data/files/safetensors.hpp"
#include "examples/generate/judge.hpp"
#include "examples/generate/training.hpp"
#include "optim/options.hpp"
#include "plot/chart.hpp"
#include "plot/format.hpp"
#include "plot/tile_sheet.hpp"
#include "train/curves.hpp"

namespace cadena::examples {
using namespace plot;

namespace {

constexpr std::int64_t across = 10;    // images beside one another on a sheet
constexpr std::int64_t sampled = 100;  // on the sheet of samples
constexpr std::int64_t shown = 30;     // test images on the sheet of reconstructions
constexpr std::int64_t judged = 2000;  // samples
constexpr double sure = 0.9;

/// A sheet of images, (n, rows, columns).
TileSheet sheet(const Images& images, std::string title, std::string subtitle, const Tensor& pictures) {
  return {
      .title = images.name + ": " + std::move(title),
      .subtitle = std::move(subtitle),
      .rows = images.rows(),
      .columns = images.columns(),
      .values = pictures.to_vector<double>(),
      .tone = images.dark_on_light ? Tone::dark_on_light : Tone::light_on_dark,
      .per_row = static_cast<int>(across),
      .enlarge = std::clamp(56 / static_cast<double>(std::max(images.rows(), images.columns())), 1.0, 8.0)};
}

Tensor samples(Vae& vae, std::int64_t count) {
  const NoGrad no_grad;
  return vae.draw(randn({count, vae.latent()}));
}

std::string draw_samples(const Images& images, Vae& vae) {
  return render_tile_sheet(sheet(images, "drawn from nothing but random numbers",
                                 "each from " + std::to_string(vae.latent()) + " of them",
                                 samples(vae, sampled)));
}

/// Rows of test images, each above a row of what the decoder makes of their codes.
std::string draw_reconstructions(const Images& images, Vae& vae) {
  const NoGrad no_grad;
  const std::int64_t count = std::min(shown, images.test.size());
  const Tensor originals = images.test.x().slice(0, {0, count});
  const Tensor again = vae.draw(vae.encode(originals).mean);
  TensorList rows;
  for (std::int64_t i = 0; i < count; i += across)
    for (const Tensor& all : {originals, again})
      rows.push_back(all.slice(0, {i, std::min(i + across, count)}));
  TileSheet tiles = sheet(images, "what is left of an image",
                          "test images, and what is drawn from the " + std::to_string(vae.latent()) +
                              " numbers that each was turned into",
                          cat(rows, 0));
  tiles.per_row = static_cast<int>(std::min(across, count));
  tiles.row_names = {"image", "drawn again"};
  return render_tile_sheet(tiles);
}

/// The first test image of each class that has one, by class.
std::vector<std::pair<std::string, Tensor>> one_of_each(const Images& images) {
  const auto labels = images.test.y().to_vector<std::int64_t>();
  std::vector<std::pair<std::string, Tensor>> found;
  for (std::size_t c = 0; c < images.classes.size(); ++c) {
    const auto at = std::find(labels.begin(), labels.end(), static_cast<std::int64_t>(c));
    if (at != labels.end()) found.emplace_back(images.classes[c], images.test.x()[at - labels.begin()]);
  }
  return found;
}

/// Straight lines between the codes of an image of one class and one of the next.
std::string draw_walk(const Images& images, Vae& vae) {
  const NoGrad no_grad;
  const auto stations = one_of_each(images);
  const Tensor share = linspace(0, 1, across).unsqueeze(1);
  TensorList rows;
  TileSheet tiles;
  std::vector<std::string> names;
  for (std::size_t i = 0; i + 1 < stations.size(); ++i) {
    const auto code = [&](std::size_t k) { return vae.encode(stations[k].second.unsqueeze(0)).mean; };
    const Tensor from = code(i), to = code(i + 1);
    rows.push_back(vae.draw(from + share * (to - from)));
    names.push_back(stations[i].first + " to " + stations[i + 1].first);
  }
  if (rows.empty()) rows.push_back(vae.draw(zeros({1, vae.latent()})));
  tiles = sheet(images, "walks from one image to another",
                "in equal steps between the codes of two test images", cat(rows, 0));
  tiles.row_names = std::move(names);
  return render_tile_sheet(tiles);
}

std::string draw_curves(const Images& images, const train::History& history) {
  auto charts = train::curves(history, {"loss", "likelihood", "divergence"});
  for (Chart& chart : charts) {
    chart.title = images.name + ": " + chart.title;
    chart.subtitle = "nats per image; the loss is minus the bound, divergence - likelihood";
  }
  return render_charts(charts);
}

void print_score(const char* name, const Score& score) {
  std::cout << name << format_fixed(score.bound(), 2) << "   (" << format_fixed(score.likelihood, 2)
            << " likelihood, " << format_fixed(score.divergence, 2) << " divergence)\n";
}

}  // namespace

plot::Table describe(const Images& images, Vae& vae, const GenerateOptions& o) {
  const auto size = [](const nn::Linear& layer, int axis) { return std::to_string(layer.weight.size(axis)); };
  return {{"images", images.name + ", " + images.origin},
          {"", images.sizes()},
          {"network", "autoencoder " + size(vae.encode1, 1) + "-" + size(vae.encode1, 0) + "-" +
                          size(vae.encode2, 0) + "-" + std::to_string(vae.latent()) +
                          " and back with ReLU, " + format_grouped(vae.num_parameters()) + " parameters"},
          {"training", "adam, learning rate " + optim::to_text(o.lr) + " falling to 0, batches of " +
                           format_grouped(o.batch_size) + ", " + format_grouped(o.epochs) +
                           (o.epochs == 1 ? " epoch" : " epochs")}};
}

void print_result(const Images& images, Vae& vae, std::uint64_t seed) {
  std::cout << "\nELBO, nats per image: a lower bound on the log-probability\n";
  print_score("  training     ", measure(vae, images.train));
  print_score("  test         ", measure(vae, images.test));
  std::cout << "  to beat      " << format_fixed(independent_pixels(images), 2)
            << "   (test, if every pixel had its mean over the training images)\n\n"
            << "recognised with more than " << format_percent(sure, 0)
            << " confidence by a small classifier\n";
  Judge judge(images, seed);
  std::cout << "  samples      " << format_percent(judge.recognised(samples(vae, judged), sure)) << "   (of "
            << format_grouped(judged) << ")\n"
            << "  test images  " << format_percent(judge.recognised(images.test.x(), sure)) << "   (it takes "
            << format_percent(judge.accuracy(images.test)) << " of them for what they are)\n\n";
}

std::vector<LeftFile> leave_files(const Images& images, Vae& vae, const GenerateOptions& o,
                                  const train::History& history) {
  vae.eval();
  data::write_file(o.out / "curves.svg", draw_curves(images, history));
  data::write_file(o.out / "samples.svg", draw_samples(images, vae));
  data::write_file(o.out / "reconstructions.svg", draw_reconstructions(images, vae));
  data::write_file(o.out / "walk.svg", draw_walk(images, vae));
  data::write_safetensors(o.out / "weights.safetensors",
                          {.tensors = vae.state_dict(), .metadata = {{"format", "pt"}}});
  return {{o.out / "curves.svg", "the bound and its two parts over the epochs"},
          {o.out / "samples.svg", "images drawn from random numbers"},
          {o.out / "reconstructions.svg", "test images and what their codes keep"},
          {o.out / "walk.svg", "from one image to another in the space of codes"},
          {o.out / "weights.safetensors", "the trained network"}};
}

}  // namespace cadena::examples
