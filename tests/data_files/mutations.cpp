// Small files of every format, cut off at every byte and with every byte changed: a FormatError or a value,
// and little memory. (Values are compared in the tests of formats with checksums, and for idx.)
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <functional>
#include <new>
#include <ostream>

#include "autodiff/autodiff.hpp"
#include "autodiff/memory.hpp"
#include "data/data.hpp"
#include "data_files/fixture.hpp"

namespace {
std::atomic<std::size_t> largest_request{0};
}

// Remembers the largest request, to see what a lying header can make a reader ask for. (Inlined, g++ would
// take malloc and operator delete for a mismatched pair.)
[[gnu::noinline]] void* operator new(std::size_t n) {
  if (n > largest_request) largest_request = n;
  if (void* p = std::malloc(n)) return p;
  throw std::bad_alloc();
}
[[gnu::noinline]] void* operator new(std::size_t n, const std::nothrow_t&) noexcept { return std::malloc(n); }
[[gnu::noinline]] void operator delete(void* p) noexcept { std::free(p); }
[[gnu::noinline]] void operator delete(void* p, std::size_t) noexcept { std::free(p); }

namespace cadena::data {
namespace {

using Read = std::function<void(std::span<const std::uint8_t>)>;

struct Sample {
  std::string name;
  Bytes file;
  Read read;

  /// What GoogleTest says of a parameter.
  friend std::ostream& operator<<(std::ostream& out, const Sample& sample) { return out << sample.name; }
};

std::string_view text_of(std::span<const std::uint8_t> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::vector<Sample> samples() {
  const Read safetensors = [](auto bytes) { parse_safetensors(bytes); };
  const Read npy = [](auto bytes) { parse_npy(bytes); };
  const Read npz = [](auto bytes) { parse_npz(bytes); };
  const Read torch = [](auto bytes) { parse_torch(bytes); };
  const Read picture = [](auto bytes) { parse_image(bytes); };
  const Read csv = [](auto bytes) { parse_csv(text_of(bytes)); };
  const Read text = [](auto bytes) { CharVocabulary(text_of(bytes)).encode(text_of(bytes)); };
  const Read checkpoint = [](auto bytes) { parse_checkpoint(bytes); };
  const Read idx = [](auto bytes) { to_tensor(parse_idx(bytes)); };
  std::vector<Sample> all = {
      {"safetensors",
       format_safetensors({.tensors = {{"a", ones({2})}, {"b", tensor({true})}}, .metadata = {{"k", "v"}}}),
       safetensors},
      {"npy", fixture("npy_little_i2"), npy},
      {"npy_fortran", format_npy(ones({2, 2}), {.fortran_order = true}), npy},
      {"npz", format_npz({{"a", ones({2})}, {"b", ones({1})}}), npz},
      {"npz_compressed", format_npz({{"a", zeros({50})}}, {.compressed = true}), npz},
      {"numpy_npz", fixture("npz_compressed"), npz},
      {"torch", fixture("torch_alone"), torch},
      {"torch_nested", fixture("torch_nested"), torch},
      {"csv", bytes_of("a,b\n1,\"x, y\"\n,NA\n2.5,z\n"), csv},
      {"text", bytes_of("ab ñ😀"), text},
      {"idx", format_idx({IdxType::u8, {2, 2}, {1, 2, 3, 4}}), idx},
  };
  Checkpoint c;
  c["m"].tensors = {{"w", ones({2})}};
  c["m"].values = {{"i", std::int64_t{3}}, {"f", 0.5}, {"s", std::string("x")}, {"b", true}};
  all.push_back({"checkpoint", format_checkpoint(c), checkpoint});
  for (const char* name : {"png_grey", "png_rgb", "png_palette", "png_bits", "png_interlaced", "jpeg_grey",
                           "jpeg_rgb", "jpeg_progressive"})
    all.push_back({name, fixture(name), picture});
  return all;
}

class DamagedFile : public testing::TestWithParam<Sample> {
 protected:
  /// @return true if it was read
  static bool read(std::span<const std::uint8_t> file) {
    try {
      GetParam().read(file);
      return true;
    } catch (const FormatError& e) {
      EXPECT_GE(e.offset, 0);
      EXPECT_FALSE(e.field.empty() && e.format != "torch")
          << e.what();  // a tensor that was saved alone has no name
      EXPECT_TRUE(e.reason.starts_with("expected ") || e.reason.starts_with("[")) << e.what();
      return false;
    } catch (const std::exception& e) {
      ADD_FAILURE() << "another exception: " << e.what();
      return false;
    }
  }

  void SetUp() override {
    ASSERT_TRUE(read(GetParam().file));
    largest_request = 0;
    reserved_ = memory_stats().reserved_bytes;
  }
  void TearDown() override {
    EXPECT_LT(largest_request, std::size_t{1} << 20);
    EXPECT_LT(memory_stats().reserved_bytes - reserved_, 16 << 20);
  }

  void change_bytes(const std::vector<int>& steps) {
    Bytes file = GetParam().file;
    for (std::size_t i = 0; i < file.size(); ++i) {
      const auto right = file[i];
      for (const int step : steps) {
        file[i] = static_cast<std::uint8_t>(right + step);
        read(file);
      }
      file[i] = right;
    }
  }

  std::int64_t reserved_ = 0;
};

TEST_P(DamagedFile, EveryTruncationIsAnErrorOrAValue) {
  const Bytes& file = GetParam().file;
  int accepted = 0;
  for (std::size_t n = 0; n < file.size(); ++n) accepted += read(std::span(file).first(n)) ? 1 : 0;
  const std::string name = GetParam().name;
  if (name != "csv" && name != "text") {
    EXPECT_EQ(accepted, 0);
  }
}

TEST_P(DamagedFile, EveryByteChangedInSeveralWaysIsAnErrorOrAValue) {
  change_bytes({1, 3, 16, 32, 128, 160, 255});
}

TEST_P(DamagedFile, ThoroughEverySingleByteChangeIsAnErrorOrAValue) {
  std::vector<int> steps(255);
  for (int i = 0; i < 255; ++i) steps[static_cast<std::size_t>(i)] = i + 1;
  change_bytes(steps);
}

INSTANTIATE_TEST_SUITE_P(Formats, DamagedFile, testing::ValuesIn(samples()),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace cadena::data
