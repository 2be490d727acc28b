#include <cstring>

#include "crypto/detail/ristretto_kernels.h"

namespace parley::crypto::detail {
namespace {

static_assert(sizeof(unsigned char) == sizeof(std::byte));

const unsigned char* at(const std::byte* list, std::size_t i, std::size_t size) {
  return reinterpret_cast<const unsigned char*>(list) + i * size;
}

unsigned char* element_at(std::byte* list, std::size_t i) {
  return reinterpret_cast<unsigned char*>(list) + i * kElementBytes;
}

bool is_identity(const unsigned char* encoding) {
  return sodium_is_zero(encoding, kElementBytes) == 1;
}

/// decode(encodings[i]) + map(uniform[i]), encoded; false when the encoding is refused.
bool operand(const MultiplyJob& job, std::size_t i, unsigned char* encoding) {
  if (!job.uniform) {
    std::memcpy(encoding, at(job.encodings, i, kElementBytes), kElementBytes);
    return !is_identity(encoding);  // multiplication refuses what else is no element
  }
  crypto_core_ristretto255_from_hash(encoding, at(job.uniform, i, kUniformBytes));
  if (!job.encodings) return true;
  const unsigned char* other = at(job.encodings, i, kElementBytes);
  return !is_identity(other) && crypto_core_ristretto255_add(encoding, encoding, other) == 0;
}

FirstFault multiply(const MultiplyJob& job) {
  Secret<kElementBytes> element;
  unsigned char* encoding = as_uchar_mutable(element.expose_mutable());
  for (std::size_t i = 0; i < job.count; ++i) {
    const unsigned char* scalar = as_uchar(job.scalars[job.one_scalar ? 0 : i].expose());
    if (!operand(job, i, encoding) ||
        crypto_scalarmult_ristretto255(element_at(job.products, i), scalar, encoding) != 0) {
      return i;
    }
  }
  return std::nullopt;
}

FirstFault multiply_one(const MultiplyOneJob& job) {
  Secret<kElementBytes> element;
  unsigned char* mapped = as_uchar_mutable(element.expose_mutable());
  for (std::size_t i = 0; i < job.count; ++i) {
    unsigned char* product = element_at(job.products, i);
    const unsigned char* scalar = as_uchar(job.scalars[i].expose());
    const int failed = job.encoding ? crypto_scalarmult_ristretto255(product, scalar, at(job.encoding, 0, 0))
                                    : crypto_scalarmult_ristretto255_base(product, scalar);
    if (job.encoding && failed != 0 && crypto_core_ristretto255_is_valid_point(at(job.encoding, 0, 0)) != 1) return i;
    if (!job.uniform) {
      if (failed != 0) return i;
      continue;
    }
    if (failed != 0) std::memset(product, 0, kElementBytes);  // the identity is an element to subtract from
    crypto_core_ristretto255_from_hash(mapped, at(job.uniform, i, kUniformBytes));
    if (crypto_core_ristretto255_sub(product, product, mapped) != 0 || is_identity(product)) return i;
  }
  return std::nullopt;
}

void map(const std::byte* uniform, std::size_t count, std::byte* encodings) {
  for (std::size_t i = 0; i < count; ++i) {
    crypto_core_ristretto255_from_hash(element_at(encodings, i), at(uniform, i, kUniformBytes));
  }
}

bool multiply_and_sum_vartime(const Scalar* scalars, const std::byte* encodings, std::size_t count, std::byte* sum) {
  unsigned char* total = element_at(sum, 0);
  std::memset(total, 0, kElementBytes);
  unsigned char term[kElementBytes];
  for (std::size_t i = 0; i < count; ++i) {
    const unsigned char* encoding = at(encodings, i, kElementBytes);
    if (is_identity(encoding) || crypto_core_ristretto255_is_valid_point(encoding) != 1) return false;
    if (crypto_scalarmult_ristretto255(term, as_uchar(scalars[i].expose()), encoding) != 0) continue;  // nothing to add
    if (crypto_core_ristretto255_add(total, total, term) != 0) return false;
  }
  return !is_identity(total);
}

}  // namespace

const RistrettoKernels kPortableRistretto{multiply, multiply_one, map, multiply_and_sum_vartime};

}  // namespace parley::crypto::detail
