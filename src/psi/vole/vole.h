// Silent vector oblivious linear evaluation over GF(2^128), secure against a malicious party (psi.md 2.2): the receiver
// gets vectors A and C, the sender a vector B and a scalar Delta with A = B + Delta C. The outline is that of Weng,
// Yang, Katz and Wang 2021 with the dual-LPN expansion of Boyle et al. 2019:
//   base transfers (base_ot.h) -> 128 columns, checked against the receiver (extension.h) -> trees (trees.h), checked
//   against the sender -> linear code (code.h).
// A long VOLE is made of instances, one after the other, each with noise of its own under the same Delta.
#pragma once

#include <optional>
#include <vector>

#include "psi/detail/conversation.h"
#include "psi/detail/work.h"
#include "psi/vole/code.h"
#include "psi/vole/extension.h"
#include "psi/vole/sizes.h"
#include "psi/vole/trees.h"

namespace parley::psi::vole {

class Receiver {
 public:
  Receiver(const Digest& session_id, const Secret<32>& seed, const Plan& plan, psi::detail::Conversation& conversation,
           psi::detail::Work& work);

  /// What the other side needs first (kBaseOtSenderBytes); the caller sends it.
  ByteView first_message() const { return base_.message().encoding(); }

  /// Takes the other side's first message (kBaseOtReceiverBytes) and sends the correction of all columns.
  Status extend(ByteView received);
  /// Answers the sender's check of the columns. Instances can follow.
  Status answer_challenge();

  /// Makes the next instance, with the check against the sender. The one before is gone then.
  /// @error Errc::protocol when the sender deviated in this instance (but with the probability that psi.md 2.2.5
  /// states)
  Status next_instance();

  /// a[i], c[i] = A, C at begin + i of the present instance. From any thread.
  /// Precondition: begin + a.size() <= sizes.outputs; a.size() == c.size().
  void outputs(std::size_t begin, std::span<crypto::Block> a, std::span<crypto::Block> c) const;

 private:
  struct Noise {
    std::uint32_t position;  // within its tree
    crypto::Block value;
  };

  /// What one instance takes from the extension.
  struct Share {
    crypto::SecretBlocks pads;    // of the chosen side, for all levels of all trees
    crypto::SecretBlocks inputs;  // c of each tree and, last, of the check against the sender
    crypto::SecretBlocks values;  // a of the same
  };

  std::size_t first_block() const { return instance_ * plan_.sizes.extension_blocks(); }
  Share take_share() const;
  crypto::SecretBlocks chosen_pads() const;
  crypto::SecretArray<Noise> draw_noise(const Share& share) const;
  Result<crypto::Block> grow_trees(const Share& share, ByteView message, crypto::Block challenge);
  void store_tree(std::size_t tree, const Noise& noise, std::span<const crypto::Block> leaves);
  Status check_sender(const Share& share, crypto::Block challenge, crypto::Block hash_of_leaves);

  Digest session_id_;
  const Secret<32>& seed_;
  Plan plan_;
  psi::detail::Conversation& conversation_;
  psi::detail::Work& work_;
  BaseOtSender base_;
  TreePermutations permutations_;
  std::optional<ExtensionReceiver> extension_;
  crypto::SecretArray<std::uint32_t> positions_;  // of all instances' noise
  std::size_t instance_ = 0;                      // the next one
  crypto::SecretArray<Noise> noise_;              // of the present instance
  std::optional<Code> code_;
  crypto::SecretBlocks systematic_;                   // A, first part
  crypto::SecretArray<crypto::BlockPair> redundant_;  // A and C, the part that the code accumulates
};

class Sender {
 public:
  Sender(const Digest& session_id, const Secret<32>& seed, const Plan& plan, psi::detail::Conversation& conversation,
         psi::detail::Work& work);

  /// What the other side needs first (kBaseOtReceiverBytes); the caller sends it.
  ByteView first_message() const { return base_.message(); }

  /// Takes the other side's first message (kBaseOtSenderBytes), receives its correction and checks it.
  /// @error Errc::protocol when the receiver deviated (but with the probability that psi.md 2.2.3 states)
  Status extend(ByteView received);

  /// Makes the next instance. The one before is gone then. Nothing of it leaves before extend() has succeeded.
  Status next_instance();

  /// b[i] = B at begin + i of the present instance. From any thread.
  void outputs(std::size_t begin, std::span<crypto::Block> b) const;
  const crypto::Block& delta() const { return delta_.expose()[0]; }

 private:
  std::size_t first_block() const { return instance_ * plan_.sizes.extension_blocks(); }
  Result<Bytes> grow_trees();
  crypto::SecretArray<std::array<crypto::Block, 2>> pads() const;
  Status answer_check();

  Digest session_id_;
  const Secret<32>& seed_;
  Plan plan_;
  psi::detail::Conversation& conversation_;
  psi::detail::Work& work_;
  crypto::SecretBlocks delta_;  // one block
  BaseOtReceiver base_;
  ByteArray<kBaseOtSenderBytes> receiver_message_{};
  TreePermutations permutations_;
  std::optional<ExtensionSender> extension_;  // only once it is verified
  std::size_t instance_ = 0;                  // the next one
  std::optional<Code> code_;
  crypto::SecretBlocks leaves_;  // B: systematic part, then the part that the code accumulates
};

}  // namespace parley::psi::vole
