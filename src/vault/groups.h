// Groups as the vault keeps them: each with its charters, its papers under way, and the rules that say which material
// is for it. Notes are opaque here: group/ makes and checks them. The keys of a group lie in a file of their own, under
// a secret of this vault.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/clock.h"
#include "indicator/context.h"
#include "indicator/indicator.h"

namespace parley::vault {

struct GroupRow {
  std::string id;     ///< 32 hex digits
  std::string name;   ///< our own short name for it, one group each
  std::string state;  ///< group/'s business
  UnixSeconds created = 0;
  UnixSeconds latest = 0;  ///< the latest time that was seen while it existed: a clock set back does not go before it
};

struct CharterRow {
  std::int64_t seq = 0;
  Digest hash{};
  std::string note;
  UnixSeconds taken = 0;
};

/// A signed text that belongs to a group and is not a charter in force: a draft, a member's entry, an amendment that
/// gathers signatures, a leave.
struct GroupPaper {
  std::string kind;
  std::string key;  ///< which of its kind: a nick, a hash
  std::string text;
};

/// What of the material is for a group: every condition that is set must hold for one source of an item.
struct MaterialRule {
  std::vector<indicator::Type> types = {};     ///< empty: all
  std::string label = {};                      ///< as Selection::label; empty: all
  std::string source = {};                     ///< file name as imported; empty: all
  std::optional<indicator::Tlp> tlp_max = {};  ///< as Selection::tlp_max
  bool operator==(const MaterialRule&) const = default;
};

struct InvitationRow {
  std::string id;  ///< 16 hex digits
  std::string group;
  std::string invited;  ///< our name for the invited
  UnixSeconds expires = 0;
  std::int64_t failures = 0;
  bool open = true;  ///< not used, not burnt, not expired; its secret is there as long as it is open
};

}  // namespace parley::vault
