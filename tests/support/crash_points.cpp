#include "support/crash_points.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <algorithm>
#include <atomic>
#include <climits>
#include <csignal>
#include <mutex>
#include <vector>

namespace parley::crash {
namespace {

// Threads of one process may come to events at once.
std::atomic<std::size_t> events_seen = 0;
std::size_t dies_at = 0;
Events counted = Events::durable_writes;
Cut how = Cut::before;

/// What stood in a file before a write that has not been made durable; the newest last.
struct Unsynced {
  dev_t device = 0;
  ino_t inode = 0;
  std::string path;
  off_t at = 0;
  std::string before;  ///< shorter than what was written, where the file ended
  off_t size_before = 0;
};
std::mutex unsynced_mutex;
std::vector<Unsynced> unsynced;

bool power_may_fail() {
  return dies_at != 0 && how == Cut::power;
}

/// Before `size` bytes at `at` of an open file are overwritten or cut off.
void remember(int fd, off_t at, std::size_t size) {
  struct stat about{};
  if (!power_may_fail() || ::fstat(fd, &about) != 0 || !S_ISREG(about.st_mode)) return;
  char path[4096];
  const std::string link = "/proc/self/fd/" + std::to_string(fd);
  const ssize_t length = ::readlink(link.c_str(), path, sizeof path);
  if (length <= 0) return;
  Unsynced one{about.st_dev, about.st_ino, std::string(path, static_cast<std::size_t>(length)), at, {}, about.st_size};
  one.before.resize(at >= about.st_size ? 0 : std::min(size, static_cast<std::size_t>(about.st_size - at)));
  // The descriptor may be one for writing only.
  const int reader = ::open(link.c_str(), O_RDONLY | O_CLOEXEC);
  const ssize_t got = ::pread(reader, one.before.data(), one.before.size(), at);
  ::close(reader);
  one.before.resize(got < 0 ? 0 : static_cast<std::size_t>(got));
  const std::lock_guard lock(unsynced_mutex);
  unsynced.push_back(std::move(one));
}

/// What was written to the file is durable.
void forget(int fd) {
  struct stat about{};
  if (!power_may_fail() || ::fstat(fd, &about) != 0) return;
  const std::lock_guard lock(unsynced_mutex);
  std::erase_if(unsynced, [&](const Unsynced& one) { return one.device == about.st_dev && one.inode == about.st_ino; });
}

void rename_unsynced(const char* from, const char* to) {
  if (!power_may_fail()) return;
  char whole_from[PATH_MAX], whole_to[PATH_MAX];
  if (::realpath(to, whole_to) == nullptr) return;
  const std::string old_name(from);
  const std::string old_whole = old_name.starts_with('/') || ::getcwd(whole_from, sizeof whole_from) == nullptr
                                    ? old_name
                                    : std::string(whole_from) + "/" + old_name;
  const std::lock_guard lock(unsynced_mutex);
  for (Unsynced& one : unsynced)
    if (one.path == old_whole) one.path = whole_to;
}

void lose_power() {
  const std::lock_guard lock(unsynced_mutex);
  for (auto one = unsynced.rbegin(); one != unsynced.rend(); ++one) {
    const int fd = ::open(one->path.c_str(), O_WRONLY | O_CLOEXEC);
    if (fd < 0) continue;  // it was removed
    static_cast<void>(!::syscall(SYS_pwrite64, fd, one->before.data(), one->before.size(), one->at));
    static_cast<void>(!::syscall(SYS_ftruncate, fd, one->size_before));
    ::close(fd);
  }
}

[[noreturn]] void die() {
  if (power_may_fail()) lose_power();
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
  {
    const std::lock_guard lock(unsynced_mutex);
    unsynced.clear();
  }
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

using parley::crash::all, parley::crash::divisible, parley::crash::forget, parley::crash::half_of,
    parley::crash::is_file, parley::crash::remember, parley::crash::rename_unsynced, parley::crash::whole;

extern "C" {

// A killed process loses nothing that it has written, so nothing waits for the disk: ten times as many points. What a
// loss of power would take is written back by the dying process itself.
int fdatasync(int fd) {
  return whole(true, [&] { return forget(fd), 0; });
}
int fsync(int fd) {
  return whole(true, [&] { return forget(fd), 0; });
}
ssize_t write(int fd, const void* data, size_t size) {
  return divisible(all() && is_file(fd), size, half_of(size, 0), [&](size_t count) {
    remember(fd, ::lseek(fd, 0, SEEK_CUR), count);
    return ::syscall(SYS_write, fd, data, count);
  });
}
ssize_t pwrite(int fd, const void* data, size_t size, off_t at) {
  return divisible(all(), size, half_of(size, at), [&](size_t count) {
    remember(fd, at, count);
    return ::syscall(SYS_pwrite64, fd, data, count, at);
  });
}
ssize_t pwrite64(int fd, const void* data, size_t size, off_t at) {
  return divisible(all(), size, half_of(size, at), [&](size_t count) {
    remember(fd, at, count);
    return ::syscall(SYS_pwrite64, fd, data, count, at);
  });
}
ssize_t send(int fd, const void* data, size_t size, int flags) {
  return divisible(all(), size, size / 2,
                   [&](size_t count) { return ::syscall(SYS_sendto, fd, data, count, flags, nullptr, 0); });
}
int ftruncate(int fd, off_t size) noexcept {
  return whole(all(), [&] {
    remember(fd, size, SIZE_MAX);
    return static_cast<int>(::syscall(SYS_ftruncate, fd, size));
  });
}
int ftruncate64(int fd, off_t size) noexcept {
  return whole(all(), [&] {
    remember(fd, size, SIZE_MAX);
    return static_cast<int>(::syscall(SYS_ftruncate, fd, size));
  });
}
int rename(const char* from, const char* to) noexcept {
  return whole(all(), [&] {
    const int done = static_cast<int>(::syscall(SYS_rename, from, to));
    if (done == 0) rename_unsynced(from, to);
    return done;
  });
}
int unlink(const char* path) noexcept {
  return whole(all(), [&] { return static_cast<int>(::syscall(SYS_unlink, path)); });
}
}
