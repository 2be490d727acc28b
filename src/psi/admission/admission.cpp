// Blinding, helping, combining (admission.h).
#include "psi/admission/admission.h"

#include <algorithm>

#include "base/random.h"
#include "crypto/drbg.h"
#include "psi/detail/fault.h"
#include "psi/detail/labelled_hash.h"
#include "psi/detail/work.h"

namespace parley::psi::admission {
namespace {

using crypto::Element;
using crypto::kElementBytes;
using crypto::kUniformBytes;
using crypto::Scalar;
using oprf::Mode;

constexpr auto kMode = Mode::voprf;
constexpr std::string_view kInputLabel = "parley/v1/adm";
constexpr std::string_view kTagLabel = "parley/v1/adm/tag";
constexpr std::string_view kBlindLabel = "adm-blind";
constexpr std::string_view kPossessionLabel = "parley/v1/adm/possession";

std::span<const std::byte, kElementBytes> encoding_at(ByteView list, std::size_t index) {
  return list.subspan(index * kElementBytes).first<kElementBytes>();
}

Status check_count(std::size_t count) {
  if (count <= kMostInBatch) return {};
  return fail(Errc::limit, "A batch for admission has " + std::to_string(count) + " elements, and " +
                               std::to_string(kMostInBatch) + " is the most.");
}

std::vector<Scalar> blinds(const crypto::Drbg& coins, std::size_t begin, std::size_t end) {
  std::vector<Scalar> scalars;
  scalars.reserve(end - begin);
  for (std::size_t i = begin; i < end; ++i) {
    scalars.push_back(Scalar::from_uniform(coins.secret<kUniformBytes>(i).expose()));
  }
  return scalars;
}

SecretBytes inputs_of(const Epoch& epoch, const Elements& elements, std::size_t begin, std::size_t end) {
  SecretBytes inputs((end - begin) * oprf::kInputBytes);
  for (std::size_t i = begin; i < end; ++i) {
    crypto::Sha512 hash = detail::labelled_sha512(kInputLabel, epoch);
    hash.update(elements[i]);
    hash.finish(inputs.expose_mutable().subspan((i - begin) * oprf::kInputBytes).first<oprf::kInputBytes>());
  }
  return inputs;
}

/// The sum of the answers to one element. Nothing where one is no element, or a sum on the way is the identity.
std::optional<Element> sum_at(std::span<const Bytes> answers, std::size_t index) {
  std::optional<Element> sum = Element::decode(encoding_at(answers.front(), index));
  for (std::size_t j = 1; sum && j < answers.size(); ++j)
    sum = crypto::decode_and_add(*sum, encoding_at(answers[j], index));
  return sum;
}

void write_tag(const Epoch& epoch, ByteView element, ByteView value, MutableByteView tag) {
  crypto::Sha512 hash = detail::labelled_sha512(kTagLabel, epoch);
  hash.update(element);
  hash.update(value);
  Secret<crypto::kSha512Bytes> digest;
  hash.finish(digest.expose_mutable());
  std::ranges::copy(digest.expose().first<kTagBytes>(), tag.begin());
}

std::optional<std::vector<Element>> elements_of(ByteView list, std::span<const std::uint32_t> sample) {
  std::vector<Element> elements;
  elements.reserve(sample.size());
  for (const std::uint32_t index : sample) {
    auto element = Element::decode(encoding_at(list, index));
    if (!element) return std::nullopt;
    elements.push_back(*std::move(element));
  }
  return elements;
}

Scalar possession_challenge(const Digest& claim, const Element& public_key, const Element& commitment) {
  crypto::Sha512 hash = detail::labelled_sha512(kPossessionLabel, claim);
  hash.update(public_key.encoding());
  hash.update(commitment.encoding());
  ByteArray<kUniformBytes> digest;
  hash.finish(digest);
  return Scalar::from_uniform(digest);
}

/// Uniform below `bound`, but for 2^-40: multiply-high of 64 random bits.
std::uint32_t random_below(std::size_t bound) {
  const auto word = read_be<std::uint64_t>(random_bytes<sizeof(std::uint64_t)>());
  return static_cast<std::uint32_t>((static_cast<unsigned __int128>(word) * bound) >> 64);
}

}  // namespace

Result<oprf::KeyPair> derive_key(const Secret<32>& seed, ByteView info) {
  return oprf::derive_key_pair(kMode, seed, info);
}

Result<Possession> prove_possession(const oprf::KeyPair& key, const Digest& claim, const Scalar& nonce) {
  const auto commitment = crypto::multiply_base(nonce);
  if (!commitment) return fail(Errc::internal, "The nonce of a proof is zero.");
  const Scalar c = possession_challenge(claim, key.public_key, *commitment);
  const Scalar s = nonce - c * key.secret_key;
  Possession proof;
  std::ranges::copy(c.expose(), proof.begin());
  std::ranges::copy(s.expose(), proof.begin() + crypto::kScalarBytes);
  return proof;
}

bool verify_possession(const Element& public_key, const Digest& claim, const Possession& proof) {
  const std::span<const std::byte, kPossessionBytes> bytes(proof);
  const auto c = Scalar::decode(bytes.first<crypto::kScalarBytes>());
  const auto s = Scalar::decode(bytes.last<crypto::kScalarBytes>());
  if (!c || !s) return false;
  const auto of_base = crypto::multiply_base(*s);
  const auto of_key = crypto::multiply(*c, public_key);
  if (!of_base || !of_key) return false;
  const auto commitment = crypto::add(*of_base, *of_key);
  return commitment && constant_time_equal(possession_challenge(claim, public_key, *commitment).expose(), c->expose());
}

Result<Bytes> blind(const Epoch& epoch, const Elements& elements, const Secret<32>& seed, ThreadPool& pool,
                    Progress& progress) {
  TRY_STATUS(check_count(elements.size()));
  const crypto::Drbg coins(seed, epoch, kBlindLabel);
  Bytes blinded(elements.size() * kElementBytes);
  detail::Work work(pool, progress);
  TRY(const auto fault, work.over("blinding", elements.size(), [&](std::size_t begin, std::size_t end) {
    const MutableByteView out = MutableByteView(blinded).subspan(begin * kElementBytes, (end - begin) * kElementBytes);
    auto at = oprf::blind_each(kMode, inputs_of(epoch, elements, begin, end).expose(), blinds(coins, begin, end), out);
    return at ? std::optional(begin + *at) : std::nullopt;
  }));
  if (fault) return fail(Errc::internal, "A blind is zero. Try again.");
  return blinded;
}

Result<Bytes> evaluate(const Scalar& key, ByteView blinded, ThreadPool& pool, Progress& progress) {
  const std::size_t count = blinded.size() / kElementBytes;
  if (count == 0 || count > kMostInBatch || blinded.size() != count * kElementBytes)
    return detail::broken("a batch for admission has a wrong length.");
  Bytes evaluated(blinded.size());
  detail::Work work(pool, progress);
  TRY(const auto fault, work.over("helping", count, [&](std::size_t begin, std::size_t end) {
    const std::size_t offset = begin * kElementBytes, length = (end - begin) * kElementBytes;
    auto at =
        crypto::multiply_all(key, blinded.subspan(offset, length), MutableByteView(evaluated).subspan(offset, length));
    return at ? std::optional(begin + *at) : std::nullopt;
  }));
  if (fault) return detail::broken("number " + std::to_string(*fault) + " of a batch for admission is no element.");
  return evaluated;
}

Result<std::optional<std::size_t>> first_invalid(ByteView elements, ThreadPool& pool, Progress& progress) {
  detail::Work work(pool, progress);
  return work.over("checking", elements.size() / kElementBytes, [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i)
      if (!Element::decode(encoding_at(elements, i))) return std::optional(i);
    return std::optional<std::size_t>();
  });
}

