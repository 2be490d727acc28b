// The steps of the verifier that are about logs: how far they went, the entries in them, and what was published.
#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "dossier/detail/verifier.h"
#include "group/papers.h"
#include "log/key_history.h"
#include "log/tlog_proof.h"

namespace parley::dossier::detail {

using finding::Cut;

std::vector<log::PlacedRotation> rotations_cosigned_with(const log::MemberKeys& keys, const log::Note& checkpoint) {
  const auto stands_in = [&](const log::VerifierKey& key) {
    return std::ranges::any_of(checkpoint.signatures, [&](const log::NoteSignature& one) {
      return one.name == key.name && one.key_id == key.id();
    });
  };
  std::vector<log::PlacedRotation> needed, so_far;
  for (const log::PlacedRotation& placed : keys.rotated) {
    if (placed.rotation.role != log::KeyRole::cosign) continue;
    so_far.push_back(placed);
    if (stands_in(placed.rotation.old) || stands_in(placed.rotation.next)) needed = so_far;
  }
  return needed;
}

Status Verifier::read_rotations() {
  std::pair<std::string, std::uint64_t> before;
  for (const ShownRotation& shown : dossier().rotations) {
    // The keys of a member who stays are the same in all versions.
    const group::CharterMember* owner = nullptr;
    for (const group::SignedCharter& version : contents_->charters)
      if (const auto* member = version.charter.member(shown.nick); member != nullptr) owner = member;
    if (owner == nullptr) return wrong(fmt::format("{}, who replaces a key, is no member.", visible(shown.nick)));
    log::MemberKeys first = owner->keys;
    first.id = owner->id;
    log::MemberKeys& keys = rotated_.try_emplace(shown.nick, std::move(first)).first->second;
    TRY_STATUS(log::admit_rotation(keys, shown.note, shown.body));
    if (keys.rotated.back().rotation.role == log::KeyRole::tls) return wrong("A tls key signs nothing in a dossier.");
    std::pair place(shown.nick, keys.rotated.back().seq);
    if (place <= before) return wrong("The rotations do not ascend, or one stands twice.");
    before = std::move(place);
  }
  return {};
}

const log::MemberKeys& Verifier::keys_of(const group::CharterMember& member) const {
  const auto found = rotated_.find(member.keys.nick);
  if (found == rotated_.end()) return member.keys;
  const log::MemberKeys& keys = found->second;
  const bool are_these = keys.node == member.keys.node && keys.log == member.keys.log &&
                         keys.cosign == member.keys.cosign && keys.id == member.id;
  return are_these ? keys : member.keys;
}

void Verifier::note_signed(const std::string& nick, std::uint64_t seq) {
  const auto found = rotated_.find(nick);
  if (found == rotated_.end()) return;
  for (const log::PlacedRotation& placed : found->second.rotated)
    if (placed.rotation.role == log::KeyRole::node && placed.seq <= seq) needed_.insert({nick, placed.seq});
}

void Verifier::note_cosigned(const log::Note& checkpoint) {
  for (const auto& [nick, keys] : rotated_)
    for (const log::PlacedRotation& placed : rotations_cosigned_with(keys, checkpoint)) {
      needed_.insert({nick, placed.seq});
      note_signed(nick, placed.seq);
    }
}

Result<CheckpointNote> CheckpointNote::read(std::string_view text) {
  if (text.size() > log::kMaxCheckpointBytes) return wrong("A checkpoint is longer than its limit.");
  CheckpointNote read;
  TRY(read.note_, log::parse_note(text));
  TRY(read.tree_, log::parse_checkpoint(read.note_.text));
  return read;
}

bool CheckpointNote::is_by(std::size_t line, const log::VerifierKey& key) {
  const auto [known, is_new] = known_.try_emplace({line, key.key}, false);
  if (is_new) {
    const log::NoteSignature& signature = note_.signatures[line];
    known->second = key.type == log::KeyType::cosignature
                        ? log::verify_cosignature(tree_, signature, key).has_value()
                        : log::verify_note({note_.text, {signature}}, key).has_value();
  }
  return known->second;
}

std::optional<Verifier::Claim> Verifier::claim_of(const log::NoteSignature& line, const group::CharterMember& owner,
                                                  const group::Charter& charter, std::uint64_t tree_size) const {
  Claim claim;
  for (const group::CharterMember& member : charter.members) {
    const bool is_owner = member.keys.nick == owner.keys.nick;
    if (line.name != (is_owner ? member.keys.log.name : member.keys.cosign.name)) continue;
    claim.nick = member.keys.nick;
    claim.keys = is_owner ? std::vector{member.keys.log} : keys_of(member).cosign_on(owner.keys.nick, tree_size);
  }
  std::erase_if(claim.keys, [&](const log::VerifierKey& key) { return key.id() != line.key_id; });
  return claim.keys.empty() ? std::nullopt : std::optional(std::move(claim));
}

/// That the log of `nick` signed it and enough others cosigned it, each by one line, and that there is no other line.
/// What the lines say of themselves is judged before any is computed.
Status Verifier::check_held(CheckpointNote& checkpoint, const std::string& nick, const group::Charter& charter) {
  const group::CharterMember* owner = charter.member(nick);
  if (owner == nullptr) return wrong(fmt::format("{} is no member.", visible(nick)));
  if (checkpoint.tree().origin != owner->keys.log.name) return wrong("A checkpoint is used for two logs.");
  std::vector<Claim> claims;
  for (const log::NoteSignature& line : checkpoint.note().signatures) {
    auto claim = claim_of(line, *owner, charter, checkpoint.tree().size);
    if (!claim || std::ranges::find(claims, claim->nick, &Claim::nick) != claims.end())
      return wrong(
          fmt::format("A checkpoint of {} bears a signature that is nobody's here, one twice, or one by a key "
                      "beyond where that was replaced.",
                      nick));
    claims.push_back(*std::move(claim));
  }
  std::vector<std::string> holders;
  for (const Claim& claim : claims) holders.push_back(claim.nick);
  if (std::ranges::find(holders, nick) == holders.end())
    return wrong(fmt::format("A checkpoint of {} is not signed by its log.", nick));
  if (!group::hold_together(charter, contents_->left, holders))
    return wrong(
        fmt::format("A tree of {} is held by {} members; {} are due.", nick, holders.size(), charter.log_quorum));
  for (std::size_t i = 0; i < claims.size(); ++i)
    if (std::ranges::none_of(claims[i].keys, [&](const log::VerifierKey& key) { return checkpoint.is_by(i, key); }))
      return wrong(fmt::format("A signature of {} on a checkpoint of {} does not verify.", claims[i].nick, nick));
  note_cosigned(checkpoint.note());
  return {};
}

Result<std::string> Verifier::basis() {
  const auto& cut = contents_->finding.cut;
  if (dossier().checkpoints.size() != cut.size())
    return wrong("There is not one checkpoint for each log that the finding rests on.");
  for (std::size_t i = 0; i < cut.size(); ++i) {
    TRY(CheckpointNote checkpoint, CheckpointNote::read(dossier().checkpoints[i]));
    if (checkpoint.tree().size != cut[i].size || checkpoint.tree().root != cut[i].root)
      return wrong(fmt::format("The checkpoint of {} is not the one that the finding names.", visible(cut[i].nick)));
    TRY_STATUS(check_held(checkpoint, cut[i].nick, *contents_->charter));
  }
  return fmt::format("{} logs, each as far as a quorum of members held it when the finding was frozen", cut.size());
}

/// Evidence stands in a tree of the cut, by that very note.
Result<log::Checkpoint> Verifier::tree_of_evidence(const std::string& note, const std::string& nick) const {
  const auto& cut = contents_->finding.cut;
  const auto of_log = std::ranges::find(cut, nick, &Cut::nick);
  if (of_log == cut.end() || contents_->dossier.checkpoints[static_cast<std::size_t>(of_log - cut.begin())] != note)
    return wrong("The evidence refers to an entry outside of what the finding rests on.");
  return log::Checkpoint{.origin = {}, .size = of_log->size, .root = of_log->root};
}

/// A tree of the cut is held by the members whom the finding's charter names; any other one by those of the entry's
/// version, or of a later one that was in force when it was cosigned.
Result<log::Checkpoint> Verifier::tree_of(const std::string& note, const std::string& nick,
                                          const group::SignedCharter* version) {
  TRY(CheckpointNote checkpoint, CheckpointNote::read(note));
  if (version == nullptr || std::ranges::find(dossier().checkpoints, note) != dossier().checkpoints.end()) {
    TRY_STATUS(check_held(checkpoint, nick, *contents_->charter));
    return checkpoint.tree();
  }
  Status held = check_held(checkpoint, nick, version->charter);
  const group::SignedCharter* end = contents_->charters.data() + contents_->charters.size();
  while (!held && ++version != end) held = check_held(checkpoint, nick, version->charter);
  TRY_STATUS(held);
  note_named(version);
  return checkpoint.tree();
}

/// That each entry is evidence, or the one publication or withdrawal of a signer: before any of them is verified, so
/// that a file full of others costs its reader nothing.
Status Verifier::check_needed(std::span<const log::Entry> claimed) {
  const auto& signers = contents_->signed_finding.signers;
  std::set<Digest> missing = refs_;
  std::set<std::pair<std::string, std::string>> said;
  for (std::size_t i = 0; i < claimed.size(); ++i) {
    const std::string& nick = dossier().entries[i].nick;
    const log::Entry& entry = claimed[i];
    if (i > 0 && std::pair(nick, entry.seq) <= std::pair(dossier().entries[i - 1].nick, claimed[i - 1].seq))
      return wrong("The entries do not ascend, or one stands twice.");
    const Digest leaf = log::leaf_hash(as_bytes(dossier().entries[i].note));
    if (refs_.contains(leaf)) {
      missing.erase(leaf);
      continue;
    }
    if (entry.type != log::kFindingPublish && entry.type != log::kFindingWithdraw)
      return wrong(fmt::format("Entry {} of {} serves nothing.", entry.seq, visible(nick)));
    if (std::ranges::find(signers, nick) == signers.end())
      return wrong(fmt::format("{} published it or withdrew, and did not sign it.", visible(nick)));
    if (!said.insert({nick, entry.type}).second)
      return wrong(fmt::format("{} published it or withdrew twice in this dossier.", nick));
  }
  for (const finding::Evidence& evidence : contents_->finding.evidence)
    if (std::ranges::any_of(evidence.refs, [&](const Digest& ref) { return missing.contains(ref); }))
      return wrong(fmt::format("{} refers to an entry that is not there.", visible(evidence.id)));
  return {};
}

Result<CheckedEntry> Verifier::check_entry(const ShownEntry& shown, const log::Entry& claimed) {
  const group::SignedCharter* version = version_of(claimed.charter);
  // Evidence may be older than what the dossier needs of the charters: then the finding's own version judges it.
  const group::Charter& charter = version != nullptr ? version->charter : *contents_->charter;
  if (version != nullptr) note_named(version);
  CheckedEntry checked{.leaf = log::leaf_hash(as_bytes(shown.note)), .entry = {}, .shown = &shown};
  checked.is_evidence = refs_.contains(checked.leaf);
  TRY_STATUS(finding::check_within(charter, claimed, shown.nick));
  if (checked.is_evidence)
    TRY_STATUS(finding::check_was_there(claimed, shown.nick, contents_->finding, *contents_->charter));
  TRY(const log::TlogProof proof, log::parse_tlog_proof(shown.proof));
  if (!proof.extra.empty()) return wrong("A proof carries what nothing vouches for.");
  if (proof.index != claimed.seq) return wrong("An entry stands at another place than it says.");
  TRY(checked.entry, log::read_entry(shown.note, keys_of(*charter.member(shown.nick))));
  note_signed(shown.nick, checked.entry.seq);
  TRY(const log::Checkpoint tree, checked.is_evidence ? tree_of_evidence(proof.checkpoint, shown.nick)
                                                      : tree_of(proof.checkpoint, shown.nick, version));
  if (!log::verify_inclusion(checked.leaf, proof.index, tree.size, proof.path, tree.root))
    return wrong("A proof does not lead from the entry to the tree.");
  if (shown.body) TRY_STATUS(log::open_body(checked.entry, *shown.body));
  return checked;
}

Result<std::string> Verifier::entries() {
  const auto in_entry = [](Error error, std::size_t i) {
    return std::unexpected(std::move(error).at(fmt::format("entry {} of the dossier", i)));
  };
  std::vector<log::Entry> claimed;
  for (std::size_t i = 0; i < dossier().entries.size(); ++i) {
    auto read = log::read_entry_unverified(dossier().entries[i].note);
    if (!read) return in_entry(std::move(read).error(), i);
    claimed.push_back(*std::move(read));
  }
  TRY_STATUS(check_needed(claimed));
  for (std::size_t i = 0; i < claimed.size(); ++i) {
    const ShownEntry& shown = dossier().entries[i];
    auto checked = check_entry(shown, claimed[i]);
    if (!checked) return in_entry(std::move(checked).error(), i);
    contents_->entries.push_back({shown.nick, checked->entry.seq, checked->leaf, checked->entry.type,
                                  checked->entry.time, shown.body ? std::optional(shown.body->text) : std::nullopt});
    checked_.push_back(std::move(*checked));
  }
  return fmt::format(
      "{} entries, each signed by whose log it stands in, in a tree that a quorum holds; {} of them are what the "
      "evidence refers to",
      checked_.size(), refs_.size());
}

Status Verifier::check_publication(const CheckedEntry& checked, Due& due) {
  const std::string& nick = checked.entry.author;
  if (!checked.shown->body) return wrong(fmt::format("What {} published is not shown.", nick));
  TRY(const log::Json json, log::open_body(checked.entry, *checked.shown->body));
  TRY(const finding::PublishBody body, finding::PublishBody::from_json(json));
  if (body.finding != contents_->signed_finding.hash) return wrong(fmt::format("{} published another finding.", nick));
  const auto& signers = contents_->signed_finding.signers;
  for (const std::string& signer : body.signers)
    if (std::ranges::find(signers, signer) == signers.end())
      return wrong(fmt::format("{} published it with a signature of {}, which is not there.", nick, visible(signer)));
  due.dissents.insert(body.dissents.begin(), body.dissents.end());
  due.withdrawals.insert(body.withdrawals.begin(), body.withdrawals.end());
  contents_->publishers.push_back(nick);
  return {};
}

// Those that publications name must be there. Others may: their authors signed them.
Status Verifier::check_dissents(const std::set<Digest>& due) {
  std::set<Digest> shown;
  finding::DissentShares shares;
  Digest before{};
  for (const std::string& note : dossier().dissents) {
    TRY(finding::SignedDissent dissent, finding::read_dissent(note, *contents_->charter));
    if (dissent.dissent.finding != contents_->signed_finding.hash) return wrong("A dissent is about another finding.");
    TRY_STATUS(finding::check_dissent(dissent.dissent, contents_->finding));
    if (!shown.empty() && dissent.hash <= before) return wrong("The dissents do not ascend, or one stands twice.");
    TRY_STATUS(shares.take(dissent));
    before = dissent.hash;
    shown.insert(dissent.hash);
    contents_->dissents.push_back(std::move(dissent));
  }
  if (!std::ranges::includes(shown, due)) return wrong("A dissent that was published with the finding is left out.");
  return {};
}

Status Verifier::check_withdrawal(const CheckedEntry& checked) {
  const std::string& nick = checked.entry.author;
  if (!checked.shown->body) return wrong(fmt::format("What {} withdrew from is not shown.", nick));
  TRY(const log::Json json, log::open_body(checked.entry, *checked.shown->body));
  TRY(const finding::NoteBody body, finding::NoteBody::from_json(json));
  TRY(finding::SignedWithdrawal read, finding::read_withdrawal(body.note, *contents_->charter));
  const finding::Withdrawal& withdrawal = read.withdrawal;
  if (body.finding != contents_->signed_finding.hash || withdrawal.finding != body.finding ||
      withdrawal.group != contents_->finding.group)
    return wrong(fmt::format("{} withdrew from another finding.", nick));
  if (withdrawal.nick != nick) return wrong(fmt::format("The log of {} has another's withdrawal.", nick));
  contents_->withdrawals.push_back({{nick, checked.entry.seq, checked.leaf}, std::move(read), checked.entry.time});
  return {};
}

// Those that publications name must be there. Others may: they stand in a log that a quorum holds.
Status Verifier::check_withdrawals(const std::set<Digest>& due) {
  for (const CheckedEntry& checked : checked_)
    if (checked.entry.type == log::kFindingWithdraw && !checked.is_evidence) TRY_STATUS(check_withdrawal(checked));
  const auto hash_of = [](const finding::Withdrawn& one) { return one.signed_withdrawal.hash; };
  std::ranges::sort(contents_->withdrawals, {}, hash_of);
  for (const Digest& hash : due)
    if (std::ranges::find(contents_->withdrawals, hash, hash_of) == contents_->withdrawals.end())
      return wrong("A withdrawal that was published with the finding is left out.");
  return {};
}

Result<std::string> Verifier::publication() {
  Due due;
  for (const CheckedEntry& checked : checked_)
    if (checked.entry.type == log::kFindingPublish && !checked.is_evidence) TRY_STATUS(check_publication(checked, due));
  std::ranges::sort(contents_->publishers);
  if (!finding::are_enough(*contents_->charter, contents_->left, contents_->publishers))
    return wrong(
        fmt::format("{} of its signers published it; {} are due.", contents_->publishers.size(), contents_->quorum));
  TRY_STATUS(check_dissents(due.dissents));
  TRY_STATUS(check_withdrawals(due.withdrawals));
  for (const group::CharterMember& member : contents_->charter->members) {
    const std::string& nick = member.keys.nick;
    const bool spoke =
        std::ranges::find(contents_->signed_finding.signers, nick) != contents_->signed_finding.signers.end() ||
        std::ranges::any_of(contents_->dissents,
                            [&](const finding::SignedDissent& one) { return one.dissent.nick == nick; });
    if (!spoke) contents_->silent.push_back(nick);
  }
  return fmt::format("published by {}; dissents: {}, withdrawals: {}, all that they named; silent: {}{}",
                     group::in_words(contents_->publishers), contents_->dissents.size(), contents_->withdrawals.size(),
                     contents_->silent.empty() ? "nobody" : group::in_words(contents_->silent),
                     contents_->stands() ? "" : "; TOO FEW STAND BEHIND IT NOW");
}

}  // namespace parley::dossier::detail
