// A key that takes the place of another one (log.md 1.6): what the owner's `id` key states of it. An entry `key.rotate`
// of the owner's log carries the statement, and the place of that entry is from where on it holds (key_history.h).
#pragma once

#include "log/note.h"

namespace parley::log {

inline constexpr std::string_view kRotationKind = "parley/rotation/v1";
inline constexpr std::size_t kMaxRotationBytes = 16 * 1024;
/// Of one member in one group: one a week for as long as a charter may run.
inline constexpr std::size_t kMaxRotations = 64;

/// The `log` key has no successor: it is the name of its log.
enum class KeyRole : std::uint8_t {
  node,    ///< signs entries
  cosign,  ///< cosigns the logs of others
  tls,     ///< shows who answers on a link
};
std::string_view name_of(KeyRole role);

enum class RotationReason : std::uint8_t {
  lost,     ///< nobody has the old key
  stolen,   ///< others may have it
  staff,    ///< somebody who could use it has gone
  routine,  ///< nothing has happened
};
std::string_view name_of(RotationReason reason);

/// Whether the old key still speaks for its owner, and so signs the statement as well.
inline bool old_key_signs(RotationReason reason) {
  return reason == RotationReason::staff || reason == RotationReason::routine;
}

/// How far the word of an old `cosign` key goes, of the log of one other member.
struct Cutoff {
  std::string nick;
  std::uint64_t size = 0;  ///< its cosignatures on larger trees do not count
  bool operator==(const Cutoff&) const = default;
};

struct Rotation {
  std::string origin;  ///< of the log that it stands in
  std::string nick;    ///< of the owner
  KeyRole role{};
  RotationReason reason{};
  VerifierKey old;         ///< of the role until then
  VerifierKey next;        ///< from then on; the same name and type. Of `tls` the name is the origin and "/tls"
  std::int64_t since = 0;  ///< Unix seconds from which on the old key may have been in other hands; 0: not stated
  /// Of `cosign` only: ascending by nick. Of a log that is not named the old key has cosigned nothing.
  std::vector<Cutoff> cutoffs = {};
  bool operator==(const Rotation&) const = default;
};

/// The name of a member's `tls` key in statements.
std::string tls_key_name(std::string_view origin);

/// The statement, signed by `id`, by the new key (which shows that its owner has it), and by the old one where that
/// still speaks for its owner.
/// @param old  may be nullptr where old_key_signs() is false
/// Precondition: the seeds are those of the keys that are named.
std::string make_rotation(const Rotation& rotation, std::string_view id_name, const crypto::SigningKey& id,
                          const crypto::SigningKey& next, const crypto::SigningKey* old);

/// Takes back what make_rotation() gives, with exactly the signatures that are due. Whether the old key was the one in
/// use is the caller's to see. @error Errc::signature, Errc::format, Errc::limit, Errc::key_weak
Result<Rotation> read_rotation(std::string_view note, const VerifierKey& id);

}  // namespace parley::log
