// What a program leaves behind.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace cadena::examples {

/// A file that was written, and what it is.
struct LeftFile {
  std::filesystem::path path;
  std::string what;
};

/// "out/curves.svg: loss over the epochs", a line each.
void print_files(const std::vector<LeftFile>& files);

/// CRC-32 of a file, as eight hexadecimal digits. @throws IoError
std::string checksum(const std::filesystem::path& path);

}  // namespace cadena::examples
