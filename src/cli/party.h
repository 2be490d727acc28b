// This side of a session, as a command that holds it has it.
#pragma once

#include "cli/command.h"
#include "session/session.h"

namespace parley::cli {

/// `membership` and `pool` outlive it.
inline session::Party party_at(Workplace& at, const group::Membership& membership, ThreadPool& pool) {
  return {.vault = at.vault,
          .member = at.member,
          .membership = membership,
          .membership_now = [&groups = at.groups, id = membership.group().id] { return groups.membership(id); },
          .under_way = at.under_way,
          .ledgers = at.ledgers,
          .pool = pool,
          .progress = at.progress};
}

}  // namespace parley::cli
