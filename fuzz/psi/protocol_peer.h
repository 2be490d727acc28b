// Both roles of a protocol against a peer that says anything. First byte: our role and the kind of reply.
// Then, for each message that an honest peer would send: how it is altered. Whatever arrives, nothing is learned that
// is not so: the run ends with an error of the peer's making, or with matches that both sides hold.
#pragma once

#include <algorithm>
#include <optional>
#include <thread>
#include <vector>

#include "check.h"
#include "psi/intersect/protocol.h"
#include "psi/memory_channel.h"

namespace parley::psi {

using MakeProtocol = std::unique_ptr<Protocol> (*)();

struct Message {
  MessageType type;
  Bytes payload;
  bool operator==(const Message&) const = default;
};

/// Takes values from the front of the fuzzer's bytes; zeros when they are used up.
class Choices {
 public:
  explicit Choices(ByteView bytes) : bytes_(bytes) {}
  std::uint8_t byte() {
    if (bytes_.empty()) return 0;
    const auto value = std::to_integer<std::uint8_t>(bytes_.front());
    bytes_ = bytes_.subspan(1);
    return value;
  }
  std::size_t number() { return std::size_t{byte()} << 8 | byte(); }
  /// At most `size` bytes.
  ByteView bytes(std::size_t size) {
    const ByteView front = bytes_.first(std::min(size, bytes_.size()));
    bytes_ = bytes_.subspan(front.size());
    return front;
  }

 private:
  ByteView bytes_;
};

/// Keeps what its owner sends.
class RecordingChannel final : public Channel {
 public:
  explicit RecordingChannel(Channel& inner) : inner_(inner) {}
  Status send(MessageType type, ByteView payload) override {
    sent.push_back({type, to_bytes(payload)});
    return inner_.send(type, payload);
  }
  Status flush() override { return inner_.flush(); }
  Result<Bytes> receive(MessageType type, std::size_t size_bytes) override { return inner_.receive(type, size_bytes); }
  Result<Bytes> receive_up_to(MessageType type, std::size_t limit_bytes) override {
    return inner_.receive_up_to(type, limit_bytes);
  }
  std::uint64_t bytes_sent() const override { return inner_.bytes_sent(); }
  std::uint64_t bytes_received() const override { return inner_.bytes_received(); }
  std::uint64_t rounds() const override { return inner_.rounds(); }

  std::vector<Message> sent;

 private:
  Channel& inner_;
};

// Elements 0..3 and 2..6: the receiver's positions 2, 3 and the sender's 0, 1 are common.
constexpr std::size_t kReceiverCount = 4;
constexpr std::size_t kSenderCount = 5;
constexpr std::size_t kCommon = 2;

inline Elements elements_of(Role role) {
  Elements elements;
  const std::size_t first = role == Role::receiver ? 0 : 2;
  const std::size_t count = role == Role::receiver ? kReceiverCount : kSenderCount;
  for (std::size_t i = first; i < first + count; ++i)
    elements.push_back(as_bytes("fuzzed element " + std::to_string(i)));
  return elements;
}

inline std::vector<std::size_t> common_positions(Role role) {
  return role == Role::receiver ? std::vector<std::size_t>{2, 3} : std::vector<std::size_t>{0, 1};
}

inline Result<Outcome> run(MakeProtocol make, Role role, Reply reply, Channel& channel) {
  ThreadPool pool(1);
  SilentProgress progress;
  const Parameters parameters{role, reply, {}, role == Role::receiver ? kSenderCount : kReceiverCount};
  return make()->run(parameters, elements_of(role), fixed_seed(role == Role::receiver ? 1 : 2), channel, pool,
                     progress);
}

/// What each role says to an honest peer, and the transcript that both end with.
struct HonestRun {
  std::vector<Message> by_receiver, by_sender;
  Digest transcript{};

