// The fast protocol against a plain intersection, both sides in one process.
#include <gtest/gtest.h>

#include <set>

#include "base/encoding.h"
#include "crypto/cpu.h"
#include "crypto/ristretto_batch.h"
#include "psi/detail/labelled_hash.h"
#include "psi/intersect/keyed_set.h"
#include "psi/limits.h"
#include "psi/two_parties.h"

namespace parley::psi {
namespace {

constexpr std::string_view kFrozenTranscript = "1e5df3f32d523403bb91067b746eb2918806e9b0aaa2b4edc3c4c42e46cef694";

/// Of a run of five bins in three instances.
constexpr std::string_view kFrozenTranscriptOfSeveral =
    "2fb3e824df703b1a5dedc76a729f1cadde74b2e0de8325aae7e66796b0b4377d";

struct Sizes {
  std::size_t receiver, sender, shared;
};

BothEnded run_fast(const Sizes& sizes, Reply reply, std::size_t threads = 1,
                   std::unique_ptr<Protocol> (*protocol)() = fast_protocol) {
  Party receiver = test_party(test_range(0, sizes.receiver), 1);
  Party sender = test_party(test_range(sizes.receiver - sizes.shared, sizes.receiver - sizes.shared + sizes.sender), 2);
  receiver.threads = sender.threads = threads;
  return run_both(receiver, sender, reply, Digest{std::byte{7}}, protocol);
}

void expect_plain_intersection(const Sizes& sizes, const BothEnded& ended) {
  ASSERT_TRUE(ended.receiver.outcome.has_value()) << ended.receiver.outcome.error().text();
  ASSERT_TRUE(ended.sender.outcome.has_value()) << ended.sender.outcome.error().text();
  const Outcome& received = *ended.receiver.outcome;
  const Outcome& sent = *ended.sender.outcome;
  ASSERT_EQ(received.matches.size(), sizes.shared);
  ASSERT_EQ(sent.matches.size(), sizes.shared);
  for (std::size_t i = 0; i < sizes.shared; ++i) {
    EXPECT_EQ(received.matches[i].position, sizes.receiver - sizes.shared + i);
    EXPECT_EQ(sent.matches[i].position, i);
    EXPECT_TRUE(received.matches[i].context_key.equals(sent.matches[i].context_key));
  }
  EXPECT_EQ(received.transcript, sent.transcript);
}

TEST(FastProtocol, IsKnownByItsName) {
  ASSERT_TRUE(protocol_named("fast").has_value());
  EXPECT_EQ((*protocol_named("fast"))->name(), "fast");
  EXPECT_EQ((*protocol_named("fast"))->suite(), 0x0001);
}

TEST(FastProtocol, FindsWhatAPlainIntersectionFinds) {
  for (const Sizes& sizes : {Sizes{0, 0, 0}, Sizes{0, 5, 0}, Sizes{5, 0, 0}, Sizes{1, 1, 0}, Sizes{1, 1, 1},
                             Sizes{3, 2, 2}, Sizes{100, 100, 100}, Sizes{1000, 1, 1}, Sizes{1, 1000, 1},
                             Sizes{2000, 3000, 700}, Sizes{70'000, 66'000, 20'000}}) {
    SCOPED_TRACE(testing::Message() << sizes.receiver << ", " << sizes.sender << ", " << sizes.shared);
    expect_plain_intersection(sizes, run_fast(sizes, Reply::matched_tags));
  }
}

std::size_t count_of(const std::vector<Message>& messages, MessageType type) {
  return static_cast<std::size_t>(std::ranges::count(messages, type, &Message::type));
}

TEST(FastProtocol, FindsWhatAPlainIntersectionFindsInSeveralBinsAndInstances) {
  struct Case {
    Sizes sizes;
    std::size_t bins, instances, threads;
  };
  for (const auto& [sizes, bins, instances, threads] :
       {Case{{2'400, 3'000, 1'000}, 2, 1, 1}, Case{{3'700, 1, 1}, 3, 2, 1}, Case{{6'100, 4'000, 1'100}, 5, 3, 1},
        Case{{6'100, 6'100, 6'100}, 5, 3, 2}, Case{{6'100, 50, 0}, 5, 3, 1}, Case{{12'345, 9'000, 5'000}, 10, 5, 3}}) {
    SCOPED_TRACE(testing::Message() << sizes.receiver << ", " << sizes.sender << ", " << sizes.shared);
    const BothEnded ended = run_fast(sizes, Reply::matched_tags, threads, fast_protocol_in_small_bins);
    expect_plain_intersection(sizes, ended);
    EXPECT_EQ(count_of(ended.receiver.sent, MessageType::encoding), bins);
    EXPECT_EQ(count_of(ended.receiver.sent, MessageType::tree_challenge), instances);
    EXPECT_EQ(count_of(ended.receiver.sent, MessageType::correction), 1u);
    EXPECT_EQ(count_of(ended.receiver.sent, MessageType::mask_share), 1u);
    EXPECT_EQ(count_of(ended.sender.sent, MessageType::trees), instances);
    EXPECT_EQ(count_of(ended.sender.sent, MessageType::tree_response), instances);
  }
}

TEST(FastProtocol, HasTheSameTranscriptOfSeveralInstancesInEveryVersion) {
  for (const std::size_t threads : std::initializer_list<std::size_t>{1, 3}) {
    const BothEnded ended = run_fast({6'100, 4'000, 1'100}, Reply::matched_tags, threads, fast_protocol_in_small_bins);
    ASSERT_TRUE(ended.receiver.outcome.has_value());
    EXPECT_EQ(to_hex(ended.receiver.outcome->transcript), kFrozenTranscriptOfSeveral);
  }
}

// D = P + C: a block of C that masked two cells would show their difference. P follows from the salt and the set.
TEST(FastProtocol, MasksEveryCellOfEveryBinWithABlockOfItsOwn) {
  constexpr std::size_t kCount = 6'100;
  const Elements elements = test_range(0, kCount);
  const BothEnded ended = run_fast({kCount, 1, 0}, Reply::none, 1, fast_protocol_in_small_bins);
  ASSERT_TRUE(ended.receiver.outcome.has_value());
  const Bytes& hello = ended.receiver.sent.front().payload;
  crypto::Sha512 hash = detail::labelled_sha512("parley/v1/vole/elem", Digest{std::byte{7}});
  hash.update(ByteView(hello).first(32));
  crypto::Digest512 prefix;
  hash.finish(prefix);
  const Layout layout = layout_of_small_bins(kCount);
  ThreadPool pool(1);
  SilentProgress progress;
  detail::Work work(pool, progress);
  const auto set = KeyedSet::make(elements, crypto::PrefixedSha256(prefix), layout.shape, work);
  ASSERT_TRUE(set.has_value());

  std::set<std::pair<std::uint64_t, std::uint64_t>> masks;
  std::size_t bin = 0;
  for (const Message& message : ended.receiver.sent) {
    if (message.type != MessageType::encoding) continue;
    std::vector<crypto::Block> values, cells(layout.shape.cells_per_bin());
    for (const Digest& key : set->keys_of(bin)) values.push_back(crypto::load_block(key));
    okvs::Workspace workspace;
    ASSERT_TRUE(okvs::encode_bin(layout.shape, set->keys_of(bin), values, cells, workspace));
    for (std::size_t i = 0; i < cells.size(); ++i) {
      const crypto::Block mask = cells[i] ^ crypto::load_block(ByteView(message.payload).subspan(i * 16));
      EXPECT_TRUE(masks.emplace(mask.low, mask.high).second) << "cell " << i << " of bin " << bin;
    }
    ++bin;
  }
  EXPECT_EQ(bin, layout.shape.bins);
  EXPECT_EQ(masks.size(), layout.shape.cells());
  EXPECT_FALSE(masks.contains({0, 0}));
}

// The bins of all instances stand in one after the other, none twice and none left out.
TEST(FastProtocol, LaysEachBinOutOnce) {
  for (const std::size_t count : std::initializer_list<std::size_t>{0, 1, 1'024, 65'536, 65'537, 1'000'000, 1u << 24}) {
    for (const Layout& layout : {Layout(count), layout_of_small_bins(std::min<std::size_t>(count, 60'000))}) {
      std::size_t next = 0;
      for (std::size_t instance = 0; instance < layout.instances; ++instance) {
        EXPECT_EQ(layout.first_bin(instance), next);
        next = layout.end_bin(instance);
        EXPECT_GT(next, layout.first_bin(instance));
        EXPECT_LE((next - layout.first_bin(instance)) * layout.shape.cells_per_bin(), layout.plan().sizes.outputs);
      }
      EXPECT_EQ(next, layout.shape.bins);
      EXPECT_LE(layout.plan().sizes.outputs, vole::kMostOutputs);
      EXPECT_EQ(layout.plan().instances, layout.instances);
    }
  }
}

TEST(FastProtocol, HasOneTranscriptForAnyNumberOfThreads) {
  const Sizes sizes{150'000, 140'000, 1'000};
  const BothEnded once = run_fast(sizes, Reply::none);
  ASSERT_TRUE(once.receiver.outcome.has_value());
  for (const std::size_t threads : std::initializer_list<std::size_t>{2, 8}) {
    const BothEnded again = run_fast(sizes, Reply::none, threads);
    ASSERT_TRUE(again.receiver.outcome.has_value());
    EXPECT_EQ(again.receiver.outcome->transcript, once.receiver.outcome->transcript) << threads;
  }
}

// The bytes on the line may not change unnoticed, nor depend on what the processor has. A change on purpose changes the
// suite number, and then this value.
TEST(FastProtocol, HasTheSameTranscriptOnEveryKindOfProcessorAndInEveryVersion) {
  const auto transcript = [] {
    const BothEnded ended = run_fast({1000, 1200, 300}, Reply::matched_tags);
    return ended.receiver.outcome ? to_hex(ended.receiver.outcome->transcript) : ended.receiver.outcome.error().text();
  };
  for (const auto level :
       {crypto::CpuLevel::portable, crypto::CpuLevel::aesni, crypto::CpuLevel::vaes, crypto::CpuLevel::avx512}) {
    crypto::limit_cpu_level(level);
    EXPECT_EQ(transcript(), kFrozenTranscript) << static_cast<int>(level);
  }
  for (const auto level : {crypto::CurveLevel::portable, crypto::CurveLevel::avx2, crypto::CurveLevel::ifma}) {
    crypto::limit_curve_level(level);
    EXPECT_EQ(transcript(), kFrozenTranscript) << static_cast<int>(level);
  }
}

TEST(FastProtocol, StopsInAnyPhaseWhenAskedToAndOutputsNothing) {
  const std::pair<Role, const char*> places[] = {{Role::receiver, "hashing"},   {Role::receiver, "encoding"},
                                                 {Role::receiver, "expanding"}, {Role::receiver, "sending"},
                                                 {Role::receiver, "decoding"},  {Role::receiver, "comparing"},
                                                 {Role::receiver, "matching"},  {Role::sender, "hashing"},
                                                 {Role::sender, "expanding"},   {Role::sender, "comparing"}};
  for (const auto& [who, phase] : places) {
    const BothEnded ended = run_until(who, phase, fast_protocol);
    const Ended& stopped = who == Role::receiver ? ended.receiver : ended.sender;
    const Ended& other = who == Role::receiver ? ended.sender : ended.receiver;
    ASSERT_FALSE(stopped.outcome.has_value()) << phase;
    EXPECT_EQ(stopped.outcome.error().code, Errc::cancelled) << phase;
    EXPECT_EQ(stopped.sent.back().type, MessageType::abort) << phase;
    EXPECT_FALSE(other.outcome.has_value()) << phase;
  }
}

TEST(FastProtocol, SaysThatThePeerIsGone) {
  for (const Role role : {Role::receiver, Role::sender}) {
    MemoryChannels channels = memory_channels(kPatience);
    channels.second.reset();
    ThreadPool pool(1);
    SilentProgress progress;
    const auto ended = fast_protocol()->run({role, Reply::none, {}, 3}, test_range(0, 3), test_seed(1), *channels.first,
                                            pool, progress);
    ASSERT_FALSE(ended.has_value());
    EXPECT_EQ(ended.error().code, Errc::peer_gone);
  }
}

TEST(FastProtocol, RefusesTooManyOrTooLongElementsBeforeAnythingLeaves) {
  Party receiver = test_party(test_range(0, 2), 1);
  receiver.peer_count = ~std::size_t{0};
  BothEnded ended = run_both(receiver, test_party(test_range(0, 2), 2), Reply::none, {}, fast_protocol);
  ASSERT_FALSE(ended.receiver.outcome.has_value());
  EXPECT_EQ(ended.receiver.outcome.error().code, Errc::limit);
  Elements long_one;
  long_one.push_back(Bytes(kMaxElementBytes + 1));
  ended = run_both(test_party(std::move(long_one), 1), test_party(test_range(0, 2), 2), Reply::none, {}, fast_protocol);
  ASSERT_FALSE(ended.receiver.outcome.has_value());
  EXPECT_EQ(ended.receiver.outcome.error().code, Errc::limit);
  EXPECT_EQ(ended.receiver.sent.size(), 1u);  // that it gives up
}

TEST(FastProtocol, RefusesASetThatHoldsAnElementTwice) {
  for (const Role role : {Role::receiver, Role::sender}) {
    Elements doubled = test_range(0, 300);
    doubled.push_back(test_element(17));
    Party receiver = test_party(role == Role::receiver ? std::move(doubled) : test_range(0, 300), 1);
    Party sender = test_party(role == Role::sender ? std::move(doubled) : test_range(0, 300), 2);
    const BothEnded ended = run_both(receiver, sender, Reply::matched_tags, {}, fast_protocol);
    const auto& refused = role == Role::receiver ? ended.receiver.outcome : ended.sender.outcome;
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error().code, Errc::internal);
  }
}

}  // namespace
}  // namespace parley::psi
