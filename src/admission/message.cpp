#include "admission/message.h"

#include <algorithm>

namespace parley::admission {
namespace {

using crypto::kElementBytes;
using psi::admission::kMostInBatch;
using psi::admission::kSampleCount;

enum class Kind : std::uint8_t { request = 1, answer = 2, challenge = 3, proof = 4, refusal = 5 };

std::unexpected<Error> malformed(const char* what) {
  return fail(Errc::protocol, std::string("A message about admission is malformed: ") + what + ".");
}

Bytes begin(Kind kind, const Digest& digest) {
  Bytes bytes{static_cast<std::byte>(kind)};
  append(bytes, digest);
  return bytes;
}

void append_elements(Bytes& out, ByteView elements) {
  append_be(out, static_cast<std::uint32_t>(elements.size() / kElementBytes));
  append(out, elements);
}

struct Writer {
  Bytes operator()(const Request& request) const {
    Bytes bytes = begin(Kind::request, request.epoch);
    append_be(bytes, static_cast<std::uint8_t>(request.type));
    append_elements(bytes, request.blinded);
    return bytes;
  }
  Bytes operator()(const Answer& answer) const {
    Bytes bytes = begin(Kind::answer, answer.batch);
    append_elements(bytes, answer.evaluated);
    return bytes;
  }
  Bytes operator()(const Challenge& challenge) const {
    Bytes bytes = begin(Kind::challenge, challenge.batch);
    append_be(bytes, static_cast<std::uint16_t>(challenge.sample.size()));
    for (const std::uint32_t index : challenge.sample) append_be(bytes, index);
    return bytes;
  }
  Bytes operator()(const Proof& proof) const {
    Bytes bytes = begin(Kind::proof, proof.batch);
    append(bytes, proof.proof);
    return bytes;
  }
  Bytes operator()(const Refusal& refusal) const {
    Bytes bytes = begin(Kind::refusal, refusal.batch);
    append_be(bytes, static_cast<std::uint8_t>(refusal.reason));
    append_be(bytes, refusal.used);
    append_be(bytes, refusal.most);
    return bytes;
  }
};

/// Takes a message apart from its front; where it ends too early, `whole` is false from then on.
class Parts {
 public:
  explicit Parts(ByteView rest) : rest_(rest) {}

  ByteView take(std::size_t count) {
    if (count > rest_.size()) {
      whole_ = false;
      count = rest_.size();
    }
    const ByteView front = rest_.first(count);
    rest_ = rest_.subspan(count);
    return front;
  }
  template <typename Integer>
  Integer integer() {
    const ByteView bytes = take(sizeof(Integer));
    return whole_ ? read_be<Integer>(bytes) : Integer{0};
  }
  template <std::size_t N>
  ByteArray<N> fixed() {
    ByteArray<N> array{};
    std::ranges::copy(take(N), array.begin());
    return array;
  }
  /// A count and so many elements; nothing for none and for more than a batch has.
  Bytes elements() {
    const auto count = integer<std::uint32_t>();
    if (count == 0 || count > kMostInBatch) whole_ = false;
    return whole_ ? to_bytes(take(count * kElementBytes)) : Bytes();
  }
  /// All is there, and nothing else.
  bool done() const { return whole_ && rest_.empty(); }

 private:
  ByteView rest_;
  bool whole_ = true;
};

Result<Message> read_request(Parts& parts, const Digest& epoch) {
  Request request{.epoch = epoch, .type = {}, .blinded = {}};
  const auto type = static_cast<indicator::Type>(parts.integer<std::uint8_t>());
  if (std::ranges::find(indicator::kAllTypes, type) == indicator::kAllTypes.end())
    return malformed("it names a type of indicators that does not exist");
  request.type = type;
  request.blinded = parts.elements();
  return request;
}

Result<Message> read_challenge(Parts& parts, const Digest& batch) {
  Challenge challenge{.batch = batch, .sample = {}};
  const auto count = parts.integer<std::uint16_t>();
  if (count == 0 || count > kSampleCount) return malformed("its sample has a wrong size");
  for (std::uint16_t i = 0; i < count; ++i) challenge.sample.push_back(parts.integer<std::uint32_t>());
  return challenge;
}

Result<Message> read_refusal(Parts& parts, const Digest& batch) {
  Refusal refusal{.batch = batch, .reason = {}, .used = 0, .most = 0};
  const auto reason = parts.integer<std::uint8_t>();
  if (reason < static_cast<std::uint8_t>(Reason::cap) || reason > static_cast<std::uint8_t>(Reason::sample))
    return malformed("it refuses for a reason that is not known");
  refusal.reason = static_cast<Reason>(reason);
  refusal.used = parts.integer<std::uint64_t>();
  refusal.most = parts.integer<std::uint64_t>();
  return refusal;
}

Result<Message> read_kind(Kind kind, Parts& parts) {
  const auto digest = parts.fixed<sizeof(Digest)>();
  switch (kind) {
    case Kind::request:
      return read_request(parts, digest);
    case Kind::answer:
      return Answer{.batch = digest, .evaluated = parts.elements()};
    case Kind::challenge:
      return read_challenge(parts, digest);
    case Kind::proof:
      return Proof{.batch = digest, .proof = parts.fixed<psi::oprf::kProofBytes>()};
    case Kind::refusal:
      return read_refusal(parts, digest);
  }
  return malformed("it is of a kind that is not known");
}

}  // namespace

Bytes write_message(const Message& message) {
  return std::visit(Writer{}, message);
}

Result<Message> read_message(ByteView payload) {
  Parts parts(payload);
  const auto kind = static_cast<Kind>(parts.integer<std::uint8_t>());
  TRY(Message message, read_kind(kind, parts));
  if (!parts.done()) return malformed("it is not as long as what it says");
  return message;
}

}  // namespace parley::admission
