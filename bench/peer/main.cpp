// The workloads of engine_bench, tensor_bench, train_bench and model_bench on libtorch, in one program.
#include <ATen/Parallel.h>

#include "peer/peer.hpp"

int main(int argc, char** argv) {
  bench::Suite all;
  for (auto suite : {bench::peer::engine_suite, bench::peer::tensor_suite, bench::peer::train_suite,
                     bench::peer::model_suite})
    for (auto& workload : suite()) all.push_back(std::move(workload));
  return bench::run(argc, argv, all, at::set_num_threads);
}
