// Log lines.
#include "node/journal.h"

#include <fmt/format.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"

namespace parley::node {
namespace {

constexpr std::int64_t kLineEveryMs = 5000;

std::int64_t now_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(Monotonic::now().time_since_epoch()).count();
}

}  // namespace

void Journal::line(std::string_view text) {
  const std::string line = fmt::format("{} {}\n", to_rfc3339(wall_clock_now()), visible(text));
  const std::lock_guard lock(mutex_);
  // A log that cannot be written must not stop the node.
  for (std::size_t done = 0; done < line.size();) {
    const ssize_t written = ::write(fd_, line.data() + done, line.size() - done);
    if (written <= 0) return;
    done += static_cast<std::size_t>(written);
  }
}

void JournalProgress::set_about(std::string about) {
  const std::lock_guard lock(mutex_);
  about_ = std::move(about);
}

void JournalProgress::phase(std::string_view name, std::uint64_t total) {
  const std::lock_guard lock(mutex_);
  phase_ = name;
  total_ = total;
  next_line_ms_ = now_ms() + kLineEveryMs;
  journal_.line(fmt::format("{}: {}", about_, name));
}

void JournalProgress::advance(std::uint64_t done) {
  const std::lock_guard lock(mutex_);
  if (total_ == 0 || now_ms() < next_line_ms_) return;
  next_line_ms_ = now_ms() + kLineEveryMs;
  journal_.line(fmt::format("{}: {}, {} % done", about_, phase_, done * 100 / total_));
}

}  // namespace parley::node
