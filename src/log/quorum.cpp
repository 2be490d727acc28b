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

Result<Standing> read_standing(std::string_view note, std::span<const MemberKeys> members, std::size_t owner,
                               std::size_t quorum) {
  assert(owner < members.size() && quorum >= log_quorum(members.size()) && quorum <= members.size());
  std::vector<VerifierKey> cosigners;
  for (const MemberKeys& member : members) cosigners.push_back(member.cosign);
  TRY(CosignedCheckpoint read, read_cosigned(note, members[owner].log, cosigners));
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
