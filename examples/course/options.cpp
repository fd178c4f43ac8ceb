#include "examples/course/options.hpp"

#include <CLI/CLI.hpp>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <iostream>

namespace cadena::examples::course {
namespace {

std::optional<Language> language_named(std::string_view name) {
  if (name == "es") return Language::es;
  if (name == "en") return Language::en;
  return {};
}

/// That of --lang, which is needed before anything can be explained; else that of the first locale variable
/// that names one of the two; else Spanish.
Language find_language(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    std::optional<Language> given;
    if (word.starts_with("--lang=")) given = language_named(word.substr(7));
    if (word == "--lang" && i + 1 < argc) given = language_named(argv[i + 1]);
    if (given) return *given;
  }
  for (const char* name : {"LC_ALL", "LC_MESSAGES", "LANG"}) {
    const char* value = std::getenv(name);
    if (const auto found = language_named(value == nullptr ? "" : std::string_view(value).substr(0, 2)))
      return *found;
  }
  return Language::es;
}

/// Finite numbers between commas, exactly `count`.
std::optional<std::vector<double>> parse_numbers(std::string_view text, std::size_t count) {
  std::vector<double> values;
  while (true) {
    const std::string_view part = text.substr(0, text.find(','));
    double value = 0;
    const auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), value);
    if (error != std::errc() || end != part.data() + part.size() || !std::isfinite(value)) return {};
    values.push_back(value);
    if (part.size() == text.size()) break;
    text.remove_prefix(part.size() + 1);
  }
  if (values.size() != count) return {};
  return values;
}

std::string list(const std::vector<double>& values) {
  std::string text;
  for (const double value : values) text += (text.empty() ? "" : ",") + number(value);
  return text;
}

std::string help_line(const std::string& name, const std::string& about) {
  std::string line = "  " + fill(name, 20) + " ";
  const auto parts = wrap(about, 56);
  for (std::size_t i = 0; i < parts.size(); ++i) line += (i > 0 ? fill("", 23) : "") + parts[i] + "\n";
  return line;
}

std::string common_options(Language language) {
  const auto line = [&](const char* name, const Text& about) { return help_line(name, about.in(language)); };
  return line("-h, --help", {"Muestra este texto", "Print this text"}) +
         line("--lang es|en", {"Idioma, español o inglés [el de LANG; si no es ninguno de los dos, es]",
                               "Language, Spanish or English [that of LANG; es if it is neither]"}) +
         line("--out DIR", {"Carpeta para los dibujos; se crea si no existe [out/course]",
                            "Folder for the pictures; made if missing [out/course]"});
}

std::string help(Language language) {
  std::string text =
      Text{
          "Uso: course [NOMBRE...] [OPCIONES]\n\nLas láminas de un curso introductorio de redes neuronales, "
          "paso "
          "a paso.\nSin NOMBRE, todas en orden:\n\n",
          "Usage: course [NAME...] [OPTIONS]\n\nThe slides of an introductory course on neural networks, "
          "step by "
          "step.\nWithout NAME, all of them in order:\n\n"}
          .in(language);
  for (const Slide& slide : slides()) text += help_line(slide.name, slide.about.in(language));
  text += Text{"\nOpciones (las de una lámina: course NOMBRE --help):\n",
               "\nOptions (those of a slide: course NAME --help):\n"}
              .in(language);
  return text + common_options(language) +
         help_line("--write-docs DIR",
                   Text{"En vez de eso, escribe en DIR las páginas course.es.md y course.en.md con todas las "
                        "salidas y sus dibujos",
                        "Instead, write the pages course.es.md and course.en.md with all outputs and their "
                        "pictures into DIR"}
                       .in(language));
}

std::string help(Language language, const Slide& slide) {
  std::string text =
      Text{"Uso: course " + slide.name + " [OPCIONES]\n\n", "Usage: course " + slide.name + " [OPTIONS]\n\n"}
          .in(language);
  text += slide.title.in(language) + ": " + slide.about.in(language) + "\n\n" +
          Text{"Opciones:\n", "Options:\n"}.in(language);
  for (const Setting& setting : slide.settings) {
    std::string shape = "A";
    for (std::size_t i = 1; i < setting.value.size(); ++i) shape += std::string(",") + char('A' + i);
    text += help_line("--" + setting.name + " " + shape,
                      setting.about.in(language) + " [" + list(setting.value) + "]");
  }
  return text + common_options(language);
}

