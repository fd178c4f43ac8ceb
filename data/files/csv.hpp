// Tables of numbers and categories, and the CSV files they come in.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "autodiff/tensor.hpp"

namespace cadena::data {

enum class ColumnKind : std::uint8_t { number, category };

/// A column of numbers, or of codes into a list of categories.
struct Column {
  std::string name;
  ColumnKind kind = ColumnKind::number;
  std::vector<double> numbers = {};          ///< NaN where missing
  std::vector<std::int64_t> codes = {};      ///< -1 where missing
  std::vector<std::string> categories = {};  ///< sorted by their bytes, each once

  std::size_t rows() const { return kind == ColumnKind::number ? numbers.size() : codes.size(); }
};

/// Columns of one length, by name.
class Table {
 public:
  Table() = default;
  /// @throws ValueError for columns of different lengths, a name twice, and codes outside their categories
  explicit Table(std::vector<Column> columns);

  std::int64_t rows() const;
  const std::vector<Column>& columns() const { return columns_; }
  std::vector<std::string> names() const;
  /// @throws ValueError with the names there are, and the one that may have been meant
  const Column& column(std::string_view name) const;

  /// The given columns of numbers side by side, NaN where missing; f32 rounds whole numbers beyond 2^24.
  /// @return (rows, names)
  /// @throws DtypeError for a category, ValueError for an unknown name
  Tensor numbers(std::span<const std::string> names, DType dtype = f32) const;
  Tensor numbers(std::initializer_list<std::string> names, DType dtype = f32) const;
  /// Codes of a category, -1 where missing. @return i64 (rows)
  /// @throws DtypeError for a column of numbers, ValueError for an unknown name
  Tensor codes(std::string_view name) const;
  /// A one at each row's category, zeros where missing. @return f32 (rows, categories) @throws as codes
  Tensor one_hot(std::string_view name) const;
  /// Where a column has no value. @return bool (rows) @throws ValueError for an unknown name
  Tensor missing(std::string_view name) const;

 private:
  std::vector<Column> columns_;
};

struct CsvOptions {
  char separator = ',';
  bool header = true;  ///< the first line has the names; otherwise they are "column 1", "column 2", ...
  std::vector<std::string> missing = {"", "NA", "N/A", "NaN", "nan", "null", "None", "?"};
  std::vector<std::string> numbers = {};     ///< columns in which anything but numbers is an error
  std::vector<std::string> categories = {};  ///< columns that are categories though they look like numbers
  std::uint64_t max_bytes = std::uint64_t{4} << 30;
  std::size_t max_field = 4096;  ///< bytes
};

/// Reads RFC 4180: fields in double quotes may hold separators, line breaks and doubled quotes; lines end
/// with LF or CRLF, the last one may end without. Spaces around unquoted fields, empty lines and a byte order
/// mark are skipped. A column is one of numbers if all of its values are decimal numbers (3, -0.5, 1e-3) that
/// a double holds, whole ones up to 2^53; otherwise its values are categories.
/// @throws IoError if `path` cannot be read or is not a regular file, FormatError with line and byte for rows
///   of different lengths, a name twice, stray or open quotes, too long fields, text that is not UTF-8;
///   ValueError if `numbers` or `categories` name a column that is not there
Table read_csv(const std::filesystem::path& path, const CsvOptions& options = {});
Table parse_csv(std::string_view text, const CsvOptions& options = {});

/// A header and the rows; what is missing is empty. Reading it again gives the same table.
std::string format_csv(const Table& table, char separator = ',');
/// Writes all or nothing. @throws WriteError
void write_csv(const std::filesystem::path& path, const Table& table, char separator = ',');

}  // namespace cadena::data
