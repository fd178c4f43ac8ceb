#include <gtest/gtest.h>

#include <bit>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include "autodiff/autodiff.hpp"
#include "tests/messages.hpp"
#include "train/log.hpp"

namespace cadena::train {
namespace {

namespace fs = std::filesystem;

std::string slurp(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

fs::path fresh_folder(const std::string& name) {
  const auto folder = fs::path(testing::TempDir()) / ("cadena_log_" + name);
  fs::remove_all(folder);
  return folder;
}

TEST(CsvLog, WritesAHeaderAndALineAStep) {
  const auto path = fresh_folder("csv") / "deep" / "log.csv";
  {
    CsvLog log(path);
    log.log(1, {{"loss", 0.25}, {"val, loss", 1.0 / 3}});
    EXPECT_EQ(slurp(path), "step,loss,\"val, loss\"\n1,0.25,0.3333333333333333\n");  // before it is closed
  }
  CsvLog more(path);
  more.log(2, {{"loss", 1e-7}, {"val, loss", 2}});
  EXPECT_EQ(slurp(path), "step,loss,\"val, loss\"\n1,0.25,0.3333333333333333\n2,1e-07,2\n");
  EXPECT_TRUE(contains(message_of<ValueError>([&] {
                         more.log(3, {{"loss", 1}});
                       }),
                       "[CsvLog] expected the columns of " + path.string()));
}

TEST(CsvLog, SaysWhatCannotBeWritten) {
  EXPECT_TRUE(
      contains(message_of<IoError>([] { CsvLog log("/proc/no/such/file.csv"); }), "/proc/no/such/file.csv"));
}

// ---- an independent reader of event files ----

std::uint32_t crc32c_bit_by_bit(std::string_view bytes) {
  std::uint32_t crc = 0xffffffff;
  for (const char c : bytes) {
    crc ^= static_cast<std::uint8_t>(c);
    for (int i = 0; i < 8; ++i) crc = (crc >> 1) ^ ((crc & 1) * 0x82f63b78);
  }
  return crc ^ 0xffffffff;
}

template <class T>
T read_le(std::string_view& bytes) {
  T value{};
  std::memcpy(&value, bytes.data(), sizeof value);
  bytes.remove_prefix(sizeof value);
  return value;
}

std::vector<std::string> records(std::string_view file) {
  const auto check = [](std::string_view bytes, std::uint32_t stored) {
    const auto crc = crc32c_bit_by_bit(bytes);
    EXPECT_EQ(stored, ((crc >> 15) | (crc << 17)) + 0xa282ead8);
  };
  std::vector<std::string> list;
  while (!file.empty()) {
    const auto head = file.substr(0, 8);
    const auto length = read_le<std::uint64_t>(file);
    check(head, read_le<std::uint32_t>(file));
    list.emplace_back(file.substr(0, length));
    file.remove_prefix(length);
    check(list.back(), read_le<std::uint32_t>(file));
  }
  return list;
}

/// The fields of a message: numbers as eight raw bytes, everything else as it is.
std::multimap<int, std::string> fields(std::string_view message) {
  const auto varint = [&message] {
    std::uint64_t value = 0;
    for (int shift = 0;; shift += 7) {
      const auto byte = static_cast<std::uint8_t>(message[0]);
      message.remove_prefix(1);
      value |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  };
  std::multimap<int, std::string> result;
  while (!message.empty()) {
    const auto key = varint();
    std::string value(8, '\0');
    switch (key & 7) {
      case 0: {
        const auto number = varint();
        std::memcpy(value.data(), &number, 8);
        break;
      }
      case 1:
      case 5:
        value = message.substr(0, (key & 7) == 1 ? 8 : 4);
        message.remove_prefix(value.size());
        break;
      default: {
        const auto length = varint();
        value = message.substr(0, length);
        message.remove_prefix(length);
      }
    }
    result.emplace(static_cast<int>(key >> 3), value);
  }
  return result;
}

std::string at(const std::multimap<int, std::string>& message, int field) {
  const auto found = message.find(field);
  if (found == message.end()) ADD_FAILURE() << "no field " << field;
  return found == message.end() ? std::string(8, '\0') : found->second;
}

template <class T>
T number(const std::string& raw) {
  T value{};
  std::memcpy(&value, raw.data(), std::min(raw.size(), sizeof value));
  return value;
}

/// The only Value of an event.
std::multimap<int, std::string> value_in(const std::string& event) {
  return fields(at(fields(at(fields(event), 5)), 1));
}

TEST(TensorBoardLog, WritesEventsThatAnotherReaderUnderstands) {
  const auto folder = fresh_folder("events");
  TensorBoardLog log(folder, [] { return 1700000000.5; });
  EXPECT_TRUE(contains(log.path().filename().string(), "events.out.tfevents.1700000000."));
  log.log(7, {{"loss", 0.5}, {"accuracy", 0.25}});
  log.histogram("weights", tensor({-1.0, 0.0, 0.0, 2.0}), 300);
  const std::vector<std::uint8_t> png{1, 2, 3};
  log.image("sheet", png, 4, 5, 8);
  log.text("notes", "**hello**", 9);

  const auto events = records(slurp(log.path()));
  ASSERT_EQ(events.size(), 6u);
  EXPECT_EQ(at(fields(events[0]), 3), "brain.Event:2");
  EXPECT_EQ(number<double>(at(fields(events[0]), 1)), 1700000000.5);

  EXPECT_EQ(number<std::int64_t>(at(fields(events[1]), 2)), 7);
  EXPECT_EQ(at(value_in(events[1]), 1), "loss");
  EXPECT_EQ(number<float>(at(value_in(events[1]), 2)), 0.5f);
  EXPECT_EQ(at(value_in(events[2]), 1), "accuracy");

  EXPECT_EQ(number<std::int64_t>(at(fields(events[3]), 2)), 300);
  const auto histogram = fields(at(value_in(events[3]), 5));
  EXPECT_EQ(number<double>(at(histogram, 1)), -1);
  EXPECT_EQ(number<double>(at(histogram, 2)), 2);
  EXPECT_EQ(number<double>(at(histogram, 3)), 4);
  EXPECT_EQ(number<double>(at(histogram, 4)), 1);
  EXPECT_EQ(number<double>(at(histogram, 5)), 5);
  const auto limits = at(histogram, 6), counts = at(histogram, 7);
  ASSERT_EQ(limits.size(), counts.size());
  double total = 0, at_zero = 0;
  for (std::size_t i = 0; i < counts.size(); i += 8) {
    total += number<double>(counts.substr(i, 8));
    if (number<double>(limits.substr(i, 8)) == 0) at_zero = number<double>(counts.substr(i, 8));
  }
  EXPECT_EQ(total, 4);
  EXPECT_EQ(at_zero, 2);

  const auto image = fields(at(value_in(events[4]), 4));
  EXPECT_EQ(number<std::int64_t>(at(image, 1)), 4);
  EXPECT_EQ(at(image, 4), std::string("\1\2\3"));
  EXPECT_EQ(at(fields(at(value_in(events[5]), 8)), 8), "**hello**");

  EXPECT_TRUE(
      contains(message_of<ValueError>([&] { log.histogram("w", log2(zeros({1})), 1); }), "-inf in w"));
  EXPECT_NE(TensorBoardLog(folder, [] { return 1700000000.5; }).path(), log.path());
}

}  // namespace
}  // namespace cadena::train
