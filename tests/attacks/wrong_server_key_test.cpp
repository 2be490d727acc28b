// Somebody else answers at a peer's address.
#include "attacks/attacker.h"

namespace parley::wire {
namespace {

class WrongServerKey : public Attack {};

TEST_F(WrongServerKey, IsNoticedBeforeTheClientSaysAnything) {
  LinkResult connected;
  const LocalIdentity expected = make_identity("carol");
  const Error refusal =
      refusal_of([&](const std::string& address) { connected = connect(address, members_.bravo, pin(expected)); });
  EXPECT_THAT(refusal.message, testing::HasSubstr("refuses our key"));
  ASSERT_FALSE(connected.has_value());
  EXPECT_EQ(connected.error().code, Errc::peer_unknown);
  EXPECT_THAT(connected.error().text(), testing::HasSubstr(to_hex(crypto::public_key_of(members_.alpha.tls_seed))));
}

TEST_F(WrongServerKey, OfAMemberThatIsPinnedUnderAnotherNameIsNoticedToo) {
  // alpha answers where bravo expects carol, whose nick and node key are right but whose TLS key is not.
  PinnedPeer mixed = pin(members_.alpha);
  mixed.tls_key = crypto::public_key_of(random_secret<32>());
  LinkResult connected;
  const Error refusal =
      refusal_of([&](const std::string& address) { connected = connect(address, members_.bravo, mixed); });
  EXPECT_EQ(refusal.code, Errc::refused);
  ASSERT_FALSE(connected.has_value());
  EXPECT_EQ(connected.error().code, Errc::peer_unknown);
}

}  // namespace
}  // namespace parley::wire
