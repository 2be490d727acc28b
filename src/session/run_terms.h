// What both sides and an auditor derive in the same way of the steps that a run stands on (docs/wire-format.md, "The
// intersection").
#pragma once

#include "base/secret.h"
#include "psi/intersect/protocol.h"
#include "session/question.h"

namespace parley::session {

/// SHA-256("parley/seed/v1\0" || seed): what session.commit says of the seed of a side's run.
Digest seed_commitment(const Secret<32>& seed);

/// Leaf hashes of the four entries that name a run.
struct NamingSteps {
  Digest proposal{}, asker_commit{}, acceptance{}, responder_commit{};
};

/// sid of psi.md 0.3.2: SHA-256("parley/v1/sid" || proposal || asker's commit || acceptance || responder's commit).
Digest run_id(const NamingSteps& steps);

/// What the side that learns second gets back from the one that learns first.
psi::Reply reply_of(const Question& question);

}  // namespace parley::session
