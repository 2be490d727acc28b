// The 128 oblivious transfers that a run starts from (Masny and Rindal 2019, over ristretto255; psi.md 2.2.2): the
// sender gets two keys for each, the receiver the one that it chose, and neither learns more. What goes into the hashes
// makes one public key safe for a whole batch (McQuoid, Rosulek and Roy 2021).
#pragma once

#include <array>
#include <optional>
#include <vector>

#include "crypto/block.h"
#include "crypto/drbg.h"
#include "crypto/ristretto.h"
#include "crypto/secret_array.h"

namespace parley::psi::vole {

inline constexpr std::size_t kBaseOtCount = 128;
inline constexpr std::size_t kBaseOtSenderBytes = crypto::kElementBytes;
inline constexpr std::size_t kBaseOtReceiverBytes = kBaseOtCount * 2 * crypto::kElementBytes;

using BaseKey = Secret<32>;
using BaseKeyPair = std::array<BaseKey, 2>;

class BaseOtSender {
 public:
  /// @param coins  secret stream of this run for this use only.
  BaseOtSender(const Digest& session_id, const crypto::Drbg& coins);

  /// A (32 bytes); may be sent before anything is received.
  const crypto::Element& message() const { return public_key_; }

  /// Both keys of each transfer. Nothing when `received` holds an element that is not canonical or the identity.
  /// Precondition: received.size() == kBaseOtReceiverBytes.
  std::optional<std::vector<BaseKeyPair>> keys(ByteView received) const;

 private:
  Digest session_id_;
  crypto::Scalar secret_key_;
  crypto::Element public_key_;
};

class BaseOtReceiver {
 public:
  /// @param choices  bit j of the block is the choice in transfer j. Constant time in it.
  BaseOtReceiver(const Digest& session_id, crypto::Block choices, const crypto::Drbg& coins);

  /// R_0 || R_1 for each transfer (kBaseOtReceiverBytes).
  ByteView message() const { return message_; }

  /// The chosen key of each transfer. Nothing when `received` is not a canonical element or is the identity.
  /// Precondition: received.size() == kBaseOtSenderBytes.
  std::optional<std::vector<BaseKey>> keys(ByteView received) const;

 private:
  Digest session_id_;
  crypto::SecretBlocks choices_;  // one block
  std::vector<crypto::Scalar> secrets_;
  Bytes message_;
};

}  // namespace parley::psi::vole
