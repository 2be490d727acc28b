// Whole protocol messages over a link, in chunks. The link's own thread takes frames while we send, so that both sides
// may send at once.
#include "wire/psi_channel.h"

#include <fmt/format.h>

#include <algorithm>

namespace parley::wire {
namespace {

class LinkChannel final : public psi::Channel {
 public:
  LinkChannel(Link& link, std::uint16_t suite, Deadline deadline, std::size_t ahead_bytes)
      : link_(link), suite_(suite), deadline_(deadline), ahead_bytes_(ahead_bytes) {}

  Status send(psi::MessageType type, ByteView payload) override {
    const std::uint64_t total = payload.size();
    sent_since_waiting_ = true;
    const Ahead ahead(link_, ahead_bytes_);
    do {
      const ByteView part = payload.first(std::min(payload.size(), kChunkBytes));
      payload = payload.subspan(part.size());
      chunk_.clear();
      append_chunk_head(chunk_, {static_cast<std::uint16_t>(type), next_sent_++, suite_, total});
      append(chunk_, part);
      TRY_STATUS(link_.send_until(FrameType::psi_data, chunk_, deadline_));
      bytes_sent_ += kFrameHeadBytes + chunk_.size();
    } while (!payload.empty());
    return {};
  }

  Status flush() override { return {}; }  // send() hands everything to TCP

  Result<Bytes> receive(psi::MessageType type, std::size_t size_bytes) override {
    return receive_between(type, size_bytes, size_bytes);
  }

  Result<Bytes> receive_up_to(psi::MessageType type, std::size_t limit_bytes) override {
    return receive_between(type, 0, limit_bytes);
  }

  std::uint64_t bytes_sent() const override { return bytes_sent_; }
  std::uint64_t bytes_received() const override { return bytes_received_; }
  std::uint64_t rounds() const override { return rounds_; }

 private:
  /// Nobody may run ahead but while we send.
  struct Ahead {
    Ahead(Link& of, std::size_t bytes) : link(of) { link.let_run_ahead(bytes); }
    ~Ahead() { link.let_run_ahead(0); }
    Ahead(const Ahead&) = delete;
    Ahead& operator=(const Ahead&) = delete;
    Link& link;
  };

  std::unexpected<Error> refuse(std::string why) const {
    return fail(Errc::protocol, "The other side broke the protocol: " + std::move(why), link_.peer().name);
  }

  Result<Bytes> receive_between(psi::MessageType type, std::uint64_t least, std::uint64_t most) {
    if (std::exchange(sent_since_waiting_, false)) ++rounds_;
    Bytes message;
    std::optional<std::uint64_t> total;
    do {
      TRY(const Frame frame, link_.receive(deadline_));
      TRY(const ChunkHead head, judge(frame, type));
      if (!total && (head.total_bytes < least || head.total_bytes > most)) {
        return refuse(fmt::format("its message is {} bytes long, {} to {} were due.", head.total_bytes, least, most));
      }
      if (total.value_or(head.total_bytes) != head.total_bytes)
        return refuse("the length of a message changed on its way.");
      if (!total) message.reserve(head.total_bytes);
      total = head.total_bytes;
      const ByteView part = ByteView(frame.payload).subspan(kChunkHeadBytes);
      if (part.size() != std::min<std::uint64_t>(kChunkBytes, *total - message.size()))
        return refuse("a chunk is not of its due size.");
      append(message, part);
    } while (message.size() < *total);
    return message;
  }

  Result<ChunkHead> judge(const Frame& frame, psi::MessageType type) {
    if (frame.type == FrameType::bye)
      return fail(Errc::peer_gone, "The other side left in the middle of the protocol.", link_.peer().name);
    if (frame.type != FrameType::psi_data) {
      return refuse(
          fmt::format("a frame of type {} arrived where protocol data was due.", static_cast<int>(frame.type)));
    }
    bytes_received_ += kFrameHeadBytes + frame.payload.size();
    const auto head = read_chunk_head(frame.payload);
    if (!head) return refuse("a chunk is too short for its head.");
    if (head->sequence != next_received_)
      return refuse(fmt::format("chunk {} arrived where {} was due.", head->sequence, next_received_));
    ++next_received_;
    if (head->suite != suite_)
      return refuse(fmt::format("it speaks suite 0x{:04x}, 0x{:04x} was agreed.", head->suite, suite_));
    if (head->type == static_cast<std::uint16_t>(psi::MessageType::abort)) return refuse("it gave up the run.");
    if (head->type != static_cast<std::uint16_t>(type)) {
      return refuse(fmt::format("message 0x{:04x} arrived where 0x{:04x} was due.", head->type,
                                static_cast<std::uint16_t>(type)));
    }
    return *head;
  }

  Link& link_;
  std::uint16_t suite_;
  Deadline deadline_;
  std::size_t ahead_bytes_;
  Bytes chunk_;
  std::uint32_t next_sent_ = 0;
  std::uint32_t next_received_ = 0;
  std::uint64_t bytes_sent_ = 0;
  std::uint64_t bytes_received_ = 0;
  std::uint64_t rounds_ = 0;
  bool sent_since_waiting_ = false;
};

}  // namespace

void append_chunk_head(Bytes& out, const ChunkHead& head) {
  append_be(out, head.type);
  append_be(out, head.sequence);
  append_be(out, head.suite);
  append_be(out, head.total_bytes);
}

std::optional<ChunkHead> read_chunk_head(ByteView payload) {
  if (payload.size() < kChunkHeadBytes) return std::nullopt;
  return ChunkHead{read_be<std::uint16_t>(payload), read_be<std::uint32_t>(payload.subspan(2)),
                   read_be<std::uint16_t>(payload.subspan(6)), read_be<std::uint64_t>(payload.subspan(8))};
}

std::unique_ptr<psi::Channel> psi_channel(Link& link, std::uint16_t suite, Deadline deadline, std::size_t ahead_bytes) {
  return std::make_unique<LinkChannel>(link, suite, deadline, ahead_bytes);
}

}  // namespace parley::wire
