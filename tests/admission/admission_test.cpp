// An owner, its helpers, and what either may not do.
#include <atomic>

#include "admission/counts.h"
#include "log/entry_type.h"
#include "support/admission_circle.h"

namespace parley::admission {
namespace {

using testing::HasSubstr;

TEST(Admission, GivesTwoMembersTheSameTagOfWhatBothHold) {
  Circle circle{{addresses(0, 20), addresses(10, 20)}, at_most(1000)};
  circle.begin_epoch();
  EXPECT_EQ(circle.admit(0), 20u);
  EXPECT_EQ(circle.admit(1), 20u);
  std::map<std::string, std::string> tags[2];
  for (const std::size_t i : {0u, 1u}) {
    const auto list = circle[i].vault->admission_tags(circle.charter().charter.group, circle.epoch(i).id);
    ASSERT_OK(list);
    const std::map<vault::ItemId, vault::AdmissionTag> by_item(list->begin(), list->end());
    EXPECT_OK(circle[i].vault->for_each({}, [&](const vault::Item& item) -> Status {
      tags[i][item.indicator.value()] = to_hex(by_item.at(item.id));
      return {};
    }));
  }
  std::size_t common = 0;
  for (const auto& [value, tag] : tags[0]) {
    if (!tags[1].contains(value)) continue;
    ++common;
    EXPECT_EQ(tags[1][value], tag) << value;
  }
  EXPECT_EQ(common, 10u);
}

TEST(Admission, NeedsTheHelpOfEveryMember) {
  Circle circle{{addresses(0, 5), {}, {}}, at_most(1000)};
  circle.begin_epoch();
  ASSERT_OK(circle.ask(0, 1).first);
  EXPECT_EQ(circle.admitted(0), 0u);
  EXPECT_EQ(circle.overview(0).types.front().under_way, 5u);
  EXPECT_EQ(circle.overview(0).helpers[0].unanswered, 0u);
  EXPECT_EQ(circle.overview(0).helpers[1].unanswered, 5u) << "charlie is the one who is waited for";
  ASSERT_OK(circle.ask(0, 2).first);
  EXPECT_EQ(circle.admitted(0), 5u);
}

TEST(Admission, IsCountedInTheHelpersLogForEverybodyToRead) {
  Circle circle{{addresses(0, 7), {}, {}}, at_most(1000)};
  circle.begin_epoch();
  EXPECT_EQ(circle.admit(0), 7u);
  circle.synchronise();
  for (const std::size_t reader : {0u, 1u, 2u})
    for (const std::size_t helper : {1u, 2u}) EXPECT_EQ(circle.counted(reader, helper, 0), 7) << reader;
  EXPECT_EQ(circle.overview(2).others[0].counts[indicator::Type::ipv4], 7) << "charlie sees what alpha had admitted";
}

TEST(Admission, GoesOnWithWhatIsNewAndChargesNothingTwice) {
  Circle circle{{addresses(0, 6), {}}, at_most(1000)};
  circle.begin_epoch();
  EXPECT_EQ(circle.admit(0), 6u);
  EXPECT_EQ(circle.admit(0), 6u);
  EXPECT_EQ(circle.counted(0, 1, 0), 6);
  EXPECT_OK(vault::import_records(*circle[0].vault, {.source = "more.csv", .format = "csv", .labels = {}, .tlp = {}},
                                  addresses(3, 6)));
  EXPECT_EQ(circle.admit(0), 9u);
  EXPECT_EQ(circle.counted(0, 1, 0), 9);
}

TEST(Admission, StopsAtTheCapOfTheCharter) {
  Circle circle{{addresses(0, 30), {}}, at_most(25)};
  circle.begin_epoch();
  EXPECT_EQ(circle.admit(0), 25u);
  EXPECT_EQ(circle.admit(0), 25u);
  const Overview overview = circle.overview(0);
  EXPECT_EQ(overview.types.front().waiting, 5u);
  EXPECT_EQ(overview.types.front().under_way, 0u) << "what is beyond the cap is not even asked";
}

/// ipv4 and cve, each with a cap of its own.
group::AdmissionClause two_types(std::int64_t most_cve, std::int64_t most_ipv4) {
  group::AdmissionClause clause = at_most(most_ipv4);
  clause.types.insert(clause.types.begin(), {.type = indicator::Type::cve, .most = most_cve});
  return clause;
}

TEST(Admission, OfEachTypeStopsAtTheCapOfThatType) {
  std::vector<vault::TestRecord> material = addresses(0, 10);
  for (int i = 0; i < 10; ++i)
    material.push_back(session::record(indicator::Type::cve, fmt::format("CVE-2026-{}", 1000 + i), "seen"));
  Circle circle{{material, {}}, two_types(7, 4)};
  circle.begin_epoch();
  circle.admit(0);
  const auto of_type = [&](indicator::Type type) {
    const auto total =
        circle[1].vault->admission_total(circle.charter().charter.group, circle.epoch(1).id, "bravo", "alpha", type);
    EXPECT_OK(total);
    return *total;
  };
  EXPECT_EQ(of_type(indicator::Type::cve), 7);
  EXPECT_EQ(of_type(indicator::Type::ipv4), 4);
}

// An owner may say of a blinded address that it is a CVE number, and have it counted as one. What it gets is under the
// members' keys for CVE numbers, and no tag of an address.
TEST(Admission, UnderAnotherTypesNameGivesNoTag) {
  Circle circle{{addresses(0, 1), {}}, two_types(1000, 1000)};
  circle.begin_epoch();
  circle.admit(0);
  const Epoch epoch = circle.epoch(0);
  const auto honest = circle[0].vault->admission_tags(circle.charter().charter.group, epoch.id);
  ASSERT_OK(honest);
  ASSERT_EQ(honest->size(), 1u);
  psi::Elements elements;
  elements.push_back(indicator::canonicalise(indicator::Type::ipv4, "198.18.0.0")->typed());
  const Secret<32> seed = random_secret<32>();
  const auto tag_under = [&](indicator::Type type) {
    const Bytes blinded = *psi::admission::blind(epoch.id, elements, seed, circle[0].pool, circle[0].progress);
    std::vector<Bytes> answers;
    for (const std::size_t i : {0u, 1u}) {
      const auto key = circle.as(i, [&](const Party& us) { return own_key(us.desk, us.membership, epoch.name, type); });
      answers.push_back(*psi::admission::evaluate(key->secret_key, blinded, circle[i].pool, circle[i].progress));
    }
    const auto tags = psi::admission::combine(epoch.id, elements, seed, answers, circle[0].pool, circle[0].progress);
    return to_hex(tags->expose());
  };
  EXPECT_EQ(tag_under(indicator::Type::ipv4), to_hex(honest->front().second));
  EXPECT_NE(tag_under(indicator::Type::cve), to_hex(honest->front().second));
}

/// alpha's batches as its node made them, with what it says on the line altered.
Deviation owner_that(const std::function<void(Request&)>& bend) {
  return {.rewrite = {}, .resend = [bend](const wire::Frame& frame) {
            if (frame.type != wire::FrameType::admission) return std::vector{frame};
            auto message = read_message(frame.payload);
            auto* request = message ? std::get_if<Request>(&*message) : nullptr;
            if (request == nullptr) return std::vector{frame};
            bend(*request);
            return std::vector{wire::Frame{frame.type, write_message(*message)}};
          }};
}

TEST(Admission, IsRefusedBeyondTheCapWithTheClauseAndNotCounted) {
  Circle circle{{addresses(0, 10), {}}, at_most(25)};
  circle.begin_epoch();
  EXPECT_EQ(circle.admit(0), 10u);
  EXPECT_OK(vault::import_records(*circle[0].vault, {.source = "more.csv", .format = "csv", .labels = {}, .tlp = {}},
                                  addresses(100, 1)));
  const Deviation greedy = owner_that([](Request& request) {
    while (request.blinded.size() < 16 * 32) append(request.blinded, to_bytes(ByteView(request.blinded).first(32)));
  });
  const auto asked = circle.ask(0, 1, {}, greedy);
  EXPECT_FALSE(asked.first) << "its node did not expect to be refused another batch than its own";
  EXPECT_EQ(circle.counted(1, 1, 0), 10);
  EXPECT_EQ(*asked.second, 0u);
  const Refusal refusal{.batch = {}, .reason = Reason::cap, .used = 10, .most = 25};
  EXPECT_THAT(in_words(refusal, "bravo", indicator::Type::ipv4), HasSubstr("admission: ipv4: max_admissions"));
}

TEST(Admission, IsRefusedByTheHelpersOwnStricterPolicyWhichItDoesNotTell) {
  Circle circle{{addresses(0, 10), {}}, at_most(1000)};
  circle.begin_epoch();
  circle.set_policy(1, {.admissions = {{.type = indicator::Type::ipv4, .most = 9}}});
  const auto asked = circle.ask(0, 1);
  ASSERT_OK(asked.first);
  ASSERT_TRUE(*asked.first && (*asked.first)->refusal);
  EXPECT_EQ((*asked.first)->refusal->reason, Reason::policy);
  EXPECT_EQ((*asked.first)->refusal->most, 0u);
  EXPECT_EQ(circle.counted(1, 1, 0), 0);
  EXPECT_THAT(circle.overview(0).helpers.front().trouble, HasSubstr("rules of its own"));
}

// bravo helps with 700 of them by a rule that it does not tell.
TEST(Admission, OfManyIsMadeAnewWithFewerWhereAHelperHasRoomForFewer) {
  Circle circle{{addresses(0, 1000), {}, {}}, at_most(20'000)};
  circle.begin_epoch();
  circle.set_policy(1, {.admissions = {{.type = indicator::Type::ipv4, .most = 700}}});
  std::uint64_t admitted = 0;
  for (int round = 0; round < 12; ++round) admitted = circle.admit(0);
  EXPECT_LE(admitted, 700u);
  EXPECT_GT(admitted, 700 - kFewestInFullBatch) << "all but what it is not worth while to halve again";
  for (const std::size_t helper : {1u, 2u})
    EXPECT_EQ(circle.counted(helper, helper, 0), static_cast<std::int64_t>(admitted)) << "and nothing is lost for it";
  EXPECT_THAT(circle.overview(0).helpers[0].trouble, HasSubstr("rules of its own"));
  circle.set_policy(1, {});
  for (int round = 0; round < 3; ++round) admitted = circle.admit(0);
  EXPECT_EQ(admitted, 1000u) << "what waited goes on in full";
}

TEST(Admission, GoesOnWithOtherTypesWhereAHelperRefusesOne) {
  std::vector<vault::TestRecord> material = addresses(0, 100);
  for (int i = 0; i < 10; ++i)
    material.push_back(session::record(indicator::Type::cve, fmt::format("CVE-2026-{}", 1000 + i), "seen"));
  Circle circle{{material, {}}, two_types(1000, 1000)};
  circle.begin_epoch();
  circle.set_policy(1, {.admissions = {{.type = indicator::Type::cve, .most = 1}}});
  ASSERT_OK(circle.ask(0, 1).first);
  EXPECT_EQ(circle.counted(1, 1, 0), 100) << "ipv4 come after cve";
}

// charlie has answered when bravo refuses: that may be a pause, and what charlie has counted is not given up for it.
TEST(Admission, ThatSomebodyHasHelpedWithIsGivenUpOnlyWhenItWasRefusedForADay) {
  Circle circle{{addresses(0, 200), {}, {}}, at_most(20'000)};
  circle.begin_epoch();
  circle.set_policy(1, {.paused = true});
  const auto under_way = [&] { return circle.overview(0).types.front().under_way; };
  ASSERT_OK(circle.ask(0, 2).first);
  for (int again = 0; again < 3; ++again) ASSERT_OK(circle.ask(0, 1).first);
  EXPECT_EQ(under_way(), 200u);
  const std::string since = "admission-refused " + circle.charter().charter.group + "/bravo";
  ASSERT_OK(circle[0].vault->put_setting(since, fmt::format("{}", wall_clock_now() - 86'401)));
  ASSERT_OK(circle.ask(0, 1).first);
  EXPECT_EQ(under_way(), 100u);
  ASSERT_OK(circle.ask(0, 2).first);
  EXPECT_EQ(circle.counted(2, 2, 0), 200) << "from now on bravo is asked first";
  circle.set_policy(1, {});
  for (int round = 0; round < 2; ++round) circle.admit(0);
  EXPECT_EQ(circle.admitted(0), 200u);
  EXPECT_EQ(circle.counted(2, 2, 0), 400);
}

// A feed brings a few at a time, all day long, and helpers count kMostBatchesPerDay of them.
TEST(Admission, OfAFeedComesInFewerBatchesAfterTheFirstOfADay) {
  Circle circle{{addresses(0, 1), {}}, at_most(4000)};
  circle.begin_epoch();
  EXPECT_EQ(circle.admit(0), 1u);
  const auto bring = [&](unsigned first, unsigned count) {
    EXPECT_OK(vault::import_records(*circle[0].vault,
                                    {.source = fmt::format("{}.csv", first), .format = "csv", .labels = {}, .tlp = {}},
                                    addresses(first, count)));
  };
  const Digest epoch = circle.epoch(0).id;
  for (std::int64_t i = 1; i < kSmallBatchesAtOnce; ++i)
    EXPECT_OK(circle[0].vault->put_admission_count(circle.charter().charter.group, {.helper = "bravo",
                                                                                    .owner = "alpha",
                                                                                    .epoch = epoch,
                                                                                    .batch = random_bytes<32>(),
                                                                                    .answers = random_bytes<32>(),
                                                                                    .count = 1,
                                                                                    .entry = random_bytes<32>(),
                                                                                    .time = wall_clock_now()}));
  bring(10, 5);
  EXPECT_EQ(circle.admit(0), 1u);
  EXPECT_TRUE(circle.overview(0).types.front().rests);
  circle.let_pass(0, kNextSmallBatch + 60);
  EXPECT_FALSE(circle.overview(0).types.front().rests);
  EXPECT_EQ(circle.admit(0), 6u);
  bring(20, 5);
  EXPECT_EQ(circle.admit(0), 6u) << "and then one in so long";
  bring(1000, 500);
  EXPECT_EQ(circle.admit(0), 506u) << "one that is full goes at once";
  EXPECT_EQ(circle.overview(0).types.front().waiting, 5u);
}

TEST(Admission, IsRefusedToAPausedHelpersPeersToOtherTypesAndInOtherEpochs) {
  Circle circle{{addresses(0, 3), {}}, at_most(1000)};
  circle.begin_epoch();
  circle.set_policy(1, {.paused = true});
  auto asked = circle.ask(0, 1);
  ASSERT_OK(asked.first);
  EXPECT_EQ((*asked.first)->refusal->reason, Reason::policy);
  circle.set_policy(1, {});
  struct Row {
    Deviation owner;
    const char* why;
  };
  for (const Row& row : {Row{owner_that([](Request& request) { request.epoch[0] ^= std::byte{1}; }), "epoch"},
                         Row{owner_that([](Request& request) { request.type = indicator::Type::domain; }), "type"}}) {
    asked = circle.ask(0, 1, {}, row.owner);
    EXPECT_FALSE(asked.first) << row.why;  // its own node sees another batch refused than it had made
    ASSERT_OK(asked.second);
    EXPECT_EQ(*asked.second, 0u) << row.why;
    EXPECT_EQ(circle.counted(1, 1, 0), 0) << row.why;
  }
}

// Nothing is computed for nothing: a batch is charged before anybody looks at what is in it.
TEST(Admission, IsChargedForABatchWithSomethingInItThatIsNoElement) {
  Circle circle{{addresses(0, 3), {}}, at_most(1000)};
  circle.begin_epoch();
  const auto asked =
      circle.ask(0, 1, {}, owner_that([](Request& request) { std::ranges::fill(request.blinded, std::byte{0}); }));
  EXPECT_FAILS(asked.second, Errc::protocol);
  EXPECT_FALSE(asked.first);
  EXPECT_EQ(circle.counted(1, 1, 0), 3);
}

/// Replaces what the helper says of kind `Kind`; nothing drops it and ends the link.
template <typename Kind>
Deviation helper_that(const std::function<bool(Kind&)>& bend) {
  return {.rewrite = {}, .resend = [bend](const wire::Frame& frame) {
            if (frame.type != wire::FrameType::admission) return std::vector{frame};
            auto message = read_message(frame.payload);
            auto* said = message ? std::get_if<Kind>(&*message) : nullptr;
            if (said == nullptr) return std::vector{frame};
            if (!bend(*said)) return std::vector{wire::Frame{wire::FrameType::bye, {}}};
            return std::vector{wire::Frame{frame.type, write_message(*message)}};
          }};
}

// The count is durable, the answer is lost: the same batch is answered again and costs nothing.
TEST(Admission, IsAnsweredAgainFromTheSameCountWhenTheAnswerWasLost) {
  Circle circle{{addresses(0, 8), {}}, at_most(8)};
  circle.begin_epoch();
  const auto lost = circle.ask(0, 1, helper_that<Answer>([](Answer&) { return false; }));
  EXPECT_FALSE(lost.first);
  EXPECT_EQ(circle.counted(1, 1, 0), 8) << "it was counted before the answer left";
  EXPECT_EQ(circle.admitted(0), 0u);
  EXPECT_EQ(circle.admit(0), 8u);
  EXPECT_EQ(circle.counted(1, 1, 0), 8);
}

TEST(Admission, IsAnsweredAgainWhenTheProofWasLost) {
  Circle circle{{addresses(0, 8), {}}, at_most(8)};
  circle.begin_epoch();
  EXPECT_FALSE(circle.ask(0, 1, helper_that<Proof>([](Proof&) { return false; })).first);
  EXPECT_EQ(circle.admitted(0), 0u);
  EXPECT_EQ(circle.admit(0), 8u);
  EXPECT_EQ(circle.counted(1, 1, 0), 8);
}

TEST(Admission, IsNotAnsweredAgainWithoutEndButAgainTheNextDay) {
  Circle circle{{addresses(0, 2), {}}, at_most(2)};
  circle.begin_epoch();
  const auto lose = helper_that<Answer>([](Answer&) { return false; });
  for (std::int64_t i = 0; i <= kMostRepeats; ++i) EXPECT_FALSE(circle.ask(0, 1, lose).first) << i;
  const auto refused = [&] {
    const auto asked = circle.ask(0, 1);
    EXPECT_OK(asked.first);
    return asked.first && *asked.first && (*asked.first)->refusal && (*asked.first)->refusal->reason == Reason::busy;
  };
  EXPECT_TRUE(refused());
  circle.let_pass(1, 86'300);
  EXPECT_TRUE(refused()) << "a little less than a day is not a day";
  EXPECT_EQ(circle.admitted(0), 0u);
  circle.let_pass(1, 200);
  EXPECT_EQ(circle.admit(0), 2u);
}

/// A helper whose log counts `more` than it was asked for.
Deviation helper_that_counts(std::int64_t more) {
  return {.rewrite = [more](mirror::Draft& draft) {
    if (draft.type != log::kAdmissionCount) return;
    CountRecord lie = *count_record_from_json(draft.body);
    lie.count += more;
    lie.total += more;
    draft.body = to_json(lie);
  }};
}

TEST(Admission, ThatALogCountsAndNobodyAskedForIsNamed) {
  Circle circle{{addresses(0, 6), {}, {}}, at_most(1000)};
  circle.begin_epoch();
  EXPECT_FALSE(circle.ask(0, 1, helper_that_counts(500)).first) << "it is refused at once";
  ASSERT_OK(circle.ask(0, 2).first);
  EXPECT_EQ(circle.counted(0, 1, 0), 506);
  const Overview overview = circle.overview(0);
  EXPECT_EQ(overview.helpers[0].beyond.at(indicator::Type::ipv4), 500);
  EXPECT_TRUE(overview.helpers[1].beyond.empty());
}

/// A helper whose program answers as `bend` says, and has its log say the same.
class Liar {
 public:
  explicit Liar(std::function<void(Bytes&)> bend) : bend_(std::move(bend)) {}
  Deviation deviation() {
    return {.rewrite =
                [this](mirror::Draft& draft) {
                  if (draft.type != log::kAdmissionCount) return;
                  CountRecord lie = *count_record_from_json(draft.body);
                  answers_ = Bytes(static_cast<std::size_t>(lie.count) * crypto::kElementBytes);
                  for (std::size_t i = 0; i < answers_.size(); i += crypto::kElementBytes)
                    std::ranges::copy(base().encoding(), answers_.begin() + static_cast<std::ptrdiff_t>(i));
                  bend_(answers_);
                  lie.answers = crypto::sha256(answers_);
                  draft.body = to_json(lie);
                },
            .resend = helper_that<Answer>([this](Answer& answer) {
                        answer.evaluated = answers_;
                        return true;
                      }).resend};
  }

 private:
  static crypto::Element base() {
    return *crypto::multiply_base(crypto::Scalar::from_uniform(Secret<64>().expose()) + one());
  }
  static crypto::Scalar one() {
    ByteArray<64> bytes{};
    bytes[0] = std::byte{1};
    return crypto::Scalar::from_uniform(bytes);
  }
  std::function<void(Bytes&)> bend_;
  Bytes answers_;
};

TEST(Admission, UsesNothingOfAnswersUnderAnotherKeyThanTheOneInTheLog) {
  Circle circle{{addresses(0, 8), {}}, at_most(1000)};
  circle.begin_epoch();
  Liar liar([](Bytes&) {});
  const auto asked = circle.ask(0, 1, liar.deviation());
  ASSERT_FAILS(asked.first, Errc::protocol);
  EXPECT_THAT(asked.first.error().message, HasSubstr("not by the key that its log says"));
  EXPECT_EQ(asked.first.error().where, "bravo");
  EXPECT_EQ(circle.admitted(0), 0u);
  const Overview overview = circle.overview(0);
  EXPECT_EQ(overview.helpers.front().bad_answers, 1);
  EXPECT_THAT(overview.helpers.front().bad_answers_why, HasSubstr("not by the key"));
  EXPECT_EQ(overview.types.front().under_way, 0u) << "its log fixes that: this batch could never be finished";
  EXPECT_EQ(overview.types.front().waiting, 8u);
}

TEST(Admission, UsesNothingOfMoreOrFewerAnswersThanWereAskedFor) {
  for (const std::size_t length : {1u, 7u, 9u}) {
    Circle circle{{addresses(0, 8), {}}, at_most(1000)};
    circle.begin_epoch();
    Liar liar([&](Bytes& answers) {
      answers.resize(length * crypto::kElementBytes);
      std::ranges::copy(Bytes(answers.begin(), answers.begin() + 32), answers.end() - 32);
    });
    const auto asked = circle.ask(0, 1, liar.deviation());
    ASSERT_FAILS(asked.first, Errc::protocol);
    EXPECT_THAT(asked.first.error().message, HasSubstr("another number than it was asked"));
    EXPECT_EQ(circle.overview(0).types.front().waiting, 8u) << "the batch is made anew";
    EXPECT_EQ(circle.admit(0), 8u);
  }
}

// 400 answers, of which 300 are proven: the one that is no element is found, whichever they are.
TEST(Admission, UsesNothingOfAnswersOfWhichOneIsNoElement) {
  for (const std::byte filling : {std::byte{0}, std::byte{0xff}}) {
    Circle circle{{addresses(0, 400), {}, {}}, at_most(4000)};
    circle.begin_epoch();
    Liar liar([&](Bytes& answers) { std::ranges::fill(std::span(answers).last(32), filling); });
    const auto asked = circle.ask(0, 1, liar.deviation());
    ASSERT_FAILS(asked.first, Errc::protocol);
    EXPECT_THAT(asked.first.error().message, HasSubstr("number 399 of the answers that its log fixes is no element"));
    const Overview overview = circle.overview(0);
    EXPECT_EQ(overview.helpers[0].bad_answers, 1);
    EXPECT_EQ(overview.types.front().waiting, 400u) << "they do not wait in a batch that never ends";
    // The batch that is made anew goes to the one who spoilt the last before it costs anything with others.
    const auto other = circle.ask(0, 2);
    ASSERT_OK(other.first);
    EXPECT_EQ((*other.first)->indicators, 0u);
    EXPECT_EQ(circle.counted(2, 2, 0), 0);
    ASSERT_OK(circle.ask(0, 1).first);
    ASSERT_OK(circle.ask(0, 2).first);
    EXPECT_EQ(circle.admitted(0), 400u);
    EXPECT_EQ(circle.counted(2, 2, 0), 400);
    EXPECT_EQ(circle.counted(1, 1, 0), 800) << "its own log is the price of its own answers";
    EXPECT_EQ(circle.overview(0).helpers[0].bad_answers, 1) << "what it did is not forgotten";
  }
}

// charlie waits until bravo has answered, and then spoils all that it is asked for.
TEST(Admission, LosesOneBatchAtMostOfWhatTheOthersGrantToAMemberThatBeginsToSpoil) {
  const std::int64_t batch = kFewestInFullBatch;
  Circle circle{{addresses(0, 3 * kFewestInFullBatch), {}, {}}, at_most(3 * batch)};
  circle.begin_epoch();
  Liar liar([](Bytes&) {});
  for (int round = 0; round < 4; ++round) {
    ASSERT_OK(circle.ask(0, 1).first);
    (void)circle.ask(0, 2, liar.deviation());
    EXPECT_LE(circle.counted(1, 1, 0), batch) << round;
  }
  EXPECT_EQ(circle.overview(0).helpers[1].bad_answers, 3) << "charlie has used up what its own log grants, and no more";
}

TEST(Admission, RunsAheadWithNobodyByMoreThanABatchOfAType) {
  const std::int64_t batch = kFewestInFullBatch;
  Circle circle{{addresses(0, 3 * kFewestInFullBatch), {}, {}}, at_most(8 * batch)};
  circle.begin_epoch();
  for (int again = 0; again < 2; ++again) {
    ASSERT_OK(circle.ask(0, 1).first);
    EXPECT_EQ(circle.counted(1, 1, 0), batch) << "charlie has answered nothing yet";
  }
  ASSERT_OK(circle.ask(0, 2).first);
  EXPECT_EQ(circle.counted(2, 2, 0), 2 * batch) << "one that bravo has answered, and one more";
  EXPECT_EQ(circle.admitted(0), kFewestInFullBatch);
  EXPECT_EQ(circle.admit(0), 3 * kFewestInFullBatch);
}

TEST(Admission, PutsAnEighthOfTheCapOfATypeIntoABatchAtMost) {
  EXPECT_EQ(most_in_batch(100'000), 12'500u);
  EXPECT_EQ(most_in_batch(1'000'000), psi::admission::kMostInBatch);
  for (const std::int64_t low : {1, 25, 512}) EXPECT_EQ(most_in_batch(low), kFewestInFullBatch);
  Circle circle{{addresses(0, 300), {}}, at_most(800)};
  circle.begin_epoch();
  ASSERT_OK(circle.as(0, [](const Party& us) { return prepare(us); }));
  const auto batches = circle[0].vault->admission_batches(circle.charter().charter.group, circle.epoch(0).id);
  ASSERT_OK(batches);
  EXPECT_THAT(*batches, testing::Each(testing::Field(&vault::AdmissionBatch::count, 100u)));
  EXPECT_EQ(batches->size(), 3u);
}

/// Keeps the samples that an owner names.
Deviation owner_that_is_heard(std::vector<std::vector<std::uint32_t>>& samples) {
  return {.rewrite = {}, .resend = [&samples](const wire::Frame& frame) {
            const auto message = frame.type == wire::FrameType::admission
                                     ? read_message(frame.payload)
                                     : Result<Message>(fail(Errc::protocol, "another frame"));
            if (message)
              if (const auto* challenge = std::get_if<Challenge>(&*message)) samples.push_back(challenge->sample);
            return std::vector{frame};
          }};
}

// Whoever sees that something false is in the sample and breaks off is asked for the same sample again.
TEST(Admission, IsAskedForTheSameProofAgainByWhoeverBreaksOffBeforeIt) {
  Circle circle{{addresses(0, 2000), {}}, at_most(16'000)};
  circle.begin_epoch();
  std::vector<std::vector<std::uint32_t>> samples;
  const auto breaks_off = helper_that<Proof>([](Proof&) { return false; });
  for (int i = 0; i < 3; ++i) EXPECT_FALSE(circle.ask(0, 1, breaks_off, owner_that_is_heard(samples)).first);
  EXPECT_OK(circle.ask(0, 1, {}, owner_that_is_heard(samples)).first);
  ASSERT_EQ(samples.size(), 4u);
  EXPECT_EQ(samples[0].size(), psi::admission::kSampleCount);
  for (const auto& sample : samples) EXPECT_EQ(sample, samples.front());
  EXPECT_EQ(circle.admitted(0), 2000u);
  EXPECT_EQ(circle.counted(1, 1, 0), 2000);
}

TEST(Admission, UsesNothingOfABatchWhoseAnswersWereFixedOtherwiseBefore) {
  Circle circle{{addresses(0, 8), {}}, at_most(1000)};
  circle.begin_epoch();
  EXPECT_FALSE(circle.ask(0, 1, helper_that<Answer>([](Answer&) { return false; })).first);
  const auto batches = circle[0].vault->admission_batches(circle.charter().charter.group, circle.epoch(0).id);
  ASSERT_OK(batches);
  // As if the log had fixed others when the sample was named.
  EXPECT_OK(circle[0].vault->fix_admission(batches->front().number, "bravo",
                                           {.answers = random_bytes<32>(), .sample = {0, 1, 2, 3, 4, 5, 6, 7}}));
  const auto asked = circle.ask(0, 1);
  ASSERT_FAILS(asked.first, Errc::protocol);
  EXPECT_THAT(asked.first.error().message, HasSubstr("fixes a batch twice"));
  EXPECT_EQ(circle.overview(0).helpers.front().bad_answers, 1);
  EXPECT_EQ(circle.admit(0), 8u);
}

TEST(Admission, IsProvenForOneSampleOnlyAndRefusedByNameForAnother) {
  Circle circle{{addresses(0, 400), {}}, at_most(4000)};
  circle.begin_epoch();
  EXPECT_FALSE(circle.ask(0, 1, helper_that<Proof>([](Proof&) { return false; })).first);
  const Deviation another{.rewrite = {}, .resend = [](const wire::Frame& frame) {
                            auto message = frame.type == wire::FrameType::admission
                                               ? read_message(frame.payload)
                                               : Result<Message>(fail(Errc::protocol, "another frame"));
                            auto* challenge = message ? std::get_if<Challenge>(&*message) : nullptr;
                            if (challenge == nullptr) return std::vector{frame};
                            challenge->sample = psi::admission::draw_sample(400);
                            return std::vector{wire::Frame{frame.type, write_message(*message)}};
                          }};
  const auto asked = circle.ask(0, 1, {}, another);
  ASSERT_FAILS(asked.first, Errc::protocol);
  EXPECT_THAT(asked.first.error().message, HasSubstr("proved another sample of a batch before"));
  EXPECT_OK(asked.second) << "the helper goes on with other batches";
  EXPECT_EQ(circle.overview(0).helpers.front().bad_answers, 1) << "it could say so to be rid of the sample";
  EXPECT_EQ(circle.admit(0), 400u);
}

TEST(Admission, UsesNothingOfAnswersThatTheLogDoesNotFix) {
  Circle circle{{addresses(0, 8), {}}, at_most(1000)};
  circle.begin_epoch();
  const auto asked = circle.ask(0, 1, helper_that<Answer>([](Answer& answer) {
                                  std::swap_ranges(answer.evaluated.begin(), answer.evaluated.begin() + 32,
                                                   answer.evaluated.begin() + 32);
                                  return true;
                                }));
  ASSERT_FAILS(asked.first, Errc::protocol);
  EXPECT_THAT(asked.first.error().message, HasSubstr("others than those that its log fixes"));
  EXPECT_EQ(circle.admitted(0), 0u);
  EXPECT_EQ(circle.overview(0).helpers.front().bad_answers, 1);
  EXPECT_EQ(circle.overview(0).types.front().under_way, 8u) << "what its log fixes may be right";
  EXPECT_EQ(circle.admit(0), 8u);
  EXPECT_EQ(circle.counted(1, 1, 0), 8);
}

TEST(Admission, UsesNothingOfAHelpThatIsCountedForSomebodyElseOrAsLess) {
  for (const auto& bend : std::vector<std::function<void(CountRecord&)>>{
           [](CountRecord& record) { record.owner = "charlie"; }, [](CountRecord& record) { --record.count; },
           [](CountRecord& record) { record.batch[0] ^= std::byte{1}; },
           [](CountRecord& record) { record.epoch[0] ^= std::byte{1}; }}) {
    Circle circle{{addresses(0, 8), {}, {}}, at_most(1000)};
    circle.begin_epoch();
    const Deviation liar{.rewrite =
                             [&](mirror::Draft& draft) {
                               if (draft.type != log::kAdmissionCount) return;
                               CountRecord record = *count_record_from_json(draft.body);
                               bend(record);
                               draft.body = to_json(record);
                             },
                         .resend = {}};
    EXPECT_FAILS(circle.ask(0, 1, liar).first, Errc::protocol);
    EXPECT_EQ(circle.overview(0).helpers[0].unanswered, 8u);
  }
}

TEST(Admission, ProvesNothingButTheBatchThatWasAnsweredLastAndThatOnce) {
  Circle circle{{addresses(0, 2), {}}, at_most(1000)};
  circle.begin_epoch();
  const auto asked = circle.connect<bool, std::uint64_t>(
      0, 1,
      [&](group::LogLink& link) -> Result<bool> {
        TRY_STATUS(link.synchronise(deadline_in(kPatience)));
        const Message challenge = Challenge{.batch = Digest{}, .sample = {0}};
        TRY_STATUS(link.send(wire::FrameType::admission, write_message(challenge)));
        return link.receive(deadline_in(kPatience)).has_value();
      },
      [&](group::LogLink& link) { return circle.help_on(1, link); });
  EXPECT_FAILS(asked.second, Errc::protocol);
  // A sample that nobody draws.
  const Deviation curious{
      .rewrite = {}, .resend = [](const wire::Frame& frame) {
        auto message = read_message(frame.payload);
        if (frame.type != wire::FrameType::admission || !message || !std::holds_alternative<Challenge>(*message))
          return std::vector{frame};
        std::get<Challenge>(*message).sample = {0};
        return std::vector{wire::Frame{frame.type, write_message(*message)}};
      }};
  EXPECT_FAILS(circle.ask(0, 1, {}, curious).second, Errc::protocol);
  // Twice.
  const Deviation repeats{.rewrite = {}, .resend = [](const wire::Frame& frame) {
                            const auto message = read_message(frame.payload);
                            const bool twice = frame.type == wire::FrameType::admission && message &&
                                               std::holds_alternative<Challenge>(*message);
                            return twice ? std::vector{frame, frame} : std::vector{frame};
                          }};
  EXPECT_FAILS(circle.ask(0, 1, {}, repeats).second, Errc::protocol);
}

TEST(Admission, OfTwoLinksAtOnceDoesNotPassTheCapTogether) {
  Circle circle{{addresses(0, 10), {}}, at_most(15)};
  circle.begin_epoch();
  const Digest epoch = circle.epoch(0).id;
  const auto request = [&]() -> Result<bool> {
    const auto both = circle.connect<bool, std::uint64_t>(
        0, 1,
        [&](group::LogLink& link) -> Result<bool> {
          TRY_STATUS(link.synchronise(deadline_in(kPatience)));
          Bytes points;
          for (int i = 0; i < 10; ++i)
            append(points,
                   crypto::multiply_base(crypto::Scalar::from_uniform(random_secret<64>().expose()))->encoding());
          const Message message = Request{.epoch = epoch, .type = indicator::Type::ipv4, .blinded = points};
          TRY_STATUS(link.send(wire::FrameType::admission, write_message(message)));
          TRY(const wire::FrameType first, link.next_type(deadline_in(kPatience)));
          TRY_STATUS(link.send(wire::FrameType::bye, {}));
          return first == wire::FrameType::step;
        },
        [&](group::LogLink& link) { return circle.help_on(1, link); });
    return both.first;
  };
  auto other = std::async(std::launch::async, request);
  const auto one = request();
  const auto two = other.get();
  ASSERT_OK(one);
  ASSERT_OK(two);
  EXPECT_EQ(static_cast<int>(*one) + static_cast<int>(*two), 1);
  EXPECT_EQ(circle.counted(1, 1, 0), 10);
}

/// Member j helps on a link, with a membership that `now` gives and a progress of the test's.
Result<std::uint64_t> help_with(Circle& circle, std::size_t j, group::LogLink& link,
                                const std::function<Result<group::Membership>()>& now, Progress& progress) {
  TRY(const wire::FrameType first, link.next_type(deadline_in(kPatience)));
  if (first != wire::FrameType::admission) return 0;
  return circle.as(j, [&](const Party& us) {
    const Party watched{
        .desk = us.desk, .membership = us.membership, .log = us.log, .pool = us.pool, .progress = progress};
    return help(watched, now, link);
  });
}

/// alpha is helped by bravo, whose program looks at its membership with `now`.
Circle::Asked ask_with(Circle& circle, const std::function<Result<group::Membership>()>& now, Progress& progress) {
  return circle.connect<std::optional<Helped>, std::uint64_t>(
      0, 1,
      [&](group::LogLink& link) -> Result<std::optional<Helped>> {
        TRY_STATUS(link.synchronise(deadline_in(kPatience)));
        auto helped = circle.as(0, [&](const Party& us) { return work_with(us, link, deadline_in(kPatience)); });
        TRY_STATUS(link.send(wire::FrameType::bye, {}));
        return helped;
      },
      [&](group::LogLink& link) { return help_with(circle, 1, link, now, progress); });
}

// 1: when the request is read. 2: when it is charged. 3: when its entry is written.
TEST(Admission, IsRefusedWhereCharterOrMembershipHaveChangedSinceTheRequestWasRead) {
  const group::LocalPolicy paused{.paused = true};
  const group::LocalPolicy stricter{.admissions = {{.type = indicator::Type::ipv4, .most = 7}}};
  struct Row {
    int from;
    std::function<group::Membership(Circle&)> changed;
    Reason reason;
    std::int64_t charged;
  };
  const auto with_policy = [](const group::LocalPolicy& policy) {
    return [policy](Circle& circle) {
      circle.set_policy(1, policy);
      return circle.membership(1);
    };
  };
  const auto lower_cap = [](Circle& circle) {
    group::SignedCharter next = circle.charter();
    next.charter.seq = 2;
    next.charter.admission.types.front().most = 7;
    return circle.membership_under(1, {circle.charter(), next}, {});
  };
  const auto owner_gone = [](Circle& circle) { return circle.membership_under(1, {circle.charter()}, {"alpha"}); };
  for (const Row& row : {Row{2, with_policy(paused), Reason::policy, 0}, Row{3, with_policy(paused), Reason::policy, 8},
                         Row{2, with_policy(stricter), Reason::policy, 0}, Row{2, lower_cap, Reason::cap, 0},
                         Row{3, lower_cap, Reason::cap, 8}, Row{2, owner_gone, Reason::epoch, 0},
                         Row{3, owner_gone, Reason::epoch, 8}}) {
    Circle circle{{addresses(0, 8), {}, {}}, at_most(1000)};
    circle.begin_epoch();
    int looked = 0;
    SilentProgress silent;
    const auto asked = ask_with(
        circle,
        [&]() -> Result<group::Membership> {
          return ++looked >= row.from ? row.changed(circle) : circle.membership(1);
        },
        silent);
    ASSERT_OK(asked.first);
    ASSERT_TRUE(*asked.first && (*asked.first)->refusal);
    EXPECT_EQ((*asked.first)->refusal->reason, row.reason) << row.from;
    EXPECT_EQ(looked, row.from);
    circle.set_policy(1, {});
    EXPECT_EQ(circle.counted(1, 1, 0), row.charged) << "what was computed for is paid for";
    circle.synchronise();
    EXPECT_EQ(circle.counted(0, 1, 0), 0) << "nothing of it stands in the log";
    ASSERT_OK(circle.ask(0, 1).first);
    EXPECT_EQ(circle.counted(1, 1, 0), 8) << "and it is not paid for twice";
    circle.synchronise();
    EXPECT_EQ(circle.counted(0, 1, 0), 8);
  }
}

/// Notes what was charged when a helper began to compute.
class ChargedWhenHelping final : public Progress {
 public:
  explicit ChargedWhenHelping(std::function<std::int64_t()> charged) : charged_(std::move(charged)) {}
  void phase(std::string_view name, std::uint64_t) override {
    if (name == "helping") seen.push_back(charged_());
  }
  void advance(std::uint64_t) override {}
  std::vector<std::int64_t> seen;

 private:
  std::function<std::int64_t()> charged_;
};

TEST(Admission, IsChargedBeforeAnythingIsComputedForIt) {
  Circle circle{{addresses(0, 8), {}}, at_most(1000)};
  circle.begin_epoch();
  const Digest epoch = circle.epoch(1).id;
  ChargedWhenHelping progress([&] {
    return *circle[1].vault->admission_total(circle.charter().charter.group, epoch, "bravo", "alpha",
                                             indicator::Type::ipv4);
  });
  ASSERT_OK(ask_with(circle, [&] { return Result<group::Membership>(circle.membership(1)); }, progress).first);
  EXPECT_EQ(progress.seen, std::vector<std::int64_t>{8});
}

// By leaving and coming back a member has new keys and a new epoch with all others; its own count goes on.
TEST(Admission, OfAMemberThatWasOffTheCharterAndCameBackIsCountedOverTheWholePeriod) {
  Circle circle{{addresses(0, 1), {}, {}}, at_most(1000)};
  group::SignedCharter without = circle.charter(), again = circle.charter();
  without.charter.seq = 2;
  std::erase_if(without.charter.members, [](const auto& member) { return member.keys.nick == "alpha"; });
  again.charter.seq = 3;
  const UnixSeconds begin = circle.charter().charter.not_before, now = begin + 10 * 86'400;
  const Digest old_epoch = random_bytes<32>(), new_epoch = random_bytes<32>();
  vault::Vault& vault = *circle[1].vault;
  const auto note = [&](const char* owner, const Digest& epoch, std::int64_t count, UnixSeconds time) {
    vault::AdmissionCount row{.helper = "bravo",
                              .owner = owner,
                              .epoch = epoch,
                              .batch = random_bytes<32>(),
                              .count = count,
                              .entry = random_bytes<32>(),
                              .time = time};
    EXPECT_OK(vault.put_admission_count(circle.charter().charter.group, row));
  };
  for (const char* owner : {"alpha", "charlie"}) {
    note(owner, old_epoch, 70, begin - 1);  // in the period before
    note(owner, old_epoch, 20, begin + 5);
    note(owner, new_epoch, 3, now);
  }
  const auto used = [&](const group::Membership& membership, const char* owner) {
    return *counted(vault, membership, new_epoch, "bravo", owner, indicator::Type::ipv4, now);
  };
  const group::Membership came_back = circle.membership_under(1, {circle.charter(), without, again}, {});
  EXPECT_EQ(used(came_back, "alpha"), 23);
  EXPECT_EQ(used(came_back, "charlie"), 3) << "who stayed has to have everything admitted anew";
  const group::Membership joined = circle.membership_under(1, {without, again}, {});
  EXPECT_EQ(used(joined, "alpha"), 3) << "who is new has nothing to carry over";
}

// The body of a count that is lost with an older disk is asked for: until it is here nobody is helped.
TEST(Admission, WaitsForWhatItsOwnLogSaysAndAsksForIt) {
  Circle circle{{addresses(0, 5), {}, {}}, at_most(8)};
  circle.begin_epoch();
  EXPECT_EQ(circle.admit(0), 5u);
  circle.synchronise();
  const auto heads = circle[1].vault->logs();
  ASSERT_OK(heads);
  const auto own = std::ranges::find_if(*heads, [&](const vault::LogHead& head) { return head.own; });
  const auto leaves = circle[1].vault->log_leaves(own->origin, 0, own->size);
  ASSERT_OK(leaves);
  for (const vault::LogLeaf& leaf : *leaves) {
    const auto entry = log::read_entry_unverified(leaf.note);
    if (entry->type != log::kAdmissionCount) continue;
    for (const std::size_t member : {0u, 1u}) EXPECT_OK(circle[member].vault->erase_entry_body(leaf.hash));
  }
  // Nothing goes, all is read again, and the replica knows what came back to it without its body.
  ASSERT_OK(circle[1].vault->cut_log(own->origin, own->size, {}));
  ASSERT_OK(circle[1].vault->put_setting("log-lacking " + own->origin, "0"));
  circle.restart(1);
  EXPECT_EQ(circle.counted(1, 1, 0), 0) << "what it says is not known";
  EXPECT_OK(vault::import_records(*circle[0].vault, {.source = "more.csv", .format = "csv", .labels = {}, .tlp = {}},
                                  addresses(100, 5)));
  const auto asked = circle.ask(0, 1);
  EXPECT_FALSE(asked.first);
  ASSERT_FAILS(asked.second, Errc::policy);
  EXPECT_THAT(asked.second.error().message, HasSubstr("is not here"));
  circle.call_on(1, 2);
  EXPECT_EQ(circle.counted(1, 1, 0), 5) << "charlie has brought it";
  EXPECT_EQ(circle.admit(0), 8u) << "and the cap is what it was";
}

TEST(Admission, NamesAMemberThatIsAwaySinceItWasAndForgetsThatWhenItIsBack) {
  Circle circle{{addresses(0, 4), {}}, at_most(1000)};
  circle.begin_epoch();
  const auto note = [&](bool reached) {
    return circle.as(0, [&](const Party& us) { return note_helper(us, "bravo", reached, {}); });
  };
  EXPECT_OK(note(false));
  const UnixSeconds since = circle.overview(0).helpers.front().away_since;
  EXPECT_GT(since, 0);
  EXPECT_OK(note(false));
  EXPECT_EQ(circle.overview(0).helpers.front().away_since, since);
  EXPECT_EQ(circle.admit(0), 4u);
  EXPECT_EQ(circle.overview(0).helpers.front().away_since, 0);
  EXPECT_GT(circle.overview(0).helpers.front().reached, 0);
}

// Everything that a vault remembers of counts comes back with the log: a forgotten table refills no cap.
TEST(Admission, IsCountedAnewFromTheLogWhereTheVaultForgotIt) {
  Circle circle{{addresses(0, 9), {}}, at_most(10)};
  circle.begin_epoch();
  EXPECT_EQ(circle.admit(0), 9u);
  // bravo's other copy of the counts: what alpha has read of bravo's log.
  circle.synchronise();
  EXPECT_EQ(circle.counted(0, 1, 0), 9);
  EXPECT_OK(circle[0].vault->forget_admissions(circle.charter().charter.group, std::nullopt));
  EXPECT_EQ(circle.admitted(0), 0u);
  EXPECT_EQ(circle.admit(0), 1u) << "the tags are lost, and only one more may be had";
}

}  // namespace
}  // namespace parley::admission
