#if defined(__x86_64__)

#include <algorithm>
#include <memory>

#include "crypto/detail/field25519_avx2.h"
#include "crypto/detail/ristretto_kernels.h"

namespace parley::crypto::detail {
namespace avx2 {
#include "crypto/detail/ristretto_lanes.inc"
}

const RistrettoKernels kAvx2Ristretto{avx2::multiply, avx2::multiply_one, avx2::map, avx2::multiply_and_sum_vartime};

}  // namespace parley::crypto::detail

#endif
