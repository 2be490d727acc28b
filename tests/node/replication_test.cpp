// Asking the other members what they hold of our log, and stopping in the middle of it.
#include "node/replication.h"

#include "support/session_parties.h"

namespace parley::node {
namespace {

using session::charter_of, session::Opened, session::TestMember;
using vault::fails, vault::succeeds;

TEST(HearEnough, IsStoppedWhileAMemberDoesNotAnswer) {
  const TestMember alpha("Alpha", {}), bravo("Bravo", {});
  Opened us(alpha), silent(bravo);
  const group::SignedCharter charter = charter_of(us, silent);
  wire::Listener listener;
  vault::Peer peer = *us.vault->peer(silent.member.card.nick);
  peer.address = listener.address();
  ASSERT_OK(us.vault->add_peer(peer));
  ASSERT_EQ(us.log(charter).with([](mirror::Replica& replica) { return replica.state(); }), mirror::State::asking);

  auto served = std::async(std::launch::async, [&] {
    return wire::accept(listener.accept(), silent.member.identity(), wire::only(us.pin()));
  });
  SilentProgress progress;
  const group::Membership membership = us.membership(charter);
  auto asked = std::async(std::launch::async, [&] {
    return hear_enough({us.home.folder(), *us.vault, us.member.card}, us.member, membership, us.log(charter), progress);
  });
  const auto link = served.get();
  ASSERT_OK(link);
  ASSERT_OK((*link)->receive(wire::soon()));  // it is asked for what it holds, and says nothing
  const auto begun = Monotonic::now();
  progress.cancel();
  EXPECT_FALSE(asked.get());
  EXPECT_LT(Monotonic::now() - begun, std::chrono::seconds(5));
}

TEST(HearEnough, CallsOnNobodyOnceItIsStopped) {
  const TestMember alpha("Alpha", {}), bravo("Bravo", {});
  Opened us(alpha), other(bravo);
  const group::SignedCharter charter = charter_of(us, other);
  SilentProgress progress;
  progress.cancel();
  const group::Membership membership = us.membership(charter);
  EXPECT_FAILS(
      hear_enough({us.home.folder(), *us.vault, us.member.card}, us.member, membership, us.log(charter), progress),
      Errc::cancelled);
}

}  // namespace
}  // namespace parley::node
