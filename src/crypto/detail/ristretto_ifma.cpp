#if defined(__x86_64__)

#if defined(__GNUC__) && !defined(__clang__) && __GNUC__ < 13
// GCC 12 warns of what its own header leaves undefined on purpose (GCC bug 105593).
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif

#include <algorithm>
#include <memory>

#include "crypto/detail/field25519_ifma.h"
#include "crypto/detail/ristretto_kernels.h"

namespace parley::crypto::detail {
namespace ifma {
#include "crypto/detail/ristretto_lanes.inc"
}

const RistrettoKernels kIfmaRistretto{ifma::multiply, ifma::multiply_one, ifma::map, ifma::multiply_and_sum_vartime};

}  // namespace parley::crypto::detail

#endif
