#include "crypto/fixed_key_aes.h"

#include <openssl/evp.h>

#include "crypto/levels.h"
#include "crypto/vector_table.h"

namespace parley::crypto {
namespace {

FixedKeyAes aes_of(const std::string& key) {
  return FixedKeyAes(array_of<kBlockBytes>(key));
}

FixedKeyAes random_aes(RandomBlocks& random) {
  const Block key = random.block();
  return FixedKeyAes(bytes_of({&key, 1}).first<kBlockBytes>());
}

// The model: OpenSSL, one block at a time.
Block model_encrypt(const FixedKeyAes& aes, Block block) {
  const std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)> context(EVP_CIPHER_CTX_new(),
                                                                                EVP_CIPHER_CTX_free);
  Block out;
  int written = 0;
  EVP_EncryptInit_ex(context.get(), EVP_aes_128_ecb(), nullptr, as_uchar(bytes_of({aes.round_keys().data(), 1})),
                     nullptr);
  EVP_CIPHER_CTX_set_padding(context.get(), 0);
  EVP_EncryptUpdate(context.get(), as_uchar_mutable(mutable_bytes_of({&out, 1})), &written,
                    as_uchar(bytes_of({&block, 1})), kBlockBytes);
  EXPECT_EQ(written, static_cast<int>(kBlockBytes));
  return out;
}

constexpr std::size_t kLengths[] = {0,  1,  2,  3,  4,  5,  7,  8,  9,   15,  16,  17,  18,
                                    19, 31, 32, 33, 35, 63, 64, 65, 127, 128, 129, 257, 300};

void expect_equal(std::span<const Block> blocks, std::span<const Block> expected, std::size_t length) {
  ASSERT_EQ(blocks.size(), expected.size());
  for (std::size_t i = 0; i < blocks.size(); ++i)
    ASSERT_EQ(hex_of(blocks[i]), hex_of(expected[i])) << length << " " << i;
}

TEST(FixedKeyAes, ExpandsTheKeyOfFips197) {
  for (const auto& row : table("aes/aes128_round_keys.txt")) {
    const FixedKeyAes aes = aes_of(row[0]);
    for (std::size_t round = 0; round < kAesRoundKeys; ++round) {
      EXPECT_EQ(hex_of(aes.round_keys()[round]), row[1 + round]) << round;
    }
  }
}

TEST(FixedKeyAes, HashesTheBlocksOfFips197AndSp80038a) {
  at_every_level([] {
    for (const auto& row : table("aes/aes128.txt")) {
      const Block in = load_block(parley::bytes_of(row[1]));
      Block out;
      aes_of(row[0]).hash({&in, 1}, {&out, 1});
      EXPECT_EQ(hex_of(out ^ in), row[2]);
    }
  });
}

TEST(FixedKeyAes, HashesEachBlockByItselfAtEveryLengthAndInPlace) {
  at_every_level([] {
    RandomBlocks random(1);
    SCOPED_TRACE(random.seed());
    const FixedKeyAes aes = random_aes(random);
    for (const std::size_t length : kLengths) {
      const auto in = random.blocks(length);
      auto out = random.blocks(length + 1);  // the last must stay as it is
      auto expected = out;
      for (std::size_t i = 0; i < length; ++i) expected[i] = model_encrypt(aes, in[i]) ^ in[i];
      aes.hash(in, std::span(out).first(length));
      expect_equal(out, expected, length);

      auto in_place = in;
      aes.hash(in_place, in_place);
      expect_equal(in_place, std::span(expected).first(length), length);
    }
  });
}

TEST(FixedKeyAes, TossesCoinsByCountingFromAnyNumber) {
  at_every_level([] {
    RandomBlocks random(2);
    SCOPED_TRACE(random.seed());
    const FixedKeyAes aes = random_aes(random);
    for (const std::uint64_t first :
         {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{0xfffffffe}, random.word() >> 1, ~std::uint64_t{0} - 300}) {
      for (const std::size_t length : kLengths) {
        auto out = random.blocks(length + 1);
        auto expected = out;
        for (std::size_t i = 0; i < length; ++i) expected[i] = model_encrypt(aes, {first + i, 0});
        aes.coins(first, std::span(out).first(length));
        expect_equal(out, expected, length);
      }
    }
  });
}

TEST(FixedKeyAes, TossesTheSameCoinsInParts) {
  at_every_level([] {
    RandomBlocks random(3);
    SCOPED_TRACE(random.seed());
    const FixedKeyAes aes = random_aes(random);
    std::vector<Block> whole(200), parts(200);
    aes.coins(7, whole);
    for (std::size_t at = 0, part = 1; at < parts.size(); at += part, part = std::min(part + 3, parts.size() - at)) {
      aes.coins(7 + at, std::span(parts).subspan(at, part));
    }
    expect_equal(parts, whole, 200);
  });
}

TEST(ExpandChildren, GivesBothChildrenOfEachParentInOrderAndTheirSums) {
  at_every_level([] {
    RandomBlocks random(4);
    SCOPED_TRACE(random.seed());
    const FixedKeyAes left = random_aes(random), right = random_aes(random);
    for (const std::size_t count : kLengths) {
      for (const std::size_t left_out : {0u, 1u}) {
        if (left_out > count) continue;
        const std::size_t length = 2 * count - left_out;
        const auto parents = random.blocks(count);
        auto children = random.blocks(length + 1);
        auto expected = children;
        ChildSums sums;
        for (std::size_t i = 0; i < length; ++i) {
          expected[i] = model_encrypt(i % 2 == 0 ? left : right, parents[i / 2]) ^ parents[i / 2];
          (i % 2 == 0 ? sums.left : sums.right) ^= expected[i];
        }
        const ChildSums given = expand_children(left, right, parents, std::span(children).first(length));
        expect_equal(children, expected, length);
        EXPECT_EQ(hex_of(given.left), hex_of(sums.left)) << length;
        EXPECT_EQ(hex_of(given.right), hex_of(sums.right)) << length;
      }
    }
  });
}

}  // namespace
}  // namespace parley::crypto
