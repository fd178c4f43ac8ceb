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

/// A field of application with its programs.
struct Field {
  Text name;
  std::vector<Program> programs;
};

const std::vector<Field>& fields() {
  static const std::vector<Field> all{
      {{"Imágenes", "Images"},
       {{"digits",
         {"reconoce prendas de ropa o dígitos, y deja dibujos",
          "recognises clothes or digits, and leaves pictures"}},
        {"generate",
         {"aprende a dibujar dígitos, y dibuja algunos nuevos",
          "learns to draw digits, and draws new ones"}}}},
      {{"Texto", "Text"},
       {{"write",
         {"aprende a escribir como un texto, carácter por carácter",
          "learns to write like a text, character by character"}}}},
      {{"Series temporales", "Time series"},
       {{"forecast",
         {"pronostica una serie con una LSTM y con un Transformer, al lado de los pronósticos simples",
          "forecasts a series with an LSTM and with a Transformer, beside the simple forecasts"}}}},
      {{"Diagnóstico", "Diagnosis"},
       {{"diagnose",
         {"decide entre dos clases a partir de una tabla, al lado de la regresión logística",
          "tells two classes apart from a table, beside logistic regression"}}}},
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
    for (const Program& program : field.programs)
      if (std::erase(left, program.command) > 0) {
        board.math("./run " + program.command);
        board.say(program.what);
      }
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
