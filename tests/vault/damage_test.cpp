// A vault whose files were cut, changed or mixed up says so and leaves them alone; what a crash may leave is no damage.
#include <fmt/format.h>

#include "testing.h"
#include "vault/detail/layout.h"

namespace parley::vault {
namespace {

using detail::kMarkBlockBytes;
using detail::kPageBytes;
using detail::kSealedFrameBytes;
using detail::kSealedWalHeaderBytes;

/// The damaged vault fails to open, and its files stay byte for byte.
void expect_damaged(const TestVault& test, const std::string& what) {
  SCOPED_TRACE(what);
  const auto before = contents(test.folder().path());
  EXPECT_FAILS(test.try_open(), Errc::vault_damaged);
  EXPECT_TRUE(contents(test.folder().path()) == before);
}

/// A vault closed in order: no WAL.
void fill(const TestVault& test) {
  const auto vault = test.open();
  ASSERT_OK(import_records(*vault, {"feed.csv", "csv", {"sednit"}, {}}, addresses(2000)));
}

/// A vault whose owner died: its last commits are in the WAL only.
void fill_and_die(const TestVault& test, int commits) {
  in_child([&] {
    const auto vault = test.try_open();
    for (int i = 0; i < commits; ++i) {
      if (!(*vault)->put_setting(fmt::format("setting {}", i), std::string(3000, 'x'))) ::_exit(1);
    }
    die();
  });
  ASSERT_TRUE(std::filesystem::exists(test.folder() / "vault.db-wal"));
}

TEST(VaultDamage, IsSeenWhenTheHeaderIsCutOrChanged) {
  const TestVault test;
  const Bytes header = read_whole(test.folder() / "vault.hdr");
  for (std::size_t i = 0; i < header.size(); ++i) {
    Bytes bad = header;
    bad[i] ^= std::byte{1};
    write_whole(test.folder() / "vault.hdr", bad);
    expect_damaged(test, fmt::format("byte {}", i));
  }
  for (std::size_t size = 0; size < header.size(); size += 7) {
    write_whole(test.folder() / "vault.hdr", ByteView(header).first(size));
    expect_damaged(test, fmt::format("cut to {}", size));
  }
  write_whole(test.folder() / "vault.hdr", Bytes(20000));
  expect_damaged(test, "20,000 zeros");
}

TEST(VaultDamage, IsSeenWhereverABitOfTheDatabaseIsFlipped) {
  const TestVault test;
  fill(test);
  const auto good = contents(test.folder().path());
  const Bytes& database = good.at("vault.db");
  const std::uint64_t seed = test_seed();
  std::mt19937_64 random(seed);
  for (int i = 0; i < 300; ++i) {
    Bytes bad = database;
    // The first rounds go through the first pages' heads, where SQLite itself looks first.
    const std::size_t at = i < 100 ? static_cast<std::size_t>(i) * 97 : random() % bad.size();
    bad[at] ^= static_cast<std::byte>(1U << (random() % 8));
    write_whole(test.folder() / "vault.db", bad);
    expect_damaged(test, fmt::format("byte {} (seed {})", at, seed));
  }
  restore(test.folder().path(), good);
  EXPECT_EQ(items(*test.open()).size(), 2000U);
}

TEST(VaultDamage, IsSeenAtWhateverLengthTheDatabaseIsCut) {
  const TestVault test;
  fill(test);
  const Bytes database = read_whole(test.folder() / "vault.db");
  for (std::size_t size = 0; size < database.size(); size += size < 5000 ? 500 : 1777) {
    write_whole(test.folder() / "vault.db", ByteView(database).first(size));
    expect_damaged(test, fmt::format("cut to {}", size));
  }
  for (std::size_t pages = 0; pages * kPageBytes < database.size() - kMarkBlockBytes; ++pages) {
    write_whole(test.folder() / "vault.db", ByteView(database).first(kMarkBlockBytes + pages * kPageBytes));
    expect_damaged(test, fmt::format("cut after page {}", pages));
  }
  std::filesystem::remove(test.folder() / "vault.db");
  expect_damaged(test, "no vault.db");
}

TEST(VaultDamage, IsSeenWhenPagesAreExchangedRepeatedOrAppended) {
  const TestVault test;
  fill(test);
  const Bytes good = read_whole(test.folder() / "vault.db");
  const auto page = [&](Bytes& database, std::size_t number) {
    return MutableByteView(database).subspan(kMarkBlockBytes + (number - 1) * kPageBytes, kPageBytes);
  };
  Bytes exchanged = good;
  std::swap_ranges(page(exchanged, 2).begin(), page(exchanged, 2).end(), page(exchanged, 3).begin());
  Bytes repeated = good;
  std::ranges::copy(page(repeated, 5), page(repeated, 6).begin());
  Bytes zeroed = good;
  std::ranges::fill(page(zeroed, 4), std::byte{0});
  Bytes appended = good;
  appended.resize(good.size() + kPageBytes);
  Bytes one_more = good;
  one_more.push_back(std::byte{0});
  for (const Bytes& bad : {exchanged, repeated, zeroed, appended, one_more}) {
    write_whole(test.folder() / "vault.db", bad);
    expect_damaged(test, "pages");
  }
}

TEST(VaultDamage, IsSeenWhenTheDatabaseIsThatOfAnotherVault) {
  const TestVault test;
  const TestVault other;
  write_whole(test.folder() / "vault.db", read_whole(other.folder() / "vault.db"));
  expect_damaged(test, "another vault's database");
}

TEST(VaultDamage, IsSeenWhereverABitOfTheWriteAheadLogIsFlipped) {
  const TestVault test;
  fill_and_die(test, 5);
  const auto good = contents(test.folder().path());
  const std::uint64_t seed = test_seed();
  std::mt19937_64 random(seed);
  for (int i = 0; i < 300; ++i) {
    Bytes bad = good.at("vault.db-wal");
    const std::size_t at = i < 160 ? static_cast<std::size_t>(i) : random() % bad.size();
    bad[at] ^= static_cast<std::byte>(1U << (random() % 8));
    write_whole(test.folder() / "vault.db-wal", bad);
    expect_damaged(test, fmt::format("byte {} (seed {})", at, seed));
  }
  restore(test.folder().path(), good);
  EXPECT_EQ(test.open()->setting("setting 4").value(), std::string(3000, 'x'));
}

TEST(VaultDamage, IsSeenAtWhateverLengthTheWriteAheadLogIsCut) {
  const TestVault test;
  fill_and_die(test, 5);
  const Bytes wal = read_whole(test.folder() / "vault.db-wal");
  std::vector<std::size_t> sizes;
  for (std::size_t size = 0; size < wal.size(); size += size < 400 ? 13 : 997) sizes.push_back(size);
  for (std::size_t size = kSealedWalHeaderBytes; size < wal.size(); size += kSealedFrameBytes) sizes.push_back(size);
  for (const std::size_t size : sizes) {
    write_whole(test.folder() / "vault.db-wal", ByteView(wal).first(size));
    expect_damaged(test, fmt::format("cut to {}", size));
  }
  std::filesystem::remove(test.folder() / "vault.db-wal");
  expect_damaged(test, "no write-ahead log");
}

TEST(VaultDamage, IsSeenWhenFramesOfTheWriteAheadLogAreExchanged) {
  const TestVault test;
  fill_and_die(test, 5);
  Bytes wal = read_whole(test.folder() / "vault.db-wal");
  ASSERT_GE(wal.size(), kSealedWalHeaderBytes + 2 * kSealedFrameBytes);
  const MutableByteView frames = MutableByteView(wal).subspan(kSealedWalHeaderBytes);
  std::swap_ranges(frames.begin(), frames.begin() + kSealedFrameBytes, frames.begin() + kSealedFrameBytes);
  write_whole(test.folder() / "vault.db-wal", wal);
  expect_damaged(test, "exchanged");
}

TEST(VaultDamage, IsSeenWhenTheWriteAheadLogIsOfAnEarlierLife) {
  const TestVault test;
  fill_and_die(test, 2);
  const Bytes earlier = read_whole(test.folder() / "vault.db-wal");
  {
    const auto closed_in_order = test.open();
  }
  fill_and_die(test, 2);
  write_whole(test.folder() / "vault.db-wal", earlier);
  expect_damaged(test, "earlier life");
}

TEST(VaultDamage, IsNotWhatACrashLeavesBehindTheLastCommit) {
  const TestVault test;
  fill_and_die(test, 5);
  const auto good = contents(test.folder().path());
  const std::uint64_t seed = test_seed();
  std::mt19937_64 random(seed);
  for (int i = 0; i < 20; ++i) {
    restore(test.folder().path(), good);
    Bytes torn = good.at("vault.db-wal");
    const std::size_t size = torn.size() + random() % (3 * kSealedFrameBytes);
    while (torn.size() < size) torn.push_back(static_cast<std::byte>(random()));
    write_whole(test.folder() / "vault.db-wal", torn);
    const auto vault = test.open();
    ASSERT_NE(vault, nullptr) << "seed " << seed;
    EXPECT_EQ(vault->setting("setting 4").value(), std::string(3000, 'x'));
  }
}

TEST(VaultDamage, IsNotWhatACrashTearsInPagesThatTheWriteAheadLogStillHolds) {
  const TestVault test;
  fill_and_die(test, 5);
  // The settings' pages are in the WAL: page 1 among them, since each commit counts there.
  Bytes database = read_whole(test.folder() / "vault.db");
  const Bytes original = database;
  std::size_t forgiven = 0;
  const std::size_t pages = (database.size() - kMarkBlockBytes) / kPageBytes;
  const auto good = contents(test.folder().path());
  for (std::size_t page = 0; page < pages; ++page) {
    restore(test.folder().path(), good);
    database = original;
    std::ranges::fill(MutableByteView(database).subspan(kMarkBlockBytes + page * kPageBytes, 512), std::byte{0});
    write_whole(test.folder() / "vault.db", database);
    const auto vault = test.try_open();
    if (!vault) {
      EXPECT_EQ(vault.error().code, Errc::vault_damaged);
      continue;
    }
    ++forgiven;
    EXPECT_EQ((*vault)->setting("setting 4").value(), std::string(3000, 'x'));
  }
  EXPECT_GE(forgiven, 1U);
  EXPECT_LT(forgiven, pages) << "pages that only the database holds are not forgiven";
}

TEST(VaultDamage, DuringUseIsAnErrorAndNotAWrongAnswer) {
  const TestVault test;
  {
    const auto vault = test.open();
    ASSERT_OK(import_records(*vault, {"feed.csv", "csv", {}, {}}, addresses(50000)));
  }
  const auto vault = test.open();
  Bytes database = read_whole(test.folder() / "vault.db");
  for (std::size_t at = kMarkBlockBytes + 20 * kPageBytes; at < database.size(); at += kPageBytes) {
    database[at + 1000] ^= std::byte{4};
  }
  {
    std::fstream file(test.folder() / "vault.db", std::ios::binary | std::ios::in | std::ios::out);
    file.write(reinterpret_cast<const char*>(database.data()), static_cast<std::streamsize>(database.size()));
  }
  const Status status = vault->for_each({}, [](const Item&) -> Status { return {}; });
  EXPECT_FAILS(status, Errc::vault_damaged);
}

}  // namespace
}  // namespace parley::vault
