#include "psi/detail/conversation.h"

namespace parley::psi::detail {

Status Conversation::send(MessageType type, ByteView payload) {
  transcript_.absorb(ours_, static_cast<std::uint16_t>(type), payload);
  return channel_.send(type, payload);
}

Status Conversation::send_across(MessageType type, ByteView payload) {
  across_.emplace(type, to_bytes(payload));
  return channel_.send(type, payload);
}

Result<Bytes> Conversation::receive(MessageType type, std::size_t size_bytes) {
  return absorb(type, channel_.receive(type, size_bytes));
}

Result<Bytes> Conversation::receive_up_to(MessageType type, std::size_t limit_bytes) {
  return absorb(type, channel_.receive_up_to(type, limit_bytes));
}

Result<Bytes> Conversation::absorb(MessageType type, Result<Bytes> received) {
  const std::uint8_t theirs = ours_ ^ 1;
  if (received) transcript_.absorb(theirs, static_cast<std::uint16_t>(type), *received);
  if (received && across_) {
    transcript_.absorb(ours_, static_cast<std::uint16_t>(across_->first), across_->second);
    across_.reset();
  }
  return received;
}

void Conversation::give_up() {
  // Nothing can be done about a channel that fails here: the run has failed already.
  if (channel_.send(MessageType::abort, {})) static_cast<void>(channel_.flush());
}

}  // namespace parley::psi::detail
