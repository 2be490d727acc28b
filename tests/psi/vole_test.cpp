// The building blocks of the silent VOLE: what each party must get, and what a cheater gets away with.
#include "psi/vole/vole.h"

#include <gtest/gtest.h>

#include <random>
#include <thread>

#include "base/random.h"
#include "crypto/gf128.h"
#include "crypto/vector_table.h"
#include "psi/memory_channel.h"

namespace parley::psi::vole {
namespace {

using crypto::Block;
using crypto::kBlockBytes;

const Digest kSession{std::byte{3}};

Block random_block() {
  return crypto::load_block(random_bytes<kBlockBytes>());
}

bool equal(Block a, Block b) {
  return constant_time_equal(a, b);
}

std::uint64_t bit_of(Block block, std::size_t j) {
  return ((j < 64 ? block.low : block.high) >> (j % 64)) & 1;
}

crypto::Drbg coins(std::uint8_t which) {
  Secret<32> seed;
  seed.expose_mutable()[0] = static_cast<std::byte>(which);
  return {seed, kSession, "test"};
}

// --- base transfers --------------------------------------------------------------------------------------------------

TEST(BaseOt, GivesTheReceiverTheChosenKeyOfEachPairAndNotTheOther) {
  const Block choices = random_block();
  const BaseOtSender sender(kSession, coins(1));
  const BaseOtReceiver receiver(kSession, choices, coins(2));
  const auto pairs = sender.keys(receiver.message());
  const auto chosen = receiver.keys(sender.message().encoding());
  ASSERT_TRUE(pairs && chosen);
  for (std::size_t j = 0; j < kBaseOtCount; ++j) {
    EXPECT_TRUE((*chosen)[j].equals((*pairs)[j][bit_of(choices, j)])) << j;
    EXPECT_FALSE((*chosen)[j].equals((*pairs)[j][1 - bit_of(choices, j)])) << j;
  }
}

TEST(BaseOt, GivesOtherKeysInAnotherSession) {
  const BaseOtReceiver receiver(kSession, {}, coins(2));
  const auto here = BaseOtSender(kSession, coins(1)).keys(receiver.message());
  const auto there = BaseOtSender(Digest{std::byte{4}}, coins(1)).keys(receiver.message());
  ASSERT_TRUE(here && there);
  for (std::size_t j = 0; j < kBaseOtCount; ++j) EXPECT_FALSE((*here)[j][0].equals((*there)[j][0]));
}

TEST(BaseOt, RefusesEveryInvalidEncodingAndTheIdentityInThePlaceOfAnElement) {
  const BaseOtSender sender(kSession, coins(1));
  const BaseOtReceiver receiver(kSession, random_block(), coins(2));
  std::vector<Bytes> bad{Bytes(crypto::kElementBytes)};
  for (const auto& row : table("rfc9496/invalid.txt")) bad.push_back(bytes_of(row[1]));
  for (const Bytes& encoding : bad) {
    EXPECT_FALSE(receiver.keys(encoding).has_value());
    for (const std::size_t slot : std::initializer_list<std::size_t>{0, 1, 7, 254, 255}) {
      Bytes message = to_bytes(receiver.message());
      std::ranges::copy(encoding, message.begin() + static_cast<std::ptrdiff_t>(slot * crypto::kElementBytes));
      EXPECT_FALSE(sender.keys(message).has_value()) << slot;
    }
  }
}

// --- the extension ---------------------------------------------------------------------------------------------------

constexpr std::size_t kBlocks = 5;

struct Extended {
  Block delta = random_block();
  ThreadPool pool{1};
  std::vector<BaseKeyPair> pairs;
  std::vector<BaseKey> chosen;
  std::optional<ExtensionReceiver> receiver;

