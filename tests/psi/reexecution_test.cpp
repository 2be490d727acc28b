// A run can be run again: what a side sends follows from its seed, its set and what it receives, and from nothing else;
// and a record of a run shows the first message at which somebody deviated.
#include <chrono>
#include <random>

#include "crypto/hash.h"
#include "psi/recording.h"
#include "two_parties.h"

namespace parley::psi {
namespace {

using testing::HasSubstr;

/// Both sides' records of one run.
struct Recorded {
  std::vector<RecordedMessage> receiver, sender;
  std::vector<std::size_t> matches;
  Digest transcript{};
};

/// Delivers each message at a time of its own.
class UnevenChannel final : public Channel {
 public:
  UnevenChannel(Channel& inner, unsigned seed) : inner_(inner), random_(seed) {}
  Status send(MessageType type, ByteView payload) override {
    wait();
    return inner_.send(type, payload);
  }
  Status flush() override { return inner_.flush(); }
  Result<Bytes> receive(MessageType type, std::size_t size_bytes) override {
    wait();
    return inner_.receive(type, size_bytes);
  }
  Result<Bytes> receive_up_to(MessageType type, std::size_t limit_bytes) override {
    wait();
    return inner_.receive_up_to(type, limit_bytes);
  }
  std::uint64_t bytes_sent() const override { return inner_.bytes_sent(); }
  std::uint64_t bytes_received() const override { return inner_.bytes_received(); }
  std::uint64_t rounds() const override { return inner_.rounds(); }

