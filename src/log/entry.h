// One entry of a member's log: a signed header as the leaf, and a body that only its audience gets (log.md D5, 2.3).
#pragma once

#include <algorithm>

#include "log/commitment.h"
#include "log/entry_type.h"
#include "log/member_keys.h"

namespace parley::log {

inline constexpr std::string_view kEntryKind = "parley/entry/v1";
inline constexpr std::size_t kMaxEntryBytes = 16 * 1024;  ///< of a leaf
inline constexpr std::size_t kMaxBodyBytes = 1 << 20;
inline constexpr std::size_t kMaxRefs = 16;
/// The audience of an entry whose body every member gets.
inline constexpr std::string_view kEveryone = "*";

/// The signed header. Its rules, beside those of the fields: the session is there or not as the type asks for; entry 0
/// and no other is log.open.
struct Entry {
  std::string author;                 ///< nick
  std::uint64_t seq = 0;              ///< the leaf's index, at most kMaxTreeSize - 1
  Digest prev{};                      ///< leaf hash of the entry before; zeros in entry 0
  Digest charter{};                   ///< hash of the charter in force
  std::string session;                ///< 32 hex digits, or empty
  std::vector<Digest> refs;           ///< leaf hashes of entries of other logs, each once, at most kMaxRefs
  std::vector<std::string> audience;  ///< nicks of others, ascending; or kEveryone alone; or nobody
  Digest body{};                      ///< body_commitment()
  std::int64_t time = 0;              ///< Unix seconds by the author's clock: a claim
  std::string type;                   ///< one of kEntryTypes
  bool operator==(const Entry&) const = default;
};

/// The leaf, signed by the author's `node` key. @error Errc::format if the header breaks a rule: nothing is signed then
Result<std::string> make_entry(const Entry& entry, std::string_view node_key_name, const crypto::SigningKey& node_key);

/// Takes back what make_entry() gives, signed by the node key that `author` has at that place of its log and naming its
/// nick. Verified before anything is relied on.
/// @error Errc::signature, Errc::format, Errc::limit
Result<Entry> read_entry(std::string_view note, const MemberKeys& author);

/// Of a leaf whose author is not known yet. @error Errc::format, Errc::limit
Result<Entry> read_entry_unverified(std::string_view note);
/// The same, always by the general reader of notes and objects: what read_entry_unverified() must agree with.
Result<Entry> parse_entry(std::string_view note);

/// What travels to the audience of an entry.
struct Body {
  Salt salt{};
  std::string text;  ///< one PJ1 object
  bool operator==(const Body&) const = default;

  Digest commitment() const { return body_commitment(salt, as_bytes(text)); }
};

/// `object` with a fresh salt. @error Errc::limit above kMaxBodyBytes
Result<Body> make_body(const Json& object);

/// The object of a body that arrived for `entry`. @error Errc::signature if it is not what the header commits to;
/// Errc::format, Errc::limit
Result<Json> open_body(const Entry& entry, const Body& body);

/// What is known of a log after its first `size` entries: all that the next entry is checked against.
struct LogState {
  std::uint64_t size = 0;
  Digest last{};               ///< leaf hash of the last entry; zeros if there is none
  std::int64_t last_time = 0;  ///< what the last entry states
  bool sealed = false;
  bool operator==(const LogState&) const = default;

  /// The time of the next own entry: that of the clock, but never before the last entry's. An author whose clock goes
  /// back is honest, and must not look as if it had antedated (fault.h).
  std::int64_t time_of_next(std::int64_t now) const { return std::max(now, last_time); }
};

/// An entry that continues a log, and the log with it.
struct Extension {
  Entry entry;
  Digest leaf_hash{};
  LogState state;
};

/// Checks the next leaf of the author's log: form, signature, author, seq, prev, time, seal. Whether the time is near
/// the reader's own, and the charter the one in force, is the caller's to see. Its audience may be members no longer,
/// or not be known yet: what was written for them stays a part of the log.
/// @error Errc::signature, Errc::format, Errc::limit; Errc::protocol if it does not continue this log
Result<Extension> extend(const LogState& state, std::string_view leaf, const MemberKeys& author);

/// The part of extend() behind the signature, for whoever has read the entry (read_entry) already.
/// @param leaf_hash  of the leaf that the entry was read from
/// @error Errc::protocol if it does not continue this log
Result<Extension> follow(const LogState& state, Entry entry, const Digest& leaf_hash);

/// "session_id = hex(SHA-256("parley/session/v1\0" || leaf_hash(propose))[:16])" (log.md 3.2).
std::string session_of_proposal(const Digest& propose_leaf_hash);

/// What an author may write once only (log.md 2.4).
struct StepKey {
  std::string author;
  std::string session;
  std::string type;
  auto operator<=>(const StepKey&) const = default;
};

/// Nothing for an entry that may come again.
std::optional<StepKey> step_key(const Entry& entry);

}  // namespace parley::log
