// The sessions that are under way in this process, so that an operator can stop one by its name.
#pragma once

#include <list>
#include <mutex>
#include <string>

#include "base/error.h"
#include "base/progress.h"

namespace parley::session {

/// Thread-safe.
class UnderWay {
 public:
  /// One session; leaving the scope takes it off the list.
  class Entry {
   public:
    /// @param group  id
    Entry(UnderWay& list, std::string session, std::string group, Progress& progress);
    ~Entry();
    Entry(const Entry&) = delete;
    Entry& operator=(const Entry&) = delete;

   private:
    friend class UnderWay;
    UnderWay& list_;
    std::string session_, group_;
    Progress& progress_;
  };

  /// Stops the session whose id begins with `session`; it ends at its next step, and says so to the other side if the
  /// connection still stands. @return its id. @error Errc::not_found; Errc::usage if there are several
  Result<std::string> stop(std::string_view session);
  /// Stops all sessions of a group, likewise. @return how many
  std::size_t stop_all_of(std::string_view group);

 private:
  std::mutex mutex_;
  std::list<Entry*> entries_;
};

}  // namespace parley::session
