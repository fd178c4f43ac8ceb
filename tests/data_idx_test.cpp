// IDX files: every type, every truncation, every single wrong byte, lies about sizes, gzip in all its forms.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <new>
#include <numeric>
#include <optional>
#include <string>
#include <vector>

#include "autodiff/autodiff.hpp"
#include "data/data.hpp"
#include "data/files/gzip.hpp"
#include "files.hpp"

namespace {
std::atomic<std::size_t> largest_request{0};
}

// Remembers the largest request, to see what a lying header can make the reader ask for. (Inlined, g++ would
// take malloc and operator delete for a mismatched pair.)
[[gnu::noinline]] void* operator new(std::size_t n) {
  if (n > largest_request) largest_request = n;
  if (void* p = std::malloc(n)) return p;
  throw std::bad_alloc();
}
[[gnu::noinline]] void operator delete(void* p) noexcept { std::free(p); }
[[gnu::noinline]] void operator delete(void* p, std::size_t) noexcept { std::free(p); }

namespace cadena::data {
namespace {

namespace fs = std::filesystem;

template <class T>
IdxData make(IdxType type, const Shape& shape, const std::vector<T>& values) {
  IdxData data{type, shape, Bytes(values.size() * sizeof(T))};
  if (!values.empty()) std::memcpy(data.bytes.data(), values.data(), data.bytes.size());
  return data;
}

std::vector<IdxData> samples() {
  std::vector<std::uint8_t> counting(12);
  std::iota(counting.begin(), counting.end(), std::uint8_t{250});
  return {
      make(IdxType::u8, {3, 2, 2}, counting),
      make<std::int8_t>(IdxType::i8, {3}, {-128, -1, 127}),
      make<std::int16_t>(IdxType::i16, {2, 1}, {-32768, 258}),
      make<std::int32_t>(IdxType::i32, {1, 1, 1, 2}, {-2147483647, 66051}),
      make<float>(IdxType::f32, {2}, {1.5F, -0.0F}),
      make<double>(IdxType::f64, {1, 1}, {0.1}),
      make<std::uint8_t>(IdxType::u8, {2, 0}, {}),
  };
}

/// What the format says, written down once more, for plain files with fewer than 2^16 bytes.
std::optional<IdxData> reference(const Bytes& file) {
  if (file.size() < 4 || file[0] != 0 || file[1] != 0 || file[3] < 1 || file[3] > 8) return std::nullopt;
  std::size_t item = 0;
  switch (file[2]) {
    case 8:
    case 9:
      item = 1;
      break;
    case 11:
      item = 2;
      break;
    case 12:
    case 13:
      item = 4;
      break;
    case 14:
      item = 8;
      break;
    default:
      return std::nullopt;
  }
  const std::size_t header = 4 + std::size_t{4} * file[3];
  if (file.size() < header) return std::nullopt;
  IdxData data{static_cast<IdxType>(file[2]), {}, {}};
  double count = 1, without_zeros = 1;
  for (std::size_t i = 4; i < header; i += 4) {
    const auto extent = file[i] * 16777216.0 + file[i + 1] * 65536.0 + file[i + 2] * 256.0 + file[i + 3];
    data.shape.push_back(static_cast<std::int64_t>(extent));
    count *= extent;
    without_zeros *= extent == 0 ? 1 : extent;
  }
  if (without_zeros * static_cast<double>(item) >= 0x1p63) return std::nullopt;
  if (count * static_cast<double>(item) != static_cast<double>(file.size() - header)) return std::nullopt;
  for (std::size_t i = header; i < file.size(); i += item)
    for (std::size_t j = item; j-- > 0;) data.bytes.push_back(file[i + j]);
  return data;
}

std::optional<IdxData> parsed(const Bytes& file) {
  try {
    return parse_idx(file);
  } catch (const FormatError& e) {
    EXPECT_FALSE(e.field.empty());
    EXPECT_GE(e.offset, 0);
    return std::nullopt;
  }
}

std::string reason(const Bytes& file) {
  try {
    parse_idx(file);
  } catch (const FormatError& e) {
    return e.what();
  }
  return "accepted";
}

Bytes operator+(Bytes a, const Bytes& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

TEST(Idx, RoundTripsEveryTypePlainAndPacked) {
  const Folder folder;
  for (const auto& data : samples()) {
    EXPECT_EQ(parse_idx(format_idx(data)), data) << name(data.type);
    EXPECT_EQ(reference(format_idx(data)), data) << name(data.type);
    for (const char* file : {"a", "a.gz"}) {
      write_idx(folder / file, data);
      EXPECT_EQ(read_idx(folder / file), data) << name(data.type);
    }
    EXPECT_LT(fs::file_size(folder / "a"), 64U);
  }
}

TEST(Idx, ReadsBytesAsTheFormatDefinesThem) {
  const Bytes file = {0, 0, 0x0B, 2, 0, 0, 0, 1, 0, 0, 0, 2, 0x01, 0x02, 0xFF, 0xFE};
  const Tensor t = to_tensor(parse_idx(file));
  EXPECT_TRUE(equal(t, tensor({{258, -2}})));
  const Bytes number = {0, 0, 0x0D, 1, 0, 0, 0, 1, 0x3F, 0x80, 0, 0};
  EXPECT_TRUE(equal(to_tensor(parse_idx(number)), tensor({1.0}, f32)));
}

TEST(Idx, EveryTruncationIsAnError) {
  for (const auto& data : samples())
    for (const auto& whole : {format_idx(data), gzip(format_idx(data))})
      for (std::size_t n = 0; n < whole.size(); ++n)
        EXPECT_THROW(parse_idx(std::span(whole).first(n)), FormatError) << name(data.type) << " cut to " << n;
}

TEST(Idx, EverySingleByteChangeGivesTheReferenceValueOrAnError) {
  for (const auto& data : samples()) {
    auto file = format_idx(data);
    for (std::size_t i = 0; i < file.size(); ++i) {
      const auto right = file[i];
      for (int v = 0; v < 256; ++v) {
        file[i] = static_cast<std::uint8_t>(v);
        EXPECT_EQ(parsed(file), reference(file)) << name(data.type) << ", byte " << i << " = " << v;
      }
      file[i] = right;
    }
  }
}

TEST(Idx, EverySingleByteChangeOfAPackedFileIsHarmlessOrAnError) {
  int harmless = 0, changes = 0;
  for (const auto& data : samples()) {
    auto file = gzip(format_idx(data));
    for (std::size_t i = 0; i < file.size(); ++i) {
      const auto right = file[i];
      for (int step = 1; step < 256; ++step) {
        file[i] = static_cast<std::uint8_t>(right + step);
        const auto got = parsed(file);
        EXPECT_EQ(got.value_or(data), data) << "byte " << i;
        harmless += got ? 1 : 0;
        ++changes;
      }
      file[i] = right;
    }
  }
  EXPECT_GT(harmless, 0);  // time stamp, operating system and the like
  EXPECT_LT(harmless, changes / 4);
}

TEST(Idx, BytesLeftOverAreAnError) {
  for (const auto& data : samples()) {
    const auto file = format_idx(data);
    EXPECT_THROW(parse_idx(file + Bytes{0}), FormatError);
    EXPECT_THROW(parse_idx(gzip(file + Bytes{0})), FormatError);
    EXPECT_THROW(parse_idx(gzip(file) + Bytes{0}), FormatError);
    EXPECT_THROW(parse_idx(gzip(file) + Bytes{0x1F}), FormatError);
    EXPECT_THROW(parse_idx(gzip(file) + gzip(Bytes{0})), FormatError);
  }
}

TEST(Idx, GzipMayHaveSeveralMembers) {
  const auto data = samples()[0];
  const auto file = format_idx(data);
  for (std::size_t cut = 0; cut <= file.size(); ++cut) {
    const auto at = file.begin() + static_cast<std::ptrdiff_t>(cut);
    const auto first = gzip(Bytes(file.begin(), at)), second = gzip(Bytes(at, file.end()));
    EXPECT_EQ(parse_idx(first + second), data) << cut;
    EXPECT_EQ(parse_idx(gzip({}) + first + gzip({}) + second + gzip({})), data) << cut;
  }
}

// The checksum stands after the data: it is only seen if the reader goes on to the very end.
TEST(Idx, GzipChecksumAndLengthAreVerified) {
  auto file = gzip(format_idx(samples()[0]));
  file[file.size() - 8] ^= 1;
  EXPECT_NE(reason(file).find("[gzip]"), std::string::npos) << reason(file);
  file[file.size() - 8] ^= 1;
  file[file.size() - 4] ^= 1;
  EXPECT_NE(reason(file).find("[gzip]"), std::string::npos) << reason(file);
}

TEST(Idx, MessagesTellOffsetFieldAndReason) {
  EXPECT_EQ(reason({}), "[idx] magic at byte 0: expected 4 bytes, got 0");
  EXPECT_EQ(reason({0, 1, 8, 1}), "[idx] magic at byte 0: expected 0x00 0x00, got 0x00 0x01");
  EXPECT_EQ(reason({0, 0, 0x0A, 1}),
            "[idx] type at byte 2: expected one of 0x08, 0x09, 0x0b, 0x0c, 0x0d, 0x0e, got 0x0a");
  EXPECT_EQ(reason({0, 0, 8, 0}), "[idx] number of dimensions at byte 3: expected 1 to 8, got 0");
  EXPECT_EQ(reason({0, 0, 8, 9}), "[idx] number of dimensions at byte 3: expected 1 to 8, got 9");
  EXPECT_EQ(reason({0, 0, 8, 2, 0, 0, 0, 1, 0}),
            "[idx] dimensions at byte 9: expected 2 of 4 bytes, got the end of the data in number 1");
  EXPECT_EQ(reason({0, 0, 8, 1, 0, 0, 0, 3, 7}), "[idx] elements at byte 8: expected 3 bytes, got at most 1");
  EXPECT_EQ(reason({0, 0, 8, 1, 0, 0, 0, 1, 7, 7}),
            "[idx] end at byte 9: expected the end of the data, got more bytes");
}

TEST(Idx, SmallFilesCannotAskForMuchMemory) {
  const Bytes huge = {0, 0, 8, 2, 0, 1, 0, 0, 0, 0, 0x40, 0};  // 1 GiB
  const Bytes overflow = {0, 0, 14, 3, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255};
  const Bytes hidden = {0, 0, 8, 4, 0, 0, 0, 0, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255};
  // A megabyte of zeros packs into a kilobyte: enough for the ratio to allow what the header promises.
  const Bytes bomb = gzip(huge + Bytes(1 << 20));
  const Bytes surplus = gzip(Bytes{0, 0, 8, 1, 0, 0, 0, 1} + Bytes(1 << 24));
  for (const auto& file : {huge, gzip(huge), overflow, gzip(overflow), hidden, bomb, surplus}) {
    largest_request = 0;
    EXPECT_THROW(parse_idx(file), FormatError);
    EXPECT_LT(largest_request, std::size_t{1} << 17);
  }
}

TEST(Idx, MemoryFollowsTheBytesThatArrive) {
  const Bytes promise = {0, 0, 8, 1, 0, 0x40, 0, 0};  // 4 MiB
  const Bytes noise = [] {  // does not compress: 64 KiB of it make a ratio of 64 believable
    const auto v = randint(0, 256, {1 << 16}).to_vector<std::int64_t>();
    return Bytes(v.begin(), v.end());
  }();
  const auto file = gzip(promise + noise);
  largest_request = 0;
  EXPECT_THROW(parse_idx(file), FormatError);
  EXPECT_LT(largest_request, std::size_t{1} << 18);
}

TEST(Idx, CapIsAnOption) {
  const auto file = format_idx(samples()[0]);
  EXPECT_NO_THROW(parse_idx(file, {.max_bytes = 12}));
  EXPECT_THROW(parse_idx(file, {.max_bytes = 11}), FormatError);
}

TEST(Idx, UnreadableThingsAreIoErrorsWithTheirPath) {
  const Folder folder;
  ASSERT_EQ(mkfifo((folder / "pipe").c_str(), 0600), 0);
  save(folder / "closed", format_idx(samples()[0]));
  fs::permissions(folder / "closed", fs::perms::none);
  std::vector<fs::path> paths = {folder / "missing", folder.path(), folder / "pipe",
                                 "/dev/zero",        "/dev/null",   folder / "closed/below"};
  if (geteuid() != 0) paths.push_back(folder / "closed");
  for (const auto& path : paths) {
    try {
      read_idx(path);
      ADD_FAILURE() << path << " was read";
    } catch (const IoError& e) {
      EXPECT_NE(std::string(e.what()).find(path.string()), std::string::npos) << e.what();
    }
  }
  EXPECT_THROW(write_idx(folder / "closed/below", samples()[0]), IoError);
}

TEST(Idx, FormatErrorsOfFilesNameTheFile) {
  const Folder folder;
  save(folder / "bad", {0, 0, 8});
  try {
    read_idx(folder / "bad");
    ADD_FAILURE();
  } catch (const FormatError& e) {
    EXPECT_EQ(e.format, "idx");
    EXPECT_EQ(e.offset, 3);
    EXPECT_EQ(e.field, "magic");
    EXPECT_NE(e.reason.find((folder / "bad").string()), std::string::npos);
  }
}

TEST(Idx, WritingRefusesInconsistentData) {
  IdxData data = samples()[0];
  data.bytes.pop_back();
  EXPECT_THROW(format_idx(data), ValueError);
  EXPECT_THROW(format_idx(make<std::uint8_t>(IdxType::u8, {}, {1})), ValueError);
  EXPECT_THROW(format_idx({IdxType::u8, {std::int64_t{1} << 32, 0}, {}}), ValueError);
}

TEST(Idx, BecomesTensors) {
  const auto all = samples();
  EXPECT_EQ(to_tensor(all[0]).dtype(), i64);
  EXPECT_TRUE(equal(to_tensor(all[1]), tensor({-128, -1, 127})));
  EXPECT_EQ(to_tensor(all[4]).dtype(), f32);
  EXPECT_TRUE(equal(to_tensor(all[5]), tensor({{0.1}}, f64)));
  EXPECT_EQ(to_tensor(all[6]).shape(), (Shape{2, 0}));

  const Tensor p = pixels(make<std::uint8_t>(IdxType::u8, {1, 3}, {0, 51, 255}));
  EXPECT_TRUE(equal(p, tensor({{0.0, 51 / 255.0F, 1.0}}, f32)));
  EXPECT_THROW(pixels(all[1]), DtypeError);

  EXPECT_TRUE(equal(labels(make<std::uint8_t>(IdxType::u8, {3}, {9, 0, 4}), 10), tensor({9, 0, 4})));
  EXPECT_THROW(labels(make<std::uint8_t>(IdxType::u8, {1}, {10}), 10), ValueError);
  EXPECT_THROW(labels(make<std::int8_t>(IdxType::i8, {1}, {-1}), 10), ValueError);
  EXPECT_THROW(labels(all[0], 256), ShapeError);
  EXPECT_THROW(labels(all[4], 10), DtypeError);
}

// ---- folders ----

IdxData images(std::int64_t n) {
  return make(IdxType::u8, {n, 2, 3}, Bytes(static_cast<std::size_t>(6 * n), 255));
}
IdxData classes(const Bytes& values) {
  return make(IdxType::u8, {static_cast<std::int64_t>(values.size())}, values);
}

TEST(IdxImages, FindsEveryCustomaryName) {
  for (const std::string dot : {"-", "."})
    for (const std::string end : {"", ".gz"}) {
      const Folder folder;
      EXPECT_FALSE(has_idx_images(folder.path()));
      write_idx(folder / ("train-images" + dot + "idx3-ubyte" + end), images(4));
      write_idx(folder / ("train-labels" + dot + "idx1-ubyte" + end), classes({1, 2, 3, 9}));
      write_idx(folder / ("t10k-images" + dot + "idx3-ubyte" + end), images(2));
      write_idx(folder / ("t10k-labels" + dot + "idx1-ubyte" + end), classes({5, 0}));
      EXPECT_TRUE(has_idx_images(folder.path()));
      const auto train = load_idx_images(folder.path(), Part::train);
      EXPECT_EQ(train.x().shape(), (Shape{4, 2, 3}));
      EXPECT_EQ(train.x().dtype(), f32);
      EXPECT_EQ(train.x().to_vector<float>()[7], 1);
      EXPECT_TRUE(equal(train.y(), tensor({1, 2, 3, 9})));
      EXPECT_EQ(load_idx_images(folder.path(), Part::test).size(), 2);
    }
}

TEST(IdxImages, RefusesWhatDoesNotBelongTogether) {
  const Folder folder;
  const auto image_file = folder / "train-images-idx3-ubyte", label_file = folder / "train-labels-idx1-ubyte";
  const auto load = [&](std::int64_t n = 10) { return load_idx_images(folder.path(), Part::train, n); };
  EXPECT_THROW(load(), IoError);
  write_idx(image_file, images(2));
  EXPECT_THROW(load(), IoError);
  write_idx(label_file, classes({1, 2, 3}));
  EXPECT_THROW(load(), FormatError);
  write_idx(label_file, classes({1, 10}));
  EXPECT_THROW(load(), FormatError);
  EXPECT_EQ(load(11).size(), 2);
  write_idx(label_file, images(2));
  EXPECT_THROW(load(), FormatError);
  write_idx(label_file, classes({1, 2}));
  write_idx(image_file, make<float>(IdxType::f32, {2, 1, 1}, {0, 1}));
  EXPECT_THROW(load(), FormatError);
}

TEST(IdxImages, MissingFoldersAreNamed) {
  const Folder folder;
  save(folder / "file", {1});
  for (const auto& path : {folder / "nowhere", folder / "file", folder.path()}) {
    EXPECT_FALSE(has_idx_images(path));
    try {
      load_idx_images(path, Part::test);
      ADD_FAILURE() << path;
    } catch (const IoError& e) {
      const std::string what = e.what();
      EXPECT_NE(what.find(path.string()), std::string::npos) << what;
      EXPECT_NE(what.find("t10k-images-idx3-ubyte"), std::string::npos) << what;
    }
  }
}

// The real thing, where Debian's dataset-fashion-mnist is installed.
TEST(IdxImages, ReadsFashionMnist) {
  const fs::path folder = "/usr/share/datasets/fashion-mnist";
  if (!has_idx_images(folder)) return;
  const auto test = load_idx_images(folder, Part::test);
  EXPECT_EQ(test.x().shape(), (Shape{10000, 28, 28}));
  std::vector<int> counts(10);
  for (const auto label : test.y().to_vector<std::int64_t>()) ++counts.at(static_cast<std::size_t>(label));
  EXPECT_EQ(counts, std::vector<int>(10, 1000));
  EXPECT_EQ(load_idx_images(folder, Part::train).size(), 60000);
}

}  // namespace
}  // namespace cadena::data
