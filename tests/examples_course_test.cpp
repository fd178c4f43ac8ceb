// The program course from outside: each slide's own numbers in both languages, and that the pages in docs/
// say what the program says. After a change to a slide: ./run course --write-docs docs
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "program_run.hpp"

namespace cadena::examples {
namespace {

namespace fs = std::filesystem;
using Words = std::vector<std::string>;

/// `svg` without the bytes of its raster images, which depend on the version of zlib.
std::string without_images(const std::string& svg) {
  std::string out;
  const std::string begin = "data:image/png;base64,";
  std::size_t at = 0;
  for (std::size_t found = svg.find(begin); found != std::string::npos; found = svg.find(begin, at)) {
    out += svg.substr(at, found - at);
    at = svg.find('"', found);
  }
  return out + svg.substr(at);
}

/// `text` with every run of spaces made one, so that the width of a column is no part of what is asserted.
std::string squeeze(const std::string& text) {
  std::string out;
  for (const char c : text)
    if (c != ' ' || out.empty() || out.back() != ' ') out += c;
  return out;
}

class CourseTest : public ProgramTest {
 protected:
  void SetUp() override {
    ProgramTest::SetUp();
    for (const char* variable : {"LC_ALL", "LC_MESSAGES", "LANG"}) ::unsetenv(variable);
  }

  Result course(Words arguments) const {
    arguments.insert(arguments.begin(), "course");
    return run(CADENA_COURSE_PROGRAM, std::move(arguments));
  }

