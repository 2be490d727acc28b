// The terminal (or pipe) of whoever typed a command; the command may run in the node, on the other end of a local
// socket.
#pragma once

#include <atomic>
#include <filesystem>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/progress.h"
#include "base/secret.h"

namespace parley::cli {

/// Results go to out, everything else to err. Colour and bars only where the stream is a terminal.
class Console {
 public:
  Console(int in, int out, int err, std::filesystem::path working_folder);

  /// Writes a result: as it is into a file or pipe, on a terminal without what acts on it. After a failed write nothing
  /// more is written; a failure other than a reader that has seen enough (a closed pipe) is said.
  void print(std::string_view text);
  /// `code`, or failure where a result was lost on its way out.
  int exit_code(int code) const { return code == 0 && result_lost_ ? 1 : code; }
  /// Writes a line for the person, whatever stands in it made visible.
  void say(std::string_view line);
  /// Writes an error, and gives back the exit code that belongs to it.
  int refuse(const Error& error);

  bool interactive() const;  ///< a person can be asked: in and err are terminals
  bool shows_progress() const { return err_is_terminal_; }
  int error_stream() const { return err_; }

  /// A passphrase without echo. @error Errc::passphrase when there is no terminal to ask on
  Result<SecretBytes> ask_secret(std::string_view prompt);
  /// Yes or no. Precondition: interactive().
  bool confirm(std::string_view question);
  /// As confirm(), but for what cannot be undone: the person types `word`. A command in the node asks yes or no.
  bool confirm_word(std::string_view question, std::string_view word);
  /// From now on confirm() asks through this instead of the streams.
  void confirm_through(std::function<bool(std::string_view question)> ask) { confirm_elsewhere_ = std::move(ask); }
  /// Everything on the input. @error Errc::limit, Errc::io
  Result<Bytes> read_input(std::size_t limit_bytes);

  /// A path as the person meant it, from where they stood.
  std::filesystem::path resolve(const std::filesystem::path& path) const;

 private:
  /// What is typed after `prompt`, up to the end of the line.
  std::string ask_line(std::string_view prompt);

  int in_, out_, err_;
  bool in_is_terminal_, out_is_terminal_, err_is_terminal_, out_broken_ = false, result_lost_ = false;
  std::filesystem::path working_folder_;
  std::function<bool(std::string_view)> confirm_elsewhere_;
};

/// A bar with the phase, per cent and time left on a terminal; nothing elsewhere.
class ProgressBar final : public Progress {
 public:
  explicit ProgressBar(Console& console) : console_(console) {}
  ~ProgressBar() override { clear(); }
  void phase(std::string_view name, std::uint64_t total) override;
  void advance(std::uint64_t done) override;
  void clear();

 private:
  void draw(std::uint64_t done);

  Console& console_;
  std::mutex mutex_;
  std::string name_;
  std::uint64_t total_ = 0;
  std::int64_t began_ms_ = 0, drawn_ms_ = 0;
  bool visible_ = false;
};

}  // namespace parley::cli
