#include "base/progress.h"

#include <gtest/gtest.h>

#include <thread>

namespace parley {
namespace {

TEST(Progress, IsNotCancelledUntilSomebodyAsks) {
  SilentProgress progress;
  progress.phase("working", 10);
  progress.advance(5);
  EXPECT_FALSE(progress.cancelled());
  progress.cancel();
  EXPECT_TRUE(progress.cancelled());
}

TEST(Progress, WakesTheWorkerThatWaits) {
  SilentProgress progress;
  int woken = 0;
  progress.set_wake([&] { ++woken; });
  EXPECT_EQ(woken, 0);
  progress.cancel();
  EXPECT_EQ(woken, 1);
}

TEST(Progress, WakesAWorkerThatBeginsToWaitTooLate) {
  SilentProgress progress;
  progress.cancel();
  int woken = 0;
  progress.set_wake([&] { ++woken; });
  EXPECT_EQ(woken, 1);
}

TEST(Progress, WakesNobodyWhoHasTakenTheWishBack) {
  SilentProgress progress;
  int woken = 0;
  progress.set_wake([&] { ++woken; });
  progress.set_wake({});
  progress.cancel();
  EXPECT_EQ(woken, 0);
  EXPECT_TRUE(progress.cancelled());
}

TEST(Progress, IsCancelledFromAnotherThread) {
  SilentProgress progress;
  std::atomic<bool> woken = false;
  progress.set_wake([&] {
    woken = true;
    woken.notify_all();
  });
  std::thread other([&] { progress.cancel(); });
  woken.wait(false);
  EXPECT_TRUE(progress.cancelled());
  other.join();
}

}  // namespace
}  // namespace parley