  /// The slide ends well in both languages and says all of `numbers` in both, `es` in Spanish, `en` in
  /// English.
  void expect_slide(const std::string& name, const Words& numbers, const Words& es, const Words& en,
                    const Words& options = {}) const {
    for (const std::string language : {"es", "en"}) {
      Words arguments{name, "--lang", language};
      arguments.insert(arguments.end(), options.begin(), options.end());
      const Result result = course(arguments);
      EXPECT_EQ(result.exit_code, 0) << result.err;
      EXPECT_EQ(result.err, "");
      const std::string said = squeeze(result.out);
      for (const Words& words : {numbers, language == "es" ? es : en})
        for (const std::string& word : words)
          EXPECT_NE(said.find(word), std::string::npos) << name << ' ' << language << ": " << word << '\n'
                                                        << said;
    }
  }
};

// ---------------------------------------------------------------------------------------- command line

TEST_F(CourseTest, HelpNamesEverySlideAndOptionInBothLanguages) {
  const Result es = course({"--help"}), en = course({"-h", "--lang", "en"});
  for (const Result& result : {es, en}) {
    EXPECT_EQ(result.exit_code, 0);
    EXPECT_EQ(result.err, "");
    for (const char* word : {"neuron", "hebb", "exercise", "perceptron", "structure", "activations",
                             "feedforward", "losses", "backprop", "update", "descent", "adam", "sequence",
                             "digits", "applications", "-h, --help", "--lang", "--out", "--write-docs"})
      EXPECT_NE(result.out.find("\n  " + std::string(word)), std::string::npos) << word << result.out;
  }
  EXPECT_NE(es.out.find("láminas"), std::string::npos) << es.out;
  EXPECT_NE(en.out.find("slides"), std::string::npos) << en.out;
  const Result slide = course({"neuron", "--help", "--lang=en"});
  EXPECT_EQ(slide.exit_code, 0);
  for (const char* word : {"Usage: course neuron", "--x A,B", "[1,0.5]", "--w", "--b", "--out"})
    EXPECT_NE(slide.out.find(word), std::string::npos) << word << slide.out;
  EXPECT_FALSE(fs::exists(folder / "out"));
}

TEST_F(CourseTest, TheLocaleChoosesTheLanguage) {
  const auto title = [&](const char* variable, const char* value) {
    ::setenv(variable, value, 1);
    const Result result = course({"update"});
    ::unsetenv(variable);
    return result.out.substr(0, result.out.find('\n'));
  };
  const std::string es = "Actualización de los pesos", en = "Weight update";
  EXPECT_EQ(title("LANG", "en_US.UTF-8"), en);
  EXPECT_EQ(title("LANG", "es_AR.UTF-8"), es);
  EXPECT_EQ(title("LANG", "fr_FR.UTF-8"), es);
  EXPECT_EQ(title("LANG", ""), es);
  EXPECT_EQ(title("LC_ALL", "en_GB"), en);
  EXPECT_EQ(course({"update", "--lang", "en"}).out.substr(0, en.size()), en);
}

TEST_F(CourseTest, MistakesAreExplainedInOneLine) {
  struct Mistake {
    Words arguments;
    std::string es, en;
  };
  const std::vector<Mistake> mistakes{
      {{"--no-such"}, "no hay tal opción: --no-such", "there is no such option: --no-such"},
      {{"-z"}, "no hay tal opción: -z", "there is no such option: -z"},
      {{"hebb", "--x", "1,2"}, "no hay tal opción: --x", "there is no such option: --x"},
      {{"word"}, "no hay tal lámina: word", "there is no such slide: word"},
      {{"neuron", "word"}, "no hay tal lámina: word", "there is no such slide: word"},
      {{"neuron", "--x"}, "exactamente un valor para: --x", "exactly one value for: --x"},
      {{"neuron", "--x", "1"}, "--x: se esperaban 2 números", "--x: expected 2 numbers"},
      {{"neuron", "--x", "1,2,3"}, "--x: se esperaban 2 números", "--x: expected 2 numbers"},
      {{"neuron", "--x", "1,dos"}, "separados por comas: 1,dos", "separated by commas: 1,dos"},
      {{"neuron", "--x", "1,nan"}, "separados por comas: 1,nan", "separated by commas: 1,nan"},
      {{"neuron", "--x", "1,1e999"}, "separados por comas: 1,1e999", "separated by commas: 1,1e999"},
      {{"neuron", "--b", "x"}, "--b: se esperaba un número: x", "--b: expected a number: x"},
      {{"neuron", "--b", ""}, "--b: se esperaba un número", "--b: expected a number"},
      {{"neuron", "--out", ""}, "--out: se esperaba una carpeta", "--out: expected a folder"},
  };
  for (const Mistake& mistake : mistakes)
    for (const std::string language : {"es", "en"}) {
      Words arguments = mistake.arguments;
      arguments.insert(arguments.begin(), {"--lang", language});
      const Result result = course(arguments);
      const std::string shown = testing::PrintToString(arguments);
      EXPECT_EQ(result.exit_code, 2) << shown;
      EXPECT_EQ(result.out, "") << shown;
      EXPECT_EQ(lines(result.err), 1) << result.err;
      EXPECT_EQ(result.err.find("course: "), 0U) << result.err;
      EXPECT_NE(result.err.find(language == "es" ? mistake.es : mistake.en), std::string::npos) << result.err;
      EXPECT_NE(result.err.find("--help"), std::string::npos) << result.err;
    }
  EXPECT_NE(course({"--lang", "fr"}).err.find("--lang: se esperaba es o en: fr"), std::string::npos);
  EXPECT_FALSE(fs::exists(folder / "out"));
}

TEST_F(CourseTest, NamesWhatItCannotWrite) {
  std::ofstream(folder / "file") << "x";
  const Result result = course({"neuron", "--out", "file", "--lang", "en"});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_EQ(lines(result.err), 1) << result.err;
  EXPECT_EQ(result.err.find("course: cannot write file"), 0U) << result.err;
  EXPECT_EQ(read(folder / "file"), "x");
}

TEST_F(CourseTest, RunsTheSlidesThatAreNamedInTheirOrder) {
  const std::string both = course({"update", "hebb"}).out;
  EXPECT_EQ(both, course({"update"}).out + "\n\n" + course({"hebb"}).out);
}

// ---------------------------------------------------------------------------------------------- slides

TEST_F(CourseTest, Neuron) {
  expect_slide(
      "neuron",
      {"= 0.4·1 + (-0.2)·0.5 + (-0.1)", "= 0.4 + (-0.1) + (-0.1)", "= 0.2\n", "-0.1 0\n 0 1\n 0.1 1"},
      {"y = escalón(0.2) = 1"}, {"y = step(0.2) = 1"});
  expect_slide("neuron", {"= -1.1\n"}, {"y = escalón(-1.1) = 0"}, {"y = step(-1.1) = 0"},
               {"--x", "-3,0", "--b=0.1"});
  // 0.4 - 0.1 - 0.3 is 0 on the board and not in binary.
  expect_slide("neuron", {"= 0\n"}, {"La máquina obtiene", "y = escalón(0) = 1"},
               {"The machine gets", "y = step(0) = 1"}, {"--b", "-0.3"});
}

TEST_F(CourseTest, Hebb) {
  expect_slide(
      "hebb",
      {"[1, 1] 1 [0.1, 0.1] [0.1, 0.1]", "[1, 0] 0 [0, 0] [0.1, 0.1]", "[0, 1] 0 [0, 0] [0.1, 0.1]",
       "\n w = [0.1, 0.1]\n", "net = 0.1·0 + 0.1·0 = 0\n", "[0, 0] 0 1 0 0\n", "[1, 1] 0.2 1 1 1\n"},
      {"escalón(0) = 1 (la definición de la lámina): clase 1",
       "escalón(0) = 0 (la conclusión de la lámina): clase 0"},
      {"step(0) = 1 (the slide's definition): class 1", "step(0) = 0 (the slide's conclusion): class 0"});
}

TEST_F(CourseTest, Exercise) {
  expect_slide("exercise",
               {"η = 0.2", "[1, 0] 1 [0.2, 0] [0.2, 0]", "[0, 1] 1 [0, 0.2] [0.2, 0.2]",
                "[0, 0] 0 [0, 0] [0.2, 0.2]", "\n w = [0.2, 0.2]\n", "net = 0.2·1 + 0.2·1 = 0.4\n"},
               {"y = escalón(0.4) = 1"}, {"y = step(0.4) = 1"});
}

TEST_F(CourseTest, Perceptron) {
  // Rosenblatt's rule from zero weights with rate 1, done by hand.
  expect_slide(
      "perceptron",
      {"1 2 [1, 1] 0\n 2 3 [2, 1] -1\n 3 3 [2, 1] -2\n 4 2 [2, 2] -2\n 5 1 [2, 1] -3\n 6 0 [2, 1] -3\n",
       "1 2 [0, 1] 0\n 2 2 [1, 1] 0\n 3 1 [1, 1] -1\n 4 0 [1, 1] -1\n",
       "1 3 [-1, 0] -1\n 2 3 [-1, 0] 0\n 3 4 [-1, 0] 0\n",
       "[0, 0] 0 1 0\n [0, 1] 1 1 1\n [1, 0] 1 1 1\n [1, 1] 1 0 0\n"},
      {"Ninguna recta sirve"}, {"No line will do"});
}

TEST_F(CourseTest, Activations) {
  expect_slide("activations",
               {"(0, 1)\n", "[0, ∞)\n", "(-1, 1)\n", "-2 0.1192 0 -0.964\n", "0 0.5 0 0\n",
                "2 0.8808 2 0.964\n", "0 0.25 0 1\n", "1 0.1966 1 0.42\n"},
               {"sigmoide", "recorrido"}, {"sigmoid ", "range"});
}

TEST_F(CourseTest, Feedforward) {
  expect_slide("feedforward",
               {"W1 = [0.5, -0.3] W2 = [0.8, 0.1]", "z₁ = W1·x = 0.5·1 + (-0.3)·2 = -0.1\n",
                "z₂ = W2·x = 0.8·1 + 0.1·2 = 1\n", "h₁ = ReLU(-0.1) = max(0, -0.1) = 0\n",
                "y = v·h = 1·0 + 1·1 = 1\n"},
               {}, {});
  expect_slide("feedforward",
               {"z₁ = W1·x = 0.5·2 + (-0.3)·1 = 0.7\n", "= 1.7\n", "y = v·h = 3·0.7 + (-1)·1.7 = 0.4\n"}, {},
               {}, {"--x", "2,1", "--v", "3,-1"});
}

TEST_F(CourseTest, Losses) {
  expect_slide("losses",
               {"(0.01 + 0.04 + 0.09) = 0.0467\n", "mse_loss(ŷ, y) = 0.0467\n", "[-0.0667, 0.1333, -0.2]",
                "((-0.1054) + (-0.2231) + (-0.3567)) = 0.2284\n", "binary_cross_entropy(ŷ, y) = 0.2284\n",
                "[-0.3704, 0.4167, -0.4762]"},
               {"iguales salvo el redondeo: sí"}, {"equal up to rounding: yes"});
}

TEST_F(CourseTest, Update) {
  expect_slide("update", {"w ← 0.5 - 0.1·0.2 = 0.5 - 0.02 = 0.48\n", "sgd.step(): w = 0.48\n"},
               {"según el motor"}, {"by the engine"});
  expect_slide("update", {"= 1.5\n", "sgd.step(): w = 1.5\n"}, {}, {},
               {"--w", "1", "--grad", "-2", "--lr", "0.25"});
}

TEST_F(CourseTest, Structure) {
  expect_slide(
      "structure",
      {"1: 3 → 5 5 × 3 5 5·3 + 5 = 20\n", "2: 5 → 4 4 × 5 4 4·5 + 4 = 24\n",
       "3: 4 → 2 2 × 4 2 2·4 + 2 = 10\n", "20 + 24 + 10 = 54\n", "10 × 3 → 10 × 5 → 10 × 4 → 10 × 2"},
      {"en total: ", "structure-graph.svg"}, {"in total: ", "structure-graph.svg"});
}

TEST_F(CourseTest, Backprop) {
  // The forward pass and the deltas, with a calculator.
  expect_slide(
      "backprop",
      {"∂f/∂u = 2·u·v = 12 (", "∂f/∂v = u² = 9 (", "8 · 3 = 24 (", "[1, 2, 3] ⊙ [4, 5, 6] = [4, 10, 18]\n",
       "ŷ = σ(z²) = [0.5309, 0.6937]", "= [-0.9382, 1.3874] ⊙ [0.249, 0.2125]\n = [-0.2337, 0.2948]\n",
       "= [0.0205, 0.0834]\n", "[-0.2337, 0.2948] [-0.2337, 0.2948] [-0.1168, 0.1474]\n",
       // sigmoid(1.1) = 0.7503; 2 (0.7503 - 1) 0.7503 (1 - 0.7503) = -0.0936, times x = 2
       "w -0.1872\n", "b -0.09359\n"},
      {"(motor: 12)", "(motor: 9)", "(motor: 24)", "suma, en los cuatro parámetros: sí\n",
       "media, en los cuatro: sí\n"},
      {"(engine: 12)", "(engine: 9)", "(engine: 24)", "sum, in all four parameters: yes\n",
       "mean, in all four: yes\n"});
}

TEST_F(CourseTest, Descent) {
  // Epochs of 32, 1 and 8 examples at a time.
  expect_slide("descent", {"(SGD) 640 "}, {"(batch) 20 ", "(mini-batch) 80 "},
               {"full batch", "mini-batches of 8 80 "});
  const std::string svg = read(folder / "out/course/descent.svg");
  // The ways, the contour lines, and nothing left out of the legend.
  for (const char* name :
       {"full batch", "stochastic, one by one (SGD)", "mini-batches of 8", "start", "minimum"})
    EXPECT_NE(svg.find(">" + std::string(name) + "</text>"), std::string::npos) << name;
  for (const char* colour : {"#0072b2", "#d55e00", "#009e73"}) {
    const std::size_t at = svg.find("stroke=\"" + std::string(colour), svg.find("<polyline"));
    EXPECT_NE(at, std::string::npos) << colour;
  }
}

TEST_F(CourseTest, Adam) {
  // First steps by hand: m = 0.1·2, v = 0.001·4; w = 1 - 0.1·0.2/√0.004, and 1 - 0.1 with the correction.
  expect_slide("adam",
               {"1 2 0.2 0.004 0.6838 0.6838\n", "2 1.3675 0.3168 0.005866 0.2702 0.2702\n",
                "1 2 0.2 0.004 2 4 0.9 0.9\n", "2 1.8 0.36 0.007236 1.8947 3.6198 0.8004 0.8004\n", "0.3162"},
               {"algoritmo 1"}, {"Algorithm 1"});
}

TEST_F(CourseTest, Sequence) {
  const std::string out = squeeze(course({"sequence", "--lang", "en"}).out);
  for (const int length : {2, 5, 8, 9, 12, 20, 40}) {
    const std::string row = "\n " + std::to_string(length) + " ";
    const std::size_t at = out.find(row);
    ASSERT_NE(at, std::string::npos) << out;
    char* rest = nullptr;
    const double feedforward = std::strtod(out.c_str() + at + row.size(), &rest);
    const double recurrent = std::strtod(rest + 1, nullptr);
    EXPECT_GE(recurrent, 99) << length;
    if (length <= 8)
      EXPECT_GE(feedforward, 99) << length;
    else
      EXPECT_NEAR(feedforward, 50, 6) << length;
  }
}

TEST_F(CourseTest, Digits) {
  const std::string out = squeeze(course({"digits", "--lang", "en"}).out);
  const std::size_t at = out.find("\n 4 ");
  ASSERT_NE(at, std::string::npos) << out;
  EXPECT_GE(std::strtod(out.c_str() + at + 4, nullptr), 85) << out;
  EXPECT_NE(out.find("./run digits\n"), std::string::npos) << out;
}

TEST_F(CourseTest, ApplicationsPointOnlyToWhatRuns) {
  const std::string script = read(fs::path(CADENA_SOURCE_DIR) / "run");
  const fs::path sources = fs::path(CADENA_SOURCE_DIR) / "examples";
  for (const std::string language : {"es", "en"}) {
    const std::string out = course({"applications", "--lang", language}).out;
    EXPECT_NE(out.find("./run digits"), std::string::npos) << out;
    const std::string call = "./run ";
    for (std::size_t at = out.find(call); at != std::string::npos; at = out.find(call, at)) {
      at += call.size();
      const std::string command = out.substr(at, out.find_first_of(" \n", at) - at);
      EXPECT_NE(script.find("\ncommand_" + command + "()"), std::string::npos) << command;
      EXPECT_TRUE(fs::exists(sources / (command + ".cpp"))) << command;
    }
  }
}

// ----------------------------------------------------------------------------------------------- pages

TEST_F(CourseTest, PagesSayWhatTheProgramSays) {
  const fs::path docs = fs::path(CADENA_SOURCE_DIR) / "docs";
  const Result result = course({"--write-docs", "pages"});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  std::set<std::string> written{"course.es.md", "course.en.md"}, kept = written;
  for (const auto& entry : fs::directory_iterator(folder / "pages/course"))
    written.insert("course/" + entry.path().filename().string());
  for (const auto& entry : fs::directory_iterator(docs / "course"))
    kept.insert("course/" + entry.path().filename().string());
  EXPECT_EQ(kept, written);
  for (const std::string& name : written) {
    const bool same = without_images(read(folder / "pages" / name)) == without_images(read(docs / name));
    EXPECT_TRUE(same) << "docs/" << name << " differs: ./run course --write-docs docs";
  }
}

TEST_F(CourseTest, EverySlideIsOnThePagesAndSaysTheSameAgain) {
  const Result all = course({"--lang", "es"}), again = course({"--out", "out/course"});
  ASSERT_EQ(all.exit_code, 0) << all.err;
  EXPECT_EQ(all.out, again.out);
  const std::string page = read(fs::path(CADENA_SOURCE_DIR) / "docs/course.es.md");
  // Each block of the page is a part of what was printed.
  std::size_t blocks = 0;
  const std::string open = "```text\n", close = "```\n";
  for (std::size_t at = page.find(open); at != std::string::npos; at = page.find(open, at)) {
    at += open.size();
    const std::string block = page.substr(at, page.find(close, at) - at);
    EXPECT_NE(all.out.find(block), std::string::npos) << block;
    ++blocks;
  }
  EXPECT_EQ(blocks, 15U);
  for (const auto& entry : fs::directory_iterator(folder / "out/course")) {
    const std::string svg = read(entry.path());
    EXPECT_EQ(svg.find("<svg "), 0U) << entry.path();
    EXPECT_TRUE(svg.ends_with("</svg>\n")) << entry.path();
  }
}

}  // namespace
}  // namespace cadena::examples
