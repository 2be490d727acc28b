#include "support/crash_points.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <algorithm>
#include <atomic>
#include <climits>
#include <csignal>
#include <cstdarg>
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

/// A name that was given to a file or taken from it since its folder was last made durable; the newest last.
struct UnsyncedName {
  std::string folder;
  std::string path;      ///< that came or went
  std::string from;      ///< that it had before, if it was renamed
  int replaced = -1;     ///< the file that had `path` before, still open; -1: none
  bool removed = false;  ///< `path` went
};
std::vector<UnsyncedName> unsynced_names;

std::string folder_of(const std::string& path) {
  char whole[PATH_MAX];
  const std::size_t slash = path.rfind('/');
  const std::string folder = slash == std::string::npos ? "." : slash == 0 ? "/" : path.substr(0, slash);
  return ::realpath(folder.c_str(), whole) == nullptr ? folder : whole;
}
std::string whole_name(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return folder_of(path) + "/" + (slash == std::string::npos ? path : path.substr(slash + 1));
}

/// The file of this name, open, where a loss of power may bring it back; -1 if there is none.
int keep_open(const char* path) {
  return power_may_fail() ? static_cast<int>(::syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CLOEXEC)) : -1;
}

/// @param from  empty: the file was made, or removed. @param replaced  of keep_open()
void remember_name(const std::string& path, const std::string& from, int replaced, bool removed) {
  if (!power_may_fail()) return;
  UnsyncedName one{folder_of(path), whole_name(path), from.empty() ? "" : whole_name(from), replaced, removed};
  const std::lock_guard lock(unsynced_mutex);
  for (Unsynced& content : unsynced) {
    if (replaced >= 0 && content.path == one.path) content.path = "/proc/self/fd/" + std::to_string(replaced);
    if (!one.from.empty() && content.path == one.from) content.path = one.path;
  }
  unsynced_names.push_back(std::move(one));
}

/// The names in an open folder are durable.
void forget_names(int fd) {
  struct stat about{};
  char path[PATH_MAX];
  if (!power_may_fail() || ::fstat(fd, &about) != 0 || !S_ISDIR(about.st_mode)) return;
  const ssize_t length = ::readlink(("/proc/self/fd/" + std::to_string(fd)).c_str(), path, sizeof path);
  if (length <= 0) return;
  const std::string folder(path, static_cast<std::size_t>(length));
  const std::lock_guard lock(unsynced_mutex);
  std::erase_if(unsynced_names, [&](const UnsyncedName& one) {
    if (one.folder == folder && one.replaced >= 0) ::close(one.replaced);
    return one.folder == folder;
  });
}

/// The file `kept`, which has no name any more, under this one.
void bring_back(int kept, const std::string& path) {
  struct stat about{};
  if (::fstat(kept, &about) != 0) return;
  const int fd = static_cast<int>(
      ::syscall(SYS_openat, AT_FDCWD, path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, about.st_mode & 0777));
  char part[1 << 16];
  off_t at = 0;
  for (ssize_t got; (got = ::pread(kept, part, sizeof part, at)) > 0; at += got)
    static_cast<void>(!::syscall(SYS_pwrite64, fd, part, static_cast<std::size_t>(got), at));
  ::close(fd);
}

void lose_names() {
  for (auto one = unsynced_names.rbegin(); one != unsynced_names.rend(); ++one) {
    if (!one->from.empty())
      ::syscall(SYS_rename, one->path.c_str(), one->from.c_str());
    else if (!one->removed)
      ::syscall(SYS_unlink, one->path.c_str());
    if (one->replaced >= 0) bring_back(one->replaced, one->path);
  }
}

int open_and_remember(const char* path, int flags, mode_t mode) {
  const bool makes = (flags & O_CREAT) != 0 && power_may_fail() && ::access(path, F_OK) != 0;
  const int fd = static_cast<int>(::syscall(SYS_openat, AT_FDCWD, path, flags, mode));
  if (makes && fd >= 0) remember_name(path, {}, -1, false);
  return fd;
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
  lose_names();
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
    for (const UnsyncedName& one : unsynced_names)
      if (one.replaced >= 0) ::close(one.replaced);
    unsynced_names.clear();
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

using parley::crash::all, parley::crash::divisible, parley::crash::forget, parley::crash::forget_names,
    parley::crash::half_of, parley::crash::is_file, parley::crash::keep_open, parley::crash::open_and_remember,
    parley::crash::remember, parley::crash::remember_name, parley::crash::whole;

extern "C" {

// A killed process loses nothing that it has written, so nothing waits for the disk: ten times as many points. What a
// loss of power would take is written back by the dying process itself.
int fsync(int fd) {
  return whole(true, [&] { return forget(fd), forget_names(fd), 0; });
}
int open(const char* path, int flags, ...) {
  const bool has_mode = (flags & O_CREAT) != 0 || (flags & O_TMPFILE) == O_TMPFILE;
  va_list more;
  va_start(more, flags);
  const mode_t mode = has_mode ? va_arg(more, mode_t) : 0;
  va_end(more);
  return open_and_remember(path, flags, mode);
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
int rename(const char* from, const char* to) noexcept {
  return whole(all(), [&] {
    const int replaced = keep_open(to);
    const int done = static_cast<int>(::syscall(SYS_rename, from, to));
    if (done == 0) remember_name(to, from, replaced, false);
    return done;
  });
}
int unlink(const char* path) noexcept {
  return whole(all(), [&] {
    const int replaced = keep_open(path);
    const int done = static_cast<int>(::syscall(SYS_unlink, path));
    if (done == 0) remember_name(path, {}, replaced, true);
    return done;
  });
}

// Other names of the same: an offset has 64 bits here.
int fdatasync(int fd) __attribute__((alias("fsync")));
int open64(const char* path, int flags, ...) __attribute__((alias("open")));
ssize_t pwrite64(int fd, const void* data, size_t size, off64_t at) __attribute__((alias("pwrite")));
int ftruncate64(int fd, off64_t size) noexcept __attribute__((alias("ftruncate")));
}
