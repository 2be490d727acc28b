// Console and progress bar.
#include "cli/console.h"

#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/clock.h"
#include "base/file.h"
#include "base/text.h"

namespace parley::cli {
namespace {

constexpr std::size_t kMaxPassphraseBytes = 1024;
constexpr std::int64_t kDrawEveryMs = 100;
constexpr int kLookEveryMs = 100;
constexpr std::size_t kBarCells = 24;
constexpr std::size_t kMaxErrorBytes = 4'000;  // of what names something from outside: it must not scroll all else away

bool write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(fd, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

/// visible(), but for the line feeds and tabs by which we lay text out.
std::string harmless(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find_first_of("\n\t"), text.size());
    out += visible(text.substr(0, end));
    if (end < text.size()) out += text[end];
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

std::int64_t now_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(Monotonic::now().time_since_epoch()).count();
}

// Switches the terminal's echo off for as long as it lives, and holds Ctrl-C back so that the echo comes back before
// it.
class NoEcho {
 public:
  explicit NoEcho(int fd) : fd_(fd), changed_(::tcgetattr(fd, &before_) == 0) {
    sigset_t interrupt;
    sigemptyset(&interrupt);
    sigaddset(&interrupt, SIGINT);
    ::pthread_sigmask(SIG_BLOCK, &interrupt, &signals_before_);
    if (!changed_) return;
    termios silent = before_;
    silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    ::tcsetattr(fd_, TCSAFLUSH, &silent);
  }
  ~NoEcho() {
    if (changed_) ::tcsetattr(fd_, TCSAFLUSH, &before_);
    ::pthread_sigmask(SIG_SETMASK, &signals_before_, nullptr);
  }
  static bool interrupted() {
    sigset_t pending;
    return ::sigpending(&pending) == 0 && sigismember(&pending, SIGINT) == 1;
  }
  NoEcho(const NoEcho&) = delete;
  NoEcho& operator=(const NoEcho&) = delete;

