#include "psi/detail/tag_list.h"

#include <gtest/gtest.h>

#include <functional>

#include "base/encoding.h"
#include "base/thread_pool.h"
#include "psi/tag_sets.h"

namespace parley::psi::detail {
namespace {

constexpr std::uint64_t kAllOnes = ~std::uint64_t{0};

/// The messages of a list.
struct Coded {
  Bytes upper;
  std::vector<Bytes> chunks;
  bool operator==(const Coded&) const = default;
};

Coded encoded(std::span<const Tag> sorted, std::size_t threads = 1) {
  const TagListShape shape(sorted.size());
  Coded coded{encode_upper(sorted), {}};
  for (std::size_t i = 0; i < shape.chunk_count(); ++i) coded.chunks.emplace_back(shape.chunk_bytes(i));
  ThreadPool pool(threads);
  pool.parallel_for(shape.chunk_count(), 1, [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) encode_chunk(sorted, i, coded.chunks[i]);
  });
  return coded;
}

Result<std::vector<Tag>> decoded(std::size_t count, const Coded& coded) {
  TRY(TagListReader reader, TagListReader::begin(TagListShape(count), coded.upper));
  std::vector<Tag> all, tags;
  for (const Bytes& chunk : coded.chunks) {
    EXPECT_EQ(reader.next_tag(), all.size());
    TRY_STATUS(reader.next(chunk, tags));
    all.insert(all.end(), tags.begin(), tags.end());
  }
  EXPECT_TRUE(reader.done());
  return all;
}

void expect_refused(std::size_t count, const Coded& coded, std::string_view why) {
  const auto list = decoded(count, coded);
  ASSERT_FALSE(list.has_value()) << "expected: " << why;
  EXPECT_EQ(list.error().code, Errc::protocol);
  EXPECT_NE(list.error().message.find(why), std::string::npos) << list.error().message;
}

/// The same bits, written down one after the other.
class BitString {
 public:
  void append(Uint128 value, unsigned bits) {
    for (unsigned i = 0; i < bits; ++i) bits_.push_back(value >> i & 1);
  }
  Bytes bytes() const {
    Bytes bytes((bits_.size() + 7) / 8);
    for (std::size_t i = 0; i < bits_.size(); ++i) bytes[i / 8] |= std::byte{bits_[i]} << i % 8;
    return bytes;
  }

