// A member's part in a finding.
#include <fmt/format.h>

#include <algorithm>

#include "base/encoding.h"
#include "base/text.h"
#include "finding/casebook.h"
#include "finding/detail/records.h"
#include "finding/held_entry.h"
#include "group/rotation.h"
#include "log/quorum.h"

namespace parley::finding {

Result<std::vector<std::pair<Cut, std::string>>> Analyst::cut() {
  return log_.with([&](mirror::Replica& replica) -> Result<std::vector<std::pair<Cut, std::string>>> {
    std::vector<std::pair<Cut, std::string>> cut;
    for (const group::CharterMember& member : membership_.charter().members) {
      const auto note = replica.final_checkpoint(member.keys.nick, 1);
      if (!note && note.error().code == Errc::not_found) continue;
      if (!note) return std::unexpected(note.error());
      TRY(const log::Checkpoint checkpoint, log::read_checkpoint(*note, member.keys.log));
      cut.push_back({{member.keys.nick, checkpoint.size, checkpoint.root}, *note});
    }
    return cut;
  });
}

Status Analyst::check_refs(const Finding& finding) {
  TRY(const group::SignedCharter* charter, charter_of(finding, membership_));
  std::set<Digest> all;
  for (const Evidence& evidence : finding.evidence) all.insert(evidence.refs.begin(), evidence.refs.end());
  if (all.size() > kMaxRefs)
    return fail(Errc::limit, fmt::format("The finding rests on more than {} entries; no dossier could show them. Leave "
                                         "out what its judgement does not need.",
                                         kMaxRefs));
  for (const Evidence& evidence : finding.evidence) {
    for (const Digest& ref : evidence.refs) {
      TRY(const Place place, place_of(vault_, charter->charter, ref));
      const auto cut = std::ranges::find(finding.cut, place.nick, &Cut::nick);
      if (cut == finding.cut.end() || cut->size <= place.seq)
        return fail(Errc::policy,
                    fmt::format("{} rests on entry {} of {}, which no quorum held when the finding was frozen.",
                                visible(evidence.id), place.seq, place.nick));
      TRY(const auto rows, vault_.log_leaves(charter->charter.member(place.nick)->keys.log.name, place.seq, 1));
      if (rows.empty()) return fail(Errc::vault_damaged, "An entry of a log is not in the vault any more.");
      TRY(const log::Entry entry, log::read_entry_unverified(rows.front().note));
      TRY_STATUS(check_evidence(entry, place.nick, finding, membership_));
    }
  }
  return {};
}

Result<Place> Analyst::append(std::string_view type, log::Json body, std::vector<Digest> refs,
                              const std::function<Status()>& check) {
  TRY(const mirror::EntryView written,
      log_.append({.type = std::string(type),
                   .session = {},
                   .refs = std::move(refs),
                   .audience = {std::string(log::kEveryone)},
                   .body = std::move(body)},
                  [&](const mirror::EntryView&) { return check ? check() : Status{}; }));
  return Place{log_.nick(), written.entry.seq, written.leaf_hash};
}

Result<Digest> Analyst::draft(Finding finding, UnixSeconds now) {
  TRY_STATUS(membership_.check(group::Act::finding, now));
  const group::SignedCharter& charter = membership_.signed_charter();
  finding.group = charter.charter.group;
  finding.charter = charter.hash;
  TRY(finding.created, log_.time_of_next());
  finding.cut.clear();
  DraftBody body;
  TRY(auto logs, cut());
  for (auto& [cut, note] : logs) {
    finding.cut.push_back(cut);
    body.checkpoints.push_back(std::move(note));
  }
  TRY_STATUS(check(lint(finding, charter.charter, charter.hash)));
  TRY_STATUS(check_refs(finding));
  body.openings = freeze(finding);
  body.text = finding_text(finding);
  if (body.text.size() > kMaxFindingBytes)
    return fail(Errc::limit, fmt::format("The finding has {} bytes; {} is the limit. Shorten its texts.",
                                         body.text.size(), kMaxFindingBytes));
  TRY(const std::vector<log::MemberKeys> keys, group::member_keys(vault_, charter.charter));
  TRY_STATUS(check_cut(finding, body.checkpoints, charter.charter, keys, membership_.left()));
  TRY_STATUS(append(log::kFindingDraft, body.to_json(), {}));
  return finding_hash(body.text);
}

std::vector<Digest> Analyst::to_draft(const Case& of) const {
  return of.draft.nick == log_.nick() ? std::vector<Digest>() : std::vector{of.draft.leaf};
}

Status Analyst::check_signable(const Case& of) {
  TRY(const group::SignedCharter* charter, charter_of(of.finding, membership_));
  TRY_STATUS(check(lint(of.finding, charter->charter, charter->hash)));
  if (const UnixSeconds now = log_.time(); of.finding.created > now + charter->charter.clock_skew_seconds)
    return fail(
        Errc::policy,
        fmt::format("The finding states that it was made at {}, and it is {} here; by the charter clocks are at "
                    "most {} s apart. Nobody signs what has not been yet: sign it after that time, or have it "
                    "frozen anew.",
                    to_rfc3339(of.finding.created), to_rfc3339(now), charter->charter.clock_skew_seconds));
  return check_refs(of.finding);
}

Status Analyst::sign(const Case& of, const log::VerifierKey& id, const Secret<32>& id_seed, UnixSeconds now) {
  TRY_STATUS(membership_.check(group::Act::finding, now));
  if (of.signed_by(log_.nick())) return fail(Errc::exists, "You have signed this finding already.");
  if (of.has_dissent_of(log_.nick()))
    return fail(Errc::policy, "You dissent from this finding, and the others have that; it cannot be signed as well.");
  TRY_STATUS(check_signable(of));
  TRY(std::string note, sign_finding(of.text, id, id_seed));
  TRY_STATUS(append(log::kFindingSign, NoteBody{of.hash, std::move(note)}.to_json(), to_draft(of)));
  return {};
}

Status Analyst::dissent(const Case& of, std::vector<DissentPoint> points, const log::VerifierKey& id,
                        const Secret<32>& id_seed, UnixSeconds now) {
  TRY_STATUS(membership_.check(group::Act::dissent, now));
  const Dissent dissent{of.hash, of.finding.group, log_.nick(), now, std::move(points)};
  TRY(SignedDissent signed_dissent, sign_dissent(dissent, id, id_seed));
  TRY_STATUS(check_dissent(dissent, of.finding));
  DissentShares shares;
  for (const SignedDissent& one : of.dissents) TRY_STATUS(shares.take(one));
  if (const Status counts = shares.take(signed_dissent); !counts)
    return fail(Errc::limit, counts.error().message +
                                 " This one would be beyond that, and nobody's node would count "
                                 "it. Shorten it, or leave it at what you have said.");
  TRY_STATUS(append(log::kFindingDissent, NoteBody{of.hash, std::move(signed_dissent.note)}.to_json(), to_draft(of)));
  return {};
}

namespace {

std::unexpected<Error> too_much_handed_on() {
  return fail(Errc::limit,
              "Your log has as many dissents in it, your own and those that you handed on, as the others read of one "
              "member; what this publication names they would not get by it. Let another signer publish it.");
}

}  // namespace

Status Analyst::hand_on(const Case& of, const group::CharterMember& us) {
  const auto own = of.dissents_in.find(log_.nick());
  const auto handed_on = of.handed_on.find(log_.nick());
  DissentShares shares = handed_on == of.handed_on.end() ? DissentShares(kMostSharesHandedOn) : handed_on->second;
  std::vector<log::Json> notes;
  std::uint64_t bytes = 0;
  for (const SignedDissent& dissent : of.dissents) {
    if (own != of.dissents_in.end() && own->second.contains(dissent.hash)) continue;
    if (!shares.take(dissent)) return too_much_handed_on();
    bytes += log::write_pjson(notes.emplace_back(NoteBody{of.hash, dissent.note}.to_json())).size();
  }
  if (notes.empty()) return {};
  TRY(const detail::Records records, detail::Records::of(vault_, us));
  TRY(const bool counts, records.has_room(vault_, log::kFindingDissent, notes.size(), bytes));
  if (!counts) return too_much_handed_on();
  for (log::Json& note : notes) TRY_STATUS(append(log::kFindingDissent, std::move(note), to_draft(of)));
  return {};
}

/// The logs go on growing while a person reads what was here when the question was put.
Status Analyst::check_still_all(const Case& of) {
  const auto came_in = [&](std::string_view what, std::string_view who) {
    return fail(Errc::policy,
                fmt::format("{} of {} came in after this finding was read here, and nothing was published. Read it "
                            "(parley finding show {:.8}), and publish again.",
                            what, visible(who), to_hex(of.hash)));
  };
  TRY(const Casebook book, read_casebook(vault_, membership_));
  TRY(const Case* now, book.find(to_hex(of.hash)));
  for (const SignedDissent& one : now->dissents)
    if (std::ranges::find(of.dissents, one.hash, &SignedDissent::hash) == of.dissents.end())
      return came_in("A dissent", one.dissent.nick);
  for (const Withdrawn& one : now->withdrawals) {
    const auto is_it = [&](const Withdrawn& other) {
      return other.signed_withdrawal.hash == one.signed_withdrawal.hash;
    };
    if (std::ranges::none_of(of.withdrawals, is_it))
      return came_in("A withdrawal", one.signed_withdrawal.withdrawal.nick);
  }
  return {};
}

Status Analyst::publish(const Case& of, UnixSeconds now) {
  TRY_STATUS(membership_.check(group::Act::finding, now));
  TRY(const group::SignedCharter* charter, charter_of(of.finding, membership_));
  const std::size_t quorum = finding_quorum(charter->charter, membership_.left());
  if (!are_enough(charter->charter, membership_.left(), of.signers))
    return fail(Errc::policy, fmt::format("{} of {} signatures are here.", of.signers.size(), quorum));
  if (!of.signed_by(log_.nick())) return fail(Errc::policy, "Only who has signed a finding publishes it.");
  if (of.withdrawn_by(log_.nick())) return fail(Errc::policy, "You have withdrawn from this finding.");
  PublishBody body{of.hash, of.signers, {}};
  for (const SignedDissent& dissent : of.dissents) body.dissents.push_back(dissent.hash);
  // What no reader can be shown would spoil the publication for as long as that is so.
  for (const Withdrawn& one : of.withdrawals) {
    TRY(const auto held, held_entry(vault_, membership_, log_, of.finding, one.place));
    if (held) body.withdrawals.push_back(one.signed_withdrawal.hash);
  }
  const PublishBody* newest = nullptr;
  for (const Publication& publication : of.publications)
    if (publication.place.nick == log_.nick()) newest = &publication.body;
  if (newest != nullptr && newest->dissents == body.dissents && newest->withdrawals == body.withdrawals &&
      newest->signers == body.signers)
    return fail(Errc::exists, "You have published this finding, and nothing has come in since.");
  TRY_STATUS(hand_on(of, *charter->charter.member(log_.nick())));
  TRY_STATUS(append(log::kFindingPublish, body.to_json(), {}, [&] { return check_still_all(of); }));
  return {};
}

Status Analyst::withdraw(const Case& of, std::string reason, const log::VerifierKey& id, const Secret<32>& id_seed,
                         UnixSeconds now) {
  TRY_STATUS(membership_.check(group::Act::dissent, now));
  if (!of.signed_by(log_.nick()))
    return fail(Errc::policy, "You have not signed this finding. Who does not agree with it dissents.");
  if (of.withdrawn_by(log_.nick())) return fail(Errc::exists, "You have withdrawn from this finding already.");
  const Withdrawal withdrawal{of.hash, of.finding.group, log_.nick(), now, std::move(reason)};
  TRY(SignedWithdrawal signed_withdrawal, sign_withdrawal(withdrawal, id, id_seed));
  TRY_STATUS(
      append(log::kFindingWithdraw, NoteBody{of.hash, std::move(signed_withdrawal.note)}.to_json(), to_draft(of)));
  return {};
}

}  // namespace parley::finding
