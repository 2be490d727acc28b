// VOLE-PSI (psi.md section 2; Rindal and Schoppmann 2021; Raghuraman and Rindal 2022), against a malicious party. The
// receiver encodes its set as P, a linear system in which each of its keys x decodes to h(x), and sends D = P + C. The
// sender makes K = B + Delta D = A + Delta P of it, so Decode(K, y) + Delta h(y) is Decode(A, y) exactly for those y
// that the receiver encoded; for all others it is off by a multiple of Delta. Both hash what they get, and the sender
// shows its hashes.
#include "psi/intersect/detail/fast.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "crypto/drbg.h"
#include "crypto/gf128.h"
#include "psi/detail/conversation.h"
#include "psi/detail/distinct.h"
#include "psi/detail/fault.h"
#include "psi/detail/labelled_hash.h"
#include "psi/detail/tag_join.h"
#include "psi/detail/tag_list.h"
#include "psi/detail/work.h"
#include "psi/intersect/detail/output_hash.h"
#include "psi/intersect/keyed_set.h"
#include "psi/intersect/protocol.h"
#include "psi/limits.h"
#include "psi/vole/vole.h"

namespace parley::psi {
namespace {

using crypto::Block;
using crypto::Drbg;
using crypto::kBlockBytes;
using crypto::PrefixedSha256;
using detail::broken;
using detail::Conversation;
using detail::Tag;
using detail::TagMatch;
using detail::Work;

constexpr std::string_view kName = "fast";
constexpr std::string_view kCode = "EC21, 21 regular picks, window 24 + 1, t = 352";
constexpr std::uint16_t kSuite = 0x0001;  // psi.md 8.3
constexpr std::string_view kElementLabel = "parley/v1/vole/elem";
constexpr std::string_view kMaskLabel = "parley/v1/vole/mask";
constexpr std::string_view kProofLabel = "parley/v1/vole/proof";
constexpr std::string_view kContextKeyLabel = "parley/v1/vole/context-key";

// Below this an encoding has a fixed number of cells, with which a receiver could test up to ten times its elements.
constexpr std::size_t kFewestReceived = 1024;
constexpr std::size_t kSaltBytes = 32;                  // r
constexpr std::size_t kMaskOpeningBytes = kBlockBytes;  // the random bytes of com_S
constexpr std::size_t kProofBytes = 16;                 // tag2
constexpr std::size_t kProofRecordBytes = sizeof(std::uint32_t) + kProofBytes;
constexpr std::size_t kKeysPerTask = 8192;

PrefixedSha256 element_hash(const Digest& session_id, ByteView salt) {
  crypto::Sha512 hash = detail::labelled_sha512(kElementLabel, session_id);
  hash.update(salt);
  crypto::Digest512 prefix;
  hash.finish(prefix);
  return PrefixedSha256(prefix);
}

Digest mask_commitment(const Digest& session_id, ByteView mask_and_opening) {
  crypto::Sha256 hash = detail::labelled_sha256(kMaskLabel, session_id);
  hash.update(mask_and_opening);
  return hash.finish();
}

/// What a 32-byte output gives besides the tag in its first half; only who has both halves can make it.
Secret<32> from_output(std::string_view label, const Digest& session_id, const Digest& output) {
  crypto::Sha256 hash = detail::labelled_sha256(label, session_id);
  hash.update(output);
  Digest digest = hash.finish();
  Secret<32> secret(digest);
  sodium_memzero(digest.data(), digest.size());
  return secret;
}

/// How many equations a receiver that chooses m cells freely can satisfy when it picks its keys from 2^64 hashes: more
/// than n' with probability below C(2^64, n') 2^(-128 (n' - m)) (Rindal and Schoppmann 2021, section 4; psi.md 2.5),
/// which is below 2^-40 for n' (64 + log2 n' - log2 e) > 128 m + 40.
std::size_t most_satisfied(std::size_t cells) {
  const double right = 128.0 * static_cast<double>(cells) + 40;
  double most = static_cast<double>(cells);
  for (int i = 0; i < 50; ++i) most = right / (64 - std::numbers::log2e + std::log2(most));
  return static_cast<std::size_t>(std::ceil(most));
}

Block value_of(const Digest& key) {
  return crypto::load_block(key);
}

/// One side's run: what both roles share.
class Run {
 public:
  Run(const Parameters& parameters, const Elements& elements, const Secret<32>& seed, const Layout& layout,
      Conversation& conversation, Work& work)
      : parameters_(parameters),
        elements_(elements),
        seed_(seed),
        conversation_(conversation),
        work_(work),
        layout_(layout),
        output_hash_(parameters.session_id) {}