 private:
  std::vector<bool> bits_;
};

Coded plainly_encoded(std::span<const Tag> sorted) {
  unsigned k = 8;
  while (std::size_t{2} << k <= sorted.size()) ++k;
  BitString upper;
  auto next = sorted.begin();
  for (std::uint64_t value = 0; value < std::uint64_t{1} << k; ++value) {
    for (; next != sorted.end() && next->value() >> (128 - k) == value; ++next) upper.append(1, 1);
    upper.append(0, 1);
  }
  Coded coded{upper.bytes(), {}};
  for (std::size_t begin = 0; begin < sorted.size(); begin += 65'536) {
    BitString low;
    for (const Tag tag : sorted.subspan(begin, std::min<std::size_t>(65'536, sorted.size() - begin)))
      low.append(tag.value(), 128 - k);
    coded.chunks.push_back(low.bytes());
  }
  return coded;
}

TEST(TagListShape, IsAFunctionOfTheNumberOfTagsAlone) {
  struct Row {
    std::size_t count;
    unsigned upper_bits;
    std::size_t upper_bytes, chunks, first_chunk_bytes, last_chunk_bytes, total_bytes;
  };
  constexpr Row kRows[] = {
      {0, 8, 32, 0, 0, 0, 32},
      {1, 8, 33, 1, 15, 15, 48},
      {2, 8, 33, 1, 30, 30, 63},
      {8, 8, 33, 1, 120, 120, 153},
      {255, 8, 64, 1, 3'825, 3'825, 3'889},
      {256, 8, 64, 1, 3'840, 3'840, 3'904},
      {257, 8, 65, 1, 3'855, 3'855, 3'920},
      {511, 8, 96, 1, 7'665, 7'665, 7'761},
      {512, 9, 128, 1, 7'616, 7'616, 7'744},
      {513, 9, 129, 1, 7'631, 7'631, 7'760},
      {1'000, 9, 189, 1, 14'875, 14'875, 15'064},
      {65'535, 15, 12'288, 1, 925'682, 925'682, 937'970},
      {65'536, 16, 16'384, 1, 917'504, 917'504, 933'888},
      {65'537, 16, 16'385, 2, 917'504, 14, 933'903},
      {1'000'000, 19, 190'536, 16, 892'928, 231'080, 13'815'536},
      {1 << 20, 20, 262'144, 16, 884'736, 884'736, 14'417'920},
      {1 << 24, 24, 4'194'304, 256, 851'968, 851'968, 222'298'112},
      {4'294'967'295, 31, 805'306'368, 65'536, 794'624, 794'612, 52'881'784'820},
  };
  for (const Row& row : kRows) {
    SCOPED_TRACE(row.count);
    const TagListShape shape(row.count);
    EXPECT_EQ(shape.upper_bits(), row.upper_bits);
    EXPECT_EQ(shape.low_bits(), 128 - row.upper_bits);
    EXPECT_EQ(shape.upper_bytes(), row.upper_bytes);
    EXPECT_EQ(shape.chunk_count(), row.chunks);
    EXPECT_EQ(shape.total_bytes(), row.total_bytes);
    if (row.chunks == 0) continue;
    EXPECT_EQ(shape.chunk_bytes(0), row.first_chunk_bytes);
    EXPECT_EQ(shape.chunk_bytes(row.chunks - 1), row.last_chunk_bytes);
    EXPECT_EQ(shape.first_tag_of(row.chunks - 1) + shape.tags_in(row.chunks - 1), row.count);
  }
}

TEST(TagListShape, AddsUpToWhatIsSent) {
  for (const std::size_t count : kTagCounts) {
    const TagListShape shape(count);
    std::size_t sum = shape.upper_bytes();
    for (std::size_t i = 0; i < shape.chunk_count(); ++i) sum += shape.chunk_bytes(i);
    EXPECT_EQ(sum, shape.total_bytes()) << count;
  }
}

TEST(TagList, IsWrittenAsItsDescriptionSaysWhateverTheNumberOfThreads) {
  WITH_RANDOM(random);
  for (const std::size_t count : kTagCounts) {
    const auto tags = uniform_ascending_tags(random, count);
    const Coded plain = plainly_encoded(tags);
    for (const std::size_t threads : {1u, 2u, 8u}) EXPECT_TRUE(encoded(tags, threads) == plain) << count;
  }
}

TEST(TagList, HasTheseBytes) {
  const std::vector<Tag> tags = {{0x0000000000000000, 0x0000000000000001},
                                 {0x0200112233445566, 0x778899aabbccddee},
                                 {0xffffffffffffffff, 0xfffffffffffffffe}};
  const Coded coded = encoded(tags);
  // One tag that begins with 00, none with 01, one with 02, ... one with ff: bits 0, 3 and 257 of 259.
  EXPECT_EQ(to_hex(coded.upper), "09" + std::string(62, '0') + "02");
  ASSERT_EQ(coded.chunks.size(), 1u);
  EXPECT_EQ(to_hex(coded.chunks[0]),
            "010000000000000000000000000000"
            "eeddccbbaa99887766554433221100"
            "feffffffffffffffffffffffffffff");
}

TEST(TagList, IsReadAsItWasWritten) {
  WITH_RANDOM(random);
  for (const std::size_t count : kTagCounts) {
    const auto tags = uniform_ascending_tags(random, count);
    const auto read = decoded(count, encoded(tags));
    ASSERT_TRUE(read.has_value()) << read.error().text();
    EXPECT_EQ(*read, tags) << count;
  }
}

TEST(TagList, HoldsTagsThatAreFarFromUniform) {
  WITH_RANDOM(random);
  for (const std::size_t count : {1u, 2u, 300u, 65'536u, 131'073u}) {
    for (const UnevenSet& set : uneven_sets(random, count)) {
      const auto tags = ascending(set.tags);
      const Coded coded = encoded(tags);
      EXPECT_TRUE(coded == plainly_encoded(tags)) << set.name << ", " << count;
      const auto read = decoded(count, coded);
      ASSERT_TRUE(read.has_value()) << set.name << ", " << count << ": " << read.error().text();
      EXPECT_EQ(*read, tags) << set.name << ", " << count;
    }
  }
}

TEST(TagList, HoldsTheLeastAndTheGreatestTag) {
  const std::vector<std::vector<Tag>> lists = {{{0, 0}},
                                               {{kAllOnes, kAllOnes}},
                                               {{0, 0}, {kAllOnes, kAllOnes}},
                                               {{0, 0}, {0, 1}},
                                               {{kAllOnes, kAllOnes - 1}, {kAllOnes, kAllOnes}}};
  for (const auto& tags : lists) {
    const auto read = decoded(tags.size(), encoded(tags));
    ASSERT_TRUE(read.has_value()) << read.error().text();
    EXPECT_EQ(*read, tags);
  }
}

TEST(TagList, OfNothingIsZeros) {
  const Coded nothing = encoded({});
  EXPECT_EQ(nothing.upper, Bytes(32));
  EXPECT_TRUE(nothing.chunks.empty());
  EXPECT_TRUE(decoded(0, nothing).has_value());
  expect_refused(0, {Bytes(31), {}}, "31 bytes, not 32");
  Bytes one(32);
  one[3] = std::byte{1};
  expect_refused(0, {one, {}}, "counts 1 tags, not 0");
}

TEST(TagList, IsRefusedWhereAnyMessageHasAnotherLength) {
  WITH_RANDOM(random);
  const auto tags = uniform_ascending_tags(random, 65'541);
  const Coded coded = encoded(tags);
  const auto changed = [&](const std::function<void(Coded&)>& change) {
    Coded other = coded;
    change(other);
    return other;
  };
  expect_refused(tags.size(), changed([](Coded& c) { c.upper.pop_back(); }), "upper part has 16384 bytes, not 16385");
  expect_refused(tags.size(), changed([](Coded& c) { c.upper.emplace_back(); }), "upper part has 16386 bytes");
  expect_refused(tags.size(), changed([](Coded& c) { c.upper.clear(); }), "upper part has 0 bytes");
  expect_refused(tags.size(), changed([](Coded& c) { c.chunks[0].pop_back(); }), "chunk 0 has 917503 bytes");
  expect_refused(tags.size(), changed([](Coded& c) { c.chunks[0].emplace_back(); }), "chunk 0 has 917505 bytes");
  expect_refused(tags.size(), changed([](Coded& c) { c.chunks[1].pop_back(); }), "chunk 1 has 69 bytes, not 70");
  expect_refused(tags.size(), changed([](Coded& c) { c.chunks[1].clear(); }), "chunk 1 has 0 bytes");
  expect_refused(tags.size(), changed([](Coded& c) { std::swap(c.chunks[0], c.chunks[1]); }), "chunk 0 has 70 bytes");
}

TEST(TagList, IsRefusedWhereItCountsOtherTagsThanAgreed) {
  const std::vector<Tag> tags = {{1, 0}, {2, 0}, {3, 0}};
  Coded coded = encoded(tags);
  coded.upper[8] |= std::byte{1};
  expect_refused(3, coded, "counts 4 tags, not 3");
  coded.upper[8] = {};
  coded.upper[0] ^= std::byte{1};
  expect_refused(3, coded, "counts 2 tags, not 3");
}

TEST(TagList, IsRefusedWhereATagWouldStandPastTheLastValue) {
  // 257 bits for one tag: the last is a zero, for the end of the tags that begin with ff.
  Coded coded = encoded(std::vector<Tag>{{kAllOnes, 0}});
  coded.upper[31] = {};
  coded.upper[32] = std::byte{1};
  expect_refused(1, coded, "does not end with a zero");
}

TEST(TagList, IsRefusedWhereBitsAreSetThatNothingReads) {
  for (unsigned bit = 1; bit < 8; ++bit) {  // 257 bits, 33 bytes
    Coded coded = encoded(std::vector<Tag>{{5, 0}});
    coded.upper[32] |= std::byte{1} << bit;
    expect_refused(1, coded, "goes on past its end");
  }
  WITH_RANDOM(random);
  const auto tags = uniform_ascending_tags(random, 513);  // 119 bits each: the last one's byte has one bit too many
  Coded coded = encoded(tags);
  coded.chunks[0].back() ^= std::byte{0x80};
  expect_refused(tags.size(), coded, "chunk 0 goes on past its end");
}

TEST(TagList, IsRefusedWhereTwoTagsAreEqualOrExchanged) {
  WITH_RANDOM(random);
  const std::vector<Tag> tags = uniform_ascending_tags(random, 200'000);
  const std::size_t places[] = {0, 1, 2, 7, 8, 1'000, 65'534, 65'535, 65'536, 131'071, 199'997, 199'998};
  for (const std::size_t place : places) {
    // What an honest writer would never be given, it writes down faithfully where both begin alike.
    std::vector<Tag> near = tags;
    near[place + 1] = {near[place].high, near[place].low | 1};
    near[place].low &= ~std::uint64_t{1};
    ASSERT_TRUE(decoded(tags.size(), encoded(near)).has_value());
    const std::string chunk = "tags of chunk " + std::to_string((place + 1) / 65'536) + " are out of order or repeated";
    std::vector<Tag> equal = near;
    equal[place + 1] = equal[place];
    expect_refused(tags.size(), encoded(equal), chunk);
    std::swap(near[place], near[place + 1]);
    expect_refused(tags.size(), encoded(near), chunk);
  }
}

TEST(TagList, OfManyEqualTagsIsRefused) {
  expect_refused(70'000, encoded(std::vector<Tag>(70'000, Tag{3, 4})), "out of order or repeated");
}

TEST(TagList, IsAnotherOrNoneWithAnyBitFlipped) {
  WITH_RANDOM(random);
  for (const std::size_t count : {1u, 2u, 3u, 9u, 64u, 513u}) {
    const auto tags = uniform_ascending_tags(random, count);
    Coded coded = encoded(tags);
    std::size_t refused = 0;
    for (Bytes* part : {&coded.upper, coded.chunks.data()}) {
      for (std::size_t bit = 0; bit < part->size() * 8; ++bit) {
        std::byte& byte = (*part)[bit / 8];
        byte ^= std::byte{1} << bit % 8;
        const auto read = decoded(count, coded);
        byte ^= std::byte{1} << bit % 8;
        const bool of_upper = part == &coded.upper;
        EXPECT_FALSE(of_upper && read.has_value()) << "bit " << bit;  // the count is wrong, or a bit past the end
        if (!read) {
          ++refused;
          continue;
        }
        EXPECT_TRUE(strictly_ascending_tags(*read)) << "bit " << bit;
        EXPECT_NE(*read, tags) << "bit " << bit;
      }
    }
    EXPECT_GE(refused, coded.upper.size() * 8);
  }
}

TEST(TagList, ThatMovesAOneInItsUpperPartIsAnotherOrNone) {
  WITH_RANDOM(random);
  const auto tags = uniform_ascending_tags(random, 40);
  const Coded coded = encoded(tags);
  std::size_t read_count = 0;
  for (int round = 0; round < 20'000; ++round) {
    Coded other = coded;
    const std::size_t a = random() % (coded.upper.size() * 8);
    const std::size_t b = random() % (coded.upper.size() * 8);
    const auto bit = [&](std::size_t i) { return other.upper[i / 8] >> i % 8 & std::byte{1}; };
    if (bit(a) == bit(b)) continue;
    other.upper[a / 8] ^= std::byte{1} << a % 8;
    other.upper[b / 8] ^= std::byte{1} << b % 8;
    const auto read = decoded(tags.size(), other);
    if (!read) continue;
    ++read_count;
    EXPECT_TRUE(strictly_ascending_tags(*read));
    EXPECT_NE(*read, tags);
    EXPECT_TRUE(encoded(*read) == other);
  }
  EXPECT_GT(read_count, 0u);
}

TEST(TagList, OfRandomBytesIsRefusedOrWrittenJustSo) {
  WITH_RANDOM(random);
  std::size_t read_count = 0;
  for (int round = 0; round < 20'000; ++round) {
    const std::size_t count = random() % 12;
    const TagListShape shape(count);
    Coded coded{Bytes(shape.upper_bytes()), {}};
    for (std::size_t i = 0; i < count; ++i) {
      const std::size_t bit = random() % shape.upper_vector_bits();
      coded.upper[bit / 8] |= std::byte{1} << bit % 8;
    }
    if (round % 16 == 0) {
      for (std::byte& byte : coded.upper) byte = static_cast<std::byte>(random());
    }
    if (count > 0) {
      coded.chunks.emplace_back(shape.chunk_bytes(0));
      for (std::byte& byte : coded.chunks[0]) byte = static_cast<std::byte>(random());
    }
    const auto read = decoded(count, coded);
    if (!read) continue;
    ++read_count;
    EXPECT_TRUE(strictly_ascending_tags(*read));
    EXPECT_TRUE(encoded(*read) == coded);
  }
  EXPECT_GT(read_count, 0u);
}

}  // namespace
}  // namespace parley::psi::detail