 private:
  int fd_;
  termios before_{};
  sigset_t signals_before_{};
  bool changed_;
};

}  // namespace

Console::Console(int in, int out, int err, std::filesystem::path working_folder)
    : in_(in),
      out_(out),
      err_(err),
      in_is_terminal_(::isatty(in) == 1),
      out_is_terminal_(::isatty(out) == 1),
      err_is_terminal_(::isatty(err) == 1),
      working_folder_(std::move(working_folder)) {}

void Console::print(std::string_view text) {
  // A file gets the values as they are; a terminal gets none that act on it.
  if (out_broken_ || write_all(out_, out_is_terminal_ ? harmless(text) : std::string(text))) return;
  const int error = errno;
  out_broken_ = true;
  result_lost_ = error != EPIPE;
  if (result_lost_) say("parley: The result cannot be written to standard output: " + system_error_text(error) + ".");
}

void Console::say(std::string_view line) {
  write_all(err_, harmless(line) + "\n");
}

int Console::refuse(const Error& error) {
  std::string text = "parley: " + harmless(error.text());
  if (text.size() > kMaxErrorBytes) {
    std::size_t end = kMaxErrorBytes;
    while ((static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;  // not within a character
    text = fmt::format("{} ... ({} bytes more)", std::string_view(text).substr(0, end), text.size() - end);
  }
  say(text);
  return error.code == Errc::usage ? 2 : 1;
}

bool Console::interactive() const {
  return in_is_terminal_ && err_is_terminal_;
}

Result<SecretBytes> Console::ask_secret(std::string_view prompt) {
  if (!interactive())
    return fail(Errc::passphrase,
                "The vault's passphrase is needed and there is no terminal to ask on. Set PARLEY_PASSPHRASE, or "
                "PARLEY_KEY_FILE to the key file.");
  write_all(err_, prompt);
  const NoEcho silent(in_);
  SecretBytes line(kMaxPassphraseBytes);
  std::size_t size = 0;
  while (size < kMaxPassphraseBytes) {
    std::byte& next = line.expose_mutable()[size];
    pollfd wait{.fd = in_, .events = POLLIN, .revents = 0};
    while (::poll(&wait, 1, kLookEveryMs) == 0)
      if (NoEcho::interrupted()) return fail(Errc::cancelled, "Stopped.");
    if (::read(in_, &next, 1) != 1) return fail(Errc::passphrase, "No passphrase was given.");
    if (next == std::byte{'\n'}) break;
    ++size;
  }
  write_all(err_, "\n");
  if (size == kMaxPassphraseBytes) return fail(Errc::limit, "A passphrase has at most 1,023 bytes.");
  return SecretBytes(line.expose().first(size));
}

std::string Console::ask_line(std::string_view prompt) {
  constexpr std::size_t kLongestAnswer = 32;
  write_all(err_, std::string(prompt));
  std::string answer;
  for (char c = 0; answer.size() < kLongestAnswer && ::read(in_, &c, 1) == 1 && c != '\n';) answer += c;
  return answer;
}

bool Console::confirm(std::string_view question) {
  if (confirm_elsewhere_) return confirm_elsewhere_(question);
  const std::string answer = ask_line(std::string(question) + " [y/N] ");
  return answer == "y" || answer == "Y" || answer == "yes";
}

bool Console::confirm_word(std::string_view question, std::string_view word) {
  if (confirm_elsewhere_) return confirm_elsewhere_("This cannot be undone. Do it?");
  return ask_line(fmt::format("{} \"{}\": ", question, word)) == word;
}

Result<Bytes> Console::read_input(std::size_t limit_bytes) {
  Bytes content;
  Bytes chunk(1 << 16);
  while (true) {
    const ssize_t got = ::read(in_, chunk.data(), chunk.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail(Errc::io, "The input cannot be read: " + system_error_text(errno) + ".", "-");
    if (got == 0) return content;
    if (content.size() + static_cast<std::size_t>(got) > limit_bytes)
      return fail(Errc::limit, fmt::format("The input is larger than {} bytes.", limit_bytes), "-");
    append(content, ByteView(chunk).first(static_cast<std::size_t>(got)));
  }
}

std::filesystem::path Console::resolve(const std::filesystem::path& path) const {
  return (working_folder_ / path).lexically_normal();
}

void ProgressBar::phase(std::string_view name, std::uint64_t total) {
  const std::lock_guard lock(mutex_);
  name_ = name;
  total_ = total;
  began_ms_ = now_ms();
  drawn_ms_ = 0;
  draw(0);
}

void ProgressBar::advance(std::uint64_t done) {
  const std::lock_guard lock(mutex_);
  if (now_ms() - drawn_ms_ >= kDrawEveryMs) draw(done);
}

void ProgressBar::draw(std::uint64_t done) {
  if (!console_.shows_progress()) return;
  drawn_ms_ = now_ms();
  visible_ = true;
  std::string line = "\r\x1b[K";
  if (total_ == 0) {
    line += visible(name_) + " ...";
  } else {
    const std::uint64_t shown = std::min(done, total_);
    const auto cells = static_cast<std::size_t>(shown * kBarCells / total_);
    line += fmt::format("{} [{}{}] {:3} %", visible(name_), std::string(cells, '#'),
                        std::string(kBarCells - cells, '.'), shown * 100 / total_);
    const std::int64_t elapsed = drawn_ms_ - began_ms_;
    if (shown > 0 && shown < total_ && elapsed > 1000)
      line += fmt::format(", {} s left", static_cast<std::uint64_t>(elapsed) * (total_ - shown) / shown / 1000);
  }
  write_all(console_.error_stream(), line);
}

void ProgressBar::clear() {
  const std::lock_guard lock(mutex_);
  if (visible_) write_all(console_.error_stream(), "\r\x1b[K");
  visible_ = false;
}

}  // namespace parley::cli
