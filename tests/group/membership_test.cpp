// What a charter permits when, to whom, of what and how much of it; each refusal names its clause.
#include "group/membership.h"

#include "group/charters.h"

namespace parley::group {
namespace {

using indicator::Type;
using Left = std::set<std::string, std::less<>>;

SignedCharter founded(const Charter& charter) {
  return *read_founded(signed_charter(charter, nicks_of(charter)));
}

struct Given {
  Charter charter = charter_of(3);
  Left left = {};
  LocalPolicy policy = {};
  std::string state{kActive};
  UnixSeconds latest = 0;

  Membership membership() const {
    return Membership({.id = kGroup, .name = "stadium", .state = state, .created = kBegin, .latest = latest},
                      {founded(charter)}, left, policy, test_member("alpha").id());
  }
};

QuestionFacts facts(const Charter& charter = charter_of(3)) {
  return {.peer_id = test_member("bravo").id(),
          .peer_card = test_member("bravo").in_group().card,
          .peer_confirmed = true,
          .charter = charter_hash(charter),
          .function = Function::count,
          .types = {Type::ipv4},
          .protocol = "classic",
          .our_padded = 1024,
          .their_padded = 2048};
}

constexpr UnixSeconds kDuring = kBegin + kSecondsPerDay;

TEST(Membership, IsOpenFromItsBeginningToItsEndLessTheSkew) {
  const Membership membership = Given{}.membership();
  const UnixSeconds end = kEnd - 600, grace_end = kEnd + 30 * kSecondsPerDay;
  const std::pair<UnixSeconds, Phase> table[] = {
      {0, Phase::waiting},           {kBegin - 1, Phase::waiting}, {kBegin, Phase::open},
      {end - 1, Phase::open},        {end, Phase::grace},          {kEnd, Phase::grace},
      {grace_end - 1, Phase::grace}, {grace_end, Phase::over},     {grace_end + 1'000'000'000, Phase::over},
  };
  for (const auto& [now, phase] : table) EXPECT_EQ(membership.phase_at(now), phase) << now - kBegin;
}

TEST(Membership, DoesNotComeBackWhenTheClockIsSetBack) {
  EXPECT_EQ(Given{.latest = kEnd}.membership().phase_at(kBegin), Phase::grace);
  EXPECT_EQ(Given{.state = std::string(kEnded)}.membership().phase_at(kDuring), Phase::grace);
  EXPECT_EQ(Given{.state = std::string(kClosed)}.membership().phase_at(kDuring), Phase::over);
  EXPECT_REFUSED(Given{.latest = kEnd}.membership().check(Act::question, kBegin), Errc::policy, "not_after");
}

TEST(Membership, PermitsEachActInItsPhasesOnly) {
  const Membership membership = Given{}.membership();
  struct Row {
    Act act;
    bool waiting, open, grace, over;
  };
  const Row table[] = {
      {Act::question, false, true, false, false}, {Act::reveal, false, true, false, false},
      {Act::amend, true, true, false, false},     {Act::finding, false, true, true, false},
      {Act::dissent, false, true, true, false},   {Act::settle, false, true, true, false},
      {Act::leave, true, true, true, false},
  };
  for (const Row& row : table) {
    EXPECT_EQ(membership.check(row.act, kBegin - 1).has_value(), row.waiting) << name_of(row.act);
    EXPECT_EQ(membership.check(row.act, kDuring).has_value(), row.open) << name_of(row.act);
    EXPECT_EQ(membership.check(row.act, kEnd).has_value(), row.grace) << name_of(row.act);
    EXPECT_EQ(membership.check(row.act, kEnd + 31 * kSecondsPerDay).has_value(), row.over) << name_of(row.act);
  }
  EXPECT_REFUSED(membership.check(Act::question, kBegin - 1), Errc::policy, "not_before");
  EXPECT_REFUSED(membership.check(Act::question, kEnd), Errc::policy, "not_after");
  EXPECT_REFUSED(membership.check(Act::finding, kEnd + 31 * kSecondsPerDay), Errc::policy, "grace_days");
}

TEST(Membership, PermitsNothingToWhoWithdrewWasExpelledOrIsAlone) {
  const auto refuses_all = [](const Membership& membership, std::string_view says) {
    for (const Act act : {Act::question, Act::reveal, Act::amend, Act::finding, Act::dissent, Act::settle})
      EXPECT_REFUSED(membership.check(act, kDuring), Errc::policy, says) << name_of(act);
  };
  refuses_all(Given{.state = std::string(kWithdrawn)}.membership(), "you have withdrawn");
  refuses_all(Given{.left = {"alpha"}}.membership(), "you have withdrawn");
  refuses_all(Given{.left = {"bravo", "charlie"}}.membership(), "everybody else");
  Given expelled;
  std::erase_if(expelled.charter.members, [](const CharterMember& member) { return member.keys.nick == "alpha"; });
  expelled.charter.log_quorum = 2;
  refuses_all(expelled.membership(), "no longer a member");
  EXPECT_HOLDS(Given{.left = {"bravo"}}.membership().check(Act::question, kDuring));
}

TEST(Membership, RecomputesItsQuorumsForWhoIsLeft) {
  const Given five{.charter = charter_of(5), .left = {"bravo"}};
  EXPECT_EQ(five.membership().current_members().size(), 4u);
  EXPECT_EQ(five.membership().log_quorum(), 3u);
  EXPECT_EQ(five.membership().finding_quorum(), 3u);
  const Given two{.charter = charter_of(5), .left = {"bravo", "charlie", "delta"}};
  EXPECT_EQ(two.membership().log_quorum(), 2u);
  EXPECT_EQ(two.membership().finding_quorum(), 2u);
}

TEST(Question, IsPermittedWithinAllClauses) {
  EXPECT_HOLDS(Given{}.membership().check_question(facts(), kDuring));
}

struct Refusal {
  const char* what;
  std::function<void(QuestionFacts&)> change;
  Errc code;
  std::string_view says;
};

TEST(Question, IsRefusedByTheClauseThatItBreaks) {
  const Refusal cases[] = {
      {"a stranger", [](QuestionFacts& f) { f.peer_id = test_member("delta").id(); }, Errc::policy, "no member"},
      {"ourselves", [](QuestionFacts& f) { f.peer_id = test_member("alpha").id(); }, Errc::policy, "no member"},
      {"another card", [](QuestionFacts& f) { f.peer_card[0] ^= std::byte{1}; }, Errc::policy, "another card"},
      {"not confirmed", [](QuestionFacts& f) { f.peer_confirmed = false; }, Errc::policy, "by voice"},
      {"another charter", [](QuestionFacts& f) { f.charter[0] ^= std::byte{1}; }, Errc::skew, "another version"},
      {"no type", [](QuestionFacts& f) { f.types.clear(); }, Errc::policy, "questions"},
      {"a type that is not allowed", [](QuestionFacts& f) { f.types = {Type::md5}; }, Errc::policy, "count of md5"},
      {"one type of two", [](QuestionFacts& f) { f.types = {Type::ipv4, Type::url}; }, Errc::policy, "count of url"},
      {"a function that is not allowed", [](QuestionFacts& f) { f.function = Function::intersection; }, Errc::policy,
       "intersection of ipv4"},
      {"a protocol that is not allowed", [](QuestionFacts& f) { f.protocol = "plain"; }, Errc::policy, "protocols"},
      {"our set", [](QuestionFacts& f) { f.our_padded = 5121; }, Errc::policy, "max_items_per_session"},
      {"their set", [](QuestionFacts& f) { f.their_padded = 5121; }, Errc::policy, "max_items_per_session"},
      {"sessions", [](QuestionFacts& f) { f.spent[Type::ipv4].sessions_day = 4; }, Errc::policy, "max_sessions_day"},
      {"what they enter", [](QuestionFacts& f) { f.spent[Type::ipv4].probe_in_30d = 50'000 - 2047; }, Errc::policy,
       "max_probe_items_30d"},
      {"what we enter", [](QuestionFacts& f) { f.spent[Type::ipv4].probe_out_30d = 50'000 - 1023; }, Errc::policy,
       "max_probe_items_30d"},
      {"what all enter", [](QuestionFacts& f) { f.spent[Type::ipv4].probe_in_group_30d = 150'000 - 2047; },
       Errc::policy, "max_probe_items_group_30d"},
      {"what they learned", [](QuestionFacts& f) { f.spent[Type::ipv4].matches_in_30d = 200; }, Errc::policy,
       "max_matches_revealed_30d"},
      {"what we learned", [](QuestionFacts& f) { f.spent[Type::ipv4].matches_out_30d = 200; }, Errc::policy,
       "max_matches_revealed_30d"},
  };
  for (const Refusal& test : cases) {
    QuestionFacts changed = facts();
    test.change(changed);
    EXPECT_REFUSED(Given{}.membership().check_question(changed, kDuring), test.code, test.says) << test.what;
  }
  EXPECT_REFUSED(Given{.left = {"bravo"}}.membership().check_question(facts(), kDuring), Errc::policy, "has left");
  EXPECT_REFUSED(Given{}.membership().check_question(facts(), kEnd), Errc::policy, "not_after");
}

TEST(Question, MayUseABudgetUpToItsLastItem) {
  QuestionFacts full = facts();
  full.our_padded = 5120;
  full.their_padded = 5120;
  full.spent[Type::ipv4] = {.sessions_day = 3,
                            .probe_in_30d = 50'000 - 5120,
                            .probe_out_30d = 50'000 - 5120,
                            .probe_in_group_30d = 150'000 - 5120,
                            .matches_in_30d = 199,
                            .matches_out_30d = 199};
  EXPECT_HOLDS(Given{}.membership().check_question(full, kDuring));
  full.spent[Type::domain].sessions_day = 1000;
  EXPECT_HOLDS(Given{}.membership().check_question(full, kDuring)) << "another type's budget is another's";
  full.spent[Type::ipv4].matches_in_30d = 200;
  full.they_learn = false;
  EXPECT_HOLDS(Given{}.membership().check_question(full, kDuring)) << "they learn nothing in it";
}

TEST(LocalPolicy, RefusesWhatTheCharterAllowsAndSaysThatItIsOurs) {
  const auto refused = [](const LocalPolicy& policy, std::string_view says) {
    EXPECT_REFUSED(Given{.policy = policy}.membership().check_question(facts(), kDuring), Errc::policy, says);
    EXPECT_REFUSED(Given{.policy = policy}.membership().check_question(facts(), kDuring), Errc::policy,
                   "Your own policy");
  };
  refused({.paused = true}, "paused");
  refused({.not_after = kDuring}, "ends for you");
  refused({.limits = {{.type = Type::ipv4, .function = Function::count, .refused = true}}}, "no count of ipv4");
  for (const NamedCap& cap : kNamedCaps) {
    if (cap.name == "max_fields_per_item") continue;  // of a reveal, not of a question
    LocalPolicy policy;
    policy.limit_for(Type::ipv4, Function::count).caps.*cap.value = 0;
    refused(policy, cap.name);
  }
  EXPECT_REFUSED(Given{.policy = {.paused = true}}.membership().check(Act::reveal, kDuring), Errc::policy, "paused");
  EXPECT_HOLDS((Given{.policy = {.paused = true}}.membership().check(Act::finding, kDuring)));
}

TEST(LocalPolicy, NeverPermitsWhatTheCharterRefuses) {
  LocalPolicy generous{.max_tlp = indicator::Tlp::red, .not_after = kEnd + 1'000'000};
  generous.limit_for(Type::ipv4, Function::count).caps = kNoCaps;
  const Membership membership = Given{.policy = generous}.membership();
  EXPECT_EQ(membership.caps(*membership.charter().question(Type::ipv4, Function::count)),
            charter_of(3).question(Type::ipv4, Function::count)->caps);
  EXPECT_EQ(membership.max_tlp(), indicator::Tlp::amber_strict);
  EXPECT_EQ(membership.sessions_end(), kEnd - 600);
  QuestionFacts large = facts();
  large.our_padded = 5121;
  EXPECT_REFUSED(membership.check_question(large, kDuring), Errc::policy, "The charter of");
}

TEST(LocalPolicy, IsRefusedWhenItIsLooserThanTheCharter) {
  const Charter charter = charter_of(3);
  EXPECT_HOLDS(check_only_stricter({}, charter));
  EXPECT_HOLDS(check_only_stricter({.paused = true, .max_tlp = indicator::Tlp::green, .not_after = kEnd}, charter));
  EXPECT_REFUSED(check_only_stricter({.max_tlp = indicator::Tlp::red}, charter), Errc::usage, "amber+strict");
  EXPECT_REFUSED(check_only_stricter({.not_after = kEnd + 1}, charter), Errc::usage, "only be stricter");
  EXPECT_REFUSED(check_only_stricter({.limits = {{.type = Type::md5}}}, charter), Errc::usage, "at all");
  for (const NamedCap& cap : kNamedCaps) {
    LocalPolicy policy;
    policy.limit_for(Type::ipv4, Function::count).caps.*cap.value =
        charter.question(Type::ipv4, Function::count)->caps.*cap.value + 1;
    EXPECT_REFUSED(check_only_stricter(policy, charter), Errc::usage, cap.name);
    policy.limits[0].caps.*cap.value -= 1;
    EXPECT_HOLDS(check_only_stricter(policy, charter)) << cap.name;
  }
}

TEST(LocalPolicy, OfAdmissionsIsStricterThanTheCharterOrRefused) {
  Charter charter = charter_of(3);
  charter.admission.types = {{indicator::Type::ipv4, 1000}};
  EXPECT_HOLDS(check_only_stricter({.admissions = {{indicator::Type::ipv4, 1000}}}, charter));
  EXPECT_REFUSED(check_only_stricter({.admissions = {{indicator::Type::ipv4, 1001}}}, charter), Errc::usage,
                 "max_admissions");
  EXPECT_REFUSED(check_only_stricter({.admissions = {{indicator::Type::asn, 1}}}, charter), Errc::usage,
                 "without tags");
  const LocalPolicy policy{.admissions = {{indicator::Type::ipv4, 7}}};
  EXPECT_EQ(policy.most_admissions(indicator::Type::ipv4), 7);
  EXPECT_EQ(policy.most_admissions(indicator::Type::asn), kLargestCap);
}

TEST(LocalPolicy, IsReadAsItWasWrittenAndInNoOtherForm) {
  LocalPolicy policy{.paused = true, .max_tlp = indicator::Tlp::green, .not_after = kEnd};
  policy.limit_for(Type::ipv4, Function::count).caps.sessions_per_day = 1;
  policy.limit_for(Type::sha256, Function::intersection).refused = true;
  EXPECT_EQ(*read_policy(write_policy(policy)), policy);
  policy.log_quota = {.entries_per_day = 1, .bytes_per_day = 2, .entries = 3, .bytes = 4, .reserve_bytes = 5};
  EXPECT_EQ(*read_policy(write_policy(policy)), policy);
  policy.admissions = {{indicator::Type::asn, 0}, {indicator::Type::ipv4, 500}};
  const std::string text = write_policy(policy);
  const auto read = read_policy(text);
  ASSERT_HOLDS(read);
  EXPECT_EQ(*read, policy);
  EXPECT_EQ(*read_policy(write_policy({})), LocalPolicy{});
  for (std::size_t size = 0; size < text.size(); ++size) EXPECT_FALSE(read_policy(text.substr(0, size)).has_value());
  LocalPolicy twice = policy;
  twice.limits.push_back(twice.limits[0]);
  EXPECT_REFUSED(read_policy(write_policy(twice)), Errc::format, "twice");
}

TEST(Membership, LetsInMaterialUpToTheStricterMark) {
  EXPECT_EQ(Given{}.membership().admitted().tlp_max, indicator::Tlp::amber_strict);
  EXPECT_EQ((Given{.policy = {.max_tlp = indicator::Tlp::green}}.membership().admitted().tlp_max),
            indicator::Tlp::green);
  EXPECT_EQ(Given{}.membership().admitted().group, kGroup);
}

TEST(GroupForQuestion, IsTheOnlyOneOrTheNamedOne) {
  const auto standing = [](int open, std::vector<std::string> closed) {
    PairStanding made{.open = {}, .closed = std::move(closed)};
    for (int i = 0; i < open; ++i) {
      Charter charter = charter_of(3);
      made.open.push_back(
          Membership({.id = kGroup, .name = i == 0 ? "stadium" : "arena", .state = std::string(kActive)},
                     {founded(charter)}, {}, {}, test_member("alpha").id()));
    }
    return made;
  };
  EXPECT_FALSE(group_for_question(standing(0, {}), "bravo", "")->has_value()) << "a pair without a charter";
  EXPECT_EQ((*group_for_question(standing(1, {}), "bravo", ""))->group().name, "stadium");
  EXPECT_EQ((*group_for_question(standing(1, {"old"}), "bravo", ""))->group().name, "stadium");
  EXPECT_EQ((*group_for_question(standing(2, {}), "bravo", "arena"))->group().name, "arena");
  EXPECT_REFUSED(group_for_question(standing(2, {}), "bravo", ""), Errc::usage, "stadium and arena");
  EXPECT_REFUSED(group_for_question(standing(0, {"old"}), "bravo", ""), Errc::policy, "not open");
  EXPECT_REFUSED(group_for_question(standing(1, {"old"}), "bravo", "old"), Errc::policy, "no question");
  EXPECT_REFUSED(group_for_question(standing(1, {}), "bravo", "arena"), Errc::not_found, "share no group arena");
  EXPECT_REFUSED(group_for_question(standing(0, {}), "bravo", "stadium"), Errc::not_found, "share no group");
}

}  // namespace
}  // namespace parley::group
