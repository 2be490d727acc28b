#include "base/file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace parley {
namespace {

std::unexpected<Error> io_error(std::string_view action, const std::filesystem::path& path, int error_number) {
  return fail(error_number == ENOENT ? Errc::not_found : Errc::io,
              fmt::format("Cannot {}: {}.", action, system_error_text(error_number)), path.string());
}

Status write_all(int fd, ByteView content, const std::filesystem::path& path) {
  while (!content.empty()) {
    const ssize_t written = ::write(fd, content.data(), content.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return io_error("write", path, errno);
    content = content.subspan(static_cast<std::size_t>(written));
  }
  return {};
}

std::unexpected<Error> too_large(const std::filesystem::path& path, std::size_t limit_bytes) {
  return fail(Errc::limit, fmt::format("The file is larger than the limit of {} bytes.", limit_bytes), path.string());
}

Status sync_folder(const std::filesystem::path& folder) {
  const FileDescriptor fd(::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd.valid() || ::fsync(fd.get()) != 0) return io_error("make durable", folder, errno);
  return {};
}

}  // namespace

FileDescriptor& FileDescriptor::operator=(FileDescriptor&& other) noexcept {
  if (this != &other) {
    close();
    fd_ = other.release();
  }
  return *this;
}

void FileDescriptor::close() {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
}

std::string system_error_text(int error_number) {
  return std::generic_category().message(error_number);
}

Result<Bytes> read_file(const std::filesystem::path& path, std::size_t limit_bytes) {
  const FileDescriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.valid()) return io_error("open", path, errno);
  Bytes content;
  ByteArray<65536> chunk;
  for (;;) {
    const ssize_t got = ::read(fd.get(), chunk.data(), chunk.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return io_error("read", path, errno);
    if (got == 0) return content;
    if (content.size() + static_cast<std::size_t>(got) > limit_bytes) return too_large(path, limit_bytes);
    append(content, ByteView(chunk).first(static_cast<std::size_t>(got)));
  }
}

Result<SecretBytes> read_secret_file(const std::filesystem::path& path, std::size_t limit_bytes) {
  const FileDescriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.valid()) return io_error("open", path, errno);
  SecretBytes content(limit_bytes + 1);
  for (std::size_t size = 0; size <= limit_bytes;) {
    const ssize_t got = ::read(fd.get(), content.expose_mutable().data() + size, content.size() - size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return io_error("read", path, errno);
    if (got == 0) return SecretBytes(content.expose().first(size));
    size += static_cast<std::size_t>(got);
  }
  return too_large(path, limit_bytes);
}

Status check_private(const std::filesystem::path& path) {
  struct stat info{};
  if (::stat(path.c_str(), &info) != 0) return io_error("look at", path, errno);
  if ((info.st_mode & 077) != 0) {
    return fail(Errc::key_permissions, "Other users can read this secret file; run chmod 600 on it first.",
                path.string());
  }
  return {};
}

Status write_file_atomically(const std::filesystem::path& path, ByteView content, unsigned mode) {
  std::string temporary = path.string() + ".XXXXXX";
  const FileDescriptor fd(::mkostemp(temporary.data(), O_CLOEXEC));
  if (!fd.valid()) return io_error("create a file beside", path, errno);
  Status status = write_all(fd.get(), content, temporary);
  if (status && (::fchmod(fd.get(), static_cast<mode_t>(mode)) != 0 || ::fsync(fd.get()) != 0)) {
    status = io_error("make durable", temporary, errno);
  }
  if (status && ::rename(temporary.c_str(), path.c_str()) != 0) status = io_error("rename to", path, errno);
  if (!status) {
    ::unlink(temporary.c_str());
    return status;
  }
  return sync_folder(path.parent_path());
}

}  // namespace parley
