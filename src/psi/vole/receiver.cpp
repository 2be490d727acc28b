// The receiver's side of vole.h.
#include <algorithm>
#include <cassert>

#include "crypto/gf128.h"
#include "psi/detail/fault.h"
#include "psi/vole/detail/pads.h"
#include "psi/vole/vole.h"

namespace parley::psi::vole {
namespace {

using crypto::Block;
using crypto::BlockPair;
using crypto::Drbg;
using crypto::kBlockBytes;
using psi::detail::broken;

constexpr std::size_t kTreesPerTask = 8;

/// A position in [0, bound), uniform to within 2^-96, from 128 uniform bits: multiplication, not rejection, so that how
/// long it takes says nothing.
std::uint32_t position_from(Block uniform, std::size_t bound) {
  using Wide = unsigned __int128;
  const Wide low = Wide{uniform.low} * bound;
  const Wide high = Wide{uniform.high} * bound + static_cast<std::uint64_t>(low >> 64);
  return static_cast<std::uint32_t>(high >> 64);
}

}  // namespace

Receiver::Receiver(const Digest& session_id, const Secret<32>& seed, const Plan& plan,
                   psi::detail::Conversation& conversation, psi::detail::Work& work)
    : session_id_(session_id),
      seed_(seed),
      plan_(plan),
      conversation_(conversation),
      work_(work),
      base_(session_id, Drbg(seed, session_id, "vole/base-ot")),
      permutations_(session_id),
      positions_(plan.instances * kNoiseWeight) {}

// The extension's input for each instance: the trees' values c_i, the check's c_t, and the choice bits, which name the
// side of the path's sibling at every level of every tree. All of it is uniform but the choices, so it is filled as
// such.
Status Receiver::extend(ByteView received) {
  const auto keys = base_.keys(received);
  if (!keys) return broken("one of its oblivious transfers holds no element of the group.");
  const Sizes& sizes = plan_.sizes;
  crypto::SecretBlocks input(plan_.extension_blocks());
  Drbg(seed_, session_id_, "vole/input").fill(0, mutable_bytes_of(input.expose_mutable()));
  crypto::SecretBlocks uniform(positions_.size());
  Drbg(seed_, session_id_, "vole/positions").fill(0, mutable_bytes_of(uniform.expose_mutable()));
  for (std::size_t n = 0; n < positions_.size(); ++n)
    positions_.expose_mutable()[n] = position_from(uniform.expose()[n], sizes.tree.leaves);

  for (std::size_t instance = 0; instance < plan_.instances; ++instance) {
    const std::size_t first = instance * sizes.extension_blocks() + kNoiseWeight + 1;
    const std::span<Block> choices = input.expose_mutable().subspan(first, sizes.choice_blocks());
    for (std::size_t bit = 0; bit < kNoiseWeight * sizes.tree.depth; ++bit) {
      const std::uint32_t position = positions_.expose()[instance * kNoiseWeight + bit / sizes.tree.depth];
      const std::size_t level = bit % sizes.tree.depth + 1;
      const std::uint64_t choice = 1 ^ ((position >> (sizes.tree.depth - level)) & 1);
      std::uint64_t& word = bit % 128 < 64 ? choices[bit / 128].low : choices[bit / 128].high;
      word = (word & ~(std::uint64_t{1} << (bit % 64))) | (choice << (bit % 64));
    }
  }
  extension_.emplace(session_id_, *keys, std::move(input), work_.pool());
  TRY_STATUS(conversation_.send(MessageType::correction, extension_->correction()));
  extension_->forget_correction();
  return conversation_.flush();
}

Status Receiver::answer_challenge() {
  TRY(const Bytes challenge, conversation_.receive(MessageType::challenge, kChallengeBytes));
  TRY_STATUS(conversation_.send(MessageType::response, extension_->respond(crypto::load_block(challenge))));
  return conversation_.flush();
}

/// The pads of the chosen side, for all levels of all trees of the present instance.
crypto::SecretBlocks Receiver::chosen_pads() const {
  const Sizes& sizes = plan_.sizes;
  const std::size_t first = first_block() + kNoiseWeight + 1;
  const detail::PadHash hash(session_id_);
  crypto::SecretBlocks pads(128 * sizes.choice_blocks());
  for (std::size_t block = 0; block < sizes.choice_blocks(); ++block) {
    auto rows = extension_->columns().rows(first + block);
    hash(static_cast<std::uint32_t>(instance_), static_cast<std::uint32_t>(128 * block),
         extension_->input()[first + block], rows, pads.expose_mutable().subspan(128 * block, 128));
    sodium_memzero(rows.data(), sizeof rows);
  }
  return pads;
}

Receiver::Share Receiver::take_share() const {
  Share share{chosen_pads(), crypto::SecretBlocks(kNoiseWeight + 1), crypto::SecretBlocks(kNoiseWeight + 1)};
  for (std::size_t i = 0; i <= kNoiseWeight; ++i) {
    share.inputs.expose_mutable()[i] = extension_->input()[first_block() + i];
    share.values.expose_mutable()[i] = extension_->columns().packed(first_block() + i);
  }
  return share;
}

crypto::SecretArray<Receiver::Noise> Receiver::draw_noise(const Share& share) const {
  crypto::SecretArray<Noise> noise(kNoiseWeight);
  for (std::size_t i = 0; i < kNoiseWeight; ++i)
    noise.expose_mutable()[i] = {positions_.expose()[instance_ * kNoiseWeight + i], share.inputs.expose()[i]};
  return noise;
}

Status Receiver::next_instance() {
  assert(extension_ && instance_ < plan_.instances);
  const Share share = take_share();
  if (instance_ + 1 == plan_.instances) extension_.reset();  // before the leaves, which need more memory
  noise_ = draw_noise(share);
  TRY(const Bytes message, conversation_.receive(MessageType::trees, plan_.sizes.trees_bytes()));
  const Block challenge =
      crypto::load_block(Drbg(seed_, session_id_, "vole/tree-challenge").secret<kBlockBytes>(instance_).expose());
  TRY(const Block hash_of_leaves, grow_trees(share, message, challenge));
  TRY_STATUS(check_sender(share, challenge, hash_of_leaves));
  work_.phase("mixing");
  code_.emplace(detail::code_seed(session_id_, first_message(), instance_), plan_.sizes.outputs, plan_.sizes.inputs);
  code_->accumulate(redundant_.expose_mutable());
  ++instance_;
  return {};
}

/// Fills systematic_ and redundant_ with the leaves. @return the hash of all leaves of A under `challenge`.
Result<Block> Receiver::grow_trees(const Share& share, ByteView message, Block challenge) {
  const Sizes& sizes = plan_.sizes;
  const TreeSizes& tree = sizes.tree;
  if (systematic_.size() == 0) {
    systematic_ = crypto::SecretBlocks(sizes.outputs);
    redundant_ = crypto::SecretArray<BlockPair>(sizes.inputs - sizes.outputs);
  }
  crypto::SecretBlocks hashes(kNoiseWeight);
  const std::size_t tree_bytes = (2 * tree.depth + 1) * kBlockBytes;
  TRY_STATUS(work_.over(
      "expanding", kNoiseWeight,
      [&](std::size_t begin, std::size_t end) {
        TreeWorkspace workspace(tree);
        crypto::SecretBlocks leaves(tree.leaves);
        crypto::SecretBlocks known(tree.depth);
        for (std::size_t i = begin; i < end; ++i) {
          const ByteView received = message.subspan(i * tree_bytes, tree_bytes);
          const Noise& noise = noise_.expose()[i];
          for (std::size_t l = 0; l < tree.depth; ++l) {
            const Block left = crypto::load_block(received.subspan(2 * l * kBlockBytes));
            const Block right = crypto::load_block(received.subspan((2 * l + 1) * kBlockBytes));
            const std::uint64_t path = (noise.position >> (tree.depth - 1 - l)) & 1;
            known.expose_mutable()[l] =
                masked(left, path) ^ masked(right, 1 - path) ^ share.pads.expose()[i * tree.depth + l];
          }
          const Block others =
              grow_punctured(permutations_, tree, noise.position, known.expose(), leaves.expose_mutable(), workspace);
          const Block sum = crypto::load_block(received.subspan(2 * tree.depth * kBlockBytes));
          const Block at_position = sum ^ share.values.expose()[i] ^ others;
          add_at(leaves.expose_mutable(), noise.position, at_position);
          hashes.expose_mutable()[i] = crypto::gf_power_sum(challenge, leaves.expose());
          store_tree(i, noise, leaves.expose());
        }
        return std::optional<std::size_t>();
      },
      kTreesPerTask));
  // Leaf j of tree i has the power (i + 1) * leaves + j + 1.
  return crypto::gf_power_sum(crypto::gf_power(challenge, tree.leaves), hashes.expose());
}

/// Puts the leaves where the code takes them from, those of its second part beside the noise. Constant time in it.
void Receiver::store_tree(std::size_t tree, const Noise& noise, std::span<const Block> leaves) {
  const std::size_t first = tree * leaves.size();
  const std::size_t systematic = std::clamp(plan_.sizes.outputs, first, first + leaves.size()) - first;
  std::ranges::copy(leaves.first(systematic),
                    systematic_.expose_mutable().begin() + static_cast<std::ptrdiff_t>(first));
  if (systematic == leaves.size()) return;
  const std::span<BlockPair> pairs =
      redundant_.expose_mutable().subspan(first + systematic - plan_.sizes.outputs, leaves.size() - systematic);
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    pairs[i] = {leaves[systematic + i], masked_at(noise.value, noise.position, systematic + i)};
  }
}

