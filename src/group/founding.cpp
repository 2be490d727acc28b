// Drafting, joining and signing (founding.h).
#include "group/founding.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/encoding.h"
#include "base/random.h"
#include "base/text.h"
#include "group/card_rules.h"
#include "group/paper_kinds.h"
#include "log/note.h"

namespace parley::group {
namespace {

constexpr std::size_t kGroupIdBytes = kGroupIdDigits / 2;

Status check_own_name(std::string_view name) {
  if (is_nick(name)) return {};
  return fail(Errc::usage, "Your own short name for a group has 1 to 32 of a-z, 0-9 and \"-\".");
}

/// The `id` keys of this member and of all pinned peers.
Result<std::vector<log::VerifierKey>> known_id_keys(const Desk& desk) {
  TRY(auto own, own_id_key(desk.card));
  std::vector keys{std::move(own)};
  TRY(const auto peers, desk.vault.peers());
  for (const vault::Peer& peer : peers) {
    TRY(const Card card, read_card(peer.card));
    TRY(keys.emplace_back(), log::parse_vkey(card.id_vkey));
  }
  return keys;
}

/// The group's row, made when the vault has none of this id.
Result<vault::GroupRow> row_for(const Desk& desk, std::string_view name, const std::string& id, UnixSeconds now) {
  TRY(const auto groups, desk.vault.groups());
  const auto known = std::ranges::find(groups, id, &vault::GroupRow::id);
  if (known != groups.end()) return *known;
  TRY_STATUS(check_own_name(name));
  vault::GroupRow row{
      .id = id, .name = std::string(name), .state = std::string(kForming), .created = now, .latest = now};
  TRY_STATUS(desk.vault.put_group(row));
  return row;
}

Result<KeyPackage> make_own_package(const Desk& desk, const vault::GroupRow& group, std::string_view domain,
                                    const Digest& terms, const Secret<32>& id_seed) {
  TRY(const auto papers, papers_of_kind(desk.vault, group.id, kPaperKeyPackage));
  for (const vault::GroupPaper& paper : papers)
    if (paper.key == desk.card.nick) return read_key_package(paper.text);
  // A process that ended on the way left keys that no package names yet, or a file that nothing opens any more.
  auto keys = load_group_keys(desk.folder, desk.vault, domain, group.id, desk.card.nick);
  if (!keys && keys.error().code == Errc::not_found) {
    TRY_STATUS(destroy_group_keys(desk.folder, desk.vault, group.id));
    keys = create_group_keys(desk.folder, desk.vault, domain, group.id, desk.card.nick);
  }
  if (!keys) return std::unexpected(std::move(keys).error());
  TRY(KeyPackage package, make_key_package(group.id, terms, desk.card, keys->keys, id_seed));
  TRY_STATUS(desk.vault.put_group_paper(group.id, {std::string(kPaperKeyPackage), desk.card.nick, package.note}));
  return package;
}

/// The charter of our draft for the members whose key packages have come.
Result<Charter> assemble(const Desk& desk, const vault::GroupRow& group) {
  TRY(const Draft draft, stored_draft(desk.vault, group));
  TRY(const auto papers, papers_of_kind(desk.vault, group.id, kPaperKeyPackage));
  std::vector<CharterMember> members;
  for (const vault::GroupPaper& paper : papers) {
    TRY(const KeyPackage package, read_key_package(paper.text));
    members.push_back(package.member);
  }
  if (members.size() < kFewestMembers)
    return fail(Errc::not_found,
                "Nobody has joined yet. Invite members (parley invite) and take what their parley group "
                "join gives them (parley group take FILE).");
  return draft.with(std::move(members));
}

Result<bool> is_drafter(const Desk& desk, const vault::GroupRow& group) {
  TRY(const auto drafts, papers_of_kind(desk.vault, group.id, kPaperDraft));
  if (drafts.empty()) return false;
  TRY(const log::VerifierKey own, own_id_key(desk.card));
  return read_draft(drafts.front().text, std::span(&own, 1)).has_value();
}

Result<SignedCharter> founding_to_sign(const Desk& desk, const vault::GroupRow& group) {
  TRY(const auto papers, papers_of_kind(desk.vault, group.id, kPaperCharter));
  if (!papers.empty()) return read_founding(papers.front().text);
  TRY(const bool ours, is_drafter(desk, group));
  if (!ours)
    return fail(Errc::not_found,
                "There is no charter to sign yet: whoever drafted it sends one when everybody has joined "
                "(parley group take FILE).");
  SignedCharter read;
  TRY(read.charter, assemble(desk, group));
  read.hash = charter_hash(read.charter);
  return read;
}

Result<Signing> amendment_to_sign(const Desk& desk, const vault::GroupRow& group, const Membership& membership,
                                  std::string_view wanted) {
  TRY(const auto papers, papers_of_kind(desk.vault, group.id, kPaperAmendment));
  std::optional<Signing> found;
  for (const vault::GroupPaper& paper : papers) {
    if (!paper.key.starts_with(wanted)) continue;
    TRY(Amendment amendment, read_amendment(membership.signed_charter(), paper.text, membership.left()));
    if (found)
      return fail(Errc::usage,
                  "More than one amendment waits. Say which by the first digits of its hash: --amendment; "
                  "parley group show lists them.");
    const std::vector<std::string> missing = amendment.missing();
    found = Signing{.group = group.name,
                    .charter = std::move(amendment.next),
                    .changes = std::move(amendment.assessment.changes),
                    .needs = std::move(amendment.assessment.needs.why),
                    .missing = missing,
                    .in_force = missing.empty()};
  }
  if (!found)
    return fail(Errc::not_found, fmt::format("In the group {} nothing waits for your signature.", visible(group.name)));
  return *std::move(found);
}

/// `unsigned_charter` with our signature.
Result<std::string> with_our_signature(const Desk& desk, const SignedCharter& charter, const Secret<32>& id_seed) {
  TRY(const log::VerifierKey own, own_id_key(desk.card));
  if (charter.note.empty()) return log::sign_note(charter_text(charter.charter), own.name, id_seed);
  if (charter.signed_by(desk.card.nick))
    return fail(Errc::exists, "You have signed it already. It is with the others now.");
  return log::add_signature(charter.note, own.name, id_seed);
}

Status check_names_us(const Desk& desk, const vault::GroupRow& group, const Charter& charter) {
  const CharterMember* us = charter.member(desk.card.nick);
  TRY(const auto papers, papers_of_kind(desk.vault, group.id, kPaperKeyPackage));
  for (const vault::GroupPaper& paper : papers) {
    if (paper.key != desk.card.nick) continue;
    TRY(const KeyPackage package, read_key_package(paper.text));
    if (us != nullptr && *us == package.member) return {};
  }
  return fail(Errc::signature,
              "The charter does not name you by the keys that you made for this group. Do not sign it; "
              "ask whoever sent it.");
}

}  // namespace

Result<log::VerifierKey> own_id_key(const Card& card) {
  return log::parse_vkey(card.id_vkey);
}

Result<std::vector<vault::GroupPaper>> papers_of_kind(vault::Vault& vault, std::string_view group,
                                                      std::string_view kind) {
  TRY(auto papers, vault.group_papers(group));
  std::erase_if(papers, [&](const vault::GroupPaper& paper) { return paper.kind != kind; });
  return papers;
}

Result<Draft> stored_draft(vault::Vault& vault, const vault::GroupRow& group) {
  TRY(const auto papers, papers_of_kind(vault, group.id, kPaperDraft));
  if (papers.empty()) return fail(Errc::not_found, "There is no draft of this group here.");
  // The key by which it was verified when it came is kept beside it.
  TRY(const log::VerifierKey drafter, log::parse_vkey(papers.front().key));
  return read_draft(papers.front().text, std::span(&drafter, 1));
}

std::string merge_signatures(std::string_view note, std::string_view other) {
  log::Note merged = *log::parse_note(note);
  const log::Note more = *log::parse_note(other);
  for (const log::NoteSignature& signature : more.signatures)
    if (std::ranges::find(merged.signatures, signature) == merged.signatures.end())
      merged.signatures.push_back(signature);
  return log::write_note(merged);
}

Result<Draft> begin_group(const Desk& desk, std::string_view name, Charter terms, const Secret<32>& id_seed,
                          UnixSeconds now) {
  terms.group = to_hex(random_bytes<kGroupIdBytes>());
  TRY(Draft draft, make_draft(std::move(terms), desk.card, id_seed));
  // As one: a name without its draft could neither be used nor taken again.
  const auto write = [&]() -> Status {
    TRY(const vault::GroupRow group, row_for(desk, name, draft.terms.group, now));
    TRY_STATUS(desk.vault.put_group_paper(group.id, {std::string(kPaperDraft), desk.card.id_vkey, draft.note}));
    TRY_STATUS(make_own_package(desk, group, draft.terms.domain, draft.hash, id_seed));
    return {};
  };
  TRY_STATUS(desk.vault.together(write));
  return draft;
}

Result<KeyPackage> join_group(const Desk& desk, std::string_view name, std::string_view paper,
                              const Secret<32>& id_seed, UnixSeconds now) {
  TRY(const PaperHead head, read_paper_head(paper));
  if (head.kind == kCharterKind) {
    TRY(const SignedCharter founded, read_founded(paper));
    TRY(const vault::GroupRow group, row_for(desk, name, head.group, now));
    TRY_STATUS(desk.vault.add_charter(group.id, {.seq = 1, .hash = founded.hash, .note = founded.note, .taken = now}));
    TRY_STATUS(desk.vault.put_group_paper(group.id, {std::string(kPaperCharter), "", ""}));
    return make_own_package(desk, group, founded.charter.domain, founded.hash, id_seed);
  }
  if (head.kind != kDraftKind)
    return fail(Errc::format, "One joins a group by its draft, or by its first charter, signed by all.");
  TRY(const auto keys, known_id_keys(desk));
  auto draft = read_draft(paper, keys);
  if (!draft && draft.error().code == Errc::signature) {
    TRY(const log::Note altered, log::parse_note(paper));
    for (const log::VerifierKey& key : keys)
      for (const log::NoteSignature& signature : altered.signatures)
        if (signature.name == key.name && signature.key_id == key.id())
          return fail(Errc::signature,
                      fmt::format("The signature of {} does not fit this draft: it was changed after it was signed, "
                                  "or damaged on the way. Nothing was joined; ask for it again.",
                                  visible(key.name)));
    return fail(Errc::signature,
                "This draft is not by a member whom you know. Pin whoever drafted it first: parley join "
                "INVITATION, or parley peer add.");
  }
  if (!draft) return std::unexpected(draft.error());
  TRY(const log::Note note, log::parse_note(paper));
  const auto drafter = std::ranges::find(keys, note.signatures.front().name, &log::VerifierKey::name);
  TRY(const vault::GroupRow group, row_for(desk, name, head.group, now));
  const auto known = stored_draft(desk.vault, group);
  if (known && known->hash != draft->hash)
    return fail(Errc::exists,
                "You have joined this group by another draft; the terms have changed since. Nothing was "
                "done.");
  TRY_STATUS(desk.vault.put_group_paper(group.id, {std::string(kPaperDraft), drafter->text(), draft->note}));
  return make_own_package(desk, group, draft->terms.domain, draft->hash, id_seed);
}

Result<Signing> unsigned_paper(const Desk& desk, const vault::GroupRow& group, std::string_view amendment) {
  TRY(const auto charters, desk.vault.charters(group.id));
  if (!charters.empty()) {
    TRY(const log::VerifierKey own, own_id_key(desk.card));
    TRY(const Membership membership, Membership::load(desk.vault, group, own));
    return amendment_to_sign(desk, group, membership, amendment);
  }
  TRY(SignedCharter charter, founding_to_sign(desk, group));
  TRY_STATUS(check_names_us(desk, group, charter.charter));
  std::vector<std::string> missing = charter.unsigned_members();
  return Signing{.group = group.name, .charter = std::move(charter), .changes = {}, .needs = {}, .missing = missing};
}

Result<Signing> sign(const Desk& desk, const vault::GroupRow& group, std::string_view amendment,
                     const Secret<32>& id_seed, UnixSeconds now) {
  TRY(const Signing waiting, unsigned_paper(desk, group, amendment));
  TRY(const std::string note, with_our_signature(desk, waiting.charter, id_seed));
  TRY(const Taken taken, take(desk, note, now));
  return *taken.signing;
}

Result<Signing> amend(const Desk& desk, const vault::GroupRow& group, Charter next, const Secret<32>& id_seed,
                      UnixSeconds now) {
  TRY(const log::VerifierKey own, own_id_key(desk.card));
  TRY(const Membership membership, Membership::load(desk.vault, group, own));
  TRY_STATUS(membership.check(Act::amend, now));
  next.seq = membership.charter().seq + 1;
  next.prev = membership.signed_charter().hash;
  TRY_STATUS(assess(membership.charter(), next, membership.left()));
  TRY(const Taken taken, take(desk, log::sign_note(charter_text(next), own.name, id_seed), now));
  return *taken.signing;
}

}  // namespace parley::group
