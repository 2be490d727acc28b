#include "psi/oprf/oprf.h"

#include <algorithm>

#include "crypto/expand_message.h"

namespace parley::psi::oprf {
namespace {

using crypto::Element;
using crypto::kUniformBytes;
using crypto::Scalar;

std::string domain_tag(std::string_view use, Mode mode) {
  return std::string(use) + context_string(mode);
}

Secret<kUniformBytes> expand(ByteView message, std::string_view tag) {
  Secret<kUniformBytes> uniform;
  crypto::expand_message_xmd_sha512(uniform.expose_mutable(), message, as_bytes(tag));
  return uniform;
}

// Built once: these are used for every element.
const std::string& group_tag(Mode mode) {
  static const std::string kTags[] = {domain_tag("HashToGroup-", Mode::oprf), domain_tag("HashToGroup-", Mode::voprf)};
  return kTags[static_cast<std::size_t>(mode)];
}

const std::string& scalar_tag(Mode mode) {
  static const std::string kTags[] = {domain_tag("HashToScalar-", Mode::oprf),
                                      domain_tag("HashToScalar-", Mode::voprf)};
  return kTags[static_cast<std::size_t>(mode)];
}

ByteArray<2> two_bytes(std::size_t value) {
  return {static_cast<std::byte>(value >> 8), static_cast<std::byte>(value)};
}

// SHA-512(I2OSP(len input, 2) || input || I2OSP(32, 2) || element || "Finalize")
void hash_output(ByteView input, ByteView element, std::span<std::byte, Output::kSize> output) {
  crypto::Sha512 hash;
  hash.update(two_bytes(input.size()));
  hash.update(input);
  hash.update(two_bytes(crypto::kElementBytes));
  hash.update(element);
  hash.update(as_bytes("Finalize"));
  hash.finish(output);
}

Output hash_output(ByteView input, const Element& element) {
  Output output;
  hash_output(input, element.encoding(), output.expose_mutable());
  return output;
}

/// What the elements of all inputs are mapped from.
SecretBytes expand_all(Mode mode, ByteView inputs) {
  SecretBytes uniform(inputs.size() / kInputBytes * kUniformBytes);
  for (std::size_t i = 0; i < inputs.size() / kInputBytes; ++i) {
    crypto::expand_message_xmd_sha512(uniform.expose_mutable().subspan(i * kUniformBytes, kUniformBytes),
                                      inputs.subspan(i * kInputBytes, kInputBytes), as_bytes(group_tag(mode)));
  }
  return uniform;
}

void hash_outputs(ByteView inputs, ByteView elements, MutableByteView outputs) {
  for (std::size_t i = 0; i < inputs.size() / kInputBytes; ++i) {
    hash_output(inputs.subspan(i * kInputBytes, kInputBytes),
                elements.subspan(i * crypto::kElementBytes, crypto::kElementBytes),
                outputs.subspan(i * Output::kSize).first<Output::kSize>());
  }
}

}  // namespace

std::string context_string(Mode mode) {
  return std::string("OPRFV1-") + static_cast<char>(mode) + "-ristretto255-SHA512";
}

Scalar hash_to_scalar(Mode mode, ByteView message) {
  return Scalar::from_uniform(expand(message, scalar_tag(mode)).expose());
}

Element hash_to_group(Mode mode, ByteView message) {
  return Element::from_uniform(expand(message, group_tag(mode)).expose());
}

Result<KeyPair> derive_key_pair(Mode mode, const Secret<32>& seed, ByteView info) {
  constexpr unsigned kTries = 256;  // RFC 9497 section 3.2.1
  if (info.size() > 0xffff) return fail(Errc::internal, "The info of a derived key is longer than RFC 9497 allows.");
  const ByteArray<2> info_length = two_bytes(info.size());
  SecretBytes input(seed.expose().size() + info_length.size() + info.size() + 1);
  const MutableByteView bytes = input.expose_mutable();
  std::ranges::copy(seed.expose(), bytes.begin());
  std::ranges::copy(info_length, bytes.subspan(seed.expose().size()).begin());
  std::ranges::copy(info, bytes.subspan(seed.expose().size() + info_length.size()).begin());
  const std::string tag = domain_tag("DeriveKeyPair", mode);
  for (unsigned counter = 0; counter < kTries; ++counter) {
    bytes.back() = static_cast<std::byte>(counter);
    Scalar secret_key = Scalar::from_uniform(expand(bytes, tag).expose());
    if (auto public_key = crypto::multiply_base(secret_key)) return KeyPair{std::move(secret_key), *public_key};
  }
  return fail(Errc::internal, "No key can be derived from this seed.");
}

std::optional<Element> blind(Mode mode, ByteView input, const Scalar& blind) {
  return crypto::multiply(blind, hash_to_group(mode, input));
}

std::optional<Output> finalize(ByteView input, const Scalar& inverse_of_blind,
                               std::span<const std::byte, crypto::kElementBytes> evaluated) {
  const auto unblinded = crypto::decode_and_multiply(inverse_of_blind, evaluated);
  if (!unblinded) return std::nullopt;
  return hash_output(input, *unblinded);
}

std::optional<Output> evaluate(Mode mode, ByteView input, const Scalar& key) {
  const auto evaluated = crypto::multiply(key, hash_to_group(mode, input));
  if (!evaluated) return std::nullopt;
  return hash_output(input, *evaluated);
}

crypto::FirstFault blind_each(Mode mode, ByteView inputs, std::span<const Scalar> blinds, MutableByteView blinded) {
  return crypto::map_and_multiply_each(blinds, expand_all(mode, inputs).expose(), blinded);
}

crypto::FirstFault finalize_each(ByteView inputs, std::span<const Scalar> inverses_of_blinds, ByteView evaluated,
                                 MutableByteView outputs) {
  SecretBytes unblinded(evaluated.size());
  const auto fault = crypto::multiply_each(inverses_of_blinds, evaluated, unblinded.expose_mutable());
  hash_outputs(inputs, unblinded.expose(), outputs);
  return fault;
}

crypto::FirstFault evaluate_all(Mode mode, ByteView inputs, const Scalar& key, MutableByteView outputs) {
  SecretBytes evaluated(inputs.size() / kInputBytes * crypto::kElementBytes);
  const auto fault = crypto::map_and_multiply_all(key, expand_all(mode, inputs).expose(), evaluated.expose_mutable());
  hash_outputs(inputs, evaluated.expose(), outputs);
  return fault;
}

}  // namespace parley::psi::oprf
