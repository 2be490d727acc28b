// vault.lock: one process owns a vault (lock_file.h).
// flock(2): the lock belongs to the open file and goes when the process goes, however it goes.
#include "vault/detail/lock_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>

namespace parley::vault::detail {
namespace {

/// The process that wrote its number into the file, 0 when it has not done so yet.
long owner_of(int fd) {
  char digits[20];
  const ssize_t got = ::pread(fd, digits, sizeof digits, 0);
  long owner = 0;
  if (got > 0) std::from_chars(digits, digits + got, owner);
  return owner;
}

}  // namespace

Result<LockFile> LockFile::take(const std::filesystem::path& path) {
  FileDescriptor fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!fd.valid()) {
    return fail(Errc::io,
                fmt::format("Cannot open the vault's lock file: {}. A vault needs a folder that its owner can write.",
                            system_error_text(errno)),
                path.string());
  }
  if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) {
      return fail(Errc::io, fmt::format("Cannot lock the vault: {}.", system_error_text(errno)), path.string());
    }
    const long owner = owner_of(fd.get());
    return fail(Errc::vault_locked,
                owner > 0 ? fmt::format("Process {} owns this vault; end it first, or speak to it.", owner)
                          : std::string("Another process owns this vault; end it first, or speak to it."),
                path.string());
  }
  // The number only serves the other process's message: a full disk must not keep the owner out.
  const std::string text = fmt::format("{}\n", ::getpid());
  if (::ftruncate(fd.get(), 0) == 0) static_cast<void>(::pwrite(fd.get(), text.data(), text.size(), 0) >= 0);
  return LockFile(std::move(fd));
}

LockFile::~LockFile() {
  if (fd_.valid() && ::ftruncate(fd_.get(), 0) != 0) return;  // a stale number does no harm: the lock itself is gone
}

}  // namespace parley::vault::detail
