// The sealed files' units: every byte has one place, and no unit opens in another's place.
#include "vault/detail/layout.h"

#include "testing.h"

namespace parley::vault::detail {
namespace {

TEST(Layout, GivesEachByteOfEachFileExactlyOneUnitAndLaysTheUnitsSideBySide) {
  for (const FileRole role : {FileRole::database, FileRole::wal, FileRole::temporary}) {
    std::uint64_t logical = 0;
    std::uint64_t physical = unit_at(role, 0).physical;
    for (int i = 0; i < 100; ++i) {
      const Unit unit = unit_at(role, logical);
      ASSERT_EQ(unit.logical, logical);
      ASSERT_EQ(unit.physical, physical);
      ASSERT_EQ(unit.content_bytes + kSealBytes, unit.physical_bytes);
      ASSERT_LE(unit.physical_bytes, kLargestUnitBytes);
      ASSERT_EQ(unit_at(role, logical + unit.logical_bytes - 1).logical, logical);
      logical += unit.logical_bytes;
      physical += unit.physical_bytes;
    }
  }
}

TEST(Layout, CountsWholeUnitsOnly) {
  EXPECT_EQ(logical_size(FileRole::database, 0), 0U);
  EXPECT_EQ(logical_size(FileRole::database, kMarkBlockBytes + kPageBytes - 1), 0U);
  EXPECT_EQ(logical_size(FileRole::database, kMarkBlockBytes + 3 * kPageBytes + 7), 3 * kPageBytes);
  EXPECT_EQ(logical_size(FileRole::wal, kSealedWalHeaderBytes - 1), 0U);
  EXPECT_EQ(logical_size(FileRole::wal, kSealedWalHeaderBytes), kWalHeaderBytes);
  EXPECT_EQ(logical_size(FileRole::wal, kSealedWalHeaderBytes + 2 * kSealedFrameBytes - 1),
            kWalHeaderBytes + kFrameBytes);
  for (std::uint64_t frames : {0ULL, 1ULL, 1000ULL}) {
    const std::uint64_t logical = kWalHeaderBytes + frames * kFrameBytes;
    EXPECT_EQ(logical_size(FileRole::wal, physical_size(FileRole::wal, logical)), logical);
  }
}

TEST(PageCipher, OpensWhatItSealedInItsPlaceOnly) {
  PageCipher cipher(random_secret<32>());
  const Bytes plain = to_bytes("a page of the database");
  const Generation generation = random_bytes<16>();
  Bytes sealed(plain.size() + kSealBytes);
  cipher.seal(UnitKind::wal_frame_page, generation, 7, plain, sealed);
  Bytes opened(plain.size());
  EXPECT_TRUE(cipher.open(UnitKind::wal_frame_page, generation, 7, sealed, opened));
  EXPECT_EQ(opened, plain);

  EXPECT_FALSE(cipher.open(UnitKind::wal_frame_page, generation, 8, sealed, opened));
  EXPECT_FALSE(cipher.open(UnitKind::database_page, generation, 7, sealed, opened));
  EXPECT_FALSE(cipher.open(UnitKind::wal_frame_page, random_bytes<16>(), 7, sealed, opened));
  EXPECT_FALSE(PageCipher(random_secret<32>()).open(UnitKind::wal_frame_page, generation, 7, sealed, opened));
  for (std::size_t bit = 0; bit < sealed.size() * 8; ++bit) {
    Bytes bad = sealed;
    bad[bit / 8] ^= static_cast<std::byte>(1U << (bit % 8));
    EXPECT_FALSE(cipher.open(UnitKind::wal_frame_page, generation, 7, bad, opened)) << bit;
  }
}

TEST(PageCipher, WritesTheSamePageOtherwiseEachTime) {
  PageCipher cipher(random_secret<32>());
  const Bytes plain(kPageContentBytes);
  Bytes first(kPageBytes);
  Bytes second(kPageBytes);
  cipher.seal(UnitKind::database_page, Generation{}, 1, plain, first);
  cipher.seal(UnitKind::database_page, Generation{}, 1, plain, second);
  EXPECT_NE(Bytes(first.begin(), first.begin() + 64), Bytes(second.begin(), second.begin() + 64));
}

TEST(Mark, OpensAsItWasSealedAndNotWhenAnyBitOfItsBlockIsAnother) {
  PageCipher cipher(random_secret<32>());
  const Mark mark{random_bytes<16>(), 123456789};
  const Bytes block = seal_mark(cipher, mark);
  Mark opened;
  ASSERT_TRUE(open_mark(cipher, block, opened));
  EXPECT_EQ(opened.generation, mark.generation);
  EXPECT_EQ(opened.frames, mark.frames);
  for (std::size_t bit = 0; bit < block.size() * 8; ++bit) {
    Bytes bad = block;
    bad[bit / 8] ^= static_cast<std::byte>(1U << (bit % 8));
    EXPECT_FALSE(open_mark(cipher, bad, opened)) << bit;
  }
  EXPECT_FALSE(open_mark(cipher, ByteView(block).first(kMarkBlockBytes - 1), opened));
}

}  // namespace
}  // namespace parley::vault::detail
