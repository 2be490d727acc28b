#include "support/crash_points.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <atomic>
#include <csignal>

namespace parley::crash {
namespace {

// Threads of one process may come to events at once.
std::atomic<std::size_t> events_seen = 0;
std::size_t dies_at = 0;
Events counted = Events::durable_writes;
Cut how = Cut::before;

[[noreturn]] void die() {
  ::kill(::getpid(), SIGKILL);
  std::abort();
}

bool is_file(int fd) {
  struct stat about{};
  return ::fstat(fd, &about) == 0 && S_ISREG(about.st_mode);
}

/// Counts; at the event at which the process dies `half` is done first, if it dies midway.
template <typename Half>
void count(Half half) {
  if (++events_seen != dies_at) return;
  if (how == Cut::midway) half();
  die();
}

/// A call that is done or not.
template <typename Call>
auto whole(bool counts, Call call) {
  if (counts) count([&] { static_cast<void>(call()); });
  return call();
}

/// How many of `size` bytes from offset `at` on are on the disk after half a write: a sector is written or is not.
std::size_t half_of(std::size_t size, off_t at) {
  constexpr std::size_t kSectorBytes = 512;
  const std::size_t begin = static_cast<std::size_t>(at);
  const std::size_t end = (begin + size / 2) / kSectorBytes * kSectorBytes;
  return end > begin ? end - begin : 0;
}

/// A call that can be cut after the first `half` of `size` bytes.
template <typename Call>
ssize_t divisible(bool counts, std::size_t size, std::size_t half, Call call) {
  if (counts) count([&] { static_cast<void>(call(half)); });
  return call(size);
}

bool all() {
  return counted == Events::all;
}

}  // namespace

void die_at(std::size_t at, Events events, Cut cut) {
  events_seen = 0;
  dies_at = at;
  counted = events;
  how = cut;
}

std::size_t events_so_far() {
  return events_seen;
}

void event() {
  count([] {});
}

}  // namespace parley::crash

using parley::crash::all, parley::crash::divisible, parley::crash::half_of, parley::crash::is_file,
    parley::crash::whole;

extern "C" {

// A killed process loses nothing that it has written, so nothing waits for the disk: ten times as many points.
int fdatasync(int) {
  return whole(true, [] { return 0; });
}
int fsync(int) {
  return whole(true, [] { return 0; });
}
ssize_t write(int fd, const void* data, size_t size) {
  return divisible(all() && is_file(fd), size, half_of(size, 0),
                   [&](size_t count) { return ::syscall(SYS_write, fd, data, count); });
}
ssize_t pwrite(int fd, const void* data, size_t size, off_t at) {
  return divisible(all(), size, half_of(size, at),
                   [&](size_t count) { return ::syscall(SYS_pwrite64, fd, data, count, at); });
}
ssize_t pwrite64(int fd, const void* data, size_t size, off_t at) {
  return divisible(all(), size, half_of(size, at),
                   [&](size_t count) { return ::syscall(SYS_pwrite64, fd, data, count, at); });
}
ssize_t send(int fd, const void* data, size_t size, int flags) {
  return divisible(all(), size, size / 2,
                   [&](size_t count) { return ::syscall(SYS_sendto, fd, data, count, flags, nullptr, 0); });
}
int ftruncate(int fd, off_t size) noexcept {
  return whole(all(), [&] { return static_cast<int>(::syscall(SYS_ftruncate, fd, size)); });
}
int ftruncate64(int fd, off_t size) noexcept {
  return whole(all(), [&] { return static_cast<int>(::syscall(SYS_ftruncate, fd, size)); });
}
int rename(const char* from, const char* to) noexcept {
  return whole(all(), [&] { return static_cast<int>(::syscall(SYS_rename, from, to)); });
}
int unlink(const char* path) noexcept {
  return whole(all(), [&] { return static_cast<int>(::syscall(SYS_unlink, path)); });
}
}
