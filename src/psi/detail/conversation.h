// The messages of one run, sent and received in step with the transcript that both sides keep (psi.md 0.3.3).
#pragma once

#include <optional>

#include "crypto/transcript.h"
#include "psi/channel.h"
#include "psi/intersect/protocol.h"

namespace parley::psi::detail {

class Conversation {
 public:
  /// Direction 0 of the transcript is from the receiver to the sender: a run knows its roles, not who asked for it.
  Conversation(Channel& channel, const Digest& session_id, Role us)
      : channel_(channel), transcript_(session_id), ours_(us == Role::receiver ? 0 : 1) {}

  Status send(MessageType type, ByteView payload);
  /// Sends a message that crosses the other side's next one on the line: the transcript takes it in after that one.
  Status send_across(MessageType type, ByteView payload);
  Status flush() { return channel_.flush(); }
  Result<Bytes> receive(MessageType type, std::size_t size_bytes);
  Result<Bytes> receive_up_to(MessageType type, std::size_t limit_bytes);

  /// Tells the other side, as far as it still listens, that this run is over. The reason stays here.
  void give_up();

  const Digest& transcript() const { return transcript_.value(); }

 private:
  Result<Bytes> absorb(MessageType type, Result<Bytes> received);

  Channel& channel_;
  crypto::Transcript transcript_;
  std::uint8_t ours_;
  std::optional<std::pair<MessageType, Bytes>> across_;  // sent, and not in the transcript yet
};

}  // namespace parley::psi::detail
