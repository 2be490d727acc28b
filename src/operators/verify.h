// Whether the operator log is what it was: by its own chain and signatures, and by the heads of it that other members
// hold in their copies of this member's joint logs.
#pragma once

#include <span>

#include "operators/operator_log.h"

namespace parley::operators {

/// A head that stands in an entry of a log of ours.
struct PublishedHead {
  std::string origin;       ///< of the log
  std::uint64_t entry = 0;  ///< its number there
  UnixSeconds time = 0;     ///< of the entry
  /// Nothing: the entry's body is not here, or it has no head although an earlier one has.
  std::optional<HiddenHead> head;
  std::vector<std::string> holders;  ///< nicks of the members who have signed that they hold the entry
};

/// All in the logs of this vault's own, log by log, in the order of their entries. Entries from before there was an
/// operator log have none. The logs themselves are checked by mirror::check_log().
/// @error Errc::format for an entry that cannot be read; what the vault says
Result<std::vector<PublishedHead>> published_heads(vault::Vault& vault);

/// What is wrong, and from which record on: all before it are as they were.
struct Fault {
  std::uint64_t record = 0;
  std::string why;  ///< a sentence
};

struct Verdict {
  std::uint64_t records = 0;
  std::uint64_t heads = 0;                ///< that fit
  std::uint64_t vouched = 0;              ///< records that a fitting head covers which another member holds
  std::vector<std::string> holders;       ///< of those heads, ascending
  std::vector<std::uint64_t> unfinished;  ///< acts of which no outcome is on record
  std::vector<Fault> faults;              ///< by record; empty if all is well
};

/// @error what the vault says
Result<Verdict> verify(const OperatorLog& log, std::span<const PublishedHead> heads);

}  // namespace parley::operators
