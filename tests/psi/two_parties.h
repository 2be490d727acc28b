// Both sides of a run, each in its own thread, over a channel in memory; and a peer that deviates.
#pragma once

#include <functional>
#include <optional>
#include <thread>
#include <vector>

#include "base/thread_pool.h"
#include "psi/intersect/detail/fast.h"
#include "psi/intersect/protocol.h"
#include "psi/memory_channel.h"
#include "psi/okvs/detail/bin_sizes.h"

namespace parley::psi {

struct Message {
  MessageType type;
  Bytes payload;
};

/// What a peer does to one of its own messages before it goes: what stands in `messages` afterwards is sent.
using Deviation = std::function<void(std::vector<Message>& messages)>;

/// A channel whose owner deviates, and which keeps what was sent.
class DeviatingChannel final : public Channel {
 public:
  DeviatingChannel(Channel& inner, Deviation deviation) : inner_(inner), deviation_(std::move(deviation)) {}

  Status send(MessageType type, ByteView payload) override {
    std::vector<Message> messages{{type, to_bytes(payload)}};
    if (deviation_ && type != MessageType::abort) deviation_(messages);
    for (Message& message : messages) {
      TRY_STATUS(inner_.send(message.type, message.payload));
      sent_.push_back(std::move(message));
    }
    return {};
  }
  Status flush() override { return inner_.flush(); }
  Result<Bytes> receive(MessageType type, std::size_t size_bytes) override { return inner_.receive(type, size_bytes); }
  Result<Bytes> receive_up_to(MessageType type, std::size_t limit_bytes) override {
    return inner_.receive_up_to(type, limit_bytes);
  }
  std::uint64_t bytes_sent() const override { return inner_.bytes_sent(); }
  std::uint64_t bytes_received() const override { return inner_.bytes_received(); }
  std::uint64_t rounds() const override { return inner_.rounds(); }

  const std::vector<Message>& sent() const { return sent_; }

 private:
  Channel& inner_;
  Deviation deviation_;
  std::vector<Message> sent_;
};

/// How one party enters a run.
struct Party {
  Elements elements;
  Secret<32> seed;
  std::size_t threads = 1;
  Deviation deviation = {};
  /// What it takes the other side's count for, where that is not the truth.
  std::optional<std::size_t> peer_count = {};
};

struct Ended {
  Result<Outcome> outcome;
  std::vector<Message> sent;
};

struct BothEnded {
  Ended receiver, sender;
};

inline constexpr auto kPatience = std::chrono::seconds(60);

inline BothEnded run_both(const Party& receiver, const Party& sender, Reply reply, const Digest& session_id = {},
                          std::unique_ptr<Protocol> (*protocol)() = classic_protocol) {
  MemoryChannels channels = memory_channels(kPatience);
  const auto run = [&](const Party& party, Role role, std::size_t peer_count, std::unique_ptr<Channel>& end) {
    DeviatingChannel channel(*end, party.deviation);
    ThreadPool pool(party.threads);
    SilentProgress progress;
    const Parameters parameters{role, reply, session_id, party.peer_count.value_or(peer_count)};
    auto outcome = protocol()->run(parameters, party.elements, party.seed, channel, pool, progress);
    end.reset();  // as a process that ends closes its connection
    return Ended{std::move(outcome), channel.sent()};
  };
  std::optional<Ended> sent;
  std::thread other([&] { sent.emplace(run(sender, Role::sender, receiver.elements.size(), channels.second)); });
  Ended received = run(receiver, Role::receiver, sender.elements.size(), channels.first);
  other.join();
  return {std::move(received), std::move(*sent)};
}

/// Number i of the test sets: type 1, a length, a text (psi.md 0.2; classic_model.py makes the same).
inline Bytes test_element(std::size_t i) {
  const std::string text = "element " + std::to_string(i);
  Bytes element{std::byte{1}};
  append_be(element, static_cast<std::uint16_t>(text.size()));
  append(element, as_bytes(text));
  return element;
}

/// The elements first, ..., end - 1.
inline Elements test_range(std::size_t first, std::size_t end) {
  Elements elements;
  for (std::size_t i = first; i < end; ++i) elements.push_back(test_element(i));
  return elements;
}

inline Secret<32> test_seed(std::uint8_t which) {
  Secret<32> seed;
  seed.expose_mutable()[0] = static_cast<std::byte>(which);
  return seed;
}

inline Party test_party(Elements elements, std::uint8_t seed, Deviation deviation = {}) {
  return {std::move(elements), test_seed(seed), 1, std::move(deviation), {}};
}

inline std::vector<std::size_t> positions_of(const Outcome& outcome) {
  std::vector<std::size_t> positions;
  for (const Match& match : outcome.matches) positions.push_back(match.position);
  return positions;
}

/// A layout with bins of some 1,200 keys and two bins an instance, where the suite's own first has two of either at
/// 65,537 and at 1,048,577 elements.
inline Layout layout_of_small_bins(std::size_t count) {
  constexpr std::uint32_t kKeysInABin = 1'200;
  constexpr std::uint32_t kFailureBits = 45;
  const auto bins = static_cast<std::uint32_t>(count / kKeysInABin);
  if (bins < 2) return Layout(count);
  const auto mean = static_cast<std::uint32_t>((count + bins - 1) / bins);
  okvs::Shape shape = okvs::detail::one_bin(okvs::detail::bin_capacity(bins, mean, kFailureBits), kFailureBits);
  shape.bins = bins;
  return {shape, 2 * shape.cells_per_bin()};
}

inline std::unique_ptr<Protocol> fast_protocol_in_small_bins() {
  return detail::fast_protocol_with(layout_of_small_bins);
}

/// Asks to stop in the middle of the named phase.
class StopsIn final : public Progress {
 public:
  explicit StopsIn(std::string_view phase) : phase_(phase) {}
  void phase(std::string_view name, std::uint64_t) override {
    current_ = name;
    phases_.push_back(current_);
  }
  void advance(std::uint64_t) override {
    if (current_ == phase_) cancel();
  }
  const std::vector<std::string>& phases() const { return phases_; }

 private:
  std::string phase_, current_;
  std::vector<std::string> phases_;
};

/// Runs two equal sets until `who` is asked to stop.
inline BothEnded run_until(Role who, std::string_view phase, std::unique_ptr<Protocol> (*protocol)()) {
  MemoryChannels channels = memory_channels(kPatience);
  const Elements elements = test_range(0, 300);
  const auto run = [&](Role role, std::unique_ptr<Channel>& end) {
    ThreadPool pool(2);
    StopsIn progress(role == who ? phase : "");
    DeviatingChannel channel(*end, {});
    auto outcome = protocol()->run({role, Reply::matched_tags, {}, 300}, elements,
                                   test_seed(role == Role::receiver ? 1 : 2), channel, pool, progress);
    end.reset();
    return Ended{std::move(outcome), channel.sent()};
  };
  std::optional<Ended> sent;
  std::thread other([&] { sent.emplace(run(Role::sender, channels.second)); });
  Ended received = run(Role::receiver, channels.first);
  other.join();
  return {std::move(received), std::move(*sent)};
}

}  // namespace parley::psi
