// Where to go from here: the programs of this repository, as ./run offers them.
#include <algorithm>
#include <sstream>

#include "examples/course/slides.hpp"

namespace cadena::examples::course {
namespace {

struct Program {
  std::string command;
  Text what;
};

/// A field of application with its programs, and what there is as long as none of them exists.
struct Field {
  Text name;
  std::vector<Program> programs;
  Text otherwise;
};

const std::vector<Field>& fields() {
  static const std::vector<Field> all{
      {{"Imágenes", "Images"},
       {{"digits",
         {"reconoce prendas de ropa o dígitos, y deja dibujos",
          "recognises clothes or digits, and leaves pictures"}},
        {"generate",
         {"aprende a dibujar dígitos, y dibuja algunos nuevos",
          "learns to draw digits, and draws new ones"}}},
       {}},
      {{"Series temporales", "Time series"},
       {},
       {"todavía no hay un programa propio; la lámina sequence muestra la idea: ./run course sequence",
        "no program of its own yet; the slide sequence shows the idea: ./run course sequence"}},
      {{"Diagnóstico", "Diagnosis"},
       {},
       {"todavía no hay un programa propio; su núcleo, decidir entre dos clases, está en ./run course losses",
        "no program of its own yet; its core, deciding between two classes, is in ./run course losses"}},
  };
  return all;
}

/// The examples that the script `run` has a command for; the build reads both.
std::vector<std::string> offered() {
  std::istringstream words(CADENA_OFFERED);
  std::vector<std::string> all;
  for (std::string word; words >> word;) all.push_back(word);
  return all;
}

void run(Board& board) {
  std::vector<std::string> left = offered();
  for (const Field& field : fields()) {
    board.step(field.name);
    bool any = false;
    for (const Program& program : field.programs)
      if (std::erase(left, program.command) > 0) {
        any = true;
        board.math("./run " + program.command);
        board.say(program.what);
      }
    if (!any) board.say(field.otherwise);
  }
  if (left.empty()) return;
  board.step({"Otros programas", "Other programs"});
  for (const std::string& command : left) board.math("./run " + command + " --help");
}

}  // namespace

Slide applications() {
  return {.name = "applications",
          .title = {"Aplicaciones", "Applications"},
          .about = {"los programas que hay en el repositorio", "the programs that are in the repository"},
          .run = run};
}

}  // namespace cadena::examples::course
