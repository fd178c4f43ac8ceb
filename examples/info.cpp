// Prints what Cadena was built from and what its libraries chose on this machine.
#include <exception>
#include <iostream>

#include "autodiff/build_info.hpp"
#include "plot/table.hpp"

int main() {
  try {
    std::cout << cadena::plot::print_table(cadena::library_report());
    return 0;
  } catch (const std::exception& error) {
    std::cerr << "info: " << error.what() << '\n';
    return 1;
  }
}
