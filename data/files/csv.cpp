#include "data/files/csv.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <map>
#include <optional>
#include <set>

#include "data/files/byte_source.hpp"
#include "data/files/file.hpp"
#include "data/files/utf8.hpp"

namespace cadena::data {
namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();
constexpr std::int64_t exact = std::int64_t{1} << 53;  // beyond it a double skips whole numbers

/// Cuts text into records.
class Records {
 public:
  Records(std::string_view text, const CsvOptions& options) : text_(text), options_(options) {
    if (text_.starts_with("\xEF\xBB\xBF")) at_ = 3;
  }

  /// The fields of the next record that is not empty. @return false at the end
  bool next(std::vector<std::string>& fields) {
    for (;;) {
      if (at_ >= text_.size()) return false;
      start_ = at_;
      line_ = breaks_ + 1;
      std::size_t count = 0;
      bool blank = true, more = true;
      while (more) {
        if (count == fields.size()) fields.emplace_back();
        more = read_field(fields[count], blank);
        if (++count > most_fields) fail(start_, "expected at most 100,000 fields, got more");
      }
      fields.resize(count);
      if (!(blank && count == 1)) return true;
    }
  }

  [[noreturn]] void fail(std::size_t at, const std::string& reason) const {
    throw FormatError("csv", static_cast<std::int64_t>(at), "line " + std::to_string(line_), reason);
  }
  std::size_t start() const { return start_; }  ///< the byte at which the record begins

 private:
  static constexpr std::size_t most_fields = 100'000;

  void push(std::string& field, char c) const {
    if (field.size() == options_.max_field)
      fail(at_,
           "expected fields of at most " + std::to_string(options_.max_field) + " bytes, got a longer one");
    field += c;
  }

  /// @return true if another field of the record follows
  bool read_field(std::string& field, bool& blank) {
    field.clear();
    const auto is_space = [this](char c) { return (c == ' ' || c == '\t') && c != options_.separator; };
    while (at_ < text_.size() && is_space(text_[at_])) ++at_;
    if (at_ < text_.size() && text_[at_] == '"') {
      read_quoted(field);
      blank = false;
      while (at_ < text_.size() && is_space(text_[at_])) ++at_;
    } else {
      while (at_ < text_.size() && text_[at_] != options_.separator && text_[at_] != '\n') {
        if (text_[at_] == '"') fail(at_, "expected quotes around a whole field, got one inside");
        push(field, text_[at_++]);
      }
      while (!field.empty() && (is_space(field.back()) || (field.back() == '\r' && at_ends_line())))
        field.pop_back();
      blank = blank && field.empty();
    }
    return end_field(field);
  }

  bool at_ends_line() const { return at_ >= text_.size() || text_[at_] == '\n'; }

  void read_quoted(std::string& field) {
    const std::size_t open = at_++;
    for (;; ++at_) {
      if (at_ >= text_.size()) fail(open, "expected closing quotes, got the end of the file");
      if (text_[at_] == '"') {
        if (at_ + 1 >= text_.size() || text_[at_ + 1] != '"') break;
        ++at_;  // doubled
      }
      breaks_ += text_[at_] == '\n' ? 1 : 0;
      push(field, text_[at_]);
    }
    ++at_;
    if (at_ + 1 < text_.size() && text_[at_] == '\r' && text_[at_ + 1] == '\n') ++at_;
  }

  bool end_field(const std::string& field) {
    if (const auto fault = utf8_fault(field); fault != field.size())
      fail(start_, "expected text in UTF-8, got other bytes");
    if (at_ >= text_.size()) return false;
    const char c = text_[at_++];
    if (c == options_.separator) return true;
    if (c != '\n') fail(at_ - 1, "expected a separator behind closing quotes, got something else");
    ++breaks_;
    return false;
  }

  std::string_view text_;
  const CsvOptions& options_;
  std::size_t at_ = 0, start_ = 0;
  std::size_t line_ = 0, breaks_ = 0;  // of the record, from 1; line breaks until here
};

/// A decimal number, the whole field; none for words, hexadecimals, what overflows, and large whole numbers.
std::optional<double> number(const std::string& field) {
  if (field.find_first_not_of("+-.0123456789eE") != std::string::npos) return std::nullopt;
  const char *begin = field.data(), *end = begin + field.size();
  if (field.size() > 1 && field[0] == '+' && field[1] != '-') ++begin;
  const bool whole = field.find_first_of(".eE") == std::string::npos;
  if (std::int64_t n = 0; whole) {
    const auto [stop, error] = std::from_chars(begin, end, n);
    if (error != std::errc() || stop != end || n > exact || n < -exact) return std::nullopt;
    return static_cast<double>(n);
  }
  double value = 0;
  const auto [stop, error] = std::from_chars(begin, end, value);
  if (error != std::errc() || stop != end) return std::nullopt;
  return value;
}

/// What the passes over the file find out about a column.
struct Draft {
  Column column;
  bool forced_number = false;
  std::set<std::string> categories = {};
  std::map<std::string, std::int64_t> codes = {};
};

class Reader {
 public:
  Reader(std::string_view text, const CsvOptions& options)
      : text_(text), options_(options), missing_(options.missing.begin(), options.missing.end()) {
    if (options.separator == '"' || options.separator == '\n' || options.separator == '\r')
      throw ValueError("[read_csv] expected a separator that is no quote and no line break, got one");
  }

