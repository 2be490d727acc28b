// A replica that is given any bytes by a member, with entries that another member has signed behind them: whatever
// comes, it convicts nobody, changes nothing on an error, and its logs derive anew.
#include "check.h"
#include "mirror/replica.h"
#include "support/memory_store.h"

namespace {

using namespace parley;

constexpr std::string_view kGroup = "7d1f3c907d1f3c907d1f3c907d1f3c90";
constexpr std::int64_t kNow = 1'790'000'000;

/// Member `i`, with seeds that are the same in every run.
log::MemberKeys member(std::uint8_t i) {
  const std::string nick(1, static_cast<char>('a' + i));
  const auto first = static_cast<std::uint8_t>(10 * i + 1);
  return {nick, log::vkey_of("g/" + nick + "/node", log::KeyType::ed25519, fixed_seed(first)),
          log::vkey_of("g/" + nick, log::KeyType::ed25519, fixed_seed(static_cast<std::uint8_t>(first + 1))),
          log::vkey_of("g/" + nick + "/mirror", log::KeyType::cosignature,
                       fixed_seed(static_cast<std::uint8_t>(first + 2)))};
}

std::unique_ptr<mirror::Replica> replica_of(std::uint8_t i, mirror::Store& store, mirror::Guard& guard) {
  const auto first = static_cast<std::uint8_t>(10 * i + 1);
  mirror::GroupView view{.id = std::string(kGroup), .members = {member(0), member(1), member(2)}, .self = i};
  mirror::OwnSeeds seeds{fixed_seed(first), fixed_seed(static_cast<std::uint8_t>(first + 1)),
                         fixed_seed(static_cast<std::uint8_t>(first + 2))};
  auto opened = mirror::Replica::open(std::move(view), std::move(seeds), store, guard);
  check(opened.has_value());
  return std::move(*opened);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  mirror::MemoryStore ours, theirs;
  mirror::MemoryGuard our_guard(ours), their_guard(theirs);
  const auto us = replica_of(0, ours, our_guard);
  const auto them = replica_of(1, theirs, their_guard);
  check(them->accept_fork_risk().has_value() && us->accept_fork_risk().has_value());
  for (const std::string_view type : {log::kLogOpen, log::kHeads})
    check(them->append({.type = std::string(type), .session = {}, .refs = {}, .audience = {"*"}}, kNow).has_value());
  // The input: messages, each u8 type, u16be length, payload. A type of 0 stands for what the honest member sends next.
  us->connected("b");
  them->connected("a");
  ByteView rest = fuzz_bytes(data, size);
  while (rest.size() >= 3) {
    const auto type = std::to_integer<std::uint8_t>(rest[0]);
    const std::size_t length = std::min<std::size_t>(read_be<std::uint16_t>(rest.subspan(1)), rest.size() - 3);
    const ByteView payload = rest.subspan(3, length);
    rest = rest.subspan(3 + length);
    if (type == 0) {
      for (const mirror::Message& message : *them->to_send("a")) check(us->take("b", message, kNow).has_value());
      for (const mirror::Message& message : *us->to_send("b")) check(them->take("a", message, kNow).has_value());
    }
    const auto message_type = mirror::message_type(type);
    if (!message_type) continue;
    const std::uint64_t commits = ours.commits;
    const auto outcome = us->take("b", {*message_type, to_bytes(payload)}, kNow);
    check(outcome || ours.commits == commits);
    check(us->convictions().empty());
  }
  check(us->fsck()->empty());
  return 0;
}
