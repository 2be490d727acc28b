// Many independent operations of ristretto255 at once, several in each vector register: for each list what calling
// ristretto.h one by one would give, to the bit. Lists are flat: encodings of kElementBytes, uniform bytes of
// kUniformBytes each. Nothing is encoded and decoded between the steps of one function.
#pragma once

#include <optional>
#include <span>

#include "crypto/ristretto.h"

namespace parley::crypto {

/// What the functions below run on. `portable` is libsodium, and the specification of the others.
enum class CurveLevel {
  portable,
  avx2,  ///< four elements a register
  ifma,  ///< AVX-512 with IFMA: eight
};

/// The best level that this processor has, or less where limit_curve_level() says so.
CurveLevel curve_level();

/// For tests and benchmarks: at most this level from now on, as far as the processor has it. Not while others run.
void limit_curve_level(CurveLevel most);

/// The index of the first element for which there is no result: its encoding is not canonical, of no element or of the
/// identity, or its result is the identity. What was written from there on is of no use.
using FirstFault = std::optional<std::size_t>;

// All are constant time in scalars, uniform bytes and elements, except that which one is at fault is public.
// Precondition of all: the lists have the length that the longest of them says. Lists do not overlap.

/// products[i] = scalar * decode(encodings[i])
FirstFault multiply_all(const Scalar& scalar, ByteView encodings, MutableByteView products);
/// products[i] = scalars[i] * decode(encodings[i])
FirstFault multiply_each(std::span<const Scalar> scalars, ByteView encodings, MutableByteView products);

/// products[i] = scalar * map(uniform[i]), the map of Element::from_uniform.
FirstFault map_and_multiply_all(const Scalar& scalar, ByteView uniform, MutableByteView products);
/// products[i] = scalars[i] * map(uniform[i])
FirstFault map_and_multiply_each(std::span<const Scalar> scalars, ByteView uniform, MutableByteView products);

/// encodings[i] = map(uniform[i]), the identity with probability 2^-252.
void map_all(ByteView uniform, MutableByteView encodings);

/// products[i] = scalars[i] * generator
FirstFault multiply_base_each(std::span<const Scalar> scalars, MutableByteView products);
/// products[i] = scalars[i] * decode(encoding), for one public element; worth its table from some 32 scalars on.
FirstFault multiply_one_by_each(std::span<const Scalar> scalars, std::span<const std::byte, kElementBytes> encoding,
                                MutableByteView products);

// The two sides of an oblivious transfer (Masny and Rindal 2019).

/// differences[i] = scalars[i] * generator - map(uniform[i])
FirstFault multiply_base_and_subtract_mapped(std::span<const Scalar> scalars, ByteView uniform,
                                             MutableByteView differences);
/// products[i] = scalar * (decode(encodings[i]) + map(uniform[i]))
FirstFault add_mapped_and_multiply_all(const Scalar& scalar, ByteView encodings, ByteView uniform,
                                       MutableByteView products);

/// The sum of scalars[i] * elements[i]; nothing when that is the identity, as it is for empty lists. In variable time:
/// scalars and elements must be public.
/// Precondition: equal lengths.
std::optional<Element> multiply_and_sum_vartime(std::span<const Scalar> scalars, std::span<const Element> elements);

}  // namespace parley::crypto
