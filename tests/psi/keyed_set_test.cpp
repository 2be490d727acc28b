#include "psi/intersect/keyed_set.h"

#include <gtest/gtest.h>

#include "base/progress.h"
#include "crypto/hash.h"
#include "crypto/prefixed_sha256.h"
#include "psi/two_parties.h"

namespace parley::psi {
namespace {

const crypto::PrefixedSha256 kHash{crypto::Digest512{std::byte{3}}};

struct Grouped {
  std::vector<std::vector<Digest>> keys;
  std::vector<std::vector<std::uint32_t>> positions;
  friend bool operator==(const Grouped&, const Grouped&) = default;
};

// The slow way: one element after the other to the end of its bin.
Grouped grouped_plainly(const Elements& elements, const okvs::Shape& shape) {
  Grouped grouped{.keys{}, .positions{}};
  grouped.keys.resize(shape.bins);
  grouped.positions.resize(shape.bins);
  for (std::size_t i = 0; i < elements.size(); ++i) {
    const std::array message{elements[i]};
    std::array<Digest, 1> key{};
    kHash.hash(message, key);
    const std::uint32_t bin = okvs::bin_of(shape, key[0]);
    grouped.keys[bin].push_back(key[0]);
    grouped.positions[bin].push_back(static_cast<std::uint32_t>(i));
  }
  return grouped;
}

Grouped grouped_by(const KeyedSet& set, const okvs::Shape& shape) {
  Grouped grouped{.keys{}, .positions{}};
  for (std::size_t bin = 0; bin < shape.bins; ++bin) {
    const auto keys = set.keys_of(bin);
    grouped.keys.emplace_back(keys.begin(), keys.end());
    auto& positions = grouped.positions.emplace_back();
    for (std::size_t i = 0; i < set.size_of(bin); ++i) positions.push_back(set.position(set.begin_of(bin) + i));
  }
  return grouped;
}

Result<KeyedSet> made(const Elements& elements, const okvs::Shape& shape, std::size_t threads,
                      Progress&& progress = SilentProgress()) {
  ThreadPool pool(threads);
  detail::Work work(pool, progress);
  return KeyedSet::make(elements, kHash, shape, work);
}

// 131,072 elements are a round; 4,096 a thread's share of it.
TEST(KeyedSet, HoldsEachKeyInItsBinInTheOrderOfTheElements) {
  for (const std::size_t count : std::initializer_list<std::size_t>{0, 1, 4'096, 70'001, 131'072, 131'073, 300'000}) {
    const Elements elements = test_range(0, count);
    for (const std::size_t for_count : {count, std::size_t{200'000}}) {
      const okvs::Shape shape = okvs::shape_for(for_count);
      const Grouped expected = grouped_plainly(elements, shape);
      for (const std::size_t threads : std::initializer_list<std::size_t>{1, 3}) {
        const auto set = made(elements, shape, threads);
        ASSERT_TRUE(set.has_value());
        EXPECT_EQ(set->size(), count);
        EXPECT_TRUE(grouped_by(*set, shape) == expected) << count << " of " << for_count << ", " << threads;
      }
    }
  }
}

// Only a set that holds an element many times can crowd a bin like this; who finds that out comes later.
TEST(KeyedSet, HoldsABinThatIsCrowdedFarBeyondChance) {
  const okvs::Shape shape = okvs::shape_for(200'000);
  Elements elements = test_range(0, 150'000);
  for (std::size_t i = 0; i < 90'000; ++i) elements.push_back(test_element(i % 2));
  const auto set = made(elements, shape, 2);
  ASSERT_TRUE(set.has_value());
  EXPECT_EQ(set->size(), elements.size());
  EXPECT_TRUE(grouped_by(*set, shape) == grouped_plainly(elements, shape));
}

TEST(KeyedSet, StopsWhenItIsAskedTo) {
  class CancelledOnTheWay final : public Progress {
   public:
    void phase(std::string_view, std::uint64_t) override {}
    void advance(std::uint64_t) override { cancel(); }
  };
  const auto set = made(test_range(0, 140'000), okvs::shape_for(140'000), 1, CancelledOnTheWay());
  ASSERT_FALSE(set.has_value());
  EXPECT_EQ(set.error().code, Errc::cancelled);
}

}  // namespace
}  // namespace parley::psi
