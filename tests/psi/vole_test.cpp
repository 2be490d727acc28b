// The building blocks of the silent VOLE: what each party must get, and what a cheater gets away with.
#include "psi/vole/vole.h"

#include <gtest/gtest.h>

#include <random>
#include <thread>

#include "base/random.h"
#include "crypto/gf128.h"
#include "crypto/vector_table.h"
#include "psi/memory_channel.h"
#include "psi/vole/detail/pads.h"
#include "psi/vole_blocks.h"

namespace parley::psi::vole {
namespace {

using crypto::Block;
using crypto::kBlockBytes;

const Digest kSession{std::byte{3}};

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

Bytes labelled(std::string_view label, const Digest& session_id) {
  Bytes bytes{static_cast<std::byte>(label.size())};
  append(bytes, as_bytes(label));
  append(bytes, session_id);
  return bytes;
}

/// Slot c of transfer i: R_c + H(i, c, R_1-c), of which the one who chose it knows the logarithm (psi.md 2.2.2).
std::optional<crypto::Element> opened_slot(const Digest& session_id, std::size_t transfer, std::size_t slot,
                                           ByteView slots) {
  Bytes hashed = labelled("parley/v1/vole/ot-mask", session_id);
  append_be(hashed, static_cast<std::uint32_t>(transfer));
  append_be(hashed, static_cast<std::uint8_t>(slot));
  append(hashed, slots.subspan((1 - slot) * crypto::kElementBytes, crypto::kElementBytes));
  return add(*crypto::Element::decode(slots.subspan(slot * crypto::kElementBytes).first<crypto::kElementBytes>()),
             crypto::Element::from_uniform(crypto::sha512(hashed)));
}

Digest key_from(const Digest& session_id, std::size_t transfer, std::size_t slot, ByteView public_key, ByteView slots,
                const crypto::Element& shared) {
  Bytes hashed = labelled("parley/v1/vole/ot-key", session_id);
  append_be(hashed, static_cast<std::uint32_t>(transfer));
  append_be(hashed, static_cast<std::uint8_t>(slot));
  append(hashed, public_key);
  append(hashed, slots);
  append(hashed, shared.encoding());
  const crypto::Digest512 digest = crypto::sha512(hashed);
  Digest key;
  std::copy_n(digest.begin(), key.size(), key.begin());
  return key;
}

crypto::Scalar scalar_from(const crypto::Drbg& stream, std::uint64_t block) {
  return crypto::Scalar::from_uniform(stream.secret<crypto::kUniformBytes>(block).expose());
}

// One A serves the whole batch, so transfer, slot, A and both slots go into every hash (McQuoid, Rosulek and Roy 2021).
TEST(BaseOt, HasTheMessagesAndKeysOfASlowModel) {
  const Block choices = random_block();
  const BaseOtSender sender(kSession, coins(1));
  const BaseOtReceiver receiver(kSession, choices, coins(2));
  const crypto::Scalar secret_key = scalar_from(coins(1), 0);
  const crypto::Element public_key = *crypto::multiply_base(secret_key);
  ASSERT_TRUE(sender.message().equals(public_key));
  const auto pairs = sender.keys(receiver.message());
  const auto chosen = receiver.keys(public_key.encoding());
  ASSERT_TRUE(pairs && chosen);
  for (std::size_t j = 0; j < kBaseOtCount; ++j) {
    SCOPED_TRACE(j);
    const std::size_t choice = bit_of(choices, j);
    const ByteView slots = receiver.message().subspan(j * 2 * crypto::kElementBytes, 2 * crypto::kElementBytes);
    EXPECT_TRUE(std::ranges::equal(
        slots.subspan((1 - choice) * crypto::kElementBytes, crypto::kElementBytes),
        crypto::Element::from_uniform(coins(2).secret<crypto::kUniformBytes>(j).expose()).encoding()));
    const crypto::Scalar known = scalar_from(coins(2), kBaseOtCount + j);
    EXPECT_TRUE(opened_slot(kSession, j, choice, slots)->equals(*crypto::multiply_base(known)));
    for (std::size_t slot = 0; slot < 2; ++slot) {
      const auto shared = multiply(secret_key, *opened_slot(kSession, j, slot, slots));
      const Digest expected = key_from(kSession, j, slot, public_key.encoding(), slots, *shared);
      EXPECT_TRUE(std::ranges::equal((*pairs)[j][slot].expose(), expected)) << slot;
      if (slot == choice) {
        EXPECT_TRUE(shared->equals(*multiply(known, public_key)));
        EXPECT_TRUE(std::ranges::equal((*chosen)[j].expose(), expected));
      }
    }
  }
}

// What a receiver that sends the same slots in two transfers, or twice the same slot, must not get: equal keys.
TEST(BaseOt, GivesOtherKeysInEveryTransferAndSlotHoweverTheSlotsRepeat) {
  const BaseOtSender sender(kSession, coins(1));
  Bytes message = to_bytes(BaseOtReceiver(kSession, random_block(), coins(2)).message());
  for (std::size_t n = 1; n < 2 * kBaseOtCount; ++n)
    std::copy_n(message.begin(), crypto::kElementBytes,
                message.begin() + static_cast<std::ptrdiff_t>(n * crypto::kElementBytes));
  const auto pairs = sender.keys(message);
  ASSERT_TRUE(pairs.has_value());
  for (std::size_t n = 0; n < 2 * kBaseOtCount; ++n)
    for (std::size_t m = 0; m < n; ++m) EXPECT_FALSE((*pairs)[n / 2][n % 2].equals((*pairs)[m / 2][m % 2]));
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
  std::size_t blocks;
  Block delta = random_block();
  ThreadPool pool{1};
  std::vector<BaseKeyPair> pairs;
  std::vector<BaseKey> chosen;
  std::optional<ExtensionReceiver> receiver;

  explicit Extended(std::size_t count = kBlocks) : blocks(count) {
    for (std::size_t j = 0; j < kColumns; ++j) {
      BaseKeyPair pair{random_secret<32>(), random_secret<32>()};
      chosen.push_back(pair[bit_of(delta, j)].clone());
      pairs.push_back(std::move(pair));
    }
    crypto::SecretBlocks input(blocks);
    for (Block& block : input.expose_mutable()) block = random_block();
    receiver.emplace(kSession, pairs, std::move(input), pool);
  }
  ExtensionSender sender(ByteView correction) { return {kSession, delta, chosen, blocks, correction, pool}; }
  /// Adds `difference` to what is entered in one block of one column.
  void alter(Bytes& correction, std::size_t column, std::size_t block, Block difference) const {
    const MutableByteView place =
        MutableByteView(correction).subspan((column * blocks + block) * kBlockBytes, kBlockBytes);
    store_block(crypto::load_block(place) ^ difference, place);
  }
  bool passes_with(ByteView correction) {
    const Block challenge = random_block();
    return sender(correction).verify(challenge, receiver->respond(challenge));
  }
  /// Whether a receiver passes that sends another input in each of `columns`.
  bool passes_with_other_input_in(std::span<const std::size_t> columns) {
    Bytes correction = receiver->correction();
    for (const std::size_t j : columns) alter(correction, j, 1, random_block());
    return passes_with(correction);
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

// Which columns are caught is known: those whose bit of Delta is set, and no other; so half of them, wherever in the
// column the other input stands. Two equal differences in one column would cancel out in a sum without powers.
TEST(Extension, CatchesAnotherInputInEveryBlockOfAColumnWhereDeltaHasItsBit) {
  for (const std::size_t blocks : std::initializer_list<std::size_t>{1, 2, 9, 40, 760}) {
    Extended extended(blocks);
    for (std::size_t block = 0; block < blocks; ++block) {
      if (block % 29 != 0 && blocks > 100 && block + 2 < blocks) continue;
      const std::size_t first_column = (block * 5 + 3) % kColumns;
      for (const std::size_t j : {first_column, (first_column + 64) % kColumns}) {
        SCOPED_TRACE(testing::Message() << "block " << block << " of " << blocks << ", column " << j);
        const bool passes = bit_of(extended.delta, j) == 0;
        Bytes correction = extended.receiver->correction();
        extended.alter(correction, j, block, random_block());
        EXPECT_EQ(extended.passes_with(correction), passes);
        if (block + 1 == blocks) continue;
        correction = extended.receiver->correction();
        const Block twice = random_block();
        extended.alter(correction, j, block, twice);
        extended.alter(correction, j, block + 1, twice);
        EXPECT_EQ(extended.passes_with(correction), passes) << "and the next block";
      }
    }
  }
}

TEST(Extension, CatchesAnotherInputInAnyOneOfTheColumns) {
  Extended extended;
  for (std::size_t j = 0; j < kColumns; ++j) {
    for (const std::size_t block : std::initializer_list<std::size_t>{0, kBlocks - 1}) {
      Bytes correction = extended.receiver->correction();
      extended.alter(correction, j, block, {std::uint64_t{1} << (j % 64), 0});
      EXPECT_EQ(extended.passes_with(correction), bit_of(extended.delta, j) == 0) << block << ", " << j;
    }
  }
}

// What the answer says of u is under a mask: with the mask known it is the polynomial of psi.md 2.2.3, and every other
// answer fits as well, each for one mask.
TEST(Extension, AnswersWithAPolynomialUnderItsLastBlock) {
  const Extended extended(12);
  const Block challenge = random_block();
  const auto hash_of = [&](std::span<const Block> column) {
    Block sum, power = challenge;
    for (const Block block : column.first(column.size() - 1)) {
      sum ^= gf_multiply(power, block);
      power = gf_multiply(power, challenge);
    }
    return sum ^ column.back();
  };
  const Bytes response = extended.receiver->respond(challenge);
  EXPECT_TRUE(equal(crypto::load_block(response), hash_of(extended.receiver->input())));
  for (std::size_t j = 0; j < kColumns; ++j)
    EXPECT_TRUE(equal(crypto::load_block(ByteView(response).subspan((1 + j) * kBlockBytes)),
                      hash_of(extended.receiver->columns().column(j))));

  ThreadPool pool(1);
  crypto::SecretBlocks other(12);
  std::ranges::copy(extended.receiver->input(), other.expose_mutable().begin());
  const Block difference = random_block();
  other.expose_mutable().back() ^= difference;
  const Bytes other_response = ExtensionReceiver(kSession, extended.pairs, std::move(other), pool).respond(challenge);
  EXPECT_TRUE(equal(crypto::load_block(response) ^ crypto::load_block(other_response), difference));
}

// --- pads ------------------------------------------------------------------------------------------------------------

// H(instance, number, choice, row): with any of them left out, a pad would be used twice or show Delta.
TEST(Pads, AreHashesOfInstanceNumberChoiceAndRow) {
  const detail::PadHash hash(kSession);
  Bytes prefix = to_bytes(crypto::sha512(labelled("parley/v1/vole/pad", kSession)));
  for (const std::size_t count : std::initializer_list<std::size_t>{1, 5, 128}) {
    const Block choices = random_block();
    std::vector<Block> rows(count), pads(count);
    for (Block& row : rows) row = random_block();
    hash(0x01020304, 0x05060700, choices, rows, pads);
    for (std::size_t n = 0; n < count; ++n) {
      Bytes message = prefix;
      append_be(message, std::uint32_t{0x01020304});
      append_be(message, static_cast<std::uint32_t>(0x05060700 + n));
      append_be(message, static_cast<std::uint8_t>(bit_of(choices, n)));
      append(message, crypto::bytes_of({&rows[n], 1}));
      EXPECT_TRUE(equal(pads[n], crypto::load_block(crypto::sha256(message)))) << n << " of " << count;
    }
  }
}

TEST(Pads, DifferForEqualRowsInAnyOfInstanceNumberAndChoice) {
  const detail::PadHash hash(kSession);
  const std::vector<Block> rows(3, random_block());
  std::vector<std::vector<Block>> all;
  for (const std::uint32_t instance : {0u, 1u, 15u}) {
    for (const std::uint32_t first : {0u, 128u}) {
      for (const Block choices : {Block{0, 0}, Block{7, 0}}) {
        hash(instance, first, choices, rows, all.emplace_back(3));
      }
    }
  }
  std::vector<Block> pads;
  for (const auto& some : all) pads.insert(pads.end(), some.begin(), some.end());
  for (std::size_t n = 0; n < pads.size(); ++n)
    for (std::size_t m = 0; m < n; ++m) EXPECT_FALSE(equal(pads[n], pads[m])) << n << ", " << m;
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

}  // namespace
}  // namespace parley::psi::vole
