// What a protocol speaks to: ordered, reliable, whole messages. Over TLS in wire/, in memory in psi/memory_channel.h.
#pragma once

#include <cstdint>

#include "base/bytes.h"
#include "base/error.h"

namespace parley::psi {

/// Type of a protocol message; first field of a PSI_DATA payload (decisions.md 1).
enum class MessageType : std::uint16_t {
  public_key = 0x0101,
  blinded = 0x0102,
  evaluated = 0x0103,
  tags = 0x0104,
  matched_tags = 0x0105,
  matched_count = 0x0106,
  abort = 0x01ff,
  // The fast protocol (psi.md 2.2.7).
  receiver_hello = 0x0201,
  sender_hello = 0x0202,
  correction = 0x0203,
  challenge = 0x0204,
  response = 0x0205,
  trees = 0x0206,
  tree_challenge = 0x0207,
  tree_response = 0x0208,
  mask_share = 0x0209,
  encoding = 0x020a,
  mask_opening = 0x020b,
  tag_index = 0x020c,
  tag_part = 0x020d,
  proofs = 0x020e,
};

/// A blocking, ordered message channel to the peer. Implementations chunk, count bytes and keep deadlines.
class Channel {
 public:
  virtual ~Channel() = default;

  /// Queues one whole message.
  virtual Status send(MessageType type, ByteView payload) = 0;
  /// Everything queued is on its way when this returns.
  virtual Status flush() = 0;
  /// Waits for the next message, which must be of `type` and of exactly `size_bytes`; nothing is allocated for one that
  /// says otherwise.
  /// @error Errc::protocol, Errc::peer_gone
  virtual Result<Bytes> receive(MessageType type, std::size_t size_bytes) = 0;
  /// As receive, for the one message whose size the receiver cannot know: at most `limit_bytes`.
  virtual Result<Bytes> receive_up_to(MessageType type, std::size_t limit_bytes) = 0;

  virtual std::uint64_t bytes_sent() const = 0;
  virtual std::uint64_t bytes_received() const = 0;
  /// How often this side began to wait for the other after having sent: the number of round trips that the line's delay
  /// costs it.
  virtual std::uint64_t rounds() const = 0;
};

}  // namespace parley::psi
