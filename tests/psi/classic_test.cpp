#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <random>

#include "crypto/hash.h"
#include "crypto/vector_table.h"
#include "psi/limits.h"
#include "psi/two_parties.h"

namespace parley::psi {
namespace {

const std::map<std::string, Reply> kReplies = {
    {"none", Reply::none}, {"matched_tags", Reply::matched_tags}, {"count", Reply::count}};
const std::map<std::string, MessageType> kTypes = {
    {"public_key", MessageType::public_key},     {"blinded", MessageType::blinded},
    {"evaluated", MessageType::evaluated},       {"tags", MessageType::tags},
    {"matched_tags", MessageType::matched_tags}, {"matched_count", MessageType::matched_count}};

const nlohmann::json& model() {
  static const nlohmann::json kModel =
      nlohmann::json::parse(std::ifstream(std::string(PARLEY_VECTORS) + "/psi/classic.json"));
  return kModel;
}

BothEnded run_as_modelled(const nlohmann::json& modelled, std::size_t threads) {
  const auto party = [&](const char* set, const char* seed) {
    return Party{test_range(modelled[set][0], modelled[set][1]), seed_of(model()[seed]), threads, {}, {}};
  };
  return run_both(party("receiver_set", "receiver_seed"), party("sender_set", "sender_seed"),
                  kReplies.at(modelled["reply"]), array_of<32>(model()["session_id"]));
}

void expect_messages(const nlohmann::json& modelled, const BothEnded& ended) {
  auto from_receiver = ended.receiver.sent.begin();
  auto from_sender = ended.sender.sent.begin();
  for (const auto& message : modelled["messages"]) {
    const MessageType type = kTypes.at(message["name"]);
    const bool by_sender =
        type == MessageType::public_key || type == MessageType::evaluated || type == MessageType::tags;
    auto& next = by_sender ? from_sender : from_receiver;
    ASSERT_NE(next, by_sender ? ended.sender.sent.end() : ended.receiver.sent.end()) << message;
    EXPECT_EQ(next->type, type);
    EXPECT_EQ(next->payload.size(), message["bytes"].get<std::size_t>()) << message;
    EXPECT_EQ(to_hex(crypto::sha256(next->payload)), message["sha256"].get<std::string>()) << message;
    ++next;
  }
  EXPECT_EQ(from_receiver, ended.receiver.sent.end());
  EXPECT_EQ(from_sender, ended.sender.sent.end());
}

TEST(ClassicProtocol, SendsWhatTheModelSendsWhateverTheNumberOfThreads) {
  ASSERT_FALSE(model()["runs"].empty());
  for (const auto& modelled : model()["runs"]) {
    for (std::size_t threads : {1u, 2u, 8u}) {
      const BothEnded ended = run_as_modelled(modelled, threads);
      ASSERT_TRUE(ended.receiver.outcome.has_value()) << ended.receiver.outcome.error().text();
      ASSERT_TRUE(ended.sender.outcome.has_value()) << ended.sender.outcome.error().text();
      expect_messages(modelled, ended);
      EXPECT_EQ(to_hex(ended.receiver.outcome->transcript), modelled["transcript"].get<std::string>());
      EXPECT_EQ(to_hex(ended.sender.outcome->transcript), modelled["transcript"].get<std::string>());
    }
  }
}

TEST(ClassicProtocol, FindsWhatTheModelFinds) {
  for (const auto& modelled : model()["runs"]) {
    const BothEnded ended = run_as_modelled(modelled, 2);
    const Outcome& received = *ended.receiver.outcome;
    const auto expected = modelled["receiver_positions"].get<std::vector<std::size_t>>();
    EXPECT_EQ(received.count, expected.size());
    EXPECT_TRUE(received.learned_count);
    if (modelled["reply"] != "count") {
      EXPECT_EQ(positions_of(received), expected);
      ASSERT_EQ(received.matches.size(), modelled["context_keys"].size());
      for (std::size_t i = 0; i < received.matches.size(); ++i) {
        EXPECT_EQ(to_hex(received.matches[i].context_key.expose()), modelled["context_keys"][i].get<std::string>());
      }
    }
  }
}

TEST(ClassicProtocol, TellsTheSenderWhatTheReplySaysAndNoMore) {
  const auto run = [](Reply reply) {
    return run_both(test_party(test_range(0, 10), 1), test_party(test_range(6, 30), 2), reply);
  };
  const BothEnded none = run(Reply::none);
  EXPECT_EQ(none.receiver.outcome->count, 4u);
  EXPECT_FALSE(none.sender.outcome->learned_count);
  EXPECT_EQ(none.sender.outcome->count, 0u);
  EXPECT_TRUE(none.sender.outcome->matches.empty());

  const BothEnded count = run(Reply::count);
  EXPECT_TRUE(count.receiver.outcome->matches.empty());
  EXPECT_TRUE(count.sender.outcome->learned_count);
  EXPECT_EQ(count.sender.outcome->count, 4u);
  EXPECT_TRUE(count.sender.outcome->matches.empty());

  const BothEnded both = run(Reply::matched_tags);
  EXPECT_EQ(positions_of(*both.receiver.outcome), (std::vector<std::size_t>{6, 7, 8, 9}));
  EXPECT_EQ(positions_of(*both.sender.outcome), (std::vector<std::size_t>{0, 1, 2, 3}));
  EXPECT_TRUE(both.sender.outcome->learned_count);
  EXPECT_EQ(both.sender.outcome->count, 4u);
}

TEST(ClassicProtocol, GivesBothSidesTheSameContextKeyOfAMatchAndAnotherOfAnother) {
  const BothEnded both =
      run_both(test_party(test_range(0, 3), 1), test_party(test_range(0, 3), 2), Reply::matched_tags);
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_TRUE(both.receiver.outcome->matches[i].context_key.equals(both.sender.outcome->matches[i].context_key));
    EXPECT_FALSE(
        both.receiver.outcome->matches[i].context_key.equals(both.sender.outcome->matches[(i + 1) % 3].context_key));
  }
}

/// Two random sets of the given sizes with about `shared` common elements, in random order.
struct RandomSets {
  std::vector<std::size_t> receiver, sender;

