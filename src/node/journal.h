// The node's log: one line an event, for the person who keeps the node running.
#pragma once

#include <mutex>
#include <string>
#include <string_view>

#include "base/progress.h"

namespace parley::node {

/// Writes lines "2026-01-31T12:00:00Z text" to a file descriptor. Thread-safe. Each line is
/// made visible as a whole, so that an event is one line whatever it names; indicators, labels and secrets never come
/// here.
class Journal {
 public:
  explicit Journal(int fd) : fd_(fd) {}
  void line(std::string_view text);

 private:
  std::mutex mutex_;
  int fd_;
};

/// Progress of work that nobody watches on a terminal: a line when a phase begins, and one every few seconds after
/// that.
class JournalProgress final : public Progress {
 public:
  JournalProgress(Journal& journal, std::string about) : journal_(journal), about_(std::move(about)) {}
  void set_about(std::string about);
  void phase(std::string_view name, std::uint64_t total) override;
  void advance(std::uint64_t done) override;

 private:
  Journal& journal_;
  std::mutex mutex_;
  std::string about_, phase_;
  std::uint64_t total_ = 0;
  std::int64_t next_line_ms_ = 0;
};

}  // namespace parley::node
