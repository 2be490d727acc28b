// Reading what the logs say of findings. Whatever stands there was written by a member that may be hostile: an entry
// that does not hold is an oddity, and never stops the others from being read.
#include "finding/casebook.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/encoding.h"
#include "base/text.h"
#include "finding/detail/dissents.h"
#include "finding/detail/records.h"
#include "group/founding.h"
#include "group/rotation.h"
#include "log/quorum.h"
#include "mirror/vault_store.h"

namespace parley::finding {
namespace {

using detail::Found, detail::Oddities, detail::Records;

constexpr std::size_t kFewestDigits = 4;
/// Entries without bodies of one member that may be about one finding. Whoever cannot read so many waits for these
/// first.
constexpr std::size_t kMaxUnreadOfOne = 2 * kMaxDissentsOfOne;

/// The members' keys by each version of the charter, read once.
class KeysOfVersions {
 public:
  KeysOfVersions(vault::Vault& vault, const group::Membership& membership) : vault_(vault), membership_(membership) {}

  const group::Membership& membership() const { return membership_; }
  Result<std::span<const log::MemberKeys>> of(const group::SignedCharter& version) {
    auto place = keys_.find(version.hash);
    if (place == keys_.end()) {
      TRY(auto keys, group::member_keys(vault_, version.charter));
      place = keys_.emplace(version.hash, std::move(keys)).first;
    }
    return std::span<const log::MemberKeys>(place->second);
  }

 private:
  vault::Vault& vault_;
  const group::Membership& membership_;
  std::map<Digest, std::vector<log::MemberKeys>> keys_;
};

Status keep_what_counts(const Finding& finding, std::vector<std::string>& checkpoints,
                        std::span<const log::MemberKeys> keys) {
  for (std::size_t i = 0; i < checkpoints.size(); ++i) {
    const auto owner = std::ranges::find(keys, finding.cut[i].nick, &log::MemberKeys::nick);
    TRY(checkpoints[i], log::only_what_counts(checkpoints[i], keys, static_cast<std::size_t>(owner - keys.begin())));
  }
  return {};
}

/// What all of this book is judged by.
struct Bench {
  KeysOfVersions keys;
  CutJudge cuts;
  std::map<Digest, detail::Dissents> dissents = {};  // by finding

