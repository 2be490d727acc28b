// OPRF-PSI over ristretto255 (psi.md section 1, protocol 1A; Jarecki, Kiayias and Krawczyk 2014; RFC 9497 mode 0x00).
// The sender holds a fresh key. The receiver learns PRF(key, x) for its own elements x and nothing else; the sender
// shows a tag of PRF(key, y) for each of its elements y; equal tags are common elements.
#include <fmt/format.h>

#include <algorithm>

#include "crypto/drbg.h"
#include "psi/detail/conversation.h"
#include "psi/detail/distinct.h"
#include "psi/detail/fault.h"
#include "psi/detail/records.h"
#include "psi/detail/work.h"
#include "psi/intersect/protocol.h"
#include "psi/oprf/oprf.h"

namespace parley::psi {
namespace {

using crypto::Drbg;
using crypto::kElementBytes;
using crypto::Scalar;
using detail::broken;
using detail::Conversation;
using detail::Field;
using detail::whole;
using detail::Work;
using oprf::Mode;

constexpr std::string_view kName = "classic";
constexpr std::uint16_t kSuite = 0x0010;                              // psi.md 8.3
constexpr std::string_view kInputLabel = "parley/v1/oprf/in";         // psi.md 1.1
constexpr std::string_view kKeyLabel = "parley/v1/classic/oprf-key";  // info of DeriveKeyPair

// The parts of an OPRF output (psi.md 1.2).
constexpr std::size_t kOutputBytes = oprf::Output::kSize;
constexpr std::size_t kTagBytes = 16;
constexpr std::size_t kFirstTagOffset = 0;
constexpr std::size_t kSecondTagOffset = 16;
constexpr std::size_t kContextKeyOffset = 32;
constexpr std::size_t kContextKeyBytes = 32;
static_assert(kContextKeyOffset + kContextKeyBytes == kOutputBytes);

std::span<const std::byte, kElementBytes> element_at(ByteView list, std::size_t i) {
  return list.subspan(i * kElementBytes).first<kElementBytes>();
}

/// The encodings [begin, end) of a list.
ByteView elements_at(ByteView list, std::size_t begin, std::size_t end) {
  return list.subspan(begin * kElementBytes, (end - begin) * kElementBytes);
}
MutableByteView elements_at(Bytes& list, std::size_t begin, std::size_t end) {
  return MutableByteView(list).subspan(begin * kElementBytes, (end - begin) * kElementBytes);
}

/// A fault in a part of a list, as an index in the whole.
crypto::FirstFault shifted(crypto::FirstFault fault, std::size_t begin) {
  if (fault) *fault += begin;
  return fault;
}

/// OPRF outputs of our elements, by position. Secret: whoever has a tag can show it.
class Outputs {
 public:
  explicit Outputs(std::size_t count) : bytes_(count * kOutputBytes) {}

  /// Those of the positions [begin, end), to be written by one thread.
  MutableByteView part(std::size_t begin, std::size_t end) {
    return bytes_.expose_mutable().subspan(begin * kOutputBytes, (end - begin) * kOutputBytes);
  }

  Field first_tags() const { return {bytes_.expose(), kOutputBytes, kFirstTagOffset, kTagBytes}; }
  Field second_tags() const { return {bytes_.expose(), kOutputBytes, kSecondTagOffset, kTagBytes}; }

  std::vector<Match> matches(std::vector<std::uint32_t> positions) const {
    std::ranges::sort(positions);
    std::vector<Match> matches;
    matches.reserve(positions.size());
    const Field keys{bytes_.expose(), kOutputBytes, kContextKeyOffset, kContextKeyBytes};
    for (const std::uint32_t i : positions)
      matches.push_back({i, Secret<kContextKeyBytes>(keys[i].first<kContextKeyBytes>())});
    return matches;
  }

