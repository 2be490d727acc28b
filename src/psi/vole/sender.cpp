// The sender's side of vole.h.
#include <algorithm>
#include <cassert>

#include "crypto/gf128.h"
#include "psi/detail/fault.h"
#include "psi/vole/detail/pads.h"
#include "psi/vole/vole.h"

namespace parley::psi::vole {
namespace {

using crypto::Block;
using crypto::Drbg;
using crypto::kBlockBytes;
using psi::detail::broken;

constexpr std::size_t kTreesPerTask = 8;

crypto::SecretBlocks draw_delta(const Digest& session_id, const Secret<32>& seed) {
  crypto::SecretBlocks delta(1);
  Drbg(seed, session_id, "vole/delta").fill(0, mutable_bytes_of(delta.expose_mutable()));
  return delta;
}

}  // namespace

Sender::Sender(const Digest& session_id, const Secret<32>& seed, const Plan& plan,
               psi::detail::Conversation& conversation, psi::detail::Work& work)
    : session_id_(session_id),
      seed_(seed),
      plan_(plan),
      conversation_(conversation),
      work_(work),
      delta_(draw_delta(session_id, seed)),
      base_(session_id, delta(), Drbg(seed, session_id, "vole/base-ot")),
      permutations_(session_id) {}

Status Sender::extend(ByteView received) {
  std::ranges::copy(received, receiver_message_.begin());
  const auto keys = base_.keys(received);
  if (!keys) return broken("its key for the oblivious transfers is no element of the group.");
  const std::size_t blocks = plan_.extension_blocks();
  TRY(const Bytes correction, conversation_.receive(MessageType::correction, kColumns * blocks * kBlockBytes));
  ExtensionSender extension(session_id_, delta(), *keys, blocks, correction, work_.pool());

  const Secret<kBlockBytes> challenge = Drbg(seed_, session_id_, "vole/challenge").secret<kBlockBytes>(0);
  TRY_STATUS(conversation_.send(MessageType::challenge, challenge.expose()));
  TRY_STATUS(conversation_.flush());
  TRY(const Bytes response, conversation_.receive(MessageType::response, kResponseBytes));
  if (!extension.verify(crypto::load_block(challenge.expose()), response))
    return broken("its columns of the oblivious transfers differ.");
  extension_.emplace(std::move(extension));
  return {};
}

Status Sender::next_instance() {
  assert(extension_ && instance_ < plan_.instances);
  TRY(const Bytes message, grow_trees());
  TRY_STATUS(conversation_.send(MessageType::trees, message));
  TRY_STATUS(conversation_.flush());
  TRY_STATUS(answer_check());
  work_.phase("mixing");
  code_.emplace(detail::code_seed(session_id_, receiver_message_, instance_), plan_.sizes.outputs, plan_.sizes.inputs);
  code_->accumulate(leaves_.expose_mutable().subspan(plan_.sizes.outputs));
  ++instance_;
  return {};
}

/// The pads of both sides, for all levels of all trees of the present instance.
crypto::SecretArray<std::array<Block, 2>> Sender::pads() const {
  const Sizes& sizes = plan_.sizes;
  const std::size_t first = first_block() + kNoiseWeight + 1;
  const detail::PadHash hash(session_id_);
  crypto::SecretArray<std::array<Block, 2>> pads(128 * sizes.choice_blocks());
  crypto::SecretBlocks side(kColumns);
  for (std::size_t block = 0; block < sizes.choice_blocks(); ++block) {
    auto rows = extension_->columns().rows(first + block);
    for (std::uint64_t choice = 0; choice < 2; ++choice) {
      const Block choices = crypto::masked({~std::uint64_t{0}, ~std::uint64_t{0}}, choice);
      hash(static_cast<std::uint32_t>(instance_), static_cast<std::uint32_t>(128 * block), choices, rows,
           side.expose_mutable());
      for (std::size_t n = 0; n < kColumns; ++n) pads.expose_mutable()[128 * block + n][choice] = side.expose()[n];
      for (Block& row : rows) row ^= delta();
    }
    sodium_memzero(rows.data(), sizeof rows);
  }
  return pads;
}

/// Fills leaves_. @return what the receiver needs of the trees: the sums of each level under the pads, and of all
/// leaves and stubs under b_i.
Result<Bytes> Sender::grow_trees() {
  const Sizes& sizes = plan_.sizes;
  const TreeSizes& tree = sizes.tree;
  if (leaves_.size() == 0) leaves_ = crypto::SecretBlocks(sizes.inputs);
  const auto pads = this->pads();
  crypto::SecretBlocks roots(kNoiseWeight);
  static_assert(Drbg::kBlockBytes == 4 * kBlockBytes && kNoiseWeight % 4 == 0);
  Drbg(seed_, session_id_, "vole/roots").fill(instance_ * kNoiseWeight / 4, mutable_bytes_of(roots.expose_mutable()));
  const std::size_t tree_bytes = (2 * tree.depth + 1) * kBlockBytes;
  Bytes message(kNoiseWeight * tree_bytes);
  TRY_STATUS(work_.over(
      "expanding", kNoiseWeight,
      [&](std::size_t begin, std::size_t end) {
        TreeWorkspace workspace(tree);
        crypto::SecretArray<LevelSums> sums(tree.depth);
        for (std::size_t i = begin; i < end; ++i) {
          const Block all = grow(permutations_, tree, roots.expose()[i], sums.expose_mutable(),
                                 leaves_.expose_mutable().subspan(i * tree.leaves, tree.leaves), workspace);
          const MutableByteView out = MutableByteView(message).subspan(i * tree_bytes, tree_bytes);
          for (std::size_t l = 0; l < tree.depth; ++l) {
            const auto& pad = pads.expose()[i * tree.depth + l];
            crypto::store_block(sums.expose()[l].left ^ pad[0], out.subspan(2 * l * kBlockBytes));
            crypto::store_block(sums.expose()[l].right ^ pad[1], out.subspan((2 * l + 1) * kBlockBytes));
          }
          crypto::store_block(all ^ extension_->columns().packed(first_block() + i),
                              out.subspan(2 * tree.depth * kBlockBytes));
        }
        return std::optional<std::size_t>();
      },
      kTreesPerTask));
  return message;
}

Status Sender::answer_check() {
  const TreeSizes& tree = plan_.sizes.tree;
  TRY(const Bytes question, conversation_.receive(MessageType::tree_challenge, 2 * kBlockBytes));
  const Block challenge = crypto::load_block(question);
  const Block masked_hash = crypto::load_block(ByteView(question).subspan(kBlockBytes));
  crypto::SecretBlocks hashes(kNoiseWeight);
  work_.pool().parallel_for(kNoiseWeight, kTreesPerTask, [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i)
      hashes.expose_mutable()[i] =
          crypto::gf_power_sum(challenge, leaves_.expose().subspan(i * tree.leaves, tree.leaves));
  });
  const Block value = crypto::gf_power_sum(crypto::gf_power(challenge, tree.leaves), hashes.expose()) ^
                      extension_->columns().packed(first_block() + kNoiseWeight) ^ gf_multiply(delta(), masked_hash);
  TRY_STATUS(conversation_.send(MessageType::tree_response, detail::tree_check_hash(session_id_, instance_, value)));
  return conversation_.flush();
}

void Sender::outputs(std::size_t begin, std::span<Block> b) const {
  assert(code_ && begin + b.size() <= plan_.sizes.outputs);
  std::ranges::copy(leaves_.expose().subspan(begin, b.size()), b.begin());
  code_->expand(leaves_.expose().subspan(plan_.sizes.outputs), begin, b);
}

}  // namespace parley::psi::vole
