#include "psi/detail/work.h"

#include <algorithm>
#include <mutex>

namespace parley::psi::detail {

Status Work::check_cancelled() const {
  if (progress_.cancelled()) return fail(Errc::cancelled, "The run was stopped on this side before it ended.");
  return {};
}

Result<std::optional<std::size_t>> Work::over(std::string_view phase, std::size_t count, const Body& body,
                                              std::size_t per_task) {
  progress_.phase(phase, count);
  std::mutex mutex;
  std::size_t done = 0;
  std::size_t first_fault = count;
  pool_.parallel_for(count, per_task, [&](std::size_t begin, std::size_t end) {
    if (progress_.cancelled()) return;
    {
      const std::lock_guard lock(mutex);
      if (first_fault < begin) return;
    }
    const auto fault = body(begin, end);
    const std::lock_guard lock(mutex);
    if (fault) first_fault = std::min(first_fault, *fault);
    done += end - begin;
    progress_.advance(done);
  });
  TRY_STATUS(check_cancelled());
  return first_fault < count ? std::optional(first_fault) : std::nullopt;
}

}  // namespace parley::psi::detail
