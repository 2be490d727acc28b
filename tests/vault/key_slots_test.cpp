// vault.hdr: what it promises, and what it refuses.
#include "vault/detail/key_slots.h"

#include <fmt/format.h>

#include "testing.h"

namespace parley::vault::detail {
namespace {

using namespace std::string_literals;

constexpr Argon2Parameters kQuick{.passes = kArgon2MinPasses, .memory_bytes = kArgon2MinMemoryBytes};

Unlock both_ways() {
  Unlock unlock;
  unlock.passphrase = passphrase("correct horse");
  unlock.key_file = random_secret<32>();
  return unlock;
}

Digest blake2b(std::string_view text) {
  Digest digest;
  crypto_generichash(as_uchar_mutable(digest), digest.size(), as_uchar(as_bytes(text)), text.size(), nullptr, 0);
  return digest;
}

/// `lines` with a right sum behind them: what somebody who knows the format, but no key, can write.
std::string with_sum(std::string lines) {
  return lines + "sum " + to_base64(blake2b(lines)) + "\n";
}

std::string without_sum(const std::string& text) {
  return text.substr(0, text.rfind("sum "));
}

std::string replaced(std::string text, std::string_view from, std::string_view to) {
  const std::size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return at == std::string::npos ? text : text.replace(at, from.size(), to);
}

TEST(VaultHeader, GivesBackTheVaultKeyThroughEachOfItsSlots) {
  const Secret<32> vault_key = random_secret<32>();
  const Unlock unlock = both_ways();
  const auto header = make_header(vault_key, unlock, kQuick);
  ASSERT_OK(header);
  const auto read = parse_header(as_bytes(header->text()));
  ASSERT_OK(read);
  EXPECT_EQ(read->text(), header->text());

  Unlock by_passphrase;
  by_passphrase.passphrase = passphrase("correct horse");
  Unlock by_key_file;
  by_key_file.key_file = unlock.key_file->clone();
  for (const auto& way : {std::cref(unlock), std::cref<Unlock>(by_passphrase), std::cref<Unlock>(by_key_file)}) {
    const auto opened = unlock_header(*read, way);
    ASSERT_OK(opened);
    EXPECT_TRUE(opened->equals(vault_key));
  }
}

TEST(VaultHeader, UsesLibsodiumsModerateParametersUnlessToldOtherwise) {
  EXPECT_EQ(Argon2Parameters{}.passes, crypto_pwhash_OPSLIMIT_MODERATE);
  EXPECT_EQ(Argon2Parameters{}.memory_bytes, crypto_pwhash_MEMLIMIT_MODERATE);
}

TEST(VaultHeader, RefusesAWrongPassphraseAndAWrongKeyFile) {
  const auto header = make_header(random_secret<32>(), both_ways(), kQuick);
  ASSERT_OK(header);
  Unlock wrong;
  for (const std::string_view text : {"correct hors", "correct horse ", "Correct horse", "x"}) {
    wrong.passphrase = passphrase(text);
    EXPECT_FAILS(unlock_header(*header, wrong), Errc::passphrase);
  }
  Unlock wrong_key;
  wrong_key.key_file = random_secret<32>();
  EXPECT_FAILS(unlock_header(*header, wrong_key), Errc::passphrase);
}

TEST(VaultHeader, SaysWhenItHasNoSlotOfTheKindThatIsOffered) {
  Unlock passphrase_only;
  passphrase_only.passphrase = passphrase("correct horse");
  Unlock key_file_only;
  key_file_only.key_file = random_secret<32>();
  const auto header = make_header(random_secret<32>(), passphrase_only, kQuick);
  const auto other = make_header(random_secret<32>(), key_file_only, kQuick);
  ASSERT_OK(header);
  ASSERT_OK(other);
  EXPECT_FAILS(unlock_header(*header, key_file_only), Errc::passphrase);
  EXPECT_FAILS(unlock_header(*other, passphrase_only), Errc::passphrase);
  EXPECT_FAILS(unlock_header(*other, Unlock{}), Errc::passphrase);
}

TEST(VaultHeader, IsNotMadeWithoutAnyWayToOpenIt) {
  EXPECT_FAILS(make_header(random_secret<32>(), Unlock{}, kQuick), Errc::usage);
}

TEST(VaultHeader, IsDamagedWhenAnyByteOfItIsAnother) {
  const auto header = make_header(random_secret<32>(), both_ways(), kQuick);
  ASSERT_OK(header);
  const Bytes good = to_bytes(header->text());
  for (std::size_t i = 0; i < good.size(); ++i) {
    for (const auto flip : {std::byte{0x01}, std::byte{0x20}, std::byte{0x80}}) {
      Bytes bad = good;
      bad[i] ^= flip;
      EXPECT_FAILS(parse_header(bad), Errc::vault_damaged) << "byte " << i;
    }
  }
}

TEST(VaultHeader, IsDamagedWhenItIsCutAnywhereOrContinued) {
  const auto header = make_header(random_secret<32>(), both_ways(), kQuick);
  ASSERT_OK(header);
  const std::string good = header->text();
  for (std::size_t size = 0; size < good.size(); ++size) {
    EXPECT_FAILS(parse_header(as_bytes(good.substr(0, size))), Errc::vault_damaged) << size;
  }
  for (const std::string& more : {" "s, "\n"s, "\0"s, "slot keyfile blake2b\n"s, "sum \n"s}) {
    EXPECT_FAILS(parse_header(as_bytes(good + more)), Errc::vault_damaged);
  }
  EXPECT_FAILS(parse_header(as_bytes(std::string(kHeaderLimitBytes + 1, 'x'))), Errc::vault_damaged);
}

TEST(VaultHeader, OfANewerFormatIsUnsupportedAndSaysWhichOne) {
  const auto header = make_header(random_secret<32>(), both_ways(), kQuick);
  ASSERT_OK(header);
  const auto newer = parse_header(as_bytes(with_sum("parley-vault/v2\nwhatever comes then\n")));
  ASSERT_FAILS(newer, Errc::unsupported);
  EXPECT_NE(newer.error().message.find("format 2"), std::string::npos);
  EXPECT_FAILS(parse_header(as_bytes(with_sum(replaced(without_sum(header->text()), "/v1\n", "/v99\n")))),
               Errc::unsupported);
}

TEST(VaultHeader, RefusesArgon2ParametersOutOfBoundsBeforeItUsesThem) {
  const auto header = make_header(random_secret<32>(), both_ways(), kQuick);
  ASSERT_OK(header);
  const std::string good = without_sum(header->text());
  const std::string parameters = fmt::format("argon2id13 {} {} 1 ", kQuick.passes, kQuick.memory_bytes);
  for (const std::string_view hostile :
       {"argon2id13 0 8388608 1 ", "argon2id13 11 8388608 1 ", "argon2id13 18446744073709551615 8388608 1 ",
        "argon2id13 1 8388607 1 ", "argon2id13 1 0 1 ", "argon2id13 1 4294967297 1 ", "argon2id13 1 1099511627776 1 ",
        "argon2id13 1 18446744073709551615 1 ", "argon2id13 1 8388608 0 ", "argon2id13 1 8388608 4 "}) {
    EXPECT_FAILS(parse_header(as_bytes(with_sum(replaced(good, parameters, hostile)))), Errc::limit) << hostile;
  }
}

TEST(VaultHeader, RefusesLinesThatAreNotOfTheFormat) {
  const auto header = make_header(random_secret<32>(), both_ways(), kQuick);
  ASSERT_OK(header);
  const std::string good = without_sum(header->text());
  const std::string slot = header->slots.back().prefix() + to_base64(header->slots.back().box) + "\n";
  std::string nine_slots = "parley-vault/v1\n";
  for (std::size_t i = 0; i < kSlotLimit + 1; ++i) nine_slots += slot;
  const std::string mac = "mac " + to_base64(header->mac) + "\n";
  const std::string cases[] = {
      replaced(good, "argon2id13", "argon2i13"),
      replaced(good, "slot passphrase", "slot password"),
      replaced(good, "slot keyfile", "slot  keyfile"),
      replaced(good, "blake2b", "blake3"),
      replaced(good, " 1 8388608 ", " 01 8388608 "),
      replaced(good, " 1 8388608 ", " 1 99999999999999999999999 "),
      replaced(good, " 1 8388608 ", " -1 8388608 "),
      replaced(good, "mac ", "mac  "),
      replaced(good, "/v1\n", "/v\n"),
      replaced(good, "/v1\n", "/v01\n"),
      replaced(good, "/v1\n", "/v0\n"),
      replaced(good, "/v1\n", "/v1\n\n"),
      "parley-vault/v1\n" + mac,
      "parley-vault/v1\n" + slot,
      "parley-vault/v1\n",
      nine_slots + mac,
  };
  for (const std::string& text : cases)
    EXPECT_FAILS(parse_header(as_bytes(with_sum(text))), Errc::vault_damaged) << text;
}

TEST(VaultHeader, IsDamagedWhenSomebodyWithoutItsKeyAddsRemovesOrExchangesSlots) {
  const Unlock unlock = both_ways();
  const Secret<32> vault_key = random_secret<32>();
  const auto header = make_header(vault_key, unlock, kQuick);
  const auto other = make_header(random_secret<32>(), both_ways(), kQuick);
  ASSERT_OK(header);
  ASSERT_OK(other);

  Header added = *header;
  added.slots.push_back(other->slots[1]);
  Header removed = *header;
  removed.slots.erase(removed.slots.begin());
  Header exchanged = *header;
  std::swap(exchanged.slots[0], exchanged.slots[1]);
  for (const Header& changed : {added, removed, exchanged}) {
    const auto read = parse_header(as_bytes(changed.text()));  // the sum is right again
    ASSERT_OK(read);
    EXPECT_FAILS(unlock_header(*read, unlock), Errc::vault_damaged);
  }
}

}  // namespace
}  // namespace parley::vault::detail
