#include "formats/document.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "base/clock.h"
#include "base/file.h"
#include "formats/html_text.h"
#include "formats/limits.h"
#include "formats/pdf_text.h"

namespace parley::formats {
namespace {

/// AddressSanitizer maps terabytes that it does not use.
#if defined(__SANITIZE_ADDRESS__)
constexpr bool kAddressSanitizer = true;
#elif defined(__has_feature)
constexpr bool kAddressSanitizer = __has_feature(address_sanitizer);
#else
constexpr bool kAddressSanitizer = false;
#endif

/// Exit codes of the reading process; its message comes in place of the text. Ours, clear of the shell's.
constexpr int kDone = 0;
constexpr int kDamaged = 10;
constexpr int kOverLimit = 11;
constexpr int kCannotRead = 12;

/// The parent waits longer than the child may compute, since the machine may be busy. Ours.
constexpr std::chrono::seconds kWait{4 * kMaxDocumentSeconds};

std::filesystem::path& program() {
  static std::filesystem::path path;
  return path;
}

std::unexpected<Error> cannot(std::string_view action, int error_number) {
  return fail(Errc::io,
              fmt::format("Cannot {} for reading the document: {}.", action, system_error_text(error_number)));
}

bool write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(fd, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return false;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

/// The document as a file in memory, so that the child reads it at its own pace.
Result<FileDescriptor> in_memory(ByteView content) {
  FileDescriptor fd(::memfd_create("document", MFD_CLOEXEC));
  if (!fd.valid() || !write_all(fd.get(), as_text(content)) || ::lseek(fd.get(), 0, SEEK_SET) != 0) {
    return cannot("take memory", errno);
  }
  return fd;
}

/// A running child; it ends with this object.
class Child {
 public:
  explicit Child(pid_t pid) : pid_(pid) {}
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    wait();
  }

  int wait() {
    int status = 0;
    while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    pid_ = 0;
    return status;
  }

 private:
  pid_t pid_;
};

/// Starts the reader with nothing of ours but the two ends: no environment (it may hold a passphrase), no other files.
Result<pid_t> spawn(int in_fd, int out_fd) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, in_fd, STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, out_fd, STDOUT_FILENO);
  posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  posix_spawn_file_actions_addclosefrom_np(&actions, STDERR_FILENO + 1);
  std::string name = "parley";
  std::string command = "document-text";
  const std::array<char*, 3> arguments = {name.data(), command.data(), nullptr};
  const std::array<char*, 1> environment = {nullptr};
  pid_t pid = 0;
  const int error = ::posix_spawn(&pid, program().c_str(), &actions, nullptr, arguments.data(), environment.data());
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) return cannot("start a process", error);
  return pid;
}

/// Everything the child writes, until it closes its end. @error Errc::limit when it takes too long or writes too much
Result<std::string> collect(int fd) {
  const Deadline deadline = deadline_in(kWait);
  std::string text;
  std::array<char, 65536> chunk{};
  for (;;) {
    pollfd readable{fd, POLLIN, 0};
    const int ready = ::poll(&readable, 1, milliseconds_until(deadline));
    if (ready < 0 && errno == EINTR) continue;
    if (ready < 0) return cannot("wait", errno);
    if (ready == 0) {
      return fail(Errc::limit, fmt::format("The document took longer than {} seconds to read.", kWait.count()));
    }
    const ssize_t got = ::read(fd, chunk.data(), chunk.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return cannot("receive the text", errno);
    if (got == 0) return text;
    text.append(chunk.data(), static_cast<std::size_t>(got));
    if (text.size() > kMaxDocumentTextBytes) {
      return fail(Errc::limit, fmt::format("The document has more than {} bytes of text.", kMaxDocumentTextBytes));
    }
  }
}

Result<std::string> outcome(int status, std::string text) {
  if (WIFEXITED(status)) {
    switch (WEXITSTATUS(status)) {
      case kDone:
        return text;
      case kDamaged:
        return fail(Errc::format, std::move(text));
      case kOverLimit:
        return fail(Errc::limit, std::move(text));
      default:
        break;
    }
  }
  if (WIFSIGNALED(status) && WTERMSIG(status) == SIGXCPU) {
    return fail(Errc::limit, "The document takes too long to compute; it was not read.");
  }
  return fail(Errc::limit, "Reading the document broke down: it is damaged, or needs too much memory or time.");
}

void limit(__rlimit_resource resource, rlim_t value, rlim_t hard_value) {
  const rlimit both{value, hard_value};
  ::setrlimit(resource, &both);
}
void limit(__rlimit_resource resource, rlim_t value) { limit(resource, value, value); }

/// What a reader of a document needs, and nothing more.
void take_limits(const DocumentLimits& limits) {
  if (!kAddressSanitizer) limit(RLIMIT_AS, limits.memory_bytes);
  // At the first limit the kernel says why (SIGXCPU), at the second it kills.
  limit(RLIMIT_CPU, limits.seconds, limits.seconds + 1);
  limit(RLIMIT_FSIZE, 0);
  limit(RLIMIT_CORE, 0);
  limit(RLIMIT_NPROC, 0);
  ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
}

Result<std::string> read_document(int in_fd) {
  std::string content;
  std::array<char, 65536> chunk{};
  for (;;) {
    const ssize_t got = ::read(in_fd, chunk.data(), chunk.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail(Errc::io, "The document cannot be read.");
    if (got == 0) break;
    if (content.size() + static_cast<std::size_t>(got) > kMaxReportBytes) {
      return fail(Errc::limit, fmt::format("The document has more than {} bytes.", kMaxReportBytes));
    }
    content.append(chunk.data(), static_cast<std::size_t>(got));
  }
  return is_pdf(content) ? pdf_text(content) : html_visible_text(content);
}

}  // namespace

void set_document_program(std::filesystem::path path) {
  program() = std::move(path);
}

Result<std::string> document_text(ByteView content) {
  if (program().empty()) return fail(Errc::unsupported, "This program reads no PDF and no HTML.");
  if (content.size() > kMaxReportBytes) {
    return fail(Errc::limit, fmt::format("The document has more than {} bytes.", kMaxReportBytes));
  }
  TRY(FileDescriptor document, in_memory(content));
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return cannot("make a pipe", errno);
  const FileDescriptor read_end(ends[0]);
  FileDescriptor write_end(ends[1]);
  TRY(const pid_t pid, spawn(document.get(), write_end.get()));
  Child child(pid);
  write_end.close();
  document.close();
  TRY(std::string text, collect(read_end.get()));
  return outcome(child.wait(), std::move(text));
}

int document_text_main(int in_fd, int out_fd, const DocumentLimits& limits) {
  take_limits(limits);
  const auto text = read_document(in_fd);
  if (text) return write_all(out_fd, *text) ? kDone : kCannotRead;
  write_all(out_fd, text.error().message);
  return text.error().code == Errc::limit ? kOverLimit : text.error().code == Errc::format ? kDamaged : kCannotRead;
}

}  // namespace parley::formats
