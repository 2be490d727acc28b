// Questions that wait for the operator's decision.
#pragma once

#include <condition_variable>
#include <list>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "session/session.h"

namespace parley::node {

/// Thread-safe: sessions wait here, commands decide.
class Inbox {
 public:
  /// One session's wait; leaving the scope takes it out of the inbox.
  class Entry {
   public:
    Entry(Inbox& inbox, const session::Offer& offer);
    ~Entry();
    Entry(const Entry&) = delete;
    Entry& operator=(const Entry&) = delete;
    /// Waits until `deadline` for the decision.
    std::optional<session::Decision> wait(Deadline deadline);

   private:
    friend class Inbox;
    Inbox& inbox_;
    session::Offer offer_;
    std::optional<session::Decision> decision_;
  };

  std::vector<session::Offer> waiting() const;
  /// Decides on the session whose id is or begins with `session`.
  /// @error Errc::not_found when no such question waits (its asker may have left)
  Result<session::Offer> decide(const std::string& session, session::Decision decision);

 private:
  mutable std::mutex mutex_;
  std::condition_variable decided_;
  std::list<Entry*> entries_;
};

}  // namespace parley::node
