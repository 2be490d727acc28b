// Trust policies from any bytes: what is read is written as what reads the same, and its quorum is monotone.
#include "check.h"
#include "log/policy.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace parley;
  const auto policy = log::parse_policy(fuzz_text(data, size));
  if (!policy) return 0;
  const std::string written = log::write_policy(*policy);
  const auto again = log::parse_policy(written);
  check(again && *again == *policy && log::write_policy(*again) == written);
  std::vector<std::size_t> cosigned;
  bool reached = policy->is_quorum(cosigned);
  check(reached == (policy->quorum == "none"));
  for (std::size_t i = 0; i < policy->witnesses.size(); ++i) {
    cosigned.push_back(i);
    const bool now = policy->is_quorum(cosigned);
    check(now || !reached);
    reached = now;
  }
  check(reached);  // all witnesses together are always enough
  return 0;
}
