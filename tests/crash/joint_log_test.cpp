// Whatever moment a member's process is killed at while it writes into its log, takes and signs another's, or heals
// from an old backup: what it said it had is there, nothing was signed twice, and the next run finishes the work.
#include "support/crash_points.h"
#include "support/log_members.h"
#include "wire/address.h"

namespace parley::attacks {
namespace {

using crash::Cut, crash::Events;
using Files = std::map<std::string, Bytes>;

constexpr std::size_t kAlpha = 0, kBravo = 1;
constexpr std::size_t kMostEvents = 3000;
const std::string kLabel = "the entry that is being written";

/// What a dying process says to its test: nothing of it is lost.
class Words {
 public:
  Words() { EXPECT_EQ(::pipe(ends_), 0); }
  ~Words() {
    ::close(ends_[0]);
    ::close(ends_[1]);
  }
  void say(char word) const { static_cast<void>(!::write(ends_[1], &word, 1)); }
  std::string heard() {
    ::close(std::exchange(ends_[1], -1));
    std::string all(64, '\0');
    const ssize_t got = ::read(ends_[0], all.data(), all.size());
    all.resize(got < 0 ? 0 : static_cast<std::size_t>(got));
    return all;
  }

 private:
  int ends_[2] = {-1, -1};
};
constexpr char kAppended = 'a', kHeld = 'h';

class CrashOfALog : public testing::TestWithParam<Cut> {
 protected:
  CrashOfALog() {
    grow(3);
    old_ = {files(kAlpha), files(kBravo)};
    grow(4);
    new_ = {files(kAlpha), files(kBravo)};
  }
  void grow(int entries) {
    RunningLog alpha(group_, kAlpha), bravo(group_, kBravo);
    EXPECT_OK(meet(alpha, kBravo, bravo).first);
    for (int i = 0; i < entries; ++i) EXPECT_OK(alpha.append("earlier"));
    EXPECT_OK(bravo.append("of bravo"));
    EXPECT_OK(meet(alpha, kBravo, bravo).first);
  }
  Files files(std::size_t i) const { return vault::contents(group_[i].folder()); }
  void put(std::size_t i, const Files& files) const { vault::restore(group_[i].folder(), files); }

