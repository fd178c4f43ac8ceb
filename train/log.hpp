// Metrics of a run on disk: for TensorBoard, and as CSV.
#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "autodiff/tensor.hpp"
#include "train/progress.hpp"

namespace cadena::train {

/// Something that keeps metrics; `fit` calls it after every epoch.
class Logger {
 public:
  virtual ~Logger() = default;
  /// @throws IoError naming the file if it cannot be written
  virtual void log(std::int64_t step, const std::vector<Metric>& metrics) = 0;
};

/// One line a step, "step,loss,accuracy" and below it "1,0.25,0.9", numbers in the shortest form that reads
/// back the same. Every line is on disk when `log` returns. A file that is there already is continued if it
/// has the same columns.
class CsvLog : public Logger {
 public:
  /// Missing folders are made. @throws IoError
  explicit CsvLog(std::filesystem::path path);
  /// @throws ValueError unless the names are those of the first line; IoError
  void log(std::int64_t step, const std::vector<Metric>& metrics) override;

 private:
  std::filesystem::path path_;
  std::string header_;  // as it stands in the file; empty before the first line
  std::ofstream out_;
};

/// Event files that TensorBoard reads (`tensorboard --logdir FOLDER`): TFRecord frames with masked CRC-32C
/// around Event messages of tensorflow/core/util/event.proto. A new file for every writer; TensorBoard joins
/// those of a folder.
class TensorBoardLog : public Logger {
 public:
  /// @param clock seconds since 1970; the system's when empty @throws IoError
  explicit TensorBoardLog(const std::filesystem::path& folder, std::function<double()> clock = {});

  void log(std::int64_t step, const std::vector<Metric>& metrics) override;
  void scalar(std::string_view tag, double value, std::int64_t step);
  /// The distribution of all elements, in the bins that TensorBoard itself uses: bounds grow by 10 % from
  /// 1e-12.
  /// @throws ValueError if an element is not finite
  void histogram(std::string_view tag, const Tensor& values, std::int64_t step);
  /// @param png a whole PNG file of height x width pixels
  void image(std::string_view tag, std::span<const std::uint8_t> png, std::int64_t height, std::int64_t width,
             std::int64_t step);
  /// Markdown.
  void text(std::string_view tag, std::string_view text, std::int64_t step);

  const std::filesystem::path& path() const { return path_; }

 private:
  void write(std::string_view summary_value, std::int64_t step);
  void write_record(const std::string& event);

  std::filesystem::path path_;
  std::function<double()> clock_;
  std::ofstream out_;
};

}  // namespace cadena::train