// Floyd's way to draw without repetition (Bentley and Floyd 1987).
std::vector<std::uint32_t> draw_sample(std::size_t batch_count) {
  const std::size_t count = std::min(batch_count, kSampleCount);
  std::vector<std::uint32_t> sample;
  for (std::size_t last = batch_count - count; last < batch_count; ++last) {
    const std::uint32_t drawn = random_below(last + 1);
    const auto place = std::ranges::lower_bound(sample, drawn);
    if (place != sample.end() && *place == drawn)
      sample.push_back(static_cast<std::uint32_t>(last));  // larger than all that could have been drawn before
    else
      sample.insert(place, drawn);
  }
  return sample;
}

bool is_sample(std::span<const std::uint32_t> sample, std::size_t batch_count) {
  return batch_count > 0 && sample.size() == std::min(batch_count, kSampleCount) &&
         std::ranges::adjacent_find(sample, std::greater_equal<>()) == sample.end() && sample.back() < batch_count;
}

Result<oprf::Proof> prove_sample(const oprf::KeyPair& key, ByteView blinded, ByteView evaluated,
                                 std::span<const std::uint32_t> sample, const Scalar& nonce) {
  const auto asked = elements_of(blinded, sample), answered = elements_of(evaluated, sample);
  if (!asked || !answered) return detail::broken("a batch for admission has something that is no element.");
  return oprf::prove(kMode, key, *asked, *answered, nonce);
}

