#include "psi/okvs/detail/bin_sizes.h"

#include <algorithm>
#include <cassert>
#include <vector>

#include "psi/okvs/detail/fixed_point.h"

namespace parley::psi::okvs::detail {
namespace {

// A fit to measured failures of systems with three sparse columns a row (Raghuraman and Rindal 2022, section 4; psi.md
// 2.3.2 has our own measurements). With M keys and e*M sparse cells, a bin fails with probability 2^-bits where
//   bits = slope(M) * (e - 1.223) - 9.2,   slope(M) = 2^(0.555 * log2(M) + 2.336).
// All constants in thousandths.
constexpr std::uint64_t kThousand = 1000;
constexpr std::uint64_t kThreshold = 1223;
constexpr std::uint64_t kOffsetBits = 9200;
constexpr std::uint64_t kSlopePower = 555;
constexpr std::uint64_t kSlopeFactorLog = 2336;

/// Cells beside kThreshold * capacity that buy one bit: M / slope(M), times 2^kFractionBits.
std::uint64_t cells_per_bit(std::uint32_t capacity) {
  const std::uint64_t power = log2_fixed(capacity) * (kThousand - kSlopePower);
  return exp2_fixed((power - (kSlopeFactorLog << kFractionBits)) / kThousand);
}

// Probabilities relative to that of the mean, as multiples of 2^-kWeightBits.
constexpr unsigned kWeightBits = 100;
constexpr Wide kNegligibleWeight = Wide{1} << 4;

/// weights[j] = Pr[k = mean + j] / Pr[k = mean], rounded up, until they no longer matter; the last one bounds the sum
/// of all that are left.
std::vector<Wide> weights_above_mean(std::uint32_t bins, std::uint32_t mean_keys) {
  const std::uint64_t count = std::uint64_t{bins} * mean_keys;
  std::vector<Wide> weights{Wide{1} << kWeightBits};
  while (weights.back() > kNegligibleWeight) {
    const std::uint64_t keys = mean_keys + weights.size() - 1;
    const std::uint64_t divisor = (keys + 1) * (bins - 1);
    weights.push_back((weights.back() * (count - keys) + divisor - 1) / divisor);
  }
  // From here on each weight is at most mean / (mean + j) of the one before it: a geometric series.
  const std::size_t last = weights.size() - 1;
  weights.back() = weights.back() * (mean_keys + last + 1) / last + 1;
  return weights;
}

}  // namespace

// Pr[k = mean] <= 1 / sqrt(2 pi mean (1 - 1/bins)), by Stirling's bounds and less than 1/mean from equality; with it,
// the tail may weigh at most sqrt(2 pi mean (1 - 1/bins)) / (bins * 2^failure_bits).
std::uint32_t bin_capacity(std::uint32_t bins, std::uint32_t mean_keys, std::uint32_t failure_bits) {
  assert(bins >= 2 && mean_keys >= 1u << 10 && mean_keys <= 1u << 20 && failure_bits <= 60);
  assert(std::uint64_t{bins} * mean_keys <= 1u << 27);
  constexpr std::uint64_t kTwoPiTimesThousand = 6283;
  constexpr unsigned kRootBits = 32;
  const Wide variance = (Wide{kTwoPiTimesThousand} * mean_keys * (bins - 1) << (2 * kRootBits)) / (kThousand * bins);
  const Wide most = (Wide{square_root(variance)} << (kWeightBits - kRootBits - failure_bits)) / bins;

  const std::vector<Wide> weights = weights_above_mean(bins, mean_keys);
  std::size_t above = weights.size();  // the tail is that of mean + above and more
  for (Wide tail = 0; above > 0 && tail + weights[above - 1] <= most; --above) tail += weights[above - 1];
  return static_cast<std::uint32_t>(mean_keys + above - 1);
}

Shape one_bin(std::uint32_t capacity, std::uint32_t failure_bits) {
  assert(capacity >= 1u << 8 && capacity <= 1u << 20 && failure_bits >= 1 && failure_bits <= 60);
  const Wide cells = (Wide{kThreshold * capacity} << kFractionBits) +
                     Wide{kThousand * failure_bits + kOffsetBits} * cells_per_bit(capacity);
  const Wide unit = Wide{kThousand} << kFractionBits;
  const auto sparse = static_cast<std::uint32_t>((cells + unit - 1) / unit);
  // Small remainders, such as two rows in the same three columns, have probability about 1/sparse for each row that
  // they have too many, which a dense cell takes up.
  const std::uint64_t rows_too_many = (std::uint64_t{failure_bits} << kFractionBits) / log2_fixed(sparse);
  return {1, capacity, sparse, std::max(3u, static_cast<std::uint32_t>(rows_too_many) + 1)};
}

}  // namespace parley::psi::okvs::detail
