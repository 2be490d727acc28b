// Alarms about canaries, as any member's log brings them: one spelling is taken, and none holds whose entries nobody
// has.
#include "check.h"
#include "session/canary_alarm.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace parley;
  const auto json = log::parse_pjson(fuzz_text(data, size), log::kMaxBodyBytes);
  if (!json) return 0;
  const auto alarm = session::CanaryAlarm::from_json(*json);
  if (!alarm) return 0;
  check(log::write_pjson(alarm->to_json()) == fuzz_text(data, size));
  check(!alarm->hits.empty() && alarm->hits.size() <= session::kMaxAlarmHits);
  check(group::likelihood_ratio(session::chances_of(alarm->hits)) > 0);
  const session::AlarmSources nothing{
      .entry = [](const std::string&, const Digest&) -> Result<mirror::EntryView> { return fail(Errc::not_found, {}); },
      .final_by = [](const session::HeldBy&) -> Result<bool> { return true; },
      .holdings = {}};
  mirror::EntryView entry;
  entry.entry.type = log::kCanaryAlarm;
  entry.body = *json;
  check(!session::check_alarm(entry, nothing));
  return 0;
}
