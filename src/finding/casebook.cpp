// Reading what the logs say of findings. Whatever stands there was written by a member that may be hostile: an entry
// that does not hold is an oddity, and never stops the others from being read.
#include "finding/casebook.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/encoding.h"
#include "base/text.h"
#include "group/founding.h"
#include "group/rotation.h"
#include "log/quorum.h"

namespace parley::finding {
namespace {

constexpr std::uint64_t kLeavesAtOnce = 4096;
constexpr std::size_t kFewestDigits = 4;
/// Stands in every header of an entry about a finding, and in few others: only those are parsed.
constexpr std::string_view kTypeMark = R"("type":"finding.)";

struct Found {
  Place place;
  log::Entry entry;
  std::optional<log::Json> body;  ///< nothing where it is not here
};

/// The entries about findings that every member may read.
Status read_log(vault::Vault& vault, const group::CharterMember& member, std::vector<Found>& found,
                std::vector<Oddity>& oddities) {
  for (std::uint64_t from = 0;; from += kLeavesAtOnce) {
    TRY(const auto rows, vault.log_leaves(member.keys.log.name, from, kLeavesAtOnce));
    for (const vault::LogLeaf& row : rows) {
      if (row.note.find(kTypeMark) == std::string::npos) continue;
      TRY(const log::Entry entry, log::read_entry_unverified(row.note));
      if (!entry.type.starts_with("finding.")) continue;
      const Place place{member.keys.nick, entry.seq, row.hash};
      // What some can read only would be another case to the others.
      if (entry.audience != std::vector{std::string(log::kEveryone)}) {
        oddities.push_back({place, "it is not for everybody in the group"});
        continue;
      }
      TRY(const auto body, vault.log_body(entry.body));
      const auto opened = body ? log::open_body(entry, {body->salt, std::string(as_text(body->content))})
                               : fail(Errc::not_found, "its body is not here");
      if (!opened) oddities.push_back({place, opened.error().message});
      // What its author wrote badly is the same to everybody; what is damaged or lost here is not.
      if (opened)
        found.push_back({place, entry, *opened});
      else if (opened.error().code == Errc::not_found || opened.error().code == Errc::signature)
        found.push_back({place, entry, std::nullopt});
    }
    if (rows.size() < kLeavesAtOnce) return {};
  }
}

Result<Case> read_draft(vault::Vault& vault, const Found& found, const group::Membership& membership) {
  TRY(DraftBody body, DraftBody::from_json(*found.body));
  Case read;
  read.hash = finding_hash(body.text);
  TRY(read.finding, read_finding_text(body.text));
  if (read.finding.group != membership.charter().group) return fail(Errc::format, "It is of another group.");
  TRY_STATUS(open(read.finding, body.openings));
  for (const Placed& placed : redactable_texts(read.finding))
    if (!placed.text->shown) return fail(Errc::format, fmt::format("It does not show {} to the members.", placed.path));
  TRY(const group::SignedCharter* charter, charter_of(read.finding, membership));
  TRY(const std::vector<log::MemberKeys> keys, group::member_keys(vault, charter->charter));
  TRY_STATUS(check_cut(read.finding, body.checkpoints, charter->charter, keys, membership.left()));
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
  of.note = of.note.empty() ? read.note : group::merge_signatures(of.note, read.note);
  if (!of.signed_by(found.place.nick)) of.signers.push_back(found.place.nick);
  std::ranges::sort(of.signers);
  return {};
}

Status take_dissent(const Found& found, const NoteBody& body, Case& of, const group::Charter& charter) {
  TRY(SignedDissent read, read_dissent(body.note, charter));
  if (read.dissent.finding != of.hash) return fail(Errc::format, "It is about another finding.");
  if (read.dissent.nick != found.place.nick) return fail(Errc::signature, "It is not by whose log it stands in.");
  TRY_STATUS(check_dissent(read.dissent, of.finding));
  const auto others = std::ranges::count_if(of.dissents, [&](const SignedDissent& one) {
    return one.dissent.nick == found.place.nick && one.hash != read.hash;
  });
  if (static_cast<std::size_t>(others) >= kMaxDissentsOfOne)
    return fail(Errc::limit,
                fmt::format("Of one member's dissents about a finding the first {} count.", kMaxDissentsOfOne));
  if (std::ranges::find(of.dissents, read.hash, &SignedDissent::hash) == of.dissents.end())
    of.dissents.push_back(std::move(read));
  std::ranges::sort(of.dissents, {}, &SignedDissent::hash);
  return {};
}

Status take_withdrawal(const Found& found, const NoteBody& body, Case& of, const group::Charter& charter) {
  TRY(SignedWithdrawal read, read_withdrawal(body.note, charter));
  if (read.withdrawal.finding != of.hash || read.withdrawal.group != of.finding.group)
    return fail(Errc::format, "It is of another finding.");
  if (read.withdrawal.nick != found.place.nick) return fail(Errc::signature, "It is not by whose log it stands in.");
  if (!of.signed_by(found.place.nick)) return fail(Errc::policy, "It is by a member that has not signed.");
  if (of.withdrawn_by(found.place.nick)) return fail(Errc::exists, "Its author has withdrawn already.");
  of.withdrawals.push_back({found.place, std::move(read)});
  std::ranges::sort(of.withdrawals, {}, [](const Withdrawn& one) { return one.signed_withdrawal.hash; });
  return {};
}

Case* case_of(Casebook& book, const Digest& hash) {
  const auto found = std::ranges::find(book.cases, hash, &Case::hash);
  return found == book.cases.end() ? nullptr : &*found;
}

Status take_note(const Found& found, Casebook& book, const group::Membership& membership) {
  TRY(const NoteBody body, NoteBody::from_json(*found.body));
  Case* of = case_of(book, body.finding);
  if (of == nullptr) return fail(Errc::not_found, "No draft of this finding is here.");
  TRY(const group::SignedCharter* charter, charter_of(of->finding, membership));
  if (found.entry.type == log::kFindingSign) return take_signature(found, body, *of, charter->charter);
  if (found.entry.type == log::kFindingDissent) return take_dissent(found, body, *of, charter->charter);
  return take_withdrawal(found, body, *of, charter->charter);
}

/// Gives an entry without a body to the findings that it may be about. Honest programs refer to the draft, unless that
/// is their own.
void take_unread(const Found& found, Casebook& book) {
  if (found.entry.type != log::kFindingDissent && found.entry.type != log::kFindingWithdraw) return;
  const auto refers_to = [&](const Case& of) {
    return std::ranges::find(found.entry.refs, of.draft.leaf) != found.entry.refs.end();
  };
  const bool names_one = std::ranges::any_of(book.cases, refers_to);
  for (Case& of : book.cases)
    if (!names_one || refers_to(of)) of.unread.push_back({found.place, found.entry.type});
}

Status take_publication(const Found& found, Casebook& book) {
  TRY(PublishBody body, PublishBody::from_json(*found.body));
  Case* of = case_of(book, body.finding);
  if (of == nullptr) return fail(Errc::not_found, "No draft of this finding is here.");
  of->publications.push_back({found.place, std::move(body)});
  return {};
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

Result<Casebook> read_casebook(vault::Vault& vault, const group::Membership& membership) {
  Casebook book;
  std::vector<Found> found;
  std::set<std::string> read;
  for (const group::SignedCharter& version : membership.versions())
    for (const group::CharterMember& member : version.charter.members)
      if (read.insert(member.keys.log.name).second) TRY_STATUS(read_log(vault, member, found, book.oddities));
  std::ranges::sort(found, {}, [](const Found& one) {
    return std::tuple(one.entry.time, std::string_view(one.place.nick), one.place.seq);
  });
  for (const Found& one : found) {
    if (one.entry.type != log::kFindingDraft || !one.body) continue;
    auto draft = read_draft(vault, one, membership);
    if (!draft)
      book.oddities.push_back({one.place, draft.error().message});
    else if (case_of(book, draft->hash) == nullptr)
      book.cases.push_back(std::move(*draft));
  }
  // By place: which of a member's entries count must not change when it writes more. All signatures come first, since a
  // withdrawal counts wherever its author's signature stands: a dossier does not show the places of signatures.
  std::ranges::sort(found, {}, [](const Found& one) {
    return std::tuple(one.entry.type != log::kFindingSign, std::string_view(one.place.nick), one.place.seq);
  });
  for (const Found& one : found) {
    Status taken;
    if (!one.body)
      take_unread(one, book);
    else if (one.entry.type == log::kFindingSign || one.entry.type == log::kFindingDissent ||
             one.entry.type == log::kFindingWithdraw)
      taken = take_note(one, book, membership);
    else if (one.entry.type == log::kFindingPublish)
      taken = take_publication(one, book);
    if (!taken) book.oddities.push_back({one.place, taken.error().message});
  }
  return book;
}

Result<Place> place_of(vault::Vault& vault, const group::Charter& charter, const Digest& leaf) {
  for (const group::CharterMember& member : charter.members) {
    TRY(const auto seq, vault.log_index(member.keys.log.name, leaf));
    if (seq) return Place{member.keys.nick, *seq, leaf};
  }
  return fail(Errc::not_found,
              fmt::format("The entry {} is in no log that is held here.", to_hex(leaf).substr(0, 2 * kFewestDigits)));
}

Status check_cut(const Finding& finding, std::span<const std::string> checkpoints, const group::Charter& charter,
                 std::span<const log::MemberKeys> keys, const Left& left) {
  if (checkpoints.size() != finding.cut.size())
    return fail(Errc::format, "The finding's cut has not one checkpoint for each log.");
  for (std::size_t i = 0; i < finding.cut.size(); ++i) {
    const Cut& cut = finding.cut[i];
    const auto owner = std::ranges::find(keys, cut.nick, &log::MemberKeys::nick);
    if (owner == keys.end())
      return fail(Errc::format, fmt::format("The cut is of {}, who is no member.", visible(cut.nick)));
    TRY(const log::Standing standing,
        log::read_standing(checkpoints[i], keys, static_cast<std::size_t>(owner - keys.begin()), charter.log_quorum));
    if (standing.checkpoint.size != cut.size || standing.checkpoint.root != cut.root)
      return fail(Errc::signature, fmt::format("The checkpoint of {} is not the one of the cut.", cut.nick));
    std::vector<std::string> holders;
    for (const std::size_t holder : standing.holders) holders.push_back(keys[holder].nick);
    if (!hold_together(charter, left, holders))
      return fail(Errc::policy,
                  fmt::format("Of the log of {} only {} of {} members hold what the finding rests on; {} are due.",
                              cut.nick, standing.holders.size(), standing.member_count, standing.quorum));
  }
  return {};
}

}  // namespace parley::finding
