// A file that says what it is in a header and holds one sealed stream behind it (crypto/stream.h): written once from
// front to back, read from front to back, in constant memory. The files of a vault (files.h) and those that leave it
// for one reader (audit/audit_file.h) are of this kind.
#pragma once

#include <filesystem>
#include <optional>

#include "base/file.h"
#include "crypto/stream.h"

namespace parley::vault {

class StreamWriter {
 public:
  /// Writes `header` as it is, and what append() brings sealed behind it.
  /// @param file  open for writing, empty; @param place  names it in errors
  static Result<StreamWriter> begin(FileDescriptor file, std::filesystem::path place, ByteView header,
                                    const crypto::StreamKey& key);
  StreamWriter(StreamWriter&&) = default;
  StreamWriter& operator=(StreamWriter&&) = default;

  Status append(ByteView content);  ///< @error Errc::io
  /// Seals the last chunk; durable when it returns. Nothing may be appended afterwards. @error Errc::io
  Status finish();
  std::uint64_t content_bytes() const { return content_bytes_; }

 private:
  StreamWriter(FileDescriptor file, std::filesystem::path place, const crypto::StreamKey& key);
  Status write_chunk(bool last);

  FileDescriptor file_;
  std::filesystem::path place_;
  crypto::StreamKey key_;
  SecretBytes plain_;
  Bytes sealed_;
  std::size_t filled_ = 0;  ///< of plain_
  std::uint64_t next_chunk_ = 0;
  std::uint64_t content_bytes_ = 0;
};

class StreamReader {
 public:
  /// @param file  open for reading, at the first byte behind the header
  StreamReader(FileDescriptor file, std::filesystem::path place, const crypto::StreamKey& key);
  StreamReader(StreamReader&&) = default;
  StreamReader& operator=(StreamReader&&) = default;

  /// The next bytes of the content, as many as `out` takes or as are left: fewer only at the end, which has been seen
  /// to be the end then. @error Errc::vault_damaged for bytes that are not those that were sealed; Errc::io
  Result<std::size_t> read(MutableByteView out);
  /// Exactly `out`. @error as read(); Errc::format if the content ends before
  Status read_exactly(MutableByteView out);
  /// Nothing is left. @error as read()
  Result<bool> at_end();

 private:
  Status next_chunk();

  FileDescriptor file_;
  std::filesystem::path place_;
  crypto::StreamKey key_;
  Bytes sealed_, ahead_;  ///< one chunk is read ahead, so that the last one is known to be the last
  SecretBytes plain_;
  std::size_t taken_ = 0, filled_ = 0;  ///< of plain_
  std::uint64_t chunk_ = 0;
  bool begun_ = false, last_opened_ = false;
};

/// Reads `size` bytes from where `file` stands, fewer only at its end. @error Errc::io
Result<std::size_t> read_some(const FileDescriptor& file, MutableByteView out, const std::filesystem::path& place);

}  // namespace parley::vault