/// The check against the sender (psi.md 2.2.5): one random linear combination of A = B + Delta C over all leaves, with
/// the noise hidden by a base correlation of its own.
Status Receiver::check_sender(const Share& share, Block challenge, Block hash_of_leaves) {
  const TreeSizes& tree = plan_.sizes.tree;
  crypto::SecretBlocks terms(kNoiseWeight);
  for (std::size_t i = 0; i < kNoiseWeight; ++i) {
    const Noise& noise = noise_.expose()[i];
    const Block power = gf_multiply(detail::power_of_secret(challenge, noise.position, tree.depth), challenge);
    terms.expose_mutable()[i] = gf_multiply(power, noise.value);
  }
  const Block hash_of_noise = crypto::gf_power_sum(crypto::gf_power(challenge, tree.leaves), terms.expose());
  const Block masked_hash = share.inputs.expose()[kNoiseWeight] ^ hash_of_noise;
  const Block ours = hash_of_leaves ^ share.values.expose()[kNoiseWeight];

  const std::array<Block, 2> question{challenge, masked_hash};
  TRY_STATUS(conversation_.send(MessageType::tree_challenge, bytes_of(question)));
  TRY_STATUS(conversation_.flush());
  TRY(const Bytes answer, conversation_.receive(MessageType::tree_response, sizeof(Digest)));
  if (!constant_time_equal(answer, detail::tree_check_hash(session_id_, instance_, ours)))
    return broken("the trees that it sent do not fit together.");
  return {};
}

// The first part of C is zero but at the noise of the trees that lie there.
void Receiver::outputs(std::size_t begin, std::span<Block> a, std::span<Block> c) const {
  assert(code_ && a.size() == c.size() && begin + a.size() <= plan_.sizes.outputs);
  std::ranges::copy(systematic_.expose().subspan(begin, a.size()), a.begin());
  std::ranges::fill(c, Block{});
  const std::size_t leaves = plan_.sizes.tree.leaves;
  for (std::size_t tree = begin / leaves; tree * leaves < begin + a.size(); ++tree) {
    const Noise& noise = noise_.expose()[tree];
    const std::size_t from = std::max(begin, tree * leaves);
    const std::size_t end = std::min(begin + a.size(), (tree + 1) * leaves);
    for (std::size_t i = from; i < end; ++i) c[i - begin] = masked_at(noise.value, noise.position, i - tree * leaves);
  }
  code_->expand(redundant_.expose(), begin, a, c);
}

}  // namespace parley::psi::vole
