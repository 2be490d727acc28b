// What a member's changed program writes and an honest one refuses to.
#pragma once

#include "finding/three_members.h"

namespace parley::finding {

/// Freezes a finding of `nick` as it is, on the trees that a quorum holds now: with the time that it states, and
/// whatever rule it breaks.
inline DraftBody frozen_by(ThreeMembers& members, const std::string& nick, Finding finding) {
  const group::Membership membership = members.membership(nick);
  finding.group = membership.charter().group;
  finding.charter = membership.signed_charter().hash;
  finding.cut.clear();
  DraftBody body;
  const auto logs = Analyst(members.group_[nick].vault(), membership, members.log(nick)).cut();
  EXPECT_HOLDS(logs);
  if (!logs) return body;
  for (const auto& [cut, note] : *logs) {
    finding.cut.push_back(cut);
    body.checkpoints.push_back(note);
  }
  body.openings = freeze(finding);
  body.text = finding_text(finding);
  return body;
}

/// An entry for everybody, which states any time that is not before the last one in the log of `nick`.
inline void write_at(ThreeMembers& members, std::string_view nick, std::string_view type, log::Json body,
                     UnixSeconds time) {
  EXPECT_HOLDS(members.log(nick).with([&](mirror::Replica& replica) {
    return replica.append(mirror::draft_for_everyone(type, std::move(body)), time);
  }));
}

}  // namespace parley::finding
