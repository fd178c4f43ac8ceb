// The readers and writers of data/files: values, and what they do with files that are damaged or lie. A
// source for each format lies in data_files/; idx has a test of its own.
#include "fixtures/data_files.hpp"

#include <gtest/gtest.h>

#include <cstring>

#include "data/data.hpp"
#include "data_files/fixture.hpp"
#include "files.hpp"
#include "messages.hpp"

namespace cadena {

Bytes fixture(const std::string& name) { return from_base64(fixtures::data_files.at(name)); }

namespace data {
namespace {

namespace fs = std::filesystem;

std::string read(const fs::path& path) {
  const Bytes bytes = read_file(path);
  return {bytes.begin(), bytes.end()};
}

std::ptrdiff_t entries(const fs::path& path) { return std::distance(fs::directory_iterator(path), {}); }

TEST(WriteFile, WritesAndReplaces) {
  const Folder folder;
  const auto path = folder / "new" / "folder" / "a.svg";
  write_file(path, "one");
  write_file(path, std::string("two\0three", 9));
  EXPECT_EQ(read(path), std::string("two\0three", 9));
  EXPECT_EQ(entries(path.parent_path()), 1) << "a temporary file was left behind";
}

TEST(WriteFile, SaysWhereItCannotWrite) {
  const Folder folder;
  write_file(folder / "file", "x");
  try {
    write_file(folder / "file" / "below.svg", "y");  // a file is no folder, not even for root
    FAIL() << "nothing was thrown";
  } catch (const WriteError& error) {
    EXPECT_EQ(error.path(), folder / "file");
    EXPECT_NE(std::string(error.what()).find((folder / "file").string()), std::string::npos) << error.what();
  }
  fs::create_directories(folder / "taken" / "inside");
  EXPECT_THROW(write_file(folder / "taken", "y"), WriteError);
  EXPECT_THROW(write_file("", "y"), WriteError);
  EXPECT_THROW(write_file(folder / "new" / "", "y"), WriteError);
  EXPECT_EQ(entries(folder.path()), 2) << "a temporary file was left behind";
  EXPECT_EQ(read(folder / "file"), "x");
}

TEST(AtomicFile, AppearsWhenItIsComplete) {
  const Folder folder;
  write_file(folder / "a", "old");
  {
    AtomicFile file(folder / "a");
    file.write(bytes_of("half"));
    EXPECT_EQ(read(folder / "a"), "old");
  }
  EXPECT_EQ(read(folder / "a"), "old");
  EXPECT_EQ(entries(folder.path()), 1);
  AtomicFile file(folder / "a");
  file.write(bytes_of("ne"));
  file.write({});
  file.write(bytes_of("w"));
  file.commit();
  EXPECT_EQ(read(folder / "a"), "new");
  EXPECT_EQ(entries(folder.path()), 1);
}

TEST(ReadFile, IsBoundedAndReadsRegularFilesOnly) {
  const Folder folder;
  save(folder / "four", bytes_of("four"));
  EXPECT_EQ(read_file(folder / "four", 4).size(), 4U);
  EXPECT_THROW(read_file(folder / "four", 3), IoError);
  for (const fs::path& path : {folder / "missing", folder.path(), fs::path("/dev/zero")})
    EXPECT_TRUE(contains(message_of<IoError>([&] { read_file(path); }), path.string()));
}

/// Every reader says which file is missing, and which is damaged and where.
TEST(DataFiles, ErrorsNameThePath) {
  const Folder folder;
  save(folder / "bad", bytes_of("\xFF\xFE no format has this"));
  const auto bad = folder / "bad", missing = folder / "missing";
  const auto check = [&](const auto& read_it) {
    EXPECT_TRUE(contains(message_of<IoError>([&] { read_it(missing); }), missing.string()));
    EXPECT_TRUE(contains(message_of<FormatError>([&] { read_it(bad); }), " in " + bad.string()));
  };
  check([](const fs::path& p) { read_safetensors(p); });
  check([](const fs::path& p) { read_safetensors(p, {.mapped = true}); });
  check([](const fs::path& p) { read_npy(p); });
  check([](const fs::path& p) { read_npz(p); });
  check([](const fs::path& p) { read_torch(p); });
  check([](const fs::path& p) { read_image(p); });
  check([](const fs::path& p) { read_csv(p); });
  check([](const fs::path& p) { read_text(p); });
  check([](const fs::path& p) { load_checkpoint(p); });
}

}  // namespace
}  // namespace data
}  // namespace cadena