 private:
  SecretBytes bytes_;
};

/// One side's run: what both roles share.
class Run {
 public:
  Run(const Parameters& parameters, const Elements& elements, const Secret<32>& seed, Conversation& conversation,
      Work& work)
      : parameters_(parameters),
        elements_(elements),
        seed_(seed),
        conversation_(conversation),
        work_(work),
        outputs_(elements.size()) {
    // psi.md 0.3.4: label with its length, then the session.
    const ByteArray<1> label_length{static_cast<std::byte>(kInputLabel.size())};
    input_prefix_.update(label_length);
    input_prefix_.update(as_bytes(kInputLabel));
    input_prefix_.update(parameters.session_id);
  }

  Result<Outcome> receiver();
  Result<Outcome> sender();

 private:
  struct Blinded {
    Bytes elements;                    // ascending
    std::vector<std::uint32_t> order;  // position of the element that each is made from
  };
  Result<Blinded> blind();
  Status unblind(const Blinded& blinded, ByteView evaluated);
  Status reply(const std::vector<std::uint32_t>& positions);

  Status evaluate_ours(const Scalar& key);
  Result<Bytes> evaluate_theirs(const Scalar& key, ByteView blinded);
  Result<Outcome> learn_from_reply();

  /// The inputs of `count` elements, one behind the other; element_of(i) is the position of the ith.
  template <typename ElementOf>
  SecretBytes oprf_inputs(std::size_t count, ElementOf element_of) const {
    SecretBytes inputs(count * oprf::kInputBytes);
    for (std::size_t i = 0; i < count; ++i) {
      crypto::Sha512 hash = input_prefix_;
      hash.update(elements_[element_of(i)]);
      hash.finish(inputs.expose_mutable().subspan(i * oprf::kInputBytes).first<oprf::kInputBytes>());
    }
    return inputs;
  }
  Drbg stream(std::string_view label) const { return Drbg(seed_, parameters_.session_id, label); }
  Scalar blind_of(const Drbg& blinds, std::size_t i) const {
    return Scalar::from_uniform(blinds.secret<crypto::kUniformBytes>(i).expose());
  }