  Extended() {
    for (std::size_t j = 0; j < kColumns; ++j) {
      BaseKeyPair pair{random_secret<32>(), random_secret<32>()};
      chosen.push_back(pair[bit_of(delta, j)].clone());
      pairs.push_back(std::move(pair));
    }
    crypto::SecretBlocks input(kBlocks);
    for (Block& block : input.expose_mutable()) block = random_block();
    receiver.emplace(kSession, pairs, std::move(input), pool);
  }
  ExtensionSender sender(ByteView correction) { return {kSession, delta, chosen, kBlocks, correction, pool}; }
  /// Whether a receiver passes that sends another input in each of `columns`.
  bool passes_with_other_input_in(std::span<const std::size_t> columns) {
    Bytes correction = receiver->correction();
    for (const std::size_t j : columns) {
      const MutableByteView place = MutableByteView(correction).subspan((j * kBlocks + 1) * kBlockBytes, kBlockBytes);
      store_block(crypto::load_block(place) ^ random_block(), place);
    }
    const Block challenge = random_block();
    return sender(correction).verify(challenge, receiver->respond(challenge));
  }
};

TEST(Extension, IsAVoleReadByBlocksAndACorrelatedTransferReadByRows) {
  Extended extended;
  const ExtensionSender sender = extended.sender(extended.receiver->correction());
  for (std::size_t i = 0; i < kBlocks; ++i) {
    const Block input = extended.receiver->input()[i];
    EXPECT_TRUE(equal(sender.columns().packed(i),
                      extended.receiver->columns().packed(i) ^ crypto::gf_multiply(extended.delta, input)));
    const auto theirs = sender.columns().rows(i);
    const auto ours = extended.receiver->columns().rows(i);
    for (std::size_t row = 0; row < kColumns; ++row)
      EXPECT_TRUE(equal(theirs[row], ours[row] ^ masked(extended.delta, bit_of(input, row))));
  }
  const Block challenge = random_block();
  EXPECT_TRUE(sender.verify(challenge, extended.receiver->respond(challenge)));
}

TEST(Extension, TransposesBitByBit) {
  std::array<Block, kColumns> bits;
  for (Block& block : bits) block = random_block();
  std::array<Block, kColumns> transposed = bits;
  transpose(transposed);
  for (std::size_t i = 0; i < kColumns; ++i) {
    for (std::size_t j = 0; j < kColumns; ++j) ASSERT_EQ(bit_of(transposed[i], j), bit_of(bits[j], i));
  }
}

TEST(Extension, RefusesEveryResponseWithAWrongBit) {
  Extended extended;
  const ExtensionSender sender = extended.sender(extended.receiver->correction());
  const Block challenge = random_block();
  const Bytes response = extended.receiver->respond(challenge);
  for (std::size_t byte = 0; byte < response.size(); ++byte) {
    Bytes wrong = response;
    wrong[byte] ^= std::byte{0x10};
    EXPECT_FALSE(sender.verify(challenge, wrong)) << byte;
  }
  EXPECT_FALSE(sender.verify(random_block(), response));
}

// Roy 2022: who uses another input in g columns must have guessed g bits of Delta.
TEST(Extension, CatchesAnotherInputInOneColumnHalfOfTheTimeAndInTwoThreeQuarters) {
  constexpr int kRuns = 400;
  int caught_in_one = 0, caught_in_two = 0;
  const std::size_t one[] = {17};
  const std::size_t two[] = {17, 90};
  for (int run = 0; run < kRuns; ++run) {
    caught_in_one += Extended().passes_with_other_input_in(one) ? 0 : 1;
    caught_in_two += Extended().passes_with_other_input_in(two) ? 0 : 1;
  }
  // Four standard deviations: a run in 16,000 fails by chance.
  EXPECT_NEAR(caught_in_one, kRuns / 2, 40);
  EXPECT_NEAR(caught_in_two, kRuns * 3 / 4, 35);
}

TEST(Extension, CatchesAnotherInputInEveryColumn) {
  std::vector<std::size_t> all(kColumns);
  for (std::size_t j = 0; j < kColumns; ++j) all[j] = j;
  for (int run = 0; run < 20; ++run) EXPECT_FALSE(Extended().passes_with_other_input_in(all));
}

// --- trees -----------------------------------------------------------------------------------------------------------

TEST(Tree, GivesTheReceiverEveryLeafButTheOneAtItsPosition) {
  const TreePermutations permutations(kSession);
  for (const std::size_t leaves : std::initializer_list<std::size_t>{94, 96, 126, 128, 130, 1000, 7634}) {
    const TreeSizes sizes{leaves, static_cast<std::size_t>(std::bit_width(leaves - 1))};
    TreeWorkspace workspace(sizes);
    std::vector<LevelSums> sums(sizes.depth);
    std::vector<Block> grown(leaves), punctured(leaves);
    const Block all = grow(permutations, sizes, random_block(), sums, grown, workspace);
    for (const std::size_t position :
         {std::size_t{0}, std::size_t{1}, leaves / 2, leaves / 3, leaves - 2, leaves - 1}) {
      std::vector<Block> known(sizes.depth);
      for (std::size_t l = 0; l < sizes.depth; ++l) {
        const bool path_is_right = ((position >> (sizes.depth - 1 - l)) & 1) != 0;
        known[l] = path_is_right ? sums[l].left : sums[l].right;
      }
      const Block others =
          grow_punctured(permutations, sizes, static_cast<std::uint32_t>(position), known, punctured, workspace);
      EXPECT_TRUE(equal(others ^ grown[position], all));
      for (std::size_t i = 0; i < leaves; ++i)
        ASSERT_TRUE(equal(punctured[i], i == position ? Block{} : grown[i])) << leaves << " " << position << " " << i;
    }
  }
}

TEST(Sizes, FollowFromTheNumberOfOutputs) {
  for (const std::size_t outputs :
       std::initializer_list<std::size_t>{1, 1000, 16'384, 16'385, 81'537, 1'343'264, kMostOutputs}) {
    const Sizes sizes = sizes_for(outputs);
    EXPECT_GE(sizes.outputs, std::max(outputs, kLeastOutputs));
    EXPECT_GE(sizes.inputs, 2 * sizes.outputs);
    EXPECT_LT(sizes.inputs, 2 * sizes.outputs + 2 * kNoiseWeight + 1);
    EXPECT_EQ(sizes.inputs, kNoiseWeight * sizes.tree.leaves);
    EXPECT_EQ(sizes.tree.leaves % 2, 0u);
    EXPECT_LE(sizes.tree.leaves, std::size_t{1} << sizes.tree.depth);
    EXPECT_GT(sizes.tree.leaves, std::size_t{1} << (sizes.tree.depth - 1));
  }
  EXPECT_EQ(sizes_for(1'343'264).tree.leaves, 7634u);  // psi.md 2.2.7
  EXPECT_EQ(sizes_for(1'343'264).tree.depth, 13u);
}

// --- the whole -------------------------------------------------------------------------------------------------------

struct Outputs {
  std::vector<Block> a, b, c;
  Block delta;
};

Outputs run_vole(std::size_t outputs, std::size_t instances, std::uint8_t seed) {
  const Plan plan{sizes_for(outputs), instances};
  MemoryChannels channels = memory_channels();
  Outputs result;
  const auto party = [&](Role role, Channel& channel, auto&& body) {
    ThreadPool pool(1);
    SilentProgress progress;
    psi::detail::Work work(pool, progress);
    psi::detail::Conversation conversation(channel, kSession, role);
    Secret<32> own_seed;
    own_seed.expose_mutable()[0] = static_cast<std::byte>(seed);
    own_seed.expose_mutable()[1] = static_cast<std::byte>(role);
    body(own_seed, conversation, work);
  };
  std::thread other([&] {
    party(Role::sender, *channels.second,
          [&](const Secret<32>& own, psi::detail::Conversation& talk, psi::detail::Work& work) {
            Sender sender(kSession, own, plan, talk, work);
            const auto hello = talk.receive(MessageType::receiver_hello, kBaseOtSenderBytes);
            ASSERT_TRUE(hello && talk.send(MessageType::sender_hello, sender.first_message()) && sender.extend(*hello));
            for (std::size_t i = 0; i < instances; ++i) {
              ASSERT_TRUE(sender.next_instance());
              std::vector<Block> b(outputs);
              sender.outputs(0, b);
              result.b.insert(result.b.end(), b.begin(), b.end());
            }
            result.delta = sender.delta();
          });
  });
  party(Role::receiver, *channels.first,
        [&](const Secret<32>& own, psi::detail::Conversation& talk, psi::detail::Work& work) {
          Receiver receiver(kSession, own, plan, talk, work);
          ASSERT_TRUE(talk.send(MessageType::receiver_hello, receiver.first_message()));
          const auto hello = talk.receive(MessageType::sender_hello, kBaseOtReceiverBytes);
          ASSERT_TRUE(hello && receiver.extend(*hello) && receiver.answer_challenge());
          for (std::size_t i = 0; i < instances; ++i) {
            ASSERT_TRUE(receiver.next_instance());
            std::vector<Block> a(outputs), c(outputs);
            // In two ranges that meet inside a tree.
            receiver.outputs(0, std::span(a).first(outputs / 3), std::span(c).first(outputs / 3));
            receiver.outputs(outputs / 3, std::span(a).subspan(outputs / 3), std::span(c).subspan(outputs / 3));
            result.a.insert(result.a.end(), a.begin(), a.end());
            result.c.insert(result.c.end(), c.begin(), c.end());
          }
        });
  other.join();
  return result;
}

TEST(Vole, HoldsForEveryOutputOfEveryInstance) {
  for (const auto& [outputs, instances] :
       std::initializer_list<std::pair<std::size_t, std::size_t>>{{1, 1}, {1000, 1}, {16'384, 2}, {50'000, 3}}) {
    for (std::uint8_t seed = 0; seed < 5; ++seed) {
      const Outputs result = run_vole(outputs, instances, seed);
      ASSERT_EQ(result.a.size(), outputs * instances);
      ASSERT_EQ(result.b.size(), outputs * instances);
      for (std::size_t i = 0; i < result.a.size(); ++i)
        ASSERT_TRUE(equal(result.a[i], result.b[i] ^ crypto::gf_multiply(result.delta, result.c[i]))) << i;
    }
  }
}

// A mask that did not look uniform would show the encoding: each bit of C and of A is set half of the time.
TEST(Vole, GivesOutputsInWhichEveryBitIsSetHalfOfTheTime) {
  const Outputs result = run_vole(50'000, 1, 9);
  for (const auto* outputs : {&result.a, &result.c}) {
    for (std::size_t bit = 0; bit < 128; ++bit) {
      std::size_t ones = 0;
      for (const Block block : *outputs) ones += bit_of(block, bit);
      EXPECT_NEAR(static_cast<double>(ones), 25'000, 600);  // 5.4 standard deviations
    }
  }
}

TEST(Vole, HasNoiseOfItsOwnInEachInstance) {
  const Outputs result = run_vole(1000, 2, 1);
  std::size_t same = 0;
  for (std::size_t i = 0; i < 1000; ++i) same += equal(result.c[i], result.c[1000 + i]) ? 1 : 0;
  EXPECT_EQ(same, 0u);
}

}  // namespace
}  // namespace parley::psi::vole
