// The thread knob and the loop over blocks.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <mutex>
#include <set>
#include <stdexcept>
#include <utility>
#include <vector>

#include "autodiff/error.hpp"
#include "autodiff/kernels/parallel.hpp"

namespace cadena::kernels::test {
namespace {

class ThreadKnob : public testing::Test {
 protected:
  void TearDown() override { set_num_threads(before_); }
  int before_ = num_threads();
};

TEST_F(ThreadKnob, TakesPositiveNumbersOnly) {
  EXPECT_GE(num_threads(), 1);
  EXPECT_THROW(set_num_threads(0), ValueError);
  EXPECT_THROW(set_num_threads(-3), ValueError);
  EXPECT_EQ(num_threads(), before_);
  set_num_threads(1);
  EXPECT_EQ(num_threads(), 1);
}

template <Schedule schedule>
void every_block_runs_once() {
  for (int threads : {1, 2, 5})
    for (std::int64_t blocks : {0, 1, 7, 1000}) {
      set_num_threads(threads);
      std::vector<std::atomic<int>> runs(static_cast<std::size_t>(blocks));
      for_blocks<schedule>(blocks, true, [&](std::int64_t b) { ++runs[static_cast<std::size_t>(b)]; });
      for (const auto& n : runs) EXPECT_EQ(n, 1);
    }
}
TEST_F(ThreadKnob, EveryBlockRunsOnce) {
  every_block_runs_once<Schedule::even>();
  every_block_runs_once<Schedule::stealing>();
}

TEST_F(ThreadKnob, ParallelForCutsAtFixedPlaces) {
  using Piece = std::pair<std::int64_t, std::int64_t>;
  for (const int threads : {1, 2, 5})
    for (const std::int64_t n : {0, 1, 7, 10, 39, 40, 41, 100}) {
      set_num_threads(threads);
      std::mutex guard;
      std::set<Piece> pieces;
      parallel_for(n, 10, [&](std::int64_t begin, std::int64_t end) {
        const std::lock_guard lock(guard);
        EXPECT_TRUE(pieces.emplace(begin, end).second);
      });
      std::set<Piece> wanted;
      for (std::int64_t i = 0; i < n; i += 10) wanted.emplace(i, std::min(n, i + 10));
      EXPECT_EQ(pieces, wanted) << n << " on " << threads;
    }
}

TEST_F(ThreadKnob, ExceptionsComeBackToTheCaller) {
  for (int threads : {1, 4}) {
    set_num_threads(threads);
    EXPECT_THROW(for_blocks(100, true,
                            [](std::int64_t b) {
                              if (b % 30 == 7) throw std::out_of_range("block");
                            }),
                 std::out_of_range);
  }
}

// A child process has none of its parent's threads; waiting for them would hang it.
TEST_F(ThreadKnob, WorksInAForkedChild) {
  set_num_threads(2);
  for_blocks(8, true, [](std::int64_t) {});
  const pid_t child = fork();
  if (child == 0) {
    alarm(20);
    std::atomic<int> sum = 0;
    for_blocks(8, true, [&](std::int64_t) { ++sum; });
    _exit(sum == 8 ? 0 : 1);
  }
  int status = -1;
  waitpid(child, &status, 0);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
}

}  // namespace
}  // namespace cadena::kernels::test
