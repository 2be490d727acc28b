#include "formats/source.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "formats/limits.h"

namespace parley::formats {
namespace {

std::unexpected<Error> cannot_read(int error_number) {
  return fail(error_number == ENOENT ? Errc::not_found : Errc::io,
              fmt::format("Cannot read it: {}.", system_error_text(error_number)));
}

class FileSource final : public Source {
 public:
  FileSource(FileDescriptor fd, Progress& progress) : fd_(std::move(fd)), progress_(progress) {}

  Result<std::size_t> read(MutableByteView out) override {
    if (progress_.cancelled()) return fail(Errc::cancelled, "Reading was stopped.");
    for (;;) {
      const ssize_t got = ::read(fd_.get(), out.data(), out.size());
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return cannot_read(errno);
      done_ += static_cast<std::size_t>(got);
      progress_.advance(done_);
      return static_cast<std::size_t>(got);
    }
  }

  Status rewind() override {
    if (::lseek(fd_.get(), 0, SEEK_SET) != 0) return cannot_read(errno);
    done_ = 0;
    return {};
  }

 private:
  FileDescriptor fd_;
  Progress& progress_;
  std::uint64_t done_ = 0;
};

class OwnedMemorySource final : public Source {
 public:
  explicit OwnedMemorySource(std::string content) : content_(std::move(content)), source_(as_bytes(content_)) {}
  Result<std::size_t> read(MutableByteView out) override { return source_.read(out); }
  Status rewind() override { return source_.rewind(); }

 private:
  std::string content_;
  MemorySource source_;
};

}  // namespace

Result<std::size_t> MemorySource::read(MutableByteView out) {
  const std::size_t count = std::min(out.size(), content_.size() - position_);
  std::copy_n(content_.begin() + static_cast<std::ptrdiff_t>(position_), count, out.begin());
  position_ += count;
  return count;
}

Status MemorySource::rewind() {
  position_ = 0;
  return {};
}

Result<std::unique_ptr<Source>> open_source(const std::filesystem::path& path, Progress& progress) {
  FileDescriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat info{};
  if (!fd.valid() || ::fstat(fd.get(), &info) != 0) return cannot_read(errno);
  if (S_ISDIR(info.st_mode)) {
    return fail(Errc::format, "This is a folder; a file, or a MISP feed folder with a manifest.json, was expected.");
  }
  auto file = std::make_unique<FileSource>(std::move(fd), progress);
  if (S_ISREG(info.st_mode)) return file;
  TRY(std::string content, read_all(*file, kMaxPipeBytes));
  return std::make_unique<OwnedMemorySource>(std::move(content));
}

Result<std::string> read_all(Source& source, std::size_t limit_bytes) {
  std::string content;
  ByteArray<65536> chunk;
  for (;;) {
    TRY(const std::size_t got, source.read(chunk));
    if (got == 0) return content;
    if (content.size() + got > limit_bytes) {
      return fail(Errc::limit, fmt::format("It is larger than the limit of {} bytes for this format.", limit_bytes));
    }
    content += as_text(ByteView(chunk).first(got));
  }
}

Result<std::string> read_head(Source& source, std::size_t limit_bytes) {
  std::string head(limit_bytes, '\0');
  std::size_t filled = 0;
  while (filled < limit_bytes) {
    TRY(const std::size_t got, source.read(std::as_writable_bytes(std::span(head)).subspan(filled)));
    if (got == 0) break;
    filled += got;
  }
  head.resize(filled);
  TRY_STATUS(source.rewind());
  return head;
}

BufferedSource::BufferedSource(Source& source) : source_(source), buffer_(kReadChunkBytes, '\0') {}

Result<std::string_view> BufferedSource::peek() {
  if (begin_ == end_) {
    TRY(end_, source_.read(std::as_writable_bytes(std::span(buffer_))));
    begin_ = 0;
  }
  return std::string_view(buffer_).substr(begin_, end_ - begin_);
}

Result<bool> LineReader::next(std::string_view& line) {
  line_.clear();
  too_long_ = false;
  bool any = false;
  for (;;) {
    TRY(const std::string_view rest, source_.peek());
    if (rest.empty()) break;
    any = true;
    const std::size_t end = rest.find('\n');
    const std::string_view part = rest.substr(0, end);
    too_long_ = too_long_ || line_.size() + part.size() > kMaxLineBytes;
    if (!too_long_) line_ += part;
    source_.consume(end == std::string_view::npos ? rest.size() : end + 1);
    if (end != std::string_view::npos) break;
  }
  if (!any) return false;
  ++number_;
  line = line_;
  if (number_ == 1 && line.starts_with(kUtf8Mark)) line.remove_prefix(kUtf8Mark.size());
  if (line.ends_with('\r')) line.remove_suffix(1);
  return true;
}

Status check_encoding(std::string_view head) {
  if (head.starts_with("\xff\xfe") || head.starts_with("\xfe\xff") ||
      head.starts_with(std::string_view("\0\0\xfe\xff", 4))) {
    return fail(Errc::unsupported, "The text is UTF-16 or UTF-32; save it as UTF-8 and import that.");
  }
  return {};
}

}  // namespace parley::formats
