// Registers of 128 bits.
#if defined(__x86_64__)

#include "crypto/detail/wide128.h"
// After the width.
#include "registers_wide.h"

namespace parley::limits::detail {

constinit const Registers kRegisters128 = PARLEY_REGISTERS;

}  // namespace parley::limits::detail

#endif
