// The prime-order group ristretto255 and its scalars (RFC 9496), by libsodium. Everything is constant time, except that
// whether a call succeeds is public.
#pragma once

#include <optional>
#include <span>

#include "base/secret.h"

namespace parley::crypto {

inline constexpr std::size_t kScalarBytes = 32;
inline constexpr std::size_t kElementBytes = 32;
/// Uniform input that becomes a scalar or an element without a bias that anyone could see.
inline constexpr std::size_t kUniformBytes = 64;

/// An integer modulo the group order, secret: moved, not copied, and wiped.
class Scalar {
 public:
  Scalar() = default;

  /// The little-endian integer `uniform` modulo the group order.
  static Scalar from_uniform(std::span<const std::byte, kUniformBytes> uniform);
  /// The scalar of a canonical encoding; nothing for an integer that is not below the group order.
  static std::optional<Scalar> decode(std::span<const std::byte, kScalarBytes> encoding);

  Scalar clone() const;
  std::span<const std::byte, kScalarBytes> expose() const { return bytes_.expose(); }

  friend Scalar operator+(const Scalar& a, const Scalar& b);
  friend Scalar operator-(const Scalar& a, const Scalar& b);
  friend Scalar operator*(const Scalar& a, const Scalar& b);

  /// Inverts all of `scalars` in place, for one inversion and three multiplications each (Montgomery's trick). False,
  /// with nothing changed, when one of them is zero.
  static bool invert_all(std::span<Scalar> scalars);

 private:
  Secret<kScalarBytes> bytes_;
};

/// A group element other than the identity, in its canonical encoding; wiped when it goes, because elements made from
/// private input stay private until they are blinded.
class Element {
 public:
  /// @return nothing for a non-canonical encoding, one of no element, or the identity.
  static std::optional<Element> decode(std::span<const std::byte, kElementBytes> encoding);
  /// RFC 9496 section 4.3.4. Maps to the identity with probability 2^-252, which multiplication then reports.
  static Element from_uniform(std::span<const std::byte, kUniformBytes> uniform);

  Element(const Element& other) : bytes_(other.bytes_.clone()) {}
  Element& operator=(const Element& other) {
    bytes_ = other.bytes_.clone();
    return *this;
  }
  Element(Element&&) noexcept = default;
  Element& operator=(Element&&) noexcept = default;
  ~Element() = default;

  std::span<const std::byte, kElementBytes> encoding() const { return bytes_.expose(); }
  /// Constant time.
  bool equals(const Element& other) const { return bytes_.equals(other.bytes_); }

  /// Nothing when the sum is the identity.
  friend std::optional<Element> add(const Element& a, const Element& b);
  friend std::optional<Element> multiply(const Scalar& scalar, const Element& element);
  friend std::optional<Element> multiply_base(const Scalar& scalar);
  friend std::optional<Element> decode_and_multiply(const Scalar& scalar,
                                                    std::span<const std::byte, kElementBytes> encoding);
  friend std::optional<Element> decode_and_add(const Element& a, std::span<const std::byte, kElementBytes> encoding);

 private:
  Element() = default;
  Secret<kElementBytes> bytes_;
};

std::optional<Element> add(const Element& a, const Element& b);

/// scalar * element; nothing when that is the identity.
std::optional<Element> multiply(const Scalar& scalar, const Element& element);

/// scalar * generator; nothing when the scalar is zero.
std::optional<Element> multiply_base(const Scalar& scalar);

/// Element::decode and multiply in one, for bytes from outside: they are decoded once, not twice.
/// @return nothing where decode gives nothing or the product is the identity.
std::optional<Element> decode_and_multiply(const Scalar& scalar, std::span<const std::byte, kElementBytes> encoding);

/// Element::decode and add in one, likewise. Nothing where decode gives nothing or the sum is the identity.
std::optional<Element> decode_and_add(const Element& a, std::span<const std::byte, kElementBytes> encoding);

}  // namespace parley::crypto
