#include "examples/support/same_run.hpp"

#include "autodiff/autodiff.hpp"
#include "data/files/checkpoint.hpp"

namespace cadena::examples {

void check_same_data(const std::filesystem::path& checkpoint, const nn::StateDict& expected) {
  const auto saved = data::load_checkpoint(checkpoint).at("model").tensors;
  for (const auto& [name, value] : expected) {
    const auto found = saved.find(name);
    if (found == saved.end() || !equal(found->second, value))
      throw ValueError("[--resume] expected the data, the seed and the settings of the run that left " +
                       checkpoint.string() + ", got others");
  }
}

}  // namespace cadena::examples
