// Which instructions the kernels of this room use: found out once, here and nowhere else. The portable kernels are the
// specification of the others, and the only ones on processors that are not x86-64.
#pragma once

namespace parley::crypto {

enum class CpuLevel {
  portable,  ///< no special instructions
  aesni,     ///< AES-NI, PCLMULQDQ, SSE4.1, SSSE3
  vaes,      ///< besides: AVX2, VAES, VPCLMULQDQ
  avx512,    ///< besides: AVX-512 F and VL
};

/// The level at which kernels run: what the processor has, or less where limit_cpu_level() says so.
CpuLevel cpu_level();

/// Whether SHA-256 instructions are to be used: the processor has them and the level is not `portable`.
bool cpu_has_sha();

/// For tests and benchmarks: kernels run at `most` from now on, as far as the processor has it. Not while others run.
void limit_cpu_level(CpuLevel most);

}  // namespace parley::crypto
