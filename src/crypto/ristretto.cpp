#include "crypto/ristretto.h"

#include <vector>

namespace parley::crypto {

static_assert(kScalarBytes == crypto_core_ristretto255_SCALARBYTES);
static_assert(kElementBytes == crypto_core_ristretto255_BYTES);
static_assert(kUniformBytes == crypto_core_ristretto255_HASHBYTES);
static_assert(kUniformBytes == crypto_core_ristretto255_NONREDUCEDSCALARBYTES);

Scalar Scalar::from_uniform(std::span<const std::byte, kUniformBytes> uniform) {
  Scalar scalar;
  crypto_core_ristretto255_scalar_reduce(as_uchar_mutable(scalar.bytes_.expose_mutable()), as_uchar(uniform));
  return scalar;
}

std::optional<Scalar> Scalar::decode(std::span<const std::byte, kScalarBytes> encoding) {
  Secret<kUniformBytes> wide;
  std::memcpy(wide.expose_mutable().data(), encoding.data(), encoding.size());
  Scalar scalar = from_uniform(wide.expose());
  if (!constant_time_equal(scalar.expose(), encoding)) return std::nullopt;
  return scalar;
}

Scalar Scalar::clone() const {
  Scalar copy;
  copy.bytes_ = bytes_.clone();
  return copy;
}

Scalar operator+(const Scalar& a, const Scalar& b) {
  Scalar sum;
  crypto_core_ristretto255_scalar_add(as_uchar_mutable(sum.bytes_.expose_mutable()), as_uchar(a.expose()),
                                      as_uchar(b.expose()));
  return sum;
}

Scalar operator-(const Scalar& a, const Scalar& b) {
  Scalar difference;
  crypto_core_ristretto255_scalar_sub(as_uchar_mutable(difference.bytes_.expose_mutable()), as_uchar(a.expose()),
                                      as_uchar(b.expose()));
  return difference;
}

Scalar operator*(const Scalar& a, const Scalar& b) {
  Scalar product;
  crypto_core_ristretto255_scalar_mul(as_uchar_mutable(product.bytes_.expose_mutable()), as_uchar(a.expose()),
                                      as_uchar(b.expose()));
  return product;
}

bool Scalar::invert_all(std::span<Scalar> scalars) {
  if (scalars.empty()) return true;
  std::vector<Scalar> prefix_products;
  prefix_products.reserve(scalars.size());
  prefix_products.push_back(scalars[0].clone());
  for (std::size_t i = 1; i < scalars.size(); ++i) prefix_products.push_back(prefix_products.back() * scalars[i]);

  Scalar inverse;  // of the product of scalars[0..i]
  if (crypto_core_ristretto255_scalar_invert(as_uchar_mutable(inverse.bytes_.expose_mutable()),
                                             as_uchar(prefix_products.back().expose())) != 0) {
    return false;
  }
  for (std::size_t i = scalars.size() - 1; i > 0; --i) {
    Scalar inverted = inverse * prefix_products[i - 1];
    inverse = inverse * scalars[i];
    scalars[i] = std::move(inverted);
  }
  scalars[0] = std::move(inverse);
  return true;
}

std::optional<Element> Element::decode(std::span<const std::byte, kElementBytes> encoding) {
  if (crypto_core_ristretto255_is_valid_point(as_uchar(encoding)) != 1) return std::nullopt;
  if (sodium_is_zero(as_uchar(encoding), encoding.size()) == 1) return std::nullopt;  // the identity
  Element element;
  std::memcpy(element.bytes_.expose_mutable().data(), encoding.data(), encoding.size());
  return element;
}

Element Element::from_uniform(std::span<const std::byte, kUniformBytes> uniform) {
  Element element;
  crypto_core_ristretto255_from_hash(as_uchar_mutable(element.bytes_.expose_mutable()), as_uchar(uniform));
  return element;
}

std::optional<Element> add(const Element& a, const Element& b) {
  Element sum;
  const MutableByteView bytes = sum.bytes_.expose_mutable();
  if (crypto_core_ristretto255_add(as_uchar_mutable(bytes), as_uchar(a.encoding()), as_uchar(b.encoding())) != 0 ||
      sodium_is_zero(as_uchar(bytes), bytes.size()) == 1) {
    return std::nullopt;
  }
  return sum;
}

std::optional<Element> multiply(const Scalar& scalar, const Element& element) {
  return decode_and_multiply(scalar, element.encoding());
}

std::optional<Element> multiply_base(const Scalar& scalar) {
  Element product;
  if (crypto_scalarmult_ristretto255_base(as_uchar_mutable(product.bytes_.expose_mutable()),
                                          as_uchar(scalar.expose())) != 0) {
    return std::nullopt;
  }
  return product;
}

std::optional<Element> decode_and_multiply(const Scalar& scalar, std::span<const std::byte, kElementBytes> encoding) {
  Element product;
  if (crypto_scalarmult_ristretto255(as_uchar_mutable(product.bytes_.expose_mutable()), as_uchar(scalar.expose()),
                                     as_uchar(encoding)) != 0) {
    return std::nullopt;
  }
  return product;
}

std::optional<Element> decode_and_add(const Element& a, std::span<const std::byte, kElementBytes> encoding) {
  // libsodium refuses what is not canonical, and takes the identity.
  if (sodium_is_zero(as_uchar(encoding), encoding.size()) == 1) return std::nullopt;
  Element sum;
  const MutableByteView bytes = sum.bytes_.expose_mutable();
  if (crypto_core_ristretto255_add(as_uchar_mutable(bytes), as_uchar(a.encoding()), as_uchar(encoding)) != 0 ||
      sodium_is_zero(as_uchar(bytes), bytes.size()) == 1) {
    return std::nullopt;
  }
  return sum;
}

}  // namespace parley::crypto
