// Files: whole reads with a limit, and writes that are either all there or not there at all.
#pragma once

#include <filesystem>

#include "base/bytes.h"
#include "base/error.h"
#include "base/secret.h"

namespace parley {

/// An open file descriptor, closed when it goes.
class FileDescriptor {
 public:
  FileDescriptor() = default;
  explicit FileDescriptor(int fd) : fd_(fd) {}
  FileDescriptor(const FileDescriptor&) = delete;
  FileDescriptor& operator=(const FileDescriptor&) = delete;
  FileDescriptor(FileDescriptor&& other) noexcept : fd_(other.release()) {}
  FileDescriptor& operator=(FileDescriptor&& other) noexcept;
  ~FileDescriptor() { close(); }

  int get() const { return fd_; }
  bool valid() const { return fd_ >= 0; }
  int release() {
    const int fd = fd_;
    fd_ = -1;
    return fd;
  }
  void close();

 private:
  int fd_ = -1;
};

/// The operating system's words for errno.
std::string system_error_text(int error_number);

/// @error Errc::not_found, Errc::io, or Errc::limit when the file has more than `limit_bytes`.
Result<Bytes> read_file(const std::filesystem::path& path, std::size_t limit_bytes);

/// The same into memory that is wiped, of which as much is taken as the limit says.
Result<SecretBytes> read_secret_file(const std::filesystem::path& path, std::size_t limit_bytes);

/// Refuses (Errc::key_permissions) a file that group or others can read.
Status check_private(const std::filesystem::path& path);

/// Writes a temporary file beside `path`, fsyncs it, renames it over `path` and fsyncs the folder.
/// @param mode  permission bits, e.g. 0600.
Status write_file_atomically(const std::filesystem::path& path, ByteView content, unsigned mode);

}  // namespace parley
