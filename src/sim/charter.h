// The charter of a simulated group: a real one, signed by all, with caps that its sessions run into.
#pragma once

#include "group/membership.h"
#include "session/question.h"
#include "sim/dice.h"
#include "sim/member.h"

namespace parley::sim {

/// Draws the terms and has all members sign them. Half of all groups have caps that a few sessions use up.
group::SignedCharter sign_charter(const std::vector<Member>& members, Dice& dice);

/// A question that the charter allows, and the padded size of one side's set, which it may not.
session::Question draw_question(const group::Charter& charter, Dice& dice);
std::uint64_t draw_padded(Dice& dice);

}  // namespace parley::sim
