// Somebody on the line who flips, drops, repeats and reorders what passes.
#include <random>
#include <thread>

#include "attacks/attacker.h"

namespace parley::wire {
namespace {

/// Sits between bravo and alpha and alters one byte of the stream, at a given place of one direction.
class Meddler {
 public:
  Meddler(const std::string& address, bool towards_server, std::uint64_t place)
      : towards_server_(towards_server), place_(place), thread_([this, address] { run(address); }) {}
  ~Meddler() { thread_.join(); }

  std::string address() const { return listener_.address(); }

 private:
  void run(const std::string& address) {
    const FileDescriptor client = listener_.accept();
    const FileDescriptor server = dial(address);
    std::uint64_t passed[2] = {0, 0};
    pollfd ends[2] = {{client.get(), POLLIN, 0}, {server.get(), POLLIN, 0}};
    std::byte bytes[4096];
    while (::poll(ends, 2, 10'000) > 0) {
      for (const int from : {0, 1}) {
        if (ends[from].revents == 0) continue;
        const ssize_t got = ::recv(ends[from].fd, bytes, sizeof bytes, 0);
        if (got <= 0) return;
        const bool meddles = (from == 0) == towards_server_;
        if (meddles && place_ >= passed[from] && place_ < passed[from] + static_cast<std::uint64_t>(got)) {
          bytes[place_ - passed[from]] ^= std::byte{1};
        }
        passed[from] += static_cast<std::uint64_t>(got);
        if (::send(ends[1 - from].fd, bytes, static_cast<std::size_t>(got), MSG_NOSIGNAL) < 0) return;
      }
    }
  }

  bool towards_server_;
  std::uint64_t place_;
  Listener listener_;
  std::thread thread_;
};

class AlteredRecords : public Attack {
 protected:
  enum class End { refused, intact, altered };

  /// How an exchange of a frame each way ends on a line where one byte is altered.
  End exchange(bool towards_server, std::uint64_t place) {
    const Limits limits{.handshake = std::chrono::seconds(2)};
    auto served = members_.serve(limits);
    const Meddler meddler(members_.listener.address(), towards_server, place);
    LinkResult bravo = connect(meddler.address(), members_.bravo, pin(members_.alpha), limits);
    const bool asked = bravo && (*bravo)->send(FrameType::step, kQuestion);
    LinkResult alpha = served.get();
    const auto question = alpha ? (*alpha)->receive(soon()) : Result<Frame>(fail(Errc::peer_gone, ""));
    const bool answered = question && (*alpha)->send(FrameType::step, kAnswer);
    if (alpha && !answered) (*alpha)->shut_down();
    const auto answer = asked && answered ? (*bravo)->receive(soon()) : Result<Frame>(fail(Errc::peer_gone, ""));
    const bool same = !question || question->payload == kQuestion;
    if (alpha) (*alpha)->shut_down();
    if (bravo) (*bravo)->shut_down();
    if (!same || (answer && answer->payload != kAnswer)) return End::altered;
    return answer ? End::intact : End::refused;
  }

 private:
  const Bytes kQuestion = Bytes(200, std::byte{1});
  const Bytes kAnswer = Bytes(300, std::byte{2});
};

TEST_F(AlteredRecords, WhereverTheByteStandsAreNeverTaken) {
  const char* given = std::getenv("PARLEY_TEST_SEED");
  const std::uint64_t seed = given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device{}();
  std::mt19937_64 random(seed);
  constexpr std::uint64_t kNowhere = ~std::uint64_t{0};
  ASSERT_EQ(exchange(true, kNowhere), End::intact);
  // Handshake, Hello and one frame are longer than this in both directions.
  constexpr std::uint64_t kBytes = 1000;
  constexpr int kTries = 60;
  int refused = 0;
  for (int i = 0; i < kTries; ++i) {
    const End end = exchange(i % 2 == 0, random() % kBytes);
    ASSERT_NE(end, End::altered) << "PARLEY_TEST_SEED=" << seed;
    if (end == End::refused) ++refused;
  }
  // A few bytes of the handshake mean nothing in TLS 1.3 (the version in the head of a record that is not encrypted).
  EXPECT_GE(refused, kTries - 10) << "PARLEY_TEST_SEED=" << seed;
}

}  // namespace
}  // namespace parley::wire
