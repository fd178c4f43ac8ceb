#include "examples/course/pages.hpp"

#include <sstream>

#include "autodiff/random.hpp"
#include "data/files/file.hpp"

namespace cadena::examples::course {
namespace {

namespace fs = std::filesystem;

/// Every slide starts from the same random numbers, whichever ran before it.
void run_slide(const CourseOptions::Chosen& chosen, Language language, std::ostream& out,
               const Board::KeepPicture& keep) {
  manual_seed(1);
  Board board(language, out, keep, chosen.settings);
  board.title(chosen.slide->title);
  chosen.slide->run(board);
}

std::string heading(Language language) {
  return Text{
      "# El curso\n\n"
      "Cadena nació de un curso introductorio de redes neuronales. Aquí está cada lámina con su orden, lo "
      "que\nimprime y su dibujo; `./run course` las recorre todas, y `--lang en` las dice en inglés.\n"
      "[In English](course.en.md)\n\n"
      "Esta página la escribe `./run course --write-docs docs`, y las pruebas comprueban que dice lo que "
      "dice el programa.\n",
      "# The course\n\n"
      "Cadena grew out of an introductory course on neural networks. Here is every slide with its command, "
      "what it\nprints and its picture; `./run course` goes through all of them, and `--lang es` says them "
      "in Spanish.\n"
      "[En español](course.es.md)\n\n"
      "`./run course --write-docs docs` writes this page, and the tests check that it says what the program "
      "says.\n"}
      .in(language);
}

std::string page(Language language, const fs::path& folder) {
  const std::string tag = Text{"es", "en"}.in(language);
  std::string text = heading(language);
  text += "\n";
  for (const Slide& slide : slides())
    text += "- [" + slide.name + "](#" + slide.name + "): " + slide.title.in(language) + "\n";
  for (const Slide& slide : slides()) {
    std::ostringstream out;
    std::string pictures;
    run_slide(with_defaults(slide), language, out, [&](const std::string& name, const std::string& svg) {
      const std::string file = name + "." + tag + ".svg";
      data::write_file(folder / "course" / file, svg);
      pictures += "\n![" + slide.title.in(language) + "](course/" + file + ")\n";
      return "out/course/" + name + ".svg";
    });
    text += "\n## " + slide.name + "\n\n    ./run course " + slide.name + "\n\n```text\n" + out.str() +
            "```\n" + pictures;
  }
  return text;
}

}  // namespace

void run_slides(const CourseOptions& options, std::ostream& out) {
  bool first = true;
  for (const auto& chosen : options.chosen) {
    if (!first) out << "\n\n";
    first = false;
    run_slide(chosen, options.language, out, [&](const std::string& name, const std::string& svg) {
      const fs::path path = options.out / (name + ".svg");
      data::write_file(path, svg);
      return path.string();
    });
    out << std::flush;
  }
}

void write_pages(const fs::path& folder) {
  data::write_file(folder / "course.es.md", page(Language::es, folder));
  data::write_file(folder / "course.en.md", page(Language::en, folder));
}

}  // namespace cadena::examples::course
