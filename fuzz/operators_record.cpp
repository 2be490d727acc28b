// What the operator log takes from outside: a record, an operator's key, the head in an entry of a log, the account of
// operators and rules. One spelling is taken, and any record that is taken leaves a roster that can be written down.
#include "check.h"
#include "operators/operator_log.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace parley;
  const std::string_view text = fuzz_text(data, size);
  if (const auto key = operators::OperatorKey::parse(text)) check(key->line() == text);

  const operators::SubjectKey subjects{Secret<32>()};
  operators::Roster roster;
  for (std::string_view rest = text; !rest.empty();) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    const std::string_view line = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    const auto record = operators::read_record(line);
    if (!record) continue;
    check(operators::write_record(*record) == line);
    static_cast<void>(roster.apply(*record, subjects));
  }
  const auto again = operators::Roster::from_json(roster.to_json());
  check(again && again->to_json() == roster.to_json());

  const auto json = log::parse_pjson(text, 1 << 16);
  if (!json) return 0;
  if (const auto head = operators::HiddenHead::from_json(*json)) check(head->to_json() == *json);
  if (const auto read = operators::Roster::from_json(*json))
    check(operators::Roster::from_json(read->to_json()).has_value());
  return 0;
}
