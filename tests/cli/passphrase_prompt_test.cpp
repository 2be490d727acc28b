// The passphrase on a terminal: asked for, and never shown.
#include <pty.h>
#include <termios.h>

#include "support/member.h"

namespace parley::program {
namespace {

// A program on a terminal of its own, as a person at a keyboard has it.
class OnTerminal {
 public:
  explicit OnTerminal(const Launch& launch) {
    std::vector<std::string> arguments{launch.program};
    arguments.insert(arguments.end(), launch.arguments.begin(), launch.arguments.end());
    int terminal = -1;
    pid_ = ::forkpty(&terminal, nullptr, nullptr, nullptr);
    if (pid_ == 0) {
      ::clearenv();
      for (const auto& [name, value] : launch.environment) ::setenv(name.c_str(), value.c_str(), 1);
      std::vector<char*> argv;
      for (std::string& argument : arguments) argv.push_back(argument.data());
      argv.push_back(nullptr);
      ::execv(argv[0], argv.data());
      ::_exit(127);
    }
    terminal_ = FileDescriptor(terminal);
  }
  ~OnTerminal() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }

  // Reads until `text` stands on the screen `times` times.
  bool shows(std::string_view text, int times = 1) {
    while (count(text) < times) {
      pollfd wait{.fd = terminal_.get(), .events = POLLIN, .revents = 0};
      if (::poll(&wait, 1, static_cast<int>(std::chrono::milliseconds(kPatience).count())) <= 0) return false;
      char chunk[4096];
      const ssize_t got = ::read(terminal_.get(), chunk, sizeof chunk);
      if (got <= 0) return count(text) >= times;
      screen_.append(chunk, static_cast<std::size_t>(got));
    }
    return true;
  }
  void type(std::string_view text) {
    ASSERT_EQ(::write(terminal_.get(), text.data(), text.size()), static_cast<ssize_t>(text.size()));
  }
  bool echoes() const {
    termios settings{};
    ::tcgetattr(terminal_.get(), &settings);
    return (settings.c_lflag & ECHO) != 0;
  }
  int end() {
    shows(std::string_view("\0never", 6));  // to the end of what it says
    int status = 0;
    ::waitpid(std::exchange(pid_, -1), &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  }
  const std::string& screen() const { return screen_; }

 private:
  int count(std::string_view text) const {
    int found = 0;
    for (std::size_t at = screen_.find(text); at != std::string::npos; at = screen_.find(text, at + text.size()))
      ++found;
    return found;
  }
  pid_t pid_ = -1;
  FileDescriptor terminal_;
  std::string screen_;
};

class PassphrasePrompt : public testing::Test {
 protected:
  Launch launch(std::vector<std::string> arguments) const {
    Launch launch;
    launch.arguments = std::move(arguments);
    launch.environment = {{"PARLEY_HOME", (folder_ / "home").string()}, {"TERM", "xterm"}};
    return launch;
  }
  TemporaryFolder folder_;
};

// The prompt is written before the echo goes off, and what is typed in between is thrown away: wait for the silence.
void type_when_silent(OnTerminal& terminal, std::string_view line) {
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (terminal.echoes() && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
  ASSERT_FALSE(terminal.echoes());
  terminal.type(line);
}

TEST_F(PassphrasePrompt, NeverShowsWhatIsTypedAndGivesTheEchoBack) {
  OnTerminal init(launch({"init", "Alpha"}));
  ASSERT_TRUE(init.shows("Passphrase"));
  type_when_silent(init, "tr0ub4dor\n");
  ASSERT_TRUE(init.shows("once more"));
  type_when_silent(init, "tr0ub4dor\n");
  ASSERT_TRUE(init.shows("Made the member")) << init.screen();
  EXPECT_EQ(init.end(), 0);
  EXPECT_EQ(init.screen().find("tr0ub4dor"), std::string::npos);

  OnTerminal list(launch({"peer", "list"}));
  ASSERT_TRUE(list.shows("Passphrase"));
  type_when_silent(list, "tr0ub4dor\n");
  ASSERT_TRUE(list.shows("No peers yet")) << list.screen();
  EXPECT_EQ(list.screen().find("tr0ub4dor"), std::string::npos);
  EXPECT_EQ(list.end(), 0);

  OnTerminal wrong(launch({"peer", "list"}));
  ASSERT_TRUE(wrong.shows("Passphrase"));
  type_when_silent(wrong, "troubador\n");
  EXPECT_EQ(wrong.end(), 1);
  EXPECT_EQ(wrong.screen().find("troubador"), std::string::npos);
}

TEST_F(PassphrasePrompt, MakesNothingWhenTheTwoDiffer) {
  OnTerminal init(launch({"init", "Alpha"}));
  ASSERT_TRUE(init.shows("Passphrase"));
  type_when_silent(init, "one\n");
  ASSERT_TRUE(init.shows("once more"));
  type_when_silent(init, "two\n");
  ASSERT_TRUE(init.shows("not the same")) << init.screen();
  EXPECT_EQ(init.end(), 1);
  EXPECT_FALSE(std::filesystem::exists(folder_ / "home"));
}

TEST_F(PassphrasePrompt, GivesTheEchoBackOnCtrlC) {
  OnTerminal init(launch({"init", "Alpha"}));
  ASSERT_TRUE(init.shows("Passphrase"));
  type_when_silent(init, "secr\x03");
  EXPECT_NE(init.end(), 0);
  EXPECT_TRUE(init.echoes());
  EXPECT_EQ(init.screen().find("secr"), std::string::npos);
  EXPECT_FALSE(std::filesystem::exists(folder_ / "home"));
}

}  // namespace
}  // namespace parley::program
