// What the large tests have counted: printed, and kept for the summary of ./run test --thorough.
#pragma once

#include <cstdlib>
#include <fstream>
#include <iostream>
#include <string>

namespace cadena {

inline void report_count(const std::string& line) {
  std::cout << line << "\n";
  if (const char* path = std::getenv("CADENA_COUNTS")) std::ofstream(path, std::ios::app) << line << "\n";
}

}  // namespace cadena
