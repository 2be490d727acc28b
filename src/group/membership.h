// One group as this member stands in it: the charter in force, and whether an act is permitted by it now. Whoever is
// about to do something that a charter governs asks here first, before anything is computed or read; a refusal names
// the clause (log.md 1.5, 3.2).
#pragma once

#include <map>
#include <set>

#include "group/amendment.h"
#include "group/local_policy.h"
#include "group/papers.h"
#include "vault/vault.h"

namespace parley::group {

/// The states of a group in this vault (GroupRow::state). What a clock decides is not kept but asked for: phase_at().
inline constexpr std::string_view kForming = "forming";      ///< no charter in force yet
inline constexpr std::string_view kActive = "active";        ///< a charter was in force
inline constexpr std::string_view kEnded = "ended";          ///< over; session secrets are destroyed
inline constexpr std::string_view kClosed = "closed";        ///< keys are destroyed, the log is sealed
inline constexpr std::string_view kWithdrawn = "withdrawn";  ///< this member has left

enum class Phase : std::uint8_t {
  forming,  ///< this member has not come in yet
  waiting,  ///< in force, not begun
  open,
  grace,  ///< over; findings, dissent, settling and leaving go on for some days
  over,
  withdrawn,  ///< this member left
  expelled,   ///< this member is no longer in the charter
  alone,      ///< everybody else has left
};
std::string_view name_of(Phase phase);

enum class Act : std::uint8_t { question, reveal, amend, finding, dissent, settle, leave };
std::string_view name_of(Act act);

/// What has been spent of a type's and function's budget with one member, as the disclosure ledger counts it (log.md
/// 4.1). The 30 days and the day end now.
struct Spent {
  std::int64_t sessions_day = 0;
  std::int64_t probe_in_30d = 0;        ///< padded items that the member entered against ours
  std::int64_t probe_out_30d = 0;       ///< that we entered against its
  std::int64_t probe_in_group_30d = 0;  ///< that all members entered against ours
  std::int64_t matches_in_30d = 0;      ///< that the member learned
  std::int64_t matches_out_30d = 0;     ///< that we learned from it
};

/// All that a question is judged by.
struct QuestionFacts {
  log::VerifierKey peer_id;  ///< the other side's `id`
  Digest peer_card{};        ///< SHA-256 of its card, as it is pinned
  bool peer_confirmed = false;
  Digest charter{};  ///< that the other side has in force, as far as it said
  Function function = Function::count;
  std::vector<indicator::Type> types;
  std::string protocol = {};    ///< empty: not chosen yet
  std::int64_t our_padded = 0;  ///< 0: not known yet
  std::int64_t their_padded = 0;
  bool we_learn = true, they_learn = true;
  std::map<indicator::Type, Spent> spent = {};
};

class Membership {
 public:
  /// All that a vault holds of one group, verified again from the first charter on. @error Errc::vault_damaged when it
  /// does not verify; Errc::not_found when it has no charter in force yet
  static Result<Membership> load(vault::Vault& vault, const vault::GroupRow& group, const log::VerifierKey& own_id);

  /// `versions`: charters in force, verified, ascending, at least one. `left`: by nick.
  Membership(vault::GroupRow group, std::vector<SignedCharter> versions, std::set<std::string, std::less<>> left,
             LocalPolicy policy, const log::VerifierKey& own_id);

  const vault::GroupRow& group() const { return group_; }
  /// The version in force; sessions pin its hash.
  const Charter& charter() const { return versions_.back().charter; }
  const SignedCharter& signed_charter() const { return versions_.back(); }
  const std::vector<SignedCharter>& versions() const { return versions_; }
  const LocalPolicy& policy() const { return policy_; }
  /// Hash of the first version: what outsiders are given as the group's anchor.
  const Digest& anchor() const { return versions_.front().hash; }

  /// This member in the charter in force; nullptr when expelled.
  const log::VerifierKey& own_id() const { return own_id_; }
  /// The newest version that names us: whoever was expelled still has its log and its ledger under it. nullptr if none
  /// does.
  const SignedCharter* newest_naming_us() const;
  const CharterMember* ourselves() const { return charter().member_by_id(own_id_); }
  bool has_left(std::string_view nick) const { return left_.contains(nick); }
  const std::set<std::string, std::less<>>& left() const { return left_; }
  /// A leave that counts here as it does for readers of dossiers: by a member of the version that it names and of all
  /// since. @error Errc::not_found while that version is not here, which may be on its way; Errc::signature,
  /// Errc::format
  Result<Leave> admit_leave(std::string_view note) const;
  /// Members of the charter who have not left.
  std::vector<const CharterMember*> current_members() const;
  /// As the charter says, recomputed for those who are left (log.md 1.6). Precondition: two or more are.
  std::size_t log_quorum() const;
  std::size_t finding_quorum() const;

  /// By a clock that never goes back behind the latest time that this vault has seen.
  Phase phase_at(UnixSeconds now) const;
  /// Whether `act` is permitted now. @error Errc::policy naming the clause
  Status check(Act act, UnixSeconds now) const;
  /// Whether a question may be asked or answered: every clause of the charter and of the own policy, the strictest
  /// first that is broken. Before anything is computed, and again when more of the facts is known.
  /// @error Errc::policy naming the clause; Errc::skew when the two sides have different charters in force
  Status check_question(const QuestionFacts& facts, UnixSeconds now) const;

  /// What of the vault may enter a session of this group: what its MaterialRules admit, up to the strictest mark that
  /// charter and policy let in.
  vault::Selection admitted() const;
  /// The caps for one question: the smaller of charter and policy. Precondition: the charter allows it.
  Caps caps(const AllowedQuestion& allowed) const;
  indicator::Tlp max_tlp() const;
  /// When sessions end here: by the charter, less the skew of clocks, or earlier by the policy.
  UnixSeconds sessions_end() const;

 private:
  std::unexpected<Error> refuse(std::string clause, std::string why) const;
  std::unexpected<Error> refuse_by_policy(std::string why) const;
  std::unexpected<Error> refuse_for_phase(Act act, Phase phase) const;
  Status check_peer(const QuestionFacts& facts) const;
  Status check_allowed(indicator::Type type, const QuestionFacts& facts) const;
  Status check_caps(const AllowedQuestion& allowed, const QuestionFacts& facts) const;
  Status check_cap(const AllowedQuestion& allowed, const NamedCap& cap, std::int64_t value,
                   std::string_view what) const;

  vault::GroupRow group_;
  std::vector<SignedCharter> versions_;
  std::set<std::string, std::less<>> left_;
  LocalPolicy policy_;
  log::VerifierKey own_id_;
};

/// How two members stand to each other by the groups that this vault knows.
struct PairStanding {
  std::vector<Membership> open;     ///< in which questions may be asked now
  std::vector<std::string> closed;  ///< names of groups that they share, or shared, and in which none may
  /// Nothing was ever agreed between them: they ask as a pair without a charter.
  bool without_charter() const { return open.empty() && closed.empty(); }
};
/// @error the vault's, and Membership::load()'s
Result<PairStanding> standing_of_pair(vault::Vault& vault, const log::VerifierKey& own_id,
                                      const log::VerifierKey& peer_id, UnixSeconds now);

/// The group in which a question to a peer is put: the named one, or the only one that is open; nothing for a pair
/// without a charter. @error Errc::policy when they share only groups that are over or not begun, Errc::usage when
/// there is a choice and none was named, Errc::not_found when they do not share the named one
Result<std::optional<Membership>> group_for_question(PairStanding standing, std::string_view peer_name,
                                                     std::string_view group_name);

}  // namespace parley::group