  const Parameters& parameters_;
  const Elements& elements_;
  const Secret<32>& seed_;
  Conversation& conversation_;
  Work& work_;
  crypto::Sha512 input_prefix_;
  Outputs outputs_;
};

Result<Outcome> Run::receiver() {
  work_.wait_for_peer();
  TRY(const Bytes public_key, conversation_.receive(MessageType::public_key, kElementBytes));
  if (!crypto::Element::decode(element_at(public_key, 0))) return broken("its public key is no element of the group.");

  TRY(const Blinded blinded, blind());
  TRY_STATUS(conversation_.send(MessageType::blinded, blinded.elements));
  TRY_STATUS(conversation_.flush());

  work_.wait_for_peer();
  TRY(const Bytes evaluated, conversation_.receive(MessageType::evaluated, blinded.elements.size()));
  TRY(const Bytes tags, conversation_.receive(MessageType::tags, parameters_.peer_count * kTagBytes));
  const Field their_tags = whole(tags, kTagBytes);
  if (!detail::strictly_ascending(their_tags)) return broken("its tags are out of order or repeated.");

  TRY_STATUS(unblind(blinded, evaluated));
  const Field our_tags = outputs_.first_tags();
  const auto positions = detail::shared_positions(our_tags, detail::order_of(our_tags), their_tags);
  TRY_STATUS(reply(positions));

  Outcome outcome;
  outcome.count = positions.size();
  outcome.learned_count = true;
  outcome.transcript = conversation_.transcript();
  if (parameters_.reply != Reply::count) outcome.matches = outputs_.matches(positions);
  return outcome;
}

// The blinded elements are uniform and independent of what they hide, so sorting them is a random order (message 2 of
// psi.md 1.2), and one in which the sender sees repetitions at once.
Result<Run::Blinded> Run::blind() {
  const Drbg blinds = stream("blind");
  Bytes elements(elements_.size() * kElementBytes);
  TRY(const auto fault, work_.over("blinding", elements_.size(), [&](std::size_t begin, std::size_t end) {
    std::vector<Scalar> scalars;
    scalars.reserve(end - begin);
    for (std::size_t i = begin; i < end; ++i) scalars.push_back(blind_of(blinds, i));
    const SecretBytes inputs = oprf_inputs(end - begin, [&](std::size_t i) { return begin + i; });
    return shifted(oprf::blind_each(Mode::oprf, inputs.expose(), scalars, elements_at(elements, begin, end)), begin);
  }));
  if (fault) return fail(Errc::internal, "The seed of this run gives a blind of zero; draw a new one.");
  const Field field = whole(elements, kElementBytes);
  std::vector<std::uint32_t> order = detail::order_of(field);
  return Blinded{detail::gather(field, order), std::move(order)};
}

Status Run::unblind(const Blinded& blinded, ByteView evaluated) {
  const Drbg blinds = stream("blind");
  TRY(const auto fault, work_.over("unblinding", elements_.size(), [&](std::size_t begin, std::size_t end) {
    std::vector<Scalar> inverses;
    inverses.reserve(end - begin);
    for (std::size_t j = begin; j < end; ++j) inverses.push_back(blind_of(blinds, blinded.order[j]));
    if (!Scalar::invert_all(inverses)) return std::optional(begin);
    const SecretBytes inputs = oprf_inputs(end - begin, [&](std::size_t j) { return blinded.order[begin + j]; });
    SecretBytes outputs((end - begin) * kOutputBytes);
    const auto first_fault =
        oprf::finalize_each(inputs.expose(), inverses, elements_at(evaluated, begin, end), outputs.expose_mutable());
    for (std::size_t j = begin; j < end; ++j) {
      const std::size_t i = blinded.order[j];
      std::ranges::copy(outputs.expose().subspan((j - begin) * kOutputBytes, kOutputBytes),
                        outputs_.part(i, i + 1).begin());
    }
    return shifted(first_fault, begin);
  }));
  if (fault) return broken(fmt::format("its answer {} is no element of the group.", *fault));
  return {};
}

Status Run::reply(const std::vector<std::uint32_t>& positions) {
  if (parameters_.reply == Reply::none) return {};
  if (parameters_.reply == Reply::count) {
    Bytes count;
    append_be(count, static_cast<std::uint64_t>(positions.size()));
    TRY_STATUS(conversation_.send(MessageType::matched_count, count));
    return conversation_.flush();
  }
  const Bytes matched = detail::gather(outputs_.second_tags(), positions);
  const Field field = whole(matched, kTagBytes);
  TRY_STATUS(conversation_.send(MessageType::matched_tags, detail::gather(field, detail::order_of(field))));
  return conversation_.flush();
}

Result<Outcome> Run::sender() {
  TRY(const oprf::KeyPair key,
      oprf::derive_key_pair(Mode::oprf, stream("oprf-key").secret<32>(0), as_bytes(kKeyLabel)));
  TRY_STATUS(conversation_.send(MessageType::public_key, key.public_key.encoding()));
  TRY_STATUS(conversation_.flush());

  TRY_STATUS(evaluate_ours(key.secret_key));  // while the receiver blinds
  work_.wait_for_peer();
  TRY(const Bytes blinded, conversation_.receive(MessageType::blinded, parameters_.peer_count * kElementBytes));
  if (!detail::strictly_ascending(whole(blinded, kElementBytes)))
    return broken("its blinded elements are out of order or repeated.");

  TRY(const Bytes evaluated, evaluate_theirs(key.secret_key, blinded));
  TRY_STATUS(conversation_.send(MessageType::evaluated, evaluated));
  // Only now, when the receiver's inputs are fixed (psi.md 1.2).
  const Field tags = outputs_.first_tags();
  TRY_STATUS(conversation_.send(MessageType::tags, detail::gather(tags, detail::order_of(tags))));
  TRY_STATUS(conversation_.flush());
  return learn_from_reply();
}

Status Run::evaluate_ours(const Scalar& key) {
  TRY(const auto fault, work_.over("evaluating our set", elements_.size(), [&](std::size_t begin, std::size_t end) {
    const SecretBytes inputs = oprf_inputs(end - begin, [&](std::size_t i) { return begin + i; });
    return shifted(oprf::evaluate_all(Mode::oprf, inputs.expose(), key, outputs_.part(begin, end)), begin);
  }));
  if (fault) return fail(Errc::internal, "An element of our set hashes to nothing in this session; start a new one.");
  return {};
}

Result<Bytes> Run::evaluate_theirs(const Scalar& key, ByteView blinded) {
  Bytes evaluated(blinded.size());
  const std::size_t count = blinded.size() / kElementBytes;
  TRY(const auto fault, work_.over("evaluating their set", count, [&](std::size_t begin, std::size_t end) {
    return shifted(crypto::multiply_all(key, elements_at(blinded, begin, end), elements_at(evaluated, begin, end)),
                   begin);
  }));
  if (fault) return broken(fmt::format("its blinded element {} is no element of the group.", *fault));
  return evaluated;
}

Result<Outcome> Run::learn_from_reply() {
  Outcome outcome;
  const std::size_t most = std::min(elements_.size(), parameters_.peer_count);
  if (parameters_.reply != Reply::none) work_.wait_for_peer();
  if (parameters_.reply == Reply::count) {
    TRY(const Bytes message, conversation_.receive(MessageType::matched_count, sizeof(std::uint64_t)));
    const auto count = read_be<std::uint64_t>(message);
    if (count > most) return broken(fmt::format("it counts {} common elements where {} is the most.", count, most));
    outcome.count = count;
    outcome.learned_count = true;
  } else if (parameters_.reply == Reply::matched_tags) {
    TRY(const Bytes tags, conversation_.receive_up_to(MessageType::matched_tags, most * kTagBytes));
    if (tags.size() % kTagBytes != 0) return broken("its list of matches ends in the middle of a tag.");
    const Field their_tags = whole(tags, kTagBytes);
    if (!detail::strictly_ascending(their_tags)) return broken("its matches are out of order or repeated.");
    const Field our_tags = outputs_.second_tags();
    const auto positions = detail::shared_positions(our_tags, detail::order_of(our_tags), their_tags);
    if (positions.size() != their_tags.count()) return broken("it claims a match that it cannot have found.");
    outcome.matches = outputs_.matches(positions);
    outcome.count = positions.size();
    outcome.learned_count = true;
  }
  outcome.transcript = conversation_.transcript();
  return outcome;
}

class ClassicProtocol final : public Protocol {
 public:
  std::string_view name() const override { return kName; }
  std::uint16_t suite() const override { return kSuite; }
  std::string_view code() const override { return "none"; }
  std::size_t receiver_tests(std::size_t count) const override { return count; }
  std::size_t fewest_received() const override { return 0; }

  Result<Outcome> run(const Parameters& parameters, const Elements& elements, const Secret<32>& seed, Channel& channel,
                      ThreadPool& pool, Progress& progress) const override {
    Conversation conversation(channel, parameters.session_id, parameters.role);
    Work work(pool, progress);
    auto outcome = run_checked(parameters, elements, seed, conversation, work);
    if (!outcome && outcome.error().code != Errc::peer_gone) conversation.give_up();
    return outcome;
  }

 private:
  static Result<Outcome> run_checked(const Parameters& parameters, const Elements& elements, const Secret<32>& seed,
                                     Conversation& conversation, Work& work) {
    TRY_STATUS(detail::check_input(parameters, elements, seed, work));
    Run run(parameters, elements, seed, conversation, work);
    return parameters.role == Role::receiver ? run.receiver() : run.sender();
  }
};

}  // namespace

std::unique_ptr<Protocol> classic_protocol() {
  return std::make_unique<ClassicProtocol>();
}

}  // namespace parley::psi
