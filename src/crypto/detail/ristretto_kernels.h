// What each level of the batch functions (ristretto_batch.h) provides: the work on lists, in plain bytes.
#pragma once

#include <cstddef>
#include <optional>

#include "crypto/ristretto.h"

namespace parley::crypto::detail {

/// products[i] = scalar * (decode(encodings[i]) + map(uniform[i])).
struct MultiplyJob {
  std::size_t count = 0;
  const Scalar* scalars = nullptr;
  bool one_scalar = false;               ///< scalars[0] for all, else scalars[i]
  const std::byte* encodings = nullptr;  ///< may be missing, then 0
  const std::byte* uniform = nullptr;    ///< may be missing, then 0
  std::byte* products = nullptr;
};

/// products[i] = scalars[i] * decode(encoding) - map(uniform[i]).
struct MultiplyOneJob {
  std::size_t count = 0;
  const Scalar* scalars = nullptr;
  const std::byte* encoding = nullptr;  ///< missing for the generator
  const std::byte* uniform = nullptr;   ///< may be missing, then 0
  std::byte* products = nullptr;
};

using FirstFault = std::optional<std::size_t>;

struct RistrettoKernels {
  /// The first i whose encoding is refused (the identity too), or whose product is the identity.
  FirstFault (*multiply)(const MultiplyJob& job);
  FirstFault (*multiply_one)(const MultiplyOneJob& job);
  void (*map)(const std::byte* uniform, std::size_t count, std::byte* encodings);
  /// sum = the sum of scalars[i] * decode(encodings[i]), in variable time. False when an encoding is refused or the
  /// sum is the identity.
  bool (*multiply_and_sum_vartime)(const Scalar* scalars, const std::byte* encodings, std::size_t count,
                                   std::byte* sum);
};

/// One call of libsodium for each step: the specification of the others.
extern const RistrettoKernels kPortableRistretto;
#if defined(__x86_64__)
extern const RistrettoKernels kAvx2Ristretto;
extern const RistrettoKernels kIfmaRistretto;
#endif

}  // namespace parley::crypto::detail
