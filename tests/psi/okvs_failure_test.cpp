// How often systems have no solution, by simulation against the formula behind their size (psi.md 2.3.2, 8.4(3)). At
// 2^-40 nothing can be counted; with fewer cells, so that the formula says 2^-3 to 2^-9, it can.
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>

#include "psi/okvs/detail/bin_sizes.h"
#include "psi/okvs_keys.h"

namespace parley::psi::okvs {
namespace {

struct Counts {
  std::size_t trials = 0, with_core = 0, failures = 0;

  double log2_of_failure() const { return std::log2(static_cast<double>(failures) / static_cast<double>(trials)); }
};

Counts simulate(const Shape& shape, std::size_t trials, std::mt19937_64& random) {
  detail::Triangulation triangulation;
  std::vector<detail::Columns> rows(shape.bin_capacity);
  Counts counts{trials, 0, 0};
  for (std::size_t i = 0; i < trials; ++i) {
    for (detail::Columns& row : rows) row = detail::Columns(random_block(random), shape.sparse_cells);
    triangulation.run(rows, shape.sparse_cells, shape.dense_cells);
    const std::size_t gaps = triangulation.gap_rows().size();
    counts.with_core += gaps > 0;
    counts.failures += gaps > shape.dense_cells;
  }
  return counts;
}

// The test allows one bit more than the formula, and what chance does to the count of failures.
TEST(OkvsFailure, IsAsRareAsTheFormulaSaysWhereItCanBeCounted) {
  std::mt19937_64 random(18);
  for (const std::uint32_t capacity : {1u << 8, 1u << 10, 1u << 12}) {
    for (const std::uint32_t bits : {3u, 5u, 7u, 9u}) {
      const std::size_t trials = (std::size_t{1} << (bits + 4));
      const Counts counts = simulate(detail::one_bin(capacity, bits), trials, random);
      const double allowed = std::exp2(1.0 - bits) * static_cast<double>(trials);
      EXPECT_LE(static_cast<double>(counts.failures), allowed + 3 * std::sqrt(allowed))
          << capacity << " keys, 2^-" << bits << ", " << trials << " trials";
    }
  }
}

TEST(OkvsFailure, IsCertainBelowTheThresholdOfPeeling) {
  std::mt19937_64 random(19);
  EXPECT_EQ(simulate({1, 1u << 12, 4'700, 3}, 50, random).failures, 50u);  // 1.15 cells a key
}

TEST(OkvsFailure, DoesNotHappenInTheRealShape) {
  std::mt19937_64 random(20);
  EXPECT_EQ(simulate(shape_for(0), 3'000, random).failures, 0u);
}

/// By hand: PARLEY_OKVS_TRIALS=100000 test_psi --gtest_filter='OkvsFailure.*ByHand'
TEST(OkvsFailure, IsCountedInLongRunsByHand) {
  const char* const trials = std::getenv("PARLEY_OKVS_TRIALS");
  if (trials == nullptr) GTEST_SKIP() << "PARLEY_OKVS_TRIALS says how many systems of 1,024 keys";
  std::mt19937_64 random(21);
  for (unsigned log2_of_capacity = 8; log2_of_capacity <= 16; log2_of_capacity += 2) {
    const std::size_t count = std::max<std::size_t>(1'000, (std::stoul(trials) << 10) >> log2_of_capacity);
    for (const std::uint32_t bits : {1u, 3u, 6u, 9u, 12u}) {
      const Counts counts = simulate(detail::one_bin(1u << log2_of_capacity, bits), count, random);
      std::printf("2^%u keys, 2^-%u: %zu trials, 2^%.1f with a core, 2^%.1f fail\n", log2_of_capacity, bits, count,
                  std::log2(static_cast<double>(counts.with_core) / static_cast<double>(count)),
                  counts.log2_of_failure());
      std::fflush(stdout);
      EXPECT_LE(counts.log2_of_failure(), 1.0 - bits + 3 / std::sqrt(static_cast<double>(counts.failures) + 1));
    }
  }
}

}  // namespace
}  // namespace parley::psi::okvs
