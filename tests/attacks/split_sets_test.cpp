// A member that asks with a dictionary and answers with something else (T-SPLIT of the design): with tags of another
// set, with answers under other keys, with garbage, so that the other side sees few of its guesses as matches, and no
// canary among them. Where both learn, who asks is the sender, and all that a sender learns is what the receiver has
// found and shows it: what it keeps from the other side it keeps from itself.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <random>
#include <set>

#include "crypto/ristretto.h"
#include "psi/two_parties.h"

namespace parley::psi {
namespace {

constexpr std::size_t kElementBytes = 32;

/// Changes the payload of each message of these types.
using Garble = std::function<void(std::mt19937_64& random, MessageType type, Bytes& payload)>;

struct Protocols {
  const char* name;
  std::unique_ptr<Protocol> (*protocol)();
  MessageType shows;          ///< by which the receiver shows its matches
  std::size_t shown_bytes;    ///< of each
  std::size_t held, guesses;  ///< the honest member's elements, all of which are in the dictionary
  int runs;
  Garble garble;
};

std::size_t below(std::mt19937_64& random, std::size_t end) {
  return std::uniform_int_distribution<std::size_t>(0, end - 1)(random);
}

/// Answers under a key of its own for each element, and tags that nobody has, for as many of either as the dice say.
void garble_classic(std::mt19937_64& random, MessageType type, Bytes& payload) {
  constexpr std::size_t kTagBytes = 16;
  const std::size_t in_eight = below(random, 9);  // how many of eight are changed
  if (type == MessageType::evaluated) {
    for (std::size_t at = 0; at < payload.size(); at += kElementBytes) {
      if (below(random, 8) >= in_eight) continue;
      ByteArray<32> key{};
      key[0] = static_cast<std::byte>(2 + below(random, 250));
      const auto place = std::span(payload).subspan(at).first<kElementBytes>();
      std::ranges::copy(crypto::decode_and_multiply(*crypto::Scalar::decode(key), place)->encoding(), place.begin());
    }
  } else if (type == MessageType::tags) {
    std::set<Bytes> tags;  // a list is in their order
    for (std::size_t at = 0; at < payload.size(); at += kTagBytes) {
      Bytes tag(payload.begin() + static_cast<std::ptrdiff_t>(at),
                payload.begin() + static_cast<std::ptrdiff_t>(at + kTagBytes));
      if (below(random, 8) < in_eight)
        for (std::byte& byte : tag) byte = static_cast<std::byte>(below(random, 256));
      tags.insert(std::move(tag));
    }
    payload.clear();
    for (const Bytes& tag : tags) append(payload, tag);
  }
}

/// Some bytes of its tags, of which each may stand for many.
void garble_fast(std::mt19937_64& random, MessageType type, Bytes& payload) {
  if (type != MessageType::tag_part) return;
  for (std::size_t changes = below(random, 4); changes > 0; --changes)
    payload.at(below(random, payload.size())) ^= static_cast<std::byte>(1 + below(random, 255));
}

/// PARLEY_SPLIT_TIMES: how many times as many runs.
int times() {
  const char* const set = std::getenv("PARLEY_SPLIT_TIMES");
  return set == nullptr ? 1 : std::max(1, std::atoi(set));
}

class SplitSets : public testing::TestWithParam<Protocols> {};

TEST_P(SplitSets, ShowWhoeverSplitsNoMoreThanTheOtherSideSees) {
  const Protocols& is = GetParam();
  std::mt19937_64 random(20261130);
  int none = 0, some = 0, all = 0;
  for (int run = 0; run < times() * is.runs; ++run) {
    Party fox = test_party(test_range(0, is.guesses), 2, [&](std::vector<Message>& messages) {
      is.garble(random, messages.front().type, messages.front().payload);
    });
    const BothEnded ended = run_both(test_party(test_range(0, is.held), 1), fox, Reply::matched_tags, {}, is.protocol);
    std::size_t shown_bytes = 0;
    for (const Message& message : ended.receiver.sent)
      if (message.type == is.shows) shown_bytes += message.payload.size();
    // Whatever its program is, the fox learns by that message or not at all.
    ASSERT_EQ(shown_bytes, ended.receiver.outcome ? is.shown_bytes * ended.receiver.outcome->count : 0) << run;
    const std::size_t seen = shown_bytes / is.shown_bytes;
    if (ended.sender.outcome) {
      ASSERT_LE(ended.sender.outcome->count, seen) << run;
    }
    ++(seen == 0 ? none : seen == is.held ? all : some);
  }
  EXPECT_GT(none, 0);
  EXPECT_GT(some, 0) << "it hides as much as it likes, and learns as much less";
  EXPECT_GT(all, 0);
}

INSTANTIATE_TEST_SUITE_P(
    By, SplitSets,
    testing::Values(Protocols{"classic", classic_protocol, MessageType::matched_tags, 16, 6, 9, 1'000, garble_classic},
                    Protocols{"fast", fast_protocol, MessageType::proofs, 20, 300, 400, 40, garble_fast}),
    [](const auto& named) { return std::string(named.param.name); });

}  // namespace
}  // namespace parley::psi
