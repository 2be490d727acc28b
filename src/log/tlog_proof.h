// Proofs that an entry is in a log, as one text that is checked offline (c2sp.org/tlog-proof at 5ba5ee8, which has no
// version yet; log.md 2.8).
#pragma once

#include "log/policy.h"

namespace parley::log {

inline constexpr std::size_t kMaxTlogProofBytes = 256 * 1024;

struct TlogProof {
  Bytes extra;  ///< not authenticated by anything; empty for none
  std::uint64_t index = 0;
  std::vector<Digest> path;  ///< RFC 6962 2.1.1
  std::string checkpoint;    ///< the note, with its cosignatures
  bool operator==(const TlogProof&) const = default;
};

/// Precondition: `checkpoint` is a checkpoint note, `path` at most kMaxProofHashes long.
std::string write_tlog_proof(const TlogProof& proof);

/// Takes what write_tlog_proof() gives and nothing else. Nothing is verified yet. @error Errc::format, Errc::limit
Result<TlogProof> parse_tlog_proof(std::string_view text);

/// `leaf` (the bytes of the entry) stands at proof.index of a log that the policy trusts, in a tree that its quorum
/// cosigned. @error Errc::signature for the checkpoint, Errc::protocol if the path does not lead to its root,
/// Errc::format, Errc::limit
Result<TrustedCheckpoint> verify_tlog_proof(const TlogProof& proof, ByteView leaf, const Policy& policy);

}  // namespace parley::log
