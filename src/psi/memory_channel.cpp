#include "psi/memory_channel.h"

#include <fmt/format.h>

#include <condition_variable>
#include <deque>
#include <mutex>
#include <utility>

#include "base/clock.h"

namespace parley::psi {
namespace {

struct Message {
  MessageType type;
  Bytes payload;
};

// One direction.
class Pipe {
 public:
  void put(Message message) {
    const std::lock_guard lock(mutex_);
    messages_.push_back(std::move(message));
    changed_.notify_one();
  }

  void close() {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    changed_.notify_one();
  }

  Result<Message> take(Deadline deadline) {
    std::unique_lock lock(mutex_);
    if (!changed_.wait_until(lock, deadline, [&] { return closed_ || !messages_.empty(); }))
      return fail(Errc::peer_gone, "The other side did not answer in time.");
    if (messages_.empty()) return fail(Errc::peer_gone, "The other side left in the middle of the protocol.");
    Message message = std::move(messages_.front());
    messages_.pop_front();
    return message;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Message> messages_;
  bool closed_ = false;
};

struct Pipes {
  Pipe forth, back;
};

class MemoryChannel final : public Channel {
 public:
  MemoryChannel(std::shared_ptr<Pipes> pipes, Pipe& out, Pipe& in, std::chrono::milliseconds wait)
      : pipes_(std::move(pipes)), out_(out), in_(in), wait_(wait) {}
  ~MemoryChannel() override { out_.close(); }
  MemoryChannel(const MemoryChannel&) = delete;
  MemoryChannel& operator=(const MemoryChannel&) = delete;

  Status send(MessageType type, ByteView payload) override {
    out_.put({type, to_bytes(payload)});
    bytes_sent_ += payload.size();
    sent_since_waiting_ = true;
    return {};
  }

  Status flush() override { return {}; }

  Result<Bytes> receive(MessageType type, std::size_t size_bytes) override {
    return receive_between(type, size_bytes, size_bytes);
  }

  Result<Bytes> receive_up_to(MessageType type, std::size_t limit_bytes) override {
    return receive_between(type, 0, limit_bytes);
  }

  std::uint64_t bytes_sent() const override { return bytes_sent_; }
  std::uint64_t bytes_received() const override { return bytes_received_; }
  std::uint64_t rounds() const override { return rounds_; }

 private:
  Result<Bytes> receive_between(MessageType type, std::size_t least, std::size_t most) {
    if (std::exchange(sent_since_waiting_, false)) ++rounds_;
    TRY(Message message, in_.take(deadline_in(wait_)));
    bytes_received_ += message.payload.size();
    if (message.type == MessageType::abort) return fail(Errc::protocol, "The other side gave up the run.");
    if (message.type != type) {
      return fail(Errc::protocol, fmt::format("Message 0x{:04x} arrived where 0x{:04x} was due.",
                                              static_cast<unsigned>(message.type), static_cast<unsigned>(type)));
    }
    if (message.payload.size() < least || message.payload.size() > most) {
      return fail(Errc::protocol,
                  fmt::format("The message is {} bytes long, {} to {} were due.", message.payload.size(), least, most));
    }
    return std::move(message.payload);
  }

  std::shared_ptr<Pipes> pipes_;  // outlives whichever end goes first
  Pipe& out_;
  Pipe& in_;
  std::chrono::milliseconds wait_;
  std::uint64_t bytes_sent_ = 0;
  std::uint64_t bytes_received_ = 0;
  std::uint64_t rounds_ = 0;
  bool sent_since_waiting_ = false;
};

}  // namespace

MemoryChannels memory_channels(std::chrono::milliseconds wait) {
  auto pipes = std::make_shared<Pipes>();
  return {std::make_unique<MemoryChannel>(pipes, pipes->forth, pipes->back, wait),
          std::make_unique<MemoryChannel>(pipes, pipes->back, pipes->forth, wait)};
}

}  // namespace parley::psi
