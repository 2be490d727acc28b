// Amendments: which way each change goes, and who must sign (log.md 1.5).
#include "group/amendment.h"

#include "group/charters.h"
#include "group/nicks.h"

namespace parley::group {
namespace {

using Left = std::set<std::string, std::less<>>;

SignedCharter founded(std::size_t members) {
  const Charter charter = charter_of(members);
  return *read_founded(signed_charter(charter, nicks_of(charter)));
}

Charter next_of(const SignedCharter& before) {
  Charter next = before.charter;
  ++next.seq;
  next.prev = before.hash;
  return next;
}

void remove(Charter& charter, std::string_view nick) {
  std::erase_if(charter.members, [&](const CharterMember& member) { return member.keys.nick == nick; });
}

struct Case {
  const char* what;
  std::function<void(Charter&)> change;
  Effect effect;
};

const std::vector<Case>& single_changes() {
  static const std::vector<Case> cases = {
      {"another name", [](Charter& c) { c.name = "Operation Arena"; }, Effect::loosens},
      {"another purpose", [](Charter& c) { c.purpose = "Everything"; }, Effect::loosens},
      {"a later end", [](Charter& c) { c.not_after += 1; }, Effect::loosens},
      {"an earlier end", [](Charter& c) { c.not_after -= 1; }, Effect::tightens},
      {"an earlier beginning", [](Charter& c) { c.not_before -= 1; }, Effect::loosens},
      {"a later beginning", [](Charter& c) { c.not_before += 1; }, Effect::tightens},
      {"a longer grace", [](Charter& c) { c.grace_days += 1; }, Effect::loosens},
      {"a shorter grace", [](Charter& c) { c.grace_days -= 1; }, Effect::loosens},
      {"a larger skew", [](Charter& c) { c.clock_skew_seconds += 1; }, Effect::loosens},
      {"a smaller skew", [](Charter& c) { c.clock_skew_seconds -= 1; }, Effect::loosens},
      {"a higher finding quorum", [](Charter& c) { c.finding_quorum += 1; }, Effect::tightens},
      {"a lower finding quorum", [](Charter& c) { c.finding_quorum -= 1; }, Effect::loosens},
      {"a higher log quorum", [](Charter& c) { c.log_quorum += 1; }, Effect::tightens},
      {"red material", [](Charter& c) { c.max_tlp = indicator::Tlp::red; }, Effect::loosens},
      {"no amber material", [](Charter& c) { c.max_tlp = indicator::Tlp::green; }, Effect::tightens},
      {"one protocol less", [](Charter& c) { c.protocols = {"classic"}; }, Effect::tightens},
      {"a question dropped", [](Charter& c) { c.questions.erase(c.questions.begin()); }, Effect::tightens},
      {"a question added",
       [](Charter& c) {
         AllowedQuestion added = c.questions[1];
         added.function = Function::intersection;
         c.questions.insert(c.questions.begin() + 2, added);
       },
       Effect::loosens},
      {"admission of a type, which begins an epoch and so all counts anew",
       [](Charter& c) { c.admission.types.insert(c.admission.types.begin(), {indicator::Type::asn, 500}); },
       Effect::loosens},
      {"no admission of a type any more", [](Charter& c) { c.admission.types.pop_back(); }, Effect::loosens},
      {"fewer admissions", [](Charter& c) { --c.admission.types.front().most; }, Effect::tightens},
      {"more admissions", [](Charter& c) { ++c.admission.types.front().most; }, Effect::loosens},
      {"shorter epochs, after which all may be had again", [](Charter& c) { --c.admission.epoch_days; },
       Effect::loosens},
      {"longer epochs", [](Charter& c) { ++c.admission.epoch_days; }, Effect::loosens},
      {"other keys for a member", [](Charter& c) { c.members[1].card[0] ^= std::byte{1}; }, Effect::loosens},
  };
  return cases;
}

/// Five members whose charter asks for admission of two types.
SignedCharter founded_with_admission() {
  Charter charter = charter_of(5);
  charter.admission.types = {{indicator::Type::ipv4, 1000}, {indicator::Type::ipv6, 1000}};
  return *read_founded(signed_charter(charter, nicks_of(charter)));
}

TEST(Amendment, IsTakenForWhatEachSingleChangeIs) {
  const SignedCharter before = founded_with_admission();
  for (const Case& test : single_changes()) {
    Charter next = next_of(before);
    test.change(next);
    const auto assessed = assess(before.charter, next, {});
    ASSERT_HOLDS(assessed) << test.what;
    ASSERT_EQ(assessed->changes.size(), 1u) << test.what;
    EXPECT_EQ(assessed->changes[0].effect, test.effect) << test.what;
    EXPECT_EQ(assessed->needs.of_counted, test.effect == Effect::loosens ? 5u : before.charter.finding_quorum)
        << test.what;
  }
}

TEST(Amendment, TightensByLoweringEachCapAndLoosensByRaisingIt) {
  const SignedCharter before = founded(3);
  for (const NamedCap& cap : kNamedCaps) {
    for (const std::int64_t step : {-1, 1}) {
      Charter next = next_of(before);
      next.questions[0].caps.*cap.value += step;
      const auto assessed = assess(before.charter, next, {});
      ASSERT_HOLDS(assessed) << cap.name;
      ASSERT_EQ(assessed->changes.size(), 1u);
      EXPECT_EQ(assessed->changes[0].effect, step < 0 ? Effect::tightens : Effect::loosens) << cap.name;
      EXPECT_EQ(assessed->changes[0].clause, fmt::format("questions: domain intersection: {}", cap.name));
    }
  }
}

TEST(Amendment, OfATighteningAndALooseningLoosens) {
  const SignedCharter before = founded_with_admission();
  for (const Case& test : single_changes()) {
    if (test.effect == Effect::loosens) continue;
    Charter next = next_of(before);
    test.change(next);
    next.questions.back().caps.fields_per_item += 1;
    const auto assessed = assess(before.charter, next, {});
    ASSERT_HOLDS(assessed) << test.what;
    EXPECT_EQ(assessed->needs.of_counted, 5u) << test.what;
  }
}

TEST(Amendment, ThatTightensIsInForceWithAQuorumOfSignaturesAndNotBefore) {
  const SignedCharter before = founded(5);  // finding quorum: 3
  Charter next = next_of(before);
  next.not_after -= kSecondsPerDay;
  for (unsigned subset = 1; subset < 32; ++subset) {
    std::vector<std::string> nicks;
    for (unsigned i = 0; i < 5; ++i)
      if ((subset >> i & 1) != 0) nicks.push_back(kNicks[i]);
    const auto amendment = read_amendment(before, signed_charter(next, nicks), {});
    ASSERT_HOLDS(amendment);
    EXPECT_EQ(amendment->in_force(), nicks.size() >= 3) << subset;
  }
}

TEST(Amendment, ThatLoosensIsInForceWithAllSignaturesOnly) {
  const SignedCharter before = founded(4);
  Charter next = next_of(before);
  next.not_after += kSecondsPerDay;
  for (unsigned subset = 1; subset < 16; ++subset) {
    std::vector<std::string> nicks;
    for (unsigned i = 0; i < 4; ++i)
      if ((subset >> i & 1) != 0) nicks.push_back(kNicks[i]);
    const auto amendment = read_amendment(before, signed_charter(next, nicks), {});
    ASSERT_HOLDS(amendment);
    EXPECT_EQ(amendment->in_force(), subset == 15) << subset;
  }
}

TEST(Amendment, ThatAddsAMemberNeedsAllAndTheMemberItself) {
  const SignedCharter before = founded(3);
  Charter next = next_of(before);
  next.members.push_back(test_member("delta").in_group());
  next.finding_quorum = 3;
  const auto by_old = read_amendment(before, signed_charter(next, {"alpha", "bravo", "charlie"}), {});
  ASSERT_HOLDS(by_old);
  EXPECT_FALSE(by_old->in_force());
  EXPECT_EQ(by_old->missing(), std::vector<std::string>{"delta"});
  const auto without_one = read_amendment(before, signed_charter(next, {"alpha", "bravo", "delta"}), {});
  ASSERT_HOLDS(without_one);
  EXPECT_EQ(without_one->missing(), std::vector<std::string>{"charlie"});
  const auto by_all = read_amendment(before, signed_charter(next, {"alpha", "bravo", "charlie", "delta"}), {});
  ASSERT_HOLDS(by_all);
  EXPECT_TRUE(by_all->in_force());
}

TEST(Amendment, ThatExpelsNeedsAllTheOthersAndNotTheExpelled) {
  const SignedCharter before = founded(4);
  Charter next = next_of(before);
  remove(next, "bravo");
  next.log_quorum = 3;
  const auto assessed = assess(before.charter, next, {});
  ASSERT_HOLDS(assessed);
  EXPECT_EQ(assessed->expelled, std::vector<std::string>{"bravo"});
  EXPECT_EQ(assessed->needs.of_counted, 3u);
  for (const auto& [nicks, in_force] :
       std::vector<std::pair<std::vector<std::string>, bool>>{{{"alpha", "charlie", "delta"}, true},
                                                              {{"alpha", "charlie"}, false},
                                                              {{"alpha", "bravo", "charlie"}, false},
                                                              {{"alpha", "bravo", "charlie", "delta"}, true},
                                                              {{"bravo"}, false}}) {
    const auto amendment = read_amendment(before, signed_charter(next, nicks), {});
    ASSERT_HOLDS(amendment);
    EXPECT_EQ(amendment->in_force(), in_force) << in_words(nicks);
  }
}

TEST(Amendment, NeverExpelsOneOfTwo) {
  const SignedCharter three = founded(3);
  Charter next = next_of(three);
  remove(next, "bravo");
  next.log_quorum = 2;
  EXPECT_HOLDS(assess(three.charter, next, {}));
  // charlie has left: two remain, and one of them cannot throw out the other.
  EXPECT_REFUSED(assess(three.charter, next, Left{"charlie"}), Errc::format, "one of two");
  const SignedCharter two = founded(2);
  next = next_of(two);
  remove(next, "bravo");
  EXPECT_REFUSED(assess(two.charter, next, {}), Errc::format, "2 to 16");
}

TEST(Amendment, IsNoneWhereOneMemberIsLeftOrNobody) {
  const SignedCharter three = founded(3);
  Charter next = next_of(three);
  next.max_tlp = indicator::Tlp::clear;
  EXPECT_HOLDS(assess(three.charter, next, Left{"alpha"}));
  EXPECT_REFUSED(assess(three.charter, next, Left{"alpha", "bravo"}), Errc::format, "had withdrawn");
  EXPECT_REFUSED(assess(three.charter, next, Left{"alpha", "bravo", "charlie"}), Errc::format, "had withdrawn");
}

TEST(Amendment, ThatExpelsStandsAlone) {
  const SignedCharter before = founded_with_admission();
  Charter good = next_of(before);
  remove(good, "echo");
  good.log_quorum = log::log_quorum(4);
  ASSERT_HOLDS(assess(before.charter, good, {}));
  for (const Case& test : single_changes()) {
    Charter next = good;
    test.change(next);
    EXPECT_FALSE(assess(before.charter, next, {}).has_value()) << test.what;
  }
  Charter two = good;
  remove(two, "delta");
  two.log_quorum = 3;
  EXPECT_REFUSED(assess(before.charter, two, {}), Errc::format, "more than one");
  Charter replaced = good;
  replaced.members.push_back(test_member("foxtrot").in_group());
  replaced.log_quorum = before.charter.log_quorum;
  EXPECT_REFUSED(assess(before.charter, replaced, {}), Errc::format, "stands alone");
}

TEST(Amendment, ThatGivesAMembersNickToAnotherIdExpelsIt) {
  const SignedCharter before = founded(4);
  Charter next = next_of(before);
  TestMember impostor("bravo");
  next.members[1] = impostor.in_group();
  EXPECT_REFUSED(assess(before.charter, next, {}), Errc::format, "stands alone");
}

TEST(Amendment, TakesTheMembersWhoLeftOffTheListWithAQuorum) {
  const SignedCharter before = founded(4);  // finding quorum: 3
  Charter next = next_of(before);
  remove(next, "delta");
  next.log_quorum = 3;
  const auto assessed = assess(before.charter, next, Left{"delta"});
  ASSERT_HOLDS(assessed);
  EXPECT_EQ(assessed->gone, std::vector<std::string>{"delta"});
  EXPECT_TRUE(assessed->expelled.empty());
  EXPECT_EQ(assessed->needs.of_counted, 3u);
  EXPECT_EQ(assessed->needs.counted, (std::vector<std::string>{"alpha", "bravo", "charlie"}));
}

TEST(Amendment, DoesNotCountTheSignatureOfAMemberWhoLeft) {
  const SignedCharter before = founded(4);
  Charter next = next_of(before);
  next.not_after -= 1;
  const std::string note = signed_charter(next, {"alpha", "bravo", "delta"});
  EXPECT_TRUE(read_amendment(before, note, {})->in_force());
  EXPECT_FALSE(read_amendment(before, note, Left{"delta"})->in_force());
}

TEST(AmendmentAfterwards, CountsTheSignatureOfAMemberWhoseLeaveNamesTheVersionBefore) {
  const SignedCharter before = founded(4);  // finding quorum: 3
  Charter next = next_of(before);
  next.not_after -= 1;
  const std::string by_three = signed_charter(next, {"alpha", "bravo", "delta"});
  for (const Left& left : {Left{}, Left{"delta"}, Left{"charlie"}, Left{"charlie", "delta"}})
    EXPECT_TRUE(read_amendment_afterwards(before, by_three, left)->in_force())
        << fmt::format("{}", fmt::join(left, ", "));
  const std::string by_two = signed_charter(next, {"alpha", "delta"});
  for (const Left& left : {Left{}, Left{"delta"}, Left{"charlie"}, Left{"charlie", "delta"}})
    EXPECT_FALSE(read_amendment_afterwards(before, by_two, left)->in_force())
        << fmt::format("{}", fmt::join(left, ", "));
}

TEST(AmendmentAfterwards, DoesNotCountTheSignatureOfAMemberWhoIsTakenOffTheList) {
  const SignedCharter before = founded(4);
  Charter next = next_of(before);
  remove(next, "delta");
  next.log_quorum = 3;
  next.not_after -= 1;
  EXPECT_FALSE(
      read_amendment_afterwards(before, signed_charter(next, {"alpha", "bravo", "delta"}), Left{"delta"})->in_force());
  EXPECT_TRUE(
      read_amendment_afterwards(before, signed_charter(next, {"alpha", "bravo", "charlie", "delta"}), Left{"delta"})
          ->in_force())
      << "and it is no expulsion by it either";
}

/// All ways to amend a charter of four, each of which some set of signatures puts in force.
std::vector<std::pair<std::string_view, Charter>> amendments_of_four(const SignedCharter& before) {
  std::vector<std::pair<std::string_view, Charter>> all(6, {"", next_of(before)});
  const auto describe = [&](std::size_t i, std::string_view what) -> Charter& {
    all[i].first = what;
    return all[i].second;
  };
  describe(0, "a tightening").not_after -= 1;
  describe(1, "a loosening").not_after += 1;
  Charter& without = describe(2, "delta off the list");
  remove(without, "delta");
  without.log_quorum = 3;
  Charter& tighter = describe(3, "delta off the list, and a tightening");
  tighter = without;
  tighter.not_after -= 1;
  describe(4, "another card for delta").members[3].card[0] ^= std::byte{1};
  Charter& larger = describe(5, "echo comes in");
  larger.members.push_back(test_member("echo").in_group());
  larger.log_quorum = 4;
  return all;
}

// Else whoever leaves under an older version would end what came after it, for all who read it from then on.
TEST(AmendmentAfterwards, IsInForceIfItWasForAMemberThatKnewOfFewerLeaves) {
  const SignedCharter before = founded(4);
  const auto subset = [](unsigned bits) {
    std::vector<std::string> nicks;
    for (unsigned i = 0; i < 4; ++i)
      if ((bits >> i & 1) != 0) nicks.push_back(kNicks[i]);
    return nicks;
  };
  std::size_t kept = 0;
  for (const auto& [what, next] : amendments_of_four(before)) {
    for (unsigned signers = 1; signers < 16; ++signers) {
      std::vector<std::string> nicks = subset(signers);
      if (next.member("echo") != nullptr) nicks.emplace_back("echo");
      const std::string note = signed_charter(next, nicks);
      const auto left_by = [&](unsigned bits) {
        const std::vector<std::string> gone = subset(bits);
        return Left(gone.begin(), gone.end());
      };
      std::vector<unsigned> known_to;  // members for whom it is in force, by the leaves that they know of
      for (unsigned known = 0; known < 16; ++known) {
        const auto read = read_amendment(before, note, left_by(known));
        if (read && read->in_force()) known_to.push_back(known);
      }
      for (unsigned gone = 0; gone < 16; ++gone) {
        if (std::ranges::none_of(known_to, [&](unsigned known) { return (gone & known) == known; })) continue;
        ++kept;
        const auto read = read_amendment_afterwards(before, note, left_by(gone));
        EXPECT_TRUE(read && read->in_force())
            << what << ", signed by " << in_words(nicks) << ", left by " << in_words(subset(gone));
      }
    }
  }
  EXPECT_GT(kept, 300u);
}

TEST(Amendment, DoesNotTakeBackAMemberWhoLeft) {
  const SignedCharter before = founded(4);
  Charter next = next_of(before);
  next.members[3].card[0] ^= std::byte{1};
  EXPECT_HOLDS(assess(before.charter, next, {}));
  EXPECT_REFUSED(assess(before.charter, next, Left{"delta"}), Errc::format, "only into a new group");
  Charter under_another_id = next_of(before);
  under_another_id.members[3] = TestMember("delta").in_group();
  EXPECT_REFUSED(
      read_amendment_afterwards(before, signed_charter(under_another_id, {"alpha", "bravo", "charlie"}), Left{"delta"}),
      Errc::format, "only into a new group");
}

TEST(Amendment, OnceTakenIsReadAgainWhoeverHasLeftSince) {
  const SignedCharter before = founded(4);
  Charter next = next_of(before);
  next.not_after -= 1;
  const std::string note = signed_charter(next, {"alpha", "bravo", "delta"});
  const auto read = read_taken_amendment(before, note);
  ASSERT_HOLDS(read);
  EXPECT_EQ(read->charter, next);
  next.seq = 3;
  EXPECT_FALSE(read_taken_amendment(before, signed_charter(next, {"alpha"})).has_value());
  std::string altered = note;
  altered[note.size() - 5] = altered[note.size() - 5] == 'A' ? 'B' : 'A';
  EXPECT_FALSE(read_taken_amendment(before, altered).has_value());
}

TEST(Amendment, IsRefusedWhenItDoesNotFollow) {
  const SignedCharter before = founded(3);
  const std::pair<std::string_view, std::function<void(Charter&)>> cases[] = {
      {"version 2 is due", [](Charter& c) { c.seq = 3; }},
      {"follows another version", [](Charter& c) { c.prev[0] ^= std::byte{1}; }},
      {"another group", [](Charter& c) { c.group[31] = '2'; }},
      {"domain", [](Charter& c) { c.domain = "other.example"; }},
      {"changes nothing", [](Charter&) {}},
      {"400 days", [](Charter& c) { c.not_after += 400 * kSecondsPerDay; }},
      {"finding_quorum", [](Charter& c) { c.finding_quorum = 4; }},
  };
  for (const auto& [says, change] : cases) {
    Charter next = next_of(before);
    change(next);
    EXPECT_REFUSED(assess(before.charter, next, {}), Errc::format, says);
  }
}

TEST(Amendment, IsRefusedWithAStrangersOrADoubledSignature) {
  const SignedCharter before = founded(3);
  Charter next = next_of(before);
  next.not_after -= 1;
  EXPECT_REFUSED(read_amendment(before, signed_charter(next, {"alpha", "papa"}), {}), Errc::signature, "papa");
  log::Note note = *log::parse_note(signed_charter(next, {"alpha"}));
  note.signatures.push_back(note.signatures.front());
  EXPECT_FALSE(read_amendment(before, log::write_note(note), {}).has_value());
}

TEST(Quorums, FollowTheNumberOfMembersAndKeepWhatWasDemandedBeyondIt) {
  EXPECT_EQ(log_quorum_after(3, 4, 3), 3u);
  EXPECT_EQ(log_quorum_after(4, 5, 4), 3u);
  EXPECT_EQ(log_quorum_after(5, 5, 4), 4u);
  EXPECT_EQ(log_quorum_after(16, 16, 2), 2u);
  EXPECT_EQ(finding_quorum_after(3, 2), 2u);
  EXPECT_EQ(finding_quorum_after(3, 5), 3u);
  for (std::size_t before = 2; before <= 16; ++before)
    for (std::size_t quorum = log::log_quorum(before); quorum <= before; ++quorum)
      for (std::size_t after = 2; after <= before; ++after) {
        EXPECT_GE(log_quorum_after(quorum, before, after), log::log_quorum(after));
        EXPECT_LE(log_quorum_after(quorum, before, after), after);
      }
}

// --- whose the names are --------------------------------------------------------------------------------------------

TEST(Nicks, OfEveryVersionStayWithTheIdAndTheKeysThatTheyWereGivenTo) {
  const SignedCharter first = founded(4);
  Charter without = next_of(first);
  remove(without, "bravo");
  without.log_quorum = 3;
  const std::vector<SignedCharter> versions = {
      first, {.charter = without, .note = {}, .hash = charter_hash(without), .signers = {}}};
  const TestMember another("bravo");
  const auto with = [&](const std::function<void(CharterMember&)>& change) {
    Charter next = next_of(versions.back());
    next.members = first.charter.members;
    change(next.members[1]);
    return check_nicks(versions, next);
  };
  EXPECT_HOLDS(check_nicks(versions, next_of(versions.back())));
  EXPECT_HOLDS(with([](CharterMember&) {})) << "whoever was expelled may be let in again";
  EXPECT_HOLDS(with([](CharterMember& member) { member.card[0] ^= std::byte{1}; })) << "with a new card";
  EXPECT_REFUSED(with([&](CharterMember& member) { member = another.in_group(); }), Errc::format,
                 "needs another short name");
  EXPECT_REFUSED(with([&](CharterMember& member) { member.id = another.id(); }), Errc::format, "is in version 1");
  EXPECT_REFUSED(with([&](CharterMember& member) { member.keys.log = another.in_group().keys.log; }), Errc::format,
                 "another id or log key");
  EXPECT_REFUSED(with([&](CharterMember& member) { member.keys.node = another.in_group().keys.node; }), Errc::format,
                 "parley group rotate");
  EXPECT_REFUSED(with([&](CharterMember& member) { member.keys.cosign = another.in_group().keys.cosign; }),
                 Errc::format, "parley group rotate");
}

TEST(Nicks, OfThoseWhoStayKeepTheirKeys) {
  const SignedCharter first = founded(3);
  Charter next = next_of(first);
  next.members[0].keys.node = TestMember("alpha").in_group().keys.node;
  ASSERT_HOLDS(assess(first.charter, next, {})) << "else it is an amendment like any other";
  EXPECT_REFUSED(check_nicks({&first, 1}, next), Errc::format, "another node or cosign key of alpha than version 1");
}

// --- how many there may be ------------------------------------------------------------------------------------------

/// An amendment that becomes version `number`.
Result<Amendment> version(std::int64_t number, const std::function<void(Charter&)>& change) {
  SignedCharter before{.charter = charter_of(5), .note = {}, .hash = {}, .signers = {}};
  before.charter.seq = number - 1;
  before.hash = charter_hash(before.charter);
  Charter next = next_of(before);
  change(next);
  return read_amendment(before, signed_charter(next, {"alpha"}), {});
}

TEST(Room, IsKeptAtTheEndForWhatAllSignOrAllButTheExpelled) {
  const auto tighten = [](Charter& next) { next.not_after -= 1; };
  const auto loosen = [](Charter& next) { next.not_after += 1; };
  const auto expel = [](Charter& next) {
    remove(next, "echo");
    next.log_quorum = log_quorum_after(next.log_quorum, 5, 4);
  };
  const auto room_for = [](std::int64_t number, const std::function<void(Charter&)>& change) -> Status {
    TRY(const Amendment amendment, version(number, change));
    return check_room(amendment);
  };
  EXPECT_HOLDS(room_for(kVersionsOfAnyQuorum, tighten));
  for (const std::int64_t number : {kVersionsOfAnyQuorum + 1, kMostVersions}) {
    EXPECT_REFUSED(room_for(number, tighten), Errc::limit, "this needs 3 of 5 members, because it only tightens");
    EXPECT_HOLDS(room_for(number, loosen));
    EXPECT_HOLDS(room_for(number, expel));
  }
  EXPECT_REFUSED(room_for(kMostVersions + 1, loosen), Errc::format,
                 "it is version 257, and a dossier, which carries all of them, has room for 256");
}

}  // namespace
}  // namespace parley::group
