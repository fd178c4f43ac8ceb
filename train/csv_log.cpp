#include <array>
#include <charconv>
#include <system_error>

#include "autodiff/error.hpp"
#include "train/log.hpp"

namespace cadena::train {
namespace {

std::string shortest(double value) {
  std::array<char, 32> text{};
  return {text.data(), std::to_chars(text.data(), text.data() + text.size(), value).ptr};
}

/// RFC 4180: quoted where it has to be.
std::string field(const std::string& name) {
  if (name.find_first_of(",\"\r\n") == std::string::npos) return name;
  std::string quoted = "\"";
  for (const char c : name) quoted += c == '"' ? "\"\"" : std::string(1, c);
  return quoted + '"';
}

}  // namespace

CsvLog::CsvLog(std::filesystem::path path) : path_(std::move(path)) {
  std::error_code ignored;  // what is wrong shows when the file is opened
  if (path_.has_parent_path()) std::filesystem::create_directories(path_.parent_path(), ignored);
  if (std::ifstream in(path_); in) std::getline(in, header_);
  out_.open(path_, std::ios::app);
  if (!out_) throw IoError("[CsvLog] cannot write " + path_.string());
}

void CsvLog::log(std::int64_t step, const std::vector<Metric>& metrics) {
  std::string header = "step", line = std::to_string(step);
  for (const auto& metric : metrics) {
    header += ',' + field(metric.name);
    line += ',' + shortest(metric.value);
  }
  if (header_.empty())
    out_ << header << '\n';
  else if (header != header_)
    throw ValueError("[CsvLog] expected the columns of " + path_.string() + ", " + header_ + ", got " +
                     header);
  header_ = header;
  if (!(out_ << line << '\n' << std::flush)) throw IoError("[CsvLog] cannot write " + path_.string());
}

}  // namespace cadena::train
