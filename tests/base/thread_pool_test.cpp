#include "base/thread_pool.h"

#include <gtest/gtest.h>

#include <atomic>
#include <latch>
#include <mutex>
#include <set>
#include <thread>
#include <vector>

namespace parley {
namespace {

TEST(ThreadPool, HasAtLeastTheCallingThreadAndAtMost256) {
  EXPECT_EQ(ThreadPool(0).size(), 1u);
  EXPECT_EQ(ThreadPool(1).size(), 1u);
  EXPECT_EQ(ThreadPool(3).size(), 3u);
  EXPECT_EQ(ThreadPool(100'000).size(), 256u);
  EXPECT_GE(hardware_threads(), 1u);
}

TEST(ThreadPool, DoesEachPieceOfWorkExactlyOnce) {
  constexpr std::size_t kThreads[] = {1, 2, 5};
  constexpr std::size_t kCounts[] = {0, 1, 2, 63, 64, 65, 1000};
  constexpr std::size_t kChunks[] = {0, 1, 7, 64, 5000};
  for (const std::size_t threads : kThreads) {
    ThreadPool pool(threads);
    for (const std::size_t count : kCounts) {
      for (const std::size_t chunk : kChunks) {
        std::vector<std::atomic<int>> done(count);
        pool.parallel_for(count, chunk, [&](std::size_t begin, std::size_t end) {
          for (std::size_t i = begin; i < end; ++i) ++done[i];
        });
        for (std::size_t i = 0; i < count; ++i) {
          ASSERT_EQ(done[i], 1) << threads << " threads, " << count << " by " << chunk << ", " << i;
        }
      }
    }
  }
}

TEST(ThreadPool, HandsOutChunksOfAtMostTheirSize) {
  ThreadPool pool(3);
  std::mutex mutex;
  std::set<std::size_t> begins;
  pool.parallel_for(100, 8, [&](std::size_t begin, std::size_t end) {
    const std::lock_guard lock(mutex);
    EXPECT_LT(begin, end);
    EXPECT_LE(end - begin, 8u);
    EXPECT_EQ(begin % 8, 0u);
    EXPECT_LE(end, 100u);
    EXPECT_TRUE(begins.insert(begin).second);
  });
  EXPECT_EQ(begins.size(), 13u);
}

TEST(ThreadPool, OfOneRunsInTheCallingThread) {
  ThreadPool pool(1);
  const std::thread::id caller = std::this_thread::get_id();
  pool.parallel_for(10, 1, [&](std::size_t, std::size_t) { EXPECT_EQ(std::this_thread::get_id(), caller); });
}

// Every body waits until all have begun, which ends only if each runs in a thread of its own.
TEST(ThreadPool, WorksInAllItsThreadsAtOnce) {
  constexpr std::size_t kThreads = 4;
  ThreadPool pool(kThreads);
  std::latch all_begun(kThreads);
  std::mutex mutex;
  std::set<std::thread::id> threads;
  pool.parallel_for(kThreads, 1, [&](std::size_t, std::size_t) {
    all_begun.arrive_and_wait();
    const std::lock_guard lock(mutex);
    threads.insert(std::this_thread::get_id());
  });
  EXPECT_EQ(threads.size(), kThreads);
}

TEST(ThreadPool, ReturnsOnlyWhenEverythingIsDone) {
  ThreadPool pool(4);
  for (int run = 0; run < 200; ++run) {
    std::vector<int> squares(50);  // not atomic: the end of the loop must order it
    pool.parallel_for(squares.size(), 3, [&](std::size_t begin, std::size_t end) {
      for (std::size_t i = begin; i < end; ++i) squares[i] = static_cast<int>(i * i);
    });
    for (std::size_t i = 0; i < squares.size(); ++i) ASSERT_EQ(squares[i], static_cast<int>(i * i)) << run;
  }
}

TEST(ThreadPool, EndsThoughItWasNeverUsed) {
  for (int i = 0; i < 50; ++i) EXPECT_EQ(ThreadPool(4).size(), 4u);
}

}  // namespace
}  // namespace parley
