// Where a reader's bytes come from: a file, read in chunks, or memory. Can start again from the beginning.
#pragma once

#include <filesystem>
#include <memory>

#include "base/bytes.h"
#include "base/error.h"
#include "base/file.h"
#include "base/progress.h"

namespace parley::formats {

class Source {
 public:
  virtual ~Source() = default;
  /// Fills the front of `out`; 0 means the end. @error Errc::io, Errc::cancelled
  virtual Result<std::size_t> read(MutableByteView out) = 0;
  /// The next read() gives the first byte again.
  virtual Status rewind() = 0;
};

class MemorySource final : public Source {
 public:
  /// `content` must outlive the source.
  explicit MemorySource(ByteView content) : content_(content) {}
  Result<std::size_t> read(MutableByteView out) override;
  Status rewind() override;

 private:
  ByteView content_;
  std::size_t position_ = 0;
};

/// Opens `path`. Progress counts bytes; what is no regular file (a pipe) is first read into memory, up to
/// kMaxPipeBytes.
/// @error Errc::not_found, Errc::io, Errc::limit
Result<std::unique_ptr<Source>> open_source(const std::filesystem::path& path, Progress& progress);

/// The whole of `source`. @error Errc::limit when it has more than `limit_bytes`.
Result<std::string> read_all(Source& source, std::size_t limit_bytes);

/// The first `limit_bytes` of `source`, which is rewound.
Result<std::string> read_head(Source& source, std::size_t limit_bytes);

/// Hands out a source's bytes one buffer at a time.
class BufferedSource {
 public:
  explicit BufferedSource(Source& source);

  /// What is buffered and not consumed; empty only at the end.
  Result<std::string_view> peek();
  void consume(std::size_t count) { begin_ += count; }

 private:
  Source& source_;
  std::string buffer_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

/// The lines of a text, without their line ends (LF or CR LF) and without the byte order mark.
class LineReader {
 public:
  explicit LineReader(Source& source) : source_(source) {}

  /// The next line, valid until the next call; false at the end. A line of more than kMaxLineBytes is passed over, and
  /// too_long() is then true.
  Result<bool> next(std::string_view& line);
  std::uint64_t number() const { return number_; }
  bool too_long() const { return too_long_; }

 private:
  BufferedSource source_;
  std::string line_;
  std::uint64_t number_ = 0;
  bool too_long_ = false;
};

inline constexpr std::string_view kUtf8Mark = "\xef\xbb\xbf";

/// @error Errc::format when `head` begins with a UTF-16 or UTF-32 byte order mark.
Status check_encoding(std::string_view head);

}  // namespace parley::formats
