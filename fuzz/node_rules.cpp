// Any bytes as a file of accept rules: an error with a sentence, or rules that decide every offer by a rule of the file
// or leave it to the operator.
#include "check.h"
#include "memory_file.h"
#include "node/rules.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace parley;
  using session::Direction;
  using session::Function;
  const MemoryFile file(fuzz_bytes(data, size));
  const auto rules = node::AcceptRules::load(file.path().string());
  if (!rules) {
    check(rules.error().code == Errc::format || rules.error().code == Errc::limit);
    check(rules.error().message.size() > 10 && rules.error().where.contains(file.path().string()));
    return 0;
  }
  for (const Function function : {Function::intersection, Function::count}) {
    for (const Direction direction : {Direction::mine, Direction::theirs, Direction::both}) {
      session::Offer offer;
      offer.peer = "alpha";
      offer.question = {function, direction, {indicator::Type::ipv4, indicator::Type::domain}, "", {}};
      offer.their_padded = 256;
      const auto judgement = rules->judge(offer);
      check(judgement.by == "no rule" ? judgement.verdict == node::Verdict::ask && judgement.label.empty()
                                      : judgement.by.starts_with("rule "));
    }
  }
  return 0;
}
