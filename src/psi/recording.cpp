#include "psi/recording.h"

#include <fmt/format.h>

#include <array>
#include <utility>

#include "base/encoding.h"
#include "crypto/hash.h"
#include "crypto/transcript.h"

namespace parley::psi {
namespace {

constexpr std::array<std::pair<MessageType, std::string_view>, 21> kNames{{
    {MessageType::public_key, "public_key"},
    {MessageType::blinded, "blinded"},
    {MessageType::evaluated, "evaluated"},
    {MessageType::tags, "tags"},
    {MessageType::matched_tags, "matched_tags"},
    {MessageType::matched_count, "matched_count"},
    {MessageType::abort, "abort"},
    {MessageType::receiver_hello, "receiver_hello"},
    {MessageType::sender_hello, "sender_hello"},
    {MessageType::correction, "correction"},
    {MessageType::challenge, "challenge"},
    {MessageType::response, "response"},
    {MessageType::trees, "trees"},
    {MessageType::tree_challenge, "tree_challenge"},
    {MessageType::tree_response, "tree_response"},
    {MessageType::mask_share, "mask_share"},
    {MessageType::encoding, "encoding"},
    {MessageType::mask_opening, "mask_opening"},
    {MessageType::tag_index, "tag_index"},
    {MessageType::tag_part, "tag_part"},
    {MessageType::proofs, "proofs"},
}};

constexpr std::size_t kShownHashBytes = 8;

std::string short_hash(const Digest& hash) {
  return to_hex(ByteView(hash).first(kShownHashBytes));
}

}  // namespace

std::string_view name_of(MessageType type) {
  for (const auto& [known, name] : kNames)
    if (known == type) return name;
  return "unknown";
}

// --- recording ------------------------------------------------------------------------------------------------------

Status RecordingChannel::send(MessageType type, ByteView payload) {
  TRY_STATUS(inner_.send(type, payload));
  take_(true, type, payload);
  return {};
}

Result<Bytes> RecordingChannel::receive(MessageType type, std::size_t size_bytes) {
  return told(type, inner_.receive(type, size_bytes));
}

Result<Bytes> RecordingChannel::receive_up_to(MessageType type, std::size_t limit_bytes) {
  return told(type, inner_.receive_up_to(type, limit_bytes));
}

Result<Bytes> RecordingChannel::told(MessageType type, Result<Bytes> received) {
  if (received) take_(false, type, *received);
  return received;
}

// --- playing back ---------------------------------------------------------------------------------------------------

std::string ReplayChannel::place() const {
  return fmt::format("message {} of {}", next_ + 1, record_.size());
}

std::unexpected<Error> ReplayChannel::differs(std::string how) {
  if (!difference_) difference_ = std::move(how);
  return fail(Errc::protocol, *difference_);
}

Status ReplayChannel::send(MessageType type, ByteView payload) {
  if (difference_) return {};  // the run is being given up
  if (next_ == record_.size())
    return differs(fmt::format("After the last message of the record its program sends one more ({}).", name_of(type)));
  const RecordedMessage& was = record_[next_];
  if (!was.sent || was.type != type)
    return differs(fmt::format("At {} its program sends {}, where {} was {}.", place(), name_of(type),
                               name_of(was.type), was.sent ? "sent" : "received"));
  if (const Digest hash = crypto::sha256(payload); was.size != payload.size() || was.hash != hash)
    return differs(
        fmt::format("At {} ({}) it sent {} bytes with the hash {}, and its program, from the seed and the set "
                    "that it had committed to, sends {} bytes with the hash {}.",
                    place(), name_of(type), was.size, short_hash(was.hash), payload.size(), short_hash(hash)));
  bytes_sent_ += payload.size();
  ++next_;
  return {};
}

Result<Bytes> ReplayChannel::receive(MessageType type, std::size_t size_bytes) {
  return receive_between(type, size_bytes, size_bytes);
}

Result<Bytes> ReplayChannel::receive_up_to(MessageType type, std::size_t limit_bytes) {
  return receive_between(type, 0, limit_bytes);
}

Result<Bytes> ReplayChannel::receive_between(MessageType type, std::size_t least, std::size_t most) {
  if (next_ == record_.size())
    return differs(fmt::format("The record ends where its program waits for {}.", name_of(type)));
  const RecordedMessage& was = record_[next_];
  if (was.sent || was.type != type)
    return differs(fmt::format("At {} its program waits for {}, where {} was {}.", place(), name_of(type),
                               name_of(was.type), was.sent ? "sent" : "received"));
  if (was.payload.size() < least || was.payload.size() > most)
    return differs(fmt::format("At {} it says that it received {} bytes of {}, which its program would have refused.",
                               place(), was.payload.size(), name_of(type)));
  bytes_received_ += was.payload.size();
  ++next_;
  return was.payload;
}

Digest transcript_of(const Digest& session_id, Role us, std::span<const RecordedMessage> messages) {
  crypto::Transcript transcript(session_id);
  const std::uint8_t ours = us == Role::receiver ? 0 : 1;
  const auto absorb = [&](const RecordedMessage& message) {
    transcript.absorb_hashed(message.sent ? ours : ours ^ 1, static_cast<std::uint16_t>(message.type), message.size,
                             message.hash);
  };
  // The sender's hello crosses the receiver's on the line, and stands behind it in the transcript on both sides.
  const RecordedMessage* across = nullptr;
  for (const RecordedMessage& message : messages) {
    if (message.sent && message.type == MessageType::sender_hello) {
      across = &message;
      continue;
    }
    absorb(message);
    if (across != nullptr && !message.sent) absorb(*std::exchange(across, nullptr));
  }
  return transcript.value();
}

}  // namespace parley::psi
