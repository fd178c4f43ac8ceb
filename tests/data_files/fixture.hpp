// The files of other systems, by name: tests/fixtures/data_files.py wrote them.
#pragma once

#include <string>

#include "files.hpp"

namespace cadena {

Bytes fixture(const std::string& name);

}  // namespace cadena
