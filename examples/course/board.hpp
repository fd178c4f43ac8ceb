// What a slide writes on: titles, sentences, formulas, tables, pictures, in the chosen language.
#pragma once

#include <functional>
#include <iosfwd>
#include <map>
#include <string>
#include <vector>

#include "examples/course/text.hpp"

namespace cadena::examples::course {

/// Numbers from the command line, by the name of the option.
using Settings = std::map<std::string, std::vector<double>, std::less<>>;

class Board {
 public:
  /// Takes the name of a picture and its content, and returns where it was put.
  using KeepPicture = std::function<std::string(const std::string& name, const std::string& svg)>;

  Board(Language language, std::ostream& out, KeepPicture keep, Settings settings = {})
      : language_(language), out_(out), keep_(std::move(keep)), settings_(std::move(settings)) {}

  /// The text in the language of the board, for what goes into tables and pictures.
  const std::string& operator()(const Text& text) const { return text.in(language_); }
  Language language() const { return language_; }
  const std::vector<double>& setting(std::string_view name) const { return settings_.find(name)->second; }

  void title(const Text& text);
  /// A step of the slide, numbered.
  void step(const Text& text);
  /// A sentence or several, broken into lines.
  void say(const Text& text);
  /// A line of mathematics, the same in both languages.
  void math(const std::string& line);
  /// A line of mathematics with words in it.
  void write(const Text& line) { math((*this)(line)); }
  /// Rows of equally many cells, the first being the heading. Columns of numbers are flush right.
  void table(const std::vector<std::vector<std::string>>& rows);
  /// Keeps the picture `name`.svg, and says where it lies and what it shows.
  void picture(const std::string& name, const std::string& svg, const Text& what);

 private:
  Language language_;
  std::ostream& out_;
  KeepPicture keep_;
  Settings settings_;
  int steps_ = 0;
  bool after_lines_ = false;  // a sentence keeps its distance from formulas and tables
};

/// A yes or no.
Text yes_or_no(bool yes);

}  // namespace cadena::examples::course
