#include "psi/vole/base_ot.h"

#include <algorithm>
#include <cassert>
#include <stdexcept>

#include "crypto/ristretto_batch.h"
#include "psi/detail/labelled_hash.h"

namespace parley::psi::vole {
namespace {

using crypto::Drbg;
using crypto::Element;
using crypto::kElementBytes;
using crypto::kUniformBytes;
using crypto::Scalar;

constexpr std::string_view kMaskLabel = "parley/v1/vole/ot-mask";
constexpr std::string_view kKeyLabel = "parley/v1/vole/ot-key";

constexpr std::size_t kPlaceBytes = sizeof(std::uint32_t) + sizeof(std::uint8_t);

using Encoding = std::span<const std::byte, kElementBytes>;

/// Secret, for the slot may be the receiver's choice.
Secret<kPlaceBytes> place_of(std::size_t transfer, std::uint8_t slot) {
  Secret<kPlaceBytes> place;
  store_be(place.expose_mutable(), static_cast<std::uint32_t>(transfer));
  store_be(place.expose_mutable().subspan<sizeof(std::uint32_t)>(), slot);
  return place;
}

/// What becomes, mapped to the group, the mask of slot `slot`: a hash of the other slot.
void hash_other_slot(const Digest& session_id, std::size_t transfer, std::uint8_t slot, ByteView other_slot,
                     MutableByteView uniform) {
  crypto::Sha512 hash = detail::labelled_sha512(kMaskLabel, session_id);
  hash.update(place_of(transfer, slot).expose());
  hash.update(other_slot);
  hash.finish(uniform.first<kUniformBytes>());
}

/// The key of slot `slot`, from the element that both parties can compute for it.
BaseKey key_of(const Digest& session_id, std::size_t transfer, std::uint8_t slot, Encoding public_key,
               ByteView both_slots, ByteView shared) {
  crypto::Sha512 hash = detail::labelled_sha512(kKeyLabel, session_id);
  hash.update(place_of(transfer, slot).expose());
  hash.update(public_key);
  hash.update(both_slots);
  hash.update(shared);
  Secret<crypto::kSha512Bytes> digest;
  hash.finish(digest.expose_mutable());
  return BaseKey(digest.expose().first<BaseKey::kSize>());
}

std::uint8_t choice_of(crypto::Block choices, std::size_t transfer) {
  const std::uint64_t word = transfer < 64 ? choices.low : choices.high;
  return static_cast<std::uint8_t>((word >> (transfer % 64)) & 1);
}

ByteView slots_of(ByteView message, std::size_t transfer) {
  return message.subspan(transfer * 2 * kElementBytes, 2 * kElementBytes);
}

/// out[0] and out[1] are `chosen` and `other` in the order that `choice` says, without a branch on it.
void place(MutableByteView out, std::uint8_t choice, Encoding chosen, Encoding other) {
  const auto mask = static_cast<std::byte>(0 - choice);
  for (std::size_t i = 0; i < kElementBytes; ++i) {
    const std::byte difference = (chosen[i] ^ other[i]) & mask;
    out[i] = chosen[i] ^ difference;
    out[kElementBytes + i] = other[i] ^ difference;
  }
}

Scalar scalar_of(const Drbg& coins, std::uint64_t block) {
  return Scalar::from_uniform(coins.secret<kUniformBytes>(block).expose());
}

Element base_multiple(const Scalar& scalar) {
  auto element = crypto::multiply_base(scalar);
  if (!element) throw std::logic_error("a scalar from a random stream is zero");  // probability 2^-252
  return *std::move(element);
}

}  // namespace

BaseOtSender::BaseOtSender(const Digest& session_id, const Drbg& coins)
    : session_id_(session_id), secret_key_(scalar_of(coins, 0)), public_key_(base_multiple(secret_key_)) {}

std::optional<std::vector<BaseKeyPair>> BaseOtSender::keys(ByteView received) const {
  assert(received.size() == kBaseOtReceiverBytes);
  Bytes uniform(2 * kBaseOtCount * kUniformBytes);
  for (std::size_t n = 0; n < 2 * kBaseOtCount; ++n) {
    hash_other_slot(session_id_, n / 2, n % 2, received.subspan((n ^ 1) * kElementBytes, kElementBytes),
                    MutableByteView(uniform).subspan(n * kUniformBytes, kUniformBytes));
  }
  SecretBytes shared(2 * kBaseOtCount * kElementBytes);
  if (crypto::add_mapped_and_multiply_all(secret_key_, received, uniform, shared.expose_mutable())) return std::nullopt;
  std::vector<BaseKeyPair> keys(kBaseOtCount);
  for (std::size_t n = 0; n < 2 * kBaseOtCount; ++n) {
    keys[n / 2][n % 2] = key_of(session_id_, n / 2, n % 2, public_key_.encoding(), slots_of(received, n / 2),
                                shared.expose().subspan(n * kElementBytes, kElementBytes));
  }
  return keys;
}

BaseOtReceiver::BaseOtReceiver(const Digest& session_id, crypto::Block choices, const Drbg& coins)
    : session_id_(session_id), choices_(1), message_(kBaseOtReceiverBytes) {
  choices_.expose_mutable()[0] = choices;
  // The slot that is not chosen is a random element of which nobody knows the logarithm.
  SecretBytes uniform(kBaseOtCount * kUniformBytes);
  coins.fill(0, uniform.expose_mutable());
  SecretBytes others(kBaseOtCount * kElementBytes);
  crypto::map_all(uniform.expose(), others.expose_mutable());
  secrets_.reserve(kBaseOtCount);
  SecretBytes masks(kBaseOtCount * kUniformBytes);
  for (std::size_t j = 0; j < kBaseOtCount; ++j) {
    secrets_.push_back(scalar_of(coins, kBaseOtCount + j));
    hash_other_slot(session_id, j, choice_of(choices, j), others.expose().subspan(j * kElementBytes, kElementBytes),
                    masks.expose_mutable().subspan(j * kUniformBytes, kUniformBytes));
  }
  SecretBytes chosen(kBaseOtCount * kElementBytes);
  if (crypto::multiply_base_and_subtract_mapped(secrets_, masks.expose(), chosen.expose_mutable()))
    throw std::logic_error("two independent random elements are equal");  // probability 2^-252
  for (std::size_t j = 0; j < kBaseOtCount; ++j) {
    place(MutableByteView(message_).subspan(j * 2 * kElementBytes), choice_of(choices, j),
          chosen.expose().subspan(j * kElementBytes).first<kElementBytes>(),
          others.expose().subspan(j * kElementBytes).first<kElementBytes>());
  }
}

std::optional<std::vector<BaseKey>> BaseOtReceiver::keys(ByteView received) const {
  assert(received.size() == kBaseOtSenderBytes);
  SecretBytes shared(kBaseOtCount * kElementBytes);
  if (crypto::multiply_one_by_each(secrets_, received.first<kElementBytes>(), shared.expose_mutable()))
    return std::nullopt;
  std::vector<BaseKey> keys;
  keys.reserve(kBaseOtCount);
  for (std::size_t j = 0; j < kBaseOtCount; ++j) {
    keys.push_back(key_of(session_id_, j, choice_of(choices_.expose()[0], j), received.first<kElementBytes>(),
                          slots_of(message_, j), shared.expose().subspan(j * kElementBytes, kElementBytes)));
  }
  return keys;
}

}  // namespace parley::psi::vole
