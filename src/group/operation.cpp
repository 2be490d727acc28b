// The end of an operation, and of a membership (operation.h).
#include "group/operation.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/encoding.h"
#include "base/text.h"
#include "group/invitation.h"
#include "group/paper_kinds.h"
#include "log/entry_type.h"
#include "log/note.h"

namespace parley::group {
namespace {

using log::Json;

/// Everything by which a match of this group could still be opened, or a session go on (session/secrets.h).
Result<std::int64_t> destroy_session_secrets(vault::Vault& vault, std::string_view group) {
  TRY(const auto sessions, vault.sessions({.group = group}));
  std::int64_t destroyed = 0;
  for (const vault::SessionRow& session : sessions) {
    TRY(const std::int64_t count, vault.remove_secrets("session/" + session.id + "/"));
    destroyed += count;
  }
  TRY_STATUS(vault.forget_admissions(group, std::nullopt));
  return destroyed;
}

SealDue seal_of(const Charter& charter, std::string_view nick) {
  return {.group = charter.group,
          .origin = log_key_name(charter.domain, charter.group, nick),
          .charter = charter_hash(charter),
          .entries = {}};
}

SealDue seal_of_end(const Charter& charter, std::string_view nick) {
  SealDue due = seal_of(charter, nick);
  due.entries.emplace_back(log::kGroupSeal, Json::Object{{"not_after", charter.not_after}, {"v", 1}});
  return due;
}

SealDue seal_of_leave(const Charter& charter, const Leave& leave) {
  SealDue due = seal_of(charter, leave.nick);
  due.entries.emplace_back(log::kMemberLeave, Json::Object{{"note", leave.note}, {"v", 1}});
  due.entries.emplace_back(log::kLogSeal, Json::Object{{"v", 1}});
  return due;
}

Status set_state(const Desk& desk, vault::GroupRow group, std::string_view state, UnixSeconds now) {
  group.state = state;
  group.latest = std::max(group.latest, now);
  return desk.vault.put_group(group);
}

/// Seals the log and destroys the keys; where the log cannot be sealed, keys stay for another try.
Result<std::optional<Error>> seal_and_destroy(const Desk& desk, std::string_view group, const SealDue& due,
                                              const SealLog& seal) {
  if (const auto sealed = seal(due); !sealed) return sealed.error();
  TRY_STATUS(destroy_group_keys(desk.folder, desk.vault, group));
  return std::nullopt;
}

Result<Ending> end_sessions(const Desk& desk, const vault::GroupRow& group, UnixSeconds now) {
  Ending ending{.what = Ending::What::sessions, .group = group.name, .id = group.id};
  const auto end = [&]() -> Status {
    TRY(ending.secrets, destroy_session_secrets(desk.vault, group.id));
    return set_state(desk, group, kEnded, now);
  };
  TRY_STATUS(desk.vault.together(end));
  return ending;
}

/// @param until  when the keys are destroyed even where the others have not ended their logs
Result<Ending> end_group(const Desk& desk, const Membership& membership, UnixSeconds now, UnixSeconds until,
                         const SealLog& seal) {
  const vault::GroupRow& group = membership.group();
  Ending ending{.what = Ending::What::group, .group = group.name, .id = group.id};
  // Where its sessions have ended there are none left, and none come after that.
  if (group.state != kEnded) {
    TRY(ending.secrets, destroy_session_secrets(desk.vault, group.id));
  }
  const auto sealed = seal(seal_of_end(membership.charter(), desk.card.nick));
  if (!sealed) {
    ending.failure = sealed.error();
  } else if (*sealed != Sealed::settled && now < until) {
    ending.what = Ending::What::log;
    if (group.state != kEnded) TRY_STATUS(set_state(desk, group, kEnded, now));
  } else {
    TRY_STATUS(destroy_group_keys(desk.folder, desk.vault, group.id));
    TRY_STATUS(set_state(desk, group, kClosed, now));
  }
  return ending;
}

/// A withdrawal that had not sealed its log is finished.
Result<std::optional<Ending>> finish_withdrawal(const Desk& desk, const Membership& membership, const SealLog& seal) {
  const vault::GroupRow& group = membership.group();
  TRY(const auto papers, papers_of_kind(desk.vault, group.id, kPaperLeave));
  const auto own = std::ranges::find(papers, desk.card.nick, &vault::GroupPaper::key);
  const auto keys = load_group_keys(desk.folder, desk.vault, membership.charter().domain, group.id, desk.card.nick);
  if (own == papers.end() || (!keys && keys.error().code == Errc::not_found)) return std::nullopt;
  for (const SignedCharter& version : membership.versions()) {
    const auto leave = read_leave(own->text, version.charter);
    if (!leave) continue;
    Ending ending{.what = Ending::What::group, .group = group.name, .id = group.id};
    TRY(ending.failure, seal_and_destroy(desk, group.id, seal_of_leave(version.charter, *leave), seal));
    return ending;
  }
  return std::nullopt;
}

Result<std::optional<Ending>> end_if_over(const Desk& desk, const vault::GroupRow& group, UnixSeconds now,
                                          const SealLog& seal) {
  if (group.state == kClosed) return std::nullopt;
  TRY(const auto charters, desk.vault.charters(group.id));
  if (charters.empty()) {
    // A withdrawal that a crash stopped before it was through.
    if (group.state == kWithdrawn) TRY_STATUS(destroy_group_keys(desk.folder, desk.vault, group.id));
    return std::nullopt;
  }
  TRY(const log::VerifierKey own, own_id_key(desk.card));
  TRY(const Membership membership, Membership::load(desk.vault, group, own));
  const Phase phase = membership.phase_at(now);
  if (phase == Phase::withdrawn) return finish_withdrawal(desk, membership, seal);
  if (phase == Phase::over || phase == Phase::expelled || phase == Phase::alone) {
    // Whoever is no member any more, or the only one, has nobody to settle with.
    const UnixSeconds until = phase == Phase::over ? membership.charter().grace_ends() + kSettlingSeconds : now;
    TRY(Ending ending, end_group(desk, membership, now, until, seal));
    return ending;
  }
  if (phase == Phase::grace && group.state != kEnded) {
    TRY(Ending ending, end_sessions(desk, group, now));
    return ending;
  }
  if (now <= group.latest) return std::nullopt;
  TRY_STATUS(set_state(desk, group, group.state, now));
  return std::nullopt;
}

/// The keys of pairs whose other member shares no other group with us.
Status forget_pair_keys(const Desk& desk, const vault::GroupRow& left, const Charter& charter) {
  TRY(const log::VerifierKey own, own_id_key(desk.card));
  TRY(const auto groups, desk.vault.groups());
  std::vector<log::VerifierKey> elsewhere;
  for (const vault::GroupRow& group : groups) {
    if (group.id == left.id || group.state == kWithdrawn || group.state == kClosed) continue;
    const auto other = Membership::load(desk.vault, group, own);
    if (!other) continue;
    for (const CharterMember* member : other->current_members()) elsewhere.push_back(member->id);
  }
  TRY(const auto peers, desk.vault.peers());
  for (const vault::Peer& peer : peers) {
    TRY(const Card card, read_card(peer.card));
    TRY(const log::VerifierKey id, log::parse_vkey(card.id_vkey));
    if (charter.member_by_id(id) == nullptr || std::ranges::find(elsewhere, id) != elsewhere.end()) continue;
    TRY_STATUS(desk.vault.put_secret(pair_key_name(card), {}));
  }
  return {};
}

/// The charter that bears our signature: in force, or gathering signatures.
Result<std::optional<Charter>> charter_signed_by_us(const Desk& desk, const vault::GroupRow& group) {
  TRY(const log::VerifierKey own, own_id_key(desk.card));
  TRY(const auto charters, desk.vault.charters(group.id));
  if (!charters.empty()) {
    TRY(const Membership membership, Membership::load(desk.vault, group, own));
    if (membership.ourselves() != nullptr) return membership.charter();
    return std::nullopt;
  }
  TRY(const auto papers, papers_of_kind(desk.vault, group.id, kPaperCharter));
  if (papers.empty()) return std::nullopt;
  TRY(const SignedCharter gathering, read_founding(papers.front().text));
  if (!gathering.signed_by(desk.card.nick)) return std::nullopt;
  return gathering.charter;
}

}  // namespace

Result<std::vector<Ending>> end_what_is_over(const Desk& desk, UnixSeconds now, const SealLog& seal,
                                             const std::function<UnixSeconds(const std::string&)>& time_of) {
  TRY_STATUS(close_expired_invitations(desk.vault, now));
  TRY(const auto groups, desk.vault.groups());
  std::vector<Ending> endings;
  for (const vault::GroupRow& group : groups) {
    auto ending = end_if_over(desk, group, time_of ? time_of(group.id) : now, seal);
    if (!ending)
      endings.push_back({.what = Ending::What::group, .group = group.name, .id = group.id, .failure = ending.error()});
    else if (*ending)
      endings.push_back(**std::move(ending));
  }
  return endings;
}

Result<Ending> close_group(const Desk& desk, const vault::GroupRow& group, UnixSeconds now, const SealLog& seal) {
  TRY(const log::VerifierKey own, own_id_key(desk.card));
  TRY(const Membership membership, Membership::load(desk.vault, group, own));
  const Phase phase = membership.phase_at(now);
  if (group.state == kClosed) return fail(Errc::policy, "This group is closed already.");
  if (phase != Phase::grace && phase != Phase::over && phase != Phase::alone && phase != Phase::expelled)
    return fail(Errc::policy,
                fmt::format("The group {} is {}; it is closed when its charter has ended. To stop before: "
                            "parley group withdraw, or an amendment that ends it earlier.",
                            visible(group.name), name_of(phase)));
  return end_group(desk, membership, now, now, seal);
}

std::vector<std::string> meaning_of_withdrawal(const vault::GroupRow& group, const Membership* membership) {
  std::vector<std::string> sentences = {
      fmt::format(
          "From now on no question is asked or answered and no context opened under the charter of {}, by you or "
          "to you. Sessions that are open are not continued.",
          visible(group.name)),
      "Your keys in this group and the secrets of its sessions are destroyed here. Matches of earlier sessions stay, "
      "but "
      "their context can no longer be opened to anybody.",
      "It cannot be undone: you come back only by a new group with everybody's signature.",
      "What the others learned stays with them, and what you learned stays with you, under the marks it bears. Only "
      "trust enforces those; no software can.",
      "What you signed stays signed and can be checked by anybody who has it: charters, log, findings. The others keep "
      "their copies of your log.",
      "The others are told by a leave that you sign, with which your log ends; until they have either, their nodes do "
      "not know.",
  };
  if (membership != nullptr && membership->current_members().size() == kFewestMembers)
    sentences.emplace_back("One other member is left, and one is no group: it ends for them as well.");
  return sentences;
}

Result<Withdrawal> withdraw(const Desk& desk, vault::GroupRow group, std::string_view reason, const Secret<32>& id_seed,
                            UnixSeconds now, const SealLog& seal) {
  if (group.state == kWithdrawn || group.state == kClosed)
    return fail(Errc::policy, fmt::format("There is nothing to withdraw from: the group {} is {} here already.",
                                          visible(group.name), group.state));
  TRY(const auto charter, charter_signed_by_us(desk, group));
  Withdrawal withdrawal;
  if (charter) {
    const CharterMember* us = charter->member(desk.card.nick);
    if (us == nullptr) return fail(Errc::internal, "A charter that we signed does not name us.");
    TRY(withdrawal.leave, make_leave(*charter, *us, reason, now, id_seed));
  }
  // The state first: whatever happens next, nothing is asked or answered any more.
  const auto leave = [&]() -> Status {
    if (withdrawal.leave) {
      const vault::GroupPaper paper{std::string(kPaperLeave), desk.card.nick, withdrawal.leave->note};
      TRY_STATUS(desk.vault.put_group_paper(group.id, paper));
    }
    TRY_STATUS(set_state(desk, group, kWithdrawn, now));
    TRY(withdrawal.secrets, destroy_session_secrets(desk.vault, group.id));
    return {};
  };
  TRY_STATUS(desk.vault.together(leave));
  if (!charter) {
    TRY_STATUS(destroy_group_keys(desk.folder, desk.vault, group.id));
    return withdrawal;
  }
  TRY_STATUS(forget_pair_keys(desk, group, *charter));
  TRY(withdrawal.failure, seal_and_destroy(desk, group.id, seal_of_leave(*charter, *withdrawal.leave), seal));
  return withdrawal;
}

}  // namespace parley::group
