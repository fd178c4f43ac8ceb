#include <gtest/gtest.h>

#include <cmath>

#include "autodiff/autodiff.hpp"
#include "data/data.hpp"
#include "data_files/fixture.hpp"
#include "messages.hpp"

namespace cadena::data {
namespace {

constexpr std::int64_t height = 5, width = 7;

/// f(y, x) / 255 for every pixel, as a plane.
template <class F>
Tensor plane(const F& f) {
  std::vector<float> values;
  for (std::int64_t y = 0; y < height; ++y)
    for (std::int64_t x = 0; x < width; ++x) values.push_back(static_cast<float>(f(y, x)) / 255.0F);
  return tensor(values, {1, height, width});
}
Tensor grey() {
  return plane([](auto y, auto x) { return y * 40 + x * 5; });
}
Tensor red() {
  return plane([](auto y, auto) { return y * 40; });
}
Tensor green() {
  return plane([](auto, auto x) { return x * 30; });
}
Tensor blue() {
  return plane([](auto y, auto x) { return (x + y) * 20; });
}
Tensor rgb() { return cat({red(), green(), blue()}, 0); }
Tensor image(const std::string& name, int channels = 0) {
  return parse_image(fixture(name), {.channels = channels});
}

TEST(Image, ReadsEveryKindOfPng) {
  EXPECT_TRUE(equal(image("png_grey"), grey()));
  EXPECT_TRUE(equal(image("png_rgb"), rgb()));
  EXPECT_TRUE(equal(image("png_palette"), rgb()));
  EXPECT_TRUE(equal(image("png_interlaced"), grey()));
  EXPECT_TRUE(equal(image("png_grey16"), grey()));
  EXPECT_TRUE(equal(image("png_bits"), to(gt(grey(), 80.0 / 255), f32)));
  EXPECT_TRUE(equal(image("png_rgba"), cat({rgb(), grey()}, 0)));
  EXPECT_TRUE(equal(image("png_grey_alpha").slice(0, {0, 1}), grey()));
}

TEST(Image, ConvertsChannels) {
  EXPECT_TRUE(equal(image("png_grey", 3), cat({grey(), grey(), grey()}, 0)));
  EXPECT_TRUE(equal(image("png_rgba", 3), rgb()));
  EXPECT_TRUE(equal(image("png_grey_alpha", 1), grey()));
  const Tensor luma = red() * 0.299 + green() * 0.587 + blue() * 0.114;
  EXPECT_LT(amax(abs(image("png_rgba", 1) - luma)).item(), 0.51 / 255);
  EXPECT_THROW(image("png_grey", 2), ValueError);
}

TEST(Image, ReadsJpeg) {
  const Tensor smooth =
      cat({plane([](auto y, auto) { return y * 4 + 100; }), plane([](auto, auto x) { return x * 4 + 90; }),
           plane([](auto, auto) { return 120; })},
          0);
  EXPECT_LT(amax(abs(image("jpeg_grey") - smooth.slice(0, {0, 1}))).item(), 2.1 / 255);
  for (const char* name : {"jpeg_rgb", "jpeg_progressive"}) {
    EXPECT_EQ(image(name).shape(), Shape({3, height, width}));
    EXPECT_LT(amax(abs(image(name) - smooth)).item(), 4.1 / 255) << name;
  }
  EXPECT_TRUE(
      contains(message_of<FormatError>([] { image("jpeg_cmyk"); }), "expected a grey or RGB picture"));
}

TEST(Image, RoundTrips) {
  const Folder folder;
  for (const Tensor& t : {grey(), rgb(), grey().squeeze(0)}) {
    write_image(folder / "a.png", t);
    EXPECT_TRUE(equal(read_image(folder / "a.png"), t.dim() == 2 ? grey() : t));
    write_image(folder / "a.jpg", t, {.quality = 100});
    EXPECT_EQ(read_image(folder / "a.jpg").dim(), 3);
  }
  const Tensor soft = plane([](auto y, auto x) { return 100 + 3 * y + 2 * x; });
  write_image(folder / "b.jpeg", soft, {.quality = 100});
  EXPECT_LT(amax(abs(read_image(folder / "b.jpeg") - soft)).item(), 2.1 / 255);
  write_image(folder / "c.png", tensor({{-1.0, 2.0}, {std::nan(""), 0.5}}));
  EXPECT_TRUE(equal(read_image(folder / "c.png") * 255, tensor({{{0, 255}, {0, 128}}}, f32)));
}

TEST(Image, WritingRefusesWhatIsNoPicture) {
  const Folder folder;
  EXPECT_THROW(write_image(folder / "a.png", ones({2, 3, 4})), ShapeError);
  EXPECT_THROW(write_image(folder / "a.png", ones({0, 4})), ShapeError);
  EXPECT_THROW(write_image(folder / "a.png", ones({4})), ShapeError);
  EXPECT_THROW(write_image(folder / "a.gif", ones({4, 4})), ValueError);
  EXPECT_THROW(write_image(folder / "a.jpg", ones({4, 4}), {.quality = 0}), ValueError);
  EXPECT_TRUE(contains(message_of<ValueError>([&] {
                         write_image(folder / "a.jpg", ones({1, 70000}));
                       }),
                       "[write_image] expected a picture that JPEG can hold"));
}

TEST(Image, SizesAreBounded) {
  EXPECT_TRUE(contains(message_of<FormatError>([] { parse_image(fixture("png_rgb"), {.max_pixels = 34}); }),
                       "[png] size at byte "));
  EXPECT_TRUE(contains(message_of<FormatError>([] { parse_image(fixture("jpeg_rgb"), {.max_pixels = 34}); }),
                       "[jpeg] size at byte "));
  // A header that promises 60,000 x 60,000 pixels.
  Bytes jpeg = fixture("jpeg_grey");
  for (std::size_t i = 0; i + 9 < jpeg.size(); ++i)
    if (jpeg[i] == 0xFF && jpeg[i + 1] == 0xC0) {
      for (std::size_t k = 5; k < 9; k += 2) jpeg[i + k] = 0xEA;
      break;
    }
  EXPECT_TRUE(
      contains(message_of<FormatError>([&] { parse_image(jpeg, {.max_pixels = std::int64_t{1} << 40}); }),
               "bytes can hold"));
  EXPECT_EQ(message_of<FormatError>([] { parse_image(bytes_of("GIF89a")); }),
            "[image] magic at byte 0: expected a PNG or JPEG picture, got something else");
}

}  // namespace
}  // namespace cadena::data
