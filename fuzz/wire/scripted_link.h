// A link whose other side says what the fuzzer made up, byte for byte.
#pragma once

#include <cstring>

#include "wire/frame.h"
#include "wire/link.h"

namespace parley::wire {

class ScriptedLink final : public Link {
 public:
  ScriptedLink(PinnedPeer peer, ByteView incoming) : peer_(std::move(peer)), incoming_(incoming) {}

  const PinnedPeer& peer() const override { return peer_; }
  const Digest& exporter() const override { return exporter_; }
  UnixSeconds peer_time() const override { return 0; }
  Status send(FrameType, ByteView payload) override {
    bytes_sent_ += payload.size();
    return {};
  }
  Status send_until(FrameType type, ByteView payload, Deadline) override { return send(type, payload); }
  Result<Frame> receive(Deadline) override {
    while (!incoming_.empty()) {
      const MutableByteView room = reader_.room();
      const std::size_t count = std::min(room.size(), incoming_.size());
      std::memcpy(room.data(), incoming_.data(), count);
      incoming_ = incoming_.subspan(count);
      bytes_received_ += count;
      TRY(auto frame, reader_.took(count));
      if (frame) return std::move(*frame);
    }
    return fail(Errc::peer_gone, "The script is over.");
  }
  Result<bool> wait_readable(Deadline) override { return !incoming_.empty(); }
  std::uint64_t bytes_sent() const override { return bytes_sent_; }
  std::uint64_t bytes_received() const override { return bytes_received_; }
  std::chrono::microseconds round_trip() const override { return {}; }
  void let_run_ahead(std::size_t) override {}
  void close(Error) override { incoming_ = {}; }

 private:
  PinnedPeer peer_;
  Digest exporter_{};
  ByteView incoming_;
  FrameReader reader_{kMaxFrameBytes};
  std::uint64_t bytes_sent_ = 0;
  std::uint64_t bytes_received_ = 0;
};

}  // namespace parley::wire
