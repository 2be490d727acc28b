// A peer that deviates from the fast protocol at every place where it can (psi.md 2.8 and 8.4.5): the run ends with
// Errc::protocol on the other side, or, where the protocol allows no more, matches are lost; no match is ever wrong.
#include <gtest/gtest.h>

#include <algorithm>

#include "crypto/drbg.h"
#include "crypto/vector_table.h"
#include "psi/intersect/layout.h"
#include "psi/two_parties.h"

namespace parley::psi {
namespace {

constexpr std::size_t kReceiverCount = 300;
constexpr std::size_t kSenderFirst = 200;
constexpr std::size_t kSenderCount = 400;
constexpr std::size_t kElementBytes = 32;
constexpr std::size_t kBlockBytes = 16;
constexpr std::size_t kProofRecordBytes = 20;

/// What the two sides hold: 0, ..., receiver_count - 1 and sender_first, ..., sender_first + sender_count - 1.
struct Setting {
  std::size_t receiver_count, sender_first, sender_count;
  std::unique_ptr<Protocol> (*protocol)();

  std::size_t shared() const { return receiver_count - sender_first; }
};

constexpr Setting kOneInstance{kReceiverCount, kSenderFirst, kSenderCount, fast_protocol};
/// Five bins, two in each of three instances but the last.
constexpr Setting kSeveral{6'100, 5'000, 4'000, fast_protocol_in_small_bins};
constexpr std::size_t kBinsOfSeveral = 5;
constexpr std::size_t kInstancesOfSeveral = 3;

BothEnded run_in(const Setting& setting, Role deviating, const Deviation& deviation,
                 Reply reply = Reply::matched_tags) {
  const bool receiver = deviating == Role::receiver;
  return run_both(test_party(test_range(0, setting.receiver_count), 1, receiver ? deviation : Deviation{}),
                  test_party(test_range(setting.sender_first, setting.sender_first + setting.sender_count), 2,
                             receiver ? Deviation{} : deviation),
                  reply, {}, setting.protocol);
}

BothEnded run_with(Role deviating, const Deviation& deviation, Reply reply = Reply::matched_tags) {
  return run_in(kOneInstance, deviating, deviation, reply);
}

Deviation in(MessageType type, std::function<void(std::vector<Message>&)> change) {
  return [type, change = std::move(change)](std::vector<Message>& messages) {
    if (messages.at(0).type == type) change(messages);
  };
}

Deviation in_bytes(MessageType type, std::function<void(Bytes&)> change) {
  return in(type, [change = std::move(change)](std::vector<Message>& messages) { change(messages.at(0).payload); });
}

/// Of all messages of a type the one with number `which`, from 0.
Deviation in_number(std::size_t which, MessageType type, std::function<void(Bytes&)> change) {
  return [which, type, change = std::move(change), met = std::size_t{0}](std::vector<Message>& messages) mutable {
    if (messages.at(0).type == type && met++ == which) change(messages.at(0).payload);
  };
}

const Ended& victim_of(Role deviating, const BothEnded& ended) {
  return deviating == Role::receiver ? ended.sender : ended.receiver;
}

bool was_sent(const Ended& party, MessageType type) {
  return std::ranges::any_of(party.sent, [type](const Message& message) { return message.type == type; });
}

void expect_refused(Role deviating, const BothEnded& ended) {
  const Ended& victim = victim_of(deviating, ended);
  ASSERT_FALSE(victim.outcome.has_value());
  EXPECT_EQ(victim.outcome.error().code, Errc::protocol) << victim.outcome.error().text();
}

void expect_refused(Role deviating, const Deviation& deviation, Reply reply = Reply::matched_tags) {
  expect_refused(deviating, run_with(deviating, deviation, reply));
}

/// Either refused, or nothing but lost matches, with transcripts that differ.
void expect_no_wrong_match(Role deviating, const BothEnded& ended, const Setting& setting = kOneInstance) {
  const Ended& victim = victim_of(deviating, ended);
  if (!victim.outcome) {
    EXPECT_EQ(victim.outcome.error().code, Errc::protocol) << victim.outcome.error().text();
    return;
  }
  EXPECT_LE(victim.outcome->matches.size(), setting.shared());
  for (const Match& match : victim.outcome->matches) {
    if (deviating == Role::sender) {
      EXPECT_GE(match.position, setting.sender_first);
    } else {
      EXPECT_LT(match.position, setting.shared());
    }
  }
  const auto& other = deviating == Role::receiver ? ended.receiver.outcome : ended.sender.outcome;
  if (other) {
    EXPECT_NE(victim.outcome->transcript, other->transcript);
  }
}

/// Every message of the protocol, and whether a wrong bit anywhere in it must be noticed. Where it need not, it costs
/// the deviating side matches, or it is a guess that half of the time is right.
struct Place {
  MessageType type;
  Role by;
  bool always_noticed;
};

constexpr Place kPlaces[] = {
    {MessageType::receiver_hello, Role::receiver, false},  // the salt: nothing matches then
    {MessageType::sender_hello, Role::sender, false},      // the victim is told that it is over
    {MessageType::correction, Role::receiver, false},      // a guess of one bit of Delta
    {MessageType::challenge, Role::sender, false},         // the sender refuses the answer itself
    {MessageType::response, Role::receiver, true},
    {MessageType::trees, Role::sender, false},  // a guess about one position of the noise
    {MessageType::tree_challenge, Role::receiver, false},
    {MessageType::tree_response, Role::sender, true},
    {MessageType::mask_share, Role::receiver, false},
    {MessageType::encoding, Role::receiver, false},
    {MessageType::mask_opening, Role::sender, true},
    {MessageType::tag_index, Role::sender, false},
    {MessageType::tag_part, Role::sender, false},
    {MessageType::proofs, Role::receiver, true},
};

TEST(FastProtocolAgainstADeviatingPeer, NeverMatchesWronglyAfterAFlippedBit) {
  for (const Place& place : kPlaces) {
    for (std::size_t part = 0; part < 5; ++part) {
      SCOPED_TRACE(testing::Message() << "message " << static_cast<int>(place.type) << ", part " << part);
      const auto flip = in_bytes(
          place.type, [part](Bytes& payload) { payload.at(part * (payload.size() - 1) / 4) ^= std::byte{1} << part; });
      const BothEnded ended = run_with(place.by, flip);
      expect_no_wrong_match(place.by, ended);
      if (place.always_noticed) {
        EXPECT_FALSE(victim_of(place.by, ended).outcome.has_value());
      }
    }
  }
}

TEST(FastProtocolAgainstADeviatingPeer, RefusesEveryWrongSizeOtherTypeAndRepetition) {
  for (const Place& place : kPlaces) {
    SCOPED_TRACE(testing::Message() << "message " << static_cast<int>(place.type));
    expect_refused(place.by, in_bytes(place.type, [](Bytes& payload) { payload.push_back({}); }));
    expect_refused(place.by, in_bytes(place.type, [](Bytes& payload) { payload.pop_back(); }));
    expect_refused(place.by,
                   in(place.type, [](std::vector<Message>& messages) { messages[0].type = MessageType::public_key; }));
    // After the last message of a side nothing is read any more.
    if (place.type == MessageType::proofs || place.type == MessageType::tag_part) continue;
    expect_refused(place.by, in(place.type, [](std::vector<Message>& messages) { messages.push_back(messages[0]); }));
  }
}

TEST(FastProtocolAgainstADeviatingPeer, EndsWhenAMessageNeverComes) {
  for (const Place& place : kPlaces) {
    const BothEnded ended = run_with(
        place.by, in(place.type, [](std::vector<Message>& messages) { messages[0] = {MessageType::abort, {}}; }));
    EXPECT_FALSE(victim_of(place.by, ended).outcome.has_value()) << static_cast<int>(place.type);
  }
}

TEST(FastProtocolAgainstADeviatingPeer, RefusesEveryInvalidEncodingAndTheIdentityInThePlaceOfAnElement) {
  std::vector<Bytes> bad{Bytes(kElementBytes)};
  for (const auto& row : table("rfc9496/invalid.txt")) bad.push_back(bytes_of(row[1]));
  for (std::size_t i = 0; i < bad.size(); i += 4) {
    expect_refused(Role::receiver, in_bytes(MessageType::receiver_hello, [&](Bytes& payload) {
                     std::ranges::copy(bad[i], payload.end() - kElementBytes);
                   }));
    expect_refused(Role::sender, in_bytes(MessageType::sender_hello, [&](Bytes& payload) {
                     std::ranges::copy(bad[i], payload.begin() + static_cast<std::ptrdiff_t>(i % 256 * kElementBytes));
                   }));
  }
}

// Before the check of its columns a receiver gets nothing that depends on Delta (psi.md 2.2.7).
TEST(FastProtocolAgainstADeviatingPeer, GetsNoTreesFromASenderWhoseCheckItFails) {
  const BothEnded ended =
      run_with(Role::receiver, in_bytes(MessageType::response, [](Bytes& payload) { payload.back() ^= std::byte{1}; }));
  EXPECT_FALSE(ended.sender.outcome.has_value());
  EXPECT_FALSE(was_sent(ended.sender, MessageType::trees));
}

// The sender's part of the mask is opened when all of the encoding is there, and not before (psi.md 2.0).
TEST(FastProtocolAgainstADeviatingPeer, GetsNeitherMaskNorTagsFromASenderThatHasNotAllOfItsEncoding) {
  const BothEnded ended = run_with(Role::receiver, in(MessageType::encoding, [](std::vector<Message>& messages) {
                                     messages[0] = {MessageType::abort, {}};
                                   }));
  EXPECT_FALSE(ended.sender.outcome.has_value());
  EXPECT_FALSE(was_sent(ended.sender, MessageType::mask_opening));
  EXPECT_FALSE(was_sent(ended.sender, MessageType::tag_index));
}

// A receiver whose trees do not fit sends no encoding: the noise could have been guessed at.
TEST(FastProtocolAgainstADeviatingPeer, GetsNoEncodingFromAReceiverWhoseCheckItFails) {
  const BothEnded ended = run_with(
      Role::sender, in_bytes(MessageType::tree_response, [](Bytes& payload) { payload.back() ^= std::byte{1}; }));
  EXPECT_FALSE(ended.receiver.outcome.has_value());
  EXPECT_FALSE(was_sent(ended.receiver, MessageType::encoding));
}

// psi.md 2.2.4: a wrong sum on the last level is used by half of the positions.
TEST(FastProtocolAgainstADeviatingPeer, IsCaughtHalfOfTheTimeWithAWrongSumInOneTree) {
  constexpr std::uint8_t kRuns = 100;
  int caught = 0;
  const vole::TreeSizes tree = Layout(kReceiverCount).plan().sizes.tree;
  for (std::uint8_t run = 0; run < kRuns; ++run) {
    // Each run has another tree: the receiver's positions are those of its seed, which is the same in all runs.
    const std::size_t tree_begin = run * (2 * tree.depth + 1) * kBlockBytes;
    const BothEnded ended = run_with(Role::sender, in_bytes(MessageType::trees, [&](Bytes& payload) {
                                       payload.at(tree_begin + 2 * (tree.depth - 1) * kBlockBytes) ^= std::byte{1};
                                     }));
    caught += ended.receiver.outcome ? 0 : 1;
    expect_no_wrong_match(Role::sender, ended);
  }
  EXPECT_NEAR(caught, kRuns / 2, 20);  // four standard deviations
}

TEST(FastProtocolAgainstADeviatingPeer, IsAlwaysCaughtWithAWrongSumOfLeaves) {
  const vole::TreeSizes tree = Layout(kReceiverCount).plan().sizes.tree;
  for (std::size_t which = 0; which < 5; ++which) {
    expect_refused(Role::sender, in_bytes(MessageType::trees, [&](Bytes& payload) {
                     payload.at(which * 70 * (2 * tree.depth + 1) * kBlockBytes + 2 * tree.depth * kBlockBytes) ^=
                         std::byte{0x80};
                   }));
  }
}

TEST(FastProtocolAgainstADeviatingPeer, RefusesMatchesThatTheReceiverInvents) {
  const auto record = [](Bytes& payload, std::size_t i) {
    return payload.begin() + static_cast<std::ptrdiff_t>(i * kProofRecordBytes);
  };
  expect_refused(Role::receiver,
                 in_bytes(MessageType::proofs, [&](Bytes& payload) {  // an index that is not in the list
                   payload[0] = std::byte{0xff};
                 }));
  expect_refused(Role::receiver, in_bytes(MessageType::proofs, [&](Bytes& payload) {  // the same twice
                   std::copy_n(record(payload, 0), kProofRecordBytes, record(payload, 1));
                 }));
  expect_refused(Role::receiver, in_bytes(MessageType::proofs, [&](Bytes& payload) {  // out of order
                   std::swap_ranges(record(payload, 0), record(payload, 1), record(payload, 1));
                 }));
  expect_refused(Role::receiver, in_bytes(MessageType::proofs, [&](Bytes& payload) {  // a proof for another place
                   payload[3] ^= std::byte{1};
                 }));
  expect_refused(Role::receiver, in_bytes(MessageType::proofs, [&](Bytes& payload) {  // more than there can be
                   payload.resize((kReceiverCount + 1) * kProofRecordBytes);
                 }));
}

TEST(FastProtocolAgainstADeviatingPeer, LetsAReceiverWithholdMatches) {
  const BothEnded ended = run_with(
      Role::receiver, in_bytes(MessageType::proofs, [](Bytes& payload) { payload.resize(kProofRecordBytes); }));
  ASSERT_TRUE(ended.sender.outcome.has_value());
  EXPECT_EQ(ended.sender.outcome->count, 1u);
  EXPECT_NE(ended.sender.outcome->transcript, ended.receiver.outcome->transcript);
}

TEST(FastProtocolAgainstADeviatingPeer, RefusesACountThatCannotBe) {
  const auto claim = [](std::uint64_t count) {
    return in_bytes(MessageType::matched_count, [count](Bytes& payload) {
      payload.clear();
      append_be(payload, count);
    });
  };
  expect_refused(Role::receiver, claim(kReceiverCount + 1), Reply::count);
  expect_refused(Role::receiver, claim(~std::uint64_t{0}), Reply::count);
}

TEST(FastProtocolAgainstADeviatingPeer, RefusesAPeerThatBringsAnotherNumberOfElementsThanAgreed) {
  Party receiver = test_party(test_range(0, 5000), 1);
  Party sender = test_party(test_range(0, 5000), 2);
  sender.peer_count = 4000;
  EXPECT_FALSE(run_both(receiver, sender, Reply::matched_tags, {}, fast_protocol).sender.outcome.has_value());
  sender = test_party(test_range(0, 5000), 2);
  receiver.peer_count = 4999;
  EXPECT_FALSE(run_both(receiver, sender, Reply::matched_tags, {}, fast_protocol).receiver.outcome.has_value());
}

TEST(FastProtocolAgainstADeviatingPeer, MakesNothingOfMessagesReplayedFromAnotherSession) {
  const BothEnded other = run_both(test_party(test_range(0, kReceiverCount), 1),
                                   test_party(test_range(kSenderFirst, kSenderFirst + kSenderCount), 2),
                                   Reply::matched_tags, Digest{std::byte{9}}, fast_protocol);
  for (const Place& place : kPlaces) {
    SCOPED_TRACE(testing::Message() << "message " << static_cast<int>(place.type));
    const auto& sent = (place.by == Role::receiver ? other.receiver : other.sender).sent;
    const auto replayed = std::ranges::find(sent, place.type, &Message::type);
    ASSERT_NE(replayed, sent.end());
    const BothEnded ended =
        run_with(place.by, in_bytes(place.type, [&](Bytes& payload) { payload = replayed->payload; }));
    const auto& victim = victim_of(place.by, ended).outcome;
    if (victim) {
      EXPECT_EQ(victim->count, 0u);
    }
  }
}

// --- after the first instance and bin -------------------------------------------------------------------------------

std::size_t sent_count(const Ended& party, MessageType type) {
  return static_cast<std::size_t>(std::ranges::count(party.sent, type, &Message::type));
}

/// A message that comes in every instance, or in every bin.
struct Repeated {
  MessageType type;
  Role by;
  std::size_t times;
  bool always_noticed;
};

constexpr Repeated kRepeated[] = {
    {MessageType::trees, Role::sender, kInstancesOfSeveral, false},
    {MessageType::tree_challenge, Role::receiver, kInstancesOfSeveral, false},
    {MessageType::tree_response, Role::sender, kInstancesOfSeveral, true},
    {MessageType::encoding, Role::receiver, kBinsOfSeveral, false},
};

TEST(FastProtocolInSeveralInstances, NeverMatchesWronglyAfterAFlippedBitInAnyOfThem) {
  for (const Repeated& place : kRepeated) {
    for (std::size_t which = 0; which < place.times; ++which) {
      for (std::size_t part = 0; part < 3; ++part) {
        SCOPED_TRACE(testing::Message() << "message " << static_cast<int>(place.type) << ", number " << which
                                        << ", part " << part);
        const BothEnded ended = run_in(kSeveral, place.by, in_number(which, place.type, [part](Bytes& payload) {
                                         payload.at(part * (payload.size() - 1) / 2) ^= std::byte{1} << part;
                                       }));
        expect_no_wrong_match(place.by, ended, kSeveral);
        if (place.always_noticed) {
          expect_refused(place.by, ended);
        }
      }
    }
  }
}

TEST(FastProtocolInSeveralInstances, RefusesEveryWrongSizeInAnyOfThem) {
  for (const Repeated& place : kRepeated) {
    for (std::size_t which = 0; which < place.times; ++which) {
      SCOPED_TRACE(testing::Message() << "message " << static_cast<int>(place.type) << ", number " << which);
      expect_refused(place.by, run_in(kSeveral, place.by,
                                      in_number(which, place.type, [](Bytes& payload) { payload.pop_back(); })));
    }
  }
}

/// Where the receiver of run_in() has its noise: psi.md 2.2.4, from its seed.
std::size_t position_of(std::size_t instance, std::size_t tree, const vole::TreeSizes& sizes) {
  constexpr std::size_t kBlocksEach = 4;  // of 16 bytes, in one of the generator's
  const std::size_t number = instance * vole::kNoiseWeight + tree;
  const auto uniform = crypto::Drbg(test_seed(1), {}, "vole/positions").secret<64>(number / kBlocksEach);
  const crypto::Block block = crypto::load_block(uniform.expose().subspan(number % kBlocksEach * kBlockBytes));
  return static_cast<std::size_t>((static_cast<unsigned __int128>(block.high) * sizes.leaves) >> 64);
}

// A wrong sum is used by the receivers whose path goes the other way, and by those it is noticed: on the last level by
// half of them. Were the noise of an instance that of another, others would notice.
TEST(FastProtocolInSeveralInstances, AreCaughtWithAWrongSumByExactlyTheReceiversThatUseIt) {
  const vole::TreeSizes tree = layout_of_small_bins(kSeveral.receiver_count).plan().sizes.tree;
  constexpr std::size_t kTreesTried = 20;
  for (std::size_t instance = 0; instance < kInstancesOfSeveral; ++instance) {
    std::size_t caught = 0;
    for (std::size_t i = 0; i < kTreesTried; ++i) {
      const std::size_t which = i * (vole::kNoiseWeight - 1) / (kTreesTried - 1);
      const std::size_t level = i % 2 == 0 ? tree.depth - 1 : i / 2 % tree.depth;
      const bool right_is_wrong = i % 3 == 0;
      SCOPED_TRACE(testing::Message() << "instance " << instance << ", tree " << which << ", level " << level);
      const BothEnded ended =
          run_in(kSeveral, Role::sender, in_number(instance, MessageType::trees, [&](Bytes& payload) {
                   payload.at((which * (2 * tree.depth + 1) + 2 * level + (right_is_wrong ? 1 : 0)) * kBlockBytes) ^=
                       std::byte{4};
                 }));
      const bool path_is_right = ((position_of(instance, which, tree) >> (tree.depth - 1 - level)) & 1) != 0;
      EXPECT_EQ(ended.receiver.outcome.has_value(), path_is_right == right_is_wrong);
      expect_no_wrong_match(Role::sender, ended, kSeveral);
      caught += ended.receiver.outcome ? 0 : 1;
    }
    EXPECT_NEAR(static_cast<double>(caught), kTreesTried / 2.0, 9);  // four standard deviations
  }
}

TEST(FastProtocolInSeveralInstances, AreAlwaysCaughtWithAWrongSumOfLeaves) {
  const vole::TreeSizes tree = layout_of_small_bins(kSeveral.receiver_count).plan().sizes.tree;
  for (std::size_t instance = 0; instance < kInstancesOfSeveral; ++instance) {
    for (const std::size_t which : {std::size_t{0}, std::size_t{200}, vole::kNoiseWeight - 1}) {
      expect_refused(Role::sender,
                     run_in(kSeveral, Role::sender, in_number(instance, MessageType::trees, [&](Bytes& payload) {
                              payload.at((which * (2 * tree.depth + 1) + 2 * tree.depth) * kBlockBytes) ^= std::byte{1};
                            })));
    }
  }
}

TEST(FastProtocolInSeveralInstances, GetNoEncodingOfAnInstanceWhoseCheckFails) {
  for (std::size_t instance = 0; instance < kInstancesOfSeveral; ++instance) {
    const BothEnded ended = run_in(
        kSeveral, Role::sender,
        in_number(instance, MessageType::tree_response, [](Bytes& payload) { payload.front() ^= std::byte{2}; }));
    expect_refused(Role::sender, ended);
    EXPECT_EQ(sent_count(ended.receiver, MessageType::encoding), 2 * instance);
    EXPECT_EQ(sent_count(ended.receiver, MessageType::tree_challenge), instance + 1);
  }
}

TEST(FastProtocolInSeveralInstances, OpenTheMaskAfterTheLastBinOfTheLastInstanceOnly) {
  for (std::size_t bin = 0; bin < kBinsOfSeveral; ++bin) {
    std::size_t met = 0;
    const BothEnded ended =
        run_in(kSeveral, Role::receiver, in(MessageType::encoding, [&](std::vector<Message>& messages) {
                 if (met++ == bin) messages[0] = {MessageType::abort, {}};
               }));
    EXPECT_FALSE(ended.sender.outcome.has_value()) << bin;
    EXPECT_FALSE(was_sent(ended.sender, MessageType::mask_opening)) << bin;
    EXPECT_FALSE(was_sent(ended.sender, MessageType::tag_index)) << bin;
  }
}

// What one instance showed is of no use in the next.
TEST(FastProtocolInSeveralInstances, TakeNoMessageOfAnEarlierOne) {
  const BothEnded honest = run_in(kSeveral, Role::sender, {});
  ASSERT_TRUE(honest.receiver.outcome && honest.sender.outcome);
  ASSERT_EQ(honest.sender.outcome->count, kSeveral.shared());
  for (const Repeated& place : kRepeated) {
    if (place.type == MessageType::encoding) continue;
    const Ended& party = place.by == Role::receiver ? honest.receiver : honest.sender;
    std::vector<Bytes> sent;
    for (const Message& message : party.sent)
      if (message.type == place.type) sent.push_back(message.payload);
    ASSERT_EQ(sent.size(), place.times);
    for (std::size_t which = 1; which < place.times; ++which) {
      SCOPED_TRACE(testing::Message() << "message " << static_cast<int>(place.type) << ", number " << which);
      EXPECT_NE(sent[which], sent[which - 1]);
      const BothEnded ended =
          run_in(kSeveral, place.by, in_number(which, place.type, [&](Bytes& payload) { payload = sent[which - 1]; }));
      EXPECT_FALSE(ended.receiver.outcome.has_value());
      EXPECT_FALSE(ended.sender.outcome.has_value());
      expect_no_wrong_match(place.by, ended, kSeveral);
      EXPECT_EQ(sent_count(ended.receiver, MessageType::encoding), 2 * which);
    }
  }
}

// A bin is masked by cells of its own, so another bin's encoding in its place loses all of its matches and no other.
TEST(FastProtocolInSeveralInstances, LoseTheMatchesOfABinWhoseEncodingIsWrongAndNoOthers) {
  Bytes first;
  std::size_t lost = 0;
  for (std::size_t bin = 0; bin < kBinsOfSeveral; ++bin) {
    std::size_t met = 0;
    const BothEnded ended =
        run_in(kSeveral, Role::receiver, in(MessageType::encoding, [&](std::vector<Message>& messages) {
                 if (met == 0) first = messages[0].payload;
                 const bool wrong = met++ == bin;
                 if (wrong && bin > 0) messages[0].payload = first;
                 if (wrong && bin == 0) {
                   for (std::byte& byte : messages[0].payload) byte ^= std::byte{0x5a};
                 }
               }));
    ASSERT_TRUE(ended.sender.outcome.has_value()) << ended.sender.outcome.error().text();
    expect_no_wrong_match(Role::receiver, ended, kSeveral);
    const std::size_t lost_here = kSeveral.shared() - ended.sender.outcome->count;
    EXPECT_GT(lost_here, kSeveral.shared() / kBinsOfSeveral / 2) << bin;
    lost += lost_here;
  }
  EXPECT_EQ(lost, kSeveral.shared());
}

}  // namespace
}  // namespace parley::psi
