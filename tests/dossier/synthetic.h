// A dossier made of nothing but keys and logs in memory: as many members and entries as one likes, without vaults.
#pragma once

#include "dossier/stix.h"
#include "dossier/verify.h"
#include "finding/samples.h"
#include "log/key_history.h"
#include "log/tlog_proof.h"

namespace parley::dossier {

/// One member's log, and whoever cosigns it.
class SyntheticLog {
 public:
  SyntheticLog(const group::Charter& charter, std::string nick)
      : charter_(charter),
        nick_(std::move(nick)),
        node_(group::test_member(nick_).node.clone()),
        keys_(group::test_member(nick_).in_group().keys) {}

  Digest append(std::string_view type, const log::Json& object) {
    log::Body body = *log::make_body(object);
    const log::Entry entry{.author = nick_,
                           .seq = state_.size,
                           .prev = state_.last,
                           .charter = group::charter_hash(charter_),
                           .session = {},
                           .refs = {},
                           .audience = {std::string(log::kEveryone)},
                           .body = body.commitment(),
                           .time = group::kBegin + 10 + static_cast<std::int64_t>(state_.size),
                           .type = std::string(type)};
    const group::TestMember& member = group::test_member(nick_);
    leaves_.push_back(*log::make_entry(entry, member.in_group().keys.node.name, node_));
    bodies_.push_back(std::move(body));
    state_ = {entry.seq + 1, log::leaf_hash(as_bytes(leaves_.back())), entry.time, false};
    return state_.last;
  }
  /// Replaces a key of this log's owner, which is then used.
  ShownRotation rotate(log::KeyRole role, const Secret<32>& seed, std::vector<log::Cutoff> cutoffs = {}) {
    const group::TestMember& member = group::test_member(nick_);
    log::Rotation rotation{.origin = keys_.log.name,
                           .nick = nick_,
                           .role = role,
                           .reason = log::RotationReason::stolen,
                           .old = role == log::KeyRole::node ? keys_.node : keys_.cosign,
                           .next = {},
                           .since = 0,
                           .cutoffs = std::move(cutoffs)};
    if (role == log::KeyRole::tls)
      rotation.old = {log::tls_key_name(keys_.log.name), log::KeyType::ed25519, member.in_group().tls_key};
    rotation.next = rotation.old;
    rotation.next.key = crypto::public_key_of(seed);
    if (role == log::KeyRole::node) node_ = seed.clone();
    if (role != log::KeyRole::tls) (role == log::KeyRole::node ? keys_.node : keys_.cosign) = rotation.next;
    append(log::kKeyRotate,
           log::rotation_body(log::make_rotation(rotation, member.id().name, member.card_seeds.id, seed, nullptr)));
    return {nick_, leaves_.back(), bodies_.back()};
  }
  std::uint64_t size() const { return state_.size; }

  log::MerkleTree tree(std::uint64_t size) const {
    std::vector<Digest> hashes;
    for (std::size_t i = 0; i < size; ++i) hashes.push_back(log::leaf_hash(as_bytes(leaves_[i])));
    return log::MerkleTree(std::move(hashes));
  }
  std::string checkpoint(std::uint64_t size) const {
    const group::TestMember& owner = group::test_member(nick_);
    const log::Checkpoint checkpoint{owner.in_group().keys.log.name, size, tree(size).root()};
    std::string note = log::sign_checkpoint(checkpoint, owner.log);
    for (const group::CharterMember& member : charter_.members) {
      if (member.keys.nick == nick_) continue;
      const auto rotated = cosign_seeds.find(member.keys.nick);
      const Secret<32>& seed =
          rotated == cosign_seeds.end() ? group::test_member(member.keys.nick).cosign : *rotated->second;
      note = *log::add_cosignature(note, log::cosign(checkpoint, member.keys.cosign.name, seed, group::kBegin + 50),
                                   log::vkey_of(member.keys.cosign.name, log::KeyType::cosignature, seed));
    }
    return note;
  }
  std::map<std::string, const Secret<32>*, std::less<>> cosign_seeds;  ///< of others who have replaced theirs
  ShownEntry shown(std::uint64_t seq, std::uint64_t size, const std::string& checkpoint, bool with_body) const {
    const log::TlogProof proof{
        .extra = {}, .index = seq, .path = tree(size).inclusion_proof(seq), .checkpoint = checkpoint};
    return {.nick = nick_,
            .note = leaves_[seq],
            .proof = log::write_tlog_proof(proof),
            .body = with_body ? std::optional(bodies_[seq]) : std::nullopt};
  }

