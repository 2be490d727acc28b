#include "psi/oprf/proof.h"

#include <algorithm>

#include "crypto/ristretto_batch.h"

namespace parley::psi::oprf {
namespace {

using crypto::Element;
using crypto::Scalar;

/// Fewer products are computed faster one by one than all together.
constexpr std::size_t kFewProducts = 3;

void append_prefixed(Bytes& out, ByteView bytes) {
  append_be(out, static_cast<std::uint16_t>(bytes.size()));
  append(out, bytes);
}

// The weights d_i of RFC 9497 section 2.2.1: random to whoever chose the lists, the same for both parties.
class Weights {
 public:
  Weights(Mode mode, const Element& public_key) : mode_(mode) {
    Bytes input;
    append_prefixed(input, public_key.encoding());
    append_prefixed(input, as_bytes("Seed-" + context_string(mode)));
    seed_ = crypto::sha512(input);
  }

  Scalar operator()(std::size_t i, const Element& blinded, const Element& evaluated) const {
    Bytes input;
    append_prefixed(input, seed_);
    append_be(input, static_cast<std::uint16_t>(i));
    append_prefixed(input, blinded.encoding());
    append_prefixed(input, evaluated.encoding());
    append(input, as_bytes("Composite"));
    return hash_to_scalar(mode_, input);
  }

 private:
  Mode mode_;
  crypto::Digest512 seed_;
};

bool fit(std::span<const Element> blinded, std::span<const Element> evaluated) {
  return blinded.size() == evaluated.size() && !blinded.empty() && blinded.size() <= kProofBatch;
}

// M and Z of RFC 9497: the weighted sums of both lists.
struct Composites {
  std::optional<Element> blinded, evaluated;
};

std::vector<Scalar> weights(Mode mode, const Element& public_key, std::span<const Element> blinded,
                            std::span<const Element> evaluated) {
  const Weights weight(mode, public_key);
  std::vector<Scalar> weights;
  weights.reserve(blinded.size());
  for (std::size_t i = 0; i < blinded.size(); ++i) weights.push_back(weight(i, blinded[i], evaluated[i]));
  return weights;
}

/// Constant time. Nothing where a product or a sum on the way is the identity.
std::optional<Element> weighted_sum(std::span<const Scalar> weights, std::span<const Element> elements) {
  std::optional<Element> sum = crypto::multiply(weights[0], elements[0]);
  for (std::size_t i = 1; sum && i < elements.size(); ++i) {
    const auto term = crypto::multiply(weights[i], elements[i]);
    sum = term ? crypto::add(*sum, *term) : std::nullopt;
  }
  return sum;
}

/// The prover, who has the key, gets Z as key * M. Constant time.
Composites composites_by_key(Mode mode, const KeyPair& key, std::span<const Element> blinded,
                             std::span<const Element> evaluated) {
  const auto sum = weighted_sum(weights(mode, key.public_key, blinded, evaluated), blinded);
  return {sum, sum ? crypto::multiply(key.secret_key, *sum) : std::nullopt};
}

/// The verifier's: all that goes into it is public, so it need not be constant time.
Composites public_composites(Mode mode, const Element& public_key, std::span<const Element> blinded,
                             std::span<const Element> evaluated) {
  const std::vector<Scalar> scalars = weights(mode, public_key, blinded, evaluated);
  const auto sum = blinded.size() < kFewProducts ? weighted_sum : crypto::multiply_and_sum_vartime;
  return {sum(scalars, blinded), sum(scalars, evaluated)};
}

Scalar challenge(Mode mode, const Element& public_key, const Composites& sums, const Element& t2, const Element& t3) {
  Bytes input;
  append_prefixed(input, public_key.encoding());
  append_prefixed(input, sums.blinded->encoding());
  append_prefixed(input, sums.evaluated->encoding());
  append_prefixed(input, t2.encoding());
  append_prefixed(input, t3.encoding());
  append(input, as_bytes("Challenge"));
  return hash_to_scalar(mode, input);
}

std::optional<Element> add_products(const std::optional<Element>& a, const std::optional<Element>& b) {
  if (!a || !b) return std::nullopt;
  return crypto::add(*a, *b);
}

}  // namespace

Result<Proof> prove(Mode mode, const KeyPair& key, std::span<const Element> blinded, std::span<const Element> evaluated,
                    const Scalar& nonce) {
  if (!fit(blinded, evaluated)) return fail(Errc::internal, "A batch of this size cannot be proven; this is a bug.");
  const Composites sums = composites_by_key(mode, key, blinded, evaluated);
  if (!sums.blinded || !sums.evaluated) return fail(Errc::internal, "The batch to be proven sums up to nothing.");
  const auto t2 = crypto::multiply_base(nonce);
  const auto t3 = crypto::multiply(nonce, *sums.blinded);
  if (!t2 || !t3) return fail(Errc::internal, "The nonce of a proof is zero.");
  const Scalar c = challenge(mode, key.public_key, sums, *t2, *t3);
  const Scalar s = nonce - c * key.secret_key;
  Proof proof;
  std::ranges::copy(c.expose(), proof.begin());
  std::ranges::copy(s.expose(), proof.begin() + crypto::kScalarBytes);
  return proof;
}

bool verify(Mode mode, const Element& public_key, std::span<const Element> blinded, std::span<const Element> evaluated,
            const Proof& proof) {
  if (!fit(blinded, evaluated)) return false;
  const std::span<const std::byte, kProofBytes> bytes(proof);
  const auto c = Scalar::decode(bytes.first<crypto::kScalarBytes>());
  const auto s = Scalar::decode(bytes.last<crypto::kScalarBytes>());
  if (!c || !s) return false;
  const Composites sums = public_composites(mode, public_key, blinded, evaluated);
  if (!sums.blinded || !sums.evaluated) return false;
  const auto t2 = add_products(crypto::multiply_base(*s), crypto::multiply(*c, public_key));
  const auto t3 = add_products(crypto::multiply(*s, *sums.blinded), crypto::multiply(*c, *sums.evaluated));
  if (!t2 || !t3) return false;
  return constant_time_equal(challenge(mode, public_key, sums, *t2, *t3).expose(), c->expose());
}

}  // namespace parley::psi::oprf
