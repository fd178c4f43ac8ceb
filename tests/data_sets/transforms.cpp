#include <gtest/gtest.h>

#include <cmath>
#include <map>

#include "autodiff/autodiff.hpp"
#include "data/data.hpp"
#include "files.hpp"
#include "messages.hpp"

namespace cadena::data {
namespace {

Tensor picture() { return arange(0, 24, 1, f32).reshape({2, 3, 4}); }

double largest_difference(const Tensor& a, const Tensor& b) { return amax(abs(a - b)).item(); }

TEST(Transforms, NormalizeByChannel) {
  const Tensor y = Normalize{.mean = {1, 14}, .std = {2, 4}}(picture());
  EXPECT_FLOAT_EQ(static_cast<float>(y[0][0][3].item()), 1.0F);
  EXPECT_FLOAT_EQ(static_cast<float>(y[1][0][0].item()), -0.5F);
  EXPECT_EQ(Normalize({.mean = {1}, .std = {2}})(picture())[1][2][3].item(), 11);
  EXPECT_EQ(message_of<ValueError>([] {
              Normalize{.mean = {1, 2, 3}, .std = {1}}(picture());
            }),
            "[Normalize] expected 1 or 2 numbers, got 3");
  EXPECT_THROW((Normalize{.mean = {1}, .std = {0}}(picture())), ValueError);
  EXPECT_EQ(message_of<ShapeError>([] {
              Normalize{.mean = {1}, .std = {1}}(ones({3, 4}));
            }),
            "[Normalize] expected a picture (channels, height, width), got shape (3, 4)");
}

TEST(Transforms, ResizeAndCenterCrop) {
  EXPECT_TRUE(equal(Resize{{3, 4}}(picture()), picture()));
  const Tensor half = Resize{{1, 2}}(tensor({{{0.0, 2.0, 4.0, 6.0}, {0.0, 2.0, 4.0, 6.0}}}));
  EXPECT_TRUE(equal(half, tensor({{{1.0, 5.0}}})));
  EXPECT_TRUE(equal(CenterCrop{{1, 2}}(picture()), tensor({{{5, 6}}, {{17, 18}}}, f32)));
  EXPECT_EQ(message_of<ShapeError>([] {
              CenterCrop{{4, 4}}(picture());
            }),
            "[CenterCrop] expected a picture of at least 4 x 4, got shape (2, 3, 4)");
  EXPECT_THROW((Resize{{0, 4}}(picture())), ValueError);
}

TEST(Transforms, RandomCropTakesEveryPlace) {
  manual_seed(1);
  std::map<double, int> corners;
  for (int i = 0; i < 600; ++i) ++corners[RandomCrop{{2, 3}}(picture())[0][0][0].item()];
  EXPECT_EQ(corners.size(), 4U);
  for (const auto& [corner, count] : corners) EXPECT_NEAR(count, 150, 5 * std::sqrt(150)) << corner;
  EXPECT_TRUE(equal(RandomCrop{{3, 4}}(picture()), picture()));
  const Tensor padded = RandomCrop{.size = {5, 6}, .padding = 1}(picture());
  EXPECT_TRUE(equal(padded, pad(picture(), {{1, 1}, {1, 1}})));
  EXPECT_THROW((RandomCrop{{4, 4}}(picture())), ShapeError);
  EXPECT_THROW((RandomCrop{.size = {2, 2}, .padding = -1}(picture())), ValueError);
}

TEST(Transforms, FlipsHappenWithTheirProbability) {
  manual_seed(2);
  int flipped = 0;
  for (int i = 0; i < 400; ++i) {
    const Tensor y = RandomHorizontalFlip{.p = 0.25}(picture());
    const bool is = equal(y, flip(picture(), 2));
    EXPECT_TRUE(is || equal(y, picture()));
    flipped += is ? 1 : 0;
  }
  EXPECT_NEAR(flipped, 100, 5 * std::sqrt(75));
  EXPECT_TRUE(equal(RandomVerticalFlip{.p = 1}(picture()), flip(picture(), 1)));
  EXPECT_TRUE(equal(RandomVerticalFlip{.p = 0}(picture()), picture()));
}

TEST(Transforms, RotationTurnsSquarePixels) {
  // A bright spot right of the middle of a wide picture stays at its distance, whatever the angle.
  Tensor x = zeros({1, 41, 81});
  x.slice(1, {18, 23}).slice(2, {53, 58}).fill_(1);
  EXPECT_LT(largest_difference(RandomRotation{}(x), x), 1e-4);
  const Tensor rows = arange(0, 41, 1, f32).reshape({1, 41, 1}) - 20,
               columns = arange(0, 81, 1, f32).reshape({1, 1, 81}) - 40;
  manual_seed(3);
  double low = 0, high = 0;
  for (int i = 0; i < 50; ++i) {
    const Tensor y = RandomRotation{.degrees = 60}(x);
    const double mass = sum(y).item(), up = -sum(y * rows).item() / mass,
                 right = sum(y * columns).item() / mass;
    EXPECT_NEAR(mass, 25, 1.5);
    EXPECT_NEAR(std::hypot(up, right), 15, 0.1);
    low = std::min(low, std::atan2(up, right));
    high = std::max(high, std::atan2(up, right));
  }
  EXPECT_GT(high, 0.8);  // both ways, never beyond 60 degrees
  EXPECT_LT(high, 1.05);
  EXPECT_LT(low, -0.8);
  EXPECT_GT(low, -1.05);
}

TEST(Transforms, NoiseHasItsDeviation) {
  manual_seed(4);
  const Tensor noise = GaussianNoise{.sigma = 0.5}(zeros({1, 100, 100}));
  EXPECT_NEAR(mean(noise).item(), 0, 5 * 0.5 / 100);
  EXPECT_NEAR(sqrt(mean(square(noise))).item(), 0.5, 0.02);
  EXPECT_THROW((GaussianNoise{.sigma = -1}(picture())), ValueError);
}

TEST(Transforms, MixUpMixesPicturesAndLabelsAlike) {
  manual_seed(5);
  const Batch batch{eye(4), arange(4)};  // so that mixed pictures are their own mixed labels
  bool mixed = false;
  for (int i = 0; i < 10; ++i) {
    const Batch out = MixUp{.classes = 4, .alpha = 1}(batch);
    EXPECT_LT(largest_difference(out.x, out.y), 1e-6);
    EXPECT_LT(largest_difference(sum(out.y, 1), ones({4})), 1e-6);
    mixed = mixed || amax(out.y).item() < 0.999;
  }
  EXPECT_TRUE(mixed);
  EXPECT_THROW((MixUp{.classes = 3}(batch)), ValueError);
  EXPECT_THROW((MixUp{.classes = 4, .alpha = 0}(batch)), ValueError);
  EXPECT_THROW((MixUp{.classes = 4}(Batch{eye(4), ones({4})})), DtypeError);
  EXPECT_THROW((MixUp{.classes = 4}(Batch{eye(4), arange(3)})), ShapeError);
}

TEST(Transforms, AreTheSameForAnyNumberOfWorkers) {
  Generator g(1);
  const TensorDataset pictures(rand({20, 1, 8, 8}, g), arange(20));
  const Compose transforms{Resize{{10, 10}},
                           RandomCrop{.size = {8, 8}, .padding = 2},
                           RandomHorizontalFlip{},
                           RandomVerticalFlip{},
                           RandomRotation{.degrees = 20},
                           GaussianNoise{.sigma = 0.1},
                           Normalize{.mean = {0.5}, .std = {0.5}}};
  std::vector<Tensor> reference;
  for (const int workers : {0, 1, 2, 4}) {
    DataLoader loader(
        map_x(pictures, transforms),
        {.batch_size = 6, .shuffle = true, .workers = workers, .collate = MixUp{.classes = 20}});
    std::vector<Tensor> got;
    for (int epoch = 0; epoch < 2; ++epoch)
      for (auto [x, y] : loader) {
        got.push_back(x);
        got.push_back(y);
      }
    ASSERT_EQ(got.size(), 16U);
    EXPECT_FALSE(equal(got[0], got[8]));  // the second epoch is another one
    if (workers == 0) reference = got;
    for (std::size_t i = 0; i < got.size(); ++i)
      EXPECT_TRUE(equal(got[i], reference[i])) << workers << ", " << i;
  }
}

TEST(ImageFolder, ListsClassesAndPicturesSorted) {
  const Folder folder;
  const auto write = [&](const std::string& name, double value) {
    std::filesystem::create_directories((folder / name).parent_path());
    write_image(folder / name, full({2, 3}, value));
  };
  write("dog/b.png", 0.2);
  write("dog/a.PNG.png", 0.4);
  write("cat/deep/er/x.png", 0.6);
  save(folder / "cat/notes.txt", bytes_of("not a picture"));
  save(folder / "readme.png", bytes_of("not in a class"));
  std::filesystem::create_directories(folder / "empty");
  const ImageFolder pictures(folder.path());
  EXPECT_EQ(pictures.classes(), (std::vector<std::string>{"cat", "dog"}));
  ASSERT_EQ(pictures.size(), 3);
  EXPECT_TRUE(equal(pictures.labels(), tensor({0, 1, 1})));
  EXPECT_EQ(pictures.path(1), folder / "dog/a.PNG.png");
  EXPECT_TRUE(equal(pictures.get(0).x, full({1, 2, 3}, 0.6F)));
  EXPECT_EQ(pictures.get(2).y.item<std::int64_t>(), 1);
  EXPECT_EQ(ImageFolder(folder.path(), {.channels = 3}).get(0).x.shape(), Shape({3, 2, 3}));
  EXPECT_THROW(pictures.get(3), IndexError);
  DataLoader loader(pictures, {.batch_size = 3, .workers = 2});
  for (auto [x, y] : loader) EXPECT_EQ(x.shape(), Shape({3, 1, 2, 3}));

  save(folder / "dog/b.png", bytes_of("\x89PNG, half"));
  try {
    for ([[maybe_unused]] auto& batch : loader) ADD_FAILURE() << "nothing was thrown";
  } catch (const SampleError& e) {
    EXPECT_EQ(e.index, 2);
    EXPECT_TRUE(contains(e.what(), "b.png")) << e.what();
  }
  EXPECT_TRUE(contains(message_of<IoError>([&] { ImageFolder(folder / "empty"); }), "got none"));
  EXPECT_TRUE(contains(message_of<IoError>([&] { ImageFolder(folder / "missing"); }), "missing, got "));
}

}  // namespace
}  // namespace cadena::data
