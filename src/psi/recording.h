// What went over the channel in one run, kept so that somebody else can run the same side again and compare (psi.md
// 6.3): a channel that records, and one that plays a record back.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "psi/channel.h"
#include "psi/intersect/protocol.h"

namespace parley::psi {

/// One whole message as one side saw it pass.
struct RecordedMessage {
  bool sent = false;  ///< by the side whose record it is
  MessageType type = MessageType::abort;
  std::uint64_t size = 0;
  Digest hash{};  ///< SHA-256 of the payload
  Bytes payload;  ///< of what was received; empty for what was sent, which the seed gives again
};

/// The name of a message type in the documentation: "blinded", "encoding", ...
std::string_view name_of(MessageType type);

/// Passes everything on, and tells `take` of each message once it was sent or received whole.
class RecordingChannel final : public Channel {
 public:
  /// @param payload  of what was received or sent; valid during the call
  using Take = std::function<void(bool sent, MessageType type, ByteView payload)>;
  /// @param inner  outlives this
  RecordingChannel(Channel& inner, Take take) : inner_(inner), take_(std::move(take)) {}

  Status send(MessageType type, ByteView payload) override;
  Status flush() override { return inner_.flush(); }
  Result<Bytes> receive(MessageType type, std::size_t size_bytes) override;
  Result<Bytes> receive_up_to(MessageType type, std::size_t limit_bytes) override;
  std::uint64_t bytes_sent() const override { return inner_.bytes_sent(); }
  std::uint64_t bytes_received() const override { return inner_.bytes_received(); }
  std::uint64_t rounds() const override { return inner_.rounds(); }

 private:
  Result<Bytes> told(MessageType type, Result<Bytes> received);

  Channel& inner_;
  Take take_;
};

/// Gives a program the recorded messages to receive, and compares what it sends with what was sent. At the first
/// difference it fails, and says where it is.
class ReplayChannel final : public Channel {
 public:
  /// @param record  outlives this
  explicit ReplayChannel(std::span<const RecordedMessage> record) : record_(record) {}

  Status send(MessageType type, ByteView payload) override;
  Status flush() override { return {}; }
  Result<Bytes> receive(MessageType type, std::size_t size_bytes) override;
  Result<Bytes> receive_up_to(MessageType type, std::size_t limit_bytes) override;
  std::uint64_t bytes_sent() const override { return bytes_sent_; }
  std::uint64_t bytes_received() const override { return bytes_received_; }
  std::uint64_t rounds() const override { return 0; }

  /// The first difference, as a sentence; nothing while there is none.
  const std::optional<std::string>& difference() const { return difference_; }
  /// Messages of the record that the program did not ask for or send. 0 when it has gone through all of it.
  std::size_t left() const { return record_.size() - next_; }

 private:
  std::unexpected<Error> differs(std::string how);
  Result<Bytes> receive_between(MessageType type, std::size_t least, std::size_t most);
  std::string place() const;

  std::span<const RecordedMessage> record_;
  std::size_t next_ = 0;
  std::uint64_t bytes_sent_ = 0, bytes_received_ = 0;
  std::optional<std::string> difference_;
};

/// The transcript that a side of role `us` keeps of these messages (psi.md 0.3.3; docs/wire-format.md, "The
/// intersection"), from their hashes.
Digest transcript_of(const Digest& session_id, Role us, std::span<const RecordedMessage> messages);

}  // namespace parley::psi
