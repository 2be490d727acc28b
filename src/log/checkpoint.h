// Checkpoints (c2sp.org/tlog-checkpoint v1.0.0) and the cosignatures on them (c2sp.org/tlog-cosignature, type 0x04):
// what a log's owner says of its tree, and what those say who hold a copy of it (log.md 2.5).
#pragma once

#include <optional>

#include "log/merkle.h"
#include "log/note.h"

namespace parley::log {

/// The longest checkpoint note that is read: 64 signatures with names of their full length fit.
inline constexpr std::size_t kMaxCheckpointBytes = 64 * 1024;

/// The other members of a group of 16.
inline constexpr std::size_t kMaxCosignatures = 15;

/// A tree of one log. There are no extension lines here.
struct Checkpoint {
  std::string origin;  ///< the log's key name
  std::uint64_t size = 0;
  Digest root{};

  /// The three lines that are signed.
  std::string text() const;
  bool operator==(const Checkpoint&) const = default;
};

/// Takes what Checkpoint::text() gives and nothing else: an origin that can be a key name, a size of at most
/// kMaxTreeSize, a root that is SHA-256("") if and only if the size is 0. @error Errc::format
Result<Checkpoint> parse_checkpoint(std::string_view text);

/// A checkpoint note, signed by the log key whose name is the origin.
std::string sign_checkpoint(const Checkpoint& checkpoint, const crypto::SigningKey& log_key);

/// A checkpoint that `log` signed, whatever other signatures the note carries.
/// @error Errc::signature; Errc::format (also if the origin is not `log`'s name); Errc::limit
Result<Checkpoint> read_checkpoint(std::string_view note, const VerifierKey& log);

/// "At `time` (Unix seconds, at most 2^63 - 1) I hold this tree and saw no other history of the log." The cosigner
/// first makes that true, on its disk (log.md 2.6).
NoteSignature cosign(const Checkpoint& checkpoint, std::string_view key_name, const crypto::SigningKey& key,
                     std::uint64_t time);

/// The time that a cosignature by `cosigner` states, if it verifies. @error Errc::signature
Result<std::uint64_t> verify_cosignature(const Checkpoint& checkpoint, const NoteSignature& signature,
                                         const VerifierKey& cosigner);

/// `note` with the cosignature added, which is verified first. One by the same key is replaced if it is older, else
/// kept. @error Errc::signature, Errc::format; Errc::limit at kMaxCosignatures others
Result<std::string> add_cosignature(std::string_view note, const NoteSignature& signature, const VerifierKey& cosigner);

struct Cosigner {
  std::size_t key = 0;     ///< position in the list of keys that was asked for
  std::uint64_t time = 0;  ///< what it states; of several by one key the earliest
  bool operator==(const Cosigner&) const = default;
};

struct CosignedCheckpoint {
  Checkpoint checkpoint;
  std::vector<Cosigner> cosigners;  ///< ascending by key; each public key once, and never the log's own
};

/// What becomes of a note with a line that claims to be by a key that is asked for, and does not verify. Keys are
/// claimed by four bytes, so that the line may be a good one by another key that its reader has not been told of.
enum class FalseLine { fails_the_note, does_not_count };

/// A checkpoint that `log` signed, and which of `cosigners` cosigned it; there may be none. Signatures by keys that are
/// not asked for do not count; one that claims to be by a key that is asked for, and does not verify, fails the note.
/// @error Errc::signature, Errc::format, Errc::limit
Result<CosignedCheckpoint> read_cosigned(std::string_view note, const VerifierKey& log,
                                         std::span<const VerifierKey> cosigners);
/// The same of a note that has been parsed.
/// @param verified  signatures that are known to be good on this very text: they are not computed again
Result<CosignedCheckpoint> read_cosigned(const Note& note, const VerifierKey& log,
                                         std::span<const VerifierKey> cosigners,
                                         std::span<const NoteSignature> verified = {},
                                         FalseLine false_line = FalseLine::fails_the_note);

}  // namespace parley::log
