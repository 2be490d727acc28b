// Drafts, key packages and leaves: made and read (papers.h).
#include "group/papers.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/encoding.h"
#include "base/hidden.h"
#include "base/text.h"
#include "crypto/hash.h"
#include "group/card_rules.h"
#include "log/note.h"
#include "log/quorum.h"

namespace parley::group {
namespace {

using log::Json;
using log::ObjectReader;

constexpr std::size_t kMaxVkeyBytes = 300;
constexpr std::size_t kMaxNickBytes = 32;

Charter without_members(const Charter& charter, std::size_t finding_quorum) {
  Charter terms = charter;
  terms.members.clear();
  terms.log_quorum = 0;
  terms.finding_quorum = finding_quorum;
  return terms;
}

Status check_draft(const Charter& terms) {
  TRY_STATUS(check_terms(terms));
  if (terms.seq != 1 || !terms.members.empty() || terms.log_quorum != 0 ||
      (terms.finding_quorum != 0 && terms.finding_quorum < kFewestMembers))
    return fail(Errc::format, "This is no draft of a first charter: it says what only its members can settle.");
  return {};
}

Result<log::VerifierKey> id_key_of(const Card& card) {
  return log::parse_vkey(card.id_vkey);
}

Result<Leave> read_leave_unverified(const log::Note& note) {
  TRY(const Json object, log::read_object_unverified(note, kLeaveKind, kMaxPaperBytes));
  ObjectReader reader(object, "the leave");
  Leave leave;
  leave.charter = reader.digest("charter");
  leave.group = reader.text("group", kGroupIdDigits);
  leave.nick = reader.text("nick", kMaxNickBytes);
  leave.reason = reader.text("reason", kMaxReasonBytes);
  leave.time = reader.integer("time", 0, kLatestTime);
  reader.integer("v", 1, 1);
  if (visible(leave.reason) != leave.reason) reader.refuse("\"reason\" must be readable text");
  TRY_STATUS(reader.finish());
  return leave;
}

/// That a member of `charter` has signed it in its own name.
Status check_leave(const Leave& leave, const log::Note& note, const Charter& charter) {
  if (leave.group != charter.group) return fail(Errc::format, "The leave is of another group.");
  const CharterMember* member = charter.member(leave.nick);
  if (member == nullptr) return fail(Errc::signature, "The leave names nobody who is a member of this group.");
  TRY_STATUS(signers_without_strangers(note, std::span(&member->id, 1)));
  return {};
}

}  // namespace

Result<Charter> Draft::with(std::vector<CharterMember> members) const {
  Charter charter = terms;
  charter.members = std::move(members);
  std::ranges::sort(charter.members, {}, [](const CharterMember& member) { return member.keys.nick; });
  const std::size_t count = charter.members.size();
  if (count >= kFewestMembers && count <= kMostMembers) charter.log_quorum = log::log_quorum(count);
  if (charter.finding_quorum == 0) charter.finding_quorum = count;
  TRY_STATUS(check_charter(charter));
  return charter;
}

bool Draft::is_kept_by(const Charter& charter) const {
  const auto of_same_members = with(charter.members);
  return of_same_members && *of_same_members == charter;
}

Result<Draft> make_draft(Charter terms, const Card& drafter, const Secret<32>& id_seed) {
  terms = without_members(terms, terms.finding_quorum);
  TRY_STATUS(check_draft(terms));
  TRY(const log::VerifierKey id, id_key_of(drafter));
  const std::string text = charter_text(terms, kDraftKind);
  return Draft{terms, log::sign_note(text, id.name, id_seed), charter_hash(text)};
}

Result<Draft> read_draft(std::string_view text, std::span<const log::VerifierKey> keys) {
  TRY(const log::Note note, log::parse_note(text));
  if (note.signatures.size() != 1) return fail(Errc::format, "A draft has the signature of its drafter, and no other.");
  TRY(const auto signers, signers_without_strangers(note, keys));
  Draft draft;
  TRY(draft.terms, read_terms_unverified(note, kDraftKind));
  TRY_STATUS(check_draft(draft.terms));
  draft.note = text;
  draft.hash = charter_hash(note.text);
  return draft;
}

Result<KeyPackage> make_key_package(std::string_view group, const Digest& terms, const Card& card,
                                    const log::MemberKeys& keys, const Secret<32>& id_seed) {
  TRY(const log::VerifierKey id, id_key_of(card));
  const Json object = Json::Object{
      {"card", card.note},        {"cosign", keys.cosign.text()}, {"group", group}, {"log", keys.log.text()},
      {"node", keys.node.text()}, {"terms", to_hex(terms)},       {"v", 1}};
  return read_key_package(log::sign_object(kKeyPackageKind, object, id.name, id_seed));
}

Result<KeyPackage> read_key_package(std::string_view text) {
  TRY(const log::Note note, log::parse_note(text));
  if (note.signatures.size() != 1) return fail(Errc::format, "A key package has exactly one signature.");
  TRY(const Json object, log::read_object_unverified(note, kKeyPackageKind, kMaxPaperBytes));
  ObjectReader reader(object, "the key package");
  const std::string card = reader.text("card", kMaxCardBytes);
  const std::string cosign = reader.text("cosign", kMaxVkeyBytes);
  KeyPackage package;
  package.group = reader.text("group", kGroupIdDigits);
  const std::string log_key = reader.text("log", kMaxVkeyBytes);
  const std::string node = reader.text("node", kMaxVkeyBytes);
  package.terms = reader.digest("terms");
  reader.integer("v", 1, 1);
  if (!is_group_id(package.group)) reader.refuse("\"group\" must be 32 hexadecimal digits");
  TRY_STATUS(reader.finish());
  TRY(package.card, read_card(card));
  // A card has a one-line form, too; a package has one form.
  if (package.card.note != card) return fail(Errc::format, "The card in a key package must be the note itself.");
  TRY(package.member.id, id_key_of(package.card));
  TRY_STATUS(log::verify_note(note, package.member.id));
  package.member.card = crypto::sha256(as_bytes(card));
  package.member.tls_key = package.card.tls_key;
  package.member.keys.nick = package.card.nick;
  TRY(package.member.keys.cosign, log::parse_vkey(cosign));
  TRY(package.member.keys.log, log::parse_vkey(log_key));
  TRY(package.member.keys.node, log::parse_vkey(node));
  TRY_STATUS(log::admit_members(std::span(&package.member.keys, 1)));
  package.note = text;
  return package;
}

Result<Leave> make_leave(const Charter& charter, const CharterMember& member, std::string_view reason, UnixSeconds now,
                         const Secret<32>& id_seed) {
  const std::string hidden = hidden_in(reason);
  if (reason.size() > kMaxReasonBytes || !hidden.empty())
    return fail(Errc::usage, fmt::format("A reason has at most {} bytes of readable text.{}", kMaxReasonBytes, hidden));
  const Json object = Json::Object{{"charter", to_hex(charter_hash(charter))},
                                   {"group", charter.group},
                                   {"nick", member.keys.nick},
                                   {"reason", reason},
                                   {"time", now},
                                   {"v", 1}};
  return read_leave(log::sign_object(kLeaveKind, object, member.id.name, id_seed), charter);
}

Result<Leave> read_leave(std::string_view text, const Charter& charter) {
  TRY(const log::Note note, log::parse_note(text));
  TRY(Leave leave, read_leave_unverified(note));
  TRY_STATUS(check_leave(leave, note, charter));
  leave.note = text;
  return leave;
}

Result<Leave> read_leave(std::string_view text, std::span<const SignedCharter> versions) {
  TRY(const log::Note note, log::parse_note(text));
  TRY(Leave leave, read_leave_unverified(note));
  const auto named = std::ranges::find(versions, leave.charter, &SignedCharter::hash);
  if (named == versions.end())
    return fail(Errc::not_found,
                fmt::format("{} withdraws under a version of the charter that is not known here. Take the amendments "
                            "that the others have first: parley group take.",
                            visible(leave.nick)));
  TRY_STATUS(check_leave(leave, note, named->charter));
  leave.note = text;
  return leave;
}

Result<PaperHead> read_paper_head(std::string_view text) {
  TRY(const log::Note note, log::parse_note(text));
  PaperHead head;
  head.kind = note.text.substr(0, note.text.find('\n'));
  for (const std::string_view kind : {kDraftKind, kCharterKind, kKeyPackageKind, kLeaveKind}) {
    if (head.kind != kind) continue;
    TRY(const Json json, log::read_object_unverified(note, kind, kMaxPaperBytes));
    const auto* object = json.object();
    const auto group = object->find("group");
    if (group == object->end() || group->second.text() == nullptr || !is_group_id(*group->second.text()))
      return fail(Errc::format, "This paper does not say of which group it is.");
    head.group = *group->second.text();
    return head;
  }
  return fail(Errc::format, "This is no draft, key package, charter, amendment or leave of a group.");
}

}  // namespace parley::group
