#include <gtest/gtest.h>
#include <zlib.h>

#include <cmath>
#include <string>
#include <vector>

#include "autodiff/error.hpp"
#include "data/files/png.hpp"
#include "files.hpp"
#include "plot/image_sheet.hpp"
#include "plot/tile_sheet.hpp"

namespace cadena::plot {
namespace {

using data::base64;
using data::encode_png;
using data::PngColour;

std::uint32_t u32(const Bytes& bytes, std::size_t at) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < 4; ++i) value = value << 8U | bytes.at(at + i);
  return value;
}

struct Decoded {
  std::uint32_t width = 0, height = 0;
  int depth = 0, colour_type = -1;
  Bytes pixels;
  std::vector<std::string> chunks;
};

/// A decoder of our own for the PNGs that have no row filters; checks every chunk's length and checksum.
Decoded decode(const Bytes& png) {
  Decoded image;
  Bytes packed;
  const Bytes signature{0x89, 'P', 'N', 'G', 0x0D, 0x0A, 0x1A, 0x0A};
  EXPECT_EQ(Bytes(png.begin(), png.begin() + 8), signature);
  for (std::size_t at = 8; at < png.size();) {
    const std::uint32_t length = u32(png, at);
    const std::string type(png.begin() + static_cast<std::ptrdiff_t>(at) + 4,
                           png.begin() + static_cast<std::ptrdiff_t>(at) + 8);
    EXPECT_EQ(u32(png, at + 8 + length), crc32(0, png.data() + at + 4, length + 4)) << type;
    image.chunks.push_back(type);
    if (type == "IHDR") {
      image.width = u32(png, at + 8);
      image.height = u32(png, at + 12);
      image.depth = png[at + 16];
      image.colour_type = png[at + 17];
    }
    if (type == "IDAT")
      packed.insert(packed.end(), png.begin() + static_cast<std::ptrdiff_t>(at) + 8,
                    png.begin() + static_cast<std::ptrdiff_t>(at + 8 + length));
    at += 12 + length;
  }
  const std::size_t row = image.width * (image.colour_type == 2 ? 3U : 1U);
  Bytes raw(image.height * (row + 1) + 1);  // a byte more, to notice what is too much
  uLongf size = raw.size();
  EXPECT_EQ(uncompress(raw.data(), &size, packed.data(), packed.size()), Z_OK);
  EXPECT_EQ(size, image.height * (row + 1));
  for (std::size_t y = 0; y < image.height; ++y) {
    EXPECT_EQ(raw[y * (row + 1)], 0) << "the row's filter";
    const auto begin = raw.begin() + static_cast<std::ptrdiff_t>(y * (row + 1) + 1);
    image.pixels.insert(image.pixels.end(), begin, begin + static_cast<std::ptrdiff_t>(row));
  }
  return image;
}

Bytes gradient(std::size_t size) {
  Bytes pixels(size);
  for (std::size_t i = 0; i < size; ++i) pixels[i] = static_cast<std::uint8_t>(i * 37 + i / 256);
  return pixels;
}

TEST(Png, DecodesBackToTheSamePixels) {
  const Bytes grey = gradient(28 * 13);
  const Decoded image = decode(encode_png(grey, 28, 13));
  EXPECT_EQ(image.width, 28U);
  EXPECT_EQ(image.height, 13U);
  EXPECT_EQ(image.depth, 8);
  EXPECT_EQ(image.colour_type, 0);
  EXPECT_EQ(image.pixels, grey);
  EXPECT_EQ(image.chunks, (std::vector<std::string>{"IHDR", "IDAT", "IEND"}));

  const Bytes rgb = gradient(3 * 300 * 200);
  const Decoded colours = decode(encode_png(rgb, 300, 200, PngColour::rgb));
  EXPECT_EQ(colours.colour_type, 2);
  EXPECT_EQ(colours.pixels, rgb);
  EXPECT_EQ(decode(encode_png(Bytes{7}, 1, 1)).pixels, Bytes{7});
  EXPECT_LT(encode_png(Bytes(60000, 9), 300, 200).size(), 500U);
}

