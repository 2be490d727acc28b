// A file that is never on a disk, for readers that take a path.
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <filesystem>
#include <string>

#include "base/bytes.h"
#include "base/file.h"
#include "check.h"

namespace parley {

class MemoryFile {
 public:
  explicit MemoryFile(ByteView content) : fd_(::memfd_create("fuzz", MFD_CLOEXEC)) {
    check(fd_.valid());
    while (!content.empty()) {
      const ssize_t written = ::write(fd_.get(), content.data(), content.size());
      check(written > 0);
      content = content.subspan(static_cast<std::size_t>(written));
    }
  }
  std::filesystem::path path() const { return "/proc/self/fd/" + std::to_string(fd_.get()); }

 private:
  FileDescriptor fd_;
};

}  // namespace parley
