// Invitations (log.md 1.4): one line that carries a secret, good for one answer within 72 hours; three false answers
// burn it. The answer is one line as well. Both members keep the secret as a key of their pair.
#pragma once

#include "group/member.h"
#include "vault/vault.h"

namespace parley::group {

inline constexpr std::string_view kInvitationPrefix = "parley-invite1:";
inline constexpr std::string_view kAnswerPrefix = "parley-answer1:";
inline constexpr UnixSeconds kInvitationLastsSeconds = 72 * 3600;
inline constexpr std::int64_t kInvitationFailures = 3;  ///< after which it is burnt
inline constexpr std::size_t kMaxInvitationBytes = 16 * 1024;

struct Invitation {
  std::string group;
  Digest draft{};        ///< of the draft, or the charter in force, that comes with it
  std::string endpoint;  ///< where the inviter's node listens
  UnixSeconds expires = 0;
  Card from;
  Secret<32> secret;

  /// 16 hex digits that say nothing about the secret.
  std::string id() const;
};

/// The line. It is a bearer secret. Wiped when it goes.
SecretBytes write_invitation(const Invitation& invitation);
/// White space around the line is taken. @error Errc::format, Errc::limit, Errc::signature, Errc::key_weak
Result<Invitation> read_invitation(std::string_view line);

/// What the invited sends back.
struct InvitationAnswer {
  std::string invitation;  ///< Invitation::id()
  Card card;
  std::string endpoint;  ///< where the invited's node listens; empty: it does not
  Digest mac{};
};
std::string answer_invitation(const Invitation& invitation, const Card& ours, std::string_view endpoint);
/// Nothing is verified yet but the card. @error Errc::format, Errc::limit, Errc::signature, Errc::key_weak
Result<InvitationAnswer> read_answer(std::string_view line);

/// BLAKE2b-256(key = secret, "parley/psk/v1" || both cards' hashes, ascending): the key of the pair.
Secret<32> pair_key(const Secret<32>& secret, const Card& a, const Card& b);
/// Where the vault keeps the key of the pair with `peer`.
std::string pair_key_name(const Card& peer);

/// The inviter's side. Makes an invitation and keeps its secret in the vault.
Result<Invitation> invite(vault::Vault& vault, const Card& ours, std::string_view group, const Digest& draft,
                          std::string_view invited, std::string_view endpoint, UnixSeconds now);

/// The inviter's side: an answer has come. A good one uses the invitation up and keeps the key of the pair; a false one
/// is counted, durably, before it is refused. @return the invitation's row, for whom it was
/// @error Errc::not_found (no such invitation), Errc::policy (used, burnt or expired), Errc::signature (false)
Result<vault::InvitationRow> accept_answer(vault::Vault& vault, const Card& ours, const InvitationAnswer& answer,
                                           const Digest& draft, UnixSeconds now);

/// The invited's side: checks that the invitation is still good, keeps the key of the pair, and gives the answer's
/// line.
/// @error Errc::policy when it has expired; Errc::usage when it is our own
/// @param endpoint  where our node listens; may be empty
Result<std::string> accept_invitation(vault::Vault& vault, const Card& ours, const Invitation& invitation,
                                      std::string_view endpoint, UnixSeconds now);

/// Closes invitations that have expired and forgets their secrets. @return how many
Result<std::size_t> close_expired_invitations(vault::Vault& vault, UnixSeconds now);

/// The last two groups of `card`'s fingerprint, or all eight, as its owner reads them aloud and the other side types
/// them; case, spaces and hyphens do not matter, o is 0, i and l are 1. Two groups are 40 bits: enough against a
/// mistake and against whoever cannot make 2^40 cards within the life of an invitation.
/// @error Errc::usage when it is neither; Errc::signature when they are others
Status check_spoken(std::string_view typed, const Card& card);

}  // namespace parley::group
