// An owner, its helpers, and what either may not do.
#include <atomic>

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

TEST(Admission, OfAllTypesTogetherStopsAtTheCapOfTheTypeThatIsNamed) {
  group::AdmissionClause clause = at_most(15);
  clause.types.insert(clause.types.begin(), {.type = indicator::Type::cve, .most = 15});
  std::vector<vault::TestRecord> material = addresses(0, 10);
  for (int i = 0; i < 10; ++i)
    material.push_back(session::record(indicator::Type::cve, fmt::format("CVE-2026-{}", 1000 + i), "seen"));
  Circle circle{{material, {}}, clause};
  circle.begin_epoch();
  circle.admit(0);
  std::int64_t counted = 0;
  for (const indicator::Type type : {indicator::Type::cve, indicator::Type::ipv4}) {
    const auto of_type =
        circle[1].vault->admission_total(circle.charter().charter.group, circle.epoch(1).id, "bravo", "alpha", type);
    ASSERT_OK(of_type);
    counted += *of_type;
  }
  EXPECT_EQ(counted, 15) << "all of one type, and of the other what is left: who says cve may mean an address";
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

TEST(Admission, IsNotChargedForABatchWithSomethingInItThatIsNoElement) {
  Circle circle{{addresses(0, 3), {}}, at_most(1000)};
  circle.begin_epoch();
  const auto asked =
      circle.ask(0, 1, {}, owner_that([](Request& request) { std::ranges::fill(request.blinded, std::byte{0}); }));
  EXPECT_FAILS(asked.second, Errc::protocol);
  EXPECT_FALSE(asked.first);
  EXPECT_EQ(circle.counted(1, 1, 0), 0);
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

TEST(Admission, IsNotAnsweredAgainWithoutEnd) {
  Circle circle{{addresses(0, 2), {}}, at_most(2)};
  circle.begin_epoch();
  const auto lose = helper_that<Answer>([](Answer&) { return false; });
  for (std::int64_t i = 0; i <= kMostRepeats; ++i) EXPECT_FALSE(circle.ask(0, 1, lose).first) << i;
  const auto asked = circle.ask(0, 1);
  ASSERT_OK(asked.first);
  ASSERT_TRUE(*asked.first && (*asked.first)->refusal);
  EXPECT_EQ((*asked.first)->refusal->reason, Reason::busy);
}

TEST(Admission, UsesNothingOfAnswersUnderAnotherKeyThanTheOneInTheLog) {
  Circle circle{{addresses(0, 8), {}}, at_most(1000)};
  circle.begin_epoch();
  // A helper whose program answers for another epoch's key, and says so consistently in its log.
  const auto other = *psi::admission::derive_key(random_secret<32>(), {});
  Bytes false_answers;
  const Deviation liar{.rewrite =
                           [&](mirror::Draft& draft) {
                             if (draft.type != log::kAdmissionCount) return;
                             const auto record = count_record_from_json(draft.body);
                             CountRecord lie = *record;
                             false_answers.clear();
                             for (std::int64_t i = 0; i < lie.count; ++i)
                               append(false_answers, crypto::multiply_base(other.secret_key)->encoding());
                             lie.answers = crypto::sha256(false_answers);
                             draft.body = to_json(lie);
                           },
                       .resend = helper_that<Answer>([&](Answer& answer) {
                                   answer.evaluated = false_answers;
                                   return true;
                                 }).resend};
  const auto asked = circle.ask(0, 1, liar);
  ASSERT_FAILS(asked.first, Errc::protocol);
  EXPECT_THAT(asked.first.error().message, HasSubstr("not by the key that its log says"));
  EXPECT_EQ(circle.admitted(0), 0u);
  EXPECT_EQ(circle.overview(0).types.front().under_way, 8u);
  EXPECT_FALSE(circle.overview(0).helpers.front().trouble.empty()) << "and who it was is said";
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