/// The command line as CLI11 sees it: a slide is a subcommand with options of its own.
class CommandLine {
 public:
  CommandLine(Language language, CourseOptions& options) : language_(language) {
    app_.set_help_flag("-h,--help");
    app_.require_subcommand(0, 0);
    app_.add_option("--lang", word_)
        ->check(CLI::Validator(
            [this](std::string& text) {
              return language_named(text) ? std::string()
                                          : say({"se esperaba es o en", "expected es or en"}, text);
            },
            ""));
    app_.add_option("--out", options.out)->check(path());
    app_.add_option("--write-docs", options.docs)->check(path());
    for (const Slide& slide : slides()) {
      CLI::App* sub = app_.add_subcommand(slide.name)->fallthrough();
      auto& chosen = chosen_.emplace(&slide, with_defaults(slide)).first->second;
      for (const Setting& setting : slide.settings) add(*sub, setting, chosen.settings[setting.name]);
    }
  }

  /// Throws CLI::ParseError.
  void parse(int argc, char** argv) { app_.parse(argc, argv); }

  std::vector<CourseOptions::Chosen> chosen() const {
    std::vector<CourseOptions::Chosen> result;
    for (const CLI::App* sub : app_.get_subcommands()) result.push_back(chosen_.at(find(*sub)));
    return result;
  }

  std::string help() const {
    const auto subs = app_.get_subcommands();
    return subs.empty() ? course::help(language_) : course::help(language_, *find(*subs.back()));
  }

  /// One line on what is wrong.
  std::string explain(const CLI::ParseError& error) const {
    const std::string what = error.what();
    if (dynamic_cast<const CLI::ValidationError*>(&error) != nullptr) return what;
    if (dynamic_cast<const CLI::ArgumentMismatch*>(&error) != nullptr)
      return say({"se esperaba exactamente un valor para", "expected exactly one value for"},
                 what.substr(0, what.find(':')));
    const auto left = app_.remaining(true);
    if (left.empty())
      return say({"no entiendo la línea de órdenes", "cannot make sense of the command line"}, what);
    if (left.front().starts_with("-"))
      return say({"no hay tal opción", "there is no such option"}, left.front());
    return say({"no hay tal lámina", "there is no such slide"}, left.front());
  }

 private:
  std::string say(const Text& text, const std::string& got) const { return text.in(language_) + ": " + got; }

  static const Slide* find(const CLI::App& sub) {
    for (const Slide& slide : slides())
      if (slide.name == sub.get_name()) return &slide;
    return nullptr;
  }

  CLI::Validator path() const {
    return {[this](std::string& text) {
              return text.empty() ? Text{"se esperaba una carpeta", "expected a folder"}.in(language_)
                                  : std::string();
            },
            ""};
  }

  void add(CLI::App& sub, const Setting& setting, std::vector<double>& value) {
    const std::size_t count = setting.value.size();
    sub.add_option("--" + setting.name, word_)
        ->check(CLI::Validator(
            [this, count, &value](std::string& text) {
              const auto given = parse_numbers(text, count);
              if (given) value = *given;
              const std::string n = std::to_string(count);
              return given ? std::string()
                           : say(count == 1 ? Text{"se esperaba un número", "expected a number"}
                                            : Text{"se esperaban " + n + " números separados por comas",
                                                   "expected " + n + " numbers separated by commas"},
                                 text);
            },
            ""));
  }

  Language language_;
  CLI::App app_{"", "course"};
  std::string word_;  // of options whose validators have read it already
  std::map<const Slide*, CourseOptions::Chosen> chosen_;
};

}  // namespace

CourseOptions::Chosen with_defaults(const Slide& slide) {
  CourseOptions::Chosen chosen{&slide, {}};
  for (const Setting& setting : slide.settings) chosen.settings[setting.name] = setting.value;
  return chosen;
}

ParsedOptions parse_options(int argc, char** argv) {
  ParsedOptions parsed;
  const Language language = find_language(argc, argv);
  parsed.options.language = language;
  CommandLine line(language, parsed.options);
  try {
    line.parse(argc, argv);
    parsed.options.chosen = line.chosen();
    if (parsed.options.chosen.empty())
      for (const Slide& slide : slides()) parsed.options.chosen.push_back(with_defaults(slide));
  } catch (const CLI::CallForHelp&) {
    std::cout << line.help();
    parsed.exit_code = 0;
  } catch (const CLI::ParseError& error) {
    std::cerr << "course: " << line.explain(error) << " (./run course --help)\n";
    parsed.exit_code = 2;
  }
  return parsed;
}

}  // namespace cadena::examples::course
