#include "examples/support/left_files.hpp"

#include <zlib.h>

#include <iostream>
#include <string_view>

#include "data/files/file.hpp"

namespace cadena::examples {

void print_files(const std::vector<LeftFile>& files) {
  for (const auto& [path, what] : files) std::cout << path.string() << ": " << what << '\n';
}

std::string checksum(const std::filesystem::path& path) {
  const auto bytes = data::read_file(path);
  const auto crc = ::crc32_z(0, bytes.data(), bytes.size());
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  for (int shift = 28; shift >= 0; shift -= 4) text += digits[crc >> shift & 15];
  return text;
}

}  // namespace cadena::examples
