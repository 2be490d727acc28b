// What stands in an audit file once its seal is open: anything that somebody wrote who wants to pass. The record is
// read within its limits, and entries that no member signed show no session.
#include "audit/reexecution.h"
#include "check.h"
#include "psi/limits.h"
#include "session/padding.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace parley;
  ByteView rest = fuzz_bytes(data, size);
  const session::RecordSource source{.read_exactly = [&rest](MutableByteView out) -> Status {
                                       if (out.size() > rest.size()) return fail(Errc::format, "It ends too early.");
                                       std::ranges::copy(rest.first(out.size()), out.begin());
                                       rest = rest.subspan(out.size());
                                       return {};
                                     },
                                     .at_end = [&rest]() -> Result<bool> { return rest.empty(); }};
  const auto audited = audit::read_audited(source);
  if (!audited) return 0;
  check(rest.empty());
  check(audited->record.session == audited->opened.session);
  const session::RecordedSet& set = audited->record.set;
  check(set.elements.size() <= session::kLargestPadded);
  for (std::size_t i = 0; i < set.elements.size(); ++i) check(set.elements[i].size() <= psi::kMaxElementBytes);
  check(set.entered().size() == set.elements.size());
  for (const psi::RecordedMessage& message : audited->record.messages)
    check(message.sent ? message.payload.empty() : message.payload.size() == message.size);
  const auto again = audit::Opened::from_json(audited->opened.to_json());
  check(again && *again == audited->opened);
  std::vector<log::MemberKeys> members;
  for (const std::uint8_t which : {std::uint8_t{1}, std::uint8_t{2}}) {
    const std::string name = "fuzz.example/g/00000000/m/m" + std::to_string(which);
    members.push_back(
        {"m" + std::to_string(which), log::vkey_of(name + "/node", log::KeyType::ed25519, fixed_seed(which)),
         log::vkey_of(name, log::KeyType::ed25519, fixed_seed(static_cast<std::uint8_t>(which + 10))),
         log::vkey_of(name + "/mirror", log::KeyType::cosignature, fixed_seed(static_cast<std::uint8_t>(which + 20)))});
  }
  ThreadPool pool(1);
  SilentProgress progress;
  check(!audit::audit(*audited, members, {}, pool, progress));
  return 0;
}