  Result<Outcome> receiver();
  Result<Outcome> sender();

 private:
  Status solve(const KeyedSet& set, std::size_t instance, crypto::SecretBlocks& cells);
  Status send_encoding(vole::Receiver& vole, std::size_t instance, crypto::SecretBlocks& cells);
  Status decode_ours(const KeyedSet& set, std::size_t instance, const crypto::SecretBlocks& cells,
                     crypto::SecretBlocks& values);
  Status take_encoding(const vole::Sender& vole, KeyedSet& set, std::size_t instance, Block mask);
  Status hash_ours(KeyedSet& set, const crypto::SecretBlocks& values, Block mask);
  void decode_theirs(KeyedSet& set, std::size_t bin, std::span<const Block> cells, Block delta, Block mask) const;
  Result<std::vector<TagMatch>> find_matches(const KeyedSet& outputs, crypto::SecretBlocks room);
  Status reply(const KeyedSet& outputs, const std::vector<TagMatch>& matches);
  Result<detail::SortedTags> send_tags(const KeyedSet& outputs);
  Result<Outcome> learn_from_reply(const KeyedSet& outputs, const detail::SortedTags& sorted);
  Outcome outcome_of(const KeyedSet& outputs, std::vector<std::uint32_t> indices) const;
  Secret<32> proof_of(const Digest& output) const { return from_output(kProofLabel, parameters_.session_id, output); }
  std::unexpected<Error> repeated(const KeyedSet& set, const detail::EqualTags& equal) const;

  Secret<kBlockBytes> draw_block(std::string_view label) const {
    return Drbg(seed_, parameters_.session_id, label).secret<kBlockBytes>(0);
  }