TEST(Png, RefusesSizesThatDoNotFit) {
  const Bytes pixels(12);
  EXPECT_THROW(encode_png(pixels, 3, 3), ValueError);
  EXPECT_THROW(encode_png(pixels, 12, 1, PngColour::rgb), ValueError);
  EXPECT_THROW(encode_png(pixels, 0, 0), ValueError);
  EXPECT_THROW(encode_png({}, 0, 0), ValueError);
  EXPECT_THROW(encode_png({}, std::int64_t{1} << 32, std::int64_t{1} << 32),
               ValueError);  // their product is 0
  EXPECT_THROW(encode_png(pixels, -3, -4), ValueError);
}

TEST(Base64, FollowsTheRfc) {
  const auto encode = [](const std::string& text) { return base64(Bytes(text.begin(), text.end())); };
  EXPECT_EQ(encode(""), "");
  EXPECT_EQ(encode("f"), "Zg==");
  EXPECT_EQ(encode("fo"), "Zm8=");
  EXPECT_EQ(encode("foo"), "Zm9v");
  EXPECT_EQ(encode("foobar"), "Zm9vYmFy");
  EXPECT_EQ(base64(Bytes{0xFB, 0xFF, 0xFE}), "+//+");
}

/// The images inside an SVG.
std::vector<Decoded> images_of(const std::string& svg) {
  std::vector<Decoded> images;
  const std::string start = "data:image/png;base64,";
  for (std::size_t at = svg.find(start); at != std::string::npos; at = svg.find(start, at + 1)) {
    const std::size_t begin = at + start.size();
    images.push_back(decode(from_base64(svg.substr(begin, svg.find('"', begin) - begin))));
  }
  return images;
}

TEST(ImageSheetPicture, HoldsTheImagesAsSharpSquares) {
  const Bytes pixels{0, 50, 100, 150, 200, 250};
  ImageSheet sheet{.title = "T & T", .rows = 2, .columns = 3, .enlarge = 2};
  sheet.items.push_back({pixels, "cat", "cat", 0.981});
  sheet.items.push_back({pixels, "cat", "<dog>", 0.4});
  const std::string svg = render_image_sheet(sheet);
  const auto images = images_of(svg);
  ASSERT_EQ(images.size(), 2U);
  EXPECT_EQ(images[0].width, 6U);
  EXPECT_EQ(images[0].pixels, (Bytes{0,   0,   50,  50,  100, 100, 0,   0,   50,  50,  100, 100,
                                     150, 150, 200, 200, 250, 250, 150, 150, 200, 200, 250, 250}));
  for (const char* text :
       {">1 correct<", ">1 wrong<", ">98%<", ">40%<", ">true: &lt;dog&gt;<", "T &amp; T"}) {
    EXPECT_NE(svg.find(text), std::string::npos) << text;
  }
  EXPECT_EQ(svg.find("true: cat"), std::string::npos);
  sheet.dark_on_light = true;
  EXPECT_EQ(images_of(render_image_sheet(sheet))[0].pixels[0], 255);
}

TEST(ImageSheetPicture, IsPossibleWithoutImagesAndRefusesWrongSizes) {
  EXPECT_NE(render_image_sheet({.title = "none"}).find(">0 correct<"), std::string::npos);
  const Bytes pixels(10);
  ImageSheet sheet;
  sheet.items.push_back({pixels, "a", "a", 1});
  EXPECT_THROW(render_image_sheet(sheet), ValueError);
  EXPECT_THROW(render_image_sheet({.per_row = 0}), ValueError);
  EXPECT_THROW(render_image_sheet({.enlarge = std::nan("")}), ValueError);
}

