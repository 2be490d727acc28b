// Level `avx512`: VAES and VPCLMULQDQ on four blocks at a time.
#if defined(__x86_64__)

#include "crypto/detail/wide512.h"
// After the width.
#include "crypto/detail/aes_wide.h"
#include "crypto/detail/gf128_wide.h"
// After aes_wide.h.
#include "crypto/detail/aes_tree_wide.h"

namespace parley::crypto::detail {

constinit const Kernels kAvx512Kernels = {
    .multiply = multiply_aesni,
    .add_multiple = add_multiple,
    .inner_product = inner_product,
    .power_sum = power_sum,
    .add_polynomial = add_polynomial,
    .pack = pack,
    .hash = hash,
    .coins = coins,
    .expand_children = expand_children,
};

}  // namespace parley::crypto::detail

#endif
