// What the sessions of a group have used of its budgets, as far as this member took part in them.
#pragma once

#include <map>
#include <span>

#include "group/membership.h"

namespace parley::session {

/// With one member, by type of indicator, as of now: every session that ran or may have disclosed counts, whatever its
/// result. @param group  id  @param peer  our name for the member
Result<std::map<indicator::Type, group::Spent>> spent_with(vault::Vault& vault, std::string_view group,
                                                           std::string_view peer, UnixSeconds now);

/// The same from the sessions' rows, wherever they are kept.
Result<std::map<indicator::Type, group::Spent>> spent_in(std::span<const vault::SessionRow> rows,
                                                         std::string_view group, std::string_view peer,
                                                         UnixSeconds now);

}  // namespace parley::session