 private:
  void wait() { std::this_thread::sleep_for(std::chrono::microseconds(random_() % 500)); }
  Channel& inner_;
  std::mt19937 random_;
};

struct Setting {
  std::unique_ptr<Protocol> (*protocol)();
  std::size_t receivers, senders, common;
};

Elements receiver_set(const Setting& setting) {
  return test_range(0, setting.receivers);
}
Elements sender_set(const Setting& setting) {
  return test_range(setting.receivers - setting.common, setting.receivers - setting.common + setting.senders);
}
Digest session_id() {
  return crypto::sha256(as_bytes("a session that is run again"));
}

Recorded record_run(const Setting& setting, Reply reply, std::size_t receiver_threads, std::size_t sender_threads) {
  MemoryChannels channels = memory_channels(kPatience);
  Recorded recorded;
  const auto run = [&](Role role, const Elements& elements, std::size_t theirs, std::size_t threads,
                       std::unique_ptr<Channel>& end, std::vector<RecordedMessage>& into) {
    UnevenChannel uneven(*end, static_cast<unsigned>(threads));
    RecordingChannel channel(uneven, [&](bool sent, MessageType type, ByteView payload) {
      into.push_back({sent, type, payload.size(), crypto::sha256(payload), sent ? Bytes() : to_bytes(payload)});
    });
    ThreadPool pool(threads);
    SilentProgress progress;
    auto outcome = setting.protocol()->run({role, reply, session_id(), theirs}, elements,
                                           test_seed(role == Role::receiver ? 1 : 2), channel, pool, progress);
    end.reset();
    return outcome;
  };
  Result<Outcome> sent = fail(Errc::internal, "It did not run.");
  std::thread other([&] {
    sent = run(Role::sender, sender_set(setting), setting.receivers, sender_threads, channels.second, recorded.sender);
  });
  auto received =
      run(Role::receiver, receiver_set(setting), setting.senders, receiver_threads, channels.first, recorded.receiver);
  other.join();
  EXPECT_TRUE(received && sent);
  if (!received || !sent) return recorded;
  EXPECT_EQ(received->transcript, sent->transcript);
  recorded.transcript = received->transcript;
  recorded.matches = positions_of(*received);
  return recorded;
}

bool same(const std::vector<RecordedMessage>& one, const std::vector<RecordedMessage>& other) {
  return std::ranges::equal(one, other, [](const RecordedMessage& a, const RecordedMessage& b) {
    return a.sent == b.sent && a.type == b.type && a.size == b.size && a.hash == b.hash;
  });
}

/// Runs `role` again on a record, with other elements or another seed where a test says so.
struct Again {
  Result<Outcome> outcome;
  std::optional<std::string> difference;
  std::size_t left = 0;
};
Again again(const Setting& setting, Reply reply, Role role, std::span<const RecordedMessage> record,
            std::size_t threads = 1, const std::optional<Elements>& elements = {}, std::uint8_t seed = 0) {
  ReplayChannel channel(record);
  ThreadPool pool(threads);
  SilentProgress progress;
  const bool receives = role == Role::receiver;
  const Elements own = elements ? *elements : receives ? receiver_set(setting) : sender_set(setting);
  auto outcome = setting.protocol()->run(
      {role, reply, session_id(), receives ? setting.senders : setting.receivers}, own,
      test_seed(seed != 0 ? seed : (receives ? std::uint8_t{1} : std::uint8_t{2})), channel, pool, progress);
  return {std::move(outcome), channel.difference(), channel.left()};
}

const std::vector<Setting> kSettings = {
    {classic_protocol, 40, 60, 7}, {fast_protocol, 1'300, 700, 50}, {fast_protocol_in_small_bins, 6'100, 4'000, 1'100}};
constexpr std::array kReplies = {Reply::none, Reply::matched_tags, Reply::count};

TEST(Reexecution, SendsTheSameBytesWithAnyNumberOfThreadsAndAnyTiming) {
  for (const Setting& setting : kSettings) {
    for (const Reply reply : kReplies) {
      SCOPED_TRACE(testing::Message() << setting.receivers << ", reply " << static_cast<int>(reply));
      const Recorded once = record_run(setting, reply, 1, 1);
      for (const auto& [receiver, sender] : {std::pair<std::size_t, std::size_t>{2, 3}, {8, 1}, {3, 8}}) {
        const Recorded other = record_run(setting, reply, receiver, sender);
        EXPECT_TRUE(same(once.receiver, other.receiver)) << receiver << " threads";
        EXPECT_TRUE(same(once.sender, other.sender)) << sender << " threads";
        EXPECT_EQ(once.transcript, other.transcript);
      }
    }
  }
}

TEST(Reexecution, FromARecordEndsAsTheRunDid) {
  for (const Setting& setting : kSettings) {
    for (const Reply reply : kReplies) {
      SCOPED_TRACE(testing::Message() << setting.receivers << ", reply " << static_cast<int>(reply));
      const Recorded recorded = record_run(setting, reply, 2, 2);
      for (const std::size_t threads : {1U, 3U}) {
        const Again receiver = again(setting, reply, Role::receiver, recorded.receiver, threads);
        ASSERT_TRUE(receiver.outcome) << *receiver.difference;
        EXPECT_EQ(receiver.outcome->transcript, recorded.transcript);
        EXPECT_EQ(receiver.outcome->count, setting.common);
        EXPECT_EQ(receiver.left, 0U);
        const Again sender = again(setting, reply, Role::sender, recorded.sender, threads);
        ASSERT_TRUE(sender.outcome) << *sender.difference;
        EXPECT_EQ(sender.outcome->transcript, recorded.transcript);
        EXPECT_EQ(sender.left, 0U);
      }
    }
  }
}

TEST(Reexecution, FindsTheTranscriptFromTheHashesOfTheMessagesAlone) {
  for (const Setting& setting : kSettings) {
    const Recorded recorded = record_run(setting, Reply::matched_tags, 1, 1);
    EXPECT_EQ(transcript_of(session_id(), Role::receiver, recorded.receiver), recorded.transcript);
    EXPECT_EQ(transcript_of(session_id(), Role::sender, recorded.sender), recorded.transcript);
    for (std::size_t i = 0; i < recorded.sender.size(); ++i) {
      auto altered = recorded.sender;
      altered[i].hash[0] ^= std::byte{1};
      EXPECT_NE(transcript_of(session_id(), Role::sender, altered), recorded.transcript) << i;
    }
    auto shorter = recorded.sender;
    shorter.pop_back();
    EXPECT_NE(transcript_of(session_id(), Role::sender, shorter), recorded.transcript);
  }
}

TEST(Reexecution, NamesTheFirstMessageThatWasNotWhatItsProgramSends) {
  for (const Setting& setting : kSettings) {
    const Recorded recorded = record_run(setting, Reply::matched_tags, 1, 1);
    for (const auto& [role, record] :
         {std::pair{Role::receiver, &recorded.receiver}, {Role::sender, &recorded.sender}}) {
      for (std::size_t i = 0; i < record->size(); ++i) {
        if (!(*record)[i].sent) continue;
        auto altered = *record;
        altered[i].hash[5] ^= std::byte{1};
        const Again found = again(setting, Reply::matched_tags, role, altered);
        ASSERT_TRUE(found.difference) << i;
        EXPECT_THAT(*found.difference, HasSubstr("message " + std::to_string(i + 1) + " of"));
        EXPECT_THAT(*found.difference, HasSubstr(std::string(name_of(altered[i].type))));
      }
    }
  }
}

TEST(Reexecution, DiffersWithAnotherSeedAnotherSetOrOneElementMore) {
  for (const Setting& setting : kSettings) {
    const Recorded recorded = record_run(setting, Reply::matched_tags, 1, 1);
    for (const auto& [role, record] :
         {std::pair{Role::receiver, &recorded.receiver}, {Role::sender, &recorded.sender}}) {
      EXPECT_TRUE(again(setting, Reply::matched_tags, role, *record, 1, {}, 9).difference) << "another seed";
      const Elements own = role == Role::receiver ? receiver_set(setting) : sender_set(setting);
      Elements other;
      for (std::size_t i = 0; i < own.size(); ++i) {
        other.push_back(i == 3 ? test_element(999'999) : to_bytes(own[i]));
      }
      const Again exchanged = again(setting, Reply::matched_tags, role, *record, 1, other);
      EXPECT_TRUE(exchanged.difference || !exchanged.outcome) << "one element exchanged";
    }
  }
}

TEST(Reexecution, DiffersWhereTheRecordIsCutOrHasTooMuch) {
  for (const Setting& setting : kSettings) {
    const Recorded recorded = record_run(setting, Reply::matched_tags, 1, 1);
    for (const auto& [role, record] :
         {std::pair{Role::receiver, &recorded.receiver}, {Role::sender, &recorded.sender}}) {
      for (std::size_t keep = 0; keep < record->size(); ++keep)
        EXPECT_TRUE(again(setting, Reply::matched_tags, role, std::span(*record).first(keep)).difference) << keep;
      auto longer = *record;
      longer.push_back(longer.back());
      const Again found = again(setting, Reply::matched_tags, role, longer);
      EXPECT_TRUE(found.difference || found.left == 1);
    }
  }
}

}  // namespace
}  // namespace parley::psi
