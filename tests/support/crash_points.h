// A process that dies at any moment at which it changes something: at its Nth event, for every N until it lives to the
// end. Events are the system calls that write to files, name them and make them durable, and what is sent on sockets;
// crash_points.cpp stands in the place of the C library's, for SQLite too. The disk is as the call would have found it,
// or as it left it half done.
#pragma once

#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <functional>
#include <string>

namespace parley::crash {

/// What counts as an event. A session has thousands of writes; its crash test looks at what is made durable.
enum class Events { durable_writes, all };

/// How it dies: `before` the call; or in the middle of it, which is after half of what it would write or send, and
/// after any other call is done. After a whole write is before the next event. By a loss of power it dies before the
/// call, and each file goes back to what it was when it was last made durable, and each folder: files that were made,
/// renamed or removed in it since are not, whether or not they were made durable themselves (POSIX promises no more).
enum class Cut { before, midway, power };

/// From now on this process dies at its event number `at`; 0: it lives for ever.
void die_at(std::size_t at, Events events = Events::durable_writes, Cut cut = Cut::before);

/// Events of this process since die_at(). They are counted whether it is to die or not.
std::size_t events_so_far();

/// An event that is no system call.
void event();

/// Runs `body` in a process of its own, which ends with it. @return whether it was killed
inline bool dies_in_process(const std::function<void()>& body) {
  const pid_t child = ::fork();
  if (child == 0) {
    body();
    ::_exit(0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
}

/// Which of a test's crash points are looked at: every one with PARLEY_CRASH_POINTS=all in the environment, else each
/// `stride`th, from another one on for each cut.
inline std::size_t stride_of(std::size_t stride) {
  const char* wanted = std::getenv("PARLEY_CRASH_POINTS");
  return wanted != nullptr && std::string(wanted) == "all" ? 1 : stride;
}

}  // namespace parley::crash
