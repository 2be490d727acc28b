// Which protocol is taken for which sets and which line.
#include "psi/intersect/choice.h"

#include <gtest/gtest.h>

namespace parley::psi {
namespace {

std::string_view taken(std::size_t receiver, std::size_t sender, const Line& line) {
  return choose_protocol(receiver, sender, line, 1).protocol->name();
}

const Line kLocal = line_with(0.0001);
const Line kDistant = line_with(0.04);

TEST(Choice, TakesTheClassicProtocolForSmallSetsAndTheFastOneForLargeSets) {
  for (const Line& line : {kLocal, kDistant}) {
    EXPECT_EQ(taken(256, 256, line), "classic");
    EXPECT_EQ(taken(1 << 16, 1 << 16, line), "fast");
    EXPECT_EQ(taken(1 << 20, 1 << 20, line), "fast");
    EXPECT_EQ(taken(1 << 24, 1 << 24, line), "fast");
  }
}

TEST(Choice, GoesFromOneToTheOtherOnceAsSetsGrow) {
  for (const Line& line : {kLocal, kDistant}) {
    bool fast = false;
    for (std::size_t count = 256; count <= std::size_t{1} << 20; count += count / 4) {
      const bool now_fast = taken(count, count, line) == "fast";
      EXPECT_TRUE(now_fast || !fast) << count;
      fast = now_fast;
    }
    EXPECT_TRUE(fast);
  }
}

TEST(Choice, StaysWithTheClassicProtocolLongerWhereRoundTripsAndBytesAreDear) {
  const Line slow{0.5, 20e3};
  EXPECT_EQ(taken(4096, 4096, kLocal), "fast");
  EXPECT_EQ(taken(4096, 4096, slow), "classic");
}

TEST(Choice, SaysWhatTheOtherProtocolWouldTake) {
  const Choice choice = choose_protocol(1 << 20, 1 << 20, kLocal, 1);
  EXPECT_NE(choice.reason_for(*choice.protocol).find("classic would take about"), std::string::npos);
  EXPECT_NE(choice.reason_for(*classic_protocol()).find("fast would take about"), std::string::npos);
}

TEST(Choice, KnowsTheBytesOfBothProtocols) {
  // As the protocols count them themselves (docs/performance.md), without what frames and TLS add.
  EXPECT_NEAR(estimate_classic(16'384, 16'384, kLocal, 1).bytes, 1'310'720, 1);
  EXPECT_NEAR(estimate_fast(1 << 20, 1 << 20, kLocal, 1).bytes, 36.9e6, 0.1e6);
}

TEST(Choice, FindsAProtocolByItsSuiteAndRefusesAllOthers) {
  EXPECT_EQ(known_suites(), (std::vector<std::uint16_t>{0x0001, 0x0010}));
  EXPECT_EQ((*protocol_of_suite(0x0001))->name(), "fast");
  EXPECT_EQ((*protocol_of_suite(0x0010))->name(), "classic");
  for (const std::uint16_t suite : std::initializer_list<std::uint16_t>{0, 2, 0x0011, 0xffff})
    EXPECT_EQ(protocol_of_suite(suite).error().code, Errc::unsupported);
}

}  // namespace
}  // namespace parley::psi
