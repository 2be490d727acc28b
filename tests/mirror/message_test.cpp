// Messages between replicas: one form for each, every length within its limit.
#include "mirror/message.h"

#include "circle.h"

namespace parley::mirror {
namespace {

class Messages : public testing::Test {
 protected:
  Messages() {
    branch_.append(log::kLogOpen, {}, {"*"});
    branch_.append(log::kHeads, {}, {"bravo"});
    branch_.append(log::kHeads);
  }
  std::vector<Content> all() const {
    const Digest hash = branch_.hashes[0];
    return {Heads{{{"alpha", branch_.checkpoint(3)}, {"bravo", branch_.checkpoint(1)}}, true},
            Heads{{}, false},
            branch_.push("bravo"),
            branch_.push("carol", 1, 3),
            Cosig{"alpha", branch_.checkpoint(2)},
            Get{Get::What::entries, "alpha", 2, 700},
            Get{Get::What::body, "alpha", 1, 1},
            Get{Get::What::prefix, "alpha", 2, 1},
            EntryBody{"alpha", 1, branch_.bodies[1]},
            Proof{"alpha", 2, {hash, hash}, branch_.checkpoint(3)}};
  }
  TestMember alpha_{"alpha"};
  Branch branch_{alpha_};
};

TEST_F(Messages, ReadAsTheyWereWritten) {
  for (const Content& content : all()) {
    const Message message = message_of(content);
    const auto read = parse_message(kGroup, message);
    ASSERT_OK(read);
    EXPECT_EQ(*read, content);
    EXPECT_EQ(message_of(*read), message);
    EXPECT_EQ(*group_of(message), kGroup);
    EXPECT_EQ(message_type(static_cast<std::uint8_t>(message.type)), message.type);
  }
}

TEST_F(Messages, AreRefusedWhenCutAnywhere) {
  for (const Content& content : all()) {
    const Message message = message_of(content);
    for (std::size_t size = 0; size < message.payload.size(); ++size) {
      Message cut{message.type, Bytes(message.payload.begin(), message.payload.begin() + static_cast<long>(size))};
      const auto read = parse_message(kGroup, cut);
      ASSERT_FALSE(read.has_value()) << size << " of " << message.payload.size();
    }
  }
}

TEST_F(Messages, AreRefusedOrReadAsWrittenWhateverBitIsFlipped) {
  for (const Content& content : all()) {
    const Message message = message_of(content);
    for (std::size_t bit = 0; bit < 8 * message.payload.size(); ++bit) {
      Message flipped = message;
      flipped.payload[bit / 8] ^= std::byte{static_cast<unsigned char>(1u << (bit % 8))};
      const auto read = parse_message(kGroup, flipped);
      ASSERT_TRUE(!read || message_of(*read) == flipped) << bit;
    }
  }
}

TEST_F(Messages, AreRefusedWithMoreAtTheirEnd) {
  for (const Content& content : all()) {
    Message longer = message_of(content);
    for (const std::size_t more : {1u, 3u, 4u, 5u}) {
      longer.payload.resize(longer.payload.size() + more);
      EXPECT_FALSE(parse_message(kGroup, longer).has_value());
    }
  }
}

TEST_F(Messages, AreForOneGroup) {
  for (const Content& content : all())
    EXPECT_FAILS(parse_message(std::string(32, '0'), message_of(content)), Errc::protocol);
}

TEST_F(Messages, AreNotTakenForAnotherKind) {
  for (const Content& content : all()) {
    const Message message = message_of(content);
    for (std::uint8_t number = 0; number < 32; ++number) {
      const auto type = message_type(number);
      EXPECT_EQ(type.has_value(), (number >= 3 && number <= 7) || number == 14);
      if (!type || *type == message.type) continue;
      EXPECT_FALSE(parse_message(kGroup, {*type, message.payload}).has_value());
    }
  }
}

TEST_F(Messages, KeepTheirLimits) {
  Push push = branch_.push("carol", 1, 2);
  push.leaves.assign(kMaxPushLeaves + 1, "x");
  EXPECT_FAILS(parse_message(kGroup, message_of(push)), Errc::format);
  push.leaves.assign(1, std::string(log::kMaxEntryBytes + 1, 'x'));
  EXPECT_FAILS(parse_message(kGroup, message_of(push)), Errc::limit);
  push = branch_.push("carol", 1, 2);
  push.checkpoint.assign(log::kMaxCheckpointBytes + 1, 'x');
  EXPECT_FAILS(parse_message(kGroup, message_of(push)), Errc::limit);
  EntryBody body{"alpha", 1, branch_.bodies[1]};
  body.body.text.assign(kMaxCarriedBodyBytes + 1, 'x');
  EXPECT_FAILS(parse_message(kGroup, message_of(body)), Errc::limit);
  body.body.text.assign(kMaxMessageBytes, 'x');
  EXPECT_FAILS(write_message(kGroup, body), Errc::limit);
  EXPECT_FAILS(parse_message(kGroup, {MessageType::body, Bytes(kMaxMessageBytes + 1)}), Errc::limit);
}

TEST_F(Messages, SayOnlyWhatTheyCan) {
  const Push push = branch_.push("bravo");
  const auto refused = [](const Content& content) { return !parse_message(kGroup, message_of(content)).has_value(); };
  Push bad = push;
  std::swap(bad.bodies[0], bad.bodies[1]);
  EXPECT_TRUE(refused(bad)) << "bodies out of order";
  bad = push;
  bad.bodies[1].seq = 3;
  EXPECT_TRUE(refused(bad)) << "a body of an entry that it does not carry";
  bad = push;
  bad.bodies[1].seq = bad.bodies[0].seq;
  EXPECT_TRUE(refused(bad)) << "a body twice";
  bad = push;
  bad.log = "Alpha";
  EXPECT_TRUE(refused(bad)) << "no nick";
  bad = push;
  bad.from = log::kMaxTreeSize;
  EXPECT_TRUE(refused(bad)) << "beyond the largest tree";
  bad = push;
  bad.leaves.clear();
  bad.bodies.clear();
  EXPECT_TRUE(refused(bad)) << "no entry";
  EXPECT_TRUE(refused(Heads{{{"bravo", branch_.checkpoint(1)}, {"alpha", branch_.checkpoint(1)}}, false}));
  EXPECT_TRUE(refused(Heads{{{"alpha", branch_.checkpoint(1)}, {"alpha", branch_.checkpoint(1)}}, false}));
  EXPECT_TRUE(refused(Get{Get::What::body, "alpha", 1, 2}));
  EXPECT_TRUE(refused(Get{Get::What::entries, "alpha", 1, 0}));
  EXPECT_TRUE(refused(Proof{"alpha", 0, {}, branch_.checkpoint(1)}));
  EXPECT_TRUE(refused(Proof{"alpha", 1, std::vector<Digest>(log::kMaxProofHashes + 1), branch_.checkpoint(3)}));
}

}  // namespace
}  // namespace parley::mirror
