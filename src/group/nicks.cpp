#include "group/nicks.h"

#include <fmt/format.h>

namespace parley::group {

Status check_nicks(std::span<const SignedCharter> versions, const Charter& next) {
  const auto refuse = [](const std::string& why) {
    return fail(Errc::format, "This is no amendment that could come into force: " + why);
  };
  for (const SignedCharter& version : versions) {
    for (const CharterMember& was : version.charter.members) {
      const CharterMember* is = next.member(was.keys.nick);
      if (is == nullptr) continue;
      if (is->id != was.id || is->keys.log != was.keys.log)
        return refuse(
            fmt::format("{} is in version {} a member with another id or log key, and that member's log is "
                        "known by the name for good. Whoever comes in needs another short name: parley --home "
                        "NEW init.",
                        was.keys.nick, version.charter.seq));
      if (is->keys != was.keys)
        return refuse(
            fmt::format("it names another node or cosign key of {} than version {}. A member replaces these "
                        "by an entry of its log: parley group rotate.",
                        was.keys.nick, version.charter.seq));
    }
  }
  return {};
}

}  // namespace parley::group
