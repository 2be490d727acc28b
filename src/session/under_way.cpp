#include "session/under_way.h"

#include "base/text.h"

namespace parley::session {

UnderWay::Entry::Entry(UnderWay& list, std::string session, std::string group, Progress& progress)
    : list_(list), session_(std::move(session)), group_(std::move(group)), progress_(progress) {
  const std::lock_guard lock(list_.mutex_);
  list_.entries_.push_back(this);
}

UnderWay::Entry::~Entry() {
  const std::lock_guard lock(list_.mutex_);
  list_.entries_.remove(this);
}

Result<std::string> UnderWay::stop(std::string_view session) {
  const std::lock_guard lock(mutex_);
  Entry* found = nullptr;
  for (Entry* entry : entries_) {
    if (session.empty() || !entry->session_.starts_with(session)) continue;
    if (found != nullptr)
      return fail(Errc::usage, "More than one session begins with " + visible(session) + "; give more digits.");
    found = entry;
  }
  if (found == nullptr)
    return fail(Errc::not_found,
                "No session " + visible(session) + " is under way here. parley session list shows how each ended.");
  found->progress_.cancel();
  return found->session_;
}

std::size_t UnderWay::stop_all_of(std::string_view group) {
  const std::lock_guard lock(mutex_);
  std::size_t stopped = 0;
  for (Entry* entry : entries_) {
    if (entry->group_ != group) continue;
    entry->progress_.cancel();
    ++stopped;
  }
  return stopped;
}

}  // namespace parley::session
