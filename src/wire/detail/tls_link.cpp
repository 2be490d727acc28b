// The reading thread, the queue, and the sending side of a link.
#include "wire/detail/tls_link.h"

#include <fmt/format.h>
#include <poll.h>

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <thread>

#include "base/text.h"
#include "wire/frame.h"

namespace parley::wire::detail {
namespace {

/// What a queued frame costs besides its payload.
constexpr std::size_t kQueuedFrameBytes = 64;
/// Frames other than PSI_DATA and BODY (log.md 3.1): this many a second, more wait their turn.
constexpr double kControlFramesPerSecond = 64;
/// How long a link that is closed waits for the other side to take what was sent last.
constexpr std::chrono::milliseconds kLinger = std::chrono::seconds(2);
constexpr std::size_t kTlsRecordBytes = 16384;  // RFC 8446 5.1
constexpr std::size_t kShownCodeBytes = 32;

/// Bounds the rate of control frames by waiting, so that a burst of honest ones is not an offence.
class TokenBucket {
 public:
  /// When the next frame may be looked at; the past means now.
  Deadline take() {
    const Deadline now = Monotonic::now();
    const double seconds = std::chrono::duration<double>(now - refilled_).count();
    tokens_ = std::min(kControlFramesPerSecond, tokens_ + seconds * kControlFramesPerSecond) - 1;
    refilled_ = now;
    if (tokens_ >= 0) return now;
    return now + std::chrono::duration_cast<Monotonic::duration>(
                     std::chrono::duration<double>(-tokens_ / kControlFramesPerSecond));
  }

 private:
  double tokens_ = kControlFramesPerSecond;
  Deadline refilled_ = Monotonic::now();
};

class TlsLink final : public Link {
 public:
  TlsLink(std::unique_ptr<TlsStream> stream, PinnedPeer peer, const Digest& exporter, UnixSeconds peer_time,
          const Limits& limits)
      : stream_(std::move(stream)),
        peer_(std::move(peer)),
        exporter_(exporter),
        peer_time_(peer_time),
        limits_(limits),
        reader_([this] { read_frames(); }) {}

  ~TlsLink() override {
    say_farewell();
    stream_->shut_down();
    reader_.join();
  }

  const PinnedPeer& peer() const override { return peer_; }
  const Digest& exporter() const override { return exporter_; }
  UnixSeconds peer_time() const override {
    return peer_time_ + std::chrono::duration_cast<std::chrono::seconds>(Monotonic::now() - opened_).count();
  }
  std::uint64_t bytes_sent() const override { return stream_->bytes_sent(); }
  std::uint64_t bytes_received() const override { return stream_->bytes_received(); }
  std::chrono::microseconds round_trip() const override { return stream_->round_trip(); }

  Status send(FrameType type, ByteView payload) override {
    return send_until(type, payload, deadline_in(limits_.send));
  }
  Status send_until(FrameType type, ByteView payload, Deadline deadline) override;
  Result<Frame> receive(Deadline deadline) override;
  Result<bool> wait_readable(Deadline deadline) override;
  void let_run_ahead(std::size_t bytes) override {
    const std::lock_guard lock(mutex_);
    ahead_bytes_ = std::min(bytes, kMaxAheadBytes);
  }
  void close(Error why) override;

 private:
  void read_frames();
  Error read_until_the_end();
  Result<bool> wait_for_room();
  Status wait_for_bytes(short wanted, Deadline silent_after);
  Status deliver(Frame frame);
  void keep_alive();

  Status write(ByteView bytes, Deadline deadline);
  Result<bool> wait_to_write(short wanted, Deadline deadline);
  Result<bool> wait_for_frame(std::unique_lock<std::mutex>& lock, Deadline deadline);
  Error end_error(const Error& seen);
  Error not_taken() const {
    return {Errc::peer_gone, "The other side did not take what was sent to it in time.", peer_.name};
  }
  void say_farewell();

  bool has_room() const { return queued_bytes_ < kMaxUnreadBytes + (sender_waits_ ? ahead_bytes_ : 0); }

  std::unique_ptr<TlsStream> stream_;
  PinnedPeer peer_;
  Digest exporter_;
  UnixSeconds peer_time_;  ///< at opened_
  Deadline opened_ = Monotonic::now();
  Limits limits_;

  std::mutex send_mutex_;   ///< one frame at a time
  bool frame_cut_ = false;  ///< a frame was begun and not ended: nothing can follow it; by send_mutex_
  std::atomic<Deadline> last_sent_{Monotonic::now()};
  TokenBucket control_frames_;  ///< the reader's

