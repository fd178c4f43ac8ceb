#include <unistd.h>

#include <algorithm>
#include <array>
#include <bit>
#include <chrono>
#include <cmath>
#include <limits>
#include <system_error>

#include "autodiff/error.hpp"
#include "train/log.hpp"

namespace cadena::train {
namespace {

// ---- protocol buffers: just enough to write messages ----

void varint(std::string& to, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) to += static_cast<char>(value | 0x80);
  to += static_cast<char>(value);
}

template <class T>
void little_endian(std::string& to, T value) {
  for (std::size_t i = 0; i < sizeof(T); ++i) to += static_cast<char>(value >> (8 * i));
}

void key(std::string& to, int field, int wire_type) {
  varint(to, static_cast<std::uint64_t>(field << 3 | wire_type));
}

void put_int(std::string& to, int field, std::int64_t value) {
  key(to, field, 0);
  varint(to, static_cast<std::uint64_t>(value));
}
void put_double(std::string& to, int field, double value) {
  key(to, field, 1);
  little_endian(to, std::bit_cast<std::uint64_t>(value));
}
void put_float(std::string& to, int field, float value) {
  key(to, field, 5);
  little_endian(to, std::bit_cast<std::uint32_t>(value));
}
void put_bytes(std::string& to, int field, std::string_view bytes) {
  key(to, field, 2);
  varint(to, bytes.size());
  to += bytes;
}
void put_doubles(std::string& to, int field, const std::vector<double>& values) {
  std::string packed;
  for (const double v : values) little_endian(packed, std::bit_cast<std::uint64_t>(v));
  put_bytes(to, field, packed);
}

// ---- TFRecord ----

std::uint32_t crc32c(std::string_view bytes) {
  static const auto table = [] {
    std::array<std::uint32_t, 256> t{};
    for (std::uint32_t i = 0; i < 256; ++i) {
      t[i] = i;
      for (int bit = 0; bit < 8; ++bit)
        t[i] = (t[i] >> 1) ^ (t[i] & 1 ? 0x82f63b78u : 0u);  // Castagnoli, reflected
    }
    return t;
  }();
  std::uint32_t crc = ~0u;
  for (const char c : bytes) crc = table[(crc ^ static_cast<std::uint8_t>(c)) & 0xff] ^ (crc >> 8);
  return ~crc;
}

/// TFRecord stores checksums so that a record inside a record does not check itself.
std::uint32_t masked(std::uint32_t crc) { return std::rotr(crc, 15) + 0xa282ead8u; }

std::filesystem::path event_path(const std::filesystem::path& folder, double now) {
  std::array<char, 256> host{};
  if (::gethostname(host.data(), host.size() - 1) != 0) host[0] = '\0';
  const auto stem = "events.out.tfevents." + std::to_string(static_cast<std::int64_t>(now)) + "." +
                    (host[0] ? host.data() : "localhost") + "." + std::to_string(::getpid());
  auto path = folder / stem;
  for (int i = 1; std::filesystem::exists(path); ++i) path = folder / (stem + "." + std::to_string(i));
  return path;
}

std::string value_of(std::string_view tag) {
  std::string value;
  put_bytes(value, 1, tag);
  return value;
}

/// Bounds of TensorBoard's histogram bins.
const std::vector<double>& bin_limits() {
  static const auto limits = [] {
    std::vector<double> positive, all;
    for (double v = 1e-12; v < 1e20; v *= 1.1) positive.push_back(v);
    positive.push_back(std::numeric_limits<double>::max());
    for (auto v = positive.rbegin(); v != positive.rend(); ++v) all.push_back(-*v);
    all.push_back(0);
    all.insert(all.end(), positive.begin(), positive.end());
    return all;
  }();
  return limits;
}

}  // namespace

TensorBoardLog::TensorBoardLog(const std::filesystem::path& folder, std::function<double()> clock)
    : clock_(std::move(clock)) {
  if (!clock_)
    clock_ = [] {
      return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
    };
  std::error_code ignored;  // what is wrong shows when the file is opened
  std::filesystem::create_directories(folder, ignored);
  path_ = event_path(folder, clock_());
  out_.open(path_, std::ios::binary);
  std::string first;
  put_double(first, 1, clock_());
  put_bytes(first, 3, "brain.Event:2");
  write_record(first);
}

