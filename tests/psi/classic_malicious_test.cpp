// A peer that deviates at every place where it can (psi.md 1.2, 1.5 and 8.4.5): the run ends with Errc::protocol and no
// output on either side, or, where psi.md 1.3 allows no more, matches are lost and the transcripts show it; no match is
// ever wrong.
#include <gtest/gtest.h>

#include <algorithm>

#include "crypto/ristretto.h"
#include "crypto/vector_table.h"
#include "psi/two_parties.h"

namespace parley::psi {
namespace {

constexpr std::size_t kReceiverCount = 6;  // elements 0 to 5
constexpr std::size_t kSenderFirst = 3;    // elements 3 to 9
constexpr std::size_t kSenderCount = 7;
constexpr std::size_t kSharedCount = 3;
constexpr std::size_t kElementBytes = 32;
constexpr std::size_t kTagBytes = 16;

BothEnded run_with(Role deviating, const Deviation& deviation, Reply reply = Reply::matched_tags) {
  const bool receiver = deviating == Role::receiver;
  return run_both(
      test_party(test_range(0, kReceiverCount), 1, receiver ? deviation : Deviation{}),
      test_party(test_range(kSenderFirst, kSenderFirst + kSenderCount), 2, receiver ? Deviation{} : deviation), reply);
}

/// A deviation in the one message of this type.
Deviation in(MessageType type, std::function<void(std::vector<Message>&)> change) {
  return [type, change = std::move(change)](std::vector<Message>& messages) {
    if (messages.at(0).type == type) change(messages);
  };
}

Deviation in_bytes(MessageType type, std::function<void(Bytes&)> change) {
  return in(type, [change = std::move(change)](std::vector<Message>& messages) { change(messages.at(0).payload); });
}

const Ended& victim_of(Role deviating, const BothEnded& ended) {
  return deviating == Role::receiver ? ended.sender : ended.receiver;
}

/// The victim refuses, and the deviating side, told or cut off, gets nothing either.
void expect_refused(Role deviating, const Deviation& deviation, Reply reply = Reply::matched_tags) {
  const BothEnded ended = run_with(deviating, deviation, reply);
  const Ended& victim = victim_of(deviating, ended);
  ASSERT_FALSE(victim.outcome.has_value());
  EXPECT_EQ(victim.outcome.error().code, Errc::protocol) << victim.outcome.error().text();
  EXPECT_EQ(victim.sent.back().type, MessageType::abort);
}

void expect_refused_and_no_output(Role deviating, const Deviation& deviation) {
  expect_refused(deviating, deviation);
  const BothEnded ended = run_with(deviating, deviation);
  EXPECT_FALSE((deviating == Role::receiver ? ended.receiver : ended.sender).outcome.has_value());
}

/// Either refused, or nothing but lost matches, with transcripts that differ.
void expect_no_wrong_match(Role deviating, const Deviation& deviation) {
  const BothEnded ended = run_with(deviating, deviation);
  const Ended& victim = victim_of(deviating, ended);
  if (!victim.outcome) {
    EXPECT_EQ(victim.outcome.error().code, Errc::protocol) << victim.outcome.error().text();
    return;
  }
  for (const Match& match : victim.outcome->matches) {
    if (deviating == Role::sender) {
      EXPECT_GE(match.position, kSenderFirst);
    } else {
      EXPECT_LT(match.position, kReceiverCount - kSenderFirst);
    }
  }
  EXPECT_LE(victim.outcome->matches.size(), kSharedCount);
  const auto& other = deviating == Role::receiver ? ended.receiver.outcome : ended.sender.outcome;
  if (other) {
    EXPECT_NE(victim.outcome->transcript, other->transcript);
  }
}

struct Place {
  Role by;
  MessageType type;
  std::size_t bytes;
};

constexpr Place kPublicKey{Role::sender, MessageType::public_key, kElementBytes};
constexpr Place kBlinded{Role::receiver, MessageType::blinded, kReceiverCount* kElementBytes};
constexpr Place kEvaluated{Role::sender, MessageType::evaluated, kReceiverCount* kElementBytes};
constexpr Place kTags{Role::sender, MessageType::tags, kSenderCount* kTagBytes};
constexpr Place kMatched{Role::receiver, MessageType::matched_tags, kSharedCount* kTagBytes};
constexpr Place kPlaces[] = {kPublicKey, kBlinded, kEvaluated, kTags, kMatched};

TEST(ClassicProtocolAgainstADeviatingPeer, EndsWellWhenNobodyDeviates) {
  const BothEnded ended = run_with(Role::sender, {});
  EXPECT_EQ(positions_of(*ended.receiver.outcome), (std::vector<std::size_t>{3, 4, 5}));
  EXPECT_EQ(positions_of(*ended.sender.outcome), (std::vector<std::size_t>{0, 1, 2}));
}

TEST(ClassicProtocolAgainstADeviatingPeer, FindsNoWrongMatchWhateverBitIsFlipped) {
  for (const Place& place : kPlaces) {
    for (std::size_t byte = 0; byte < place.bytes; ++byte) {
      SCOPED_TRACE(testing::Message() << "message " << static_cast<int>(place.type) << ", byte " << byte);
      expect_no_wrong_match(
          place.by, in_bytes(place.type, [byte](Bytes& payload) { payload.at(byte) ^= std::byte{1} << (byte % 8); }));
    }
  }
}

TEST(ClassicProtocolAgainstADeviatingPeer, RefusesEveryFlippedBitInTheListOfMatches) {
  for (std::size_t bit = 0; bit < 8 * kMatched.bytes; ++bit) {
    expect_refused(Role::receiver, in_bytes(MessageType::matched_tags, [bit](Bytes& payload) {
                     payload.at(bit / 8) ^= std::byte{1} << (bit % 8);
                   }));
  }
}

TEST(ClassicProtocolAgainstADeviatingPeer, RefusesEveryWrongSize) {
  for (const Place& place : kPlaces) {
    const std::size_t unit =
        place.type == MessageType::tags || place.type == MessageType::matched_tags ? kTagBytes : kElementBytes;
    for (const std::size_t size : {std::size_t{0}, std::size_t{1}, unit - 1, unit + 1, place.bytes - unit,
                                   place.bytes - 1, place.bytes + 1, place.bytes + unit, std::size_t{1} << 20}) {
      // A shorter list of matches is a withheld match: allowed (psi.md 1.3).
      if (size == place.bytes || (place.type == MessageType::matched_tags && size <= place.bytes && size % unit == 0))
        continue;
      SCOPED_TRACE(testing::Message() << "message " << static_cast<int>(place.type) << " of " << size << " bytes");
      expect_refused(place.by, in_bytes(place.type, [size](Bytes& payload) { payload.resize(size); }));
    }
  }
}

TEST(ClassicProtocolAgainstADeviatingPeer, RefusesAMessageOfAnotherTypeInThePlaceOfEach) {
  for (const Place& place : kPlaces) {
    for (const Place& other : kPlaces) {
      if (place.type == other.type) continue;
      SCOPED_TRACE(testing::Message() << static_cast<int>(other.type) << " for " << static_cast<int>(place.type));
      expect_refused(place.by, in(place.type, [&](std::vector<Message>& messages) { messages[0].type = other.type; }));
    }
  }
}

TEST(ClassicProtocolAgainstADeviatingPeer, RefusesAMessageSentTwice) {
  // After the last message of a side nothing is read any more: what is doubled there meets no reader.
  for (const Place& place : {kPublicKey, kEvaluated, kBlinded}) {
    expect_refused(place.by, in(place.type, [](std::vector<Message>& messages) { messages.push_back(messages[0]); }));
  }
}

TEST(ClassicProtocolAgainstADeviatingPeer, RefusesMessagesInAnotherOrder) {
  Message held{MessageType::abort, {}};
  expect_refused(Role::sender, [&held](std::vector<Message>& messages) {
    if (messages[0].type == MessageType::evaluated) {
      held = messages[0];
      messages.clear();
    } else if (messages[0].type == MessageType::tags) {
      messages.push_back(held);
    }
  });
}

TEST(ClassicProtocolAgainstADeviatingPeer, EndsWhenAMessageNeverComes) {
  for (const Place& place : kPlaces) {
    if (place.type == MessageType::evaluated) continue;  // then the tags come in its place: the order above
    const BothEnded ended = run_with(place.by, [&](std::vector<Message>& messages) {
      if (messages[0].type == place.type) messages[0] = {MessageType::abort, {}};
    });
    EXPECT_FALSE(victim_of(place.by, ended).outcome.has_value()) << static_cast<int>(place.type);
  }
}

// Encodings: whatever stands where an element is due is decoded before anything leaves that was made of it.

/// Puts `encoding` in the place of element `i`; where the list must ascend, in its place in the order, so that the
/// order does not give it away.
void plant(Bytes& payload, std::size_t i, const Bytes& encoding, bool ascending) {
  std::vector<Bytes> elements;
  for (std::size_t at = 0; at < payload.size(); at += kElementBytes)
    elements.push_back(to_bytes(ByteView(payload).subspan(at, kElementBytes)));
  elements.at(i) = encoding;
  if (ascending) {
    std::ranges::sort(elements,
                      [](const Bytes& a, const Bytes& b) { return std::memcmp(a.data(), b.data(), a.size()) < 0; });
  }
  payload.clear();
  for (const Bytes& element : elements) append(payload, element);
}

TEST(ClassicProtocolAgainstADeviatingPeer, RefusesEveryInvalidEncodingAndTheIdentityInThePlaceOfAnElement) {
  std::vector<Bytes> bad{Bytes(kElementBytes)};
  for (const auto& row : table("rfc9496/invalid.txt")) bad.push_back(bytes_of(row[1]));
  for (const Place& place : {kPublicKey, kBlinded, kEvaluated}) {
    for (const Bytes& encoding : bad) {
      for (std::size_t i = 0; i < place.bytes / kElementBytes; ++i) {
        SCOPED_TRACE(testing::Message() << "message " << static_cast<int>(place.type) << ", element " << i << ", "
                                        << to_hex(encoding));
        expect_refused_and_no_output(place.by, in_bytes(place.type, [&](Bytes& payload) {
                                       plant(payload, i, encoding, place.type == MessageType::blinded);
                                     }));
      }
    }
  }
}

// Order and repetition.

void swap_records(Bytes& payload, std::size_t i, std::size_t j, std::size_t size) {
  std::swap_ranges(payload.begin() + static_cast<std::ptrdiff_t>(i * size),
                   payload.begin() + static_cast<std::ptrdiff_t>((i + 1) * size),
                   payload.begin() + static_cast<std::ptrdiff_t>(j * size));
}

void repeat_record(Bytes& payload, std::size_t i, std::size_t size) {
  std::copy_n(payload.begin() + static_cast<std::ptrdiff_t>(i * size), size,
              payload.begin() + static_cast<std::ptrdiff_t>((i + 1) * size));
}

TEST(ClassicProtocolAgainstADeviatingPeer, RefusesListsThatAreOutOfOrderOrRepeatAnEntry) {
  const std::pair<Place, std::size_t> lists[] = {{kBlinded, kElementBytes}, {kTags, kTagBytes}, {kMatched, kTagBytes}};
  for (const auto& list : lists) {
    const Place& place = list.first;
    const std::size_t size = list.second;
    for (std::size_t i = 0; i + 1 < place.bytes / size; ++i) {
      SCOPED_TRACE(testing::Message() << "message " << static_cast<int>(place.type) << ", entry " << i);
      expect_refused(place.by,
                     in_bytes(place.type, [i, size](Bytes& payload) { swap_records(payload, i, i + 1, size); }));
      expect_refused(place.by, in_bytes(place.type, [i, size](Bytes& payload) { repeat_record(payload, i, size); }));
    }
  }
}

TEST(ClassicProtocolAgainstADeviatingPeer, LosesMatchesOnlyWhenAnswersAreSwapped) {
  for (std::size_t i = 0; i + 1 < kReceiverCount; ++i) {
    expect_no_wrong_match(Role::sender, in_bytes(MessageType::evaluated, [i](Bytes& payload) {
                            swap_records(payload, i, i + 1, kElementBytes);
                          }));
    expect_no_wrong_match(Role::sender, in_bytes(MessageType::evaluated,
                                                 [i](Bytes& payload) { repeat_record(payload, i, kElementBytes); }));
  }
}

// Claims of a receiver that it cannot have computed.

TEST(ClassicProtocolAgainstADeviatingPeer, RefusesMatchesThatTheReceiverInvents) {
  const Bytes invented(kTagBytes, std::byte{0x77});
  expect_refused(Role::receiver, in_bytes(MessageType::matched_tags, [&](Bytes& payload) { payload = invented; }));
  // One more than it has, in order.
  expect_refused(Role::receiver, in_bytes(MessageType::matched_tags,
                                          [&](Bytes& payload) { append(payload, Bytes(kTagBytes, std::byte{0xff})); }));
}

// What the sender itself showed, the first tags, proves nothing back.
TEST(ClassicProtocolAgainstADeviatingPeer, RefusesTheSendersOwnTagsAsMatches) {
  const BothEnded honest = run_with(Role::receiver, {});
  const Bytes tags = honest.sender.sent.at(2).payload;
  for (std::size_t i = 0; i < kSenderCount; ++i) {
    expect_refused(Role::receiver, in_bytes(MessageType::matched_tags, [&](Bytes& payload) {
                     payload.assign(tags.begin() + static_cast<std::ptrdiff_t>(i * kTagBytes),
                                    tags.begin() + static_cast<std::ptrdiff_t>((i + 1) * kTagBytes));
                   }));
  }
}

TEST(ClassicProtocolAgainstADeviatingPeer, LetsAReceiverWithholdMatchesAsPsiMdSays) {
  const BothEnded ended =
      run_with(Role::receiver, in_bytes(MessageType::matched_tags, [](Bytes& payload) { payload.resize(kTagBytes); }));
  ASSERT_TRUE(ended.sender.outcome.has_value());
  EXPECT_EQ(ended.sender.outcome->count, 1u);
  EXPECT_NE(ended.sender.outcome->transcript, ended.receiver.outcome->transcript);
}

TEST(ClassicProtocolAgainstADeviatingPeer, RefusesACountThatCannotBe) {
  const auto claim = [](std::uint64_t count) {
    return in_bytes(MessageType::matched_count, [count](Bytes& payload) {
      payload.clear();
      append_be(payload, count);
    });
  };
  const std::size_t most = std::min(kReceiverCount, kSenderCount);
  expect_refused(Role::receiver, claim(most + 1), Reply::count);
  expect_refused(Role::receiver, claim(kSenderCount), Reply::count);
  expect_refused(Role::receiver, claim(~std::uint64_t{0}), Reply::count);
  const BothEnded ended = run_with(Role::receiver, claim(most), Reply::count);
  ASSERT_TRUE(ended.sender.outcome.has_value());
  EXPECT_NE(ended.sender.outcome->transcript, ended.receiver.outcome->transcript);
}

// Replays: what was good in another session or under another key is of no use in this one.

/// Runs the same two sets in another session and returns what `role` sent as `type` there.
Bytes from_another_session(Role role, MessageType type, std::uint8_t sender_seed) {
  const BothEnded other = run_both(test_party(test_range(0, kReceiverCount), 1),
                                   test_party(test_range(kSenderFirst, kSenderFirst + kSenderCount), sender_seed),
                                   Reply::matched_tags, Digest{std::byte{9}});
  for (const Message& message : (role == Role::receiver ? other.receiver : other.sender).sent) {
    if (message.type == type) return message.payload;
  }
  return {};
}

TEST(ClassicProtocolAgainstADeviatingPeer, MakesNothingOfMessagesReplayedFromAnotherSession) {
  for (const Place& place : {kEvaluated, kTags}) {
    const Bytes replayed = from_another_session(place.by, place.type, 2);
    ASSERT_EQ(replayed.size(), place.bytes);
    const BothEnded ended =
        run_with(place.by, in_bytes(place.type, [&](Bytes& payload) { payload = replayed; }), Reply::none);
    ASSERT_TRUE(ended.receiver.outcome.has_value());
    EXPECT_EQ(ended.receiver.outcome->count, 0u) << static_cast<int>(place.type);
    EXPECT_NE(ended.receiver.outcome->transcript, ended.sender.outcome->transcript);
  }
  const Bytes replayed = from_another_session(Role::receiver, MessageType::matched_tags, 2);
  ASSERT_EQ(replayed.size(), kMatched.bytes);
  expect_refused(Role::receiver, in_bytes(MessageType::matched_tags, [&](Bytes& payload) { payload = replayed; }));
}

TEST(ClassicProtocolAgainstADeviatingPeer, MakesNothingOfAnswersUnderASecondKey) {
  // A sender that answers some of the elements under another key (psi.md 1.1): it loses matches and gains nothing.
  const crypto::Scalar twice = *crypto::Scalar::decode(ByteArray<32>{std::byte{2}});
  for (std::size_t changed = 1; changed <= kReceiverCount; ++changed) {
    const BothEnded ended = run_with(Role::sender,
                                     in_bytes(MessageType::evaluated,
                                              [&](Bytes& payload) {
                                                for (std::size_t i = 0; i < changed; ++i) {
                                                  const auto place = std::span(payload).subspan(i * 32).first<32>();
                                                  const auto other = crypto::decode_and_multiply(twice, place);
                                                  std::ranges::copy(other->encoding(), place.begin());
                                                }
                                              }),
                                     Reply::none);
    ASSERT_TRUE(ended.receiver.outcome.has_value());
    EXPECT_LE(ended.receiver.outcome->count, std::min(kSharedCount, kReceiverCount - changed));
  }
}

// More or fewer elements than was agreed.

TEST(ClassicProtocolAgainstADeviatingPeer, RefusesAPeerThatBringsAnotherNumberOfElementsThanAgreed) {
  for (const std::size_t claimed : {kReceiverCount - 1, kReceiverCount + 1}) {
    Party receiver = test_party(test_range(0, kReceiverCount), 1);
    Party sender = test_party(test_range(kSenderFirst, kSenderFirst + kSenderCount), 2);
    sender.peer_count = claimed;
    const BothEnded ended = run_both(receiver, sender, Reply::matched_tags);
    ASSERT_FALSE(ended.sender.outcome.has_value());
    EXPECT_EQ(ended.sender.outcome.error().code, Errc::protocol);
    EXPECT_FALSE(ended.receiver.outcome.has_value());
  }
  for (const std::size_t claimed : {kSenderCount - 1, kSenderCount + 1}) {
    Party receiver = test_party(test_range(0, kReceiverCount), 1);
    receiver.peer_count = claimed;
    const BothEnded ended =
        run_both(receiver, test_party(test_range(kSenderFirst, kSenderFirst + kSenderCount), 2), Reply::matched_tags);
    ASSERT_FALSE(ended.receiver.outcome.has_value());
    EXPECT_EQ(ended.receiver.outcome.error().code, Errc::protocol);
    EXPECT_FALSE(ended.sender.outcome.has_value());
  }
}

TEST(ClassicProtocolAgainstADeviatingPeer, RefusesTwoThatDisagreeOnTheReply) {
  MemoryChannels channels = memory_channels(kPatience);
  std::optional<Result<Outcome>> sent;
  std::thread sender([&] {
    ThreadPool pool(1);
    SilentProgress progress;
    sent = classic_protocol()->run({Role::sender, Reply::count, {}, 3}, test_range(0, 3), test_seed(2),
                                   *channels.second, pool, progress);
  });
  ThreadPool pool(1);
  SilentProgress progress;
  const auto received = classic_protocol()->run({Role::receiver, Reply::matched_tags, {}, 3}, test_range(0, 3),
                                                test_seed(1), *channels.first, pool, progress);
  sender.join();
  ASSERT_FALSE(sent->has_value());
  EXPECT_EQ(sent->error().code, Errc::protocol);
}

// The sender must not show its tags before the receiver's inputs are fixed (psi.md 1.2).
TEST(ClassicProtocolAgainstADeviatingPeer, GetsNothingFromASenderBeforeItHasSentItsElements) {
  const BothEnded ended = run_with(Role::receiver, in(MessageType::blinded, [](std::vector<Message>& messages) {
                                     messages[0] = {MessageType::abort, {}};
                                   }));
  ASSERT_FALSE(ended.sender.outcome.has_value());
  for (const Message& message : ended.sender.sent) {
    EXPECT_TRUE(message.type == MessageType::public_key || message.type == MessageType::abort);
  }
}

TEST(ClassicProtocolAgainstADeviatingPeer, GetsNoAnswerToAnyOfItsElementsWhenOneIsBad) {
  const BothEnded ended = run_with(Role::receiver, in_bytes(MessageType::blinded, [](Bytes& payload) {
                                     std::fill(payload.end() - kElementBytes, payload.end(), std::byte{0xff});
                                   }));
  for (const Message& message : ended.sender.sent) EXPECT_NE(message.type, MessageType::evaluated);
}

}  // namespace
}  // namespace parley::psi
