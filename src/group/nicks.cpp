#include "group/nicks.h"

#include <fmt/format.h>

#include <algorithm>

namespace parley::group {

Status check_nicks(std::span<const SignedCharter> versions, const Charter& next) {
  const auto refuse = [](const std::string& why) {
    return fail(Errc::format, "This is no amendment that could come into force: " + why);
  };
  for (const CharterMember& is : next.members) {
    const std::string& nick = is.keys.nick;
    // The last word: a group that has given a nick away before this was asked goes on with whom it named since.
    const auto last = std::ranges::find_if(versions.rbegin(), versions.rend(), [&](const SignedCharter& version) {
      return version.charter.member(nick) != nullptr;
    });
    if (last == versions.rend()) continue;
    const CharterMember& was = *last->charter.member(nick);
    if (is.id != was.id || is.keys.log != was.keys.log)
      return refuse(
          fmt::format("{} is in version {} a member with another id or log key, and that member's log is known by the "
                      "name for good. Whoever comes in needs another short name: parley --home NEW init.",
                      nick, last->charter.seq));
    if (is.keys != was.keys)
      return refuse(fmt::format(
          "it names another node or cosign key of {} than version {}. A member replaces these by an entry of "
          "its log: parley group rotate.",
          nick, last->charter.seq));
  }
  return {};
}

}  // namespace parley::group
