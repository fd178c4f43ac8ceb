#include <algorithm>
#include <cmath>
#include <set>

#include "autodiff/error.hpp"
#include "autodiff/nearest_name.hpp"
#include "data/files/csv.hpp"

namespace cadena::data {
namespace {

const Column& category(const char* op, const Column& column) {
  if (column.kind != ColumnKind::category)
    throw DtypeError(std::string("[Table::").append(op) + "] expected a column of categories, got " +
                     column.name + ", which holds numbers");
  return column;
}

}  // namespace

Table::Table(std::vector<Column> columns) : columns_(std::move(columns)) {
  std::set<std::string_view> names;
  for (const Column& c : columns_) {
    if (c.rows() != columns_[0].rows())
      throw ValueError("[Table] expected columns of one length, got " + std::to_string(columns_[0].rows()) +
                       " and " + std::to_string(c.rows()) + " in " + c.name);
    if (!names.insert(c.name).second)
      throw ValueError("[Table] expected every name once, got " + c.name + " twice");
    const auto most = static_cast<std::int64_t>(c.categories.size());
    for (const auto code : c.codes)
      if (code < -1 || code >= most)
        throw ValueError("[Table] expected codes from -1 to " + std::to_string(most - 1) + " in " + c.name +
                         ", got " + std::to_string(code));
  }
}

std::int64_t Table::rows() const {
  return columns_.empty() ? 0 : static_cast<std::int64_t>(columns_[0].rows());
}

std::vector<std::string> Table::names() const {
  std::vector<std::string> names;
  for (const Column& c : columns_) names.push_back(c.name);
  return names;
}

const Column& Table::column(std::string_view name) const {
  std::string known;
  for (const Column& c : columns_) {
    if (c.name == name) return c;
    known += (known.empty() ? "" : ", ") + c.name;
  }
  throw ValueError("[Table::column] expected one of " + known + ", got " + std::string(name) +
                   cadena::detail::nearest_name_hint(name, names()));
}

Tensor Table::numbers(std::span<const std::string> names, DType dtype) const {
  const auto width = static_cast<std::int64_t>(names.size());
  Tensor out = empty({rows(), width}, f64);
  double* to = out.mutable_data<double>();
  for (std::int64_t c = 0; c < width; ++c) {
    const Column& from = column(names[static_cast<std::size_t>(c)]);
    if (from.kind != ColumnKind::number)
      throw DtypeError("[Table::numbers] expected columns of numbers, got " + from.name +
                       ", which holds categories" +
                       (from.categories.empty() ? "" : ", such as " + from.categories.front()));
    for (std::int64_t r = 0; r < rows(); ++r) to[r * width + c] = from.numbers[static_cast<std::size_t>(r)];
  }
  return out.to(dtype);
}

Tensor Table::numbers(std::initializer_list<std::string> names, DType dtype) const {
  return numbers(std::span(names.begin(), names.size()), dtype);
}

Tensor Table::codes(std::string_view name) const { return tensor(category("codes", column(name)).codes); }

Tensor Table::one_hot(std::string_view name) const {
  const Column& from = category("one_hot", column(name));
  const auto width = static_cast<std::int64_t>(from.categories.size());
  Tensor out = zeros({rows(), width});
  float* to = out.mutable_data<float>();
  for (std::int64_t r = 0; r < rows(); ++r)
    if (const auto code = from.codes[static_cast<std::size_t>(r)]; code >= 0) to[r * width + code] = 1;
  return out;
}

Tensor Table::missing(std::string_view name) const {
  const Column& from = column(name);
  Tensor out = empty({rows()}, boolean);
  bool* to = out.mutable_data<bool>();
  if (from.kind == ColumnKind::number)
    std::transform(from.numbers.begin(), from.numbers.end(), to, [](double v) { return std::isnan(v); });
  else
    std::transform(from.codes.begin(), from.codes.end(), to, [](std::int64_t code) { return code < 0; });
  return out;
}

}  // namespace cadena::data
