#include "crypto/cpu.h"

#include <algorithm>
#include <atomic>

#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>
#endif

namespace parley::crypto {
namespace {

struct Processor {
  CpuLevel level = CpuLevel::portable;
  bool has_sha = false;
};

#if defined(__x86_64__)

bool has_all(unsigned flags, unsigned wanted) {
  return (flags & wanted) == wanted;
}

/// Which registers the operating system keeps for a program (XCR0). Precondition: CPUID reports OSXSAVE.
__attribute__((target("xsave"))) std::uint64_t kept_registers() {
  return _xgetbv(0);
}

// Intel 64 and IA-32 Architectures Software Developer's Manual, volume 1, 14.3 and 15.2: the wide registers are usable
// when the instructions exist and the operating system keeps the registers over a change of tasks.
Processor detect() {
  constexpr std::uint64_t kYmm = 0x06;  // the halves of the ymm registers
  constexpr std::uint64_t kZmm = 0xe6;  // besides, the mask registers and the parts of the zmm registers

  Processor found;
  unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
  if (__get_cpuid(1, &eax, &ebx, &ecx, &edx) == 0) return found;
  if (!has_all(ecx, bit_AES | bit_PCLMUL | bit_SSE4_1 | bit_SSSE3)) return found;
  found.level = CpuLevel::aesni;
  const std::uint64_t registers = has_all(ecx, bit_OSXSAVE) ? kept_registers() : 0;

  if (__get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) == 0) return found;
  found.has_sha = has_all(ebx, bit_SHA);
  if (!has_all(ebx, bit_AVX2) || !has_all(ecx, bit_VAES | bit_VPCLMULQDQ) || (registers & kYmm) != kYmm) return found;
  found.level = CpuLevel::vaes;
  if (!has_all(ebx, bit_AVX512F | bit_AVX512VL) || (registers & kZmm) != kZmm) return found;
  found.level = CpuLevel::avx512;
  return found;
}

#else

Processor detect() {
  return {};
}

#endif

const Processor& processor() {
  static const Processor kProcessor = detect();
  return kProcessor;
}

std::atomic<CpuLevel> most_allowed = CpuLevel::avx512;

}  // namespace

CpuLevel cpu_level() {
  return std::min(processor().level, most_allowed.load(std::memory_order_relaxed));
}

bool cpu_has_sha() {
  return processor().has_sha && cpu_level() != CpuLevel::portable;
}

void limit_cpu_level(CpuLevel most) {
  most_allowed.store(most, std::memory_order_relaxed);
}

}  // namespace parley::crypto
