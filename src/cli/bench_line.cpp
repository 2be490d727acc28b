#include "cli/bench_line.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

#include "base/clock.h"
#include "node/listener.h"
#include "wire/address.h"

namespace parley::cli {
namespace {

constexpr std::size_t kPieceBytes = 16 << 10;
/// What is on its way at once in one direction, at most: more than bandwidth times delay of any line measured here.
constexpr std::size_t kInFlightBytes = 8 << 20;

/// One direction: a thread that takes bytes in, and one that lets them out when their time has come.
class Direction {
 public:
  Direction(int from, int to, const SlowLine& line)
      : from_(from), to_(to), line_(line), reader_([this] { read(); }), writer_([this] { write(); }) {}
  ~Direction() {
    reader_.join();
    writer_.join();
  }
  Direction(const Direction&) = delete;
  Direction& operator=(const Direction&) = delete;

 private:
  struct Piece {
    Bytes bytes;
    Deadline due;
  };

  void read() {
    using Seconds = std::chrono::duration<double>;
    Deadline line_free = Monotonic::now();
    for (;;) {
      Bytes bytes(kPieceBytes);
      const ssize_t count = ::recv(from_, bytes.data(), bytes.size(), 0);
      bytes.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
      const Seconds on_line(static_cast<double>(bytes.size()) * 8 / (line_.megabits_per_second * 1e6));
      line_free = std::max(line_free, Monotonic::now()) + std::chrono::duration_cast<Monotonic::duration>(on_line);
      const Deadline due =
          line_free + std::chrono::duration_cast<Monotonic::duration>(Seconds(line_.round_trip_ms / 2e3));
      const bool ended = bytes.empty();
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [&] { return in_flight_ < kInFlightBytes || gone_; });
      in_flight_ += bytes.size();
      pieces_.push_back({std::move(bytes), due});
      changed_.notify_all();
      if (ended || gone_) return;
    }
  }

  void write() {
    for (;;) {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [&] { return !pieces_.empty(); });
      Piece piece = std::move(pieces_.front());
      pieces_.pop_front();
      lock.unlock();
      std::this_thread::sleep_until(piece.due);
      if (piece.bytes.empty()) {
        ::shutdown(to_, SHUT_WR);
        return;
      }
      for (std::size_t sent = 0; sent < piece.bytes.size();) {
        const ssize_t count = ::send(to_, piece.bytes.data() + sent, piece.bytes.size() - sent, MSG_NOSIGNAL);
        if (count <= 0) {
          lock.lock();
          gone_ = true;
          changed_.notify_all();
          ::shutdown(from_, SHUT_RD);
          return;
        }
        sent += static_cast<std::size_t>(count);
      }
      lock.lock();
      in_flight_ -= piece.bytes.size();
      changed_.notify_all();
    }
  }

  int from_, to_;
  SlowLine line_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Piece> pieces_;
  std::size_t in_flight_ = 0;
  bool gone_ = false;
  std::thread reader_, writer_;  // last: they use what stands above
};

class LoopbackRelay final : public Relay {
 public:
  LoopbackRelay(const SlowLine& line, std::string target, node::Listener listener)
      : line_(line), target_(std::move(target)), listener_(std::move(listener)), thread_([this] { carry(); }) {}
  ~LoopbackRelay() override {
    listener_.stop();
    thread_.join();
  }
  const std::string& address() const override { return listener_.address(); }

 private:
  // Where one of the two cannot be reached the parties say so themselves.
  void carry() {
    auto incoming = listener_.next();
    if (!incoming) return;
    auto onward = wire::connect_tcp(target_, deadline_in(std::chrono::seconds(10)));
    if (!onward) return;
    const int on = 1;
    for (const int socket : {incoming->connection.get(), onward->get()}) {
      // These threads wait in their calls, and pieces leave when they are due.
      static_cast<void>(::fcntl(socket, F_SETFL, ::fcntl(socket, F_GETFL) & ~O_NONBLOCK));
      static_cast<void>(::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on));
    }
    const Direction forth(incoming->connection.get(), onward->get(), line_);
    const Direction back(onward->get(), incoming->connection.get(), line_);
  }

  SlowLine line_;
  std::string target_;
  node::Listener listener_;
  std::thread thread_;
};

}  // namespace

Result<std::unique_ptr<Relay>> Relay::start(const SlowLine& line, const std::string& target) {
  TRY(auto listener, node::Listener::open("127.0.0.1:0"));
  return std::make_unique<LoopbackRelay>(line, target, std::move(listener));
}

}  // namespace parley::cli
