// docs/parity.md: what PyTorch offers by name (fixtures/torch_names.txt) beside what stands in the headers
// and tables here. CADENA_WRITE_DOCS=1 writes the page instead of comparing it.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "autodiff/core/table.hpp"
#include "optim/optim.hpp"

namespace cadena {
namespace {

namespace fs = std::filesystem;

const fs::path root = CADENA_SOURCE_DIR;

std::string contents(const fs::path& path) {
  std::ifstream in(path);
  EXPECT_TRUE(in) << path;
  return {std::istreambuf_iterator<char>(in), {}};
}

/// All words of a file: names that a fixture records or a header declares.
std::set<std::string> words(const std::string& text) {
  static const std::regex word("[A-Za-z_]\\w*");
  std::set<std::string> found;
  for (auto i = std::sregex_iterator(text.begin(), text.end(), word); i != std::sregex_iterator(); ++i)
    found.insert(i->str());
  return found;
}

/// Functions and classes that the headers of a package declare.
std::set<std::string> declared(const std::string& package) {
  static const std::regex comment("//[^\n]*"),
      declaration(
          R"((?:^|\n)\s*(?:\[\[nodiscard\]\] |inline |explicit |template <[^>]*>\s*)*(?:(?:class|struct) (\w+)|using (\w+) =|[\w:<>, &*]+?[ &*](\w+)\())");
  std::set<std::string> found;
  for (const auto& entry : fs::recursive_directory_iterator(root / package)) {
    const auto path = entry.path().generic_string();
    if (entry.path().extension() != ".hpp" || path.find("/core/") != path.npos ||
        path.find("/kernels/") != path.npos)
      continue;
    const auto text = std::regex_replace(contents(entry.path()), comment, "");
    for (auto i = std::sregex_iterator(text.begin(), text.end(), declaration); i != std::sregex_iterator();
         ++i)
      for (std::size_t group = 1; group <= 3; ++group)
        if ((*i)[group].matched) found.insert((*i)[group]);
  }
  return found;
}

struct Section {
  std::string torch;  ///< "torch.nn"
  std::set<std::string> ours;
  std::set<std::string> checked;  ///< those whose values are compared with PyTorch's or mpmath's
  std::string what;               ///< where they stand here
};

std::set<std::string> table_rows() {
  std::set<std::string> names;
  for (const auto& op : detail::op_table()) names.insert(std::string(op.meta.name));
  return names;
}

/// Rows that tests/oracle_test.cpp compares; it fails for a row without a record.
std::set<std::string> recorded_operations() {
  auto recorded = table_rows();
  for (const auto& name : words(contents(root / "tests/fixtures/torch_functions.hpp"))) recorded.insert(name);
  return recorded;
}

std::vector<Section> sections() {
  auto operations = declared("autodiff");
  operations.merge(table_rows());
  const auto compared = recorded_operations();
  auto layers = declared("nn");
  auto checked_layers = words(contents(root / "tests/fixtures/torch_nn.hpp"));
  checked_layers.merge(words(contents(root / "tests/fixtures/recurrent.hpp")));
  auto optimizers = declared("optim");
  for (const auto& name : optim::optimizer_names()) optimizers.insert(name);
  auto functions = operations;
  functions.insert(layers.begin(), layers.end());
  auto training = layers;
  training.insert(optimizers.begin(), optimizers.end());
  return {{"torch", operations, compared, "autodiff/autodiff.hpp"},
          {"torch.nn.functional", functions, compared, "autodiff/autodiff.hpp"},
          {"torch.linalg", operations, compared, "autodiff/autodiff.hpp, namespace linalg"},
          {"torch.special", operations, compared, "autodiff/autodiff.hpp"},
          {"torch.nn", layers, checked_layers, "nn/nn.hpp"},
          {"torch.nn.init", layers, {}, "nn/nn.hpp, namespace init"},
          {"torch.nn.utils", training, {}, "nn/nn.hpp and optim/optim.hpp"},
          {"torch.optim", optimizers, words(contents(root / "tests/fixtures/optim_trajectories.hpp")),
           "optim/optim.hpp"},
          {"torch.optim.lr_scheduler", optimizers,
           words(contents(root / "tests/fixtures/scheduler_trajectories.hpp")), "optim/optim.hpp"},
          {"torch.utils.data", declared("data"), {}, "data/data.hpp"}};
}

/// Where the thing exists under a name that says more here.
const std::map<std::string, std::string>& renamed() {
  static const std::map<std::string, std::string> names = {
      {"binary_cross_entropy_with_logits", "bce_with_logits"},
      {"chain_matmul", "multi_dot"},
      {"msort", "sort"},
      {"ravel", "flatten"},
      {"sgn", "sign"},
      {"vdot", "dot"},
      {"promote_types", "promote"},
      {"result_type", "promote"},
      {"symeig", "eigh"},
      {"triangular_solve", "solve_triangular"},
      {"CrossMapLRN2d", "LocalResponseNorm"},
      {"NLLLoss2d", "NLLLoss"},
      {"ConcatDataset", "concat"},
      {"RandomSampler", "random_sampler"},
      {"SequentialSampler", "sequential_sampler"},
      {"Subset", "subset"},
      {"SubsetRandomSampler", "subset_sampler"},
      {"WeightedRandomSampler", "weighted_sampler"},
      {"Dataset", "AnyDataset"},
      {"expit", "sigmoid"},
      {"from_numpy", "load_npy"},
      {"gammaln", "lgamma"},
      {"get_rng_state", "default_generator"},
      {"set_rng_state", "default_generator"},
      {"is_tensor", "defined"},
      {"load", "read_torch"},
      {"save", "write_safetensors"},
      {"clip_grad_norm", "clip_grad_norm_"},
      {"dropout1d", "feature_dropout"},
      {"dropout2d", "feature_dropout"},
      {"dropout3d", "feature_dropout"},
      {"get_num_threads", "num_threads"},
      {"is_floating_point", "is_floating"},
      {"logsigmoid", "log_sigmoid"},
      {"trapz", "trapezoid"},
      {"upsample", "interpolate"},
      {"upsample_bilinear", "interpolate"},
      {"upsample_nearest", "interpolate"},
  };
  return names;
}

struct Offer {
  std::string name, ours;  ///< `ours` is empty where there is nothing
  bool checked;
};

Offer match(const Section& section, const std::string& name, const std::string& alias) {
  // Its powers ascend, those of vander descend.
  if (section.torch == "torch.linalg" && name == "vander") return {name, {}, false};
  std::vector<std::string> candidates{name, alias};
  if (const auto found = renamed().find(name); found != renamed().end()) candidates.push_back(found->second);
  for (const auto& candidate : candidates)
    if (section.ours.contains(candidate)) return {name, candidate, section.checked.contains(candidate)};
  return {name, {}, false};
}

std::map<std::string, std::vector<std::pair<std::string, std::string>>> torch_names() {
  std::map<std::string, std::vector<std::pair<std::string, std::string>>> names;
  std::istringstream lines(contents(root / "tests/fixtures/torch_names.txt"));
  for (std::string line; std::getline(lines, line);) {
    std::istringstream parts(line);
    std::string section, name, alias;
    parts >> section >> name >> alias;
    names[section].emplace_back(name, alias);
  }
  return names;
}

std::string page() {
  std::ostringstream out;
  out << "# PyTorch's names, and what they are here\n\n"
         "What PyTorch 1.13.1 offers by name, beside what the headers here declare. One name for one thing: "
         "PyTorch's "
         "second names\n(`absolute`, `arccos`) lead to the first. \"Checked\" means that values, and "
         "gradients where there "
         "are any, are compared\nwith recorded ones of PyTorch or mpmath.\n\n"
         "This page is written by `CADENA_WRITE_DOCS=1 ./run test -R ParityPage` from the headers, the op "
         "table and the "
         "fixtures,\nand the tests compare it with them.\n";
  const auto names = torch_names();
  for (const auto& section : sections()) {
    std::vector<Offer> here, missing;
    for (const auto& [name, alias] : names.at(section.torch)) {
      auto offer = match(section, name, alias);
      (offer.ours.empty() ? missing : here).push_back(std::move(offer));
    }
    out << "\n## " << section.torch << "\n\n"
        << here.size() << " of " << here.size() + missing.size() << ", in " << section.what
        << ".\n\n| PyTorch | here | checked |\n|---|---|---|\n";
    for (const auto& [name, ours, checked] : here)
      out << "| `" << name << "` | `" << ours << "` | " << (checked ? "yes" : "") << " |\n";
    if (missing.empty()) continue;
    out << "\nNot here:";
    for (const auto& offer : missing) out << " `" << offer.name << "`";
    out << "\n";
  }
  return out.str();
}

TEST(ParityPage, SaysWhatTheSourcesSay) {
  const auto path = root / "docs/parity.md";
  const auto text = page();
  if (std::getenv("CADENA_WRITE_DOCS")) std::ofstream(path) << text;
  EXPECT_TRUE(contents(path) == text) << path << " differs: CADENA_WRITE_DOCS=1 ./run test -R ParityPage";
}

TEST(ParityPage, EveryOptimizerAndSchedulerOfPyTorchIsHere) {
  const auto names = torch_names();
  for (const auto& section : sections())
    if (section.torch.starts_with("torch.optim")) {
      for (const auto& [name, alias] : names.at(section.torch))
        EXPECT_FALSE(match(section, name, alias).ours.empty()) << name;
    }
}

}  // namespace
}  // namespace cadena