TEST(TileSheetPicture, ShowsValuesAsGreys) {
  TileSheet sheet{.title = "T & T", .rows = 1, .columns = 2, .values = {0, 0.5, -1, 7}, .enlarge = 2};
  auto images = images_of(render_tile_sheet(sheet));
  ASSERT_EQ(images.size(), 2U);
  EXPECT_EQ(images[0].pixels, (Bytes{0, 0, 128, 128, 0, 0, 128, 128}));
  EXPECT_EQ(images[1].pixels, (Bytes{0, 0, 255, 255, 0, 0, 255, 255}));
  sheet.tone = Tone::dark_on_light;
  images = images_of(render_tile_sheet(sheet));
  EXPECT_EQ(images[0].pixels, (Bytes{255, 255, 128, 128, 255, 255, 128, 128}));
  EXPECT_EQ(images[1].pixels, (Bytes{255, 255, 0, 0, 255, 255, 0, 0}));
}

TEST(TileSheetPicture, ShowsSignsAsColoursOnOneScaleWithAKey) {
  const TileSheet sheet{
      .rows = 1, .columns = 2, .values = {0, 0.25, -0.5, -0.25}, .tone = Tone::by_sign, .enlarge = 1};
  const std::string svg = render_tile_sheet(sheet);
  const auto images = images_of(svg);
  ASSERT_EQ(images.size(), 3U);                                        // the key is the last
  EXPECT_EQ(images[0].pixels, (Bytes{255, 255, 255, 234, 175, 128}));  // half way to orange
  EXPECT_EQ(images[1].pixels, (Bytes{0, 114, 178, 128, 185, 217}));    // blue, half way to it
  const Bytes& ramp = images[2].pixels;
  EXPECT_EQ(Bytes(ramp.begin(), ramp.begin() + 3), (Bytes{0, 114, 178}));
  EXPECT_EQ(Bytes(ramp.end() - 3, ramp.end()), (Bytes{213, 94, 0}));
  EXPECT_NE(svg.find(">-0.5000<"), std::string::npos) << svg;
  EXPECT_NE(svg.find(">0.5000<"), std::string::npos) << svg;
  // All zeros are white, not 0 / 0.
  const auto blank =
      images_of(render_tile_sheet({.rows = 1, .columns = 1, .values = {0}, .tone = Tone::by_sign}));
  EXPECT_EQ(blank[0].pixels, Bytes(blank[0].pixels.size(), 255));
}

TEST(TileSheetPicture, NamesItsRowsAgainAndAgain) {
  const std::string svg = render_tile_sheet({.rows = 1,
                                             .columns = 1,
                                             .values = std::vector<double>(7),
                                             .per_row = 2,
                                             .row_names = {"a < b", "again"}});
  const auto count = [&](const std::string& text) {
    std::size_t n = 0;
    for (std::size_t at = svg.find(text); at != std::string::npos; at = svg.find(text, at + 1)) ++n;
    return n;
  };
  EXPECT_EQ(count(">a &lt; b<"), 2U);
  EXPECT_EQ(count(">again<"), 2U);
  EXPECT_EQ(images_of(svg).size(), 7U);
}

TEST(TileSheetPicture, RefusesWhatIsNoTiles) {
  EXPECT_NE(render_tile_sheet({.title = "none"}).find("none"), std::string::npos);
  EXPECT_THROW(render_tile_sheet({.values = std::vector<double>(28 * 28 + 1)}), ValueError);
  EXPECT_THROW(render_tile_sheet({.rows = 1, .columns = 1, .values = {std::nan("")}}), ValueError);
  EXPECT_THROW(render_tile_sheet({.rows = 0}), ValueError);
  EXPECT_THROW(render_tile_sheet({.per_row = 0}), ValueError);
  EXPECT_THROW(render_tile_sheet({.enlarge = std::nan("")}), ValueError);
}

}  // namespace
}  // namespace cadena::plot
