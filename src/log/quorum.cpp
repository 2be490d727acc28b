#include "log/quorum.h"

#include <algorithm>
#include <cassert>

namespace parley::log {

std::size_t log_quorum(std::size_t member_count) {
  assert(member_count >= 1 && member_count <= kMaxGroupMembers);
  return member_count <= 3 ? member_count : 2 * member_count / 3 + 1;
}

bool Standing::held_by(std::size_t member) const {
  return std::ranges::find(holders, member) != holders.end();
}

Result<CosignedCheckpoint> read_cosigned_by(const Note& note, std::span<const MemberKeys> members, std::size_t owner,
                                            std::span<const NoteSignature> verified, FalseLine false_line) {
  // Whether the log signed this is seen below; before that it only says which keys are asked for.
  const auto claimed = parse_checkpoint(note.text);
  const std::uint64_t size = claimed ? claimed->size : 0;
  std::vector<VerifierKey> keys;
  std::vector<std::size_t> of;
  for (std::size_t i = 0; i < members.size(); ++i)
    for (VerifierKey& key : members[i].cosign_on(members[owner].nick, size)) {
      keys.push_back(std::move(key));
      of.push_back(i);
    }
  TRY(CosignedCheckpoint read, read_cosigned(note, members[owner].log, keys, verified, false_line));
  std::vector<Cosigner> cosigners;
  for (const Cosigner& cosigner : read.cosigners) {
    const std::size_t member = of[cosigner.key];
    if (!cosigners.empty() && cosigners.back().key == member)
      cosigners.back().time = std::min(cosigners.back().time, cosigner.time);
    else
      cosigners.push_back({member, cosigner.time});
  }
  read.cosigners = std::move(cosigners);
  return read;
}

Result<std::string> only_what_counts(std::string_view note, std::span<const MemberKeys> members, std::size_t owner) {
  if (note.size() > kMaxCheckpointBytes) return fail(Errc::limit, "A checkpoint note is longer than its limit.");
  TRY(Note parsed, parse_note(note));
  TRY(const CosignedCheckpoint read, read_cosigned_by(parsed, members, owner));
  std::vector<NoteSignature> counted;
  const auto keep_one = [&](const VerifierKey& key, std::optional<std::uint64_t> time) {
    const auto line = std::ranges::find_if(parsed.signatures, [&](const NoteSignature& one) {
      return one.name == key.name && one.key_id == key.id() &&
             (!time || read_be<std::uint64_t>(one.signature) == *time);
    });
    if (line == parsed.signatures.end()) return false;
    counted.push_back(*line);
    return true;
  };
  keep_one(members[owner].log, {});
  for (const Cosigner& cosigner : read.cosigners) {
    if (cosigner.key == owner) continue;
    const std::vector<VerifierKey> keys = members[cosigner.key].cosign_on(members[owner].nick, read.checkpoint.size);
    std::ranges::any_of(keys, [&](const VerifierKey& key) { return keep_one(key, cosigner.time); });
  }
  parsed.signatures = std::move(counted);
  return write_note(parsed);
}

Result<Standing> read_standing(std::string_view note, std::span<const MemberKeys> members, std::size_t owner,
                               std::size_t quorum) {
  assert(owner < members.size() && quorum >= log_quorum(members.size()) && quorum <= members.size());
  if (note.size() > kMaxCheckpointBytes) return fail(Errc::limit, "A checkpoint note is longer than its limit.");
  TRY(const Note parsed, parse_note(note));
  TRY(CosignedCheckpoint read, read_cosigned_by(parsed, members, owner));
  Standing standing;
  standing.checkpoint = std::move(read.checkpoint);
  standing.member_count = members.size();
  standing.quorum = quorum;
  // The owner holds its tree by its log signature; what its cosign key says of its own log adds nothing.
  std::erase_if(read.cosigners, [&](const Cosigner& cosigner) { return cosigner.key == owner; });
  read.cosigners.push_back({owner, 0});
  std::ranges::sort(read.cosigners, {}, &Cosigner::key);
  for (const Cosigner& cosigner : read.cosigners) {
    standing.holders.push_back(cosigner.key);
    standing.times.push_back(cosigner.time);
  }
  return standing;
}

}  // namespace parley::log