  RandomSets(std::mt19937& random, std::size_t receiver_count, std::size_t sender_count, std::size_t shared) {
    for (std::size_t i = 0; i < receiver_count; ++i) receiver.push_back(i);
    const std::size_t first = receiver_count - std::min(shared, receiver_count);
    for (std::size_t i = 0; i < sender_count; ++i) sender.push_back(first + i);
    std::ranges::shuffle(receiver, random);
    std::ranges::shuffle(sender, random);
  }

  static Elements elements(const std::vector<std::size_t>& numbers) {
    Elements elements;
    for (const std::size_t number : numbers) elements.push_back(test_element(number));
    return elements;
  }

  static std::vector<std::size_t> positions_shared(const std::vector<std::size_t>& ours,
                                                   const std::vector<std::size_t>& theirs) {
    std::vector<std::size_t> positions;
    for (std::size_t i = 0; i < ours.size(); ++i) {
      if (std::ranges::find(theirs, ours[i]) != theirs.end()) positions.push_back(i);
    }
    return positions;
  }
};

void expect_plain_intersection(std::mt19937& random, std::size_t receiver_count, std::size_t sender_count,
                               std::size_t shared) {
  SCOPED_TRACE(testing::Message() << receiver_count << " and " << sender_count << " elements, " << shared << " shared");
  const RandomSets sets(random, receiver_count, sender_count, shared);
  const BothEnded ended = run_both(test_party(RandomSets::elements(sets.receiver), 1),
                                   test_party(RandomSets::elements(sets.sender), 2), Reply::matched_tags);
  ASSERT_TRUE(ended.receiver.outcome.has_value()) << ended.receiver.outcome.error().text();
  ASSERT_TRUE(ended.sender.outcome.has_value()) << ended.sender.outcome.error().text();
  EXPECT_EQ(positions_of(*ended.receiver.outcome), RandomSets::positions_shared(sets.receiver, sets.sender));
  EXPECT_EQ(positions_of(*ended.sender.outcome), RandomSets::positions_shared(sets.sender, sets.receiver));
  EXPECT_EQ(ended.receiver.outcome->transcript, ended.sender.outcome->transcript);
}

TEST(ClassicProtocol, EqualsAPlainIntersectionAtAllSizes) {
  std::mt19937 random(1);
  constexpr std::size_t kSizes[] = {0, 1, 2, 3, 10, 65, 1000};
  for (const std::size_t receiver : kSizes) {
    for (const std::size_t sender : kSizes) {
      if (receiver == 1000 && sender == 1000) continue;  // the shares below have it
      expect_plain_intersection(random, receiver, sender, random() % (std::min(receiver, sender) + 1));
    }
  }
}

TEST(ClassicProtocol, EqualsAPlainIntersectionAtAllShares) {
  std::mt19937 random(2);
  for (const std::size_t shared : {0u, 1u, 500u, 999u, 1000u}) expect_plain_intersection(random, 1000, 1000, shared);
}

TEST(ClassicProtocol, EqualsAPlainIntersectionForOneAgainstAThousand) {
  std::mt19937 random(3);
  expect_plain_intersection(random, 1, 1000, 1);
  expect_plain_intersection(random, 1, 1000, 0);
  expect_plain_intersection(random, 1000, 1, 1);
  expect_plain_intersection(random, 1000, 1, 0);
}

TEST(ClassicProtocol, TakesElementsOfEveryLengthUpToTheLongest) {
  Elements elements;
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{127}, std::size_t{128}, kMaxElementBytes})
    elements.push_back(Bytes(size, std::byte{7}));
  const BothEnded ended = run_both(test_party(elements, 1), test_party(elements, 2), Reply::none);
  EXPECT_EQ(ended.receiver.outcome->count, elements.size());
}

