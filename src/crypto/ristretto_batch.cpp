#include "crypto/ristretto_batch.h"

#include <algorithm>
#include <atomic>
#include <cassert>

#include "crypto/detail/ristretto_kernels.h"

namespace parley::crypto {
namespace {

using detail::kPortableRistretto;
using detail::MultiplyJob;
using detail::MultiplyOneJob;
using detail::RistrettoKernels;

CurveLevel processor_level() {
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
      __builtin_cpu_supports("avx512ifma")) {
    return CurveLevel::ifma;
  }
  if (__builtin_cpu_supports("avx2")) return CurveLevel::avx2;
#endif
  return CurveLevel::portable;
}

std::atomic<CurveLevel>& chosen_level() {
  static std::atomic<CurveLevel> level{processor_level()};
  return level;
}

const RistrettoKernels& kernels() {
#if defined(__x86_64__)
  switch (curve_level()) {
    case CurveLevel::ifma:
      return detail::kIfmaRistretto;
    case CurveLevel::avx2:
      return detail::kAvx2Ristretto;
    case CurveLevel::portable:
      break;
  }
#endif
  return kPortableRistretto;
}

FirstFault multiply_job(std::span<const Scalar> scalars, ByteView encodings, ByteView uniform,
                        MutableByteView products) {
  MultiplyJob job;
  job.count = products.size() / kElementBytes;
  assert(products.size() == job.count * kElementBytes);
  assert(encodings.empty() || encodings.size() == products.size());
  assert(uniform.empty() || uniform.size() == job.count * kUniformBytes);
  assert(scalars.size() == 1 || scalars.size() == job.count);
  if (job.count == 0) return std::nullopt;
  job.scalars = scalars.data();
  job.one_scalar = scalars.size() == 1;
  job.encodings = encodings.empty() ? nullptr : encodings.data();
  job.uniform = uniform.empty() ? nullptr : uniform.data();
  job.products = products.data();
  return kernels().multiply(job);
}

FirstFault multiply_one_job(std::span<const Scalar> scalars, const std::byte* encoding, ByteView uniform,
                            MutableByteView products) {
  assert(products.size() == scalars.size() * kElementBytes);
  assert(uniform.empty() || uniform.size() == scalars.size() * kUniformBytes);
  if (scalars.empty()) return std::nullopt;
  return kernels().multiply_one(MultiplyOneJob{scalars.size(), scalars.data(), encoding,
                                               uniform.empty() ? nullptr : uniform.data(), products.data()});
}

}  // namespace

CurveLevel curve_level() {
  return chosen_level().load(std::memory_order_relaxed);
}

void limit_curve_level(CurveLevel most) {
  chosen_level() = std::min(most, processor_level());
}

FirstFault multiply_all(const Scalar& scalar, ByteView encodings, MutableByteView products) {
  assert(encodings.size() == products.size());
  return multiply_job({&scalar, 1}, encodings, {}, products);
}

FirstFault multiply_each(std::span<const Scalar> scalars, ByteView encodings, MutableByteView products) {
  assert(encodings.size() == products.size() && scalars.size() == products.size() / kElementBytes);
  return multiply_job(scalars, encodings, {}, products);
}

FirstFault map_and_multiply_all(const Scalar& scalar, ByteView uniform, MutableByteView products) {
  return multiply_job({&scalar, 1}, {}, uniform, products);
}

FirstFault map_and_multiply_each(std::span<const Scalar> scalars, ByteView uniform, MutableByteView products) {
  assert(scalars.size() == products.size() / kElementBytes);
  return multiply_job(scalars, {}, uniform, products);
}

void map_all(ByteView uniform, MutableByteView encodings) {
  const std::size_t count = uniform.size() / kUniformBytes;
  assert(uniform.size() == count * kUniformBytes && encodings.size() == count * kElementBytes);
  if (count > 0) kernels().map(uniform.data(), count, encodings.data());
}

FirstFault multiply_base_each(std::span<const Scalar> scalars, MutableByteView products) {
  return multiply_one_job(scalars, nullptr, {}, products);
}

FirstFault multiply_one_by_each(std::span<const Scalar> scalars, std::span<const std::byte, kElementBytes> encoding,
                                MutableByteView products) {
  return multiply_one_job(scalars, encoding.data(), {}, products);
}

FirstFault multiply_base_and_subtract_mapped(std::span<const Scalar> scalars, ByteView uniform,
                                             MutableByteView differences) {
  return multiply_one_job(scalars, nullptr, uniform, differences);
}

FirstFault add_mapped_and_multiply_all(const Scalar& scalar, ByteView encodings, ByteView uniform,
                                       MutableByteView products) {
  assert(encodings.size() == products.size());
  return multiply_job({&scalar, 1}, encodings, uniform, products);
}

std::optional<Element> multiply_and_sum_vartime(std::span<const Scalar> scalars, std::span<const Element> elements) {
  assert(scalars.size() == elements.size());
  Bytes encodings;
  encodings.reserve(elements.size() * kElementBytes);
  for (const Element& element : elements) append(encodings, element.encoding());
  ByteArray<kElementBytes> sum{};
  if (!kernels().multiply_and_sum_vartime(scalars.data(), encodings.data(), scalars.size(), sum.data())) {
    return std::nullopt;
  }
  return Element::decode(sum);
}

}  // namespace parley::crypto
