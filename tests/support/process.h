// A program in a process of its own: what it is given, what it says, how it ends. Everything waits for an event and
// gives up after kPatience.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <condition_variable>
#include <csignal>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/file.h"

namespace parley::program {

inline constexpr auto kPatience = std::chrono::seconds(240);

struct Launch {
  std::string program = PARLEY_PROGRAM;
  std::vector<std::string> arguments = {};
  std::map<std::string, std::string> environment = {};  ///< all of it, but for PATH and what sanitizers read
  std::filesystem::path working_folder = "/";
  std::string input = {};                                 ///< for its standard input
  std::optional<rlim_t> largest_file_bytes = {};          ///< writes beyond fail with EFBIG
  std::optional<std::filesystem::path> output_file = {};  ///< standard output goes there instead
};

/// How a program ended.
struct Ended {
  int code = -1;  ///< exit code, or minus the signal that ended it
  std::string out, err;
};

class Process {
 public:
  explicit Process(const Launch& launch) { start(launch); }
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;
  ~Process() {
    if (!code_) {
      ::kill(pid_, SIGKILL);
      wait();
    }
    reader_.join();
  }

  pid_t pid() const { return pid_; }
  void signal(int number) const { ::kill(pid_, number); }

  /// Waits until a whole line of standard output that contains `text` is there, and gives it back.
  std::string line_of_out(std::string_view text) { return line(out_, text); }
  std::string line_of_err(std::string_view text) { return line(err_, text); }

  /// What it has said until now.
  std::string out() {
    const std::lock_guard lock(mutex_);
    return out_;
  }
  std::string err() {
    const std::lock_guard lock(mutex_);
    return err_;
  }

  /// Waits for its end; one that does not end in time is killed, and the test fails.
  Ended wait() {
    if (!code_) {
      const FileDescriptor handle(static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0)));
      pollfd ended{.fd = handle.get(), .events = POLLIN, .revents = 0};
      constexpr int kLimit = static_cast<int>(std::chrono::milliseconds(kPatience).count());
      if (::poll(&ended, 1, kLimit) == 0) {
        ADD_FAILURE() << "the program did not end by itself; until then it said:\n" << out() << err();
        ::kill(pid_, SIGKILL);
      }
      int status = 0;
      ::waitpid(pid_, &status, 0);
      code_ = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
    }
    std::unique_lock lock(mutex_);
    news_.wait_for(lock, kPatience, [&] { return streams_open_ == 0; });
    return {*code_, out_, err_};
  }

 private:
  void start(const Launch& launch) {
    std::vector<std::string> environment{"PATH=/usr/local/bin:/usr/bin:/bin"};
    for (const char* name : {"ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS"})
      if (const char* value = std::getenv(name)) environment.push_back(std::string(name) + "=" + value);
    for (const auto& [name, value] : launch.environment) environment.push_back(name + "=" + value);
    std::vector<std::string> arguments{launch.program};
    arguments.insert(arguments.end(), launch.arguments.begin(), launch.arguments.end());
    const auto pointers = [](std::vector<std::string>& texts) {
      std::vector<char*> list;
      for (std::string& text : texts) list.push_back(text.data());
      list.push_back(nullptr);
      return list;
    };
    const std::vector<char*> argv = pointers(arguments), envp = pointers(environment);

    int in[2], out[2], err[2];
    if (::pipe2(in, O_CLOEXEC) != 0 || ::pipe2(out, O_CLOEXEC) != 0 || ::pipe2(err, O_CLOEXEC) != 0)
      throw std::runtime_error("no pipe");
    pid_ = ::fork();
    if (pid_ == 0) {
      if (launch.output_file) out[1] = ::open(launch.output_file->c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
      ::dup2(in[0], STDIN_FILENO);
      ::dup2(out[1], STDOUT_FILENO);
      ::dup2(err[1], STDERR_FILENO);
      if (launch.largest_file_bytes) {
        ::signal(SIGXFSZ, SIG_IGN);
        const rlimit limit{*launch.largest_file_bytes, *launch.largest_file_bytes};
        ::setrlimit(RLIMIT_FSIZE, &limit);
      }
      if (::chdir(launch.working_folder.c_str()) == 0) ::execve(argv[0], argv.data(), envp.data());
      ::_exit(127);
    }
    ::close(in[0]);
    ::close(out[1]);
    ::close(err[1]);
    out_pipe_ = FileDescriptor(out[0]);
    err_pipe_ = FileDescriptor(err[0]);
    const FileDescriptor input(in[1]);
    streams_open_ = 2;
    reader_ = std::thread([this] { read_all(); });
    // Inputs of these tests fit a pipe; a program that reads none of them may have closed it.
    static_cast<void>(::signal(SIGPIPE, SIG_IGN));
    static_cast<void>(!::write(input.get(), launch.input.data(), launch.input.size()));
  }

  void read_all() {
    pollfd wait[2] = {{.fd = out_pipe_.get(), .events = POLLIN, .revents = 0},
                      {.fd = err_pipe_.get(), .events = POLLIN, .revents = 0}};
    std::string* const texts[2] = {&out_, &err_};
    while (wait[0].fd >= 0 || wait[1].fd >= 0) {
      ::poll(wait, 2, -1);
      for (int i = 0; i < 2; ++i) {
        if (wait[i].fd < 0 || wait[i].revents == 0) continue;
        char chunk[1 << 16];
        const ssize_t got = ::read(wait[i].fd, chunk, sizeof chunk);
        const std::lock_guard lock(mutex_);
        if (got > 0) {
          texts[i]->append(chunk, static_cast<std::size_t>(got));
        } else {
          wait[i].fd = -1;
          --streams_open_;
        }
        news_.notify_all();
      }
    }
  }

  std::string line(const std::string& stream, std::string_view text) {
    std::unique_lock lock(mutex_);
    std::string found;
    const auto look = [&] {
      const std::size_t at = stream.find(text);
      if (at == std::string::npos) return false;
      const std::size_t end = stream.find('\n', at);
      if (end == std::string::npos) return false;
      const std::size_t begin = at == 0 ? 0 : stream.rfind('\n', at - 1) + 1;
      found = stream.substr(begin, end - begin);
      return true;
    };
    news_.wait_for(lock, kPatience, [&] { return look() || streams_open_ == 0; });
    if (found.empty()) ADD_FAILURE() << "the program never said \"" << text << "\"; it said:\n" << out_ << err_;
    return found;
  }

  pid_t pid_ = -1;
  std::optional<int> code_;
  FileDescriptor out_pipe_, err_pipe_;
  std::thread reader_;
  std::mutex mutex_;
  std::condition_variable news_;
  std::string out_, err_;
  int streams_open_ = 0;
};

inline Ended run(const Launch& launch) {
  return Process(launch).wait();
}

}  // namespace parley::program