  HonestRun(MakeProtocol make, Reply reply) {
    MemoryChannels channels = memory_channels();
    RecordingChannel sending(*channels.second);
    std::thread sender([&] { check(run(make, Role::sender, reply, sending).has_value()); });
    RecordingChannel receiving(*channels.first);
    const auto outcome = run(make, Role::receiver, reply, receiving);
    sender.join();
    check(outcome.has_value());
    transcript = outcome->transcript;
    by_receiver = std::move(receiving.sent);
    by_sender = std::move(sending.sent);
  }
};

inline const HonestRun& honest_run(MakeProtocol make, Reply reply) {
  static const HonestRun runs[] = {HonestRun(make, Reply::none), HonestRun(make, Reply::matched_tags),
                                   HonestRun(make, Reply::count)};
  return runs[static_cast<std::size_t>(reply)];
}

/// The message as the peer really sends it; nothing when it is left out.
inline std::optional<Message> altered(Message message, Choices& choices) {
  enum : std::uint8_t { as_it_is, bytes_changed, replaced, cut, longer, other_type, left_out, swapped, kWays };
  switch (choices.byte() % kWays) {
    case bytes_changed:
      for (int changes = choices.byte() % 8 + 1; changes > 0 && !message.payload.empty(); --changes) {
        const std::size_t at = choices.number() % message.payload.size();
        message.payload[at] = static_cast<std::byte>(choices.byte());
      }
      return message;
    case replaced: {
      const ByteView bytes = choices.bytes(message.payload.size());
      std::ranges::copy(bytes, message.payload.begin());
      return message;
    }
    case cut:
      message.payload.resize(choices.number() % (message.payload.size() + 1));
      return message;
    case longer:
      append(message.payload, choices.bytes(choices.number() % 256));
      return message;
    case other_type:
      message.type = static_cast<MessageType>(choices.number());
      return message;
    case left_out:
      return std::nullopt;
    case swapped: {  // records of 16 bytes, as tags are, or halves of elements
      const std::size_t records = message.payload.size() / 16;
      if (records < 2) return message;
      const auto record = [&] {
        return message.payload.begin() + static_cast<std::ptrdiff_t>(choices.byte() % records * 16);
      };
      const auto a = record();
      const auto b = record();
      if (a != b) std::swap_ranges(a, a + 16, b);
      return message;
    }
    default:
      return message;
  }
}

inline bool learns_positions(Role role, Reply reply) {
  return role == Role::receiver ? reply != Reply::count : reply == Reply::matched_tags;
}

/// One input. `make` is the same in every call of one program.
inline int fuzz_protocol(MakeProtocol make, const std::uint8_t* data, std::size_t size) {
  Choices choices(fuzz_bytes(data, size));
  const std::uint8_t which = choices.byte();
  const Role role = which % 2 == 0 ? Role::receiver : Role::sender;
  const Reply reply = static_cast<Reply>(which / 2 % 3);
  const HonestRun& honest = honest_run(make, reply);
  const std::vector<Message>& due = role == Role::receiver ? honest.by_sender : honest.by_receiver;

  MemoryChannels channels = memory_channels();
  std::vector<Message> said;
  for (const Message& message : due) {
    auto change = altered(message, choices);
    if (!change) continue;
    check(channels.second->send(change->type, change->payload).has_value());
    said.push_back(std::move(*change));
  }
  channels.second.reset();  // and leaves
  const auto outcome = run(make, role, reply, *channels.first);

  if (!outcome) {
    check(said != due);
    check(outcome.error().code == Errc::protocol || outcome.error().code == Errc::peer_gone);
    return 0;
  }
  // What was altered shows in the transcript, which both sign; a count is the receiver's word, but bounded.
  check((outcome->transcript == honest.transcript) == (said == due));
  check(outcome->count <= kReceiverCount);
  const std::vector<std::size_t> common = common_positions(role);
  check(outcome->matches.size() <= kCommon && (learns_positions(role, reply) || outcome->matches.empty()));
  for (const Match& match : outcome->matches) check(std::ranges::find(common, match.position) != common.end());
  if (said == due && learns_positions(role, reply)) check(outcome->matches.size() == kCommon);
  return 0;
}

}  // namespace parley::psi
