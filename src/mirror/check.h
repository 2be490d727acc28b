// Deriving a stored log anew from its entries (fsck, log.md 2.7): every entry by its rules, every hash, every
// checkpoint and cosignature. It needs public keys and a store, and no replica.
#pragma once

#include "base/thread_pool.h"
#include "log/member_keys.h"
#include "mirror/store.h"

namespace parley::mirror {

/// Where rows are not what the signatures say.
struct Defect {
  std::string log;  ///< nick
  std::uint64_t seq = 0;
  std::string what;    ///< one sentence
  bool breaks = true;  ///< the log does not hold together; false for bodies and cosignatures, which can come again
  bool of_body = false;
};

/// The log of members[owner] as it is stored. Where an entry breaks a rule, what follows is not looked at.
/// @param reader  position in the members of whose store it is: bodies are checked that it may read and has
/// @param pool    shares the signatures, which are nearly all of the time, among its threads
/// @return the defects, ascending. @error what the store says
Result<std::vector<Defect>> check_log(Store& store, std::span<const log::MemberKeys> members, std::size_t owner,
                                      std::size_t reader, ThreadPool& pool);

}  // namespace parley::mirror