  /// Both sides in processes of their own; `calls` and `serves` say when they become mortal.
  /// @return whether one died
  bool in_processes(const std::function<void(wire::Listener&)>& calls,
                    const std::function<void(wire::Listener&)>& serves) {
    wire::Listener listener;
    const pid_t serving = ::fork();
    if (serving == 0) {
      serves(listener);
      ::_exit(0);
    }
    const bool caller_died = crash::dies_in_process([&] { calls(listener); });
    static_cast<void>(wire::connect_tcp(listener.address(), wire::soon()));  // if it never came: somebody else does
    int status = 0;
    ::waitpid(serving, &status, 0);
    return caller_died || (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
  }

  /// What was begun is done again by the next run, and the members agree on all that there is.
  void finish() {
    RunningLog alpha(group_, kAlpha), bravo(group_, kBravo);
    for (RunningLog* member : {&alpha, &bravo})
      for (const mirror::Defect& defect : member->fsck()) ADD_FAILURE() << defect.log << ": " << defect.what;
    const auto [called, served] = meet(alpha, kBravo, bravo, [&](group::LogLink& link) -> Status {
      if (alpha.times(kLabel) > 0) return {};
      TRY(const mirror::EntryView entry, alpha.append(kLabel));
      TRY_STATUS(link.push(deadline_in(std::chrono::seconds(30))));
      return link.await_held(entry, deadline_in(kPatience));
    });
    EXPECT_OK(called);
    EXPECT_OK(served);
    EXPECT_EQ(alpha.state(), mirror::State::live);
    EXPECT_EQ(alpha.times(kLabel), 1u);
    for (const std::string nick : {"alpha", "bravo"}) EXPECT_EQ(alpha.leaves(nick), bravo.leaves(nick)) << nick;
    EXPECT_TRUE(bravo.with([&](auto& replica) { return replica.held_by("bravo", "alpha", replica.size("alpha")); }));
    EXPECT_TRUE(alpha.convictions().empty());
    EXPECT_TRUE(bravo.convictions().empty());
  }

  /// Goes through the points until the process lives to its end.
  /// @param dies_at  one run; whether it died
  void for_each_point(std::size_t stride, const std::function<bool(std::size_t)>& dies_at) {
    stride = crash::stride_of(stride);
    std::size_t at = GetParam() == Cut::before ? 1 : 1 + stride / 2;
    for (; at < kMostEvents; at += stride) {
      SCOPED_TRACE(testing::Message() << "event " << at);
      const bool died = dies_at(at);
      if (HasFailure()) return;
      if (!died) break;
    }
    EXPECT_GT(at, 30u) << "there are more events than this";
    EXPECT_LT(at, kMostEvents) << "it comes to an end";
    RecordProperty("points", static_cast<int>(at / stride));
  }

  LogGroup group_{"alpha", "bravo"};
  std::array<Files, 2> old_, new_;
};
INSTANTIATE_TEST_SUITE_P(Killed, CrashOfALog, testing::Values(Cut::before, Cut::midway, Cut::power),
                         [](const auto& about) {
                           return about.param == Cut::before   ? "Before"
                                  : about.param == Cut::midway ? "Midway"
                                                               : "ByALossOfPower";
                         });

TEST_P(CrashOfALog, ThatWritesAnEntryLosesNothingThatItSaidItHad) {
  for_each_point(2, [&](std::size_t at) {
    put(kAlpha, new_[kAlpha]);
    put(kBravo, new_[kBravo]);
    Words words;
    const bool died = in_processes(
        [&](wire::Listener& listener) {
          RunningLog alpha(group_, kAlpha);
          static_cast<void>(alpha.call(listener.address(), kBravo, [&](group::LogLink& link) -> Status {
            crash::die_at(at, Events::all, GetParam());
            TRY(const mirror::EntryView entry, alpha.append(kLabel));
            words.say(kAppended);
            TRY_STATUS(link.push(deadline_in(std::chrono::seconds(30))));
            TRY_STATUS(link.await_held(entry, deadline_in(kPatience)));
            words.say(kHeld);
            return {};
          }));
        },
        [&](wire::Listener& listener) {
          RunningLog bravo(group_, kBravo);
          static_cast<void>(bravo.serve(listener));
        });
    const std::string heard = words.heard();
    {
      RunningLog alpha(group_, kAlpha), bravo(group_, kBravo);
      const std::size_t written = alpha.times(kLabel);
      EXPECT_LE(written, 1u);
      EXPECT_GE(bravo.leaves("alpha").size(), 8u);
      if (heard.contains(kAppended)) {
        EXPECT_EQ(written, 1u) << "it was said to be written";
      }
      if (heard.contains(kHeld)) {
        EXPECT_EQ(bravo.size("alpha"), 9u) << "it was said to be held";
      }
      EXPECT_LE(bravo.size("alpha"), alpha.size("alpha")) << "what left was on the disk";
    }
    finish();
    return died;
  });
}

TEST_P(CrashOfALog, ThatSignsForAnothersEntriesHasWhatItSignedFor) {
  for_each_point(2, [&](std::size_t at) {
    put(kAlpha, new_[kAlpha]);
    put(kBravo, new_[kBravo]);
    const bool died = in_processes(
        [&](wire::Listener& listener) {
          RunningLog alpha(group_, kAlpha);
          static_cast<void>(alpha.call(listener.address(), kBravo, [&](group::LogLink& link) -> Status {
            TRY(const mirror::EntryView entry, alpha.append(kLabel));
            TRY_STATUS(link.push(deadline_in(std::chrono::seconds(30))));
            return link.await_held(entry, deadline_in(kPatience));
          }));
        },
        [&](wire::Listener& listener) {
          RunningLog bravo(group_, kBravo);
          const auto link = wire::accept(listener.accept(), group_[kBravo].identity, group_.members_but(kBravo));
          if (!link) return;
          group::LogLink log_link(**link, *bravo);
          if (!log_link.synchronise(deadline_in(kPatience))) return;
          crash::die_at(at, Events::all, GetParam());
          static_cast<void>(log_link.receive(deadline_in(kPatience)));
        });
    {
      RunningLog alpha(group_, kAlpha), bravo(group_, kBravo);
      if (alpha.with([](auto& replica) { return replica.held_by("bravo", "alpha", 9); })) {
        EXPECT_EQ(bravo.size("alpha"), 9u) << "it signed for entries that it does not have";
        EXPECT_TRUE(bravo.with([](auto& replica) { return replica.held_by("bravo", "alpha", 9); }));
      }
    }
    finish();
    return died;
  });
}

TEST_P(CrashOfALog, ThatHealsFromAnOldBackupNeverSignsASecondHistory) {
  for (const bool guard_too : {false, true}) {
    SCOPED_TRACE(guard_too ? "the guard is put back as well" : "the guard was kept");
    for_each_point(6, [&](std::size_t at) {
      Files backup = old_[kAlpha];
      const std::string guard = group_[kAlpha].guard().filename().string();
      if (!guard_too) backup[guard] = new_[kAlpha].at(guard);
      put(kAlpha, backup);
      put(kBravo, new_[kBravo]);
      Words words;
      const bool died = in_processes(
          [&](wire::Listener& listener) {
            crash::die_at(at, Events::all, GetParam());
            RunningLog alpha(group_, kAlpha);
            if (alpha.state() == mirror::State::live) words.say('!');
            static_cast<void>(alpha.call(listener.address(), kBravo, [&](group::LogLink& link) -> Status {
              TRY(const mirror::EntryView entry, alpha.append(kLabel));
              words.say(kAppended);
              TRY_STATUS(link.push(deadline_in(std::chrono::seconds(30))));
              return link.await_held(entry, deadline_in(kPatience));
            }));
          },
          [&](wire::Listener& listener) {
            RunningLog bravo(group_, kBravo);
            static_cast<void>(bravo.serve(listener));
          });
      const std::string heard = words.heard();
      EXPECT_FALSE(heard.contains('!')) << "it wrote before it had asked";
      {
        RunningLog alpha(group_, kAlpha);
        if (heard.contains(kAppended)) {
          EXPECT_EQ(alpha.times(kLabel), 1u);
        }
      }
      finish();
      return died;
    });
  }
}

}  // namespace
}  // namespace parley::attacks
