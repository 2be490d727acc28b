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
    Entry(UnderWay& list, std::string session, Progress& progress);
    ~Entry();
    Entry(const Entry&) = delete;
    Entry& operator=(const Entry&) = delete;

   private:
    friend class UnderWay;
    UnderWay& list_;
    std::string session_;
    Progress& progress_;
  };

  /// Stops the session whose id begins with `session`; it ends at its next step, and says so to the other side if the
  /// connection still stands. @return its id. @error Errc::not_found; Errc::usage if there are several
  Result<std::string> stop(std::string_view session);

 private:
  std::mutex mutex_;
  std::list<Entry*> entries_;
};

}  // namespace parley::session
