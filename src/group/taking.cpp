// Taking what other members send (founding.h).
#include <fmt/format.h>

#include <algorithm>

#include "base/encoding.h"
#include "base/text.h"
#include "group/founding.h"
#include "group/invitation.h"
#include "group/nicks.h"
#include "group/paper_kinds.h"
#include "log/rotation.h"

namespace parley::group {
namespace {

using Kind = Taken::Kind;

Result<vault::GroupRow> find_group(const Desk& desk, std::string_view id) {
  TRY(const auto groups, desk.vault.groups());
  const auto found = std::ranges::find(groups, id, &vault::GroupRow::id);
  if (found == groups.end())
    return fail(Errc::not_found, fmt::format("This is of a group that is not known here ({}…). Join it first: parley "
                                             "group join FILE.",
                                             short_id(id)));
  return *found;
}

/// What an invitation or key package is for: our draft, or the charter in force.
Result<Digest> terms_of(const Desk& desk, const vault::GroupRow& group) {
  TRY(const auto charters, desk.vault.charters(group.id));
  if (!charters.empty()) return charters.back().hash;
  TRY(const Draft draft, stored_draft(desk.vault, group));
  return draft.hash;
}

Result<Taken> take_answer(const Desk& desk, std::string_view line, UnixSeconds now) {
  TRY(const InvitationAnswer answer, read_answer(line));
  TRY(const auto rows, desk.vault.invitations());
  const auto row = std::ranges::find(rows, answer.invitation, &vault::InvitationRow::id);
  if (row == rows.end())
    return fail(Errc::not_found, "This answers no invitation of yours. Ask which one they mean, and by whom it was.");
  TRY(const vault::GroupRow group, find_group(desk, row->group));
  TRY(const Digest terms, terms_of(desk, group));
  TRY_STATUS(check_is_new_peer(desk, answer.card, row->invited));
  TRY_STATUS(accept_answer(desk.vault, desk.card, answer, terms, now));
  TRY_STATUS(
      desk.vault.add_peer({.name = row->invited, .card = answer.card.note, .address = answer.endpoint, .added = now}));
  return Taken{.kind = Kind::answer, .group = group.name, .who = row->invited, .card = answer.card};
}

/// The peer whose card this is. @error Errc::signature when nobody is pinned by it
Status check_is_pinned(const Desk& desk, const Card& card) {
  if (card.note == desk.card.note) return {};
  TRY(const auto peers, desk.vault.peers());
  if (std::ranges::find(peers, card.note, &vault::Peer::card) != peers.end()) return {};
  return fail(Errc::signature,
              fmt::format("This comes from {} ({}), whom you have not pinned. Invite them, or check their "
                          "card and add it: parley peer add.",
                          visible(card.name), card.fingerprint()));
}

/// A charter with this member could keep its rules: no key of somebody else, no name of another group. One package that
/// fits no charter would keep all others from being signed.
Status check_fits(const Desk& desk, const vault::GroupRow& group, const KeyPackage& package) {
  TRY(const auto charters, desk.vault.charters(group.id));
  Charter probe;
  if (charters.empty()) {
    TRY(const Draft draft, stored_draft(desk.vault, group));
    probe = draft.terms;
    TRY(const auto papers, papers_of_kind(desk.vault, group.id, kPaperKeyPackage));
    for (const vault::GroupPaper& paper : papers) {
      TRY(const KeyPackage known, read_key_package(paper.text));
      probe.members.push_back(known.member);
    }
  } else {
    TRY(const log::VerifierKey own, own_id_key(desk.card));
    TRY(const Membership membership, Membership::load(desk.vault, group, own));
    probe = membership.charter();
  }
  std::erase_if(probe.members, [&](const CharterMember& member) { return member.keys.nick == package.card.nick; });
  probe.members.push_back(package.member);
  std::ranges::sort(probe.members, {}, [](const CharterMember& member) { return member.keys.nick; });
  probe.log_quorum = probe.finding_quorum = probe.members.size();
  return check_charter(probe);
}

Result<Taken> take_key_package(const Desk& desk, const vault::GroupRow& group, std::string_view note) {
  TRY(const KeyPackage package, read_key_package(note));
  TRY_STATUS(check_is_pinned(desk, package.card));
  TRY(const Digest terms, terms_of(desk, group));
  TRY(const auto charters, desk.vault.charters(group.id));
  // Who comes in later joins by the first charter, which never changes.
  const bool fits = package.terms == terms || (!charters.empty() && package.terms == charters.front().hash);
  if (!fits)
    return fail(Errc::format,
                fmt::format("{} has joined other terms than these. Send the draft again.", package.card.nick));
  TRY(const auto gathering, papers_of_kind(desk.vault, group.id, kPaperCharter));
  if (!gathering.empty())
    return fail(Errc::exists,
                "The charter has been signed for those who had joined; who comes now needs an amendment.");
  TRY_STATUS(check_fits(desk, group, package));
  TRY_STATUS(desk.vault.put_group_paper(group.id, {std::string(kPaperKeyPackage), package.card.nick, package.note}));
  return Taken{.kind = Kind::key_package, .group = group.name, .who = package.card.nick, .card = package.card};
}

/// Keeps a version that has come into force, and drops what it makes void.
Status put_into_force(const Desk& desk, vault::GroupRow group, const SignedCharter& charter, UnixSeconds now) {
  const auto put = [&]() -> Status {
    TRY_STATUS(desk.vault.add_charter(
        group.id, {.seq = charter.charter.seq, .hash = charter.hash, .note = charter.note, .taken = now}));
    for (const std::string_view kind : {kPaperCharter, kPaperAmendment}) {
      TRY(const auto papers, papers_of_kind(desk.vault, group.id, kind));
      for (const vault::GroupPaper& paper : papers) {
        TRY_STATUS(desk.vault.put_group_paper(group.id, {paper.kind, paper.key, ""}));
      }
    }
    const bool names_us = charter.charter.member(desk.card.nick) != nullptr;
    if (group.state == kForming && names_us) group.state = kActive;
    // What time it is, one clock does not say: that is remembered with the others' clocks beside it (operation.h).
    return desk.vault.put_group(group);
  };
  return desk.vault.together(put);
}

/// The founding charter, with what we had of its signatures.
Result<Taken> take_founding(const Desk& desk, const vault::GroupRow& group, std::string_view note, UnixSeconds now) {
  TRY(SignedCharter charter, read_founding(note));
  TRY(const Draft draft, stored_draft(desk.vault, group));
  if (!draft.is_kept_by(charter.charter))
    return fail(Errc::format,
                "This charter has other terms than the draft that you joined. Do not sign it; ask whoever "
                "sent it.");
  const CharterMember* us = charter.charter.member(desk.card.nick);
  TRY(const auto packages, papers_of_kind(desk.vault, group.id, kPaperKeyPackage));
  for (const vault::GroupPaper& paper : packages) {
    TRY(const KeyPackage package, read_key_package(paper.text));
    if (paper.key == desk.card.nick && (us == nullptr || *us != package.member))
      return fail(Errc::signature, "This charter does not name you by the keys that you made for this group.");
  }
  TRY(const auto known, papers_of_kind(desk.vault, group.id, kPaperCharter));
  if (!known.empty()) {
    TRY(const SignedCharter before, read_founding(known.front().text));
    if (before.hash != charter.hash)
      return fail(Errc::exists,
                  "Another charter of this group is gathering signatures here, with other members or terms.");
    TRY(charter, read_founding(merge_signatures(before.note, note)));
  }
  TRY_STATUS(desk.vault.put_group_paper(group.id, {std::string(kPaperCharter), "", charter.note}));
  std::vector<std::string> missing = charter.unsigned_members();
  if (missing.empty()) TRY_STATUS(put_into_force(desk, group, charter, now));
  Signing signing{.group = group.name,
                  .charter = std::move(charter),
                  .changes = {},
                  .needs = "all members",
                  .missing = missing,
                  .in_force = missing.empty()};
  return Taken{.kind = Kind::charter, .group = group.name, .who = {}, .signing = std::move(signing)};
}

Result<Signing> settle(const Desk& desk, const vault::GroupRow& group, Amendment amendment, UnixSeconds now) {
  Signing signing{.group = group.name,
                  .charter = std::move(amendment.next),
                  .changes = std::move(amendment.assessment.changes),
                  .needs = amendment.assessment.needs.why,
                  .missing = {}};
  signing.missing = amendment.assessment.needs.missing(signing.charter.signers);
  signing.in_force = signing.missing.empty();
  if (signing.in_force) {
    TRY_STATUS(put_into_force(desk, group, signing.charter, now));
  } else {
    TRY_STATUS(desk.vault.put_group_paper(
        group.id, {std::string(kPaperAmendment), to_hex(signing.charter.hash), signing.charter.note}));
  }
  return signing;
}

Result<Taken> take_amendment(const Desk& desk, const vault::GroupRow& group, std::string_view note, UnixSeconds now) {
  TRY(const log::VerifierKey own, own_id_key(desk.card));
  TRY(const Membership membership, Membership::load(desk.vault, group, own));
  // Who has not come in yet follows the versions to the one that names it.
  if (membership.ourselves() != nullptr) TRY_STATUS(membership.check(Act::amend, now));
  TRY(Amendment amendment, read_amendment(membership.signed_charter(), note, membership.left()));
  TRY_STATUS(check_room(amendment));
  TRY_STATUS(check_nicks(membership.versions(), amendment.next.charter));
  TRY(const auto papers, papers_of_kind(desk.vault, group.id, kPaperAmendment));
  const auto known = std::ranges::find(papers, to_hex(amendment.next.hash), &vault::GroupPaper::key);
  if (known != papers.end()) {
    TRY(amendment, read_amendment(membership.signed_charter(), merge_signatures(known->text, note), membership.left()));
  }
  TRY(Signing signing, settle(desk, group, std::move(amendment), now));
  return Taken{.kind = Kind::amendment, .group = group.name, .who = {}, .signing = std::move(signing)};
}

Result<Taken> take_charter(const Desk& desk, const vault::GroupRow& group, std::string_view text, UnixSeconds now) {
  TRY(const log::Note note, log::parse_note(text));
  TRY(const Charter charter, read_charter_unverified(note));
  TRY(const auto charters, desk.vault.charters(group.id));
  for (const vault::CharterRow& row : charters) {
    if (row.hash != charter_hash(note.text)) continue;
    return fail(Errc::exists, fmt::format("Version {} of this charter is in force here already.", row.seq));
  }
  return charters.empty() ? take_founding(desk, group, text, now) : take_amendment(desk, group, text, now);
}

Result<Taken> take_leave(const Desk& desk, const vault::GroupRow& group, std::string_view note, UnixSeconds now) {
  TRY(const log::VerifierKey own, own_id_key(desk.card));
  TRY(const Membership membership, Membership::load(desk.vault, group, own));
  TRY(Leave leave, membership.admit_leave(note));
  // The first one stays: versions since may rest on it.
  if (!membership.has_left(leave.nick))
    TRY_STATUS(desk.vault.put_group_paper(group.id, {std::string(kPaperLeave), leave.nick, leave.note}));
  TRY_STATUS(settle_amendments(desk, group, now));
  std::string who = leave.nick;
  return Taken{
      .kind = Kind::leave, .group = group.name, .who = std::move(who), .signing = {}, .leave = std::move(leave)};
}

/// A `tls` key that was replaced, told by hand where no log brings it (rotation.h).
Result<Taken> take_rotation(const Desk& desk, std::string_view note) {
  TRY(const log::VerifierKey own, own_id_key(desk.card));
  TRY(const auto groups, desk.vault.groups());
  for (const vault::GroupRow& group : groups) {
    const auto membership = Membership::load(desk.vault, group, own);
    if (!membership) continue;  // no charter yet
    for (const CharterMember& member : membership->charter().members) {
      const auto rotation = log::read_rotation(note, member.id);
      if (!rotation || rotation->origin != member.keys.log.name) continue;
      if (rotation->role != log::KeyRole::tls)
        return fail(Errc::usage, "A key that signs a log is taken from that log, and not by hand.");
      const std::string key = fmt::format("{}/{}", member.keys.nick, to_hex(rotation->next.id()));
      TRY_STATUS(desk.vault.put_group_paper(group.id, {std::string(kPaperRotation), key, std::string(note)}));
      return Taken{.kind = Kind::rotation, .group = group.name, .who = member.keys.nick};
    }
  }
  return fail(Errc::signature, "No member of a group of yours has signed this rotation of a key for its log.");
}

}  // namespace

// A card proves its signing key and nothing about the others that it names (docs/decisions.md 33).
Status check_is_new_peer(const Desk& desk, const Card& card, std::string_view name) {
  const auto clashes = [&](const Card& known) {
    return card.tls_key == known.tls_key || card.id_vkey == known.id_vkey || card.node_vkey == known.node_vkey ||
           card.log_vkey == known.log_vkey || card.cosign_vkey == known.cosign_vkey || card.nick == known.nick;
  };
  if (clashes(desk.card)) return fail(Errc::exists, "This card has a key or the short name of your own card.");
  TRY(const auto peers, desk.vault.peers());
  for (const vault::Peer& peer : peers) {
    TRY(const Card known, read_card(peer.card));
    if (peer.name == name && peer.card != card.note)
      return fail(Errc::exists, fmt::format("There is a peer called {} already, with another card.", visible(name)));
    if (peer.name != name && clashes(known))
      return fail(Errc::exists,
                  fmt::format("This card has a key or the short name of {}'s. One of the two is false; ask "
                              "its owner by voice.",
                              visible(peer.name)));
  }
  return {};
}

Result<Taken> take(const Desk& desk, std::string_view text, UnixSeconds now) {
  if (text.size() > kMaxPaperBytes)
    return fail(Errc::limit, fmt::format("A paper of a group has at most {} bytes.", kMaxPaperBytes));
  if (text.contains(kAnswerPrefix) && text.find(kAnswerPrefix) < 4) return take_answer(desk, text, now);
  if (text.starts_with(log::kRotationKind)) return take_rotation(desk, text);
  const auto read = read_paper_head(text);
  if (!read)
    return fail(read.error().code,
                "This is nothing that members send for a group: the answer to an invitation, or a file that parley "
                "group join, sign, amend, rotate or withdraw wrote. " +
                    read.error().message);
  const PaperHead& head = *read;
  TRY(const vault::GroupRow group, find_group(desk, head.group));
  if (head.kind == kKeyPackageKind) return take_key_package(desk, group, text);
  if (head.kind == kCharterKind) return take_charter(desk, group, text, now);
  if (head.kind == kLeaveKind) return take_leave(desk, group, text, now);
  return fail(Errc::usage,
              "This is a draft. Read it and, if you agree to its terms, join by it: parley group join FILE.");
}

Result<std::vector<Signing>> settle_amendments(const Desk& desk, const vault::GroupRow& group, UnixSeconds now) {
  TRY(const log::VerifierKey own, own_id_key(desk.card));
  TRY(const Membership membership, Membership::load(desk.vault, group, own));
  std::vector<Signing> settled;
  if (!membership.check(Act::amend, now)) return settled;
  TRY(const auto papers, papers_of_kind(desk.vault, group.id, kPaperAmendment));
  for (const vault::GroupPaper& paper : papers) {
    // One that a leave has made impossible, or that could not be taken now, stays and comes into force no more.
    auto amendment = read_amendment(membership.signed_charter(), paper.text, membership.left());
    if (!amendment || !amendment->in_force() || !check_room(*amendment) ||
        !check_nicks(membership.versions(), amendment->next.charter))
      continue;
    TRY(Signing signing, settle(desk, group, *std::move(amendment), now));
    settled.push_back(std::move(signing));
    break;  // the others follow a version that is no longer the last
  }
  return settled;
}

}  // namespace parley::group
