// What Cadena was built from and what its libraries chose on this machine.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace cadena {

/// Pairs {what, which}: version, compiler, instruction set, libraries with theirs, threads, CPU.
std::vector<std::pair<std::string, std::string>> library_report();

}  // namespace cadena
