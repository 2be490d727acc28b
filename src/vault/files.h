// Files of a vault that are too large for its tables: sealed streams in the folder `files` beside vault.db, each with a
// row that names it (log.md 7.3; docs/vault-format.md, "files"). What no row names is cleared away when the vault is
// opened, so a crash leaves no half file behind.
#pragma once

#include <functional>

#include "base/clock.h"
#include "vault/sealed_stream.h"

namespace parley::vault {

class Vault;

inline constexpr std::size_t kFileHeaderBytes = 48;
/// In a header, of a file whose size was not known when it was begun.
inline constexpr std::uint64_t kSizeNotStated = ~std::uint64_t{0};
inline constexpr std::size_t kMaxPurposeBytes = 128;

/// "PRLYFIL1" || id || salt || u64be size.
struct FileHeader {
  ByteArray<16> id{};
  ByteArray<16> salt{};
  std::uint64_t size = kSizeNotStated;

  Bytes to_bytes() const;
  /// @error Errc::format
  static Result<FileHeader> from_bytes(ByteView bytes);
  bool operator==(const FileHeader&) const = default;
};

/// A sealed file of a vault, as its row has it.
struct SealedFile {
  std::string id;          ///< 32 hex digits
  std::string purpose;     ///< whose business it is: "audit <session>", "evidence"
  std::uint64_t size = 0;  ///< of the content
  UnixSeconds made = 0;
};

/// A file on its way into a vault. Dropping it without commit() leaves nothing behind.
class FileWriter {
 public:
  ~FileWriter();
  FileWriter(FileWriter&& other) noexcept;
  FileWriter& operator=(FileWriter&&) = delete;

  const std::string& id() const { return id_; }
  Status append(ByteView content) { return stream_.append(content); }  ///< @error Errc::io
  std::uint64_t content_bytes() const { return stream_.content_bytes(); }

  /// The file, its row and what `work` writes to the vault are there together when this returns, or none of it is.
  /// @error Errc::format if another size was stated than came; what `work` says; Errc::io
  Result<SealedFile> commit(const std::function<Status(const SealedFile&)>& work = {});

 private:
  friend class Vault;
  FileWriter(Vault& vault, std::filesystem::path folder, std::string id, std::string purpose, std::uint64_t stated,
             StreamWriter stream);

  Vault* vault_;
  std::filesystem::path folder_;
  std::string id_, purpose_;
  std::uint64_t stated_;
  StreamWriter stream_;
  bool committed_ = false;
};

}  // namespace parley::vault
