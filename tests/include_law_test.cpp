// The layering of docs/design.md, read off the #include lines of all library folders.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <regex>
#include <set>
#include <string>
#include <vector>

namespace {

namespace fs = std::filesystem;

const fs::path root = CADENA_SOURCE_DIR;

struct Include {
  std::string target;
  bool quoted;
};

std::vector<Include> includes_of(const fs::path& file) {
  static const std::regex line_with_include(R"(^\s*#\s*include\s*([<"])([^>"]+)[>"].*)");
  std::vector<Include> found;
  std::ifstream in(file);
  std::smatch match;
  for (std::string line; std::getline(in, line);)
    if (std::regex_match(line, match, line_with_include)) found.push_back({match[2], match[1] == "\""});
  return found;
}

std::vector<fs::path> sources(const std::string& folder) {
  std::vector<fs::path> files;
  for (auto& entry : fs::recursive_directory_iterator(root / folder))
    if (entry.path().extension() == ".hpp" || entry.path().extension() == ".cpp")
      files.push_back(entry.path());
  return files;
}

/// Fails for every include below `folder` that `allowed(file, include)` refuses.
void check(const std::string& folder,
           const std::function<bool(const std::string& file, const Include& include)>& allowed) {
  for (auto& file : sources(folder)) {
    const auto name = fs::relative(file, root).generic_string();
    for (auto& include : includes_of(file))
      EXPECT_TRUE(allowed(name, include)) << name << " includes " << include.target;
  }
}

bool starts_with(const std::string& text, const std::string& head) { return text.rfind(head, 0) == 0; }

/// A header in autodiff/ itself; what lies in folders below it is private.
bool is_public_autodiff(const std::string& target) {
  return starts_with(target, "autodiff/") && target.find('/', 9) == std::string::npos;
}

/// A header of C++ itself (no folder, no extension) or of the C library.
bool is_standard(const std::string& target) {
  return target.find_first_of("/.") == std::string::npos || starts_with(target, "sys/");
}

bool is_array_library(const std::string& target) {
  for (const char* head : {"xtensor", "xtl/", "xsimd", "Eigen/", "eigen3/"})
    if (starts_with(target, head)) return true;
  return false;
}

/// What a folder beside autodiff may include: itself, autodiff's public headers, libraries, and the folders
/// it stands on.
void check_front(const std::string& folder, const std::set<std::string>& below = {}) {
  check(folder, [&](const std::string&, const Include& include) {
    if (is_array_library(include.target)) return false;
    const auto from = include.target.substr(0, include.target.find('/'));
    return !include.quoted || from == folder || below.contains(from) || is_public_autodiff(include.target);
  });
}

TEST(IncludeLaw, TheFoldersAreThere) {
  for (const char* folder : {"autodiff", "nn", "optim", "data", "plot", "train"})
    EXPECT_TRUE(fs::is_directory(root / folder)) << folder;
  EXPECT_GT(sources("nn").size(), 5u);
  EXPECT_GT(includes_of(root / "nn/nn.hpp").size(), 3u);
}

TEST(IncludeLaw, NnUsesOnlyPublicAutodiff) { check_front("nn"); }
TEST(IncludeLaw, OptimUsesOnlyPublicAutodiff) { check_front("optim"); }
TEST(IncludeLaw, DataUsesOnlyPublicAutodiff) { check_front("data"); }

TEST(IncludeLaw, PlotStandsOnData) { check_front("plot", {"data"}); }
TEST(IncludeLaw, TrainStandsOnThemAll) { check_front("train", {"nn", "optim", "data", "plot"}); }

TEST(IncludeLaw, AutodiffDoesNotKnowWhatStandsOnIt) {
  check("autodiff", [](const std::string&, const Include& include) {
    return !include.quoted || starts_with(include.target, "autodiff/");
  });
}

/// Everything that a file pulls in, over all quoted includes.
void closure(const std::string& file, std::set<std::string>& reached) {
  for (auto& include : includes_of(root / file))
    if (reached.insert(include.target).second && include.quoted) closure(include.target, reached);
}

TEST(IncludeLaw, KernelsSeeNoTensorAndNoNode) {
  // The pool and the random bits lie in core; they know neither.
  const std::set<std::string> plain = {
      "autodiff/dtype.hpp",      "autodiff/error.hpp",     "autodiff/shape.hpp",
      "autodiff/parallel.hpp",   "autodiff/random.hpp",    "autodiff/memory.hpp",
      "autodiff/presence.hpp",   "autodiff/core/pool.hpp", "autodiff/core/philox.hpp",
      "autodiff/build_info.hpp",
  };
  for (auto& file : sources("autodiff/kernels")) {
    const auto name = fs::relative(file, root).generic_string();
    std::set<std::string> reached;
    closure(name, reached);
    for (auto& target : reached)
      EXPECT_TRUE(!starts_with(target, "autodiff/") || starts_with(target, "autodiff/kernels/") ||
                  plain.contains(target))
          << name << " reaches " << target;
  }
}

/// Ops reach memory through view_of, raw_data and Tensor::data, which refuse batched tensors (batch.hpp).
TEST(IncludeLaw, OpsReachMemoryThroughTheGuardedWays) {
  static const std::regex around(R"(impl\([^()]*\)->(data|storage->data)\b)");
  for (const char* folder : {"autodiff/ops", "autodiff/transforms"})
    for (auto& file : sources(folder)) {
      std::ifstream in(file);
      for (std::string line; std::getline(in, line);)
        EXPECT_FALSE(std::regex_search(line, around)) << file << ": " << line;
    }
}

TEST(IncludeLaw, ArrayLibrariesStayInKernelsAndOptInHeaders) {
  check("autodiff", [](const std::string& file, const Include& include) {
    return !is_array_library(include.target) || starts_with(file, "autodiff/kernels/") ||
           file == "autodiff/xtensor.hpp" || file == "autodiff/elementwise.hpp";
  });
}

TEST(IncludeLaw, UmbrellasNeedTheStandardLibraryOnly) {
  for (const char* umbrella : {"autodiff/autodiff.hpp", "nn/nn.hpp", "optim/optim.hpp", "data/data.hpp",
                               "plot/plot.hpp", "train/train.hpp"}) {
    std::set<std::string> reached;
    closure(umbrella, reached);
    EXPECT_TRUE(reached.contains("autodiff/tensor.hpp")) << umbrella;
    for (auto& target : reached)
      EXPECT_TRUE(is_standard(target) || fs::exists(root / target)) << umbrella << " needs " << target;
  }
}

}  // namespace
