// What members hand each other before a charter is in force, and when one leaves: signed notes that travel as files.
// A draft says the terms; a key package brings a member's keys for one group (the name is that of RFC 9420); a leave
// ends a membership.
#pragma once

#include "group/charter.h"
#include "group/group_keys.h"
#include "group/member.h"

namespace parley::group {

inline constexpr std::string_view kDraftKind = "parley/draft/v1";
inline constexpr std::string_view kKeyPackageKind = "parley/key-package/v1";
inline constexpr std::string_view kLeaveKind = "parley/leave/v1";
/// No paper of a group is larger: a charter with 16 signatures.
inline constexpr std::size_t kMaxPaperBytes = 2 * kMaxCharterBytes;
inline constexpr std::size_t kMaxReasonBytes = 500;

/// The terms of a charter before its members are known: a charter without members, with log_quorum 0 (the smallest that
/// is safe) and finding_quorum 0 where all are to sign findings.
struct Draft {
  Charter terms;
  std::string note;
  Digest hash{};  ///< charter_hash() of the note's text

  /// The charter of these terms for these members. @error as check_charter()
  Result<Charter> with(std::vector<CharterMember> members) const;
  /// Whether `charter` is of these terms and nothing else.
  bool is_kept_by(const Charter& charter) const;
};

/// @error as check_charter(), for what does not depend on members
Result<Draft> make_draft(Charter terms, const Card& drafter, const Secret<32>& id_seed);
/// A draft that one of `keys` signed. @error Errc::signature when none of them did; Errc::format, Errc::limit
Result<Draft> read_draft(std::string_view note, std::span<const log::VerifierKey> keys);

/// A member's card and its keys for one group, signed by its `id`.
struct KeyPackage {
  std::string group;
  Digest terms{};  ///< of the draft, or the charter in force, that the member has seen
  Card card;
  CharterMember member;
  std::string note;
};
Result<KeyPackage> make_key_package(std::string_view group, const Digest& terms, const Card& card,
                                    const log::MemberKeys& keys, const Secret<32>& id_seed);
/// Signed by the card's own `id`; whose card it is, the caller knows by its fingerprint.
/// @error Errc::format, Errc::signature, Errc::key_weak, Errc::limit
Result<KeyPackage> read_key_package(std::string_view note);

/// A member has withdrawn, by its own signature alone (log.md 1.6).
struct Leave {
  std::string group;
  Digest charter{};  ///< in force when it left
  std::string nick;
  std::string reason;
  UnixSeconds time = 0;  ///< a claim
  std::string note;
};
Result<Leave> make_leave(const Charter& charter, const CharterMember& member, std::string_view reason, UnixSeconds now,
                         const Secret<32>& id_seed);
/// @error Errc::signature if none of `charter`'s members signed it in its own name; Errc::format, Errc::limit
Result<Leave> read_leave(std::string_view note, const Charter& charter);
/// The same by the version that it names, since readers of dossiers count it from there on.
/// @error Errc::not_found when that is none of `versions`; and as above
Result<Leave> read_leave(std::string_view note, std::span<const SignedCharter> versions);

/// Which group a draft, charter, key package or leave says that it is of, before anything is verified; with the kind.
struct PaperHead {
  std::string kind;
  std::string group;
};
/// @error Errc::format
Result<PaperHead> read_paper_head(std::string_view note);

}  // namespace parley::group
