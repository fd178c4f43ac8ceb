#include "data/files/image_folder.hpp"

#include <algorithm>
#include <cctype>
#include <system_error>

#include "autodiff/error.hpp"

namespace cadena::data {
namespace {

namespace fs = std::filesystem;

bool is_picture(const fs::path& path) {
  std::string ending = path.extension().string();
  std::transform(ending.begin(), ending.end(), ending.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return ending == ".png" || ending == ".jpg" || ending == ".jpeg";
}

[[noreturn]] void fail(const fs::path& folder, const std::string& got) {
  throw IoError("[ImageFolder] expected folders with pictures in " + folder.string() + ", got " + got);
}

/// Entries for which `wanted` holds, sorted by name.
template <class Iterator, class F>
std::vector<fs::path> list(const fs::path& folder, const F& wanted) {
  std::vector<fs::path> found;
  std::error_code error;
  for (Iterator it(folder, error), end; !error && it != end; it.increment(error))
    if (wanted(*it)) found.push_back(it->path());
  if (error) fail(folder, error.message());
  std::sort(found.begin(), found.end());
  return found;
}

}  // namespace

ImageFolder::ImageFolder(const fs::path& folder, const ImageOptions& options) : options_(options) {
  std::error_code unreadable;  // what cannot be examined is neither a folder nor a picture
  const auto folders = list<fs::directory_iterator>(
      folder, [&](const fs::directory_entry& entry) { return entry.is_directory(unreadable); });
  for (const fs::path& of_class : folders) {
    const auto files =
        list<fs::recursive_directory_iterator>(of_class, [&](const fs::directory_entry& entry) {
          return is_picture(entry.path()) && entry.is_regular_file(unreadable);
        });
    if (files.empty()) continue;
    files_.insert(files_.end(), files.begin(), files.end());
    labels_.resize(files_.size(), static_cast<std::int64_t>(classes_.size()));
    classes_.push_back(of_class.filename().string());
  }
  if (files_.empty()) fail(folder, "none");
}

const fs::path& ImageFolder::path(std::int64_t i) const {
  if (i < 0 || i >= size())
    throw IndexError("[ImageFolder] expected an index in [0, " + std::to_string(size()) + "), got " +
                     std::to_string(i));
  return files_[static_cast<std::size_t>(i)];
}

Sample ImageFolder::get(std::int64_t i) const {
  Tensor x = read_image(path(i), options_);
  return {std::move(x), full({}, labels_[static_cast<std::size_t>(i)], i64)};
}

Tensor ImageFolder::labels() const { return tensor(labels_); }

}  // namespace cadena::data