void TensorBoardLog::write_record(const std::string& event) {
  std::string length, record;
  little_endian(length, static_cast<std::uint64_t>(event.size()));
  record = length;
  little_endian(record, masked(crc32c(length)));
  record += event;
  little_endian(record, masked(crc32c(event)));
  if (!out_.write(record.data(), static_cast<std::streamsize>(record.size())) || !out_.flush())
    throw IoError("[TensorBoardLog] cannot write " + path_.string());
}

void TensorBoardLog::write(std::string_view summary_value, std::int64_t step) {
  std::string summary, event;
  put_bytes(summary, 1, summary_value);
  put_double(event, 1, clock_());
  put_int(event, 2, step);
  put_bytes(event, 5, summary);
  write_record(event);
}

void TensorBoardLog::log(std::int64_t step, const std::vector<Metric>& metrics) {
  for (const auto& metric : metrics) scalar(metric.name, metric.value, step);
}

void TensorBoardLog::scalar(std::string_view tag, double value, std::int64_t step) {
  auto v = value_of(tag);
  put_float(v, 2, static_cast<float>(value));
  write(v, step);
}

void TensorBoardLog::histogram(std::string_view tag, const Tensor& values, std::int64_t step) {
  const auto list = values.to_vector<double>();
  const auto& limits = bin_limits();
  std::vector<double> count(limits.size());
  double sum = 0, squares = 0;
  double low = list.empty() ? 0 : list[0], high = low;
  for (const double v : list) {
    if (!std::isfinite(v))
      throw ValueError("[TensorBoardLog::histogram] expected finite values, got " + std::to_string(v) +
                       " in " + std::string(tag));
    ++count[static_cast<std::size_t>(std::lower_bound(limits.begin(), limits.end(), v) - limits.begin())];
    sum += v;
    squares += v * v;
    low = std::min(low, v);
    high = std::max(high, v);
  }
  // Runs of empty bins are one bin.
  std::vector<double> kept_limits, kept_counts;
  for (std::size_t i = 0; i < count.size(); ++i) {
    if (count[i] == 0 && !kept_counts.empty() && kept_counts.back() == 0) {
      kept_limits.back() = limits[i];
      continue;
    }
    kept_limits.push_back(limits[i]);
    kept_counts.push_back(count[i]);
  }
  std::string histogram;
  put_double(histogram, 1, low);
  put_double(histogram, 2, high);
  put_double(histogram, 3, static_cast<double>(list.size()));
  put_double(histogram, 4, sum);
  put_double(histogram, 5, squares);
  put_doubles(histogram, 6, kept_limits);
  put_doubles(histogram, 7, kept_counts);
  auto v = value_of(tag);
  put_bytes(v, 5, histogram);
  write(v, step);
}

void TensorBoardLog::image(std::string_view tag, std::span<const std::uint8_t> png, std::int64_t height,
                           std::int64_t width, std::int64_t step) {
  std::string image;
  put_int(image, 1, height);
  put_int(image, 2, width);
  put_int(image, 3, 3);  // RGB; viewers look into the file itself
  put_bytes(image, 4, {reinterpret_cast<const char*>(png.data()), png.size()});
  auto v = value_of(tag);
  put_bytes(v, 4, image);
  write(v, step);
}

void TensorBoardLog::text(std::string_view tag, std::string_view text, std::int64_t step) {
  constexpr int string_type = 7;  // DT_STRING
  std::string dimension, shape, tensor, plugin, metadata;
  put_int(dimension, 1, 1);
  put_bytes(shape, 2, dimension);
  put_int(tensor, 1, string_type);
  put_bytes(tensor, 2, shape);
  put_bytes(tensor, 8, text);
  put_bytes(plugin, 1, "text");
  put_bytes(metadata, 1, plugin);
  auto v = value_of(tag);
  put_bytes(v, 8, tensor);
  put_bytes(v, 9, metadata);
  write(v, step);
}

}  // namespace cadena::train