  const group::Membership& membership() const { return keys.membership(); }
};

Result<Case> read_draft(const Found& found, Bench& bench) {
  const group::Membership& membership = bench.membership();
  TRY(DraftBody body, DraftBody::from_json(*found.body));
  Case read;
  read.hash = finding_hash(body.text);
  TRY(read.finding, read_finding_text(body.text));
  if (read.finding.group != membership.charter().group) return fail(Errc::format, "It is of another group.");
  TRY_STATUS(open(read.finding, body.openings));
  for (const Placed& placed : redactable_texts(read.finding))
    if (!placed.text->shown) return fail(Errc::format, fmt::format("It does not show {} to the members.", placed.path));
  TRY(const group::SignedCharter* charter, charter_of(read.finding, membership));
  TRY_STATUS(check_frozen_when_made(read.finding, found.entry.time, charter->charter));
  TRY(const auto keys, bench.keys.of(*charter));
  TRY_STATUS(bench.cuts.judge({.finding = read.finding,
                               .checkpoints = body.checkpoints,
                               .charter = charter->charter,
                               .keys = keys,
                               .author_origin = found.origin,
                               .seq = found.place.seq}));
  read.drafted = found.entry.time;
  read.text = std::move(body.text);
  read.openings = std::move(body.openings);
  read.checkpoints = std::move(body.checkpoints);
  read.draft = found.place;
  return read;
}

Status take_signature(const Found& found, const NoteBody& body, Case& of, const group::Charter& charter) {
  TRY(const SignedFinding read, read_signed_finding(body.note, charter));
  if (read.hash != of.hash) return fail(Errc::format, "It is a signature of another finding.");
  if (read.signers != std::vector{found.place.nick})
    return fail(Errc::signature, "It is not signed by whose log it stands in.");
  // Of two by one key no reader would take both.
  if (of.signed_by(found.place.nick)) return {};
  of.note = of.note.empty() ? read.note : group::merge_signatures(of.note, read.note);
  of.signers.push_back(found.place.nick);
  std::ranges::sort(of.signers);
  return {};
}

/// A member's own, or another's that it hands on: the note is signed by its author, whoever's log it stands in.
Status take_dissent(const Found& found, const NoteBody& body, Case& of, const group::Charter& charter, Bench& bench) {
  TRY(SignedDissent read, read_dissent(body.note, charter));
  if (read.dissent.finding != of.hash) return fail(Errc::format, "It is about another finding.");
  TRY_STATUS(check_dissent(read.dissent, of.finding));
  return bench.dissents[of.hash].take(std::move(read), found.place, of);
}

void wait_for(const Found& found, Unread::Lacking lacking, Case& of) {
  const auto of_one = std::ranges::count(of.unread, found.place.nick, [](const Unread& one) { return one.place.nick; });
  if (static_cast<std::size_t>(of_one) < kMaxUnreadOfOne) of.unread.push_back({found.place, found.entry.type, lacking});
}

Status take_withdrawal(const Found& found, const NoteBody& body, Case& of, const group::Charter& charter,
                       Bench& bench) {
  TRY(SignedWithdrawal read, read_withdrawal(body.note, charter));
  if (read.withdrawal.finding != of.hash || read.withdrawal.group != of.finding.group)
    return fail(Errc::format, "It is of another finding.");
  if (read.withdrawal.nick != found.place.nick) return fail(Errc::signature, "It is not by whose log it stands in.");
  if (!of.signed_by(found.place.nick)) return fail(Errc::policy, "It is by a member that has not signed.");
  if (of.withdrawn_by(found.place.nick)) return fail(Errc::exists, "Its author has withdrawn already.");
  if (const Status showable = check_showable(found.entry, found.place.nick, bench.membership()); !showable) {
    if (showable.error().code == Errc::not_found) wait_for(found, Unread::Lacking::charter, of);
    return showable;
  }
  of.withdrawals.push_back({found.place, std::move(read), found.entry.time});
  // Whoever has withdrawn need not be waited for with the same again.
  std::erase_if(of.unread, [&](const Unread& one) {
    return one.lacking == Unread::Lacking::charter && one.place.nick == found.place.nick;
  });
  std::ranges::sort(of.withdrawals, {}, [](const Withdrawn& one) { return one.signed_withdrawal.hash; });
  return {};
}

Case* case_of(Casebook& book, const Digest& hash) {
  const auto found = std::ranges::find(book.cases, hash, &Case::hash);
  return found == book.cases.end() ? nullptr : &*found;
}

Status take_note(const Found& found, Casebook& book, Bench& bench) {
  TRY(const NoteBody body, NoteBody::from_json(*found.body));
  Case* of = case_of(book, body.finding);
  if (of == nullptr) return fail(Errc::not_found, "No draft of this finding is here.");
  TRY(const group::SignedCharter* charter, charter_of(of->finding, bench.membership()));
  if (found.entry.type == log::kFindingSign) return take_signature(found, body, *of, charter->charter);
  if (found.entry.type == log::kFindingDissent) return take_dissent(found, body, *of, charter->charter, bench);
  return take_withdrawal(found, body, *of, charter->charter, bench);
}

/// Gives an entry without a body to the findings that it may be about. Honest programs refer to the draft, unless that
/// is their own.
void take_unread(const Found& found, Casebook& book, Bench& bench) {
  const auto refers_to = [&](const Case& of) {
    return std::ranges::find(found.entry.refs, of.draft.leaf) != found.entry.refs.end();
  };
  // Nobody need wait for the words of a withdrawal that would not count.
  if (found.entry.type == log::kFindingWithdraw)
    if (const Status showable = check_showable(found.entry, found.place.nick, bench.membership());
        !showable && showable.error().code != Errc::not_found)
      return;
  const bool names_one = std::ranges::any_of(book.cases, refers_to);
  for (Case& of : book.cases) {
    if (names_one && !refers_to(of)) continue;
    wait_for(found, Unread::Lacking::words, of);
  }
}

Status take_publication(const Found& found, Casebook& book, Bench& bench) {
  TRY(PublishBody body, PublishBody::from_json(*found.body));
  Case* of = case_of(book, body.finding);
  if (of == nullptr) return fail(Errc::not_found, "No draft of this finding is here.");
  TRY_STATUS(check_showable(found.entry, found.place.nick, bench.membership()));
  // Or those whom its author does not show the dissent could do nothing with what they have signed.
  const std::map<Digest, std::uint64_t>& in_log = of->dissents_in[found.place.nick];
  for (const Digest& hash : body.dissents) {
    if (const auto handed_on = in_log.find(hash); handed_on != in_log.end() && handed_on->second < found.place.seq)
      continue;
    const bool waits = std::ranges::any_of(of->unread, [&](const Unread& one) {
      return one.type == log::kFindingDissent && one.place.nick == found.place.nick && one.place.seq < found.place.seq;
    });
    if (waits)
      return fail(
          Errc::not_found,
          fmt::format("It names a dissent whose words stand before it in the log of {} and are not here. parley "
                      "finding list --call asks for them.",
                      found.place.nick));
    return fail(Errc::policy,
                fmt::format("It names a dissent that does not stand before it in the log of {}, so that it need not "
                            "be with all who have the publication. {} publishes again: parley finding publish hands "
                            "on what it names.",
                            found.place.nick, found.place.nick));
  }
  of->publications.push_back({found.place, std::move(body)});
  return {};
}

auto order_of(const Case& of) {
  return std::tuple(of.drafted, std::string_view(of.draft.nick), of.draft.seq);
}

/// Of several drafts of one finding the first counts, by their clocks, with what any of them has of cosignatures:
/// whoever repeats one can leave lines out as well.
Status take_draft(Case read, Casebook& book, Bench& bench) {
  Case* of = case_of(book, read.hash);
  if (of == nullptr) {
    book.cases.push_back(std::move(read));
    return {};
  }
  std::vector<std::string> checkpoints;
  for (std::size_t i = 0; i < of->checkpoints.size(); ++i)
    checkpoints.push_back(group::merge_signatures(of->checkpoints[i], read.checkpoints[i]));
  TRY(const group::SignedCharter* charter, charter_of(of->finding, bench.membership()));
  TRY(const auto keys, bench.keys.of(*charter));
  TRY_STATUS(keep_what_counts(of->finding, checkpoints, keys));
  if (order_of(read) < order_of(*of)) *of = std::move(read);
  of->checkpoints = std::move(checkpoints);
  return {};
}

/// Says at the finding itself what its readers would miss: a publication or withdrawal that is about it and does not
/// count.
void set_aside(const Found& found, const std::string& why, Casebook& book) {
  Case* of = nullptr;
  if (found.entry.type == log::kFindingPublish) {
    if (const auto body = PublishBody::from_json(*found.body)) of = case_of(book, body->finding);
  } else if (found.entry.type == log::kFindingWithdraw) {
    if (const auto body = NoteBody::from_json(*found.body)) of = case_of(book, body->finding);
  }
  if (of != nullptr) of->set_aside.push_back({found.place, why});
}

void judge(const Found& found, Casebook& book, Bench& bench, Oddities& oddities) {
  if (!found.body) {
    if (found.entry.type == log::kFindingDissent || found.entry.type == log::kFindingWithdraw)
      take_unread(found, book, bench);
    return;
  }
  Status taken;
  if (found.entry.type == log::kFindingDraft) {
    auto draft = read_draft(found, bench);
    taken = draft ? take_draft(*std::move(draft), book, bench) : Status(std::unexpected(std::move(draft).error()));
  } else if (found.entry.type == log::kFindingPublish) {
    taken = take_publication(found, book, bench);
  } else {
    taken = take_note(found, book, bench);
  }
  if (!taken && oddities.add(found.place, taken.error().message)) set_aside(found, taken.error().message, book);
}

/// Whose logs need not be the same to all: a proven fault has ended them, or they are exchanged no more since their
/// owners are not in the charter.
Result<std::set<std::string>> in_doubt(vault::Vault& vault, const group::Membership& membership,
                                       std::span<const Records> logs) {
  mirror::VaultStore store(vault, membership.charter().group, {}, 0);
  std::set<std::string> nicks;
  for (const Records& log : logs) {
    TRY(const auto fault, store.fault(log.origin()));
    if (fault || membership.charter().member(log.nick()) == nullptr) nicks.insert(log.nick());
  }
  return nicks;
}

}  // namespace

bool Case::signed_by(std::string_view nick) const {
  return std::ranges::find(signers, nick) != signers.end();
}
bool Case::has_dissent_of(std::string_view nick) const {
  return std::ranges::any_of(dissents, [&](const SignedDissent& one) { return one.dissent.nick == nick; });
}
bool Case::withdrawn_by(std::string_view nick) const {
  return std::ranges::any_of(withdrawals, [&](const Withdrawn& one) { return one.place.nick == nick; });
}
std::vector<std::string> Case::standing() const {
  std::vector<std::string> nicks = signers;
  std::erase_if(nicks, [&](const std::string& nick) { return withdrawn_by(nick); });
  return nicks;
}
std::vector<std::string> Case::publishers() const {
  std::set<std::string> nicks;
  for (const Publication& publication : publications)
    if (signed_by(publication.place.nick)) nicks.insert(publication.place.nick);
  return {nicks.begin(), nicks.end()};
}

Result<const Case*> Casebook::find(std::string_view prefix) const {
  const Case* found = nullptr;
  if (prefix.size() < kFewestDigits)
    return fail(Errc::usage, "A finding is named by at least four digits of its hash.");
  for (const Case& one : cases) {
    if (!to_hex(one.hash).starts_with(prefix)) continue;
    if (found != nullptr) return fail(Errc::usage, "Several findings begin so; give more digits.");
    found = &one;
  }
  if (found == nullptr)
    return fail(Errc::not_found,
                fmt::format("No finding {} is here; parley finding list shows those that are.", visible(prefix)));
  return found;
}

Result<const group::SignedCharter*> charter_of(const Finding& finding, const group::Membership& membership) {
  for (const group::SignedCharter& version : membership.versions())
    if (version.hash == finding.charter) return &version;
  return fail(Errc::not_found, "It was frozen under a version of the charter that is not known here.");
}

// One entry after the other, so that no member's log fills the memory. By member and place: which of a member's entries
// count must not change when it writes more. All signatures come before the rest, since a withdrawal counts wherever
// its author's signature stands: a dossier does not show the places of signatures.
Result<Casebook> read_casebook(vault::Vault& vault, const group::Membership& membership) {
  Casebook book;
  std::vector<Records> logs;
  std::set<std::string> read;
  for (const group::SignedCharter& version : membership.versions())
    for (const group::CharterMember& member : version.charter.members)
      if (read.insert(member.keys.log.name).second) {
        TRY(logs.emplace_back(), Records::of(vault, member));
      }
  std::ranges::stable_sort(logs, {}, &Records::nick);
  TRY(CutJudge cuts, CutJudge::make(vault, membership));
  Bench bench{.keys = {vault, membership}, .cuts = std::move(cuts)};
  Oddities oddities(book);
  for (const detail::Share& share : detail::kShares) {
    for (const Records& log : logs)
      TRY_STATUS(log.judge_each(vault, share.type, oddities,
                                [&](const Found& found) { judge(found, book, bench, oddities); }));
    if (share.type == log::kFindingDraft) std::ranges::sort(book.cases, {}, order_of);
  }
  TRY(const std::set<std::string> doubtful, in_doubt(vault, membership, logs));
  for (Case& of : book.cases) {
    std::vector<Oddity> left_out;
    bench.dissents[of.hash].count(doubtful, of, left_out);
    for (Oddity& one : left_out) oddities.add(one.place, std::move(one.why));
  }
  return book;
}

Result<Place> place_of(vault::Vault& vault, const group::Charter& charter, const Digest& leaf) {
  for (const group::CharterMember& member : charter.members) {
    const auto seq = vault.log_index(member.keys.log.name, leaf);
    if (!seq && seq.error().code != Errc::not_found) return std::unexpected(seq.error());
    if (seq && *seq) return Place{member.keys.nick, **seq, leaf};
  }
  return fail(Errc::not_found,
              fmt::format("The entry {} is in no log that is held here.", to_hex(leaf).substr(0, 2 * kFewestDigits)));
}

Status check_showable(const log::Entry& entry, std::string_view nick, const group::Membership& membership) {
  const auto& versions = membership.versions();
  const auto named = std::ranges::find(versions, entry.charter, &group::SignedCharter::hash);
  if (named != versions.end()) return check_within(named->charter, entry, nick);
  return fail(Errc::not_found, fmt::format("Entry {} of {} names a version of the charter that is not known here. Take "
                                           "the amendments that the others have: parley group take.",
                                           entry.seq, visible(nick)));
}

Status check_evidence(const log::Entry& entry, std::string_view nick, const Finding& of,
                      const group::Membership& membership) {
  TRY(const group::SignedCharter* last, charter_of(of, membership));
  const std::span known(membership.versions().data(), last + 1);
  if (std::ranges::find(known, entry.charter, &group::SignedCharter::hash) == known.end())
    return fail(Errc::policy,
                fmt::format("Entry {} of {} names a version of the charter that was not in force when the finding was "
                            "frozen, so nobody can tell whether it was within the charter. Freeze the finding anew "
                            "once that version is in force here, or leave the entry out.",
                            entry.seq, visible(nick)));
  TRY_STATUS(check_showable(entry, nick, membership));
  return check_was_there(entry, nick, of, last->charter);
}

}  // namespace parley::finding
