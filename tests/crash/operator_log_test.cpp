// Whatever moment a command is killed at: what it did is on record, and the record is whole.
#include <fcntl.h>

#include "cli/cli.h"
#include "operators/testing.h"
#include "support/crash_points.h"

namespace parley::operators {
namespace {

using crash::Cut, crash::Events;

constexpr std::size_t kMostEvents = 2'000;

class CrashOfAnAct : public testing::TestWithParam<Cut> {
 protected:
  /// `work` dies at each of its events; then `check` looks at what is there.
  void for_each_point(const std::filesystem::path& folder, std::size_t stride, const std::function<void()>& work,
                      const std::function<void()>& check) {
    const auto before = vault::contents(folder);
    stride = crash::stride_of(stride);
    std::size_t at = 1;
    for (; at < kMostEvents; at += stride) {
      SCOPED_TRACE(testing::Message() << "event " << at);
      vault::restore(folder, before);
      const bool died = crash::dies_in_process([&] {
        crash::die_at(at, Events::all, GetParam());
        work();
      });
      check();
      if (HasFailure()) return;
      if (!died) break;
    }
    EXPECT_GT(at, 3u) << "there are more events than this";
    EXPECT_LT(at, kMostEvents) << "it comes to an end";
  }
};
INSTANTIATE_TEST_SUITE_P(Killed, CrashOfAnAct, testing::Values(Cut::before, Cut::midway, Cut::power),
                         [](const auto& about) {
                           return about.param == Cut::before   ? "Before"
                                  : about.param == Cut::midway ? "Midway"
                                                               : "ByALossOfPower";
                         });

TEST_P(CrashOfAnAct, IsOnRecordIfItWasDone) {
  TwoOperators office;
  office.register_both();
  const std::filesystem::path result = office.files.folder() / "exported";
  std::size_t done = 0, undone = 0;
  office.close();
  for_each_point(
      office.files.folder().path(), 3,
      [&] {
        const auto vault = office.files.try_open();
        if (!vault) return;
        const auto log = OperatorLog::open(**vault);
        if (!log) return;
        const auto begun = (*log)->begin(Act::export_, "export", Digest{}, office.ann);
        if (!begun) return;
        static_cast<void>(write_file_atomically(result, as_bytes("taken"), 0600));
        static_cast<void>((*log)->end(*begun, "done"));
      },
      [&] {
        office.reopen();
        const Verdict verdict = office.verdict();
        EXPECT_TRUE(verdict.faults.empty());
        const bool taken = std::filesystem::exists(result);
        if (taken) {
          EXPECT_GE(verdict.records, 3u) << "done without a record";
        }
        ++(taken ? done : undone);
        EXPECT_OK(office.act(office.bob)) << "the log goes on";
        office.close();
      });
  EXPECT_GT(done, 0u);
  EXPECT_GT(undone, 0u);
}

// The same by the program's own way: what a command prints stands in no file before its record does.
TEST_P(CrashOfAnAct, OfTheProgramIsOnRecordIfItPrintedAnything) {
  vault::TemporaryFolder folder;
  const std::filesystem::path home = folder / "home", out = home / "out";
  const auto program = [&](std::vector<std::string> arguments) {
    ::setenv("PARLEY_HOME", home.c_str(), 1);
    ::setenv("PARLEY_KEY_FILE", (folder / "key").c_str(), 1);
    const int fd = ::open(out.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (fd >= 0) ::dup2(fd, STDOUT_FILENO);
    ::dup2(::open("/dev/null", O_WRONLY | O_CLOEXEC), STDERR_FILENO);
    arguments.insert(arguments.begin(), "parley");
    std::vector<char*> argv;
    for (std::string& argument : arguments) argv.push_back(argument.data());
    return cli::run(static_cast<int>(argv.size()), argv.data());
  };
  const auto in_process = [&](std::vector<std::string> arguments) {
    return WEXITSTATUS(vault::in_child([&] { ::_exit(program(arguments)); }));
  };
  vault::write_whole(folder / "own.csv", as_bytes("type,value\nipv4,192.0.2.1\n"));
  ASSERT_EQ(in_process({"init", "Alpha CERT"}), 0);
  std::filesystem::remove(out);
  ASSERT_EQ(in_process({"import", (folder / "own.csv").string()}), 0);
  std::filesystem::remove(out);
  const auto records = [&] {
    const Bytes hex = vault::read_whole(folder / "key");
    vault::Unlock unlock;
    unlock.key_file = Secret<32>(std::span<const std::byte, 32>(from_hex(as_text(hex).substr(0, 64))->data(), 32));
    const auto vault = vault::Vault::open(home, unlock);
    EXPECT_OK(vault);
    const auto log = OperatorLog::open(**vault);
    EXPECT_OK(log);
    EXPECT_TRUE(verify(**log, {})->faults.empty());
    return (*log)->size();
  };
  const std::uint64_t before = records();
  std::size_t printed = 0, silent = 0;
  for_each_point(
      home, 4, [&] { ::_exit(program({"export", "--canonical"})); },
      [&] {
        const bool something = std::filesystem::exists(out) && !vault::read_whole(out).empty();
        if (something) {
          EXPECT_GT(records(), before) << "printed without a record";
        }
        ++(something ? printed : silent);
      });
  EXPECT_GT(printed, 0u);
  EXPECT_GT(silent, 0u);
}

}  // namespace
}  // namespace parley::operators