  Table read() {
    classify();
    for_each_row([&](Draft& d, const std::string& field) {
      if (d.column.kind == ColumnKind::category && !missing_.contains(field)) d.categories.insert(field);
    });
    for (Draft& d : drafts_) {
      d.column.categories.assign(d.categories.begin(), d.categories.end());
      for (const std::string& category : d.column.categories)
        d.codes.emplace(category, static_cast<std::int64_t>(d.codes.size()));
    }
    for_each_row([&](Draft& d, const std::string& field) { store(d, field); });
    std::vector<Column> columns;
    for (Draft& d : drafts_) columns.push_back(std::move(d.column));
    return Table(std::move(columns));
  }

 private:
  /// The first pass: names and kinds, and that every row has as many fields.
  void classify() {
    Records records(text_, options_);
    std::vector<std::string> fields;
    bool rows = records.next(fields);
    if (!rows) return;
    name_columns(records, fields);
    if (options_.header) rows = records.next(fields);
    for (; rows; rows = records.next(fields)) {
      if (fields.size() != drafts_.size())
        records.fail(records.start(), "expected " + std::to_string(drafts_.size()) + " fields, got " +
                                          std::to_string(fields.size()));
      for (std::size_t c = 0; c < fields.size(); ++c) look_at(records, drafts_[c], fields[c]);
    }
  }

  /// Calls f with every field of every row, when it is known that all of them are there.
  template <class F>
  void for_each_row(const F& f) {
    Records records(text_, options_);
    std::vector<std::string> fields;
    if (options_.header) records.next(fields);
    while (records.next(fields))
      for (std::size_t c = 0; c < fields.size(); ++c) f(drafts_[c], fields[c]);
  }

  void name_columns(const Records& records, const std::vector<std::string>& fields) {
    std::set<std::string> names;
    for (std::size_t c = 0; c < fields.size(); ++c) {
      Draft draft;
      const bool named = options_.header && !fields[c].empty();
      draft.column.name = named ? fields[c] : "column " + std::to_string(c + 1);
      if (!names.insert(draft.column.name).second)
        records.fail(records.start(), "expected every name once, got " + draft.column.name + " twice");
      drafts_.push_back(std::move(draft));
    }
    for (const auto& name : options_.numbers) find(name).forced_number = true;
    for (const auto& name : options_.categories) find(name).column.kind = ColumnKind::category;
  }

  Draft& find(const std::string& name) {
    for (Draft& d : drafts_)
      if (d.column.name == name) return d;
    throw ValueError("[read_csv] expected options to name columns of the file, got " + name);
  }

  void look_at(const Records& records, Draft& draft, const std::string& field) const {
    if (draft.column.kind == ColumnKind::category || missing_.contains(field) || number(field)) return;
    if (draft.forced_number)
      records.fail(records.start(), "expected a number in " + draft.column.name + ", got " + field);
    draft.column.kind = ColumnKind::category;
  }

  void store(Draft& draft, const std::string& field) const {
    const bool missing = missing_.contains(field);
    if (draft.column.kind == ColumnKind::number)
      draft.column.numbers.push_back(missing ? nan : *number(field));
    else
      draft.column.codes.push_back(missing ? -1 : draft.codes.at(field));
  }

  std::string_view text_;
  const CsvOptions& options_;
  std::set<std::string> missing_;
  std::vector<Draft> drafts_;
};

std::string quoted(const std::string& field, char separator) {
  const std::string special = std::string("\"\r\n \t") + separator;
  if (field.find_first_of(special) == std::string::npos) return field;
  std::string text = "\"";
  for (const char c : field) text.append(c == '"' ? 2 : 1, c);
  return text + '"';
}

std::string cell(const Column& column, std::size_t row, char separator) {
  if (column.kind == ColumnKind::category) {
    const auto code = column.codes[row];
    return code < 0 ? "" : quoted(column.categories[static_cast<std::size_t>(code)], separator);
  }
  if (std::isnan(column.numbers[row])) return "";
  std::array<char, 32> text{};
  return {text.data(), std::to_chars(text.data(), text.data() + text.size(), column.numbers[row]).ptr};
}

}  // namespace

Table parse_csv(std::string_view text, const CsvOptions& options) { return Reader(text, options).read(); }

Table read_csv(const std::filesystem::path& path, const CsvOptions& options) {
  return naming(path, [&] {
    const auto bytes = read_file(path, options.max_bytes);
    return parse_csv({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, options);
  });
}

std::string format_csv(const Table& table, char separator) {
  std::string text;
  const auto& columns = table.columns();
  const auto line = [&](const auto& field) {
    std::string row;
    for (std::size_t c = 0; c < columns.size(); ++c)
      row += (c == 0 ? "" : std::string(1, separator)) + field(columns[c]);
    // An empty line would be skipped, so a missing value that stands alone is written as a word.
    text += (row.empty() ? "NA" : row) + '\n';
  };
  if (columns.empty()) return text;
  line([&](const Column& c) { return quoted(c.name, separator); });
  for (std::size_t r = 0; r < columns[0].rows(); ++r)
    line([&](const Column& c) { return cell(c, r, separator); });
  return text;
}

void write_csv(const std::filesystem::path& path, const Table& table, char separator) {
  write_file(path, format_csv(table, separator));
}

}  // namespace cadena::data
