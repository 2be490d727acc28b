// The sizes of encodings against the table of psi.md 2.3.3 and against the formulas in floating point.
#include <gtest/gtest.h>

#include <cmath>

#include "psi/limits.h"
#include "psi/okvs/detail/bin_sizes.h"
#include "psi/okvs/detail/fixed_point.h"
#include "psi/okvs/detail/row.h"

namespace parley::psi::okvs {
namespace {

// psi.md 2.3.3. Bytes on the line depend on it: a change is another suite.
TEST(OkvsShape, IsThatOfThePublishedTable) {
  struct Row {
    std::size_t count;
    Shape shape;
    std::size_t cells;
  };
  const Row kTable[] = {
      {std::size_t{1} << 10, {1, 1'024, 1'470, 4}, 1'474},
      {std::size_t{1} << 12, {1, 4'096, 5'413, 4}, 5'417},
      {std::size_t{1} << 14, {1, 16'384, 20'784, 3}, 20'787},
      {std::size_t{1} << 16, {1, 65'536, 81'534, 3}, 81'537},
      {std::size_t{1} << 18, {4, 67'166, 83'598, 3}, 334'404},
      {std::size_t{1} << 20, {16, 67'407, 83'951, 3}, 1'343'264},
      {std::size_t{1} << 22, {64, 67'500, 84'122, 3}, 5'384'000},
      {std::size_t{1} << 24, {256, 67'557, 84'248, 3}, 21'568'256},
  };
  for (const Row& row : kTable) {
    EXPECT_EQ(shape_for(row.count), row.shape) << row.count;
    EXPECT_EQ(shape_for(row.count).cells(), row.cells) << row.count;
  }
}

TEST(OkvsShape, IsThatOfATableOfOddSizes) {
  EXPECT_EQ(shape_for(1'000'000), (Shape{16, 64'327, 80'153, 3}));
  EXPECT_EQ(shape_for(65'537), (Shape{2, 33'695, 42'259, 3}));
  EXPECT_EQ(shape_for(12'345), (Shape{1, 12'345, 15'756, 3}));
}

TEST(OkvsShape, IsTheSameForAllSetsThatAreTooSmallToMatter) {
  const Shape smallest = shape_for(kFewestKeys);
  for (const std::size_t count : {0u, 1u, 2u, 500u, 1023u}) EXPECT_EQ(shape_for(count), smallest) << count;
  EXPECT_NE(shape_for(kFewestKeys + 1), smallest);
}

TEST(OkvsShape, HasRoomForEveryCountAndColumnsThatFitARow) {
  for (std::size_t count = 1; count <= kMaxElements; count += 1 + count / 50) {
    const Shape shape = shape_for(count);
    EXPECT_GE(std::size_t{shape.bins} * shape.bin_capacity, count);
    EXPECT_GE(shape.sparse_cells, shape.bin_capacity);
    EXPECT_LE(shape.sparse_cells, detail::Columns::kLimit);
    EXPECT_LT(static_cast<double>(shape.cells()), 1.44 * static_cast<double>(std::max(count, kFewestKeys)));
  }
}

TEST(OkvsShape, NeverShrinksWhileTheNumberOfBinsStays) {
  for (std::size_t count = 1; count < 4 * kKeysPerBin; count += 311) {
    const Shape shape = shape_for(count);
    const Shape next = shape_for(count + 311);
    if (shape.bins != next.bins) continue;
    EXPECT_LE(shape.bin_capacity, next.bin_capacity) << count;
    EXPECT_LE(shape.sparse_cells, next.sparse_cells) << count;
  }
}

double log2_of_binomial(double count, double probability, double k) {
  return (std::lgamma(count + 1) - std::lgamma(k + 1) - std::lgamma(count - k + 1) + k * std::log(probability) +
          (count - k) * std::log1p(-probability)) /
         std::log(2.0);
}

/// log2 of bins * Pr[Binomial(count, 1 / bins) > capacity], term by term.
double log2_of_overflow(std::uint32_t bins, std::uint32_t mean, std::uint32_t capacity) {
  const double count = static_cast<double>(bins) * mean;
  double sum = 0;
  for (double k = capacity + 1.0; k < capacity + 20'000.0 && k <= count; ++k)
    sum += std::exp2(log2_of_binomial(count, 1.0 / bins, k) + 100);
  return std::log2(bins) + std::log2(sum) - 100;
}

TEST(BinCapacity, IsTheSmallestThatOverflowsRarelyEnough) {
  for (const std::uint32_t bins : {2u, 3u, 16u, 17u, 128u, 256u}) {
    for (const std::uint32_t mean : {1u << 10, 32'769u, 50'000u, 65'536u}) {
      for (const std::uint32_t bits : {10u, 41u, 60u}) {
        SCOPED_TRACE(testing::Message() << bins << " bins of " << mean << ", 2^-" << bits);
        const std::uint32_t capacity = detail::bin_capacity(bins, mean, bits);
        // The integer routine takes the mean's probability 1/(12 mean) too large.
        EXPECT_LE(log2_of_overflow(bins, mean, capacity), -static_cast<double>(bits) + 1e-9);
        EXPECT_GT(log2_of_overflow(bins, mean, capacity - 1), -static_cast<double>(bits) - 2e-3);
      }
    }
  }
}

TEST(OneBin, HasTheCellsThatTheFormulaSays) {
  for (std::uint32_t capacity = 256; capacity <= 1u << 20; capacity += 1 + capacity / 7) {
    for (const std::uint32_t bits : {3u, 20u, 41u, 45u, 49u, 60u}) {
      SCOPED_TRACE(testing::Message() << capacity << " keys, 2^-" << bits);
      const double slope = std::exp2(0.555 * std::log2(capacity) + 2.336);
      const double sparse = (1.223 + (bits + 9.2) / slope) * capacity;
      const Shape shape = detail::one_bin(capacity, bits);
      EXPECT_EQ(shape.bins, 1u);
      EXPECT_EQ(shape.bin_capacity, capacity);
      EXPECT_NEAR(shape.sparse_cells, std::ceil(sparse), 1.001);
      EXPECT_NEAR(shape.sparse_cells, sparse + 0.5, 0.51);
      EXPECT_EQ(shape.dense_cells, std::max(3.0, std::floor(bits / std::log2(std::ceil(sparse))) + 1));
    }
  }
}

TEST(FixedPoint, AgreesWithFloatingPoint) {
  constexpr double kOne = std::uint64_t{1} << detail::kFractionBits;
  for (std::uint64_t value = 1; value < std::uint64_t{1} << 40; value += 1 + value / 3)
    EXPECT_NEAR(static_cast<double>(detail::log2_fixed(value)) / kOne, std::log2(static_cast<double>(value)), 1e-9);
  for (double exponent = 0; exponent < 31; exponent += 0.0371) {
    const double power = static_cast<double>(detail::exp2_fixed(static_cast<std::uint64_t>(exponent * kOne))) / kOne;
    EXPECT_NEAR(power / std::exp2(exponent), 1, 2e-9) << exponent;
  }
  for (std::uint64_t root : {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{3}, ~std::uint64_t{0}}) {
    const detail::Wide square = detail::Wide{root} * root;
    EXPECT_EQ(detail::square_root(square), root);
    EXPECT_EQ(detail::square_root(square + root), root);
    if (root != 0) {
      EXPECT_EQ(detail::square_root(square - 1), root - 1);
    }
  }
}

}  // namespace
}  // namespace parley::psi::okvs
