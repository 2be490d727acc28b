#include "crypto/argon2.h"

#include <gtest/gtest.h>

#include "crypto/vector_table.h"

namespace parley::crypto {
namespace {

const ByteArray<kArgon2SaltBytes> kSalt = array_of<kArgon2SaltBytes>("000102030405060708090a0b0c0d0e0f");

Result<Secret<32>> derive(std::string_view passphrase, const ByteArray<kArgon2SaltBytes>& salt, Argon2Cost cost) {
  return argon2id(SecretBytes(as_bytes(passphrase)), salt, cost);
}

TEST(Argon2id, DependsOnPassphraseSaltAndCost) {
  const auto key = derive("a passphrase", kSalt, kLeastArgon2Cost);
  ASSERT_TRUE(key.has_value());
  EXPECT_TRUE(key->equals(*derive("a passphrase", kSalt, kLeastArgon2Cost)));
  EXPECT_FALSE(key->equals(*derive("a passphrasf", kSalt, kLeastArgon2Cost)));
  EXPECT_FALSE(key->equals(*derive("", kSalt, kLeastArgon2Cost)));
  EXPECT_FALSE(key->equals(*derive("a passphrase", {}, kLeastArgon2Cost)));
  EXPECT_FALSE(key->equals(*derive("a passphrase", kSalt, {2, kLeastArgon2Cost.memory_bytes})));
  EXPECT_FALSE(key->equals(*derive("a passphrase", kSalt, {1, 2 * kLeastArgon2Cost.memory_bytes})));
}

// What was sealed under a passphrase opens only as long as this stays. Made once with libsodium 1.0.18.
TEST(Argon2id, GivesTheSameKeyInEveryVersion) {
  EXPECT_EQ(to_hex(derive("a passphrase", kSalt, kLeastArgon2Cost)->expose()), "706303a1e7b6316d9e690b606f4e55ad38efc89170485f636a861ee48c8e966e");
}

TEST(Argon2id, RefusesCostsThatAHostileFileWouldNameBeforeItTakesMemory) {
  for (const Argon2Cost& cost : {Argon2Cost{0, 8 << 20}, Argon2Cost{11, 8 << 20}, Argon2Cost{1, (8 << 20) - 1},
                                 Argon2Cost{1, kGreatestArgon2Cost.memory_bytes + 1}, Argon2Cost{1, ~std::uint64_t{0}},
                                 Argon2Cost{~std::uint64_t{0}, 8 << 20}, Argon2Cost{1, 0}}) {
    const auto key = derive("a passphrase", kSalt, cost);
    ASSERT_FALSE(key.has_value()) << cost.passes << " over " << cost.memory_bytes;
    EXPECT_EQ(key.error().code, Errc::limit);
  }
}

}  // namespace
}  // namespace parley::crypto
