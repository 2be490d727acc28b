// How it stands with admission in one group, for people (parley admit status).
#pragma once

#include "admission/epoch.h"

namespace parley::admission {

struct TypeStatus {
  indicator::Type type = indicator::Type::ipv4;
  std::uint64_t admitted = 0;   ///< have a tag, of what the group may see
  std::uint64_t under_way = 0;  ///< in a batch that not every member has answered, places for canaries among them
  std::uint64_t waiting = 0;    ///< in none
  bool rests = false;           ///< so few wait, after so many batches of today, that the next one is made later
  std::int64_t used = 0;        ///< of the cap, by canaries too, and by what was lost or spoilt
  std::int64_t cap = 0;         ///< by the charter, for each member and epoch
};

struct HelperStatus {
  std::string nick;
  bool has_key = false;  ///< of this epoch, in its log
  UnixSeconds reached = 0;
  UnixSeconds away_since = 0;  ///< 0: it is there
  std::string trouble;
  std::int64_t bad_answers = 0;  ///< how often it gave us some
  UnixSeconds bad_answers_at = 0;
  std::string bad_answers_why;
  std::uint64_t unanswered = 0;                    ///< indicators under way that wait for it
  std::map<indicator::Type, std::int64_t> counts;  ///< with how many of ours it has helped, by its own log
  std::map<indicator::Type, std::int64_t> beyond;  ///< how many more than this vault asked it for; absent: none
};

/// What a member has had admitted, by the log of the helper that counted most.
struct OwnerStatus {
  std::string nick;
  std::map<indicator::Type, std::int64_t> counts;
};

struct Overview {
  std::string epoch;                 ///< name
  std::vector<std::string> missing;  ///< members without a key in it; while there are any, nothing is admitted
  std::vector<TypeStatus> types;
  std::vector<HelperStatus> helpers;  ///< all other members
  std::vector<OwnerStatus> others;    ///< what they have had admitted
};

/// @error the vault's
Result<Overview> overview(vault::Vault& vault, const group::Membership& membership, std::string_view our_nick,
                          UnixSeconds now);

}  // namespace parley::admission
