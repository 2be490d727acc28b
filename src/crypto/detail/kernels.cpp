#include "crypto/detail/kernels.h"

#include "crypto/cpu.h"

namespace parley::crypto::detail {

const Kernels& kernels() {
#if defined(__x86_64__)
  switch (cpu_level()) {
    case CpuLevel::portable:
      return kPortableKernels;
    case CpuLevel::aesni:
      return kAesniKernels;
    case CpuLevel::vaes:
      return kVaesKernels;
    case CpuLevel::avx512:
      return kAvx512Kernels;
  }
#endif
  return kPortableKernels;
}

}  // namespace parley::crypto::detail
