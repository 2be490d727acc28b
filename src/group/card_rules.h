// What a card may say (log.md 1.1, 1.2), and how one is made.
#pragma once

#include "group/member.h"
#include "log/member_keys.h"

namespace parley::group {

/// The schema-less name under which keys stand until a group chooses its own. It need not resolve.
inline constexpr std::string_view kDomain = "parley.local";

inline constexpr std::size_t kMaxNameBytes = 64;
inline constexpr std::size_t kMaxCardBytes = 8192;

using log::is_nick;

/// A name that a person can read and nobody can be deceived by: 1 to 64 bytes of visible text. @error Errc::usage
Status check_name(std::string_view name);

/// The seeds of a member's five keys.
struct MemberSeeds {
  Secret<32> id, node, log, cosign, tls;
};

/// The signed note of a card. Precondition: check_name(name), is_nick(nick).
std::string make_card(std::string_view name, std::string_view nick, const MemberSeeds& seeds, UnixSeconds created);

}  // namespace parley::group
