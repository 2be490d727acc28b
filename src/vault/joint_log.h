// The joint log as the vault keeps it (log.md 2.7): this member's own logs, and its mirrors of the others'. Notes,
// hashes and signatures are opaque here: log/ makes and checks them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"

namespace parley::vault {

struct LogLeaf {
  Digest hash{};
  std::string note;
};

/// The body of an entry, for members that are in its audience.
struct LogBody {
  Digest leaf{};  ///< hash of the entry
  ByteArray<32> salt{};
  Bytes content;
};

struct LogCheckpoint {
  std::uint64_t size = 0;
  Digest root{};
  std::string note;  ///< with its log's signature only
};

struct LogCosignature {
  std::uint64_t size = 0;  ///< of the checkpoint
  std::string cosigner;    ///< nick
  std::string line;        ///< as it stands in the note
  /// When it came here, by our own clock: it has been there since then, whatever time it states. 0: not known.
  std::int64_t arrived = 0;
};

/// A log as it is now.
struct LogHead {
  std::string origin;
  std::string group;  ///< id, 32 hex digits
  std::string nick;   ///< whose it is
  bool own = false;
  std::uint64_t size = 0;
  bool sealed = false;                      ///< its last entry ends it
  std::optional<LogCheckpoint> checkpoint;  ///< the newest
};

/// All that one step adds to a log.
struct LogGrowth {
  std::string origin;
  std::uint64_t from = 0;       ///< size before; another size means that somebody else wrote
  std::vector<LogLeaf> leaves;  ///< entries from, from + 1, ...
  /// The hashes of all complete subtrees that the leaves complete, leaves included, each subtree right after its last
  /// leaf: as many as make 2n - popcount(n) for a log of n entries.
  std::vector<Digest> nodes;
  std::vector<LogBody> bodies;
  std::optional<LogCheckpoint> checkpoint;
  std::vector<LogCosignature> cosignatures;
  bool seals = false;
};

}  // namespace parley::vault
