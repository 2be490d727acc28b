// Both sides of a VOLE of two instances, each with all of its seed secret, against what the other side sent in a run
// with the same seeds: noise, choice bits, pads, trees, both checks, Delta and the outputs are secret then.
#include "psi/vole/vole.h"

#include <deque>
#include <thread>

#include "psi/memory_channel.h"
#include "secrets.h"

namespace parley {
namespace {

using namespace psi::vole;
using psi::Channel;
using psi::MessageType;

const Digest kSession{};
constexpr std::size_t kInstances = 2;
const Plan kPlan{sizes_for(1), kInstances};
constexpr std::size_t kFirstOutput = 3'000, kOutputs = 100;  // of trees and of their noise

using Messages = std::deque<Bytes>;

/// Keeps what is sent, and passes it on where there is somebody to take it; what comes may be known beforehand.
class Line final : public Channel {
 public:
  explicit Line(Channel& other) : other_(&other) {}
  explicit Line(Messages coming) : coming_(std::move(coming)) {}

  Status send(MessageType type, ByteView payload) override {
    sent_.push_back(to_bytes(payload));
    return other_ != nullptr ? other_->send(type, payload) : Status();
  }
  Status flush() override { return {}; }
  Result<Bytes> receive(MessageType type, std::size_t size_bytes) override {
    if (other_ != nullptr) return other_->receive(type, size_bytes);
    Bytes next = std::move(coming_.front());
    coming_.pop_front();
    return next;
  }
  Result<Bytes> receive_up_to(MessageType type, std::size_t limit_bytes) override { return receive(type, limit_bytes); }
  std::uint64_t bytes_sent() const override { return 0; }
  std::uint64_t bytes_received() const override { return 0; }
  std::uint64_t rounds() const override { return 0; }

  const Messages& sent() const { return sent_; }

 private:
  Channel* other_ = nullptr;
  Messages coming_, sent_;
};

/// Runs one side over `line`. @return some outputs of the last instance; nothing when the other side is refused.
Bytes run_receiver(const Secret<32>& seed, Line& line) {
  ThreadPool pool(1);
  SilentProgress progress;
  psi::detail::Work work(pool, progress);
  psi::detail::Conversation talk(line, kSession, psi::Role::receiver);
  Receiver receiver(kSession, seed, kPlan, talk, work);
  make_public(receiver.first_message());
  if (!talk.send(MessageType::receiver_hello, receiver.first_message())) return {};
  const auto hello = talk.receive(MessageType::sender_hello, kBaseOtReceiverBytes);
  if (!hello || !receiver.extend(*hello) || !receiver.answer_challenge()) return {};
  for (std::size_t i = 0; i < kInstances; ++i)
    if (!receiver.next_instance()) return {};
  std::vector<crypto::Block> a(kOutputs), c(kOutputs);
  receiver.outputs(kFirstOutput, a, c);
  Bytes outputs = to_bytes(crypto::bytes_of(a));
  append(outputs, crypto::bytes_of(c));
  return outputs;
}

Bytes run_sender(const Secret<32>& seed, Line& line) {
  ThreadPool pool(1);
  SilentProgress progress;
  psi::detail::Work work(pool, progress);
  psi::detail::Conversation talk(line, kSession, psi::Role::sender);
  Sender sender(kSession, seed, kPlan, talk, work);
  const auto hello = talk.receive(MessageType::receiver_hello, kBaseOtSenderBytes);
  if (!hello || !talk.send(MessageType::sender_hello, sender.first_message()) || !sender.extend(*hello)) return {};
  for (std::size_t i = 0; i < kInstances; ++i)
    if (!sender.next_instance()) return {};
  std::vector<crypto::Block> b(kOutputs);
  sender.outputs(kFirstOutput, b);
  return to_bytes(crypto::bytes_of(b));
}

Secret<32> seed_of(psi::Role role) {
  return Secret<32>(ByteView(pattern(32, role == psi::Role::receiver ? 5 : 6)).first<32>());
}

struct BothSent {
  Messages receiver, sender;
};

const BothSent& honest_run() {
  static const BothSent both = [] {
    psi::MemoryChannels channels = psi::memory_channels();
    Line at_receiver(*channels.first), at_sender(*channels.second);
    std::thread other([&] { run_sender(seed_of(psi::Role::sender), at_sender); });
    run_receiver(seed_of(psi::Role::receiver), at_receiver);
    other.join();
    return BothSent{at_receiver.sent(), at_sender.sent()};
  }();
  return both;
}

Bytes run_with_secret_seed(psi::Role role) {
  Secret<32> seed = seed_of(role);
  make_secret(seed.expose());
  const bool receives = role == psi::Role::receiver;
  Line line(receives ? honest_run().sender : honest_run().receiver);
  return receives ? run_receiver(seed, line) : run_sender(seed, line);
}

// Whether the elements of the base transfers are good, ours and the other side's, once for each register of four; and
// whether the other side passed the check of each instance, or that of its columns.
constexpr unsigned kJumpsOfReceiver = 1 + 64 + kInstances;
constexpr unsigned kJumpsOfSender = 32 + 32 + 1;

}  // namespace

std::vector<Subject> vole_runs() {
  honest_run();
  return {{"a VOLE's receiver", kJumpsOfReceiver, [] { return run_with_secret_seed(psi::Role::receiver); }},
          {"a VOLE's sender", kJumpsOfSender, [] { return run_with_secret_seed(psi::Role::sender); }}};
}

}  // namespace parley
