// What an alarm of canaries is checked against: the logs as this vault keeps them, of everybody who is or was a member.
#pragma once

#include <functional>
#include <memory>

#include "group/membership.h"
#include "mirror/holdings.h"
#include "mirror/replica.h"

namespace parley::session {

/// Whether enough members had signed by `time` that they hold entry `seq` of the log of `nick`.
struct HeldBy {
  std::string nick;
  std::uint64_t seq = 0;
  std::int64_t time = 0;
  Digest charter{};  ///< hash of the version that says who the members are
  /// Whose word is not needed where two others are left: as many of them are enough as the group would need without it.
  std::string accused = {};
};

struct AlarmSources {
  /// An entry of a log. @error Errc::not_found
  std::function<Result<mirror::EntryView>(const std::string& nick, const Digest& leaf_hash)> entry;
  /// Once true, true for good: neither who leaves later counts against it, nor a later version of the charter.
  /// @error Errc::not_found for a version that is not here
  std::function<Result<bool>(const HeldBy& held)> final_by;
  /// What final_by() has read so far.
  std::shared_ptr<mirror::Holdings> holdings = {};
};
/// Of what the vault keeps, which outlives it. @error the vault's
Result<AlarmSources> sources_of(vault::Vault& vault, const group::Membership& membership);

/// What another member has said of an entry of our log: nothing, or since when it holds it.
struct Voter {
  std::string nick;
  std::optional<mirror::Holding> holding;

  /// Whether it states a time further ahead of when its word came than clocks may differ.
  bool is_ahead(std::int64_t skew_seconds) const { return holding && holding->stated > holding->since + skew_seconds; }
};
/// Of every other member who has not left, by nick. @error the vault's
Result<std::vector<Voter>> voters_on(const AlarmSources& sources, const group::Membership& membership,
                                     std::uint64_t seq);

}  // namespace parley::session
