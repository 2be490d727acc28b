// The steps of the verifier that are about logs: how far they went, the entries in them, and what was published.
#include <fmt/format.h>

#include <algorithm>

#include "base/encoding.h"
#include "base/text.h"
#include "dossier/detail/verifier.h"
#include "group/papers.h"
#include "group/rotation.h"
#include "log/key_history.h"
#include "log/quorum.h"
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

std::vector<log::MemberKeys> Verifier::keys_of(const group::Charter& charter) const {
  std::vector<log::MemberKeys> keys = group::charter_keys(charter);
  for (log::MemberKeys& member : keys)
    if (const auto found = rotated_.find(member.nick); found != rotated_.end() && found->second.node == member.node)
      member.rotated = found->second.rotated;
  return keys;
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

Result<log::Checkpoint> Verifier::held_tree(const std::string& note, const std::string& nick,
                                            const group::Charter& charter) {
  const auto known_as = std::pair(note, to_hex(group::charter_hash(charter)));
  if (const auto known = trees_.find(known_as); known != trees_.end()) {
    if (known->second.nick != nick) return wrong("A checkpoint is used for two logs.");
    return known->second.checkpoint;
  }
  const std::vector<log::MemberKeys> keys = keys_of(charter);
  const auto owner = std::ranges::find(keys, nick, &log::MemberKeys::nick);
  if (owner == keys.end()) return wrong(fmt::format("{} is no member.", visible(nick)));
  if (note.size() > log::kMaxCheckpointBytes) return wrong("A checkpoint is longer than its limit.");
  TRY(const log::Note parsed, log::parse_note(note));
  const auto place = static_cast<std::size_t>(owner - keys.begin());
  TRY(log::CosignedCheckpoint read, log::read_cosigned_by(parsed, keys, place));
  std::erase_if(read.cosigners, [&](const log::Cosigner& cosigner) { return cosigner.key == place; });
  note_cosigned(parsed);
  if (parsed.signatures.size() != read.cosigners.size() + 1)
    return wrong(
        fmt::format("A checkpoint of {} bears a signature that is nobody's here, one twice, or one by a key "
                    "beyond where that was replaced.",
                    nick));
  std::vector<std::string> holders = {nick};
  for (const log::Cosigner& cosigner : read.cosigners) holders.push_back(keys[cosigner.key].nick);
  if (!group::hold_together(charter, contents_->left, holders))
    return wrong(fmt::format("A tree of {} is held by {} members; {} are due.", nick, read.cosigners.size() + 1,
                             charter.log_quorum));
  trees_.emplace(known_as, HeldTree{nick, read.checkpoint});
  return read.checkpoint;
}

Result<std::string> Verifier::basis() {
  const auto& cut = contents_->finding.cut;
  if (dossier().checkpoints.size() != cut.size())
    return wrong("There is not one checkpoint for each log that the finding rests on.");
  for (std::size_t i = 0; i < cut.size(); ++i) {
    TRY(const log::Checkpoint tree, held_tree(dossier().checkpoints[i], cut[i].nick, *contents_->charter));
    if (tree.size != cut[i].size || tree.root != cut[i].root)
      return wrong(fmt::format("The checkpoint of {} is not the one that the finding names.", cut[i].nick));
  }
  return fmt::format("{} logs, each as far as a quorum of members held it when the finding was frozen", cut.size());
}

/// A tree of the cut is held by the members whom the finding's charter names; any other one by those of the entry's
/// version, or of a later one that was in force when it was cosigned.
Result<log::Checkpoint> Verifier::tree_of(const std::string& note, const std::string& nick,
                                          const group::SignedCharter* version) {
  if (version == nullptr || std::ranges::find(dossier().checkpoints, note) != dossier().checkpoints.end())
    return held_tree(note, nick, *contents_->charter);
  auto held = held_tree(note, nick, version->charter);
  for (std::size_t i = static_cast<std::size_t>(version - contents_->charters.data()) + 1;
       !held && i < contents_->charters.size(); ++i) {
    held = held_tree(note, nick, contents_->charters[i].charter);
    if (held) newest_version_ = std::max(newest_version_, i);
  }
  return held;
}

Result<CheckedEntry> Verifier::check_entry(const ShownEntry& shown) {
  TRY(const log::Entry unverified, log::read_entry_unverified(shown.note));
  const group::SignedCharter* version = version_of(unverified.charter);
  // Evidence may be older than what the dossier needs of the charters: then the finding's own version judges it.
  const group::Charter& charter = version != nullptr ? version->charter : *contents_->charter;
  if (version != nullptr)
    newest_version_ = std::max(newest_version_, static_cast<std::size_t>(version - contents_->charters.data()));
  CheckedEntry checked;
  TRY_STATUS(finding::check_within(charter, unverified, shown.nick));
  const std::vector<log::MemberKeys> keys = keys_of(charter);
  TRY(checked.entry, log::read_entry(shown.note, *std::ranges::find(keys, shown.nick, &log::MemberKeys::nick)));
  note_signed(shown.nick, checked.entry.seq);
  checked.leaf = log::leaf_hash(as_bytes(shown.note));
  TRY(const log::TlogProof proof, log::parse_tlog_proof(shown.proof));
  if (!proof.extra.empty()) return wrong("A proof carries what nothing vouches for.");
  if (proof.index != checked.entry.seq) return wrong("An entry stands at another place than it says.");
  TRY(checked.tree, tree_of(proof.checkpoint, shown.nick, version));
  if (!log::verify_inclusion(checked.leaf, proof.index, checked.tree.size, proof.path, checked.tree.root))
    return wrong("A proof does not lead from the entry to the tree.");
  if (shown.body) {
    TRY(checked.body, log::open_body(checked.entry, *shown.body));
  }
  return checked;
}

Result<std::string> Verifier::entries() {
  std::pair<std::string, std::uint64_t> before;
  for (std::size_t i = 0; i < dossier().entries.size(); ++i) {
    const ShownEntry& shown = dossier().entries[i];
    auto checked = check_entry(shown);
    if (!checked) return std::unexpected(std::move(checked).error().at(fmt::format("entry {} of the dossier", i)));
    const std::pair place(shown.nick, checked->entry.seq);
    if (i > 0 && place <= before) return wrong("The entries do not ascend, or one stands twice.");
    before = place;
    contents_->entries.push_back({shown.nick, checked->entry.seq, checked->leaf, checked->entry.type,
                                  checked->entry.time, shown.body ? std::optional(shown.body->text) : std::nullopt});
    checked_.push_back(std::move(*checked));
  }
  std::size_t refs = 0;
  for (const finding::Evidence& evidence : contents_->finding.evidence) {
    for (const Digest& ref : evidence.refs) {
      const auto found = std::ranges::find(checked_, ref, &CheckedEntry::leaf);
      if (found == checked_.end())
        return wrong(fmt::format("{} refers to an entry that is not there.", visible(evidence.id)));
      const auto cut = std::ranges::find(contents_->finding.cut, found->entry.author, &Cut::nick);
      if (cut == contents_->finding.cut.end() || cut->size != found->tree.size || cut->root != found->tree.root)
        return wrong(fmt::format("{} refers to an entry outside of what the finding rests on.", visible(evidence.id)));
      ++refs;
    }
  }
  return fmt::format(
      "{} entries, each signed by whose log it stands in, in a tree that a quorum holds; {} references "
      "of the evidence lead to them",
      checked_.size(), refs);
}

bool Verifier::is_evidence(const CheckedEntry& entry) const {
  return std::ranges::any_of(contents_->finding.evidence, [&](const finding::Evidence& evidence) {
    return std::ranges::find(evidence.refs, entry.leaf) != evidence.refs.end();
  });
}

Status Verifier::check_publication(const CheckedEntry& checked, Due& due) {
  const std::string& nick = checked.entry.author;
  if (!checked.body) return wrong(fmt::format("What {} published is not shown.", nick));
  TRY(const finding::PublishBody body, finding::PublishBody::from_json(*checked.body));
  if (body.finding != contents_->signed_finding.hash) return wrong(fmt::format("{} published another finding.", nick));
  const auto& signers = contents_->signed_finding.signers;
  if (std::ranges::find(signers, nick) == signers.end())
    return wrong(fmt::format("{} published it and did not sign it.", nick));
  for (const std::string& signer : body.signers)
    if (std::ranges::find(signers, signer) == signers.end())
      return wrong(fmt::format("{} published it with a signature of {}, which is not there.", nick, visible(signer)));
  due.dissents.insert(body.dissents.begin(), body.dissents.end());
  due.withdrawals.insert(body.withdrawals.begin(), body.withdrawals.end());
  if (std::ranges::find(contents_->publishers, nick) != contents_->publishers.end())
    return wrong(fmt::format("{} published it twice in this dossier.", nick));
  contents_->publishers.push_back(nick);
  return {};
}

// Those that publications name must be there. Others may: their authors signed them.
Status Verifier::check_dissents(const std::set<Digest>& due) {
  std::set<Digest> shown;
  Digest before{};
  for (const std::string& note : dossier().dissents) {
    TRY(finding::SignedDissent dissent, finding::read_dissent(note, *contents_->charter));
    if (dissent.dissent.finding != contents_->signed_finding.hash) return wrong("A dissent is about another finding.");
    TRY_STATUS(finding::check_dissent(dissent.dissent, contents_->finding));
    if (!shown.empty() && dissent.hash <= before) return wrong("The dissents do not ascend, or one stands twice.");
    TRY_STATUS(finding::check_share(contents_->dissents, dissent));
    before = dissent.hash;
    shown.insert(dissent.hash);
    contents_->dissents.push_back(std::move(dissent));
  }
  if (!std::ranges::includes(shown, due)) return wrong("A dissent that was published with the finding is left out.");
  return {};
}

Status Verifier::check_withdrawal(const CheckedEntry& checked) {
  const std::string& nick = checked.entry.author;
  if (!checked.body) return wrong(fmt::format("What {} withdrew from is not shown.", nick));
  TRY(const finding::NoteBody body, finding::NoteBody::from_json(*checked.body));
  TRY(finding::SignedWithdrawal read, finding::read_withdrawal(body.note, *contents_->charter));
  const finding::Withdrawal& withdrawal = read.withdrawal;
  if (body.finding != contents_->signed_finding.hash || withdrawal.finding != body.finding ||
      withdrawal.group != contents_->finding.group)
    return wrong(fmt::format("{} withdrew from another finding.", nick));
  if (withdrawal.nick != nick) return wrong(fmt::format("The log of {} has another's withdrawal.", nick));
  const auto& signers = contents_->signed_finding.signers;
  if (std::ranges::find(signers, nick) == signers.end())
    return wrong(fmt::format("{} withdrew and did not sign it.", nick));
  if (std::ranges::any_of(contents_->withdrawals, [&](const auto& one) { return one.withdrawal.nick == nick; }))
    return wrong(fmt::format("{} withdrew twice in this dossier.", nick));
  contents_->withdrawals.push_back(std::move(read));
  return {};
}

// Those that publications name must be there. Others may: they stand in a log that a quorum holds.
Status Verifier::check_withdrawals(const std::set<Digest>& due) {
  for (const CheckedEntry& checked : checked_)
    if (checked.entry.type == log::kFindingWithdraw && !is_evidence(checked)) TRY_STATUS(check_withdrawal(checked));
  std::ranges::sort(contents_->withdrawals, {}, &finding::SignedWithdrawal::hash);
  for (const Digest& hash : due)
    if (std::ranges::find(contents_->withdrawals, hash, &finding::SignedWithdrawal::hash) ==
        contents_->withdrawals.end())
      return wrong("A withdrawal that was published with the finding is left out.");
  return {};
}

Result<std::string> Verifier::publication() {
  Due due;
  for (const CheckedEntry& checked : checked_)
    if (checked.entry.type == log::kFindingPublish && !is_evidence(checked))
      TRY_STATUS(check_publication(checked, due));
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