  const Parameters& parameters_;
  const Elements& elements_;
  const Secret<32>& seed_;
  Conversation& conversation_;
  Work& work_;
  Layout layout_;
  detail::OutputHash output_hash_;
};

// --- the receiver ---------------------------------------------------------------------------------------------------

Result<Outcome> Run::receiver() {
  const Secret<kSaltBytes> salt = Drbg(seed_, parameters_.session_id, "fast/salt").secret<kSaltBytes>(0);
  std::optional<vole::Receiver> vole(std::in_place, parameters_.session_id, seed_, layout_.plan(), conversation_,
                                     work_);
  Bytes hello = to_bytes(salt.expose());
  append(hello, vole->first_message());
  TRY_STATUS(conversation_.send(MessageType::receiver_hello, hello));
  TRY_STATUS(conversation_.flush());
  TRY(KeyedSet set,
      KeyedSet::make(elements_, element_hash(parameters_.session_id, salt.expose()), layout_.shape, work_));

  work_.wait_for_peer();
  TRY(const Bytes their_hello,
      conversation_.receive(MessageType::sender_hello, vole::kBaseOtReceiverBytes + sizeof(Digest)));
  TRY_STATUS(vole->extend(ByteView(their_hello).first(vole::kBaseOtReceiverBytes)));
  const ByteView commitment = ByteView(their_hello).last(sizeof(Digest));

  const Secret<kBlockBytes> our_mask = draw_block("fast/mask");
  crypto::SecretBlocks cells(layout_.bins_an_instance * layout_.shape.cells_per_bin());
  crypto::SecretBlocks values;
  for (std::size_t instance = 0; instance < layout_.instances; ++instance) {
    TRY_STATUS(solve(set, instance, cells));
    if (instance == 0) TRY_STATUS(vole->answer_challenge());
    TRY_STATUS(vole->next_instance());
    if (instance == 0) TRY_STATUS(conversation_.send(MessageType::mask_share, our_mask.expose()));
    TRY_STATUS(send_encoding(*vole, instance, cells));
    if (instance + 1 == layout_.instances) vole.reset();  // its memory is as much as all the rest
    if (values.size() == 0) values = crypto::SecretBlocks(set.size());
    TRY_STATUS(decode_ours(set, instance, cells, values));
  }
  cells = {};

  work_.wait_for_peer();
  TRY(const Bytes opened, conversation_.receive(MessageType::mask_opening, kBlockBytes + kMaskOpeningBytes));
  if (!std::ranges::equal(mask_commitment(parameters_.session_id, opened), commitment))
    return broken("it opened another mask than the one that it had committed to.");
  TRY_STATUS(hash_ours(set, values, crypto::load_block(opened) ^ crypto::load_block(our_mask.expose())));
  TRY(const std::vector<TagMatch> matches, find_matches(set, std::move(values)));
  TRY_STATUS(reply(set, matches));

  std::vector<std::uint32_t> indices;
  for (const TagMatch& match : matches) indices.push_back(match.own_index);
  Outcome outcome = outcome_of(set, std::move(indices));
  if (parameters_.reply == Reply::count) outcome.matches.clear();
  return outcome;
}

/// P for the bins of one instance, in `cells`.
Status Run::solve(const KeyedSet& set, std::size_t instance, crypto::SecretBlocks& cells) {
  const std::size_t first = layout_.first_bin(instance);
  const std::size_t bins = layout_.end_bin(instance) - first;
  const std::size_t per_bin = layout_.shape.cells_per_bin();
  std::vector<Status> failures(bins);
  const auto solve_some = [&](std::size_t begin, std::size_t end) {
    okvs::Workspace workspace;
    crypto::SecretBlocks values(layout_.shape.bin_capacity);
    for (std::size_t i = begin; i < end; ++i) {
      const std::span<const Digest> keys = set.keys_of(first + i);
      const std::size_t taken = std::min(keys.size(), values.size());  // a bin that overflows is refused below
      std::ranges::transform(keys.first(taken), values.expose_mutable().begin(), value_of);
      failures[i] = keys.size() == taken
                        ? okvs::encode_bin(layout_.shape, keys, values.expose().first(taken),
                                           cells.expose_mutable().subspan(i * per_bin, per_bin), workspace)
                        : fail(Errc::limit, "A bin of the encoding overflows; start a new session.");
      if (!failures[i]) return std::optional(i);
    }
    return std::optional<std::size_t>();
  };
  // As many tasks as threads, so that each keeps its memory from bin to bin.
  const std::size_t per_task = (bins + work_.pool().size() - 1) / work_.pool().size();
  TRY(const auto fault, work_.over("encoding", bins, solve_some, per_task));
  if (fault) return std::unexpected(failures[*fault].error());
  return {};
}

/// Sends D bin by bin, as many at a time as there are threads; `cells` holds A afterwards.
Status Run::send_encoding(vole::Receiver& vole, std::size_t instance, crypto::SecretBlocks& cells) {
  const std::size_t per_bin = layout_.shape.cells_per_bin();
  const std::size_t bins = layout_.end_bin(instance) - layout_.first_bin(instance);
  const std::size_t at_once = std::min(bins, work_.pool().size());
  crypto::SecretBlocks sent(at_once * per_bin);
  work_.phase("sending", bins);
  for (std::size_t first = 0; first < bins; first += at_once) {
    const std::size_t some = std::min(at_once, bins - first);
    work_.pool().parallel_for(some, 1, [&](std::size_t begin, std::size_t end) {
      crypto::SecretBlocks noise(per_bin);
      for (std::size_t i = begin; i < end; ++i) {
        const auto encoded = cells.expose_mutable().subspan((first + i) * per_bin, per_bin);
        const auto out = sent.expose_mutable().subspan(i * per_bin, per_bin);
        std::ranges::copy(encoded, out.begin());
        vole.outputs((first + i) * per_bin, encoded, noise.expose_mutable());
        for (std::size_t cell = 0; cell < per_bin; ++cell) out[cell] ^= noise.expose()[cell];
      }
    });
    TRY_STATUS(work_.check_cancelled());
    for (std::size_t i = 0; i < some; ++i) {
      TRY_STATUS(
          conversation_.send(MessageType::encoding, crypto::bytes_of(sent.expose().subspan(i * per_bin, per_bin))));
    }
    work_.advance(first + some);
    TRY_STATUS(work_.check_cancelled());
  }
  return conversation_.flush();
}

/// values = Decode(A, x) for our keys x of the bins of one instance.
Status Run::decode_ours(const KeyedSet& set, std::size_t instance, const crypto::SecretBlocks& cells,
                        crypto::SecretBlocks& values) {
  const std::size_t first = layout_.first_bin(instance);
  const std::size_t per_bin = layout_.shape.cells_per_bin();
  TRY_STATUS(work_.over(
      "decoding", layout_.end_bin(instance) - first,
      [&](std::size_t begin, std::size_t end) {
        for (std::size_t i = begin; i < end; ++i) {
          okvs::decode_bin(layout_.shape, set.keys_of(first + i), cells.expose().subspan(i * per_bin, per_bin),
                           values.expose_mutable().subspan(set.begin_of(first + i), set.size_of(first + i)));
        }
        return std::optional<std::size_t>();
      },
      1));
  return {};
}

/// @param room  what is needed no longer of the values that gave the outputs.
Result<std::vector<TagMatch>> Run::find_matches(const KeyedSet& outputs, crypto::SecretBlocks room) {
  const auto index =
      detail::TagIndex::build(outputs.keys(), crypto::SecretArray<Tag>::in_place_of(std::move(room)), work_.pool());
  if (!index) return repeated(outputs, index.error());
  const detail::TagListShape shape(parameters_.peer_count);
  work_.wait_for_peer();
  TRY(const Bytes upper, conversation_.receive(MessageType::tag_index, shape.upper_bytes()));
  TRY(auto reader, detail::TagListReader::begin(shape, upper));
  work_.phase("matching", shape.chunk_count());
  std::vector<TagMatch> matches;
  std::vector<Tag> tags;
  for (std::size_t chunk = 0; chunk < shape.chunk_count(); ++chunk) {
    TRY(const Bytes low_parts, conversation_.receive(MessageType::tag_part, shape.chunk_bytes(chunk)));
    const std::size_t first = reader.next_tag();
    TRY_STATUS(reader.next(low_parts, tags));
    index->find(tags, first, matches);
    work_.advance(chunk + 1);
    TRY_STATUS(work_.check_cancelled());
  }
  return matches;
}

Status Run::reply(const KeyedSet& outputs, const std::vector<TagMatch>& matches) {
  if (parameters_.reply == Reply::none) return {};
  Bytes message;
  if (parameters_.reply == Reply::count) {
    append_be(message, static_cast<std::uint64_t>(matches.size()));
    TRY_STATUS(conversation_.send(MessageType::matched_count, message));
    return conversation_.flush();
  }
  for (const TagMatch& match : matches) {
    append_be(message, match.list_index);
    append(message, proof_of(outputs.keys()[match.own_index]).expose().first(kProofBytes));
  }
  TRY_STATUS(conversation_.send(MessageType::proofs, message));
  return conversation_.flush();
}

// --- the sender -----------------------------------------------------------------------------------------------------

Result<Outcome> Run::sender() {
  std::optional<vole::Sender> vole(std::in_place, parameters_.session_id, seed_, layout_.plan(), conversation_, work_);
  Secret<kBlockBytes + kMaskOpeningBytes> our_mask;
  Drbg(seed_, parameters_.session_id, "fast/mask").fill(0, our_mask.expose_mutable());
  Bytes hello = to_bytes(vole->first_message());
  append(hello, mask_commitment(parameters_.session_id, our_mask.expose()));
  TRY_STATUS(conversation_.send_across(MessageType::sender_hello, hello));
  TRY_STATUS(conversation_.flush());

  work_.wait_for_peer();
  TRY(const Bytes their_hello,
      conversation_.receive(MessageType::receiver_hello, kSaltBytes + vole::kBaseOtSenderBytes));
  const ByteView salt = ByteView(their_hello).first(kSaltBytes);
  TRY(KeyedSet set, KeyedSet::make(elements_, element_hash(parameters_.session_id, salt), layout_.shape, work_));
  TRY_STATUS(vole->extend(ByteView(their_hello).subspan(kSaltBytes)));

  Bytes their_mask;
  for (std::size_t instance = 0; instance < layout_.instances; ++instance) {
    TRY_STATUS(vole->next_instance());
    if (instance == 0) {
      TRY(their_mask, conversation_.receive(MessageType::mask_share, kBlockBytes));
    }
    const Block mask = crypto::load_block(our_mask.expose()) ^ crypto::load_block(their_mask);
    TRY_STATUS(take_encoding(*vole, set, instance, mask));
  }
  vole.reset();
  // Only now, when all that the receiver entered is here (psi.md 2.0).
  TRY_STATUS(conversation_.send(MessageType::mask_opening, our_mask.expose()));
  TRY_STATUS(conversation_.flush());
  TRY(const detail::SortedTags sorted, send_tags(set));
  return learn_from_reply(set, sorted);
}

/// Puts the output of Decode(K, y) + Delta h(y) in the place of our keys y, bin by bin as the encoding arrives.
Status Run::take_encoding(const vole::Sender& vole, KeyedSet& set, std::size_t instance, Block mask) {
  const std::size_t per_bin = layout_.shape.cells_per_bin();
  const std::size_t first = layout_.first_bin(instance);
  const std::size_t bins = layout_.end_bin(instance) - first;
  const std::size_t at_once = std::min(bins, work_.pool().size());
  work_.phase("comparing", bins);
  for (std::size_t done = 0; done < bins; done += at_once) {
    std::vector<Bytes> received;
    for (std::size_t i = done; i < std::min(bins, done + at_once); ++i) {
      TRY(Bytes bin, conversation_.receive(MessageType::encoding, layout_.bin_bytes()));
      received.push_back(std::move(bin));
    }
    work_.pool().parallel_for(received.size(), 1, [&](std::size_t begin, std::size_t end) {
      crypto::SecretBlocks cells(per_bin);
      for (std::size_t i = begin; i < end; ++i) {
        const std::size_t bin = done + i;
        const std::span<Block> sums = cells.expose_mutable();
        vole.outputs(bin * per_bin, sums);
        const std::span<const Block> encoded(reinterpret_cast<const Block*>(received[i].data()), per_bin);
        crypto::gf_add_multiple(sums, vole.delta(), encoded);
        decode_theirs(set, first + bin, sums, vole.delta(), mask);
      }
    });
    work_.advance(done + received.size());
    TRY_STATUS(work_.check_cancelled());
  }
  return {};
}

void Run::decode_theirs(KeyedSet& set, std::size_t bin, std::span<const Block> cells, Block delta, Block mask) const {
  const std::span<Digest> keys = set.keys_mutable().subspan(set.begin_of(bin), set.size_of(bin));
  crypto::SecretBlocks values(kKeysPerTask), hashes(kKeysPerTask);
  for (std::size_t first = 0; first < keys.size(); first += kKeysPerTask) {
    const std::span<Digest> some = keys.subspan(first, std::min(kKeysPerTask, keys.size() - first));
    const std::span<Block> out = values.expose_mutable().first(some.size());
    const std::span<Block> hashed = hashes.expose_mutable().first(some.size());
    okvs::decode_bin(layout_.shape, some, cells, out);
    std::ranges::transform(some, hashed.begin(), value_of);
    crypto::gf_add_multiple(out, delta, hashed);
    output_hash_(some, out, mask);
  }
}

Result<detail::SortedTags> Run::send_tags(const KeyedSet& outputs) {
  work_.phase("sorting");
  auto sorted = detail::sort_tags(outputs.keys(), work_.pool());
  if (!sorted) return repeated(outputs, sorted.error());
  const std::span<const Tag> tags = sorted->tags.expose();
  const detail::TagListShape shape(tags.size());
  work_.phase("sending", shape.chunk_count());
  TRY_STATUS(conversation_.send(MessageType::tag_index, detail::encode_upper(tags)));
  Bytes low_parts;
  for (std::size_t chunk = 0; chunk < shape.chunk_count(); ++chunk) {
    low_parts.resize(shape.chunk_bytes(chunk));
    detail::encode_chunk(tags, chunk, low_parts);
    TRY_STATUS(conversation_.send(MessageType::tag_part, low_parts));
    work_.advance(chunk + 1);
    TRY_STATUS(work_.check_cancelled());
  }
  TRY_STATUS(conversation_.flush());
  return *std::move(sorted);
}

Result<Outcome> Run::learn_from_reply(const KeyedSet& outputs, const detail::SortedTags& sorted) {
  const std::size_t most = std::min(elements_.size(), parameters_.peer_count);
  Outcome outcome;
  if (parameters_.reply != Reply::none) work_.wait_for_peer();
  if (parameters_.reply == Reply::count) {
    TRY(const Bytes message, conversation_.receive(MessageType::matched_count, sizeof(std::uint64_t)));
    const auto count = read_be<std::uint64_t>(message);
    if (count > most) return broken(fmt::format("it counts {} common elements where {} is the most.", count, most));
    outcome.count = count;
    outcome.learned_count = true;
  } else if (parameters_.reply == Reply::matched_tags) {
    TRY(const Bytes proofs, conversation_.receive_up_to(MessageType::proofs, most * kProofRecordBytes));
    if (proofs.size() % kProofRecordBytes != 0) return broken("its list of matches ends in the middle of a proof.");
    std::vector<std::uint32_t> indices;
    std::uint64_t least = 0;
    for (ByteView rest = proofs; !rest.empty(); rest = rest.subspan(kProofRecordBytes)) {
      const auto index = read_be<std::uint32_t>(rest);
      if (index < least || index >= outputs.size()) return broken("its matches are out of order or repeated.");
      least = std::uint64_t{index} + 1;
      const std::uint32_t own = sorted.order.expose()[index];
      if (!constant_time_equal(rest.subspan(sizeof(index), kProofBytes),
                               proof_of(outputs.keys()[own]).expose().first(kProofBytes)))
        return broken("it claims a match that it cannot have found.");
      indices.push_back(own);
    }
    return outcome_of(outputs, std::move(indices));
  }
  outcome.transcript = conversation_.transcript();
  return outcome;
}

// --- both -----------------------------------------------------------------------------------------------------------

Status Run::hash_ours(KeyedSet& set, const crypto::SecretBlocks& values, Block mask) {
  TRY_STATUS(work_.over(
      "comparing", set.size(),
      [&](std::size_t begin, std::size_t end) {
        output_hash_(set.keys_mutable().subspan(begin, end - begin), values.expose().subspan(begin, end - begin), mask);
        return std::optional<std::size_t>();
      },
      kKeysPerTask));
  return {};
}

/// @param indices  of matched keys.
Outcome Run::outcome_of(const KeyedSet& outputs, std::vector<std::uint32_t> indices) const {
  std::ranges::sort(indices, {}, [&](std::uint32_t index) { return outputs.position(index); });
  Outcome outcome;
  outcome.count = indices.size();
  outcome.learned_count = true;
  outcome.transcript = conversation_.transcript();
  outcome.matches.reserve(indices.size());
  for (const std::uint32_t index : indices) {
    outcome.matches.push_back(
        {outputs.position(index), from_output(kContextKeyLabel, parameters_.session_id, outputs.keys()[index])});
  }
  return outcome;
}

std::unexpected<Error> Run::repeated(const KeyedSet& set, const detail::EqualTags& equal) const {
  const auto [first, second] = std::minmax({set.position(equal.first), set.position(equal.second)});
  return fail(
      Errc::internal,
      fmt::format("Elements {} and {} of our set are the same; a set must hold each element once.", first, second));
}

class FastProtocol final : public Protocol {
 public:
  explicit FastProtocol(detail::LayoutOf layout) : layout_(layout) {}

