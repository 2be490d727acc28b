// A thief of a TLS key that begins a connection before the key is replaced and says who it is afterwards.
#include "attacks/attacker.h"
#include "support/changed_member.h"

namespace parley::attacks {
namespace {

TEST(StalledHello, UnderAKeyThatWasReplacedMeanwhileIsNotServed) {
  program::TwoMembers pair;
  for (const program::Member* member : {&pair.alpha(), &pair.bravo()})
    member->import("type,value\nipv4,198.51.100.7\n");
  pair.answer({"--types", "ipv4"});  // a member writes nothing before it has heard what others hold of its log
  const std::string group = pair.bravo().json({"group", "show", "joint"}).at("id");
  const wire::LocalIdentity stolen = session::ChangedMember(pair.bravo(), group).identity();
  wire::RawTls thief(pair.node().address(), &stolen.tls_seed);
  ASSERT_TRUE(thief.handshake());
  const auto hello = thief.read_frame();
  ASSERT_TRUE(hello.has_value());
  EXPECT_SAYS(pair.bravo().run({"group", "rotate", "joint", "--role", "tls", "--reason", "stolen", "--yes"}), 0,
              "alpha has it now");
  pair.node().logged("links under the old one end");
  thief.write_frame(wire::FrameType::hello_c, as_bytes(wire::make_hello(stolen, wire::Side::client, "alpha-cert",
                                                                        thief.exporter(), wall_clock_now())));
  const auto answer = thief.read_frame();
  EXPECT_TRUE(!answer || answer->type == wire::FrameType::bye || answer->type == wire::FrameType::err);
  EXPECT_NE(pair.node().logged("was replaced while it came in").find("bravo"), std::string::npos);
  EXPECT_EQ(program::match_lines(pair.answer({"--types", "ipv4"})).size(), 1u)
      << "its owner is served under the new key";
}

}  // namespace
}  // namespace parley::attacks