TEST(ClassicProtocol, SendsOtherBytesUnderOtherSeedsAndSessions) {
  const auto blinded = [](std::uint8_t seed, const Digest& session) {
    return run_both(test_party(test_range(0, 4), seed), test_party(test_range(0, 4), 9), Reply::none, session)
        .receiver.sent.at(0)
        .payload;
  };
  EXPECT_EQ(blinded(1, {}), blinded(1, {}));
  EXPECT_NE(blinded(1, {}), blinded(2, {}));
  EXPECT_NE(blinded(1, {}), blinded(1, Digest{std::byte{1}}));
}

// What a sender sees must not follow the order of our set.
TEST(ClassicProtocol, SendsTheSameElementsInAnOrderOfTheirOwn) {
  const BothEnded ended = run_both(test_party(test_range(0, 50), 1), test_party({}, 2), Reply::none);
  const Bytes& blinded = ended.receiver.sent.at(0).payload;
  for (std::size_t i = 32; i < blinded.size(); i += 32) {
    EXPECT_LT(std::memcmp(blinded.data() + i - 32, blinded.data() + i, 32), 0);
  }
}

TEST(ClassicProtocol, WaitsForThePeerAsOftenAsItsMessagesTurn) {
  MemoryChannels channels = memory_channels(kPatience);
  ThreadPool pool(1);
  SilentProgress receiver_progress, sender_progress;
  const Elements elements = test_range(0, 3);
  std::thread sender([&] {
    ThreadPool own_pool(1);
    const auto ended = classic_protocol()->run({Role::sender, Reply::matched_tags, {}, 3}, elements, test_seed(2),
                                               *channels.second, own_pool, sender_progress);
    EXPECT_TRUE(ended.has_value());
  });
  const auto ended = classic_protocol()->run({Role::receiver, Reply::matched_tags, {}, 3}, elements, test_seed(1),
                                             *channels.first, pool, receiver_progress);
  sender.join();
  EXPECT_TRUE(ended.has_value());
  EXPECT_EQ(channels.first->rounds(), 1u);
  EXPECT_EQ(channels.second->rounds(), 2u);
  // psi.md 1.2: 32 bytes out and 32 + 16 back for an element of each side, 16 for a match, 32 for the key.
  EXPECT_EQ(channels.first->bytes_sent(), 3u * 32 + 3 * 16);
  EXPECT_EQ(channels.first->bytes_received(), 32u + 3 * (32 + 16));
}

