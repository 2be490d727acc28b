// The two hashes of an evidence file, in one pass and constant memory (log.md 7.3): its plain SHA-256, which courts and
// other tools know, and the root of an RFC 6962 tree over its chunks of 1 MiB, by which a part of it can be shown to
// belong to it without the rest.
#pragma once

#include "base/secret.h"
#include "crypto/hash.h"
#include "log/frontier.h"

namespace parley::evidence {

inline constexpr std::size_t kTreeChunkBytes = 1 << 20;

struct FileHashes {
  std::uint64_t size = 0;
  Digest sha256{};
  Digest root{};  ///< leaf data are the chunks; an empty file has the root of the empty tree
  bool operator==(const FileHashes&) const = default;
};

class FileHasher {
 public:
  void update(ByteView content);
  /// The object is of no use afterwards.
  FileHashes finish();

 private:
  void end_chunk();

  crypto::Sha256 whole_, chunk_ = beginning_of_leaf();
  static crypto::Sha256 beginning_of_leaf();
  log::Frontier tree_;
  std::size_t in_chunk_ = 0;
  std::uint64_t size_ = 0;
};

}  // namespace parley::evidence
