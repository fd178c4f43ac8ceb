// The slides of an introductory course on neural networks, each worked out step by step: ./run course --help
//
// A slide is one file in course/; what it may use is in course/board.hpp.
#include <exception>
#include <iostream>

#include "data/files/file.hpp"
#include "examples/course/options.hpp"
#include "examples/course/pages.hpp"

int main(int argc, char** argv) {
  using namespace cadena::examples::course;
  const auto [options, exit_code] = parse_options(argc, argv);
  if (exit_code) return *exit_code;
  try {
    if (options.docs)
      write_pages(*options.docs);
    else
      run_slides(options, std::cout);
    return 0;
  } catch (const cadena::data::WriteError& error) {
    std::cout << std::flush;
    std::cerr << "course: " << Text{"no se puede escribir ", "cannot write "}.in(options.language)
              << error.path().string() << '\n';
    return 1;
  } catch (const std::exception& error) {
    std::cout << std::flush;
    std::cerr << "course: " << error.what() << '\n';
    return 1;
  }
}