// Our own mistakes, before a byte that tells of our set has left.

void expect_refused_before_anything_left(Party receiver, Errc code) {
  const BothEnded ended = run_both(receiver, test_party(test_range(0, 3), 2), Reply::matched_tags);
  ASSERT_FALSE(ended.receiver.outcome.has_value());
  EXPECT_EQ(ended.receiver.outcome.error().code, code) << ended.receiver.outcome.error().text();
  for (const Message& message : ended.receiver.sent) EXPECT_EQ(message.type, MessageType::abort);
  EXPECT_FALSE(ended.sender.outcome.has_value());
}

TEST(ClassicProtocol, RefusesASetThatHoldsAnElementTwice) {
  for (const std::size_t first : {0u, 1u, 3u}) {
    Elements elements = test_range(0, 5);
    elements.push_back(test_element(first));
    expect_refused_before_anything_left(test_party(std::move(elements), 1), Errc::internal);
  }
}

TEST(ClassicProtocol, RefusesAnElementThatIsTooLong) {
  Elements elements = test_range(0, 2);
  elements.push_back(Bytes(kMaxElementBytes + 1));
  expect_refused_before_anything_left(test_party(std::move(elements), 1), Errc::limit);
}

TEST(ClassicProtocol, RefusesACountThatIsTooLargeBeforeItTakesMemoryForIt) {
  for (const std::size_t count : {kMaxElements + 1, ~std::size_t{0}}) {
    Party receiver = test_party(test_range(0, 2), 1);
    receiver.peer_count = count;
    expect_refused_before_anything_left(std::move(receiver), Errc::limit);
  }
}

TEST(ClassicProtocol, IsKnownByItsName) {
  ASSERT_TRUE(protocol_named("classic").has_value());
  EXPECT_EQ((*protocol_named("classic"))->name(), "classic");
  EXPECT_EQ((*protocol_named("classic"))->suite(), 0x0010);
  for (const char* name : {"", "Classic", "classic ", "Fast", "none"}) {
    ASSERT_FALSE(protocol_named(name).has_value()) << name;
    EXPECT_EQ(protocol_named(name).error().code, Errc::unsupported);
  }
}

TEST(ClassicProtocol, StopsInAnyPhaseWhenAskedToAndOutputsNothing) {
  const std::pair<Role, const char*> places[] = {
      {Role::receiver, "checking our set"}, {Role::receiver, "blinding"},
      {Role::receiver, "unblinding"},       {Role::sender, "checking our set"},
      {Role::sender, "evaluating our set"}, {Role::sender, "evaluating their set"}};
  for (const auto& [who, phase] : places) {
    const BothEnded ended = run_until(who, phase, classic_protocol);
    const Ended& stopped = who == Role::receiver ? ended.receiver : ended.sender;
    const Ended& other = who == Role::receiver ? ended.sender : ended.receiver;
    ASSERT_FALSE(stopped.outcome.has_value()) << phase;
    EXPECT_EQ(stopped.outcome.error().code, Errc::cancelled) << phase;
    EXPECT_EQ(stopped.sent.back().type, MessageType::abort) << phase;
    EXPECT_FALSE(other.outcome.has_value()) << phase;
  }
}

TEST(ClassicProtocol, SaysThatThePeerIsGone) {
  for (const Role role : {Role::receiver, Role::sender}) {
    MemoryChannels channels = memory_channels(kPatience);
    channels.second.reset();
    ThreadPool pool(1);
    SilentProgress progress;
    const auto ended = classic_protocol()->run({role, Reply::none, {}, 3}, test_range(0, 3), test_seed(1),
                                               *channels.first, pool, progress);
    ASSERT_FALSE(ended.has_value());
    EXPECT_EQ(ended.error().code, Errc::peer_gone);
  }
}

}  // namespace
}  // namespace parley::psi
