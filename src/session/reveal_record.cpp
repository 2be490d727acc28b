#include "session/reveal_record.h"

#include <fmt/format.h>

#include "base/text.h"
#include "log/pjson.h"
#include "session/detail/stored_indicator.h"
#include "session/padding.h"

namespace parley::session {
namespace {

using log::Json;

constexpr std::size_t kMaxUnshownBytes = std::size_t{1} << 30;  // what is written here, of the largest session

std::string unshown_name(const std::string& session) {
  return "reveal/" + session + "/unshown";
}
std::string fault_name(const std::string& session) {
  return "reveal/" + session + "/fault";
}
std::string culprit_name(const std::string& group, const std::string& nick) {
  return "reveal/bad-opening/" + group + "/" + nick;
}

}  // namespace

Result<std::set<indicator::Canonical>> unshown_matches(vault::Vault& vault, const std::string& session) {
  std::set<indicator::Canonical> unshown;
  TRY(const auto stored, vault.setting(unshown_name(session)));
  if (!stored || stored->empty()) return unshown;
  TRY(const Json json, log::parse_pjson(*stored, kMaxUnshownBytes));
  log::ObjectReader reader(json, "the stored matches that were not shown");
  const Json::Array items = reader.array("items", kLargestPadded);
  TRY_STATUS(reader.finish());
  for (const Json& each : items) {
    log::ObjectReader item(each, "a stored match that was not shown");
    indicator::Canonical indicator = detail::stored_indicator(item);
    TRY_STATUS(item.finish());
    unshown.insert(std::move(indicator));
  }
  return unshown;
}

Status note_unshown_matches(vault::Vault& vault, const std::string& session,
                            const std::set<indicator::Canonical>& unshown) {
  if (unshown.empty()) return vault.put_setting(unshown_name(session), "");
  Json::Array items;
  for (const indicator::Canonical& each : unshown)
    items.emplace_back(Json::Object{{"type", indicator::name_of(each.type())}, {"value", each.value()}});
  return vault.put_setting(unshown_name(session), log::write_pjson(Json::Object{{"items", std::move(items)}}));
}

Status keep_bad_opening(vault::Vault& vault, const std::string& group, const std::string& nick,
                        const std::string& session, const std::string& fault) {
  return vault.together([&]() -> Status {
    TRY_STATUS(vault.put_setting(fault_name(session), fault));
    return vault.put_setting(culprit_name(group, nick), session);
  });
}

Result<std::optional<std::string>> bad_opening_in(vault::Vault& vault, const std::string& session) {
  return vault.setting(fault_name(session));
}

Status check_no_bad_opening(vault::Vault& vault, const std::string& group, const std::string& nick) {
  TRY(const auto session, vault.setting(culprit_name(group, nick)));
  if (!session || session->empty()) return {};
  return fail(Errc::policy,
              fmt::format("{} opened in the session {} what it had not committed to, and the evidence is kept here; "
                          "nothing is opened to it any more. parley session fault {} writes the evidence to a file.",
                          visible(nick), session->substr(0, 8), session->substr(0, 8)));
}

}  // namespace parley::session