  std::string_view name() const override { return kName; }
  std::uint16_t suite() const override { return kSuite; }
  std::string_view code() const override { return kCode; }
  std::size_t receiver_tests(std::size_t count) const override { return most_satisfied(layout_(count).shape.cells()); }
  std::size_t fewest_received() const override { return kFewestReceived; }

  Result<Outcome> run(const Parameters& parameters, const Elements& elements, const Secret<32>& seed, Channel& channel,
                      ThreadPool& pool, Progress& progress) const override {
    Conversation conversation(channel, parameters.session_id, parameters.role);
    Work work(pool, progress);
    auto outcome = run_checked(parameters, elements, seed, conversation, work);
    if (!outcome && outcome.error().code != Errc::peer_gone) conversation.give_up();
    return outcome;
  }

 private:
  Result<Outcome> run_checked(const Parameters& parameters, const Elements& elements, const Secret<32>& seed,
                              Conversation& conversation, Work& work) const {
    TRY_STATUS(detail::check_sizes(parameters, elements));
    const bool receives = parameters.role == Role::receiver;
    Run run(parameters, elements, seed, layout_(receives ? elements.size() : parameters.peer_count), conversation,
            work);
    return receives ? run.receiver() : run.sender();
  }

  detail::LayoutOf layout_;
};

}  // namespace

std::unique_ptr<Protocol> fast_protocol() {
  return detail::fast_protocol_with([](std::size_t count) { return Layout(count); });
}

std::unique_ptr<Protocol> detail::fast_protocol_with(LayoutOf layout) {
  return std::make_unique<FastProtocol>(layout);
}

}  // namespace parley::psi
