#include "audit/export.h"

#include <algorithm>
#include <array>
#include <optional>

#include "base/encoding.h"
#include "mirror/entry_proof.h"
#include "mirror/vault_store.h"
#include "session/step.h"

namespace parley::audit {
namespace {

/// What each side says once.
constexpr std::array kAuditedTypes = {session::kAccept, session::kCommit, session::kRun, session::kResult};

/// Nothing where its body is not here: erased, or never sent to this member.
Result<std::optional<ProvenEntry>> proven(vault::Vault& vault, const vault::LogHead& head, std::uint64_t seq) {
  TRY(const auto rows, vault.log_leaves(head.origin, seq, 1));
  if (rows.empty()) return fail(Errc::vault_damaged, "An entry of the log of " + head.nick + " is not there.");
  const Digest leaf = log::leaf_hash(as_bytes(rows.front().note));
  TRY(const auto body, vault.entry_body(leaf));
  if (!body) return std::nullopt;
  TRY(const log::TlogProof proof, mirror::prove_entry(vault, head, seq, leaf));
  return ProvenEntry{.log = head.nick,
                     .note = rows.front().note,
                     .proof = log::write_tlog_proof(proof),
                     .body = {body->salt, std::string(as_text(body->content))}};
}

/// The proposal belongs to no session yet; it is found by the step that the vault keeps.
Result<std::optional<std::uint64_t>> find_proposal(vault::Vault& vault, const vault::LogHead& head,
                                                   std::span<const vault::SessionStep> steps) {
  const auto step = std::ranges::find_if(steps, [&](const vault::SessionStep& each) {
    return each.type == session::kPropose && each.author == head.nick;
  });
  if (step == steps.end()) return std::nullopt;
  Digest leaf{};
  if (!read_hex(step->entry, leaf)) return fail(Errc::vault_damaged, "A stored step names no entry.");
  return vault.log_index(head.origin, leaf);
}

/// Where the session compared tags, the note of the charter that its proposal names. @error Errc::not_found
Result<std::string> charter_of_tags(vault::Vault& vault, const Opened& opened) {
  for (const ProvenEntry& proven : opened.entries) {
    TRY(const log::Entry entry, log::read_entry_unverified(proven.note));
    if (entry.type != session::kPropose) continue;
    TRY(const log::Json body, log::open_body(entry, proven.body));
    TRY(const session::Proposal proposal, session::Proposal::from_json(body));
    if (!proposal.admission) return std::string();
    TRY(auto charters, vault.charters(opened.group));
    const auto named = std::ranges::find(charters, entry.charter, &vault::CharterRow::hash);
    if (named == charters.end())
      return fail(Errc::not_found,
                  "The charter under which this session was held is not in this vault; without it nobody can tell "
                  "which types entered by tags.");
    return std::move(named->note);
  }
  return std::string();
}

}  // namespace

Result<Opened> open_session(vault::Vault& vault, const std::string& session, std::string_view our_nick) {
  TRY(const vault::SessionRow row, vault.session(session));
  TRY(const auto steps, vault.session_steps(row.id));
  TRY(const auto heads, vault.logs());
  Opened opened{.audited = std::string(our_nick), .group = row.group, .session = row.id, .entries = {}};
  mirror::VaultStore store(vault, row.group, {}, 0);
  std::optional<std::uint64_t> our_result, their_result;
  for (const vault::LogHead& head : heads) {
    const bool takes_part = std::ranges::find(steps, head.nick, &vault::SessionStep::author) != steps.end();
    if (head.group != row.group || !takes_part) continue;
    TRY(const auto proposal, find_proposal(vault, head, steps));
    std::vector<std::uint64_t> found;
    if (proposal) found.push_back(*proposal);
    for (const std::string_view type : kAuditedTypes) {
      TRY(const auto seq, store.step(head.origin, {head.nick, row.id, std::string(type)}));
      if (!seq) continue;
      found.push_back(*seq);
      if (type != session::kResult) continue;
      (head.nick == our_nick ? our_result : their_result) = *seq;
    }
    for (const std::uint64_t seq : found) {
      TRY(std::optional<ProvenEntry> entry, proven(vault, head, seq));
      // The other side may have said its result to nobody: that must not keep us from showing what we did.
      if (!entry && seq == their_result && head.nick != our_nick) continue;
      if (!entry)
        return fail(Errc::not_found,
                    "The body of an entry of this session was erased; without it the session cannot be audited.");
      opened.entries.push_back(*std::move(entry));
    }
  }
  if (!our_result)
    return fail(
        Errc::usage,
        "This session ended without a result of this member in its log, so nothing was signed that a second run "
        "could be compared with.");
  TRY(opened.charter, charter_of_tags(vault, opened));
  return opened;
}

}  // namespace parley::audit
