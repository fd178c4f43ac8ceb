// The workloads of engine_bench, tensor_bench, train_bench, model_bench and variants_bench on libtorch, in
// one program.
#include <ATen/Parallel.h>
#include <ATen/Version.h>
#include <dlfcn.h>
#include <malloc.h>

#include "peer/peer.hpp"

namespace bench::peer {
namespace {

/// libtorch counts nothing for the CPU, but its blocks are the allocator's.
std::int64_t live_bytes() {
  const auto info = mallinfo2();
  return static_cast<std::int64_t>(info.uordblks + info.hblkhd);
}

/// The core that OpenBLAS runs on, if that is the BLAS.
std::string blas_core() {
  using Name = char* (*)();
  const auto name = reinterpret_cast<Name>(dlsym(RTLD_DEFAULT, "openblas_get_corename"));
  return name ? name() : "none (this BLAS is not OpenBLAS)";
}

/// What follows `what` on its line of show_config().
std::string configured(std::string_view what) {
  const std::string all = at::show_config();
  const auto start = all.find(what);
  if (start == std::string::npos) return "unknown";
  const auto first = start + what.size();
  return all.substr(first, all.find('\n', first) - first);
}

std::vector<std::pair<std::string, std::string>> about() {
  return {{"libtorch", TORCH_VERSION},
          {"oneDNN", at::get_mkldnn_version()},
          {"OpenBLAS core", blas_core()},
          {"vector code", configured("CPU capability usage: ")}};
}

Suite everything() {
  Suite all;
  for (auto suite : {engine_suite, tensor_suite, train_suite, model_suite, variants_suite})
    for (auto& workload : suite()) all.push_back(std::move(workload));
  return all;
}

}  // namespace
}  // namespace bench::peer

int main(int argc, char** argv) {
  using namespace bench::peer;
  return bench::run(argc, argv, everything(), {at::set_num_threads, live_bytes, about});
}
