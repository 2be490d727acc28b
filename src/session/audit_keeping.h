// What of a session is kept so that it can be audited, for how long, and its end (docs/audit.md, "What is kept"). A
// record lies sealed beside the vault under a key of its own, which is a secret of the session: who forgets that has
// destroyed the record.
#pragma once

#include <memory>

#include "base/clock.h"
#include "psi/recording.h"
#include "session/input.h"
#include "vault/vault.h"

namespace parley::session {

/// A member's own setting: what it keeps of its own sessions.
struct AuditKeeping {
  std::int64_t days = 30;                              ///< 0: nothing is kept
  std::uint64_t limit_bytes = std::uint64_t{4} << 30;  ///< of all records together
  bool operator==(const AuditKeeping&) const = default;
};
inline constexpr std::int64_t kMaxAuditDays = 3650;
/// What stays free on the disk whatever is recorded, for our own log and the vault.
inline constexpr std::uint64_t kAuditLeavesFreeBytes = std::uint64_t{1} << 30;

Result<AuditKeeping> audit_keeping(vault::Vault& vault);
Status set_audit_keeping(vault::Vault& vault, const AuditKeeping& keeping);

/// Records one side's run. A session never fails for it: what cannot be kept is not kept, and the vault says why.
class AuditRecorder {
 public:
  /// Begins the record of `session`, whose seed and salts are secrets of the vault already.
  /// @param by_tags  the types of which indicators enter by their tags
  AuditRecorder(vault::Vault& vault, std::string session, Side side, const Input& input,
                std::span<const indicator::Type> by_tags, std::uint64_t their_padded);
  ~AuditRecorder();

  /// `inner`, recorded. Neither outlives this recorder.
  std::unique_ptr<psi::Channel> record(psi::Channel& inner);
  void add_shares(const Secret<32>& ours, const Secret<32>& theirs);
  /// Puts the key of the record among the session's secrets. @error then nothing is kept
  using KeepSecret = std::function<Status(const std::string& name, ByteView secret)>;
  /// The record is in the vault, or why not is. What comes later is not recorded.
  void finish(const KeepSecret& keep);

 private:
  void begin(Side side, const Input& input, std::span<const indicator::Type> by_tags, std::uint64_t their_padded);
  void append(ByteView bytes);
  /// Nothing of this session is kept, for the reason that `why` (a sentence) gives.
  void give_up(std::string why);

  vault::Vault& vault_;
  std::string session_;
  Secret<32> key_;
  std::optional<vault::FileWriter> file_;  // while it is recorded
  std::uint64_t limit_bytes_ = 0;
  std::string why_not_;
};

struct KeptRecord {
  vault::SealedFile file;
  UnixSeconds until = 0;
};
/// The record of a session, if there is one.
Result<std::optional<KeptRecord>> kept_record(vault::Vault& vault, const std::string& session);
/// Why there is none: a sentence, or empty.
Result<std::string> why_not_kept(vault::Vault& vault, const std::string& session);

/// @error Errc::not_found if there is none
Result<vault::StreamReader> open_record(vault::Vault& vault, const std::string& session);
/// @error Errc::not_found if there is none
Status forget_record(vault::Vault& vault, const std::string& session);

/// The latest time that is known of a group here: what its row has seen, which follows the other members' clocks
/// (group::PeerClocks), and what our own log of it says. A clock that is set forward does not move it by itself.
/// 0 for a group that is not in the vault.
Result<UnixSeconds> time_seen(vault::Vault& vault, const std::string& group);

/// Destroys the records that are older than is kept by time_seen() of their group, and those whose key went with it.
/// @return how many
Result<std::size_t> end_old_records(vault::Vault& vault);

}  // namespace parley::session