  std::mutex mutex_;  ///< guards all that follows
  std::condition_variable changed_;
  std::deque<Frame> queue_;
  std::size_t queued_bytes_ = 0;
  bool sender_waits_ = false;
  std::size_t ahead_bytes_ = 0;
  bool closing_ = false;
  std::optional<Error> closed_;  ///< on this side, and why
  std::optional<Error> end_;     ///< why the reader ended

  std::thread reader_;  ///< last: it uses everything above
};

// --- the reading thread --------------------------------------------------------------------------------------------

void TlsLink::read_frames() {
  Error end = read_until_the_end();
  end.where = peer_.name;
  {
    const std::lock_guard lock(mutex_);
    end_ = std::move(end);
  }
  changed_.notify_all();
  stream_->finish_writing();
  stream_->shut_down();
}

Error TlsLink::read_until_the_end() {
  FrameReader frames(kMaxFrameBytes);
  Deadline silent_after = deadline_in(limits_.idle);
  for (;;) {
    const auto waited = wait_for_room();
    if (!waited) return waited.error();
    if (*waited) silent_after = deadline_in(limits_.idle);  // it was us who did not listen
    const auto attempt = stream_->try_read(frames.room());
    if (!attempt) return attempt.error();
    if (attempt->done == 0) {
      if (Status heard = wait_for_bytes(attempt->wanted, silent_after); !heard) return heard.error();
      continue;
    }
    silent_after = deadline_in(limits_.idle);
    auto frame = frames.took(attempt->done);
    if (!frame) return frame.error();
    if (!*frame) continue;
    if (Status delivered = deliver(std::move(**frame)); !delivered) return delivered.error();
  }
}

/// While the queue is full nothing is read; we still show that we live. @return whether there was a wait
Result<bool> TlsLink::wait_for_room() {
  bool waited = false;
  std::unique_lock lock(mutex_);
  while (!has_room() && !closing_ && !closed_) {
    waited = true;
    changed_.wait_for(lock, limits_.ping);
    lock.unlock();
    keep_alive();
    lock.lock();
  }
  if (closed_) return std::unexpected(*closed_);
  return waited;
}

Status TlsLink::wait_for_bytes(short wanted, Deadline silent_after) {
  const Deadline ping_at = last_sent_.load() + limits_.ping;
  TRY(const bool ready, stream_->wait(wanted, std::min(ping_at, silent_after)));
  if (ready) return {};
  if (Monotonic::now() >= silent_after) {
    return fail(Errc::peer_gone, fmt::format("Nothing was heard for {} s; the connection is closed.",
                                             std::chrono::duration_cast<std::chrono::seconds>(limits_.idle).count()));
  }
  keep_alive();
  return {};
}

Status TlsLink::deliver(Frame frame) {
  switch (frame.type) {
    case FrameType::err:
      return std::unexpected(error_from(frame));
    case FrameType::hello_s:
    case FrameType::hello_c:
      return fail(Errc::protocol, "It sent a second Hello.");
    case FrameType::psi_data:
    case FrameType::opening:
      break;
    default: {
      TRY(const bool unexpected, stream_->wait(0, control_frames_.take()));
      static_cast<void>(unexpected);
    }
  }
  if (frame.type == FrameType::ping) return {};
  {
    const std::lock_guard lock(mutex_);
    if (closing_) return {};
    queued_bytes_ += frame.payload.size() + kQueuedFrameBytes;
    queue_.push_back(std::move(frame));
  }
  changed_.notify_all();
  return {};
}

/// Sends a ping if we have been silent, but never waits for it: a reader that waits to write could wait for ever.
void TlsLink::keep_alive() {
  if (Monotonic::now() < last_sent_.load() + limits_.ping) return;
  const std::unique_lock sending(send_mutex_, std::try_to_lock);
  last_sent_ = Monotonic::now();
  if (!sending || frame_cut_ || !stream_->writable_now()) return;
  const auto ping = frame_head(FrameType::ping, 0);
  static_cast<void>(write(ping, Monotonic::now()));
}

// --- sending -------------------------------------------------------------------------------------------------------

Status TlsLink::send_until(FrameType type, ByteView payload, Deadline deadline) {
  if (payload.size() > kMaxPayloadBytes) return fail(Errc::internal, "A frame of more than 1 MiB was to be sent.");
  const std::lock_guard sending(send_mutex_);
  // The head and the first part of the payload share a TLS record.
  Bytes first = to_bytes(ByteView(frame_head(type, payload.size())));
  const std::size_t beginning = std::min(payload.size(), kTlsRecordBytes - first.size());
  append(first, payload.first(beginning));
  if (frame_cut_) return std::unexpected(not_taken());
  frame_cut_ = true;
  TRY_STATUS(write(first, deadline));
  TRY_STATUS(write(payload.subspan(beginning), deadline));
  frame_cut_ = false;
  last_sent_ = Monotonic::now();
  return {};
}

Status TlsLink::write(ByteView bytes, Deadline deadline) {
  while (!bytes.empty()) {
    const auto attempt = stream_->try_write(bytes);
    if (!attempt) return std::unexpected(end_error(attempt.error()));
    bytes = bytes.subspan(attempt->done);
    if (attempt->done > 0) continue;
    const auto ready = wait_to_write(attempt->wanted, deadline);
    if (!ready) return std::unexpected(end_error(ready.error()));
    if (!*ready) return std::unexpected(not_taken());
  }
  return {};
}

Result<bool> TlsLink::wait_to_write(short wanted, Deadline deadline) {
  const auto mark = [&](bool waits) {
    bool reader_may_sleep = false;
    {
      const std::lock_guard lock(mutex_);
      reader_may_sleep = ahead_bytes_ > 0 && queued_bytes_ >= kMaxUnreadBytes;
      sender_waits_ = waits;
    }
    if (waits && reader_may_sleep) changed_.notify_all();
  };
  mark(true);
  auto ready = stream_->wait(wanted, deadline);
  mark(false);
  return ready;
}

/// Why the stream is of no use any more: what the reader saw, which may be the other side's last words, or what `seen`
/// in sending.
Error TlsLink::end_error(const Error& seen) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, kLinger, [&] { return end_.has_value() || closed_.has_value(); });
  if (closed_) return *closed_;
  return end_ ? *end_ : Error{seen.code, seen.message, peer_.name};
}

