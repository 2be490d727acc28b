// The findings of one group as the joint log has them, and a member's part in them: freezing a working copy, signing,
// dissenting, publishing, withdrawing. Each is an entry of the member's own log that goes to every member; nothing else
// travels.
#pragma once

#include "finding/cut.h"
#include "finding/lint.h"
#include "finding/record.h"
#include "group/joint_log.h"
#include "group/membership.h"

namespace parley::finding {

/// Where an entry stands.
struct Place {
  std::string nick;
  std::uint64_t seq = 0;
  Digest leaf{};
};

struct Publication {
  Place place;
  PublishBody body;
};

struct Withdrawn {
  Place place;
  SignedWithdrawal signed_withdrawal;
  /// Of the entry, which stands between others of its author's log: the note may state any time.
  UnixSeconds time = 0;
};

/// A dissent or withdrawal of which nobody here can say whether it counts. A dossier that is made without it could keep
/// it back.
struct Unread {
  enum class Lacking : std::uint8_t {
    words,    ///< only its header is here: what it says, and of which finding, is not known
    charter,  ///< a withdrawal of this finding under a version of the charter that is not known here, and may never be
  };
  Place place;
  std::string type;
  Lacking lacking = Lacking::words;
};

/// An entry about a finding that cannot be counted, and why.
struct Oddity {
  Place place;
  std::string why;
};

/// A finding that was frozen, with all that the logs here say of it.
struct Case {
  Digest hash{};
  std::string text;
  Finding finding;  ///< with all texts
  std::vector<Opening> openings;
  /// With no signature lines but those that a reader of a dossier counts; they may be too few for that (check_cut()).
  std::vector<std::string> checkpoints;
  Place draft;                       ///< the first entry that froze it
  UnixSeconds drafted = 0;           ///< by the drafter's clock
  std::string note;                  ///< with all signatures so far; empty while there is none
  std::vector<std::string> signers;  ///< ascending
  /// Those that count (DissentShares), ascending by hash. First count those that stand in their authors' own logs; of
  /// authors whose log is convicted, or who are in the charter no more, those that most signers have named in
  /// publications; last all others: so where publishers name any they are the same for all, whatever a two-faced author
  /// shows to whom.
  std::vector<SignedDissent> dissents;
  /// By nick: the dissents that stand in its log, its own and those that it hands on, with the number of the entry.
  std::map<std::string, std::map<Digest, std::uint64_t>, std::less<>> dissents_in;
  /// By nick: what of others' dissents stands in its log.
  std::map<std::string, DissentShares, std::less<>> handed_on;
  /// Ascending by nick and number. Each hands on what it names: that stands in its author's log before it.
  std::vector<Publication> publications;
  /// Ascending by hash; of each signer its first, wherever in its log its signature stands.
  std::vector<Withdrawn> withdrawals;
  /// Those that are, or may be, about this finding: all but those that refer to another's draft. Of one member the
  /// first 64.
  std::vector<Unread> unread;
  /// Publications and withdrawals that name this finding and do not count: no reader of a dossier would take them, or
  /// not all members have what they name.
  std::vector<Oddity> set_aside;

  bool signed_by(std::string_view nick) const;
  bool has_dissent_of(std::string_view nick) const;
  bool withdrawn_by(std::string_view nick) const;
  /// Signers who have not withdrawn.
  std::vector<std::string> standing() const;
  /// Distinct signers who have published it.
  std::vector<std::string> publishers() const;
};

/// Entries of one member about findings that were not judged, or are not told one by one.
struct LeftOut {
  std::string nick;
  std::uint64_t entries = 0;
  std::string why;
};

struct Casebook {
  std::vector<Case> cases;       ///< oldest first, by the drafters' clocks
  std::vector<Oddity> oddities;  ///< of each member no more than a list can show
  std::vector<LeftOut> left_out;