 private:
  const group::Charter& charter_;
  std::string nick_;
  Secret<32> node_;
  log::MemberKeys keys_;  // that are in use
  std::vector<std::string> leaves_;
  std::vector<log::Body> bodies_;
  log::LogState state_;
};

/// A group in memory that has made a finding: all members have signed and published it, and dossiers of it show as many
/// of them as one likes.
class SyntheticGroup {
 public:
  /// `entry_count` entries of evidence in the first member's log.
  /// @param rotated  alpha has replaced its node key, and bravo its cosign key, before all that the finding rests on
  /// @param nodes    alpha has replaced that again, by each of these
  /// @param cosigns  and its cosign key by each of these
  SyntheticGroup(group::Charter charter, std::size_t entry_count, bool rotated = false,
                 std::span<const Secret<32>> nodes = {}, std::span<const Secret<32>> cosigns = {})
      : charter_(std::move(charter)) {
    for (const group::CharterMember& member : charter_.members)
      logs_.emplace(member.keys.nick, SyntheticLog(charter_, member.keys.nick))
          .first->second.append(log::kLogOpen, log::Json::Object{{"v", 1}});
    SyntheticLog& first = logs_.begin()->second;
    if (rotated) {
      rotations_.push_back(first.rotate(log::KeyRole::node, rotated_node_));
      for (const Secret<32>& node : nodes) rotations_.push_back(first.rotate(log::KeyRole::node, node));
      for (const Secret<32>& cosign : cosigns) rotations_.push_back(first.rotate(log::KeyRole::cosign, cosign));
      rotations_.push_back(logs_.at("bravo").rotate(log::KeyRole::cosign, rotated_cosign_));
      for (auto& [nick, log] : logs_) {
        log.cosign_seeds.emplace("bravo", &rotated_cosign_);
        if (!cosigns.empty()) log.cosign_seeds.emplace("alpha", &cosigns.back());
      }
    }
    const std::uint64_t before = first.size();
    std::vector<Digest> leaves;
    for (std::size_t i = 0; i < entry_count; ++i)
      leaves.push_back(first.append(log::kHeads, log::Json::Object{{"v", 1}}));
    finding_ = finding::sample_finding(charter_);
    cut();
    rest_on(leaves);
    const finding::Frozen frozen(finding_);
    openings_ = frozen.openings;
    text_ = frozen.text;
    for (std::uint64_t seq = before; seq < before + entry_count; ++seq)
      evidence_.push_back(first.shown(seq, before + entry_count, checkpoints_[0], false));
    for (auto& [nick, log] : logs_) {
      const std::string note = group::signed_note(text_, {nick});
      signatures_[nick] = note.substr(note.rfind("\n\n") + 2);
      const finding::PublishBody publication{finding::finding_hash(text_), {nick}, {}};
      log.append(log::kFindingPublish, publication.to_json());
      publications_[nick] = log.shown(log.size() - 1, log.size(), log.checkpoint(log.size()), true);
    }
  }
  SyntheticGroup(const SyntheticGroup&) = delete;

  /// As its maker would write it, whether or not it verifies. Both lists ascend; who publishes has signed.
  std::string dossier(const std::vector<std::string>& signers, const std::vector<std::string>& publishers,
                      const std::vector<std::string>& leaves = {},
                      std::vector<finding::SignedDissent> dissents = {}) const {
    Dossier dossier;
    dossier.charters = {charter_note_};
    dossier.leaves = leaves;
    dossier.checkpoints = checkpoints_;
    dossier.rotations = rotations_;
    dossier.openings = openings_;
    dossier.entries = evidence_;
    dossier.finding = text_ + "\n";
    for (const std::string& nick : signers) dossier.finding += signatures_.at(nick);
    for (const std::string& nick : publishers) dossier.entries.push_back(publications_.at(nick));
    Contents contents;
    contents.charter = &charter_;
    contents.finding = finding_;
    contents.signed_finding.hash = finding::finding_hash(text_);
    contents.signed_finding.signers = signers;
    std::ranges::sort(dissents, {}, &finding::SignedDissent::hash);
    for (const finding::SignedDissent& one : dissents) dossier.dissents.push_back(one.note);
    contents.dissents = std::move(dissents);
    dossier.stix = stix_bundle(contents);
    return write_dossier(dossier);
  }
  Anchor anchor() const { return {.charter = group::charter_hash(charter_), .id_keys = {}}; }
  const group::Charter& charter() const { return charter_; }
  finding::SignedDissent dissent(const std::string& nick, std::vector<finding::DissentPoint> points) const {
    const group::TestMember& member = group::test_member(nick);
    return *finding::sign_dissent(
        {finding::finding_hash(text_), charter_.group, nick, group::kBegin + 60, std::move(points)}, member.id(),
        member.card_seeds.id);
  }

 private:
  void cut() {
    finding_.cut.clear();
    for (const std::string_view nick : {"alpha", "bravo"}) {
      const SyntheticLog& log = logs_.at(std::string(nick));
      finding_.cut.push_back({std::string(nick), log.size(), log.tree(log.size()).root()});
      checkpoints_.push_back(log.checkpoint(log.size()));
    }
  }
  /// Each item takes as many entries as it may have; where there are more, there are more items.
  void rest_on(const std::vector<Digest>& leaves) {
    for (finding::Evidence& evidence : finding_.evidence) evidence.refs.clear();
    finding::Evidence more = finding_.evidence[1];
    for (std::size_t i = 0; i < leaves.size(); ++i) {
      const std::size_t item = i / finding::kMaxRefsOfEvidence;
      while (finding_.evidence.size() <= item) {
        more.id = fmt::format("e{}", finding_.evidence.size() + 1);
        more.commitment = finding::digest_of(more.id);
        finding_.evidence.push_back(more);
        finding::Row row = finding_.matrix[1];
        row.evidence = more.id;
        finding_.matrix.push_back(row);
      }
      finding_.evidence[item].refs.push_back(leaves[i]);
    }
    for (finding::Evidence& evidence : finding_.evidence)
      if (evidence.refs.empty() && evidence.kind != "report") evidence.refs.push_back(leaves[0]);
  }

  const group::Charter charter_;
  const std::string charter_note_ = group::signed_charter(charter_, group::nicks_of(charter_));
  std::map<std::string, SyntheticLog, std::less<>> logs_;
  finding::Finding finding_;
  std::string text_;
  std::vector<finding::Opening> openings_;
  std::vector<std::string> checkpoints_;
  Secret<32> rotated_node_ = random_secret<32>(), rotated_cosign_ = random_secret<32>();
  std::vector<ShownRotation> rotations_;
  std::vector<ShownEntry> evidence_;
  std::map<std::string, std::string, std::less<>> signatures_;  // lines
  std::map<std::string, ShownEntry, std::less<>> publications_;
};

}  // namespace parley::dossier
