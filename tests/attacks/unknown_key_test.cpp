// Somebody with a key that nobody pinned.
#include "attacks/attacker.h"

namespace parley::wire {
namespace {

class UnknownKey : public Attack {};

TEST_F(UnknownKey, IsRefusedAndNamedInTheLog) {
  const Secret<32> seed = random_secret<32>();
  const Error refusal = refusal_of([&](const std::string& address) {
    RawTls attacker(address, &seed);
    attacker.handshake();
    EXPECT_EQ(attacker.read_frame(), std::nullopt) << "not even the Hello is shown to a stranger";
  });
  EXPECT_EQ(refusal.code, Errc::peer_unknown);
  EXPECT_THAT(refusal.text(), testing::HasSubstr(to_hex(crypto::public_key_of(seed))));
  EXPECT_THAT(refusal.where, testing::StartsWith("127.0.0.1:"));
}

TEST_F(UnknownKey, OfAMemberWhoDialsAsItselfIsRefusedToo) {
  const LocalIdentity carol = make_identity("carol");
  const Error refusal = refusal_of(
      [&](const std::string& address) { EXPECT_FALSE(connect(address, carol, pin(members_.alpha)).has_value()); });
  EXPECT_EQ(refusal.code, Errc::peer_unknown);
}

TEST_F(UnknownKey, OfAnAttackerWhoCanOnlyCopyThePinnedPublicKeyIsRefused) {
  // A lookup that answers with a peer of another key must not be enough.
  auto served = std::async(std::launch::async, [&] {
    return accept(members_.listener.accept(), members_.alpha,
                  [&](const ByteArray<32>&) { return std::optional(pin(members_.bravo)); });
  });
  const Secret<32> seed = random_secret<32>();
  RawTls attacker(members_.listener.address(), &seed);
  attacker.handshake();
  attacker.read_frame();
  const LinkResult link = served.get();
  ASSERT_FALSE(link.has_value());
  EXPECT_EQ(link.error().code, Errc::peer_unknown);
}

}  // namespace
}  // namespace parley::wire