  /// By at least four digits of its hash. @error Errc::not_found, Errc::usage
  Result<const Case*> find(std::string_view prefix) const;
};

/// Reads all logs of the group that this vault holds, entry by entry. Of each member's entries of one type only the
/// first few thousand are judged; LeftOut says where there are more. @error the vault's
Result<Casebook> read_casebook(vault::Vault& vault, const group::Membership& membership);

/// The version of the charter that a finding names. @error Errc::not_found
Result<const group::SignedCharter*> charter_of(const Finding& finding, const group::Membership& membership);

/// Where in the logs that this vault holds the entry with this leaf hash stands. @error Errc::not_found
Result<Place> place_of(vault::Vault& vault, const group::Charter& charter, const Digest& leaf);

/// Whether a dossier can show this entry of the log of `nick`: check_within() the version that it names.
/// @error Errc::signature; Errc::not_found for a version that is not known here: of such a one nobody can say whose
/// signatures would make a tree final, so that no maker could show the entry
Status check_showable(const log::Entry& entry, std::string_view nick, const group::Membership& membership);

/// Whether this entry of the log of `nick` can be evidence of `of`: as check_showable() and check_was_there(), and by
/// no later version of the charter than the finding's. Of one that is not known yet nobody can say what it will be when
/// it is, and it may never be; so whoever freezes, signs or hands out the finding judges alike, whenever that is.
/// @error Errc::signature, Errc::policy
Status check_evidence(const log::Entry& entry, std::string_view nick, const Finding& of,
                      const group::Membership& membership);

/// What a member does about a finding. All of it stands in the own log when a call returns.
class Analyst {
 public:
  /// The references outlive this.
  Analyst(vault::Vault& vault, const group::Membership& membership, group::JointLog& log)
      : vault_(vault), membership_(membership), log_(log) {}

  /// Completes a working copy with group, charter, time and cut, and freezes it. Its time is what the entry would state
  /// when this begins, and not `now`, by which only the charter is judged. @return its hash
  /// @error Errc::policy for a rule of lint.h, an entry that no quorum holds yet or that is of a later time, or a
  /// charter that is over
  Result<Digest> draft(Finding finding, UnixSeconds now);
  /// @error Errc::policy also for a finding that this member dissents from; Errc::exists; Errc::signature
  Status sign(const Case& of, const log::VerifierKey& id, const Secret<32>& id_seed, UnixSeconds now);
  /// @error Errc::policy, Errc::format for points that are about nothing; Errc::limit for what nobody would count
  Status dissent(const Case& of, std::vector<DissentPoint> points, const log::VerifierKey& id,
                 const Secret<32>& id_seed, UnixSeconds now);
  /// Says which dissents count here, after handing on in the own log those that it does not have yet, and which
  /// withdrawals a quorum holds. Can be said again where that has changed since.
  /// @error Errc::policy while signatures are missing, for who has not signed or has withdrawn, and where this vault
  /// has a dissent or withdrawal that `of`, read before, has not; Errc::exists; Errc::limit where readers read no more
  /// dissents of this log. What was handed on until an error stays in the log.
  Status publish(const Case& of, UnixSeconds now);
  /// Takes this member's name back from a finding that it signed. What was handed out stays out.
  /// @error Errc::policy for who has not signed; Errc::exists; Errc::format without a reason
  Status withdraw(const Case& of, std::string reason, const log::VerifierKey& id, const Secret<32>& id_seed,
                  UnixSeconds now);

  /// The cut as it would be now: the newest checkpoint of each member's log that a quorum holds.
  Result<std::vector<std::pair<Cut, std::string>>> cut();

 private:
  Status check_refs(const Finding& finding);
  Status check_signable(const Case& of);
  Status check_still_all(const Case& of);
  Status hand_on(const Case& of, const group::CharterMember& us);
  std::vector<Digest> to_draft(const Case& of) const;  // what an entry about it refers to
  Result<Place> append(std::string_view type, log::Json body, std::vector<Digest> refs,
                       const std::function<Status()>& check = {});  // in one commit with the entry

  vault::Vault& vault_;
  const group::Membership& membership_;
  group::JointLog& log_;
};

}  // namespace parley::finding
