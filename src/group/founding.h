// How a group comes about and changes, on one member's side: drafting, joining, signing, taking what the others send.
// All of it travels as files, so that members can sign on a machine that is never online.
#pragma once

#include <filesystem>

#include "group/membership.h"
#include "group/papers.h"

namespace parley::group {

/// This member, at its vault.
struct Desk {
  const std::filesystem::path& folder;
  vault::Vault& vault;
  const Card& card;
};

/// Begins a group under our own name for it: draws its id, makes our keys for it, keeps the draft.
/// @param terms  group is drawn here; members and log_quorum are ignored
/// @error Errc::exists, and as make_draft()
Result<Draft> begin_group(const Desk& desk, std::string_view name, Charter terms, const Secret<32>& id_seed,
                          UnixSeconds now);

/// Joins a group by its draft, or by its charter in force: makes our keys for it. @return what goes back to whoever
/// sent it. Doing it again gives the same back.
/// @error Errc::signature when the drafter is no pinned peer; Errc::exists, and as read_draft()
Result<KeyPackage> join_group(const Desk& desk, std::string_view name, std::string_view paper,
                              const Secret<32>& id_seed, UnixSeconds now);

/// A charter or an amendment after something was done with it.
struct Signing {
  std::string group;            ///< our name for it
  SignedCharter charter;        ///< with the signatures that we know of
  std::vector<Change> changes;  ///< of an amendment
  std::string needs;            ///< of an amendment: whose signatures, in words
  std::vector<std::string> missing;
  bool in_force = false;
};

/// What lies here unsigned by us, or would be assembled: what `sign` would sign.
/// @param amendment  the beginning of its hash in hexadecimal, where several wait; empty: the only one
/// @error Errc::not_found when there is nothing to sign; Errc::usage when there is a choice
Result<Signing> unsigned_paper(const Desk& desk, const vault::GroupRow& group, std::string_view amendment);
/// Signs it: the charter, assembled from the key packages where we drafted it, or an amendment.
Result<Signing> sign(const Desk& desk, const vault::GroupRow& group, std::string_view amendment,
                     const Secret<32>& id_seed, UnixSeconds now);

/// Proposes `next`, whose seq and prev are set here, with our signature. @error Errc::policy, and as assess()
Result<Signing> amend(const Desk& desk, const vault::GroupRow& group, Charter next, const Secret<32>& id_seed,
                      UnixSeconds now);

/// No two members that this vault knows share a key or a short name (docs/decisions.md 33). @param name  under which
/// the card is, or would be, pinned. @error Errc::exists
Status check_is_new_peer(const Desk& desk, const Card& card, std::string_view name);

/// What a file from another member was, and what came of it.
struct Taken {
  enum class Kind : std::uint8_t { answer, key_package, charter, amendment, leave, rotation };
  Kind kind = Kind::answer;
  std::string group;  ///< our name for it
  std::string who;    ///< nick of the member that it is from; in an answer, our name for the peer
  std::optional<Signing> signing = {};
  std::optional<Leave> leave = {};
  std::optional<Card> card = {};
};
/// Takes an answer, a key package, a charter, an amendment, a leave or the rotation of a `tls` key. @error as the
/// readers of each; Errc::not_found when it is of no group here
Result<Taken> take(const Desk& desk, std::string_view text, UnixSeconds now);

/// Puts into force what has become enough without another signature, since somebody left. @return the hashes
Result<std::vector<Signing>> settle_amendments(const Desk& desk, const vault::GroupRow& group, UnixSeconds now);

/// The papers of one kind in a group, and one by its key.
Result<std::vector<vault::GroupPaper>> papers_of_kind(vault::Vault& vault, std::string_view group,
                                                      std::string_view kind);
/// Our draft, or the one that we joined by. @error Errc::not_found, Errc::vault_damaged
Result<Draft> stored_draft(vault::Vault& vault, const vault::GroupRow& group);
/// Two notes of one text as one, each signature once. Precondition: both were read, and their texts are equal.
std::string merge_signatures(std::string_view note, std::string_view other);

/// Our own `id` key. @error never for a card that was read
Result<log::VerifierKey> own_id_key(const Card& card);

}  // namespace parley::group