bool verify_sample(const Element& public_key, ByteView blinded, ByteView evaluated,
                   std::span<const std::uint32_t> sample, const oprf::Proof& proof) {
  const auto asked = elements_of(blinded, sample), answered = elements_of(evaluated, sample);
  return asked && answered && oprf::verify(kMode, public_key, *asked, *answered, proof);
}

Result<SecretBytes> combine(const Epoch& epoch, const Elements& elements, const Secret<32>& seed,
                            std::span<const Bytes> answers, ThreadPool& pool, Progress& progress) {
  TRY_STATUS(check_count(elements.size()));
  for (const Bytes& answer : answers)
    if (answer.size() != elements.size() * kElementBytes)
      return detail::broken("an answer of another length than the batch.");
  if (answers.empty()) return fail(Errc::internal, "Nobody's answers were to be combined.");
  const crypto::Drbg coins(seed, epoch, kBlindLabel);
  SecretBytes tags(elements.size() * kTagBytes);
  detail::Work work(pool, progress);
  TRY(const auto fault, work.over("combining", elements.size(), [&](std::size_t begin, std::size_t end) {
    std::optional<std::size_t> none;
    std::vector<Scalar> inverses = blinds(coins, begin, end);
    if (!Scalar::invert_all(inverses)) return std::optional(begin);
    Bytes sums;
    for (std::size_t i = begin; i < end; ++i) {
      const auto sum = sum_at(answers, i);
      if (!sum) return std::optional(i);
      append(sums, sum->encoding());
    }
    SecretBytes values(sums.size());
    if (const auto at = crypto::multiply_each(inverses, sums, values.expose_mutable()))
      return std::optional(begin + *at);
    for (std::size_t i = begin; i < end; ++i)
      write_tag(epoch, elements[i], encoding_at(values.expose(), i - begin),
                tags.expose_mutable().subspan(i * kTagBytes, kTagBytes));
    return none;
  }));
  if (fault) return detail::broken("an answer to element " + std::to_string(*fault) + " of a batch is no element.");
  return tags;
}

Bytes tagged_element(std::byte type, std::span<const std::byte, kTagBytes> tag) {
  Bytes element{type};
  append_be<std::uint16_t>(element, kTagBytes);
  append(element, tag);
  return element;
}

}  // namespace parley::psi::admission