// --- receiving -----------------------------------------------------------------------------------------------------

/// Until a frame is queued. @return false when `deadline` passes. @error why none will come
Result<bool> TlsLink::wait_for_frame(std::unique_lock<std::mutex>& lock, Deadline deadline) {
  const bool happened =
      changed_.wait_until(lock, deadline, [&] { return closed_.has_value() || end_.has_value() || !queue_.empty(); });
  if (closed_) return std::unexpected(*closed_);
  if (!queue_.empty()) return true;
  if (end_) return std::unexpected(*end_);
  return happened;
}

Result<Frame> TlsLink::receive(Deadline deadline) {
  std::unique_lock lock(mutex_);
  TRY(const bool there, wait_for_frame(lock, deadline));
  if (!there) return fail(Errc::peer_gone, "The other side did not answer in time.", peer_.name);
  Frame frame = std::move(queue_.front());
  queue_.pop_front();
  const bool was_full = !has_room();
  queued_bytes_ -= frame.payload.size() + kQueuedFrameBytes;
  lock.unlock();
  if (was_full) changed_.notify_all();
  return frame;
}

Result<bool> TlsLink::wait_readable(Deadline deadline) {
  std::unique_lock lock(mutex_);
  return wait_for_frame(lock, deadline);
}

// --- the end -------------------------------------------------------------------------------------------------------

void TlsLink::close(Error why) {
  {
    const std::lock_guard lock(mutex_);
    if (!closed_) closed_ = std::move(why).at(peer_.name);
  }
  changed_.notify_all();
  stream_->shut_down();
}

/// Closing a TCP connection with unread bytes in it destroys what was sent last, so the reader goes on until the other
/// side has closed too.
void TlsLink::say_farewell() {
  {
    const std::lock_guard lock(mutex_);
    if (end_ || closed_) return;
    closing_ = true;
  }
  changed_.notify_all();
  stream_->finish_writing();
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, kLinger, [&] { return end_.has_value(); });
}

}  // namespace

Error error_from(const Frame& frame) {
  const std::string_view code = as_text(frame.payload);
  if (code == kErrBusy) return {Errc::refused, "The other node is busy; try again later.", {}};
  if (code == kErrNoSession) return {Errc::refused, "The other node has no such session with this member.", {}};
  return {Errc::protocol,
          fmt::format("The other node broke off the connection (\"{}\").", visible(code.substr(0, kShownCodeBytes))),
          {}};
}

std::unique_ptr<Link> make_tls_link(std::unique_ptr<TlsStream> stream, PinnedPeer peer, const Digest& exporter,
                                    UnixSeconds peer_time, const Limits& limits) {
  return std::make_unique<TlsLink>(std::move(stream), std::move(peer), exporter, peer_time, limits);
}

}  // namespace parley::wire::detail
