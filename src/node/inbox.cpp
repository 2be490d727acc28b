// The inbox.
#include "node/inbox.h"

namespace parley::node {

Inbox::Entry::Entry(Inbox& inbox, const session::Offer& offer) : inbox_(inbox), offer_(offer) {
  const std::lock_guard lock(inbox_.mutex_);
  inbox_.entries_.push_back(this);
}

Inbox::Entry::~Entry() {
  const std::lock_guard lock(inbox_.mutex_);
  inbox_.entries_.remove(this);
}

std::optional<session::Decision> Inbox::Entry::wait(Deadline deadline) {
  std::unique_lock lock(inbox_.mutex_);
  inbox_.decided_.wait_until(lock, deadline, [&] { return decision_.has_value(); });
  return decision_;
}

std::vector<session::Offer> Inbox::waiting() const {
  const std::lock_guard lock(mutex_);
  std::vector<session::Offer> offers;
  for (const Entry* entry : entries_)
    if (!entry->decision_) offers.push_back(entry->offer_);
  return offers;
}

Result<session::Offer> Inbox::decide(const std::string& session, session::Decision decision) {
  const std::lock_guard lock(mutex_);
  Entry* found = nullptr;
  for (Entry* entry : entries_) {
    if (entry->decision_ || session.empty() || !entry->offer_.session.starts_with(session)) continue;
    if (found != nullptr)
      return fail(Errc::usage, "More than one waiting question begins with " + session + "; give more digits.");
    found = entry;
  }
  if (found == nullptr)
    return fail(
        Errc::not_found,
        "No question " + session + " is waiting. parley inbox lists those that are; one whose asker has left is gone.");
  found->decision_ = std::move(decision);
  decided_.notify_all();
  return found->offer_;
}

}  // namespace parley::node
