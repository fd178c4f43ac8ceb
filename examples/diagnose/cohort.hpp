// A table as the networks get it: numbers, what is missing, categories one-hot, and three parts of its rows.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "autodiff/tensor.hpp"
#include "data/files/csv.hpp"
#include "examples/diagnose/options.hpp"

namespace cadena::examples {

/// A column of the table and what it became: columns [begin, end) of x.
struct Feature {
  std::string name;
  std::int64_t begin = 0, end = 0;
};

struct Part {
  std::vector<std::int64_t> rows = {};  ///< of the table, from 0
  Tensor x = {};                        ///< f64 (rows, width), NaN where a number is missing
  Tensor y = {};                        ///< f32 (rows), 0 or 1
  std::int64_t size() const { return static_cast<std::int64_t>(rows.size()); }
};

struct Cohort {
  std::string origin;
  std::string target = {};
  std::array<std::string, 2> classes = {};  ///< class 1 is what is predicted
  std::int64_t rows = 0, positives = 0, without_target = 0;
  std::vector<Feature> features = {};
  std::vector<std::string> left_out = {};  ///< columns of which nothing can be learnt
  Tensor mean = {}, deviation = {};  ///< f64 (width), of the training rows: 0 and 1 for what is not a number
  Part train = {}, validation = {}, test = {};
};

/// Patients, made up; always the same.
data::Table example_table();

/// Reads the table, finds its target, and splits its rows 60:20:20, each part with the classes in the same
/// shares. What is learnt from the data (means, which categories are common) is learnt from the training
/// rows.
/// @throws IoError, FormatError as data::read_csv, ValueError for columns that are not there, a target of
/// other than two values, too few rows
Cohort load_cohort(const DiagnoseOptions& o);

}  // namespace cadena::examples
